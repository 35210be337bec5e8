/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc/tc-caps.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/tc_act/tc_ct.h>
#include <linux/tc_act/tc_gact.h>
#include <string.h>

#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "tc/tc-netlink.h"
#include "tc/tc-reply.h"
#include "tc/tc-uapi.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tc_caps);

struct tc_caps tc_caps;
enum tc_offload_mode tc_offload_mode = TC_MODE_BOTH;

/* No packet gets to this chain: nothing jumps to it, and recirculation ids are
 * given out from 1 on. */
#define PROBE_CHAIN 0x0fffff0f
#define PROBE_PARENT TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)

/* Longest path of nested attributes in a message that a probe looks for. */
#define MAX_PATH 6

/* A probe: a filter, and what the kernel's echo of it must contain. */
struct probe {
    const char *name;           /* As in tc_caps_format(). */
    const char *since;
    uint16_t eth_type;

    /* Appends attributes of TCA_OPTIONS, apart from the actions. */
    void (*put_match)(struct ofpbuf *);
    /* Appends attributes of the first action, or NULL for a drop. */
    void (*put_action)(struct ofpbuf *);

    /* Where in the echo it must be, from the message's own attributes on. */
    uint16_t path[MAX_PATH];
    size_t path_len;

    size_t offset;              /* Of the bool in struct tc_caps. */
};

/* One filter on the probe's chain. */
struct attempt {
    struct tc_reply reply;
    const struct probe *probe;
    bool found;                 /* The kernel understood it. */
};

static void
take_echo(struct tc_reply *reply, const struct ofpbuf *msg)
{
    struct attempt *attempt = reply->aux;
    const struct probe *probe = attempt->probe;

    attempt->found = tc_reply_find(msg, sizeof(struct tcmsg), probe->path,
                                   probe->path_len) != NULL;
}

static void
put_none(struct ofpbuf *msg OVS_UNUSED)
{
}

static void
put_vlan_count(struct ofpbuf *msg)
{
    nl_msg_put_u8(msg, TCA_FLOWER_KEY_NUM_OF_VLANS, 1);
}

static void
put_enc_flags(struct ofpbuf *msg)
{
    ovs_be32 csum = htonl(TCA_FLOWER_KEY_FLAGS_TUNNEL_CSUM);

    nl_msg_put_be32(msg, TCA_FLOWER_KEY_ENC_KEY_ID, htonl(1));
    nl_msg_put_be32(msg, TCA_FLOWER_KEY_ENC_FLAGS, csum);
    nl_msg_put_be32(msg, TCA_FLOWER_KEY_ENC_FLAGS_MASK, csum);
}

static void
put_drop(struct ofpbuf *msg)
{
    const struct tc_gact parms = { .action = TC_ACT_SHOT };

    nl_msg_put_string(msg, TCA_ACT_KIND, "gact");
    size_t options = nl_msg_start_nested(msg, TCA_ACT_OPTIONS);
    nl_msg_put_unspec(msg, TCA_GACT_PARMS, &parms, sizeof parms);
    nl_msg_end_nested(msg, options);
}

static void
put_tunnel_df(struct ofpbuf *msg)
{
    const struct tc_tunnel_key parms = {
        .action = TC_ACT_PIPE, .t_action = TCA_TUNNEL_KEY_ACT_SET,
    };

    nl_msg_put_string(msg, TCA_ACT_KIND, "tunnel_key");
    size_t options = nl_msg_start_nested(msg, TCA_ACT_OPTIONS);
    nl_msg_put_unspec(msg, TCA_TUNNEL_KEY_PARMS, &parms, sizeof parms);
    nl_msg_put_be32(msg, TCA_TUNNEL_KEY_ENC_IPV4_SRC, htonl(0x7f000001));
    nl_msg_put_be32(msg, TCA_TUNNEL_KEY_ENC_IPV4_DST, htonl(0x7f000001));
    nl_msg_put_flag(msg, TCA_TUNNEL_KEY_NO_FRAG);
    nl_msg_end_nested(msg, options);
}

static void
put_police_pps(struct ofpbuf *msg)
{
    const struct tc_police parms = { .action = TC_POLICE_SHOT, .mtu = 1500 };

    nl_msg_put_string(msg, TCA_ACT_KIND, "police");
    size_t options = nl_msg_start_nested(msg, TCA_ACT_OPTIONS);
    nl_msg_put_unspec(msg, TCA_POLICE_TBF, &parms, sizeof parms);
    nl_msg_put_u64(msg, TCA_POLICE_PKTRATE64, 1000);
    nl_msg_put_u64(msg, TCA_POLICE_PKTBURST64, 1000);
    nl_msg_end_nested(msg, options);
}

