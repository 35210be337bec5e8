/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "rte/rte-rules.h"

#include <errno.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_flow.h>

#include "coverage.h"
#include "flow.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(offload_rte_rules);

COVERAGE_DEFINE(rte_rule_added);
COVERAGE_DEFINE(rte_rule_replaced);
COVERAGE_DEFINE(rte_rule_deleted);
COVERAGE_DEFINE(rte_rule_lost);
COVERAGE_DEFINE(rte_rule_failed);
COVERAGE_DEFINE(rte_rule_query);
COVERAGE_DEFINE(rte_rule_undead);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

/* Outer addresses of a tunnel, in the form of IPv6. */
struct outer {
    struct in6_addr src, dst;
    struct in6_addr src_mask, dst_mask;     /* Of a rule that leads there. */
};

struct rte_rule {
    uint32_t generation;
    uint32_t index;             /* In the port's 'slots'. */
    bool used;
    bool partial, counts;
    uint8_t priority;
    uint16_t owner;             /* Device that has it. */
    ovs_u128 ufid;
    struct offload_port *tunnel;    /* Where it leads (an outer rule), or its
                                     * own port (an inner one), or NULL. */
    bool is_outer;
    struct outer *outer;        /* If 'tunnel'. */

    /* Under the device's mutex. */
    struct rte_flow *flow;      /* NULL: the device has lost it. */
    struct offload_counters counters;   /* As last read. */
};

struct device {
    struct ovs_mutex mutex;
    bool up;
    uint32_t generation;

    /* Rules that it wouldn't destroy, and that nobody knows any more: they go
     * on forwarding until it does. */
    struct rte_flow **undead;
    size_t n_undead, allocated_undead;
};

static struct device devices[RTE_MAX_ETHPORTS];

static struct device *
device_get(uint16_t id)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
            ovs_mutex_init(&devices[i].mutex);
        }
        ovsthread_once_done(&once);
    }
    ovs_assert(id < ARRAY_SIZE(devices));
    return &devices[id];
}

/* Slots: never freed, used again.  They don't move. */

#define CHUNK 4096
#define MAX_CHUNKS 4096

/* Protects the slots but for what is under a device's mutex, and the ports'
 * lists.  Taken last. */
static struct ovs_mutex slots_mutex = OVS_MUTEX_INITIALIZER;
static struct rte_rule *chunks[MAX_CHUNKS];
static uint32_t n_slots;        /* Slots 1 to n_slots exist; 0 is none. */
static uint32_t *free_slots;
static size_t n_free, allocated_free;

static struct rte_rule *
slot_get(uint32_t slot)
{
    return &chunks[slot / CHUNK][slot % CHUNK];
}

static void
list_add(uint32_t **list, size_t *n, size_t *allocated, uint32_t slot)
{
    if (*n >= *allocated) {
        *list = x2nrealloc(*list, allocated, sizeof **list);
    }
    (*list)[(*n)++] = slot;
}

static uint32_t
slot_alloc(void)
    OVS_REQUIRES(slots_mutex)
{
    uint32_t slot;

    if (n_free) {
        return free_slots[--n_free];
    }
    slot = n_slots + 1;
    if (slot / CHUNK >= MAX_CHUNKS) {
        return 0;
    }
    if (!chunks[slot / CHUNK]) {
        chunks[slot / CHUNK] = xcalloc(CHUNK, sizeof **chunks);
    }
    n_slots = slot;
    return slot;
}

static struct rte_port_aux *
port_aux(const struct offload_port *port)
{
    return port->aux;
}

static void
outers_remove(struct rte_port_aux *aux, uint32_t slot)
    OVS_REQUIRES(slots_mutex)
{
    for (size_t i = 0; i < aux->n_outers; i++) {
        if (aux->outers[i] == slot) {
            aux->outers[i] = aux->outers[--aux->n_outers];
            return;
        }
    }
}

/* Puts a rule on the lists of its port and of its tunnel. */
static void
slot_link(struct offload_port *port, uint32_t slot)
    OVS_REQUIRES(slots_mutex)
{
    struct rte_port_aux *aux = port_aux(port);
    struct rte_rule *r = slot_get(slot);

    r->index = aux->n_slots;
    list_add(&aux->slots, &aux->n_slots, &aux->allocated_slots, slot);
    if (r->is_outer && r->tunnel->aux) {
        aux = port_aux(r->tunnel);
        list_add(&aux->outers, &aux->n_outers, &aux->allocated_outers, slot);
    }
}

