/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWITCH_TABLE_H
#define ESWITCH_TABLE_H 1

/* Groups of rules: where walks look for the rule of a packet.
 *
 * A group is a list of tuples in the order of their priority.  A tuple holds
 * the rules of one priority and one shape (see eswitch-match.h) in a hash
 * table by their keys, so that looking up a packet costs one hash lookup for
 * each shape, however many rules there are; the first hit is the best.
 *
 * A tuple's hash table is an array of pointers to rules: a rule is in the
 * first free place from the one that its hash says.  Beside it is an array of
 * tags, parts of the hashes, so that looking up what isn't there touches no
 * rule.  A removed rule leaves a tombstone, and its tag.  When too few places
 * have never been used, the rules move into a new array.  A tuple that became
 * empty is taken out of its group's list.
 *
 * Threads: lookups need no lock, but an epoch; all else is done under the
 * eswitch's lock. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eswim/eswitch-epoch.h"
#include "eswim/eswitch-match.h"

struct packet;

/* Part of a rule: what the table knows of it.  The rule's key follows. */
struct table_rule {
    struct table_tuple *tuple;
    struct epoch_garbage garbage;
    uint64_t hash;
    uint8_t *key;                   /* tuple->shape->key_size bytes. */
};

struct table_slots {
    struct epoch_garbage garbage;
    size_t n;                       /* A power of 2. */
    size_t n_free;                  /* Never used. */
    _Atomic uint32_t *tag;          /* 0: never used. */
    struct table_rule *_Atomic slot[];
};

struct table_tuple {
    struct epoch_garbage garbage;
    struct table_group *group;
    uint32_t priority;
    size_t n_rules;
    struct table_slots *_Atomic slots;
    struct match_shape shape;       /* As much of it as is in use. */
};

struct table_tuples {
    struct epoch_garbage garbage;
    size_t n;
    struct table_tuple *tuple[];    /* The best priority first. */
};

/* Made when a rule is put into it, or jumps there; gone with the last one of
 * these.  Never gone: groups 0, where walks begin. */
struct table_group {
    struct eswitch_list node;
    struct epoch_garbage garbage;
    uint32_t space;                 /* 0: the eswitch's; 1 + port: its ingress
                                     * rules. */
    uint32_t id;
    size_t n_refs;                  /* Rules in it, jumps to it; 1 more for
                                     * group 0. */
    struct table_tuples *_Atomic tuples;    /* Or null. */
};

#define TABLE_N_BUCKETS 1024

struct table {
    struct epoch *epoch;
    /* How many rules have been removed, or are being.  Whoever finds no rule
     * while this grows may have missed both a rule that was replaced and the
     * new one, and should look again. */
    _Atomic uint64_t removals;
    struct eswitch_list groups[TABLE_N_BUCKETS];
};

void table_init(struct table *, struct epoch *);
/* All rules must have gone. */
void table_destroy(struct table *);

/* The group, with one more reference to it.  Null if there is no memory. */
struct table_group *table_group_ref(struct table *, uint32_t space,
                                    uint32_t id);
void table_group_unref(struct table *, struct table_group *);

/* Puts 'rule' into 'group', whose reference it takes.  EEXIST, ENOMEM: nothing
 * has changed. */
int table_insert(struct table *, struct table_group *, uint32_t priority,
                 const struct match_shape *, const uint8_t *key,
                 struct table_rule *rule);
/* Takes 'rule' out, and its reference off its group.  Readers may still be
 * looking at it. */
void table_remove(struct table *, struct table_rule *rule);

/* The best rule that matches, or null. */
struct table_rule *table_lookup(struct table_group *, const struct packet *);

#endif /* eswitch-table.h */