/* A limit of length without one of rate, with a jump for what exceeds it. */
static void
put_police_mtu(struct ofpbuf *msg)
{
    const struct tc_police parms = { .action = TC_ACT_JUMP | 1, .mtu = 1500 };

    nl_msg_put_string(msg, TCA_ACT_KIND, "police");
    size_t options = nl_msg_start_nested(msg, TCA_ACT_OPTIONS);
    nl_msg_put_unspec(msg, TCA_POLICE_TBF, &parms, sizeof parms);
    nl_msg_put_u32(msg, TCA_POLICE_RESULT, TC_ACT_PIPE);
    nl_msg_end_nested(msg, options);
}

static void
put_ct(struct ofpbuf *msg)
{
    const struct tc_ct parms = { .action = TC_ACT_PIPE };

    /* This action is one of those that want the flag. */
    nl_msg_put_string(msg, TCA_ACT_KIND, "ct");
    size_t options = nl_msg_start_nested(msg,
                                         TCA_ACT_OPTIONS | NLA_F_NESTED);
    nl_msg_put_unspec(msg, TCA_CT_PARMS, &parms, sizeof parms);
    nl_msg_end_nested(msg, options);
}

#define IN_OPTIONS(ATTR) { TCA_OPTIONS, ATTR }, .path_len = 2
#define IN_ACTION(ATTR) \
    { TCA_OPTIONS, TCA_FLOWER_ACT, 1, TCA_ACT_OPTIONS, ATTR }, .path_len = 5
#define CAP(MEMBER) offsetof(struct tc_caps, MEMBER)

static const struct probe probes[] = {
    { "match the number of VLAN tags", "5.19", ETH_P_ALL,
      put_vlan_count, NULL,
      IN_OPTIONS(TCA_FLOWER_KEY_NUM_OF_VLANS), CAP(vlan_count) },
    { "match tunnel flags", "6.12", ETH_P_IP,
      put_enc_flags, NULL,
      IN_OPTIONS(TCA_FLOWER_KEY_ENC_FLAGS), CAP(enc_flags) },
    { "set a tunnel's don't-fragment flag", "6.4", ETH_P_IP,
      put_none, put_tunnel_df,
      IN_ACTION(TCA_TUNNEL_KEY_NO_FRAG), CAP(tunnel_df) },
    { "meters in packets per second", "5.13", ETH_P_IP,
      put_none, put_police_pps,
      IN_ACTION(TCA_POLICE_PKTRATE64), CAP(police_pps) },
    { "check_pkt_len by police", "4.20", ETH_P_IP,
      put_none, put_police_mtu,
      IN_ACTION(TCA_POLICE_TBF), CAP(police_mtu) },
};

/* Requests. */

static void
put_tcmsg(struct tc_pipeline *p, int ifindex, uint16_t prio, uint16_t eth_type,
          uint32_t handle)
{
    struct tcmsg *tcm = tc_request_tcmsg(p);

    tcm->tcm_family = AF_UNSPEC;
    tcm->tcm_ifindex = ifindex;
    tcm->tcm_parent = PROBE_PARENT;
    tcm->tcm_handle = handle;
    tcm->tcm_info = TC_H_MAKE((uint32_t) prio << 16, htons(eth_type));
}

static void
put_actions(struct ofpbuf *msg, void (*put_action)(struct ofpbuf *))
{
    size_t actions = nl_msg_start_nested(msg, TCA_FLOWER_ACT);
    size_t entry = nl_msg_start_nested(msg, 1);

    (put_action ? put_action : put_drop)(msg);
    nl_msg_end_nested(msg, entry);
    if (put_action) {
        entry = nl_msg_start_nested(msg, 2);
        put_drop(msg);
        nl_msg_end_nested(msg, entry);
    }
    nl_msg_end_nested(msg, actions);
}

