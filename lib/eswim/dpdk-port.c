/* SPDX-License-Identifier: Apache-2.0 */

/* What DPDK's users can ask of a port: see struct eth_dev_ops. */

#include "eswim/dpdk-nic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_alarm.h>
#include <rte_flow_driver.h>

/* Bytes in a queue for each descriptor that its user asked for. */
#define BYTES_PER_DESCRIPTOR 2048

/* Ethernet header and two tags. */
#define OVERHEAD (RTE_ETHER_HDR_LEN + 2 * 4)

static const struct eth_dev_ops port_ops;

/* Events. */

/* Returns whether anybody wants to know. */
static bool
port_update_link(uint16_t port_id)
{
    struct rte_eth_dev *dev = &rte_eth_devices[port_id];

    port_ops.link_update(dev, 0);
    return dev->data->dev_conf.intr_conf.lsc;
}

static void
deliver_event(void *arg)
{
    uint16_t port_id = (uintptr_t) arg & 0xffff;
    enum rte_eth_event_type event = (uintptr_t) arg >> 16;
    bool wanted;

    eswim_nics_lock();          /* The port isn't closed meanwhile. */
    wanted = eswim_has_port(port_id)
             && (event != RTE_ETH_EVENT_INTR_LSC || port_update_link(port_id));
    eswim_nics_unlock();

    if (wanted) {
        rte_eth_dev_callback_process(&rte_eth_devices[port_id], event, NULL);
    }
}

/* Tells the users of 'port' of 'event', soon, in DPDK's interrupt thread: the
 * caller may hold any lock.  The event names the port by its number, so that
 * nobody need wait for it when the port is closed. */
void
eswim_port_notify(const struct eswim_port *port, enum rte_eth_event_type event)
{
    int port_id = atomic_load(&port->port_id);

    if (port_id >= 0) {
        uintptr_t arg = ((uintptr_t) event << 16) | port_id;

        if (rte_eal_alarm_set(1, deliver_event, (void *) arg)) {
            ESWIM_LOG(WARNING, "%s: an event is lost\n", port->dev_name);
        }
    }
}

/* Queues. */

static struct eswim_queue *
queue_create(struct eswim_port *port, uint16_t n_descriptors)
{
    struct eswim_queue *queue = aligned_alloc(64, sizeof *queue);

    if (!queue) {
        return NULL;
    }
    memset(queue, 0, sizeof *queue);
    queue->port = port;
    queue->n_descriptors = n_descriptors;
    if (eswim_ring_init(&queue->ring,
                        (size_t) n_descriptors * BYTES_PER_DESCRIPTOR)) {
        free(queue);
        return NULL;
    }
    return queue;
}

static void
queue_destroy(struct eswim_queue **queuep)
{
    if (*queuep) {
        eswim_ring_destroy(&(*queuep)->ring);
        free(*queuep);
        *queuep = NULL;
    }
}

static int
rx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t n_descriptors,
               unsigned int socket_id __rte_unused,
               const struct rte_eth_rxconf *conf, struct rte_mempool *mempool)
{
    struct eswim_port *port = eswim_port_cast(dev);
    struct eswim_queue *queue = queue_create(port, n_descriptors);

    if (!queue) {
        return -ENOMEM;
    }
    queue->mempool = mempool;
    queue->scatter = ((dev->data->dev_conf.rxmode.offloads | conf->offloads)
                      & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
    port->rxqs[id] = queue;
    dev->data->rx_queues[id] = queue;
    return 0;
}

static int
tx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t n_descriptors,
               unsigned int socket_id __rte_unused,
               const struct rte_eth_txconf *conf __rte_unused)
{
    struct eswim_port *port = eswim_port_cast(dev);
    struct eswim_queue *queue = queue_create(port, n_descriptors);

    if (!queue) {
        return -ENOMEM;
    }
    port->txqs[id] = queue;
    dev->data->tx_queues[id] = queue;
    return 0;
}

