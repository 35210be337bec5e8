/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What real NICs do to those who program them, on demand: a table that is
 * full, firmware that is slow, or poor in features, or fails.
 *
 * A firmware that fails forgets all rules, and refuses operations until it is
 * recovered; what finds no rule goes to software, as ever.
 *
 * The settings are in debugfs, and all of them are under the NIC's rules_lock.
 */
#ifndef ESWIM_FAULT_H
#define ESWIM_FAULT_H

#include <linux/types.h>

struct eswim_nic;
struct netlink_ext_ack;

struct eswim_faults {
	u32 capacity;		/* Rules that fit; 0: any number. */
	u32 insert_latency_us;	/* That an insertion takes. */
	u32 counter_lag_ms;	/* Between refreshes of counters; 0: none. */
	u32 fail_nth;		/* Fail the n-th operation from now; 0: none. */
	u32 fail_errno;		/* With this. */
	u64 refused_keys;	/* A bit a row of the table in key.c. */
	u64 refused_acts;	/* A bit a row of the table in action.c. */
	bool has_failed;	/* The firmware. */
};

void eswim_faults_init(struct eswim_faults *faults);

/* Is an operation on rules to fail?  Returns 0 or a negative errno. */
int eswim_fault_operation(struct eswim_nic *nic,
			  struct netlink_ext_ack *extack);

/* Is there room for another rule?  Takes the time that an insertion takes. */
int eswim_fault_insert(struct eswim_nic *nic, struct netlink_ext_ack *extack);

/* The firmware fails, or is started again.  These take rules_lock themselves;
 * who wants "devlink health" to know calls eswim_health_fail().
 */
void eswim_fault_fail(struct eswim_nic *nic);
void eswim_fault_recover(struct eswim_nic *nic);

#endif
