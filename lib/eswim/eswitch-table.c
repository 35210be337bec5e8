/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/eswitch-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "eswim/eswitch-packet.h"

#define MIN_SLOTS 8

static struct table_rule tombstone;

/* Slots. */

static struct table_slots *
slots_create(size_t n)
{
    struct table_slots *slots = malloc(sizeof *slots
                                       + n * sizeof slots->slot[0]);

    if (slots) {
        slots->n = slots->n_free = n;
        for (size_t i = 0; i < n; i++) {
            atomic_init(&slots->slot[i], NULL);
        }
    }
    return slots;
}

static struct table_rule *
slots_find(struct table_slots *slots, const struct match_shape *shape,
           const uint8_t *key, uint64_t hash)
{
    for (size_t i = hash;; i++) {
        struct table_rule *rule = atomic_load(&slots->slot[i
                                                           & (slots->n - 1)]);

        if (!rule) {
            return NULL;
        } else if (rule != &tombstone && rule->hash == hash
                   && !memcmp(rule->key, key, shape->key_size)) {
            return rule;
        }
    }
}

/* There must be a free one, and another one. */
static void
slots_put(struct table_slots *slots, struct table_rule *rule)
{
    for (size_t i = rule->hash;; i++) {
        struct table_rule *_Atomic *slot = &slots->slot[i & (slots->n - 1)];
        struct table_rule *old = atomic_load(slot);

        if (!old || old == &tombstone) {
            slots->n_free -= !old;
            atomic_store(slot, rule);
            return;
        }
    }
}

static void
slots_replace(struct table_slots *slots, const struct table_rule *rule,
              struct table_rule *new)
{
    for (size_t i = rule->hash;; i++) {
        struct table_rule *_Atomic *slot = &slots->slot[i & (slots->n - 1)];

        if (atomic_load(slot) == rule) {
            atomic_store(slot, new);
            return;
        }
    }
}

/* Tuples. */

static struct table_tuple *
tuple_create(struct table_group *group, uint32_t priority,
             const struct match_shape *shape)
{
    struct table_tuple *tuple = malloc(offsetof(struct table_tuple, shape)
                                       + match_shape_size(shape));
    struct table_slots *slots = slots_create(MIN_SLOTS);

    if (!tuple || !slots) {
        free(tuple);
        free(slots);
        return NULL;
    }
    tuple->group = group;
    tuple->priority = priority;
    tuple->n_rules = 0;
    atomic_init(&tuple->slots, slots);
    memcpy(&tuple->shape, shape, match_shape_size(shape));
    return tuple;
}

static void
tuple_free(void *tuple_)
{
    struct table_tuple *tuple = tuple_;

    free(atomic_load(&tuple->slots));
    free(tuple);
}

/* Sees to it that a rule can be put into the slots, of which a quarter stay
 * free, so that lookups end soon. */
static int
tuple_reserve(struct epoch *epoch, struct table_tuple *tuple)
{
    struct table_slots *old = atomic_load(&tuple->slots), *new;
    size_t n = MIN_SLOTS;

    if (old->n_free > old->n / 4 + 1) {
        return 0;
    }
    while (n < (tuple->n_rules + 1) * 2) {
        n *= 2;
    }
    new = slots_create(n);
    if (!new) {
        return ENOMEM;
    }
    for (size_t i = 0; i < old->n; i++) {
        struct table_rule *rule = atomic_load(&old->slot[i]);

        if (rule && rule != &tombstone) {
            slots_put(new, rule);
        }
    }
    atomic_store(&tuple->slots, new);
    epoch_retire(epoch, &old->garbage, old, free);
    return 0;
}

/* Groups. */

static struct table_tuples *
tuples_create(size_t n)
{
    struct table_tuples *tuples = malloc(sizeof *tuples
                                         + n * sizeof tuples->tuple[0]);

    if (tuples) {
        tuples->n = n;
    }
    return tuples;
}

static void
group_set_tuples(struct table *table, struct table_group *group,
                 struct table_tuples *new)
{
    struct table_tuples *old = atomic_load(&group->tuples);

    atomic_store(&group->tuples, new);
    if (old) {
        epoch_retire(table->epoch, &old->garbage, old, free);
    }
}

/* A list with 'tuple' in it, after those of the same priority. */
static struct table_tuples *
tuples_with(const struct table_tuples *old, struct table_tuple *tuple)
{
    size_t n = old ? old->n : 0, i = 0;
    struct table_tuples *new = tuples_create(n + 1);

    if (!new) {
        return NULL;
    }
    while (i < n && old->tuple[i]->priority <= tuple->priority) {
        new->tuple[i] = old->tuple[i];
        i++;
    }
    new->tuple[i] = tuple;
    for (; i < n; i++) {
        new->tuple[i + 1] = old->tuple[i];
    }
    return new;
}

/* Takes 'tuple' out.  If there is no memory for a list without it, it stays,
 * empty. */
static void
group_remove_tuple(struct table *table, struct table_group *group,
                   struct table_tuple *tuple)
{
    struct table_tuples *old = atomic_load(&group->tuples), *new = NULL;

    if (old->n > 1) {
        size_t n = 0;

        new = tuples_create(old->n - 1);
        if (!new) {
            return;
        }
        for (size_t i = 0; i < old->n; i++) {
            if (old->tuple[i] != tuple) {
                new->tuple[n++] = old->tuple[i];
            }
        }
    }
    group_set_tuples(table, group, new);
    epoch_retire(table->epoch, &tuple->garbage, tuple, tuple_free);
}