static void
rx_queue_release(struct rte_eth_dev *dev, uint16_t id)
{
    queue_destroy(&eswim_port_cast(dev)->rxqs[id]);
    dev->data->rx_queues[id] = NULL;
}

static void
tx_queue_release(struct rte_eth_dev *dev, uint16_t id)
{
    queue_destroy(&eswim_port_cast(dev)->txqs[id]);
    dev->data->tx_queues[id] = NULL;
}

static void
rxq_info(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_rxq_info *info)
{
    const struct eswim_queue *queue = eswim_port_cast(dev)->rxqs[id];

    info->mp = queue->mempool;
    info->scattered_rx = queue->scatter;
    info->nb_desc = queue->n_descriptors;
}

static void
txq_info(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_txq_info *info)
{
    info->nb_desc = eswim_port_cast(dev)->txqs[id]->n_descriptors;
}

static void
queue_stats(const struct eswim_queue *queue, uint64_t *packets,
            uint64_t *bytes)
{
    *packets = atomic_load_explicit(&queue->packets, memory_order_relaxed);
    *bytes = atomic_load_explicit(&queue->bytes, memory_order_relaxed);
}

static void
queue_reset_stats(struct eswim_queue *queue)
{
    if (queue) {
        atomic_store(&queue->packets, 0);
        atomic_store(&queue->bytes, 0);
        atomic_store(&queue->no_mbuf, 0);
        atomic_store(&queue->errors, 0);
        atomic_store(&queue->missed, 0);
    }
}

/* Configuring, starting, stopping, closing. */

static int
port_configure(struct rte_eth_dev *dev)
{
    return atomic_load(&eswim_port_cast(dev)->nic->removed) ? -EIO : 0;
}

static void
set_queue_states(struct rte_eth_dev *dev, uint8_t state)
{
    for (int i = 0; i < dev->data->nb_rx_queues; i++) {
        dev->data->rx_queue_state[i] = state;
    }
    for (int i = 0; i < dev->data->nb_tx_queues; i++) {
        dev->data->tx_queue_state[i] = state;
    }
}

static bool
has_all_queues(const struct rte_eth_dev *dev)
{
    const struct eswim_port *port = eswim_port_cast(dev);

    for (int i = 0; i < dev->data->nb_rx_queues; i++) {
        if (!port->rxqs[i]) {
            return false;
        }
    }
    for (int i = 0; i < dev->data->nb_tx_queues; i++) {
        if (!port->txqs[i]) {
            return false;
        }
    }
    return dev->data->nb_rx_queues > 0;
}

static int
port_start(struct rte_eth_dev *dev)
{
    struct eswim_port *port = eswim_port_cast(dev);

    if (atomic_load(&port->nic->removed)) {
        return -EIO;
    }
    if (!has_all_queues(dev)) {
        ESWIM_LOG(ERR, "%s: a queue isn't set up\n", dev->data->name);
        return -EINVAL;
    }
    set_queue_states(dev, RTE_ETH_QUEUE_STATE_STARTED);
    pthread_mutex_lock(&port->nic->io_mutex);
    atomic_store(&port->started, true);
    pthread_mutex_unlock(&port->nic->io_mutex);
    port_ops.link_update(dev, 0);
    return 0;
}

/* Nothing is left in the queues of a port that was stopped, and the rules that
 * were created on it are gone: users count on it, and don't flush them. */
static int
port_stop(struct rte_eth_dev *dev)
{
    struct eswim_port *port = eswim_port_cast(dev);

    pthread_mutex_lock(&port->nic->io_mutex);
    atomic_store(&port->started, false);
    for (int i = 0; i < ESWIM_MAX_QUEUES; i++) {
        if (port->rxqs[i]) {
            eswim_ring_drain(&port->rxqs[i]->ring);
        }
        if (port->txqs[i]) {
            eswim_ring_drain(&port->txqs[i]->ring);
        }
    }
    pthread_mutex_unlock(&port->nic->io_mutex);
    set_queue_states(dev, RTE_ETH_QUEUE_STATE_STOPPED);
    eswitch_flush(port->nic->eswitch, port->index);
    return 0;
}

