/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_UAPI_H
#define TC_UAPI_H 1

/* Numbers of the kernel's interface that the headers we build with (Linux
 * 6.1, Debian 12) don't have yet.
 *
 * The kernel's headers have them as enumerators, which a macro hides without
 * harm where they are, as long as the header is read before: hence the
 * #includes. */

#include <linux/gen_stats.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_tunnel_key.h>

/* linux/pkt_cls.h, after TCA_FLOWER_KEY_L2TPV3_SID: TCA_FLOWER_L2_MISS and
 * TCA_FLOWER_KEY_CFM (6.5), _KEY_SPI and _KEY_SPI_MASK (6.6), then these two
 * (6.12), ovs_be32, of the flags below. */
#define TCA_FLOWER_KEY_ENC_FLAGS (TCA_FLOWER_KEY_L2TPV3_SID + 5)
#define TCA_FLOWER_KEY_ENC_FLAGS_MASK (TCA_FLOWER_KEY_L2TPV3_SID + 6)

/* For both of them. */
#define TCA_FLOWER_KEY_FLAGS_TUNNEL_CSUM (1 << 2)
#define TCA_FLOWER_KEY_FLAGS_TUNNEL_DONT_FRAGMENT (1 << 3)
#define TCA_FLOWER_KEY_FLAGS_TUNNEL_OAM (1 << 4)
#define TCA_FLOWER_KEY_FLAGS_TUNNEL_CRIT_OPT (1 << 5)

/* linux/tc_act/tc_tunnel_key.h: a flag (6.4). */
#define TCA_TUNNEL_KEY_NO_FRAG (TCA_TUNNEL_KEY_ENC_TTL + 1)

#endif /* tc-uapi.h */
