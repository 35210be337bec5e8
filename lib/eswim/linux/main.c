// SPDX-License-Identifier: GPL-2.0
/* The module: makes the bus, and as many NICs as it is told to. */

#include <linux/module.h>

#include "eswim.h"
#include "table.h"

static unsigned int nics = 1;
module_param(nics, uint, 0444);
MODULE_PARM_DESC(nics, "NICs to make at start (more: /sys/bus/eswim/new_device)");

static int __init eswim_init(void)
{
	int err;

	err = eswim_tables_init();
	if (err)
		return err;
	eswim_debugfs_init();
	err = eswim_bus_init(nics);
	if (err) {
		eswim_debugfs_exit();
		eswim_tables_exit();
	}
	return err;
}

static void __exit eswim_exit(void)
{
	eswim_bus_exit();
	eswim_debugfs_exit();
	eswim_tables_exit();
}

module_init(eswim_init);
module_exit(eswim_exit);
MODULE_DESCRIPTION("SR-IOV NIC with an embedded switch, in software");
MODULE_LICENSE("GPL");