/* Begins a filter with 'prio', its TCA_OPTIONS left open. */
static struct ofpbuf *
filter_begin(struct tc_pipeline *p, int ifindex, uint16_t prio,
             uint16_t eth_type, uint32_t handle, struct tc_reply *reply,
             size_t *options)
{
    struct ofpbuf *msg;

    msg = tc_request_begin(p, RTM_NEWTFILTER,
                           NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO, reply);
    put_tcmsg(p, ifindex, prio, eth_type, handle);
    nl_msg_put_string(msg, TCA_KIND, "flower");
    nl_msg_put_u32(msg, TCA_CHAIN, PROBE_CHAIN);
    *options = nl_msg_start_nested(msg, TCA_OPTIONS);
    nl_msg_put_u32(msg, TCA_FLOWER_FLAGS, TCA_CLS_FLAGS_SKIP_HW);
    if (eth_type != ETH_P_ALL) {
        nl_msg_put_be16(msg, TCA_FLOWER_KEY_ETH_TYPE, htons(eth_type));
    }
    return msg;
}

static void
filter_end(struct tc_pipeline *p, struct ofpbuf *msg, size_t options)
{
    nl_msg_end_nested(msg, options);
    tc_request_end(p);
}

/* Deletes all filters with 'prio'. */
static void
delete_prio(struct tc_pipeline *p, int ifindex, uint16_t prio,
            uint16_t eth_type, struct tc_reply *reply)
{
    struct ofpbuf *msg = tc_request_begin(p, RTM_DELTFILTER, 0, reply);

    put_tcmsg(p, ifindex, prio, eth_type, 0);
    nl_msg_put_string(msg, TCA_KIND, "flower");
    nl_msg_put_u32(msg, TCA_CHAIN, PROBE_CHAIN);
    tc_request_end(p);
}

/* Deletes what a probe that didn't come to its end has left. */
static void
delete_chain(int ifindex)
{
    struct tc_pipeline *p = tc_pipeline_aside();
    struct tc_reply reply = { .error = 0 };
    struct ofpbuf *msg = tc_request_begin(p, RTM_DELTFILTER, 0, &reply);

    put_tcmsg(p, ifindex, 0, 0, 0);
    nl_msg_put_u32(msg, TCA_CHAIN, PROBE_CHAIN);
    tc_request_end(p);
    tc_pipeline_run(p);
}

/* Tries one probe.  Returns 0 with the capability set or not, or a positive
 * errno if that can't be said. */
static int
run_probe(const struct probe *probe, int ifindex, uint16_t prio)
{
    struct tc_pipeline *p = tc_pipeline_aside();
    struct attempt attempt = {
        .reply = { .echo = take_echo, .aux = &attempt }, .probe = probe,
    };
    struct tc_reply deleted = { .error = 0 };
    struct ofpbuf *msg;
    size_t options;

    msg = filter_begin(p, ifindex, prio, probe->eth_type, 1, &attempt.reply,
                       &options);
    probe->put_match(msg);
    put_actions(msg, probe->put_action);
    filter_end(p, msg, options);
    delete_prio(p, ifindex, prio, probe->eth_type, &deleted);
    tc_pipeline_run(p);

    *(bool *) ((char *) &tc_caps + probe->offset) = (!attempt.reply.error
                                                     && attempt.found);
    VLOG_DBG("%s: %s", probe->name, attempt.found ? "yes" : "no");
    return (attempt.reply.unknown || attempt.reply.error == ENODEV
            ? attempt.reply.error : 0);
}

/* Two filters with one prio and different masks. */
static void
probe_multi_mask(int ifindex, uint16_t prio)
{
    struct tc_pipeline *p = tc_pipeline_aside();
    struct tc_reply replies[2] = { { .error = 0 }, { .error = 0 } };
    struct tc_reply deleted = { .error = 0 };

    for (int i = 0; i < 2; i++) {
        struct ofpbuf *msg;
        size_t options;

        msg = filter_begin(p, ifindex, prio, ETH_P_IP, i + 1, &replies[i],
                           &options);
        nl_msg_put_be32(msg, TCA_FLOWER_KEY_IPV4_DST, htonl(0x7f000001));
        nl_msg_put_be32(msg, TCA_FLOWER_KEY_IPV4_DST_MASK,
                        htonl(i ? 0xffff00ff : 0xffffffff));
        put_actions(msg, NULL);
        filter_end(p, msg, options);
    }
    delete_prio(p, ifindex, prio, ETH_P_IP, &deleted);
    tc_pipeline_run(p);
    tc_caps.multi_mask = !replies[0].error && !replies[1].error;
}

/* A kernel that knows shared blocks finds that the one with the largest number
 * isn't there; one that doesn't finds no such device. */