static void
slot_unlink(struct offload_port *port, uint32_t slot)
    OVS_REQUIRES(slots_mutex)
{
    struct rte_port_aux *aux = port_aux(port);
    struct rte_rule *r = slot_get(slot);
    uint32_t last = aux->slots[--aux->n_slots];

    aux->slots[r->index] = last;
    slot_get(last)->index = r->index;
    if (r->is_outer) {
        if (r->tunnel->aux) {
            outers_remove(port_aux(r->tunnel), slot);
        }
        offload_port_unref(r->tunnel);
        r->tunnel = NULL;
        r->is_outer = false;
    }
}

static void
slot_free(uint32_t slot)
    OVS_REQUIRES(slots_mutex)
{
    struct rte_rule *r = slot_get(slot);

    free(r->outer);
    r->outer = NULL;
    r->used = false;
    r->generation++;
    list_add(&free_slots, &n_free, &allocated_free, slot);
}

/* The rule of 'handle', or NULL if it is gone.  Whoever works on a rule has
 * claimed its flow, so that it doesn't go meanwhile; a reader has not, and
 * asks again when it has the device's mutex. */
static struct rte_rule *
rule_find(const union offload_handle *handle)
{
    struct rte_rule *r = NULL;

    ovs_mutex_lock(&slots_mutex);
    if (handle->rte.slot && handle->rte.slot <= n_slots) {
        r = slot_get(handle->rte.slot);
        if (!r->used || r->generation != handle->rte.generation) {
            r = NULL;
        }
    }
    ovs_mutex_unlock(&slots_mutex);
    return r;
}

/* Tunnels. */

static struct in6_addr
mapped(ovs_be32 ip)
{
    struct in6_addr addr;

    in6_addr_set_mapped_ipv4(&addr, ip);
    return addr;
}

static struct in6_addr
mapped_mask(ovs_be32 mask)
{
    struct in6_addr addr = in6addr_any;

    memcpy(&addr.s6_addr[12], &mask, sizeof mask);
    return addr;
}

static void
outer_from_rule(struct rte_rule *r, const struct offload_rule *rule)
{
    const struct flow *key = &rule->match.flow;
    const struct flow *mask = &rule->match.wc.masks;
    const struct flow_tnl *tnl = &rule->packet->tunnel;

    free(r->outer);
    r->outer = NULL;
    r->tunnel = NULL;
    r->is_outer = false;
    if (offload_port_kind_is_tunnel(rule->in_port->kind)) {
        bool v4 = tnl->ip_src || tnl->ip_dst;

        r->tunnel = rule->in_port;
        r->outer = xzalloc(sizeof *r->outer);
        r->outer->src = v4 ? mapped(tnl->ip_src) : tnl->ipv6_src;
        r->outer->dst = v4 ? mapped(tnl->ip_dst) : tnl->ipv6_dst;
    } else if (rule->n_actions
               && rule->actions[0].kind == OFFLOAD_ACT_TUNNEL_POP
               && offload_port_try_ref(rule->actions[0].tunnel_pop.port)) {
        bool v4 = key->dl_type == htons(ETH_TYPE_IP);

        r->tunnel = rule->actions[0].tunnel_pop.port;
        r->is_outer = true;
        r->outer = xzalloc(sizeof *r->outer);
        r->outer->src = v4 ? mapped(key->nw_src) : key->ipv6_src;
        r->outer->dst = v4 ? mapped(key->nw_dst) : key->ipv6_dst;
        r->outer->src_mask = v4 ? mapped_mask(mask->nw_src) : mask->ipv6_src;
        r->outer->dst_mask = v4 ? mapped_mask(mask->nw_dst) : mask->ipv6_dst;
    }
}

static bool
addr_matches(const struct in6_addr *addr, const struct in6_addr *key,
             const struct in6_addr *mask)
{
    for (size_t i = 0; i < sizeof addr->s6_addr; i++) {
        if ((addr->s6_addr[i] ^ key->s6_addr[i]) & mask->s6_addr[i]) {
            return false;
        }
    }
    return true;
}

/* What came through a tunnel's rule came through the one that led there. */
static void
count_outer(const struct rte_rule *inner, uint64_t packets, uint64_t bytes)
{
    const struct rte_port_aux *aux;

    ovs_mutex_lock(&slots_mutex);
    aux = inner->tunnel->aux ? port_aux(inner->tunnel) : NULL;
    for (size_t i = 0; aux && i < aux->n_outers; i++) {
        struct rte_rule *r = slot_get(aux->outers[i]);

        if (addr_matches(&inner->outer->src, &r->outer->src,
                         &r->outer->src_mask)
            && addr_matches(&inner->outer->dst, &r->outer->dst,
                            &r->outer->dst_mask)) {
            /* Outer rules' counters are protected by this mutex. */
            r->counters.hw_packets += packets;
            r->counters.hw_bytes += bytes;
            break;
        }
    }
    ovs_mutex_unlock(&slots_mutex);
}