static int
port_close(struct rte_eth_dev *dev)
{
    struct eswim_port *port = eswim_port_cast(dev);

    if (!port) {
        return 0;
    }
    port_stop(dev);
    for (int i = 0; i < ESWIM_MAX_QUEUES; i++) {
        queue_destroy(&port->rxqs[i]);
        queue_destroy(&port->txqs[i]);
    }

    eswim_nics_lock();
    atomic_store(&port->port_id, -1);
    eswim_nics_unlock();
    /* Ours, not DPDK's to free. */
    dev->data->mac_addrs = NULL;
    dev->data->dev_private = NULL;
    port->dev = NULL;
    return 0;
}

/* Called on a stopped port, which is then configured anew. */
static int
port_reset(struct rte_eth_dev *dev)
{
    return port_configure(dev);
}

static int
port_is_removed(struct rte_eth_dev *dev)
{
    return atomic_load(&eswim_port_cast(dev)->nic->removed);
}

/* Properties. */

static int
port_info(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
    static const struct rte_eth_desc_lim limits = {
        .nb_min = 64, .nb_max = 16384, .nb_align = 1,
        .nb_seg_max = UINT16_MAX, .nb_mtu_seg_max = UINT16_MAX,
    };
    struct eswim_port *port = eswim_port_cast(dev);

    info->min_mtu = RTE_ETHER_MIN_MTU;
    info->max_mtu = ESWITCH_MAX_FRAME - OVERHEAD;
    info->max_rx_pktlen = ESWITCH_MAX_FRAME;
    info->max_rx_queues = info->max_tx_queues = ESWIM_MAX_QUEUES;
    info->rx_desc_lim = info->tx_desc_lim = limits;
    info->max_mac_addrs = 1;
    info->rx_offload_capa = RTE_ETH_RX_OFFLOAD_SCATTER;
    info->tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    info->flow_type_rss_offloads = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP
                                   | RTE_ETH_RSS_UDP;
    info->speed_capa = RTE_ETH_LINK_SPEED_25G;
    info->switch_info.name = port->nic->name;
    info->switch_info.domain_id = port->nic->domain_id;
    info->switch_info.port_id = port->index;
    return 0;
}

static int
port_link_update(struct rte_eth_dev *dev, int wait __rte_unused)
{
    struct eswim_port *port = eswim_port_cast(dev);
    struct rte_eth_link link = {
        .link_speed = RTE_ETH_SPEED_NUM_25G,
        .link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
        .link_autoneg = RTE_ETH_LINK_FIXED,
        .link_status = (atomic_load(&port->plugged)
                        && atomic_load(&port->admin_up))
                       ? RTE_ETH_LINK_UP : RTE_ETH_LINK_DOWN,
    };

    return rte_eth_linkstatus_set(dev, &link);
}

static int
set_admin_up(struct rte_eth_dev *dev, bool up)
{
    struct eswim_port *port = eswim_port_cast(dev);

    if (atomic_exchange(&port->admin_up, up) != up) {
        eswim_port_notify(port, RTE_ETH_EVENT_INTR_LSC);
    }
    return 0;
}

static int
port_set_link_up(struct rte_eth_dev *dev)
{
    return set_admin_up(dev, true);
}

static int
port_set_link_down(struct rte_eth_dev *dev)
{
    return set_admin_up(dev, false);
}

static int
port_mac_addr_set(struct rte_eth_dev *dev, struct rte_ether_addr *mac)
{
    eswim_port_cast(dev)->mac = *mac;
    return 0;
}

/* DPDK checks it against the limits of port_info(), and remembers it. */
static int
port_mtu_set(struct rte_eth_dev *dev __rte_unused, uint16_t mtu __rte_unused)
{
    return 0;
}

/* The eswitch filters by rules, not by addresses. */
static int
accept_any(struct rte_eth_dev *dev __rte_unused)
{
    return 0;
}

static int
port_representor_info(struct rte_eth_dev *dev,
                      struct rte_eth_representor_info *info)
{
    struct eswim_nic *nic = eswim_port_cast(dev)->nic;
    struct rte_eth_representor_range *range;

