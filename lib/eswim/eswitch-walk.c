/* SPDX-License-Identifier: Apache-2.0 */

/* Packets: the walk through the rules, and what comes of it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "eswim/eswitch-action.h"
#include "eswim/eswitch-names.h"
#include "eswim/eswitch-private.h"

/* How often a walk is repeated while rules are being removed. */
#define MAX_WALKS 100

/* Readers. */

struct eswitch_reader *
eswitch_reader_create(struct eswitch *eswitch, const struct eswitch_sink *sink)
{
    struct eswitch_reader *reader = malloc(sizeof *reader);
    struct port_counters *counters = calloc(eswitch->n_ports,
                                            sizeof *counters);

    if (!reader || !counters) {
        free(reader);
        free(counters);
        return NULL;
    }
    reader->eswitch = eswitch;
    reader->sink = *sink;
    reader->counters = counters;
    pthread_mutex_lock(&eswitch->lock);
    epoch_add_reader(&eswitch->epoch, &reader->epoch);
    pthread_mutex_unlock(&eswitch->lock);
    return reader;
}

static void
add_counters(struct port_counters *sum, const struct port_counters *counters)
{
    for (size_t i = 0; i < N_PORT_COUNTERS; i++) {
        uint64_t n = atomic_load_explicit(&counters->n[i],
                                          memory_order_relaxed);

        atomic_fetch_add_explicit(&sum->n[i], n, memory_order_relaxed);
    }
}

void
eswitch_reader_destroy(struct eswitch_reader *reader)
{
    struct eswitch *eswitch;

    if (!reader) {
        return;
    }
    eswitch = reader->eswitch;
    pthread_mutex_lock(&eswitch->lock);
    epoch_remove_reader(&reader->epoch);
    for (size_t port = 0; port < eswitch->n_ports; port++) {
        add_counters(&eswitch->gone[port], &reader->counters[port]);
    }
    pthread_mutex_unlock(&eswitch->lock);
    free(reader->counters);
    free(reader);
}

