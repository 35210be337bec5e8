// SPDX-License-Identifier: GPL-2.0
/*
 * "devlink health": the reporter "fw" tells of the firmware, which fails on
 * demand (fault.h), and starts it again, at once unless auto_recover is off.
 */

#include "eswim.h"

static int eswim_fw_recover(struct devlink_health_reporter *reporter,
			    void *priv_ctx, struct netlink_ext_ack *extack)
{
	eswim_fault_recover(devlink_health_reporter_priv(reporter));
	return 0;
}

static int eswim_fw_diagnose(struct devlink_health_reporter *reporter,
			     struct devlink_fmsg *fmsg,
			     struct netlink_ext_ack *extack)
{
	struct eswim_nic *nic = devlink_health_reporter_priv(reporter);

	devlink_fmsg_string_pair_put(fmsg, "firmware",
				     READ_ONCE(nic->faults.has_failed) ?
				     "failed" : "running");
	devlink_fmsg_u32_pair_put(fmsg, "rules", READ_ONCE(nic->n_rules));
	return 0;
}

static const struct devlink_health_reporter_ops eswim_fw_reporter_ops = {
	.name = "fw",
	.recover = eswim_fw_recover,
	.diagnose = eswim_fw_diagnose,
};

/**
 * eswim_health_add() - Make the reporter
 * @nic: The NIC, not yet registered; devl_lock isn't held.
 *
 * Return: 0 or a negative errno.
 */
int eswim_health_add(struct eswim_nic *nic)
{
	struct devlink_health_reporter *reporter;

	reporter = devlink_health_reporter_create(priv_to_devlink(nic),
						  &eswim_fw_reporter_ops, 0,
						  nic);
	if (IS_ERR(reporter))
		return PTR_ERR(reporter);
	nic->reporter = reporter;
	return 0;
}

void eswim_health_del(struct eswim_nic *nic)
{
	devlink_health_reporter_destroy(nic->reporter);
}

/**
 * eswim_health_reload() - The firmware starts again, as all of the NIC does
 * @nic: The NIC, registered, with devl_lock held.
 *
 * The reporter wouldn't recover anything later if it weren't told.
 */
void eswim_health_reload(struct eswim_nic *nic)
{
	if (!READ_ONCE(nic->faults.has_failed))
		return;
	eswim_fault_recover(nic);
	devlink_health_reporter_state_update(nic->reporter,
					     DEVLINK_HEALTH_REPORTER_STATE_HEALTHY);
}

/**
 * eswim_health_fail() - The firmware fails, and the reporter is told
 * @nic: The NIC, registered; none of its locks is held.
 */
void eswim_health_fail(struct eswim_nic *nic)
{
	eswim_fault_fail(nic);
	devlink_health_report(nic->reporter, "The firmware has failed", nic);
}
