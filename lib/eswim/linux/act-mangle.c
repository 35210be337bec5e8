// SPDX-License-Identifier: GPL-2.0
/*
 * Header rewriting (pedit) and checksums (csum).
 *
 * Software recomputes checksums where the rule has a csum action; hardware
 * updates them by what has changed (RFC 1624), which gives the same, and is
 * right for fragments too.  What a rule's csum actions cover is known when its
 * rewriting is parsed, so csum itself leaves nothing to do for packets.
 */

#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/seq_file.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "walk.h"

/* Where the headers are, from the MAC header on; 0 if there is none. */
struct eswim_headers {
	__be16 l3_proto;
	u8 l4_proto;
	unsigned int l3;
	unsigned int l4;
};

static void eswim_find_l4_ipv4(struct sk_buff *skb, struct eswim_headers *h)
{
	struct iphdr buf, *ip;

	ip = skb_header_pointer(skb, h->l3, sizeof(buf), &buf);
	if (!ip || ip->ihl < 5 || ip->frag_off & htons(IP_OFFSET))
		return;
	h->l4 = h->l3 + 4 * ip->ihl;
	h->l4_proto = ip->protocol;
}

static void eswim_find_l4_ipv6(struct sk_buff *skb, struct eswim_headers *h)
{
	struct ipv6hdr buf, *ip6;
	__be16 frag = 0;
	int l4;

	ip6 = skb_header_pointer(skb, h->l3, sizeof(buf), &buf);
	if (!ip6)
		return;
	h->l4_proto = ip6->nexthdr;
	l4 = ipv6_skip_exthdr(skb, h->l3 + sizeof(buf), &h->l4_proto, &frag);
	if (l4 > 0 && !(frag & htons(IP6_OFFSET)))
		h->l4 = l4;
}

static void eswim_find_headers(struct sk_buff *skb, struct eswim_headers *h)
{
	struct vlan_hdr buf, *vlan;

	memset(h, 0, sizeof(*h));
	h->l3 = ETH_HLEN;
	h->l3_proto = skb->protocol;
	while (eth_type_vlan(h->l3_proto)) {
		vlan = skb_header_pointer(skb, h->l3, sizeof(buf), &buf);
		if (!vlan)
			return;
		h->l3_proto = vlan->h_vlan_encapsulated_proto;
		h->l3 += VLAN_HLEN;
	}
	if (h->l3_proto == htons(ETH_P_IP))
		eswim_find_l4_ipv4(skb, h);
	else if (h->l3_proto == htons(ETH_P_IPV6))
		eswim_find_l4_ipv6(skb, h);
}

/* Offset of the header that @act rewrites; -1 if the packet, of @len bytes, has
 * none, or not all of it.
 */
static int eswim_mangle_base(const struct eswim_act *act,
			     const struct eswim_headers *h, unsigned int len)
{
	switch (act->mangle.base) {
	case FLOW_ACT_MANGLE_HDR_TYPE_ETH:
		return 0;
	case FLOW_ACT_MANGLE_HDR_TYPE_IP4:
		return h->l3_proto == htons(ETH_P_IP) &&
		       len >= h->l3 + sizeof(struct iphdr) ? h->l3 : -1;
	case FLOW_ACT_MANGLE_HDR_TYPE_IP6:
		return h->l3_proto == htons(ETH_P_IPV6) &&
		       len >= h->l3 + sizeof(struct ipv6hdr) ? h->l3 : -1;
	case FLOW_ACT_MANGLE_HDR_TYPE_TCP:
		return h->l4 && h->l4_proto == IPPROTO_TCP ? h->l4 : -1;
	case FLOW_ACT_MANGLE_HDR_TYPE_UDP:
		return h->l4 && h->l4_proto == IPPROTO_UDP ? h->l4 : -1;
	default:
		return -1;
	}
}

/* --- checksums ------------------------------------------------------------ */

/* Where L4 protocols have their checksum and which flag of TC covers it. */
static const struct eswim_l4_csum {
	u8 proto;
	u8 offset;
	u8 csum;
	bool has_pseudo[2];	/* A pseudo header, in IPv4 and in IPv6? */
} eswim_l4_csums[] = {
	{ IPPROTO_TCP, offsetof(struct tcphdr, check),
	  TCA_CSUM_UPDATE_FLAG_TCP, { true, true } },
	{ IPPROTO_UDP, offsetof(struct udphdr, check),
	  TCA_CSUM_UPDATE_FLAG_UDP, { true, true } },
	{ IPPROTO_ICMPV6, 2, TCA_CSUM_UPDATE_FLAG_ICMP, { false, true } },
};

static const struct eswim_l4_csum *eswim_find_csum(u8 proto)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(eswim_l4_csums); i++) {
		if (eswim_l4_csums[i].proto == proto)
			return &eswim_l4_csums[i];
	}
	return NULL;
}

