// SPDX-License-Identifier: GPL-2.0
/*
 * THE table of match keys.  A row says what the flow dissector calls it, where
 * it lies in struct eswim_key, which part of it users match on, and how it is
 * refused.  Matches are copied, packets dissected and debugfs written from
 * these rows.
 */

#include <linux/if_vlan.h>
#include <linux/seq_file.h>
#include <net/flow_offload.h>

#include "eswim.h"
#include "key.h"

struct eswim_key_row {
	enum flow_dissector_key_id id;
	const char *name;
	const char *refused;
	u16 offset;		/* All of it ... */
	u16 size;
	u16 match_offset;	/* ... and what users can match of it. */
	u16 match_size;
	u16 addr_type;		/* Only in packets with such addresses. */
};

#define ESWIM_KEY_PART(ID, NAME, MEMBER, PART, ADDR_TYPE) {		\
	.id = FLOW_DISSECTOR_KEY_##ID,					\
	.name = (NAME),							\
	.refused = KBUILD_MODNAME ": Match on " NAME " is refused",	\
	.offset = offsetof(struct eswim_key, MEMBER),			\
	.size = sizeof_field(struct eswim_key, MEMBER),			\
	.match_offset = offsetof(struct eswim_key, PART),		\
	.match_size = sizeof_field(struct eswim_key, PART),		\
	.addr_type = (ADDR_TYPE),					\
}
#define ESWIM_KEY(ID, NAME, MEMBER) \
	ESWIM_KEY_PART(ID, NAME, MEMBER, MEMBER, 0)

/* The first says what kind of addresses a rule has. */
static const struct eswim_key_row eswim_key_rows[] = {
	ESWIM_KEY_PART(CONTROL, "ip_flags", control, control.flags, 0),
	ESWIM_KEY_PART(BASIC, "ip_proto", basic, basic.ip_proto, 0),
	ESWIM_KEY_PART(META, "indev", meta, meta.ingress_ifindex, 0),
	ESWIM_KEY(ETH_ADDRS, "eth", eth),
	ESWIM_KEY(NUM_OF_VLANS, "num_of_vlans", num_of_vlans),
	ESWIM_KEY(VLAN, "vlan", vlan),
	ESWIM_KEY(CVLAN, "cvlan", cvlan),
	ESWIM_KEY_PART(IPV4_ADDRS, "ipv4", ipv4, ipv4,
		       FLOW_DISSECTOR_KEY_IPV4_ADDRS),
	ESWIM_KEY_PART(IPV6_ADDRS, "ipv6", ipv6, ipv6,
		       FLOW_DISSECTOR_KEY_IPV6_ADDRS),
	ESWIM_KEY(IP, "tos_ttl", ip),
	ESWIM_KEY(PORTS, "ports", ports),
	ESWIM_KEY(TCP, "tcp_flags", tcp),
	ESWIM_KEY(ICMP, "icmp", icmp),
	ESWIM_KEY(ARP, "arp", arp),
	ESWIM_KEY(MPLS, "mpls", mpls),
};

/* What the hardware can't match at all, by the names that users know. */
static const struct {
	enum flow_dissector_key_id id;
	const char *refused;
} eswim_keys_missing[] = {
#define ESWIM_NO_KEY(ID, NAME) \
	{ FLOW_DISSECTOR_KEY_##ID, KBUILD_MODNAME ": No match on " NAME }
	ESWIM_NO_KEY(PORTS_RANGE, "port ranges"),
	ESWIM_NO_KEY(ENC_KEYID, "a tunnel's key"),
	ESWIM_NO_KEY(ENC_IPV4_ADDRS, "a tunnel's IPv4 addresses"),
	ESWIM_NO_KEY(ENC_IPV6_ADDRS, "a tunnel's IPv6 addresses"),
	ESWIM_NO_KEY(ENC_CONTROL, "a tunnel's flags"),
	ESWIM_NO_KEY(ENC_PORTS, "a tunnel's ports"),
	ESWIM_NO_KEY(ENC_IP, "a tunnel's TOS and TTL"),
	ESWIM_NO_KEY(ENC_OPTS, "a tunnel's options"),
	ESWIM_NO_KEY(CT, "connection tracking"),
	ESWIM_NO_KEY(HASH, "the packet's hash"),
	ESWIM_NO_KEY(PPPOE, "PPPoE"),
	ESWIM_NO_KEY(L2TPV3, "L2TPv3"),
#undef ESWIM_NO_KEY
};

static struct flow_dissector eswim_dissector;

void eswim_keys_init(void)
{
	struct flow_dissector_key keys[ARRAY_SIZE(eswim_key_rows)];
	int i;

	BUILD_BUG_ON(sizeof(struct eswim_key) % sizeof(long));
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		keys[i].key_id = eswim_key_rows[i].id;
		keys[i].offset = eswim_key_rows[i].offset;
	}
	skb_flow_dissector_init(&eswim_dissector, keys, ARRAY_SIZE(keys));
}

const char *eswim_key_name(unsigned int row)
{
	if (row >= ARRAY_SIZE(eswim_key_rows))
		return NULL;
	return eswim_key_rows[row].name;
}

