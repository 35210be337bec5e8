/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc/tc-police.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "cmap.h"
#include "hash.h"
#include "id-pool.h"
#include "netlink.h"
#include "offload-refusal.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "tc/tc-caps.h"
#include "tc/tc-netlink.h"
#include "tc/tc-reply.h"
#include "tc/tc-uapi.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tc_police);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

/* A meter. */
struct police {
    struct cmap_node node;      /* In 'meters', by 'meter_id'. */
    uint32_t meter_id;
    uint32_t index;

    /* What its action had counted for an earlier meter. */
    struct police_base {
        uint64_t packets, bytes, drops;
    } base;
};

/* An action that can't be deleted yet. */
struct stuck_police {
    uint32_t index;             /* Reserved. */
    uint32_t meter_id;          /* Whose it was, or METER_UNKNOWN. */
};
#define METER_UNKNOWN UINT32_MAX

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct cmap meters = CMAP_INITIALIZER;   /* Written under 'mutex'. */
static struct id_pool *indexes OVS_GUARDED_BY(mutex);

static struct stuck_police *stuck OVS_GUARDED_BY(mutex);
static size_t n_stuck OVS_GUARDED_BY(mutex);
static size_t allocated_stuck OVS_GUARDED_BY(mutex);

/* Indexes. */

static struct id_pool *
get_indexes(void)
    OVS_REQUIRES(mutex)
{
    if (!indexes) {
        indexes = id_pool_create(TC_POLICE_INDEX_MIN,
                                 TC_POLICE_INDEX_MAX - TC_POLICE_INDEX_MIN
                                 + 1);
    }
    return indexes;
}

static bool
alloc_index(uint32_t *index)
{
    ovs_mutex_lock(&mutex);
    bool ok = id_pool_alloc_id(get_indexes(), index);
    ovs_mutex_unlock(&mutex);
    return ok;
}

static void
free_index(uint32_t index)
{
    ovs_mutex_lock(&mutex);
    id_pool_free_id(get_indexes(), index);
    ovs_mutex_unlock(&mutex);
}

/* Keeps a reserved 'index' for tc_police_retry(). */
static void
remember_stuck(uint32_t index, uint32_t meter_id)
{
    ovs_mutex_lock(&mutex);
    if (n_stuck >= allocated_stuck) {
        stuck = x2nrealloc(stuck, &allocated_stuck, sizeof *stuck);
    }
    stuck[n_stuck++] = (struct stuck_police) {
        .index = index, .meter_id = meter_id,
    };
    ovs_mutex_unlock(&mutex);
}

/* Takes one of the stuck actions.  False if there is none. */
static bool
take_stuck(struct stuck_police *police)
{
    ovs_mutex_lock(&mutex);
    bool ok = n_stuck > 0;
    if (ok) {
        *police = stuck[0];
        memmove(stuck, stuck + 1, --n_stuck * sizeof *stuck);
    }
    ovs_mutex_unlock(&mutex);
    return ok;
}

/* Takes the stuck action that was a meter's last.  False if there is none. */
static bool
take_stuck_of(uint32_t meter_id, uint32_t *index)
{
    bool ok = false;

    ovs_mutex_lock(&mutex);
    for (size_t i = n_stuck; i-- > 0 && !ok;) {
        if (stuck[i].meter_id == meter_id) {
            *index = stuck[i].index;
            stuck[i] = stuck[--n_stuck];
            ok = true;
        }
    }
    ovs_mutex_unlock(&mutex);
    return ok;
}

/* Meters. */

static struct police *
find_meter(uint32_t meter_id)
{
    struct police *police;

    CMAP_FOR_EACH_WITH_HASH (police, node, hash_int(meter_id, 0), &meters) {
        if (police->meter_id == meter_id) {
            return police;
        }
    }
    return NULL;
}

bool
tc_police_lookup(uint32_t meter_id, uint32_t *index)
{
    const struct police *police = find_meter(meter_id);

    if (police) {
        *index = police->index;
    }
    return police != NULL;
}

