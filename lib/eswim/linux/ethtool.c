// SPDX-License-Identifier: GPL-2.0
/* What "ethtool" shows. */

#include <linux/ethtool.h>

#include "eswim.h"

static void eswim_get_drvinfo(struct net_device *dev,
			      struct ethtool_drvinfo *info)
{
	struct eswim_vport *vport = eswim_vport_of(dev);

	strscpy(info->driver, "eswim", sizeof(info->driver));
	strscpy(info->bus_info, dev_name(vport->nic->dev),
		sizeof(info->bus_info));
}

const struct ethtool_ops eswim_ethtool_ops = {
	.get_drvinfo = eswim_get_drvinfo,
	.get_link = ethtool_op_get_link,
};