/* Does @row say something in this rule? */
static bool eswim_key_is_matched(const struct eswim_key_row *row,
				 const struct eswim_key *key,
				 const struct eswim_key *mask)
{
	if (row->addr_type && row->addr_type != key->control.addr_type)
		return false;
	return memchr_inv((const void *)mask + row->match_offset, 0,
			  row->match_size);
}

/* Is there more in a mask than what the hardware can match? */
static const char *eswim_key_excess(const struct eswim_key *mask)
{
	if (mask->control.flags &
	    ~(u32)(FLOW_DIS_IS_FRAGMENT | FLOW_DIS_FIRST_FRAG))
		return KBUILD_MODNAME ": No match on such ip_flags";
	if (memchr_inv((const void *)&mask->meta + sizeof(int), 0,
		       sizeof(mask->meta) - sizeof(int)))
		return KBUILD_MODNAME ": No match on how a packet came but indev";
	return NULL;
}

static int eswim_key_parse_row(struct eswim_nic *nic, unsigned int i,
			       const struct flow_match *match,
			       struct eswim_key *key, struct eswim_key *mask,
			       struct netlink_ext_ack *extack)
{
	const struct eswim_key_row *row = &eswim_key_rows[i];

	/* Flower has IPv4 and IPv6 addresses in one place. */
	if (row->addr_type && row->addr_type != key->control.addr_type)
		return 0;
	memcpy((void *)key + row->offset,
	       skb_flow_dissector_target(match->dissector, row->id,
					 match->key), row->size);
	memcpy((void *)mask + row->offset,
	       skb_flow_dissector_target(match->dissector, row->id,
					 match->mask), row->size);
	if (nic->faults.refused_keys & BIT_ULL(i) &&
	    eswim_key_is_matched(row, key, mask))
		return eswim_refuse(extack, row->refused);
	return 0;
}

static int eswim_key_refuse_missing(u64 used, struct netlink_ext_ack *extack)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(eswim_keys_missing); i++) {
		if (used & BIT_ULL(eswim_keys_missing[i].id))
			return eswim_refuse(extack,
					    eswim_keys_missing[i].refused);
	}
	NL_SET_ERR_MSG_MOD(extack, "No match on something unknown");
	return -EOPNOTSUPP;
}

int eswim_key_parse(struct eswim_nic *nic, const struct flow_rule *rule,
		    __be16 protocol, struct eswim_key *key,
		    struct eswim_key *mask, struct netlink_ext_ack *extack)
{
	const struct flow_match *match = &rule->match;
	struct eswim_key whole = {};
	const char *why;
	u64 used = 0;
	int i, err;

	memset(mask, 0, sizeof(*mask));
	if (protocol != htons(ETH_P_ALL)) {
		whole.protocol = protocol;
		mask->protocol = htons(0xffff);
	}
	/* Only flower has matches. */
	if (match->dissector)
		used = match->dissector->used_keys;
	for (i = 0; i < ARRAY_SIZE(eswim_key_rows); i++) {
		if (!(used & BIT_ULL(eswim_key_rows[i].id)))
			continue;
		used &= ~BIT_ULL(eswim_key_rows[i].id);
		err = eswim_key_parse_row(nic, i, match, &whole, mask, extack);
		if (err)
			return err;
	}
	if (used)
		return eswim_key_refuse_missing(used, extack);
	why = eswim_key_excess(mask);
	if (why)
		return eswim_refuse(extack, why);
	eswim_key_apply_mask(key, &whole, mask);
	return 0;
}

void eswim_key_dissect(struct eswim_key *key, const struct sk_buff *skb,
		       int ingress_ifindex)
{
	memset(key, 0, sizeof(*key));
	key->protocol = skb_protocol(skb, false);
	/* The dissector leaves it out where it doesn't know the protocol. */
	key->basic.n_proto = key->protocol;
	key->meta.ingress_ifindex = ingress_ifindex;
	skb_flow_dissect(skb, &eswim_dissector, key,
			 FLOW_DISSECTOR_F_STOP_BEFORE_ENCAP);
}

void eswim_key_apply_mask(struct eswim_key *masked,
			  const struct eswim_key *key,
			  const struct eswim_key *mask)
{
	const long *k = (const long *)key, *m = (const long *)mask;
	long *d = (long *)masked;
	int i;

	for (i = 0; i < sizeof(*key) / sizeof(long); i++)
		d[i] = k[i] & m[i];
}

void eswim_key_show(struct seq_file *file, const struct eswim_key *key,
		    const struct eswim_key *mask)
{
	const struct eswim_key_row *row;
	int i;

	if (mask->protocol)
		seq_printf(file, " protocol %04x", ntohs(key->protocol));
	for (i = 0; i < ARRAY_SIZE(eswim_key_rows); i++) {
		row = &eswim_key_rows[i];
		if (eswim_key_is_matched(row, key, mask))
			seq_printf(file, " %s %*phN/%*phN", row->name,
				   row->match_size,
				   (const u8 *)key + row->match_offset,
				   row->match_size,
				   (const u8 *)mask + row->match_offset);
	}
}