/* Enters a meter.  False if another thread has done so meanwhile. */
static bool
add_meter(uint32_t meter_id, uint32_t index, const struct police_base *base)
{
    ovs_mutex_lock(&mutex);
    bool ok = !find_meter(meter_id);
    if (ok) {
        struct police *police = xzalloc(sizeof *police);

        police->meter_id = meter_id;
        police->index = index;
        if (base) {
            police->base = *base;
        }
        cmap_insert(&meters, &police->node, hash_int(meter_id, 0));
    }
    ovs_mutex_unlock(&mutex);
    return ok;
}

/* Forgets a meter, so that no new rule refers to it, and stores the index that
 * it had, and its base.  False if there is none. */
static bool
remove_meter(uint32_t meter_id, uint32_t *index, struct police_base *base)
{
    ovs_mutex_lock(&mutex);
    struct police *police = find_meter(meter_id);
    if (police) {
        *index = police->index;
        *base = police->base;
        cmap_remove(&meters, &police->node, hash_int(meter_id, 0));
        ovsrcu_postpone(free, police);
    }
    ovs_mutex_unlock(&mutex);
    return police != NULL;
}

/* What a meter lets pass. */
struct limit {
    uint64_t rate;              /* Bytes or packets a second. */
    uint64_t burst;             /* Bytes or packets. */
    bool packets;
};

/* The kernel's unit of time for bursts (PSCHED_SHIFT): 64 ns. */
#define TICKS_PER_SECOND (1000 * 1000 * 1000 / 64)

/* The time that 'amount' takes at 'rate', in ticks. */
static uint64_t
limit_ticks(uint64_t amount, uint64_t rate)
{
    return amount / rate * TICKS_PER_SECOND
           + amount % rate * TICKS_PER_SECOND / rate;
}

/* Converts a meter's only band into what a police action can do. */
static int
limit_from_config(const struct ofputil_meter_config *config,
                  struct limit *limit, struct offload_refusal *refusal)
{
    const struct ofputil_meter_band *band = config->bands;
    bool kbps = config->flags & OFPMF13_KBPS;
    bool pktps = config->flags & OFPMF13_PKTPS;

    if (config->n_bands != 1 || band->type != OFPMBT13_DROP) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_METER, "bands", NULL,
                              "%d bands, one that drops is possible",
                              config->n_bands);
    }
    if (kbps == pktps || !band->rate) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_METER, "rate", NULL,
                              "rate %"PRIu32", flags 0x%x",
                              band->rate, config->flags);
    }
    if (pktps && tc_caps.probed && !tc_caps.police_pps) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_CAPABILITY,
                              "police in packets per second",
                              "needs Linux 5.13", "rate %"PRIu32, band->rate);
    }

    uint64_t burst = (config->flags & OFPMF13_BURST ? band->burst_size
                      : band->rate);

    limit->packets = pktps;
    limit->rate = pktps ? band->rate : band->rate * UINT64_C(1000) / 8;
    limit->burst = pktps ? burst : burst * 1024 / 8;
    return 0;
}

/* Requests. */

static void
put_packet_limit(struct ofpbuf *msg, const struct limit *limit)
{
    /* The kernel takes no 0. */
    uint64_t burst = MAX(limit_ticks(limit->burst, limit->rate), 1);

    nl_msg_put_u64(msg, TCA_POLICE_PKTRATE64, limit->rate);
    nl_msg_put_u64(msg, TCA_POLICE_PKTBURST64, burst);
}

/* The kernel wants a table of transmission times but, told the link layer,
 * doesn't look into it: it computes them from the rate.  A cell of 2^8 bytes
 * makes the table reach up to 64 KB. */
static void
put_byte_limit(struct ofpbuf *msg, const struct limit *limit,
               struct tc_police *parms)
{
    parms->rate.rate = MIN(limit->rate, UINT32_MAX);
    parms->rate.linklayer = TC_LINKLAYER_ETHERNET;
    parms->rate.cell_log = 8;
    parms->burst = MIN(limit_ticks(limit->burst, limit->rate), UINT32_MAX);
    nl_msg_put_unspec_zero(msg, TCA_POLICE_RATE, TC_RTAB_SIZE);
    if (limit->rate > UINT32_MAX) {
        nl_msg_put_u64(msg, TCA_POLICE_RATE64, limit->rate);
    }
}

/* A filter may refer only to actions that are where it is, in hardware, in
 * software or both (fl_hw_replace_filter() and tcf_action_offload_add() of the
 * kernel). */
