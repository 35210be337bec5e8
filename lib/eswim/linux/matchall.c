// SPDX-License-Identifier: GPL-2.0
/* TC's matchall: a rule without a match. */

#include <net/pkt_cls.h>

#include "tc.h"

int eswim_matchall(struct eswim_block *block,
		   struct tc_cls_matchall_offload *f)
{
	switch (f->command) {
	case TC_CLSMATCHALL_REPLACE:
		return eswim_cls_replace(block, &f->common, f->rule,
					 f->cookie);
	case TC_CLSMATCHALL_DESTROY:
		return eswim_cls_destroy(block, f->cookie);
	case TC_CLSMATCHALL_STATS:
		return eswim_cls_stats(block, f->cookie, &f->stats);
	default:
		return -EOPNOTSUPP;
	}
}