static struct table_tuple *
group_find_tuple(struct table_group *group, uint32_t priority,
                 const struct match_shape *shape)
{
    struct table_tuples *tuples = atomic_load(&group->tuples);

    for (size_t i = 0; tuples && i < tuples->n; i++) {
        if (tuples->tuple[i]->priority == priority
            && match_shape_equal(&tuples->tuple[i]->shape, shape)) {
            return tuples->tuple[i];
        }
    }
    return NULL;
}

/* Tuples that stayed behind empty go with it. */
static void
group_free(void *group_)
{
    struct table_group *group = group_;
    struct table_tuples *tuples = atomic_load(&group->tuples);

    if (tuples) {
        for (size_t i = 0; i < tuples->n; i++) {
            tuple_free(tuples->tuple[i]);
        }
        free(tuples);
    }
    free(group);
}

static struct eswitch_list *
bucket(struct table *table, uint32_t space, uint32_t id)
{
    uint32_t hash = (id * 0x9e3779b1u + space) * 0x85ebca6bu;

    return &table->groups[hash >> 16 & (TABLE_N_BUCKETS - 1)];
}

struct table_group *
table_group_ref(struct table *table, uint32_t space, uint32_t id)
{
    struct eswitch_list *head = bucket(table, space, id);
    struct table_group *group;

    for (struct eswitch_list *node = head->next; node != head;
         node = node->next) {
        group = ESWITCH_CONTAINER_OF(node, struct table_group, node);
        if (group->space == space && group->id == id) {
            group->n_refs++;
            return group;
        }
    }
    group = malloc(sizeof *group);
    if (group) {
        group->space = space;
        group->id = id;
        group->n_refs = 1;
        atomic_init(&group->tuples, NULL);
        eswitch_list_append(head, &group->node);
    }
    return group;
}

void
table_group_unref(struct table *table, struct table_group *group)
{
    if (!--group->n_refs) {
        eswitch_list_remove(&group->node);
        epoch_retire(table->epoch, &group->garbage, group, group_free);
    }
}

/* The table. */

void
table_init(struct table *table, struct epoch *epoch)
{
    table->epoch = epoch;
    atomic_init(&table->removals, 0);
    for (size_t i = 0; i < TABLE_N_BUCKETS; i++) {
        eswitch_list_init(&table->groups[i]);
    }
}

void
table_destroy(struct table *table)
{
    for (size_t i = 0; i < TABLE_N_BUCKETS; i++) {
        struct eswitch_list *head = &table->groups[i];

        while (head->next != head) {
            struct table_group *group = ESWITCH_CONTAINER_OF(
                head->next, struct table_group, node);

            eswitch_list_remove(&group->node);
            group_free(group);
        }
    }
}

static int
insert_first(struct table *table, struct table_group *group,
             uint32_t priority, const struct match_shape *shape,
             struct table_rule *rule)
{
    struct table_tuple *tuple = tuple_create(group, priority, shape);
    struct table_tuples *tuples;

    if (!tuple) {
        return ENOMEM;
    }
    tuples = tuples_with(atomic_load(&group->tuples), tuple);
    if (!tuples) {
        tuple_free(tuple);
        return ENOMEM;
    }
    rule->tuple = tuple;
    tuple->n_rules = 1;
    slots_put(atomic_load(&tuple->slots), rule);
    group_set_tuples(table, group, tuples);
    return 0;
}

int
table_insert(struct table *table, struct table_group *group,
             uint32_t priority, const struct match_shape *shape,
             const uint8_t *key, struct table_rule *rule)
{
    struct table_tuple *tuple = group_find_tuple(group, priority, shape);

    rule->hash = match_hash(key, shape->key_size);
    memcpy(rule->key, key, shape->key_size);
    if (!tuple) {
        return insert_first(table, group, priority, shape, rule);
    } else if (slots_find(atomic_load(&tuple->slots), shape, key,
                          rule->hash)) {
        return EEXIST;
    } else if (tuple_reserve(table->epoch, tuple)) {
        return ENOMEM;
    }
    rule->tuple = tuple;
    tuple->n_rules++;
    slots_put(atomic_load(&tuple->slots), rule);
    return 0;
}

void
table_remove(struct table *table, struct table_rule *rule)
{
    struct table_tuple *tuple = rule->tuple;
    struct table_group *group = tuple->group;

    atomic_fetch_add(&table->removals, 1);
    slots_replace(atomic_load(&tuple->slots), rule, &tombstone);
    if (!--tuple->n_rules) {
        group_remove_tuple(table, group, tuple);
    }
    table_group_unref(table, group);
}

struct table_rule *
table_lookup(struct table_group *group, const struct packet *packet)
{
    struct table_tuples *tuples = atomic_load(&group->tuples);
    _Alignas(8) uint8_t key[MATCH_MAX_KEY];

    for (size_t i = 0; tuples && i < tuples->n; i++) {
        struct table_tuple *tuple = tuples->tuple[i];
        struct table_rule *rule;

        if (match_extract(&tuple->shape, packet, key)) {
            rule = slots_find(atomic_load(&tuple->slots), &tuple->shape, key,
                              match_hash(key, tuple->shape.key_size));
            if (rule) {
                return rule;
            }
        }
    }
    return NULL;
}
