/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_CAPS_H
#define TC_CAPS_H 1

/* What this kernel's TC can do, learned once by trying it on the first port
 * (tc_caps_probe()), read by everybody afterwards.  Before the probe, every
 * capability is absent.  Tests may set them.
 *
 * Flower ignores attributes that it doesn't know, so a filter that was taken
 * proves nothing: each probe looks for what it asked for in the kernel's echo.
 *
 * The filters of the probes are for software only and on a chain that no
 * packet gets to.  They hang on the device's own qdisc or, if it has none, on
 * one that is deleted afterwards. */

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
    bool tunnel_df;             /* TCA_TUNNEL_KEY_NO_FRAG (6.4). */
    bool police_pps;            /* Meters in packets per second (5.13). */
    bool police_mtu;            /* check_pkt_len. */
    uint8_t ct_state;           /* OVS_CS_F_* bits that can be matched; 0 if
                                 * there is no act_ct. */
};

/* The capabilities.  Read-only for all but tests and the probe. */
extern struct tc_caps tc_caps;

/* Probes on the network device 'ifindex'.  Does nothing once it has succeeded
 * or 'tc_caps.probed' was set.  Returns 0 or a positive errno; the next call
 * then tries again. */
int tc_caps_probe(int ifindex);
void tc_caps_format(struct ds *);

/* other_config:tc-policy, as in OVS: "none", "skip_sw", "skip_hw". */
enum tc_offload_mode {
    TC_MODE_BOTH,               /* "none": hardware where possible. */
    TC_MODE_HW_ONLY,            /* "skip_sw". */
    TC_MODE_SW_ONLY,            /* "skip_hw". */
};
extern enum tc_offload_mode tc_offload_mode; /* Set before the first rule. */

#endif /* tc-caps.h */