static void
probe_blocks(void)
{
    struct tc_pipeline *p = tc_pipeline_aside();
    struct tc_reply reply = { .error = 0 };
    struct ofpbuf *msg = tc_request_begin(p, RTM_GETTFILTER, 0, &reply);
    struct tcmsg *tcm = tc_request_tcmsg(p);

    tcm->tcm_family = AF_UNSPEC;
    tcm->tcm_ifindex = TCM_IFINDEX_MAGIC_BLOCK;
    tcm->tcm_block_index = UINT32_MAX - 1;
    tcm->tcm_handle = 1;
    tcm->tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_IP));
    nl_msg_put_string(msg, TCA_KIND, "flower");
    tc_request_end(p);
    tc_pipeline_run(p);
    tc_caps.blocks = reply.error == EINVAL;
}

/* Whether a filter with these attributes is taken.  ct_state is checked by the
 * kernel, so that no echo is needed. */
static bool
try_ct(int ifindex, uint16_t prio, uint16_t state,
       void (*put_action)(struct ofpbuf *))
{
    struct tc_pipeline *p = tc_pipeline_aside();
    struct tc_reply reply = { .error = 0 };
    struct tc_reply deleted = { .error = 0 };
    struct ofpbuf *msg;
    size_t options;

    msg = filter_begin(p, ifindex, prio, ETH_P_IP, 1, &reply, &options);
    if (state) {
        nl_msg_put_u16(msg, TCA_FLOWER_KEY_CT_STATE, state);
        nl_msg_put_u16(msg, TCA_FLOWER_KEY_CT_STATE_MASK, state);
    }
    put_actions(msg, put_action);
    filter_end(p, msg, options);
    delete_prio(p, ifindex, prio, ETH_P_IP, &deleted);
    tc_pipeline_run(p);
    return !reply.error;
}

static const struct {
    const char *name;
    uint8_t ovs;                /* OVS_CS_F_*. */
    uint16_t tc;
} ct_states[] = {
    { "trk", OVS_CS_F_TRACKED, TCA_FLOWER_KEY_CT_FLAGS_TRACKED },
    { "new", OVS_CS_F_NEW, TCA_FLOWER_KEY_CT_FLAGS_NEW },
    { "est", OVS_CS_F_ESTABLISHED, TCA_FLOWER_KEY_CT_FLAGS_ESTABLISHED },
    { "rel", OVS_CS_F_RELATED, TCA_FLOWER_KEY_CT_FLAGS_RELATED },
    { "inv", OVS_CS_F_INVALID, TCA_FLOWER_KEY_CT_FLAGS_INVALID },
    { "rpl", OVS_CS_F_REPLY_DIR, TCA_FLOWER_KEY_CT_FLAGS_REPLY },
};

static void
probe_ct(int ifindex, uint16_t prio)
{
    tc_caps.ct_state = 0;
    if (!try_ct(ifindex, prio, 0, put_ct)) {
        return;
    }
    /* The kernel takes the others with "trk" only. */
    for (size_t i = 0; i < ARRAY_SIZE(ct_states); i++) {
        if (try_ct(ifindex, prio,
                   ct_states[i].tc | TCA_FLOWER_KEY_CT_FLAGS_TRACKED, NULL)) {
            tc_caps.ct_state |= ct_states[i].ovs;
        }
    }
}

/* Dumps the probe's filter with 'prio' as tersely as possible. */
static bool
dump_is_terse(int ifindex, uint16_t prio)
{
    static const uint16_t key[] = { TCA_OPTIONS, TCA_FLOWER_KEY_ETH_TYPE };
    static const uint16_t flags[] = { TCA_OPTIONS, TCA_FLOWER_FLAGS };
    const struct nla_bitfield32 terse = {
        .value = TCA_DUMP_FLAGS_TERSE, .selector = TCA_DUMP_FLAGS_TERSE,
    };
    struct ofpbuf request, buf, msg;
    bool seen = false, full = false;
    struct tc_dump *dump;
    struct tcmsg *tcm;
    bool complete;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof *tcm, RTM_GETTFILTER, 0);
    tcm = ofpbuf_put_zeros(&request, sizeof *tcm);
    tcm->tcm_ifindex = ifindex;
    tcm->tcm_parent = PROBE_PARENT;
    tcm->tcm_info = TC_H_MAKE((uint32_t) prio << 16, htons(ETH_P_IP));
    nl_msg_put_u32(&request, TCA_CHAIN, PROBE_CHAIN);
    nl_msg_put_unspec(&request, TCA_DUMP_FLAGS, &terse, sizeof terse);
    int error = tc_dump_start(&request, &dump);
    ofpbuf_uninit(&request);
    if (error) {
        return false;
    }

    ofpbuf_init(&buf, 0);
    while (tc_dump_next(dump, &buf)) {
        while (tc_dump_msg(&buf, &msg)) {
            seen |= tc_reply_find(&msg, sizeof *tcm, flags, 2) != NULL;
            full |= tc_reply_find(&msg, sizeof *tcm, key, 2) != NULL;
        }
    }
    ofpbuf_uninit(&buf);
    return !tc_dump_done(dump, &complete) && complete && seen && !full;
}

