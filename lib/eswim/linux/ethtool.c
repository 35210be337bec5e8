// SPDX-License-Identifier: GPL-2.0
/* What "ethtool" shows. */

#include <linux/ethtool.h>

#include "eswim.h"

static const char eswim_stat_names[ESWIM_N_STATS][ETH_GSTRING_LEN] = {
	[ESWIM_STAT_RX_PACKETS] = "vport_rx_packets",
	[ESWIM_STAT_RX_BYTES] = "vport_rx_bytes",
	[ESWIM_STAT_RX_MISSES] = "vport_rx_misses",
	[ESWIM_STAT_RX_DROPS] = "vport_rx_drops",
	[ESWIM_STAT_TX_PACKETS] = "vport_tx_packets",
	[ESWIM_STAT_TX_BYTES] = "vport_tx_bytes",
};

static void eswim_get_drvinfo(struct net_device *dev,
			      struct ethtool_drvinfo *info)
{
	struct eswim_vport *vport = eswim_vport_of(dev);

	strscpy(info->driver, "eswim", sizeof(info->driver));
	strscpy(info->bus_info, dev_name(vport->nic->dev),
		sizeof(info->bus_info));
}

/* A speed for those who go by it: bonds, bridges, Open vSwitch. */
static int eswim_get_link_ksettings(struct net_device *dev,
				    struct ethtool_link_ksettings *settings)
{
	settings->base.speed = SPEED_25000;
	settings->base.duplex = DUPLEX_FULL;
	settings->base.autoneg = AUTONEG_DISABLE;
	settings->base.port = PORT_OTHER;
	return 0;
}

/* The switch's counters are the host's to see. */
static int eswim_get_sset_count(struct net_device *dev, int sset)
{
	if (sset != ETH_SS_STATS || !eswim_host_vport(dev))
		return -EOPNOTSUPP;
	return ESWIM_N_STATS;
}

static void eswim_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset == ETH_SS_STATS)
		memcpy(data, eswim_stat_names, sizeof(eswim_stat_names));
}

static void eswim_get_ethtool_stats(struct net_device *dev,
				    struct ethtool_stats *stats, u64 *data)
{
	struct eswim_vport *vport = eswim_vport_of(dev);
	unsigned int i;

	for (i = 0; i < ESWIM_N_STATS; i++)
		data[i] = atomic64_read(&vport->stats[i]);
}

const struct ethtool_ops eswim_ethtool_ops = {
	.get_drvinfo = eswim_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = eswim_get_link_ksettings,
	.get_sset_count = eswim_get_sset_count,
	.get_strings = eswim_get_strings,
	.get_ethtool_stats = eswim_get_ethtool_stats,
};