static void
put_mode(struct ofpbuf *msg)
{
    struct nla_bitfield32 flags = {
        .value = (tc_offload_mode == TC_MODE_HW_ONLY ? TCA_ACT_FLAGS_SKIP_SW
                  : tc_offload_mode == TC_MODE_SW_ONLY ? TCA_ACT_FLAGS_SKIP_HW
                  : 0),
    };

    if (flags.value) {
        flags.selector = flags.value;
        nl_msg_put_unspec(msg, TCA_ACT_FLAGS, &flags, sizeof flags);
    }
}

/* Appends TCA_ACT_OPTIONS: what is within the limit goes on to the next
 * action, the rest is dropped. */
static void
put_police(struct ofpbuf *msg, uint32_t index, const struct limit *limit)
{
    struct tc_police parms = {
        .index = index, .action = TC_POLICE_SHOT, .mtu = UINT16_MAX,
    };
    size_t options = nl_msg_start_nested(msg, TCA_ACT_OPTIONS);

    if (limit->packets) {
        put_packet_limit(msg, limit);
    } else {
        put_byte_limit(msg, limit, &parms);
    }
    nl_msg_put_unspec(msg, TCA_POLICE_TBF, &parms, sizeof parms);
    nl_msg_put_u32(msg, TCA_POLICE_RESULT, TC_ACT_PIPE);
    nl_msg_end_nested(msg, options);
    put_mode(msg);
}

/* Begins a request about the action 'index', with its TCA_ACT_TAB and its
 * entry in that left open; 'nests' is for request_end(). */
static struct ofpbuf *
request_begin(struct tc_pipeline *p, int type, unsigned int flags,
              struct tc_reply *reply, size_t nests[2])
{
    struct ofpbuf *msg;

    msg = tc_request_begin_header(p, type, flags, sizeof(struct tcamsg),
                                  reply);
    nests[0] = nl_msg_start_nested(msg, TCA_ACT_TAB);
    nests[1] = nl_msg_start_nested(msg, 1);
    nl_msg_put_string(msg, TCA_ACT_KIND, "police");
    return msg;
}

static void
request_end(struct tc_pipeline *p, struct ofpbuf *msg, size_t nests[2])
{
    nl_msg_end_nested(msg, nests[1]);
    nl_msg_end_nested(msg, nests[0]);
    tc_request_end(p);
}

/* Adds the kernel's counters of one police action to ofputil_meter_stats. */
struct reading {
    struct tc_reply reply;
    bool valid;
    struct tc_action_reply action;
};

static void
take_reading(struct tc_reply *reply, const struct ofpbuf *msg)
{
    struct reading *reading = reply->aux;

    reading->valid = tc_action_reply_parse(msg, &reading->action, 1) == 1;
}

static void
request_reading(struct tc_pipeline *p, int type, unsigned int flags,
                uint32_t index, struct reading *reading)
{
    struct ofpbuf *msg;
    size_t nests[2];

    memset(reading, 0, sizeof *reading);
    reading->reply.echo = take_reading;
    reading->reply.aux = reading;
    msg = request_begin(p, type, flags, &reading->reply, nests);
    nl_msg_put_u32(msg, TCA_ACT_INDEX, index);
    request_end(p, msg, nests);
}

static struct police_base
read_base(const struct reading *reading)
{
    const struct offload_counters *c = &reading->action.counters;

    return (struct police_base) {
        .packets = c->hw_packets + c->sw_packets,
        .bytes = c->hw_bytes + c->sw_bytes,
        .drops = reading->action.drops,
    };
}

static uint64_t
grown(uint64_t now, uint64_t base)
{
    return now > base ? now - base : 0;
}

/* 'base' may be NULL if 'stats' is. */
static void
add_stats(const struct reading *reading, const struct police_base *base,
          struct ofputil_meter_stats *stats)
{
    struct police_base now = read_base(reading);

    if (stats && reading->valid) {
        stats->packet_in_count += grown(now.packets, base->packets);
        stats->byte_in_count += grown(now.bytes, base->bytes);
        if (stats->n_bands) {
            stats->bands[0].packet_count += grown(now.drops, base->drops);
        }
    }
}

/* Makes or changes a police action.  Returns 0, or a positive errno with what
 * the kernel said in 'reply'. */