/* Devices' answers. */

static int
refuse_by_device(int error, const struct rte_flow_error *rfe,
                 struct offload_refusal *refusal)
{
    enum offload_refusal_code code = (error == ENOSPC
                                      ? OFFLOAD_REFUSED_TABLE_FULL
                                      : error == EEXIST
                                      ? OFFLOAD_REFUSED_OVERLAP
                                      : error == ENOTSUP || error == EINVAL
                                      ? OFFLOAD_REFUSED_CAPABILITY
                                      : OFFLOAD_REFUSED_DEVICE);

    COVERAGE_INC(rte_rule_failed);
    offload_refuse(refusal, code, "rte_flow", NULL, "%s",
                   rfe->message ? rfe->message : "the driver doesn't say why");
    refusal->error = error;
    return offload_refusal_errno(refusal);
}

static int
device_create(struct device *device, const struct rte_encoding *enc,
              struct rte_flow **flow, struct offload_refusal *refusal)
    OVS_REQUIRES(device->mutex)
{
    struct rte_flow_error rfe = { .message = NULL };

    if (!device->up) {
        offload_refuse(refusal, OFFLOAD_REFUSED_STOPPED, "rte_flow", NULL,
                       "port %"PRIu16" of DPDK", enc->owner);
        return EAGAIN;
    }
    *flow = rte_flow_create(enc->owner, &enc->attr, enc->items, enc->actions,
                            &rfe);
    return (*flow ? 0 : refuse_by_device(rte_errno ? rte_errno : EIO, &rfe,
                                         refusal));
}

/* Brings r->counters up to date.  Returns 0 or a positive errno. */
static int
device_query(struct device *device OVS_UNUSED, struct rte_rule *r)
    OVS_REQUIRES(device->mutex)
{
    static const struct rte_flow_action count[] = {
        { .type = RTE_FLOW_ACTION_TYPE_COUNT },
        { .type = RTE_FLOW_ACTION_TYPE_END },
    };
    struct rte_flow_query_count query = { .reset = 0 };
    struct rte_flow_error rfe;
    uint64_t packets, bytes;

    if (!r->flow) {
        return ENOENT;
    }
    if (!r->counts) {
        return 0;
    }
    COVERAGE_INC(rte_rule_query);
    if (rte_flow_query(r->owner, r->flow, count, &query, &rfe)) {
        return rte_errno ? rte_errno : EIO;
    }
    packets = query.hits_set ? query.hits : r->counters.hw_packets;
    bytes = query.bytes_set ? query.bytes : r->counters.hw_bytes;
    if (packets > r->counters.hw_packets && bytes >= r->counters.hw_bytes) {
        if (r->tunnel && !r->is_outer) {
            count_outer(r, packets - r->counters.hw_packets,
                        bytes - r->counters.hw_bytes);
        }
        r->counters.hw_packets = packets;
        r->counters.hw_bytes = bytes;
    }
    return 0;
}

/* Destroys a rule.  Returns 0 if it is gone: now, or since before. */
static int
destroy_flow(uint16_t owner, struct rte_flow *flow)
{
    struct rte_flow_error rfe = { .message = NULL };
    int error;

    if (!rte_flow_destroy(owner, flow, &rfe)) {
        return 0;
    }
    error = rte_errno ? rte_errno : EIO;
    if (error == ENOENT || error == ENODEV) {
        return 0;
    }
    VLOG_WARN_RL(&rl, "port %"PRIu16" of DPDK can't destroy a rule: %s (%s); "
                 "it will be asked again", owner, ovs_strerror(error),
                 rfe.message ? rfe.message : "the driver doesn't say why");
    return error;
}

/* Takes the rule out, after a last look at its counters.  Returns false if the
 * device had lost it.  If it can't be destroyed now, it isn't ours any more
 * nevertheless: see rte_devices_tidy(). */
static bool
device_destroy(struct device *device, struct rte_rule *r)
    OVS_REQUIRES(device->mutex)
{
    if (!r->flow) {
        return false;
    }
    device_query(device, r);
    if (destroy_flow(r->owner, r->flow)) {
        COVERAGE_INC(rte_rule_undead);
        if (device->n_undead >= device->allocated_undead) {
            device->undead = x2nrealloc(device->undead,
                                        &device->allocated_undead,
                                        sizeof *device->undead);
        }
        device->undead[device->n_undead++] = r->flow;
    }
    r->flow = NULL;
    return true;
}

