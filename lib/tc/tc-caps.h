/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_CAPS_H
#define TC_CAPS_H 1

/* What this kernel's TC can do, learned once by trying it on a device of our
 * own or on the first port (tc_caps_probe()), read by everybody afterwards.
 * Before the probe, every capability is absent.  Tests may set them. */

#include <stdbool.h>
#include <stdint.h>

struct ds;

struct tc_caps {
    bool probed;
    bool blocks;                /* Shared blocks. */
    bool multi_mask;            /* Several masks in one prio. */
    bool terse_dump;
    bool vlan_count;            /* TCA_FLOWER_KEY_NUM_OF_VLANS (5.19). */
    bool enc_flags;             /* TCA_FLOWER_KEY_ENC_FLAGS (6.12). */
    bool tunnel_df;             /* TCA_TUNNEL_KEY_NO_FRAG (6.9). */
    bool police_pps;            /* Meters in packets per second (5.13). */
    bool police_mtu;            /* check_pkt_len. */
    uint8_t ct_state;           /* OVS_CS_F_* bits that can be matched; 0 if
                                 * there is no act_ct. */
};

/* The capabilities.  Read-only for all but tests and the probe. */
extern struct tc_caps tc_caps;

/* Probes on the network device 'ifindex', whose ingress qdisc it creates and
 * deletes again.  Once a process.  Returns 0 or a positive errno. */
int tc_caps_probe(int ifindex);
void tc_caps_format(struct ds *);

/* other_config:tc-policy, as in OVS: "none", "skip_sw", "skip_hw". */
enum tc_offload_mode {
    TC_MODE_BOTH,               /* "none": hardware where possible. */
    TC_MODE_HW_ONLY,            /* "skip_sw". */
    TC_MODE_SW_ONLY,            /* "skip_hw". */
};
extern enum tc_offload_mode tc_offload_mode;     /* Set before the first rule. */

#endif /* tc-caps.h */