static void
probe_terse_dump(int ifindex, uint16_t prio)
{
    struct tc_pipeline *p = tc_pipeline_aside();
    struct tc_reply reply = { .error = 0 };
    struct ofpbuf *msg;
    size_t options;

    msg = filter_begin(p, ifindex, prio, ETH_P_IP, 1, &reply, &options);
    put_actions(msg, NULL);
    filter_end(p, msg, options);
    tc_pipeline_run(p);
    tc_caps.terse_dump = !reply.error && dump_is_terse(ifindex, prio);
    delete_prio(p, ifindex, prio, ETH_P_IP, &reply);
    tc_pipeline_run(p);
}

/* Makes (RTM_NEWQDISC) or deletes (RTM_DELQDISC) a qdisc to hang the filters
 * on. */
static int
change_qdisc(int type, unsigned int flags, int ifindex)
{
    struct tc_pipeline *p = tc_pipeline_aside();
    struct tc_reply reply = { .error = 0 };
    struct ofpbuf *msg = tc_request_begin(p, type, flags, &reply);
    struct tcmsg *tcm = tc_request_tcmsg(p);

    tcm->tcm_family = AF_UNSPEC;
    tcm->tcm_ifindex = ifindex;
    tcm->tcm_parent = TC_H_INGRESS;
    tcm->tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0);
    nl_msg_put_string(msg, TCA_KIND, "ingress");
    tc_request_end(p);
    tc_pipeline_run(p);
    return reply.error;
}

static int
run_probes(int ifindex)
{
    int qdisc = change_qdisc(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex);
    uint16_t prio = 1;
    int error = 0;

    if (qdisc && qdisc != EEXIST) {
        return qdisc;
    }
    delete_chain(ifindex);
    probe_blocks();
    for (size_t i = 0; i < ARRAY_SIZE(probes) && !error; i++) {
        error = run_probe(&probes[i], ifindex, prio++);
    }
    if (!error) {
        probe_multi_mask(ifindex, prio++);
        probe_terse_dump(ifindex, prio++);
        probe_ct(ifindex, prio++);
    }
    if (!qdisc) {
        change_qdisc(RTM_DELQDISC, 0, ifindex);
    }
    return error;
}

int
tc_caps_probe(int ifindex)
{
    static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
    int error = 0;

    /* Held over system calls, for once: whoever comes second has to wait for
     * the result anyway. */
    ovs_mutex_lock(&mutex);
    if (!tc_caps.probed) {
        error = run_probes(ifindex);
        tc_caps.probed = !error;
        if (error) {
            VLOG_DBG("probing failed: %s", ovs_strerror(error));
        }
    }
    ovs_mutex_unlock(&mutex);
    return error;
}

static void
format_bool(struct ds *ds, const char *name, const char *since, bool value)
{
    ds_put_format(ds, "%s: %s", name, value ? "yes" : "no");
    if (!value && tc_caps.probed) {
        ds_put_format(ds, " (needs Linux %s)", since);
    }
    ds_put_char(ds, '\n');
}

void
tc_caps_format(struct ds *ds)
{
    if (!tc_caps.probed) {
        ds_put_cstr(ds, "not probed yet: no port\n");
    }
    format_bool(ds, "shared blocks", "4.16", tc_caps.blocks);
    format_bool(ds, "several masks in one prio", "4.20", tc_caps.multi_mask);
    format_bool(ds, "terse dump", "5.8", tc_caps.terse_dump);
    for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
        const struct probe *probe = &probes[i];

        format_bool(ds, probe->name, probe->since,
                    *(bool *) ((char *) &tc_caps + probe->offset));
    }
    ds_put_cstr(ds, "match conntrack state:");
    for (size_t i = 0; i < ARRAY_SIZE(ct_states); i++) {
        if (tc_caps.ct_state & ct_states[i].ovs) {
            ds_put_format(ds, " %s", ct_states[i].name);
        }
    }
    ds_put_cstr(ds, tc_caps.ct_state ? "\n" : " no (needs act_ct)\n");
}