/* Asks once more for what the device wouldn't destroy. */
static void
device_tidy(struct device *device, uint16_t id)
    OVS_REQUIRES(device->mutex)
{
    size_t n = 0;

    for (size_t i = 0; i < device->n_undead; i++) {
        if (destroy_flow(id, device->undead[i])) {
            device->undead[n++] = device->undead[i];
        }
    }
    device->n_undead = n;
}

/* Rules. */

static void
read_counters(struct rte_rule *r, struct offload_counters *counters)
{
    ovs_mutex_lock(&slots_mutex);
    *counters = r->counters;
    ovs_mutex_unlock(&slots_mutex);
}

uint32_t
rte_rule_priority(const union offload_handle *handle)
{
    const struct rte_rule *r = rule_find(handle);

    return r ? !r->priority : 0;
}

static void
rule_fill(struct rte_rule *r, const struct offload_rule *rule,
          const struct rte_encoding *enc)
{
    r->ufid = rule->ufid;
    r->owner = enc->owner;
    r->partial = enc->partial;
    r->counts = enc->counts;
    r->priority = enc->attr.priority;
    memset(&r->counters, 0, sizeof r->counters);
    outer_from_rule(r, rule);
}

int
rte_rule_add(struct offload_port *port, const struct offload_rule *rule,
             const struct rte_encoding *enc, union offload_handle *handle,
             struct offload_refusal *refusal)
{
    struct device *device = device_get(enc->owner);
    struct rte_flow *flow;
    struct rte_rule *r;
    uint32_t slot;
    int error;

    ovs_mutex_lock(&device->mutex);
    error = device_create(device, enc, &flow, refusal);
    if (!error) {
        ovs_mutex_lock(&slots_mutex);
        slot = slot_alloc();
        if (slot) {
            r = slot_get(slot);
            rule_fill(r, rule, enc);
            r->flow = flow;
            r->used = true;
            slot_link(port, slot);
            handle->rte.slot = slot;
            handle->rte.generation = r->generation;
        }
        ovs_mutex_unlock(&slots_mutex);
        if (!slot) {
            struct rte_flow_error rfe;

            rte_flow_destroy(enc->owner, flow, &rfe);
            error = offload_refuse(refusal, OFFLOAD_REFUSED_FLOW_LIMIT,
                                   "rte_flow", NULL, "%d rules",
                                   CHUNK * MAX_CHUNKS);
        }
    }
    ovs_mutex_unlock(&device->mutex);
    if (!error) {
        COVERAGE_INC(rte_rule_added);
    }
    return error;
}

/* The new rule goes to another device (a tunnel's rule whose output moved):
 * there is no need to alternate. */
static int
replace_elsewhere(struct offload_port *port, const struct offload_rule *rule,
                  const struct rte_encoding *enc,
                  union offload_handle *handle,
                  struct offload_counters *last,
                  struct offload_refusal *refusal)
{
    union offload_handle new;
    int error;

    memset(&new, 0, sizeof new);
    error = rte_rule_add(port, rule, enc, &new, refusal);
    if (!error) {
        rte_rule_delete(port, handle, last);
        *handle = new;
    }
    return error;
}

int
rte_rule_replace(struct offload_port *port, const struct offload_rule *rule,
                 const struct rte_encoding *enc, union offload_handle *handle,
                 struct offload_counters *last,
                 struct offload_refusal *refusal)
{
    struct rte_rule *r = rule_find(handle);
    struct device *device;
    struct rte_flow *flow;
    int error;

    if (!r || r->owner != enc->owner) {
        return replace_elsewhere(port, rule, enc, handle, last, refusal);
    }
    device = device_get(r->owner);
    ovs_mutex_lock(&device->mutex);
    error = device_create(device, enc, &flow, refusal);
    if (!error) {
        device_destroy(device, r);
        read_counters(r, last);
        ovs_mutex_lock(&slots_mutex);
        slot_unlink(port, handle->rte.slot);
        rule_fill(r, rule, enc);
        r->flow = flow;
        slot_link(port, handle->rte.slot);
        ovs_mutex_unlock(&slots_mutex);
        COVERAGE_INC(rte_rule_replaced);
    }
    ovs_mutex_unlock(&device->mutex);
    return error;
}

bool
rte_rule_delete(struct offload_port *port, union offload_handle *handle,
                struct offload_counters *last)
{
    struct rte_rule *r = rule_find(handle);
    struct device *device;
    bool was_there;

