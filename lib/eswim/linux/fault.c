// SPDX-License-Identifier: GPL-2.0
/* Faults on demand; see fault.h. */

#include <linux/delay.h>

#include "eswim.h"
#include "table.h"

#define ESWIM_COUNTER_LAG_MS	500

void eswim_faults_init(struct eswim_faults *faults)
{
	faults->counter_lag_ms = ESWIM_COUNTER_LAG_MS;
	faults->fail_errno = EIO;
}

int eswim_fault_operation(struct eswim_nic *nic,
			  struct netlink_ext_ack *extack)
{
	struct eswim_faults *faults = &nic->faults;

	if (faults->has_failed) {
		NL_SET_ERR_MSG_MOD(extack,
				   "The firmware has failed, see devlink health");
		return -EIO;
	}
	if (!faults->fail_nth || --faults->fail_nth)
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "Failure on demand (debugfs fail_nth)");
	return -(int)faults->fail_errno;
}

int eswim_fault_insert(struct eswim_nic *nic, struct netlink_ext_ack *extack)
{
	struct eswim_faults *faults = &nic->faults;

	if (faults->insert_latency_us)
		fsleep(faults->insert_latency_us);
	if (faults->capacity && nic->n_rules >= faults->capacity) {
		NL_SET_ERR_MSG_MOD(extack, "The hardware's table is full");
		return -ENOSPC;
	}
	return 0;
}

static void eswim_fault_set(struct eswim_nic *nic, bool has_failed)
{
	mutex_lock(&nic->rules_lock);
	nic->faults.has_failed = has_failed;
	mutex_unlock(&nic->rules_lock);
}

void eswim_fault_fail(struct eswim_nic *nic)
{
	eswim_fault_set(nic, true);
	eswim_rules_forget_all(nic);
}

void eswim_fault_recover(struct eswim_nic *nic)
{
	eswim_fault_set(nic, false);
}