/* Does a pseudo header have the word of the IP header that @act rewrites? */
static bool eswim_in_pseudo_header(const struct eswim_act *act)
{
	switch (act->mangle.base) {
	case FLOW_ACT_MANGLE_HDR_TYPE_IP4:
		return act->mangle.offset >= offsetof(struct iphdr, saddr);
	case FLOW_ACT_MANGLE_HDR_TYPE_IP6:
		return act->mangle.offset >= offsetof(struct ipv6hdr, saddr);
	default:
		return false;
	}
}

static void eswim_update_l4_csum(struct sk_buff *skb,
				 const struct eswim_act *act,
				 const struct eswim_headers *h,
				 __be32 from, __be32 to)
{
	bool is_ip6 = h->l3_proto == htons(ETH_P_IPV6);
	const struct eswim_l4_csum *csum;
	__sum16 *sum;

	csum = h->l4 ? eswim_find_csum(h->l4_proto) : NULL;
	if (!csum || !(act->mangle.csums & csum->csum))
		return;
	if (eswim_in_pseudo_header(act) && !csum->has_pseudo[is_ip6])
		return;
	if (h->l4 + csum->offset + sizeof(*sum) > skb_headlen(skb))
		return;
	sum = (__sum16 *)(skb->data + h->l4 + csum->offset);
	if (h->l4_proto == IPPROTO_UDP && !*sum)
		return;
	csum_replace4(sum, from, to);
	if (h->l4_proto == IPPROTO_UDP && !*sum)
		*sum = CSUM_MANGLED_0;
}

static void eswim_update_csums(struct sk_buff *skb,
			       const struct eswim_act *act,
			       const struct eswim_headers *h,
			       __be32 from, __be32 to)
{
	switch (act->mangle.base) {
	case FLOW_ACT_MANGLE_HDR_TYPE_IP4:
		if (act->mangle.csums & TCA_CSUM_UPDATE_FLAG_IPV4HDR)
			csum_replace4(&((struct iphdr *)(skb->data +
							 h->l3))->check,
				      from, to);
		fallthrough;
	case FLOW_ACT_MANGLE_HDR_TYPE_IP6:
		if (eswim_in_pseudo_header(act))
			eswim_update_l4_csum(skb, act, h, from, to);
		break;
	case FLOW_ACT_MANGLE_HDR_TYPE_TCP:
	case FLOW_ACT_MANGLE_HDR_TYPE_UDP:
		eswim_update_l4_csum(skb, act, h, from, to);
		break;
	}
}

/* --- mangle, add ---------------------------------------------------------- */

#define ESWIM_MANGLE_MAX_OFFSET	64

static bool eswim_mangles_csum(const struct flow_action_entry *entry)
{
	u32 offset = entry->mangle.offset, changed = ~entry->mangle.mask;

	switch (entry->mangle.htype) {
	case FLOW_ACT_MANGLE_HDR_TYPE_IP4:
		return offset == 8 && changed & (__force u32)htonl(0xffff);
	case FLOW_ACT_MANGLE_HDR_TYPE_TCP:
		return offset == 16 &&
		       changed & (__force u32)htonl(0xffff0000);
	case FLOW_ACT_MANGLE_HDR_TYPE_UDP:
		return offset == 4 && changed & (__force u32)htonl(0xffff);
	default:
		return false;
	}
}

/* Fields that say where other headers are, which protocol they are of, and how
 * long the packet is, can't be rewritten.
 */
static bool eswim_mangles_structure(const struct flow_action_entry *entry)
{
	u32 offset = entry->mangle.offset, changed = ~entry->mangle.mask;

	switch (entry->mangle.htype) {
	case FLOW_ACT_MANGLE_HDR_TYPE_ETH:
		return offset > 12 || (offset == 12 && changed);
	case FLOW_ACT_MANGLE_HDR_TYPE_IP4:
		return offset >= 20 ||
		       (!offset && changed & (__force u32)htonl(0xff00ffff)) ||
		       (offset == 8 && changed & (__force u32)htonl(0xff0000));
	case FLOW_ACT_MANGLE_HDR_TYPE_IP6:
		return offset >= 40 ||
		       (!offset && changed & (__force u32)htonl(0xf0000000)) ||
		       (offset == 4 && changed & (__force u32)htonl(~0xffU));
	case FLOW_ACT_MANGLE_HDR_TYPE_TCP:
		return offset >= 20 ||
		       (offset == 12 &&
			changed & (__force u32)htonl(0xf0000000));
	case FLOW_ACT_MANGLE_HDR_TYPE_UDP:
		return offset >= 8 ||
		       (offset == 4 &&
			changed & (__force u32)htonl(0xffff0000));
	default:
		return false;
	}
}

static int eswim_parse_mangle(struct eswim_parse *parse,
			      const struct flow_action_entry *entry,
			      struct eswim_act *act)
{
	const char *why = NULL;

