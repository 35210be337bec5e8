/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWITCH_EPOCH_H
#define ESWITCH_EPOCH_H 1

/* When may memory be freed that readers could still be looking at?
 *
 * There is a clock that only grows.  A reader notes the clock's time when it
 * begins to look (epoch_enter()) and forgets it at the end (epoch_exit()).
 * Whoever has taken an object out, so that a reader who begins now can't find
 * it, stamps it with the clock's time and lets the clock tick
 * (epoch_retire()).  The object is freed once no reader has a time noted that
 * isn't later than the stamp.
 *
 * Why that is right: all the accesses meant below are sequentially consistent,
 * so that there is one order of all of them.  A reader writes down its time
 * and then reads pointers.  A writer overwrites pointers and then reads the
 * times.  If the writer finds no time of a reader, the reader's writing it
 * down comes later in that order, hence so does its reading of pointers, and
 * it finds the new ones.  If the writer finds a time later than the stamp, the
 * reader has read the clock after its tick, which came after the pointers were
 * overwritten; again it finds the new ones.
 *
 * Hence the rule for the users of this: a pointer by which readers reach an
 * object is atomic, and loaded and stored without an explicit memory order.
 *
 * Readers are registered, and objects retired and freed, under the users'
 * lock. */

#include <stdatomic.h>
#include <stdint.h>

#include "eswim/eswitch-list.h"

struct epoch {
    _Atomic uint64_t clock;         /* From 1. */
    struct eswitch_list readers;    /* Of struct epoch_reader. */
    struct epoch_garbage *oldest, *newest;
};

struct epoch_reader {
    struct eswitch_list node;
    _Atomic uint64_t time;          /* 0: isn't looking. */
};

/* Part of an object that can be retired. */
struct epoch_garbage {
    struct epoch_garbage *next;
    uint64_t stamp;
    void *object;
    void (*free)(void *object);
};

void epoch_init(struct epoch *);
/* Frees all that is left.  There must be no reader. */
void epoch_destroy(struct epoch *);

void epoch_add_reader(struct epoch *, struct epoch_reader *);
void epoch_remove_reader(struct epoch_reader *);

static inline void
epoch_enter(struct epoch *epoch, struct epoch_reader *reader)
{
    atomic_store(&reader->time, atomic_load(&epoch->clock));
}

static inline void
epoch_exit(struct epoch_reader *reader)
{
    atomic_store(&reader->time, 0);
}

/* Has 'function' called for 'object', of which 'garbage' is a part, when no
 * reader can be looking at it any more. */
void epoch_retire(struct epoch *, struct epoch_garbage *garbage, void *object,
                  void (*function)(void *object));

/* Frees what can be freed by now. */
void epoch_collect(struct epoch *);

#endif /* eswitch-epoch.h */
