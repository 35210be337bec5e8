/* SPDX-License-Identifier: Apache-2.0 */

/* The eswitch, its rules and its faults. */

#include "eswim/eswitch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "eswim/eswitch-action.h"
#include "eswim/eswitch-match.h"
#include "eswim/eswitch-names.h"
#include "eswim/eswitch-private.h"
#include "eswim/eswitch-text.h"

#define MIN_BUCKETS 64

/* Counters. */

static uint64_t
monotonic(void *aux)
{
    struct timespec ts;

    (void) aux;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

uint64_t
eswitch_tick(const struct eswitch *eswitch)
{
    uint32_t refresh = atomic_load_explicit(&eswitch->counter_refresh,
                                            memory_order_relaxed);

    return (refresh ? eswitch->params.now(eswitch->params.aux) / refresh + 1
            : 0);
}

static void
counters_lock(struct rule_counters *counters)
{
    struct timespec a_while = { 0, 1000 };

    for (unsigned i = 1;
         atomic_flag_test_and_set_explicit(&counters->lock,
                                           memory_order_acquire); i++) {
        if (!(i % 1000)) {
            nanosleep(&a_while, NULL);      /* Its holder was preempted. */
        }
    }
}

static void
counters_unlock(struct rule_counters *counters)
{
    atomic_flag_clear_explicit(&counters->lock, memory_order_release);
}

/* In each tick, what was counted before it is settled.  A walk may have looked
 * at the time just before the tick. */
static void
counters_settle(struct rule_counters *counters, uint64_t tick)
{
    if (tick > counters->tick) {
        counters->tick = tick;
        counters->settled = counters->live;
    }
}

void
rule_count(struct rule *rule, uint64_t tick, size_t bytes)
{
    struct rule_counters *counters = &rule->counters;

    counters_lock(counters);
    counters_settle(counters, tick);
    counters->live.packets++;
    counters->live.bytes += bytes;
    counters_unlock(counters);
}

/* What is shown now, never less than has been reset: without lag, more may
 * have been. */
static struct eswitch_counters
counters_shown(struct eswitch *eswitch, struct rule_counters *counters)
{
    uint64_t tick = eswitch_tick(eswitch);
    struct eswitch_counters shown;

    counters_settle(counters, tick);
    shown = tick ? counters->settled : counters->live;
    if (shown.packets < counters->reset.packets) {
        shown = counters->reset;
    }
    return shown;
}

static struct eswitch_counters
counters_read(struct eswitch *eswitch, struct rule_counters *counters,
              bool reset, struct eswitch_counters *live)
{
    struct eswitch_counters shown, since;

    counters_lock(counters);
    shown = counters_shown(eswitch, counters);
    since.packets = shown.packets - counters->reset.packets;
    since.bytes = shown.bytes - counters->reset.bytes;
    if (reset) {
        counters->reset = shown;
    }
    *live = counters->live;
    counters_unlock(counters);
    return since;
}

/* Creation and destruction. */

static int
check_params(const struct eswitch_params *params, struct eswitch_error *error)
{
    if (params->n_vfs >= ESWITCH_MAX_PORTS) {
        return eswitch_complain(error, EINVAL, ESWITCH_AT_NONE, -1,
                                "%u VFs: more than %d", params->n_vfs,
                                ESWITCH_MAX_PORTS - 1);
    }
    return 0;
}

static void
init_tunnel_ports(struct packet_tunnel_ports *ports)
{
    for (size_t i = 0; i < PACKET_N_TUNNEL_PORTS; i++) {
        atomic_init(&ports->vxlan[i], i ? 0 : 4789);
        atomic_init(&ports->geneve[i], i ? 0 : 6081);
    }
}

/* Groups 0. */
static bool
create_roots(struct eswitch *eswitch)
{
    eswitch->root = table_group_ref(&eswitch->table, 0, 0);
    for (size_t i = 0; i < eswitch->n_ports; i++) {
        eswitch->ingress[i] = table_group_ref(&eswitch->table, 1 + i, 0);
        if (!eswitch->ingress[i]) {
            return false;
        }
    }
    return eswitch->root;
}

int
eswitch_create(const struct eswitch_params *params, struct eswitch **eswitchp,
               struct eswitch_error *error)
{
    int errnum = check_params(params, error);
    struct eswitch *eswitch;

    *eswitchp = NULL;
    if (errnum) {
        return errnum;
    }
    eswitch = calloc(1, sizeof *eswitch);
    if (!eswitch) {
        goto no_memory;
    }
    eswitch->params = *params;
    if (!params->now) {
        eswitch->params.now = monotonic;
    }
    eswitch->n_ports = params->n_vfs + 1;
    eswitch->capacity = params->capacity;
    atomic_init(&eswitch->counter_refresh, params->counter_refresh);
    atomic_init(&eswitch->insert_latency, params->insert_latency);
    init_tunnel_ports(&eswitch->tunnel_ports);
    pthread_mutex_init(&eswitch->insertion, NULL);
    pthread_mutex_init(&eswitch->lock, NULL);
    epoch_init(&eswitch->epoch);
    table_init(&eswitch->table, &eswitch->epoch);
    eswitch_list_init(&eswitch->rules);
    eswitch->next_id = 1;
    eswitch->n_by_id = MIN_BUCKETS;
    eswitch->by_id = calloc(MIN_BUCKETS, sizeof *eswitch->by_id);
    eswitch->ingress = calloc(eswitch->n_ports, sizeof *eswitch->ingress);
    eswitch->gone = calloc(eswitch->n_ports, sizeof *eswitch->gone);
    if (!eswitch->by_id || !eswitch->ingress || !eswitch->gone
        || !create_roots(eswitch)) {
        goto no_memory;
    }
    *eswitchp = eswitch;
    return 0;

no_memory:
    eswitch_destroy(eswitch);
    return eswitch_complain(error, ENOMEM, ESWITCH_AT_NONE, -1, "no memory");
}

static size_t remove_rules(struct eswitch *, int port);

void
eswitch_destroy(struct eswitch *eswitch)
{
    if (!eswitch) {
        return;
    }
    remove_rules(eswitch, -1);
    epoch_destroy(&eswitch->epoch);
    table_destroy(&eswitch->table);
    pthread_mutex_destroy(&eswitch->lock);
    pthread_mutex_destroy(&eswitch->insertion);
    free(eswitch->by_id);
    free(eswitch->ingress);
    free(eswitch->gone);
    free(eswitch);
}

/* Settings. */

void
eswitch_get_params(struct eswitch *eswitch, struct eswitch_params *params)
{
    *params = eswitch->params;
    pthread_mutex_lock(&eswitch->lock);
    params->capacity = eswitch->capacity;
    pthread_mutex_unlock(&eswitch->lock);
    params->insert_latency = atomic_load(&eswitch->insert_latency);
    params->counter_refresh = atomic_load(&eswitch->counter_refresh);
}

void
eswitch_set_capacity(struct eswitch *eswitch, uint32_t rules)
{
    pthread_mutex_lock(&eswitch->lock);
    eswitch->capacity = rules;
    pthread_mutex_unlock(&eswitch->lock);
}

void
eswitch_set_insert_latency(struct eswitch *eswitch, uint32_t us)
{
    atomic_store(&eswitch->insert_latency, us);
}

/* Ticks are numbered anew: nothing is shown less than before, nor later than
 * one new interval. */
void
eswitch_set_counter_refresh(struct eswitch *eswitch, uint32_t ms)
{
    pthread_mutex_lock(&eswitch->lock);
    atomic_store(&eswitch->counter_refresh, ms);
    for (struct eswitch_list *node = eswitch->rules.next;
         node != &eswitch->rules; node = node->next) {
        struct rule *rule = ESWITCH_CONTAINER_OF(node, struct rule, node);
        struct rule_counters *counters = &rule->counters;

        counters_lock(counters);
        counters->tick = eswitch_tick(eswitch);
        counters->settled = counters->live;
        counters_unlock(counters);
    }
    pthread_mutex_unlock(&eswitch->lock);
}

static _Atomic uint16_t *
find_tunnel_port(_Atomic uint16_t *ports, uint16_t port)
{
    for (size_t i = 0; i < PACKET_N_TUNNEL_PORTS; i++) {
        if (atomic_load(&ports[i]) == port) {
            return &ports[i];
        }
    }
    return NULL;
}

static int
set_tunnel_port(_Atomic uint16_t *mine, _Atomic uint16_t *other,
                uint16_t port, bool add, struct eswitch_error *error)
{
    _Atomic uint16_t *place = find_tunnel_port(mine, port);

    if (!add) {
        if (!place) {
            return eswitch_complain(error, ENOENT, ESWITCH_AT_NONE, -1,
                                    "UDP port %u is no such tunnel's", port);
        }
        atomic_store(place, 0);
        return 0;
    }
    if (find_tunnel_port(other, port)) {
        return eswitch_complain(error, EEXIST, ESWITCH_AT_NONE, -1,
                                "UDP port %u is another tunnel's", port);
    }
    place = place ? place : find_tunnel_port(mine, 0);
    if (!place) {
        return eswitch_complain(error, ENOSPC, ESWITCH_AT_NONE, -1,
                                "more than %d UDP ports",
                                PACKET_N_TUNNEL_PORTS);
    }
    atomic_store(place, port);
    return 0;
}

int
eswitch_tunnel_port(struct eswitch *eswitch, enum eswitch_item_type tunnel,
                    uint16_t port, bool add, struct eswitch_error *error)
{
    struct packet_tunnel_ports *ports = &eswitch->tunnel_ports;
    bool vxlan = tunnel == ESWITCH_ITEM_VXLAN;
    int errnum;

    if (!port || (!vxlan && tunnel != ESWITCH_ITEM_GENEVE)) {
        return eswitch_complain(error, EINVAL, ESWITCH_AT_NONE, -1,
                                "UDP port %u of %s", port,
                                eswitch_item_name(tunnel));
    }
    pthread_mutex_lock(&eswitch->lock);
    errnum = set_tunnel_port(vxlan ? ports->vxlan : ports->geneve,
                             vxlan ? ports->geneve : ports->vxlan,
                             port, add, error);
    pthread_mutex_unlock(&eswitch->lock);
    return errnum;
}

/* Faults. */

void
eswitch_inject(struct eswitch *eswitch, enum eswitch_operation operation,
               unsigned nth, int error)
{
    if (operation < ESWITCH_N_OPERATIONS) {
        pthread_mutex_lock(&eswitch->lock);
        eswitch->injections[operation] = (struct injection) { nth, error };
        pthread_mutex_unlock(&eswitch->lock);
    }
}

/* The error that was injected for this operation, or 0.  Under the lock. */
static int
injected(struct eswitch *eswitch, enum eswitch_operation operation,
         struct eswitch_error *error)
{
    struct injection *injection = &eswitch->injections[operation];

    if (!injection->nth || --injection->nth) {
        return 0;
    }
    return eswitch_complain(error, injection->error, ESWITCH_AT_NONE, -1,
                            "injected failure");
}

static bool *
refusal_by_name(struct eswitch *eswitch, const char *name)
{
    const char *colon = strchr(name, ':');
    size_t kind = colon ? colon - name : 0;

#define FIND(KIND, TABLE, N)                                            \
    if (kind == strlen(KIND) && !memcmp(name, KIND, kind)) {            \
        for (size_t i = 0; i < N; i++) {                                \
            if (!strcmp(eswitch_##TABLE[i].name, colon + 1)) {          \
                return &eswitch->refused_##TABLE[i];                    \
            }                                                           \
        }                                                               \
    }
    FIND("item", items, ESWITCH_N_ITEMS)
    FIND("action", actions, ESWITCH_N_ACTIONS)
    FIND("field", fields, ESWITCH_N_FIELDS)
#undef FIND
    return NULL;
}

int
eswitch_refuse(struct eswitch *eswitch, const char *name, bool refuse,
               struct eswitch_error *error)
{
    bool *refused = refusal_by_name(eswitch, name);

    if (!refused) {
        return eswitch_complain(error, EINVAL, ESWITCH_AT_NONE, -1,
                                "\"%s\" is none of item:NAME, action:NAME, "
                                "field:NAME", name);
    }
    pthread_mutex_lock(&eswitch->lock);
    *refused = refuse;
    pthread_mutex_unlock(&eswitch->lock);
    return 0;
}

/* Is what the rule needs refused?  Under the lock. */

static int
check_refused_fields(struct eswitch *eswitch,
                     const struct eswitch_action *action, int index,
                     struct eswitch_error *error)
{
    bool copy = action->type == ESWITCH_ACTION_COPY;
    enum eswitch_field field = (copy ? action->copy.dst.field
                                : action->modify.field.field);

    if (copy && eswitch->refused_fields[action->copy.src.field]) {
        field = action->copy.src.field;
    }
    return (eswitch->refused_fields[field]
            ? eswitch_complain(error, ENOTSUP, ESWITCH_AT_ACTION_CONF, index,
                               "field %s isn't supported by this device",
                               eswitch_field_name(field)) : 0);
}

static int
check_refused_actions(struct eswitch *eswitch,
                      const struct eswitch_action *actions, size_t n,
                      int index, struct eswitch_error *error)
{
    int errnum = 0;

    for (size_t i = 0; i < n && !errnum; i++) {
        const struct eswitch_action *action = &actions[i];
        int at = index < 0 ? i : index;

        if (eswitch->refused_actions[action->type]) {
            errnum = eswitch_complain(error, ENOTSUP, ESWITCH_AT_ACTION, at,
                                      "action %s isn't supported by this "
                                      "device",
                                      eswitch_action_name(action->type));
        } else if (action->type == ESWITCH_ACTION_MODIFY
                   || action->type == ESWITCH_ACTION_COPY) {
            errnum = check_refused_fields(eswitch, action, at, error);
        } else if (action->type == ESWITCH_ACTION_SAMPLE) {
            errnum = check_refused_actions(eswitch, action->sample.actions,
                                           action->sample.n_actions, at,
                                           error);
        }
    }
    return errnum;
}

static int
check_refused(struct eswitch *eswitch, const struct eswitch_rule *spec,
              struct eswitch_error *error)
{
    for (size_t i = 0; i < spec->n_items; i++) {
        if (eswitch->refused_items[spec->items[i].type]) {
            return eswitch_complain(error, ENOTSUP, ESWITCH_AT_ITEM, i,
                                    "item %s isn't supported by this device",
                                    eswitch_item_name(spec->items[i].type));
        }
    }
    return check_refused_actions(eswitch, spec->actions, spec->n_actions, -1,
                                 error);
}

/* Rules. */

/* A rule being made. */
struct draft {
    const struct eswitch_rule *spec;
    struct match_shape shape;
    uint8_t key[MATCH_MAX_KEY];
    struct action_summary summary;
};

static int
draft_init(struct draft *draft, struct eswitch *eswitch,
           const struct eswitch_rule *spec, struct eswitch_error *error)
{
    int errnum;

    draft->spec = spec;
    if (spec->port >= eswitch->n_ports) {
        return eswitch_complain(error, EINVAL, ESWITCH_AT_PORT, -1,
                                "no port %u", spec->port);
    }
    errnum = eswitch_match_compile(spec, eswitch->n_ports, &draft->shape,
                                   draft->key, error);
    return errnum ? errnum : eswitch_actions_check(spec, eswitch->n_ports,
                                                   &draft->summary, error);
}

int
eswitch_rule_validate(struct eswitch *eswitch, const struct eswitch_rule *spec,
                      struct eswitch_error *error)
{
    struct draft draft;
    int errnum = draft_init(&draft, eswitch, spec, error);

    if (!errnum) {
        pthread_mutex_lock(&eswitch->lock);
        errnum = check_refused(eswitch, spec, error);
        pthread_mutex_unlock(&eswitch->lock);
    }
    return errnum;
}

static void
rule_free(void *rule_)
{
    struct rule *rule = rule_;

    free(rule->actions);
    free(rule);
}

static struct rule *
rule_alloc(const struct draft *draft)
{
    const struct eswitch_rule *spec = draft->spec;
    struct rule *rule = calloc(1, sizeof *rule + draft->shape.key_size);

    if (!rule) {
        return NULL;
    }
    rule->table.key = rule->key;
    rule->port = spec->port;
    rule->transfer = spec->transfer;
    rule->priority = spec->priority;
    rule->has_count = draft->summary.has_count;
    atomic_flag_clear(&rule->counters.lock);
    rule->n_actions = spec->n_actions;
    rule->actions = eswitch_actions_clone(spec->actions, spec->n_actions);
    if (!rule->actions) {
        free(rule);
        return NULL;
    }
    return rule;
}

static struct rule **
id_bucket(struct eswitch *eswitch, uint64_t id)
{
    return &eswitch->by_id[id & (eswitch->n_by_id - 1)];
}

static struct rule *
find_rule(struct eswitch *eswitch, uint64_t id)
{
    struct rule *rule = *id_bucket(eswitch, id);

    while (rule && rule->id != id) {
        rule = rule->next;
    }
    return rule;
}

/* More buckets, if there is memory for them: without, it is only slower. */
static void
grow_ids(struct eswitch *eswitch)
{
    size_t n = eswitch->n_by_id * 2;
    struct rule **buckets;

    if (eswitch->n_rules < eswitch->n_by_id
        || !(buckets = calloc(n, sizeof *buckets))) {
        return;
    }
    for (struct eswitch_list *node = eswitch->rules.next;
         node != &eswitch->rules; node = node->next) {
        struct rule *rule = ESWITCH_CONTAINER_OF(node, struct rule, node);

        rule->next = buckets[rule->id & (n - 1)];
        buckets[rule->id & (n - 1)] = rule;
    }
    free(eswitch->by_id);
    eswitch->by_id = buckets;
    eswitch->n_by_id = n;
}

static uint32_t
space_of(const struct eswitch_rule *spec)
{
    return spec->transfer ? 0 : 1 + spec->port;
}

static int
insert_rule(struct eswitch *eswitch, const struct draft *draft,
            struct rule *rule)
{
    const struct eswitch_rule *spec = draft->spec;
    const struct eswitch_action *jump = draft->summary.jump;
    struct table *table = &eswitch->table;
    struct table_group *group;
    int errnum = ENOMEM;

    group = table_group_ref(table, space_of(spec), spec->group);
    if (jump) {
        rule->jump = table_group_ref(table, space_of(spec), jump->group);
    }
    if (group && (!jump || rule->jump)) {
        errnum = table_insert(table, group, spec->priority, &draft->shape,
                              draft->key, &rule->table);
    }
    if (errnum) {
        if (group) {
            table_group_unref(table, group);
        }
        if (rule->jump) {
            table_group_unref(table, rule->jump);
        }
    }
    return errnum;
}

static void
register_rule(struct eswitch *eswitch, struct rule *rule)
{
    struct rule **bucket;

    grow_ids(eswitch);
    rule->id = eswitch->next_id++;
    bucket = id_bucket(eswitch, rule->id);
    rule->next = *bucket;
    *bucket = rule;
    eswitch_list_append(&eswitch->rules, &rule->node);
    eswitch->n_rules++;
}

static uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* Under the lock. */
static int
create_rule(struct eswitch *eswitch, const struct draft *draft,
            struct rule *rule, struct eswitch_error *error)
{
    int errnum = injected(eswitch, ESWITCH_CREATE, error);

    if (!errnum) {
        errnum = check_refused(eswitch, draft->spec, error);
    }
    if (errnum) {
        return errnum;
    } else if (eswitch->capacity && eswitch->n_rules >= eswitch->capacity) {
        return eswitch_complain(error, ENOSPC, ESWITCH_AT_RULE, -1,
                                "table is full: %u rules", eswitch->capacity);
    }
    rule->counters.tick = eswitch_tick(eswitch);
    rule->since = now_ns();
    errnum = insert_rule(eswitch, draft, rule);
    if (errnum) {
        return eswitch_complain(error, errnum, ESWITCH_AT_RULE, -1,
                                errnum == EEXIST
                                ? "group %u has a rule with this match and "
                                  "priority %u"
                                : "no memory for a rule in group %u with "
                                  "priority %u",
                                draft->spec->group, draft->spec->priority);
    }
    register_rule(eswitch, rule);
    epoch_collect(&eswitch->epoch);
    return 0;
}

static void
take_time(struct eswitch *eswitch)
{
    uint32_t us = atomic_load(&eswitch->insert_latency);

    if (us) {
        struct timespec left = { us / 1000000, us % 1000000 * 1000L };

        pthread_mutex_lock(&eswitch->insertion);
        while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
            continue;
        }
        pthread_mutex_unlock(&eswitch->insertion);
    }
}

int
eswitch_rule_create(struct eswitch *eswitch, const struct eswitch_rule *spec,
                    uint64_t *id, struct eswitch_error *error)
{
    struct draft draft;
    struct rule *rule;
    int errnum;

    *id = 0;
    errnum = draft_init(&draft, eswitch, spec, error);
    if (errnum) {
        return errnum;
    }
    rule = rule_alloc(&draft);
    if (!rule) {
        return eswitch_complain(error, ENOMEM, ESWITCH_AT_NONE, -1,
                                "no memory");
    }

    take_time(eswitch);
    pthread_mutex_lock(&eswitch->lock);
    errnum = create_rule(eswitch, &draft, rule, error);
    if (errnum) {
        rule_free(rule);
    } else {
        *id = rule->id;
    }
    pthread_mutex_unlock(&eswitch->lock);
    return errnum;
}

/* Under the lock. */
static void
remove_rule(struct eswitch *eswitch, struct rule *rule)
{
    struct rule **p = id_bucket(eswitch, rule->id);

    while (*p != rule) {
        p = &(*p)->next;
    }
    *p = rule->next;
    eswitch_list_remove(&rule->node);
    eswitch->n_rules--;
    /* A group may only go when no walk that begins now finds a way to it. */
    table_remove(&eswitch->table, &rule->table);
    if (rule->jump) {
        table_group_unref(&eswitch->table, rule->jump);
    }
    epoch_retire(&eswitch->epoch, &rule->table.garbage, rule, rule_free);
}

static int
no_such_rule(uint64_t id, struct eswitch_error *error)
{
    return eswitch_complain(error, ENOENT, ESWITCH_AT_RULE, -1,
                            "rule %llu isn't there any more",
                            (unsigned long long) id);
}

int
eswitch_rule_destroy(struct eswitch *eswitch, uint64_t id,
                     struct eswitch_error *error)
{
    struct rule *rule;
    int errnum;

    pthread_mutex_lock(&eswitch->lock);
    errnum = injected(eswitch, ESWITCH_DESTROY, error);
    if (!errnum) {
        rule = find_rule(eswitch, id);
        if (rule) {
            remove_rule(eswitch, rule);
            epoch_collect(&eswitch->epoch);
        } else {
            errnum = no_such_rule(id, error);
        }
    }
    pthread_mutex_unlock(&eswitch->lock);
    return errnum;
}

/* Under the lock. */
static int
query_rule(struct eswitch *eswitch, uint64_t id, bool reset,
           struct eswitch_counters *counters, struct eswitch_error *error)
{
    struct rule *rule = find_rule(eswitch, id);
    struct eswitch_counters live;

    if (!rule) {
        return no_such_rule(id, error);
    } else if (!rule->has_count) {
        return eswitch_complain(error, EINVAL, ESWITCH_AT_RULE, -1,
                                "rule has no count");
    }
    *counters = counters_read(eswitch, &rule->counters, reset, &live);
    return 0;
}

int
eswitch_rule_query(struct eswitch *eswitch, uint64_t id, bool reset,
                   struct eswitch_counters *counters,
                   struct eswitch_error *error)
{
    int errnum;

    memset(counters, 0, sizeof *counters);
    pthread_mutex_lock(&eswitch->lock);
    errnum = injected(eswitch, ESWITCH_QUERY, error);
    if (!errnum) {
        errnum = query_rule(eswitch, id, reset, counters, error);
    }
    pthread_mutex_unlock(&eswitch->lock);
    return errnum;
}

/* The rules of 'port', or all of them if that is negative.  Under the lock. */
static size_t
remove_rules(struct eswitch *eswitch, int port)
{
    struct eswitch_list *node = eswitch->rules.next;
    size_t n = 0;

    while (node != &eswitch->rules) {
        struct rule *rule = ESWITCH_CONTAINER_OF(node, struct rule, node);

        node = node->next;
        if (port < 0 || rule->port == port) {
            remove_rule(eswitch, rule);
            n++;
        }
    }
    epoch_collect(&eswitch->epoch);
    return n;
}

size_t
eswitch_flush(struct eswitch *eswitch, uint16_t port)
{
    size_t n;

    pthread_mutex_lock(&eswitch->lock);
    n = remove_rules(eswitch, port);
    pthread_mutex_unlock(&eswitch->lock);
    return n;
}

void
eswitch_reset(struct eswitch *eswitch)
{
    pthread_mutex_lock(&eswitch->lock);
    remove_rules(eswitch, -1);
    pthread_mutex_unlock(&eswitch->lock);
    if (eswitch->params.reset) {
        eswitch->params.reset(eswitch->params.aux);
    }
}

size_t
eswitch_n_rules(struct eswitch *eswitch)
{
    size_t n;

    pthread_mutex_lock(&eswitch->lock);
    n = eswitch->n_rules;
    pthread_mutex_unlock(&eswitch->lock);
    return n;
}

/* Listing. */

/* Memory of a text, which grows as need be. */
struct text {
    char *s;
    size_t size;
};

/* Room for 'length' characters; without memory, what there is must do. */
static bool
text_grow(struct text *text, size_t length)
{
    char *s;

    if (length < text->size) {
        return false;
    }
    s = realloc(text->s, length + 1);
    if (s) {
        text->s = s;
        text->size = length + 1;
    }
    return s;
}

static const char *
text_of_match(const struct rule *rule, struct match_items *items,
              struct text *text)
{
    match_decompile(&rule->table.tuple->shape, rule->key, items);
    while (text_grow(text, eswitch_text_items(items->items, items->n, text->s,
                                              text->size))) {
        continue;
    }
    return text->s ? text->s : "";
}

static const char *
text_of_actions(const struct rule *rule, struct text *text)
{
    while (text_grow(text, eswitch_text_actions(rule->actions,
                                                rule->n_actions, text->s,
                                                text->size))) {
        continue;
    }
    return text->s ? text->s : "";
}

void
eswitch_list(struct eswitch *eswitch,
             void (*cb)(const struct eswitch_rule_info *, void *aux),
             void *aux)
{
    struct text match = { NULL, 0 }, actions = { NULL, 0 };
    struct match_items *items = malloc(sizeof *items);

    pthread_mutex_lock(&eswitch->lock);
    for (struct eswitch_list *node = eswitch->rules.next;
         items && node != &eswitch->rules; node = node->next) {
        struct rule *rule = ESWITCH_CONTAINER_OF(node, struct rule, node);
        struct eswitch_rule_info info = {
            .id = rule->id,
            .port = rule->port,
            .transfer = rule->transfer,
            .group = rule->table.tuple->group->id,
            .priority = rule->priority,
            .has_count = rule->has_count,
            .match = text_of_match(rule, items, &match),
            .actions = text_of_actions(rule, &actions),
        };

        info.shown = counters_read(eswitch, &rule->counters, false,
                                   &info.live);
        cb(&info, aux);
    }
    pthread_mutex_unlock(&eswitch->lock);
    free(items);
    free(match.s);
    free(actions.s);
}