    if (!info) {
        return 1;
    }
    info->controller = 0;
    info->pf = 0;
    info->nb_ranges = 0;
    if (info->nb_ranges_alloc && nic->n_ports > 1) {
        range = &info->ranges[info->nb_ranges++];
        memset(range, 0, sizeof *range);
        range->type = RTE_ETH_REPRESENTOR_VF;
        range->id_base = 0;
        range->id_end = nic->n_ports - 2;
        snprintf(range->name, sizeof range->name, "pf0vf");
    }
    return 1;
}

/* Statistics. */

static int
port_stats(struct rte_eth_dev *dev, struct rte_eth_stats *stats)
{
    struct eswim_port *port = eswim_port_cast(dev);
    uint64_t packets, bytes;

    for (int i = 0; i < dev->data->nb_rx_queues && port->rxqs[i]; i++) {
        struct eswim_queue *queue = port->rxqs[i];

        queue_stats(queue, &packets, &bytes);
        stats->ipackets += packets;
        stats->ibytes += bytes;
        stats->imissed += atomic_load(&queue->missed);
        stats->ierrors += atomic_load(&queue->errors);
        stats->rx_nombuf += atomic_load(&queue->no_mbuf);
        if (i < RTE_ETHDEV_QUEUE_STAT_CNTRS) {
            stats->q_ipackets[i] = packets;
            stats->q_ibytes[i] = bytes;
        }
    }
    for (int i = 0; i < dev->data->nb_tx_queues && port->txqs[i]; i++) {
        struct eswim_queue *queue = port->txqs[i];

        queue_stats(queue, &packets, &bytes);
        stats->opackets += packets;
        stats->obytes += bytes;
        stats->oerrors += atomic_load(&queue->errors);
        if (i < RTE_ETHDEV_QUEUE_STAT_CNTRS) {
            stats->q_opackets[i] = packets;
            stats->q_obytes[i] = bytes;
        }
    }
    return 0;
}

static int
port_stats_reset(struct rte_eth_dev *dev)
{
    struct eswim_port *port = eswim_port_cast(dev);

    for (int i = 0; i < ESWIM_MAX_QUEUES; i++) {
        queue_reset_stats(port->rxqs[i]);
        queue_reset_stats(port->txqs[i]);
    }
    return 0;
}

/* What the eswitch has counted on a port, which nothing resets. */
static const struct {
    const char *name;
    size_t offset;              /* In struct eswitch_port_stats. */
} xstats[] = {
#define XSTAT(NAME, MEMBER)                                 \
    { NAME, offsetof(struct eswitch_port_stats, MEMBER) }
    XSTAT("end_rx_packets", end_rx.packets),
    XSTAT("end_rx_bytes", end_rx.bytes),
    XSTAT("end_tx_packets", end_tx.packets),
    XSTAT("end_tx_bytes", end_tx.bytes),
    XSTAT("end_tx_dropped", end_dropped),
    XSTAT("missed_packets", missed.packets),
    XSTAT("to_software_packets", up.packets),
    XSTAT("to_software_dropped", up_dropped),
    XSTAT("from_software_packets", down.packets),
    XSTAT("dropped_by_rule", ruled_out),
    XSTAT("end_rx_malformed", errors),
};

static int
port_xstats(struct rte_eth_dev *dev, struct rte_eth_xstat *values,
            unsigned int n)
{
    struct eswim_port *port = eswim_port_cast(dev);
    struct eswitch_port_stats stats;

    if (eswitch_port_stats(port->nic->eswitch, port->index, &stats)) {
        return -EIO;
    }
    for (unsigned int i = 0; i < RTE_DIM(xstats) && i < n && values; i++) {
        values[i].id = i;
        memcpy(&values[i].value, (char *) &stats + xstats[i].offset,
               sizeof values[i].value);
    }
    return RTE_DIM(xstats);
}

