/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What rules match on.
 *
 * A key is what the flow dissector finds in a packet, all of it, laid out flat:
 * a packet is dissected once, however many masks there are to look it up
 * with.  Rules bring the same structures, so a match is copied field by field
 * without being understood; the table in key.c says which.
 */
#ifndef ESWIM_KEY_H
#define ESWIM_KEY_H

#include <net/flow_dissector.h>

struct eswim_nic;
struct flow_rule;
struct netlink_ext_ack;
struct seq_file;

/* Padding is zero in every key and mask: they are compared as memory. */
struct eswim_key {
	__be16 protocol;	/* Outermost, as "tc filter add protocol". */
	struct flow_dissector_key_control control;
	struct flow_dissector_key_basic basic;
	struct flow_dissector_key_meta meta;
	struct flow_dissector_key_eth_addrs eth;
	struct flow_dissector_key_num_of_vlans num_of_vlans;
	struct flow_dissector_key_vlan vlan;
	struct flow_dissector_key_vlan cvlan;
	struct flow_dissector_key_ipv4_addrs ipv4;
	struct flow_dissector_key_ipv6_addrs ipv6;
	struct flow_dissector_key_ip ip;
	struct flow_dissector_key_ports ports;
	struct flow_dissector_key_tcp tcp;
	struct flow_dissector_key_icmp icmp;
	struct flow_dissector_key_arp arp;
	struct flow_dissector_key_mpls mpls;
} __aligned(sizeof(long));

void eswim_keys_init(void);

/* Copies a rule's match.  Returns 0 or a negative errno with the reason in
 * @extack: something is matched that the hardware can't, or is told not to.
 */
int eswim_key_parse(struct eswim_nic *nic, const struct flow_rule *rule,
		    __be16 protocol, struct eswim_key *key,
		    struct eswim_key *mask, struct netlink_ext_ack *extack);

/* Dissects a packet that entered at the vport whose host's end is
 * @ingress_ifindex.
 */
void eswim_key_dissect(struct eswim_key *key, const struct sk_buff *skb,
		       int ingress_ifindex);

void eswim_key_apply_mask(struct eswim_key *masked,
			  const struct eswim_key *key,
			  const struct eswim_key *mask);

void eswim_key_show(struct seq_file *file, const struct eswim_key *key,
		    const struct eswim_key *mask);

/* Names of the table's rows, for debugfs; NULL beyond the last. */
const char *eswim_key_name(unsigned int row);

#endif
