/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/eswitch-epoch.h"

#include <stddef.h>

void
epoch_init(struct epoch *epoch)
{
    atomic_init(&epoch->clock, 1);
    eswitch_list_init(&epoch->readers);
    epoch->oldest = epoch->newest = NULL;
}

void
epoch_destroy(struct epoch *epoch)
{
    epoch_collect(epoch);
}

void
epoch_add_reader(struct epoch *epoch, struct epoch_reader *reader)
{
    atomic_init(&reader->time, 0);
    eswitch_list_append(&epoch->readers, &reader->node);
}

void
epoch_remove_reader(struct epoch_reader *reader)
{
    eswitch_list_remove(&reader->node);
}

void
epoch_retire(struct epoch *epoch, struct epoch_garbage *garbage, void *object,
             void (*function)(void *object))
{
    garbage->next = NULL;
    garbage->object = object;
    garbage->free = function;
    if (epoch->newest) {
        epoch->newest->next = garbage;
    } else {
        epoch->oldest = garbage;
    }
    epoch->newest = garbage;
    garbage->stamp = atomic_fetch_add(&epoch->clock, 1);
}

/* The earliest time that a reader has noted. */
static uint64_t
earliest(struct epoch *epoch)
{
    uint64_t min = UINT64_MAX;

    for (struct eswitch_list *node = epoch->readers.next;
         node != &epoch->readers; node = node->next) {
        struct epoch_reader *reader = ESWITCH_CONTAINER_OF(
            node, struct epoch_reader, node);
        uint64_t time = atomic_load(&reader->time);

        if (time && time < min) {
            min = time;
        }
    }
    return min;
}

void
epoch_collect(struct epoch *epoch)
{
    uint64_t min = earliest(epoch);

    while (epoch->oldest && epoch->oldest->stamp < min) {
        struct epoch_garbage *garbage = epoch->oldest;

        epoch->oldest = garbage->next;
        if (!epoch->oldest) {
            epoch->newest = NULL;
        }
        garbage->free(garbage->object);
    }
}
