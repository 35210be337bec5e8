/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters: a rule has one, and a meter.
 *
 * Packets add to them under RCU.  TC is told what has been added since it
 * asked the last time, under rules_lock.
 *
 * Reading counters of real hardware takes time, so drivers read them all from
 * time to time and report the last reading: what TC shows lags behind.  Here,
 * too, unless the lag is set to 0 or hw_stats "immediate" is asked for.
 */
#ifndef ESWIM_COUNTER_H
#define ESWIM_COUNTER_H

#include <linux/atomic.h>
#include <net/flow_offload.h>

struct eswim_nic;

struct eswim_reading {
	u64 packets;
	u64 bytes;
	u64 drops;
	unsigned long last_used;	/* jiffies */
};

struct eswim_counter {
	atomic64_t packets;
	atomic64_t bytes;
	atomic64_t drops;
	unsigned long last_used;
	struct eswim_reading shown;	/* As of the last refresh. */
	struct eswim_reading told;	/* What TC knows of. */
	enum flow_action_hw_stats hw_stats;
};

void eswim_counter_init(struct eswim_counter *counter);
void eswim_counter_add(struct eswim_counter *counter, unsigned int bytes,
		       bool dropped);

/* All that follow want rules_lock. */
void eswim_counter_read(struct eswim_nic *nic, struct eswim_counter *counter,
			struct flow_stats *stats);
void eswim_counters_init(struct eswim_nic *nic);
void eswim_counters_start(struct eswim_nic *nic);

#endif