static int
port_xstats_names(struct rte_eth_dev *dev __rte_unused,
                  struct rte_eth_xstat_name *names, unsigned int n)
{
    for (unsigned int i = 0; i < RTE_DIM(xstats) && i < n && names; i++) {
        snprintf(names[i].name, sizeof names[i].name, "%s", xstats[i].name);
    }
    return RTE_DIM(xstats);
}

static int
port_flow_ops(struct rte_eth_dev *dev __rte_unused,
              const struct rte_flow_ops **ops)
{
    *ops = &eswim_flow_ops;
    return 0;
}

static const struct eth_dev_ops port_ops = {
    .dev_configure = port_configure,
    .dev_start = port_start,
    .dev_stop = port_stop,
    .dev_close = port_close,
    .dev_reset = port_reset,
    .is_removed = port_is_removed,
    .dev_infos_get = port_info,
    .dev_set_link_up = port_set_link_up,
    .dev_set_link_down = port_set_link_down,
    .link_update = port_link_update,
    .mac_addr_set = port_mac_addr_set,
    .mtu_set = port_mtu_set,
    .promiscuous_enable = accept_any,
    .promiscuous_disable = accept_any,
    .allmulticast_enable = accept_any,
    .allmulticast_disable = accept_any,
    .rx_queue_setup = rx_queue_setup,
    .tx_queue_setup = tx_queue_setup,
    .rx_queue_release = rx_queue_release,
    .tx_queue_release = tx_queue_release,
    .rxq_info_get = rxq_info,
    .txq_info_get = txq_info,
    .stats_get = port_stats,
    .stats_reset = port_stats_reset,
    .xstats_get = port_xstats,
    .xstats_get_names = port_xstats_names,
    .representor_info_get = port_representor_info,
    .flow_ops_get = port_flow_ops,
};

/* Making and destroying. */

static void
set_representor(struct rte_eth_dev *dev, const struct eswim_port *port)
{
    dev->data->dev_flags |= RTE_ETH_DEV_REPRESENTOR;
    dev->data->representor_id = port->index - 1;
    dev->data->backer_port_id = port->nic->ports[0].dev->data->port_id;
}

/* Makes the DPDK port of 'port', which nobody sees before the caller calls
 * rte_eth_dev_probing_finish().  Returns 0 or a positive errno. */
int
eswim_port_create(struct eswim_port *port)
{
    struct rte_device *device = &port->nic->vdev->device;
    char name[RTE_ETH_NAME_MAX_LEN];
    struct rte_eth_dev *dev;

    if (port->index) {
        snprintf(name, sizeof name, "%.36s_representor_vf%u", port->nic->name,
                 port->index - 1);
    } else {
        snprintf(name, sizeof name, "%s", port->nic->name);
    }
    dev = rte_eth_dev_allocate(name);
    if (!dev) {
        return ENOMEM;
    }

    port->dev = dev;
    dev->device = device;
    dev->dev_ops = &port_ops;
    dev->rx_pkt_burst = eswim_rx_burst;
    dev->tx_pkt_burst = eswim_tx_burst;
    dev->data->numa_node = device->numa_node;
    dev->data->dev_private = port;
    dev->data->mac_addrs = &port->mac;
    dev->data->promiscuous = 1;
    dev->data->all_multicast = 1;
    dev->data->dev_flags |= RTE_ETH_DEV_INTR_LSC
                            | RTE_ETH_DEV_INTR_RMV
                            | RTE_ETH_DEV_AUTOFILL_QUEUE_XSTATS
                            | RTE_ETH_DEV_FLOW_OPS_THREAD_SAFE;
    if (port->index) {
        set_representor(dev, port);
    }
    snprintf(port->dev_name, sizeof port->dev_name, "%s", name);
    atomic_store(&port->port_id, dev->data->port_id);
    return 0;
}

/* Closes the DPDK port of 'port', if it isn't closed yet. */
void
eswim_port_destroy(struct eswim_port *port)
{
    struct rte_eth_dev *dev = port->dev;

    if (dev) {
        port_close(dev);
        rte_eth_dev_release_port(dev);
    }
}