/* Only the reader's thread writes: no atomic addition is needed. */
static void
count(struct eswitch_reader *reader, uint16_t port, enum port_counter counter,
      uint64_t n)
{
    _Atomic uint64_t *p = &reader->counters[port].n[counter];

    atomic_store_explicit(p, atomic_load_explicit(p, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static void
count_packet(struct eswitch_reader *reader, uint16_t port,
             enum port_counter packets, size_t bytes)
{
    count(reader, port, packets, 1);
    count(reader, port, packets + 1, bytes);
}

int
eswitch_port_stats(struct eswitch *eswitch, uint16_t port,
                   struct eswitch_port_stats *stats)
{
    struct port_counters sum;

    if (port >= eswitch->n_ports) {
        return EINVAL;
    }
    memset(&sum, 0, sizeof sum);
    pthread_mutex_lock(&eswitch->lock);
    add_counters(&sum, &eswitch->gone[port]);
    for (struct eswitch_list *node = eswitch->epoch.readers.next;
         node != &eswitch->epoch.readers; node = node->next) {
        struct epoch_reader *epoch = ESWITCH_CONTAINER_OF(
            node, struct epoch_reader, node);
        struct eswitch_reader *reader = ESWITCH_CONTAINER_OF(
            epoch, struct eswitch_reader, epoch);

        add_counters(&sum, &reader->counters[port]);
    }
    pthread_mutex_unlock(&eswitch->lock);

#define PAIR(ID) { sum.n[PORT_##ID], sum.n[PORT_##ID##_BYTES] }
    *stats = (struct eswitch_port_stats) {
        .end_rx = PAIR(END_RX), .end_tx = PAIR(END_TX),
        .missed = PAIR(MISSED), .up = PAIR(UP), .down = PAIR(DOWN),
        .ruled_out = sum.n[PORT_RULED_OUT],
        .end_dropped = sum.n[PORT_END_DROPPED],
        .up_dropped = sum.n[PORT_UP_DROPPED],
        .errors = sum.n[PORT_ERRORS],
    };
#undef PAIR
    return 0;
}

/* Leaving. */

static void
to_end(struct eswitch_reader *reader, uint16_t port,
       const struct packet *packet)
{
    if (reader->sink.end(reader->sink.aux, port, packet->data,
                         packet->size)) {
        count_packet(reader, port, PORT_END_TX, packet->size);
    } else {
        count(reader, port, PORT_END_DROPPED, 1);
    }
}

static void
to_software(struct eswitch_reader *reader, uint16_t port,
            const struct packet *packet, struct eswitch_metadata *metadata)
{
    metadata->has_mark = packet->has_mark;
    metadata->mark = packet->mark;
    metadata->hash = packet_hash(packet);
    if (reader->sink.software(reader->sink.aux, port, metadata, packet->data,
                              packet->size)) {
        count_packet(reader, port, PORT_UP, packet->size);
    } else {
        count(reader, port, PORT_UP_DROPPED, 1);
    }
}

/* Walking. */

static bool do_actions(struct eswitch_reader *, struct packet *,
                       const struct eswitch_action[], size_t n, struct rule *,
                       const struct eswitch_action **fate);

static bool
do_sample(struct eswitch_reader *reader, const struct packet *packet,
          const struct eswitch_action *action)
{
    struct walk *walk = &reader->walk;
    struct copy *copy;

    if (walk->n_copies >= ESWITCH_MAX_COPIES) {
        return false;
    }
    copy = &reader->copies[walk->n_copies++];
    packet_copy(&copy->packet, packet);
    return do_actions(reader, &copy->packet, action->sample.actions,
                      action->sample.n_actions, NULL, &copy->fate);
}

/* Does the actions of a rule.  False if the packet misses. */
static bool
do_actions(struct eswitch_reader *reader, struct packet *packet,
           const struct eswitch_action actions[], size_t n, struct rule *rule,
           const struct eswitch_action **fate)
{
    for (size_t i = 0; i < n; i++) {
        const struct eswitch_action *action = &actions[i];

        if (eswitch_actions[action->type].fate) {
            *fate = action;
            return true;
        } else if (action->type == ESWITCH_ACTION_COUNT) {
            struct walk *walk = &reader->walk;

            walk->counts[walk->n_counts++] = (struct pending_count) {
                rule, packet->size
            };
        } else if (action->type == ESWITCH_ACTION_SAMPLE) {
            if (!do_sample(reader, packet, action)) {
                return false;
            }
        } else if (!eswitch_action_do(action, packet)) {
            return false;
        }
    }
    return false;
}

/* Walks from 'group' on.  Returns the fate, or null for a miss.
 *
 * A walk may come to where the new rule will be before that is there, and to
 * where the old one was when that is gone.  So a miss only counts if no rule
 * was removed meanwhile, see removals(). */
static const struct eswitch_action *
walk_groups(struct eswitch_reader *reader, struct table_group *group,
            struct packet *packet)
{
    const struct eswitch_action *fate;

    reader->walk.n_counts = reader->walk.n_copies = 0;
    for (int i = 0; i <= ESWITCH_MAX_JUMPS; i++) {
        struct table_rule *found = table_lookup(group, packet);
        struct rule *rule;

        if (!found) {
            return NULL;
        }
        rule = ESWITCH_CONTAINER_OF(found, struct rule, table);
        if (!do_actions(reader, packet, rule->actions, rule->n_actions, rule,
                        &fate)) {
            return NULL;
        } else if (fate->type != ESWITCH_ACTION_JUMP) {
            return fate;
        }
        group = rule->jump;
    }
    return NULL;
}

static uint64_t
removals(struct eswitch_reader *reader)
{
    return atomic_load(&reader->eswitch->table.removals);
}

static void
commit_counts(struct eswitch_reader *reader)
{
    const struct walk *walk = &reader->walk;
    uint64_t tick;

    if (!walk->n_counts) {
        return;
    }
    tick = eswitch_tick(reader->eswitch);
    for (size_t i = 0; i < walk->n_counts; i++) {
        rule_count(walk->counts[i].rule, tick, walk->counts[i].bytes);
    }
}

/* A frame that doesn't begin with Ethernet can't leave. */
static bool
is_frame(const struct packet *packet)
{
    return packet->first == ESWITCH_ITEM_ETH && packet->n_layers;
}

/* Can the walk, which has come to 'fate', be committed? */
static bool
can_commit(const struct eswitch_reader *reader,
           const struct eswitch_action *fate)
{
    const struct walk *walk = &reader->walk;

    for (size_t i = 0; i < walk->n_copies; i++) {
        const struct copy *copy = &reader->copies[i];

        if (copy->fate->type != ESWITCH_ACTION_DROP
            && !is_frame(&copy->packet)) {
            return false;
        }
    }
    return fate->type == ESWITCH_ACTION_DROP || is_frame(&reader->packet);
}

/* The queue that 'fate' says, of an ingress rule. */
static void
choose_queue(const struct eswitch_action *fate, const struct packet *packet,
             struct eswitch_metadata *metadata)
{
    if (fate->type == ESWITCH_ACTION_QUEUE) {
        metadata->has_queue = true;
        metadata->queue = fate->queue;
    } else if (fate->type == ESWITCH_ACTION_RSS && fate->rss.n_queues) {
        metadata->has_queue = true;
        metadata->queue = fate->rss.queues[packet_hash(packet)
                                           % fate->rss.n_queues];
    }
}

/* Ingress rules mark the packet, but don't change its bytes. */
static const struct eswitch_action *
walk_ingress(struct eswitch_reader *reader, uint16_t port,
             struct packet *packet)
{
    uint32_t mark = packet->mark;
    bool has_mark = packet->has_mark;

    for (int i = 0; i < MAX_WALKS; i++) {
        uint64_t before = removals(reader);
        const struct eswitch_action *fate = walk_groups(
            reader, reader->eswitch->ingress[port], packet);

        if (fate) {
            return fate;
        }
        packet->mark = mark;
        packet->has_mark = has_mark;
        if (removals(reader) == before) {
            break;
        }
    }
    return NULL;
}

/* Up through the representor of 'port', and through its ingress rules. */
static void
go_up(struct eswitch_reader *reader, uint16_t port, struct packet *packet,
      bool miss)
{
    struct eswitch_metadata metadata = { .miss = miss };
    const struct eswitch_action *fate = walk_ingress(reader, port, packet);

    if (fate) {
        commit_counts(reader);
        if (fate->type == ESWITCH_ACTION_DROP) {
            count(reader, port, PORT_RULED_OUT, 1);
            return;
        }
        choose_queue(fate, packet, &metadata);
    }
    to_software(reader, port, packet, &metadata);
}

static void
meet_fate(struct eswitch_reader *reader, uint16_t in_port,
          const struct eswitch_action *fate, struct packet *packet)
{
    if (fate->type == ESWITCH_ACTION_OUTPUT) {
        to_end(reader, fate->port, packet);
    } else if (fate->type == ESWITCH_ACTION_SOFTWARE) {
        go_up(reader, fate->port, packet, false);
    } else {
        count(reader, in_port, PORT_RULED_OUT, 1);
    }
}

/* The walk of what comes up begins anew, hence the copies' number. */
static void
commit(struct eswitch_reader *reader, const struct eswitch_action *fate)
{
    size_t n_copies = reader->walk.n_copies;
    uint16_t in_port = reader->packet.in_port;

    commit_counts(reader);
    for (size_t i = 0; i < n_copies; i++) {
        struct copy *copy = &reader->copies[i];

        if (copy->fate->type != ESWITCH_ACTION_DROP) {
            meet_fate(reader, in_port, copy->fate, &copy->packet);
        }
    }
    meet_fate(reader, in_port, fate, &reader->packet);
}

/* True if the packet met its fate. */
static bool
walk(struct eswitch_reader *reader, uint16_t port, const void *frame,
     size_t size)
{
    for (int i = 0; i < MAX_WALKS; i++) {
        uint64_t before = removals(reader);
        const struct eswitch_action *fate;

        packet_init(&reader->packet, &reader->eswitch->tunnel_ports, port,
                    frame, size);
        fate = walk_groups(reader, reader->eswitch->root, &reader->packet);
        if (fate && can_commit(reader, fate)) {
            commit(reader, fate);
            return true;
        } else if (removals(reader) == before) {
            break;
        }
    }
    return false;
}

static void
miss(struct eswitch_reader *reader, uint16_t port, const void *frame,
     size_t size)
{
    struct packet *packet = &reader->packet;

    packet_init(packet, &reader->eswitch->tunnel_ports, port, frame, size);
    count_packet(reader, port, PORT_MISSED, size);
    go_up(reader, port, packet, true);
}

void
eswitch_rx(struct eswitch_reader *reader, uint16_t port, const void *frame,
           size_t size)
{
    struct eswitch *eswitch = reader->eswitch;

    if (port >= eswitch->n_ports) {
        return;
    }
    count_packet(reader, port, PORT_END_RX, size);
    if (size < 14 || size > ESWITCH_MAX_FRAME) {
        count(reader, port, PORT_ERRORS, 1);
        return;
    }
    epoch_enter(&eswitch->epoch, &reader->epoch);
    if (!walk(reader, port, frame, size)) {
        miss(reader, port, frame, size);
    }
    epoch_exit(&reader->epoch);
}

void
eswitch_tx(struct eswitch_reader *reader, uint16_t port, const void *frame,
           size_t size)
{
    if (port >= reader->eswitch->n_ports) {
        return;
    }
    count_packet(reader, port, PORT_DOWN, size);
    if (size < 14 || size > ESWITCH_MAX_FRAME) {
        count(reader, port, PORT_END_DROPPED, 1);
    } else if (reader->sink.end(reader->sink.aux, port, frame, size)) {
        count_packet(reader, port, PORT_END_TX, size);
    } else {
        count(reader, port, PORT_END_DROPPED, 1);
    }
}

uint64_t
eswitch_ruled_since(struct eswitch_reader *reader, uint16_t port,
                    const void *frame, size_t size)
{
    struct eswitch *eswitch = reader->eswitch;
    const struct table_rule *found;
    uint64_t since = 0;

    if (port >= eswitch->n_ports || size < 14 || size > ESWITCH_MAX_FRAME) {
        return 0;
    }
    epoch_enter(&eswitch->epoch, &reader->epoch);
    packet_init(&reader->packet, &eswitch->tunnel_ports, port, frame, size);
    found = table_lookup(eswitch->root, &reader->packet);
    if (found) {
        since = ESWITCH_CONTAINER_OF(found, struct rule, table)->since;
    }
    epoch_exit(&reader->epoch);
    return since;
}