static int
put_action(uint32_t index, const struct limit *limit, bool replace,
           struct tc_reply *reply)
{
    for (int i = 0; i < 3; i++) {
        struct tc_pipeline *p = tc_pipeline_aside();
        struct ofpbuf *msg;
        size_t nests[2];

        *reply = (struct tc_reply) { .error = 0 };
        msg = request_begin(p, RTM_NEWACTION,
                            NLM_F_CREATE | (replace ? NLM_F_REPLACE
                                            : NLM_F_EXCL), reply, nests);
        put_police(msg, index, limit);
        request_end(p, msg, nests);
        tc_pipeline_run(p);
        if (!reply->unknown) {
            break;
        }
        replace = true;         /* It may be there already. */
    }
    return reply->error;
}

/* Deletes the police action of a meter, or sees to it that it is deleted
 * later. */
static int
delete_action(uint32_t index, uint32_t meter_id,
              const struct police_base *base,
              struct ofputil_meter_stats *stats)
{
    struct tc_pipeline *p = tc_pipeline_aside();
    struct reading before, last;

    /* The kernel tells the last counters only if it deletes. */
    request_reading(p, RTM_GETACTION, 0, index, &before);
    request_reading(p, RTM_DELACTION, NLM_F_ECHO, index, &last);
    tc_pipeline_run(p);

    add_stats(last.valid ? &last : &before, base, stats);
    if (!last.reply.error || last.reply.error == ENOENT) {
        free_index(index);
        return 0;
    }
    VLOG_DBG_RL(&rl, "police %#"PRIx32" will be deleted later: %s", index,
                ovs_strerror(last.reply.error));
    remember_stuck(index, meter_id);
    return last.reply.error;
}

static int
refuse_by_kernel(const struct tc_reply *reply, struct offload_refusal *refusal)
{
    int error = offload_refuse(refusal, OFFLOAD_REFUSED_METER, "police", NULL,
                               "%s%s%s", ovs_strerror(reply->error),
                               reply->extack[0] ? ": " : "", reply->extack);

    refusal->error = reply->error;
    return error;
}

/* Finds an index that nobody uses and makes a police action of it. */
static int
make_action(const struct limit *limit, uint32_t *index,
            struct offload_refusal *refusal)
{
    struct tc_reply reply;

    for (;;) {
        if (!alloc_index(index)) {
            return offload_refuse(refusal, OFFLOAD_REFUSED_METER, "police",
                                  NULL, "no index left");
        }
        if (!put_action(*index, limit, false, &reply)) {
            return 0;
        } else if (reply.error != EEXIST) {
            break;
        }
        /* Somebody else's: leave it alone, and its index reserved. */
    }
    if (reply.unknown) {
        delete_action(*index, METER_UNKNOWN, NULL, NULL);
    } else {
        free_index(*index);
    }
    return refuse_by_kernel(&reply, refusal);
}

/* Rules that refer to a meter may outlive it for a while, and then belong to
 * the next one with its number, as they do in the kernel's datapath: so that
 * one gets the old one's action.  False if there is none, or it can't be
 * changed. */
static bool
revive_meter(uint32_t meter_id, const struct limit *limit)
{
    struct tc_pipeline *p = tc_pipeline_aside();
    struct police_base base;
    struct reading reading;
    struct tc_reply reply;
    uint32_t index;

    if (!take_stuck_of(meter_id, &index)) {
        return false;
    }
    request_reading(p, RTM_GETACTION, 0, index, &reading);
    tc_pipeline_run(p);
    base = read_base(&reading);
    if (!reading.valid || put_action(index, limit, true, &reply)
        || !add_meter(meter_id, index, &base)) {
        remember_stuck(index, meter_id);
        return false;
    }
    return true;
}

int
tc_police_set(uint32_t meter_id, const struct ofputil_meter_config *config,
              struct offload_refusal *refusal)
{
    struct offload_refusal ignored;
    struct limit limit;
    uint32_t index;

    refusal = refusal ? refusal : &ignored;
    offload_refusal_init(refusal);
    tc_police_cleanup();
    tc_police_retry();

    int error = limit_from_config(config, &limit, refusal);
    if (error) {
        return error;
    }
    if (tc_police_lookup(meter_id, &index)) {
        struct tc_reply reply;

        return put_action(index, &limit, true, &reply)
               ? refuse_by_kernel(&reply, refusal) : 0;
    }