    if (!r) {
        memset(handle, 0, sizeof *handle);
        return false;
    }
    device = device_get(r->owner);
    ovs_mutex_lock(&device->mutex);
    was_there = device_destroy(device, r);
    read_counters(r, last);
    ovs_mutex_lock(&slots_mutex);
    slot_unlink(port, handle->rte.slot);
    slot_free(handle->rte.slot);
    ovs_mutex_unlock(&slots_mutex);
    ovs_mutex_unlock(&device->mutex);

    memset(handle, 0, sizeof *handle);
    if (was_there) {
        COVERAGE_INC(rte_rule_deleted);
    } else {
        COVERAGE_INC(rte_rule_lost);
    }
    return was_there;
}

int
rte_rule_read(const union offload_handle *handle,
              struct offload_counters *counters)
{
    struct rte_rule *r = rule_find(handle);
    struct device *device;
    int error = ENOENT;

    if (!r) {
        return ENOENT;
    }
    device = device_get(r->owner);
    ovs_mutex_lock(&device->mutex);
    if (rule_find(handle) == r && &devices[r->owner] == device) {
        error = device_query(device, r);
        if (!error) {
            read_counters(r, counters);
        }
    }
    ovs_mutex_unlock(&device->mutex);
    return error;
}

/* From the end of the port's list: removal moves the last one to the place of
 * the removed, which has been met already. */
bool
rte_rule_next(struct offload_port *port, uint32_t *pos,
              union offload_handle *handle, ovs_u128 *ufid)
{
    const struct rte_port_aux *aux = port_aux(port);
    bool found = false;

    if (!aux) {
        return false;           /* Closed meanwhile. */
    }
    ovs_mutex_lock(&slots_mutex);
    *pos = MIN(*pos, aux->n_slots);
    if (*pos > 0) {
        uint32_t slot = aux->slots[--*pos];
        const struct rte_rule *r = slot_get(slot);

        memset(handle, 0, sizeof *handle);
        handle->rte.slot = slot;
        handle->rte.generation = r->generation;
        *ufid = r->ufid;
        found = true;
    }
    ovs_mutex_unlock(&slots_mutex);
    return found;
}

void
rte_port_aux_destroy(struct rte_port_aux *aux)
{
    free(aux->slots);
    free(aux->outers);
    free(aux);
}

/* Devices. */

void
rte_device_started(uint16_t id)
{
    struct device *device = device_get(id);

    ovs_mutex_lock(&device->mutex);
    device->up = true;
    ovs_mutex_unlock(&device->mutex);
}

/* Takes all rules of a device away from it, or only from our books. */
static void
device_lose_rules(struct device *device, uint16_t id, bool destroy)
    OVS_REQUIRES(device->mutex)
{
    size_t n = 0;
    uint32_t max;

    ovs_mutex_lock(&slots_mutex);
    max = n_slots;
    ovs_mutex_unlock(&slots_mutex);
    for (uint32_t slot = 1; slot <= max; slot++) {
        struct rte_rule *r = slot_get(slot);

        if (r->used && r->owner == id && r->flow) {
            if (destroy) {
                device_destroy(device, r);
            }
            r->flow = NULL;
            n++;
        }
    }
    if (destroy) {
        device_tidy(device, id);
    }
    device->n_undead = 0;       /* They die with the others. */
    device->generation++;
    if (n) {
        VLOG_INFO("port %"PRIu16" of DPDK: %"PRIuSIZE" rules %s", id, n,
                  destroy ? "taken out before it stops" : "lost");
    }
}

void
rte_device_stopping(uint16_t id)
{
    struct device *device = device_get(id);

    ovs_mutex_lock(&device->mutex);
    if (device->up) {
        device_lose_rules(device, id, true);
        device->up = false;
    }
    ovs_mutex_unlock(&device->mutex);
}

void
rte_device_lost(uint16_t id)
{
    struct device *device = device_get(id);

    ovs_mutex_lock(&device->mutex);
    device_lose_rules(device, id, false);
    device->up = false;
    ovs_mutex_unlock(&device->mutex);
}

void
rte_devices_tidy(void)
{
    for (uint16_t id = 0; id < ARRAY_SIZE(devices); id++) {
        struct device *device = device_get(id);

        ovs_mutex_lock(&device->mutex);
        device_tidy(device, id);
        ovs_mutex_unlock(&device->mutex);
    }
}

bool
rte_device_is_up(uint16_t id, uint32_t *generation)
{
    struct device *device = device_get(id);
    bool up;

    ovs_mutex_lock(&device->mutex);
    up = device->up;
    *generation = device->generation;
    ovs_mutex_unlock(&device->mutex);
    return up;
}
