// SPDX-License-Identifier: GPL-2.0
/* TC's flower. */

#include <net/pkt_cls.h>

#include "tc.h"

int eswim_flower(struct eswim_block *block, struct flow_cls_offload *f)
{
	switch (f->command) {
	case FLOW_CLS_REPLACE:
		return eswim_cls_replace(block, &f->common, f->rule,
					 f->cookie);
	case FLOW_CLS_DESTROY:
		return eswim_cls_destroy(block, f->cookie);
	case FLOW_CLS_STATS:
		return eswim_cls_stats(block, f->cookie, &f->stats);
	default:
		return -EOPNOTSUPP;
	}
}