    if (revive_meter(meter_id, &limit)) {
        return 0;
    }
    error = make_action(&limit, &index, refusal);
    if (!error && !add_meter(meter_id, index, NULL)) {
        delete_action(index, METER_UNKNOWN, NULL, NULL);
        return tc_police_set(meter_id, config, refusal);
    }
    return error;
}

int
tc_police_get(uint32_t meter_id, struct ofputil_meter_stats *stats)
{
    struct tc_pipeline *p = tc_pipeline_aside();
    const struct police *police = find_meter(meter_id);
    struct reading reading;

    if (!police) {
        return ENOENT;
    }
    request_reading(p, RTM_GETACTION, 0, police->index, &reading);
    tc_pipeline_run(p);
    add_stats(&reading, &police->base, stats);
    return reading.reply.error;
}

int
tc_police_del(uint32_t meter_id, struct ofputil_meter_stats *stats)
{
    struct police_base base;
    uint32_t index;

    if (!remove_meter(meter_id, &index, &base)) {
        return ENOENT;
    }
    delete_action(index, meter_id, &base, stats);
    tc_police_retry();
    return 0;
}

void
tc_police_retry(void)
{
    struct stuck_police police;

    /* Each once: delete_action() puts back what is still in use, at the end of
     * the list.  One at a time, so that revive_meter() finds the others. */
    ovs_mutex_lock(&mutex);
    size_t n = n_stuck;
    ovs_mutex_unlock(&mutex);

    while (n-- && take_stuck(&police)) {
        delete_action(police.index, police.meter_id, NULL, NULL);
    }
}

/* What an earlier daemon left. */

#define MAX_LEFTOVERS_AT_ONCE 512

static void
request_police_dump(struct ofpbuf *request)
{
    const struct nla_bitfield32 flags = {
        .value = TCA_FLAG_LARGE_DUMP_ON, .selector = TCA_FLAG_LARGE_DUMP_ON,
    };
    size_t tab, entry;

    nl_msg_put_nlmsghdr(request, sizeof(struct tcamsg), RTM_GETACTION, 0);
    ofpbuf_put_zeros(request, sizeof(struct tcamsg));
    tab = nl_msg_start_nested(request, TCA_ACT_TAB);
    entry = nl_msg_start_nested(request, 1);
    nl_msg_put_string(request, TCA_ACT_KIND, "police");
    nl_msg_end_nested(request, entry);
    nl_msg_end_nested(request, tab);
    nl_msg_put_unspec(request, TCA_ROOT_FLAGS, &flags, sizeof flags);
}

/* Reserves the indexes in one message of the dump, for tc_police_retry(). */
static void
reserve_leftovers(const struct ofpbuf *msg, struct tc_action_reply actions[])
{
    size_t n = tc_action_reply_parse(msg, actions, MAX_LEFTOVERS_AT_ONCE);

    for (size_t i = 0; i < n; i++) {
        if (actions[i].police && tc_police_is_meter_index(actions[i].index)) {
            ovs_mutex_lock(&mutex);
            id_pool_add(get_indexes(), actions[i].index);
            ovs_mutex_unlock(&mutex);
            remember_stuck(actions[i].index, METER_UNKNOWN);
        }
    }
}

static int
find_leftovers(void)
{
    struct tc_action_reply *actions;
    struct ofpbuf request, buf, msg;
    struct tc_dump *dump;
    bool complete;

    ofpbuf_init(&request, 0);
    request_police_dump(&request);
    int error = tc_dump_start(&request, &dump);
    ofpbuf_uninit(&request);
    if (error) {
        return error;
    }

    actions = xmalloc(MAX_LEFTOVERS_AT_ONCE * sizeof *actions);
    ofpbuf_init(&buf, 0);
    while (tc_dump_next(dump, &buf)) {
        while (tc_dump_msg(&buf, &msg)) {
            reserve_leftovers(&msg, actions);
        }
    }
    ofpbuf_uninit(&buf);
    free(actions);
    return tc_dump_done(dump, &complete);
}

void
tc_police_cleanup(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        int error = find_leftovers();

        if (error) {
            VLOG_DBG("police actions can't be listed: %s",
                     ovs_strerror(error));
        }
        tc_police_retry();
        ovsthread_once_done(&once);
    }
}