	if (entry->mangle.htype < FLOW_ACT_MANGLE_HDR_TYPE_ETH ||
	    entry->mangle.htype > FLOW_ACT_MANGLE_HDR_TYPE_UDP)
		why = KBUILD_MODNAME ": pedit needs \"ex\" and a header's name";
	else if (entry->mangle.offset % 4 ||
		 entry->mangle.offset >= ESWIM_MANGLE_MAX_OFFSET)
		why = KBUILD_MODNAME ": pedit at an offset out of reach";
	else if (eswim_mangles_csum(entry))
		why = KBUILD_MODNAME ": pedit can't write checksums";
	else if (eswim_mangles_structure(entry))
		why = KBUILD_MODNAME ": pedit can't write this field";
	else if (entry->id == FLOW_ACTION_MANGLE &&
		 entry->mangle.val & entry->mangle.mask)
		why = KBUILD_MODNAME ": pedit can't invert bits";
	if (why)
		return eswim_refuse(parse->extack, why);
	act->mangle.base = entry->mangle.htype;
	act->mangle.offset = entry->mangle.offset;
	act->mangle.keep = entry->mangle.mask;
	act->mangle.value = entry->mangle.val;
	act->mangle.csums = parse->csums;
	return 0;
}

static int eswim_parse_add(struct eswim_parse *parse,
			   const struct flow_action_entry *entry,
			   struct eswim_act *act)
{
	act->mangle.add = true;
	parse->once = true;
	return eswim_parse_mangle(parse, entry, act);
}

static u32 eswim_mangled(const struct eswim_act *act, u32 old)
{
	u32 keep = act->mangle.keep;
	u32 new = act->mangle.add ? old + act->mangle.value :
				    act->mangle.value;

	return (old & keep) | (new & ~keep);
}

static enum eswim_verdict eswim_run_mangle(struct eswim_walk *walk,
					   const struct eswim_act *act)
{
	struct eswim_headers h;
	unsigned int end;
	u32 old, new;
	int base;
	u8 *word;

	eswim_find_headers(walk->skb, &h);
	base = eswim_mangle_base(act, &h, walk->skb->len);
	end = base + act->mangle.offset + sizeof(u32);
	if (base < 0 || end > walk->skb->len)
		return ESWIM_NEXT;
	/* The checksum may be behind what is rewritten. */
	end = min(walk->skb->len, max(end, (h.l4 ?: h.l3) +
				      (unsigned int)sizeof(struct tcphdr)));
	if (eswim_walk_make_writable(walk, end)) {
		walk->fate = ESWIM_DROP;
		return ESWIM_FATE;
	}
	word = walk->skb->data + base + act->mangle.offset;
	memcpy(&old, word, sizeof(old));
	new = eswim_mangled(act, old);
	memcpy(word, &new, sizeof(new));
	eswim_update_csums(walk->skb, act, &h, (__force __be32)old,
			   (__force __be32)new);
	return ESWIM_NEXT;
}

static void eswim_show_mangle(struct seq_file *file,
			      const struct eswim_act *act)
{
	static const char *const bases[] = {
		[FLOW_ACT_MANGLE_HDR_TYPE_ETH] = "eth",
		[FLOW_ACT_MANGLE_HDR_TYPE_IP4] = "ip",
		[FLOW_ACT_MANGLE_HDR_TYPE_IP6] = "ip6",
		[FLOW_ACT_MANGLE_HDR_TYPE_TCP] = "tcp",
		[FLOW_ACT_MANGLE_HDR_TYPE_UDP] = "udp",
	};

	seq_printf(file, " %s+%u %08x/%08x", bases[act->mangle.base],
		   act->mangle.offset, ntohl((__force __be32)act->mangle.value),
		   ntohl((__force __be32)~act->mangle.keep));
}

const struct eswim_act_ops eswim_act_mangle = {
	ESWIM_ACT_NAME("mangle"),
	.parse = eswim_parse_mangle,
	.run = eswim_run_mangle,
	.show = eswim_show_mangle,
};

const struct eswim_act_ops eswim_act_add = {
	ESWIM_ACT_NAME("add"),
	.parse = eswim_parse_add,
	.run = eswim_run_mangle,
	.show = eswim_show_mangle,
};

/* --- csum ----------------------------------------------------------------- */

static int eswim_parse_csum(struct eswim_parse *parse,
			    const struct flow_action_entry *entry,
			    struct eswim_act *act)
{
	if (!parse->rewrites) {
		NL_SET_ERR_MSG_MOD(parse->extack,
				   "csum goes with pedit in the same rule only");
		return -EOPNOTSUPP;
	}
	if (entry->csum_flags & ~(TCA_CSUM_UPDATE_FLAG_IPV4HDR |
				  TCA_CSUM_UPDATE_FLAG_ICMP |
				  TCA_CSUM_UPDATE_FLAG_TCP |
				  TCA_CSUM_UPDATE_FLAG_UDP)) {
		NL_SET_ERR_MSG_MOD(parse->extack,
				   "csum of a protocol other than IPv4, ICMP, TCP and UDP");
		return -EOPNOTSUPP;
	}
	return 1;
}

const struct eswim_act_ops eswim_act_csum = {
	ESWIM_ACT_NAME("csum"),
	.parse = eswim_parse_csum,
};
