/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

static const struct {
    const char *name;
    int error;
    const char *text;
} refusals[OFFLOAD_N_REFUSALS] = {
    [OFFLOAD_REFUSED_NOT] = { "none", 0, "not refused" },
#define OFFLOAD_REFUSAL(CODE, NAME, ERROR, TEXT) \
    [OFFLOAD_REFUSED_##CODE] = { NAME, ERROR, TEXT },
    OFFLOAD_REFUSALS
#undef OFFLOAD_REFUSAL
};

/* What a person could do, if nothing more particular is known. */
#define HINT_MATCH                                                            \
    "offload/caps PORT lists what can be matched, ofproto/trace the "         \
    "OpenFlow rules that look at this"
#define HINT_ACTION                                                           \
    "offload/caps PORT lists what can be done, ofproto/trace the OpenFlow "   \
    "rules that do this"
#define HINT_PORT "offload/ports says which ports can be offloaded"
#define HINT_REPORT                                                           \
    "this shouldn't be: please report it, with what \"ovs-offload-doctor "    \
    "--report FILE\" writes"

static const char *const hints[OFFLOAD_N_REFUSALS] = {
    [OFFLOAD_REFUSED_FIELD] = HINT_MATCH,
    [OFFLOAD_REFUSED_FIELD_MASK] = HINT_MATCH,
    [OFFLOAD_REFUSED_FIELD_VALUE] = HINT_MATCH,
    [OFFLOAD_REFUSED_ACTION] = HINT_ACTION,
    [OFFLOAD_REFUSED_ACTION_VALUE] = HINT_ACTION,
    [OFFLOAD_REFUSED_ACTION_ORDER] = HINT_ACTION,
    [OFFLOAD_REFUSED_ACTION_MALFORMED] = HINT_REPORT,
    [OFFLOAD_REFUSED_TOO_MANY_ACTIONS] = HINT_ACTION,
    [OFFLOAD_REFUSED_IN_PORT] = HINT_PORT,
    [OFFLOAD_REFUSED_OUT_PORT] = HINT_PORT,
    [OFFLOAD_REFUSED_CHAIN] = "fewer stages of recirculation: ct(), select "
                              "groups with dp_hash and bonds make one each",
    [OFFLOAD_REFUSED_PARENT] = "the stage before it must be offloaded first: "
                               "offload/explain shows it",
    [OFFLOAD_REFUSED_METER] = "a meter can be offloaded if it has one band, "
                              "of type drop, with a rate",
    [OFFLOAD_REFUSED_CT_LIMIT] = "dpctl/ct-del-limits takes the limit away",
    [OFFLOAD_REFUSED_CAPABILITY] = "offload/caps PORT lists what this kernel "
                                   "and device can do; newer ones may do more",
    [OFFLOAD_REFUSED_STOPPED] = "the column \"error\" of \"ovs-vsctl list "
                                "Interface\" says why it isn't",
    [OFFLOAD_REFUSED_PRIO_EXHAUSTED] = "OpenFlow rules with fewer different "
                                       "masks need fewer",
    [OFFLOAD_REFUSED_OVERLAP] = "\"tc filter show dev PORT ingress\" shows "
                                "it, if it is somebody else's",
    [OFFLOAD_REFUSED_TABLE_FULL] = "OpenFlow rules that look at less make "
                                   "fewer flows",
    [OFFLOAD_REFUSED_FLOW_LIMIT] = "raise other_config:offload-max-flows",
    [OFFLOAD_REFUSED_PROBE] = "nothing is wrong: no packet goes through it",
    [OFFLOAD_REFUSED_DRIVER] = "firmware and driver: \"devlink dev info\" and "
                               "\"devlink dev param show\"",
    [OFFLOAD_REFUSED_DEVICE] = "dmesg may say more",
};

/* What makes flows look at, or do, what can't be offloaded, in the words of
 * who configures Open vSwitch, and what to do instead. */
#define HINT_DAEMON_ANSWERS                                                   \
    "nothing is wrong: such packets are for the daemon itself"
#define HINT_L3                                                               \
    "tunnels that carry IP without Ethernet can't be offloaded: "             \
    "options:packet_type=legacy_l2"
#define HINT_NSH "NSH is for software only: steer by VLAN, MPLS or tunnel id"
#define HINT_ND                                                               \
    "OpenFlow rules for neighbour discovery: let them match icmp_type=135 "   \
    "or 136 and nothing further"
#define HINT_HASH                                                             \
    "select groups: selection_method=hash; bonds: bond_mode=balance-slb or "  \
    "active-backup"

static const struct {
    const char *subject;
    const char *hint;
} subject_hints[] = {
    { "userspace(sFlow)", "sFlow: \"ovs-vsctl clear Bridge BRIDGE sflow\"" },
    { "sample(sFlow)", "sFlow samples packets of each flow of the bridge: "
      "\"ovs-vsctl clear Bridge BRIDGE sflow\"" },
    { "userspace(ipfix)", "IPFIX: \"ovs-vsctl clear Bridge BRIDGE ipfix\"" },
    { "sample(ipfix)", "IPFIX samples packets of each flow of the bridge: "
      "\"ovs-vsctl clear Bridge BRIDGE ipfix\"" },
    { "userspace(flow_sample)", "an OpenFlow rule has the action sample()" },
    { "sample(flow_sample)", "an OpenFlow rule has the action sample()" },
    { "userspace(controller)", "an OpenFlow rule sends each packet to the "
      "controller: ofproto/trace shows it" },
    { "userspace(invalid TTL)", "packets end here whose TTL has run out: look "
      "for a loop, or who sends them" },
    { "userspace(CFM)", HINT_DAEMON_ANSWERS },
    { "userspace(BFD)", HINT_DAEMON_ANSWERS },
    { "userspace(LACP)", HINT_DAEMON_ANSWERS },
    { "userspace(STP)", HINT_DAEMON_ANSWERS },
    { "userspace(LLDP)", HINT_DAEMON_ANSWERS },
    { "userspace(action)", "the datapath can't do this at all, e.g. set "
      "fields of ARP or of neighbour discovery: ofproto/trace shows the "
      "OpenFlow rule" },
    { "userspace(match)", "the datapath can't tell these packets from others: "
      "ofproto/trace shows the OpenFlow rules" },
    { "trunc", "mirrors: without snaplen; OpenFlow rules: output without "
      "max_len" },
    { "hash", HINT_HASH },
    { "lb_output", HINT_HASH },
    { "dp_hash", HINT_HASH },
    { "ct(helper)", "an OpenFlow rule has ct(alg=...): no ALG for what should "
      "be offloaded" },
    { "ct(timeout)", "a zone has a Timeout_Policy of its own: \"ovs-vsctl "
      "del-zone-tp system ...\"" },
    { "ct(nat(random))", "nat() without \"random\"" },
    { "ct(nat(hash))", "nat() without \"hash\"" },
    { "ct(nat(persistent))", "nat() without \"persistent\"" },
    { "set(skb_priority)", "an OpenFlow rule chooses a queue (set_queue, "
      "enqueue), which is QoS in software" },
    { "set(skb_mark)", "an OpenFlow rule sets pkt_mark, which exists in "
      "software only" },
    { "skb_mark", "an OpenFlow rule looks at pkt_mark, which exists in "
      "software only" },
    { "skb_priority", "an OpenFlow rule looks at the packet's queue, which "
      "exists in software only" },
    { "push_eth", HINT_L3 },
    { "pop_eth", HINT_L3 },
    { "packet_type", HINT_L3 },
    { "push_nsh", HINT_NSH },
    { "pop_nsh", HINT_NSH },
    { "nsh", HINT_NSH },
    { "add_mpls", "push_mpls can be offloaded, encap(mpls) can't" },
    { "set(tunnel(erspan))", "ERSPAN can't be offloaded: VXLAN, Geneve, GRE" },
    { "set(tunnel(gtpu))", "GTP-U can't be offloaded: VXLAN, Geneve, GRE" },
    { "tunnel(erspan)", "ERSPAN can't be offloaded: VXLAN, Geneve, GRE" },
    { "tunnel(gtpu)", "GTP-U can't be offloaded: VXLAN, Geneve, GRE" },
    { "nd(target)", HINT_ND },
    { "nd(sll)", HINT_ND },
    { "nd(tll)", HINT_ND },
    { "nd_ext(nd_options_type)", HINT_ND },
    { "nd_ext(nd_reserved)", HINT_ND },
    { "eth_type", "frames of 802.2 (STP, IS-IS) are few: nothing is wrong" },
    { "mpls(lse1)", "more than one MPLS label: let OpenFlow rules look at, or "
      "pop, one" },
    { "ct_tuple4", "an OpenFlow rule looks at ct_nw_src, ct_nw_dst ...: match "
      "ct_mark instead" },
    { "ct_tuple6", "an OpenFlow rule looks at ct_ipv6_src ...: match ct_mark "
      "instead" },
};

static const char *
subject_hint(const char *subject)
{
    for (size_t i = 0; subject && i < ARRAY_SIZE(subject_hints); i++) {
        if (!strcmp(subject, subject_hints[i].subject)) {
            return subject_hints[i].hint;
        }
    }
    return NULL;
}

void
offload_refusal_init(struct offload_refusal *refusal)
{
    *refusal = (struct offload_refusal) OFFLOAD_REFUSAL_INITIALIZER;
}

/* Fills in 'refusal', whatever it was before.  A detail that doesn't fit is
 * cut off.  Returns the code's errno, so that the caller can return it. */
int
offload_refuse(struct offload_refusal *refusal, enum offload_refusal_code code,
               const char *subject, const char *hint,
               const char *detail_format, ...)
{
    va_list args;

    ovs_assert(code < OFFLOAD_N_REFUSALS);
    refusal->code = code;
    refusal->error = 0;
    refusal->subject = subject;
    refusal->hint = hint;

    va_start(args, detail_format);
    vsnprintf(refusal->detail, sizeof refusal->detail, detail_format, args);
    va_end(args);
    return offload_refusal_errno(refusal);
}

int
offload_refusal_errno(const struct offload_refusal *refusal)
{
    return refusals[refusal->code].error;
}

const char *
offload_refusal_name(enum offload_refusal_code code)
{
    return refusals[code].name;
}

const char *
offload_refusal_text(enum offload_refusal_code code)
{
    return refusals[code].text;
}

const char *
offload_refusal_hint(const struct offload_refusal *refusal)
{
    const char *hint = refusal->hint;

    if (!hint && refusal->code != OFFLOAD_REFUSED_CAPABILITY
        && refusal->code != OFFLOAD_REFUSED_ACTION_MALFORMED) {
        hint = subject_hint(refusal->subject);
    }
    return hint ? hint : hints[refusal->code];
}

/* Appends one line without a newline: "SUBJECT: TEXT: DETAIL (ERROR); HINT",
 * of which all but the text may be missing. */
void
offload_refusal_format(const struct offload_refusal *refusal, struct ds *s)
{
    if (refusal->subject && refusal->subject[0]) {
        ds_put_format(s, "%s: ", refusal->subject);
    }
    ds_put_cstr(s, offload_refusal_text(refusal->code));
    if (refusal->detail[0]) {
        ds_put_format(s, ": %s", refusal->detail);
    }
    if (refusal->error) {
        ds_put_format(s, " (%s)", ovs_strerror(refusal->error));
    }
    if (refusal->hint) {
        ds_put_format(s, "; %s", refusal->hint);
    }
}
