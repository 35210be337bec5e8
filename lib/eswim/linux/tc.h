/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TC's classifiers.  Each turns what TC says into a rule of table.h.  TC calls
 * with or without rtnl, several CPUs at a time; rules_lock orders them.
 */
#ifndef ESWIM_TC_H
#define ESWIM_TC_H

struct eswim_block;
struct flow_cls_common_offload;
struct flow_cls_offload;
struct flow_rule;
struct flow_stats;
struct netlink_ext_ack;
struct tc_cls_matchall_offload;

/* tc.c */
int eswim_tc_check(struct eswim_block *block, struct netlink_ext_ack *extack);

/* flower.c, matchall.c */
int eswim_flower(struct eswim_block *block, struct flow_cls_offload *f);
int eswim_matchall(struct eswim_block *block,
		   struct tc_cls_matchall_offload *f);

/* rule.c: what the classifiers have in common. */
int eswim_cls_replace(struct eswim_block *block,
		      const struct flow_cls_common_offload *common,
		      const struct flow_rule *flow, unsigned long cookie);
int eswim_cls_destroy(struct eswim_block *block, unsigned long cookie);
int eswim_cls_stats(struct eswim_block *block, unsigned long cookie,
		    struct flow_stats *stats);

#endif
