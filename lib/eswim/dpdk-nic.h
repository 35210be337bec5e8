/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWIM_DPDK_NIC_H
#define ESWIM_DPDK_NIC_H 1

/* The NIC in software as DPDK sees it: a virtual device with an uplink (the
 * PF's port) and a representor for each VF, all in one switch domain, and an
 * embedded switch ("eswitch") between them.
 *
 *        software (testpmd, ovs-vswitchd, ...)
 *          | rx/tx      | rx/tx      | rx/tx
 *      port 0:      port 1:      port 2:
 *      uplink       repr. VF 0   repr. VF 1       struct eswim_port
 *     .-+------------+------------+-.
 *     |          eswitch            |             struct eswitch
 *     '-+------------+------------+-'
 *      wire end     guest end    guest end        struct eswim_guest, or
 *                                                 struct eswim_generator
 *
 * What a guest end or the wire sends goes through the eswitch's rules; what no
 * rule takes comes up to software at that very port.  What software sends on a
 * port comes out at its far end, around the rules.
 *
 * Life: the first probe of the virtual device makes the NIC with all of its
 * ports, because DPDK's bus for virtual devices doesn't probe a device twice;
 * its removal destroys all.
 *
 * Threads: the hardware is a thread of its own ("eswim-NAME"), which waits for
 * the far ends and for software's transmissions.  DPDK's threads only put
 * frames into queues and take them out; those that make rules do so in the
 * eswitch, which has its own lock.  The locks here, neither of which is taken
 * while the other is held:
 *
 *   - 'config_mutex': who changes 'config';
 *   - 'io_mutex': the hardware's thread while it works, and who changes what
 *     that uses: queues, whether a port is started, far ends.
 *
 * DPDK's event callbacks are called with neither of them held: they take
 * locks of their users, who call us while they hold them. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_config.h>
#include <ethdev_driver.h>
#include <bus_vdev_driver.h>

#include "eswim/dpdk-config.h"
#include "eswim/dpdk-generator.h"
#include "eswim/dpdk-guest.h"
#include "eswim/dpdk-ring.h"
#include "eswim/eswitch.h"

/* Receive or transmit queues a port. */
#define ESWIM_MAX_QUEUES 64

/* The longest frame: what a TAP device can have. */
#define ESWIM_MAX_FRAME (65535 + 18)

/* A queue of frames to or from software.  Counters are written by one thread
 * each and read by any. */
struct eswim_queue {
    struct eswim_port *port;
    struct eswim_ring ring;
    uint16_t n_descriptors;             /* As its user asked for. */
    struct rte_mempool *mempool;        /* Receive queues only. */
    bool scatter;                       /* Receive into several mbufs? */
    _Atomic(uint64_t) packets, bytes;
    _Atomic(uint64_t) no_mbuf;          /* Receive: no memory. */
    _Atomic(uint64_t) errors;           /* Receive: too long for an mbuf. */
    _Atomic(uint64_t) missed;           /* No room in the queue. */
};

struct eswim_port {
    struct eswim_nic *nic;
    unsigned int index;                 /* 0: the uplink; n: VF n - 1. */
    struct rte_eth_dev *dev;            /* NULL: closed.  For those who make,
                                         * start, stop and close it. */
    _Atomic(int) port_id;               /* DPDK's, or -1: closed.  For all. */
    char dev_name[RTE_ETH_NAME_MAX_LEN];
    struct rte_ether_addr mac;
    _Atomic(bool) started;              /* Written with 'io_mutex' held. */
    _Atomic(bool) admin_up;             /* rte_eth_dev_set_link_up/down(). */
    struct eswim_queue *rxqs[ESWIM_MAX_QUEUES];
    struct eswim_queue *txqs[ESWIM_MAX_QUEUES];
    struct eswim_guest guest;           /* 'io_mutex'. */
    struct eswim_generator *generator;  /* In the place of 'guest', or NULL;
                                         * its inside: 'io_mutex'. */
    _Atomic(bool) plugged;              /* Is there a far end? */
    char guest_name[IFNAMSIZ];          /* The device's name. */
};

struct eswim_nic {
    TAILQ_ENTRY(eswim_nic) link;        /* In the list of all. */
    struct rte_vdev_device *vdev;
    char name[RTE_ETH_NAME_MAX_LEN];
    uint16_t domain_id;
    unsigned int n_ports;
    struct eswim_port *ports;

    pthread_mutex_t config_mutex;
    struct eswim_config config;         /* 'config_mutex'. */
    struct eswitch *eswitch;

    pthread_mutex_t io_mutex;
    pthread_t thread;
    bool has_thread;
    struct eswitch_reader *reader;      /* The thread's. */
    int epoll_fd;
    int wake_fd;                        /* An eventfd. */
    _Atomic(bool) sleeping;             /* Will it notice only 'wake_fd'? */
    _Atomic(bool) exiting;
    _Atomic(bool) removed;              /* As if pulled out of its slot. */
};

extern int eswim_logtype;

#define ESWIM_LOG(LEVEL, ...) \
    rte_log(RTE_LOG_ ## LEVEL, eswim_logtype, "eswim: " __VA_ARGS__)

/* dpdk-nic.c: making, finding and setting NICs. */
void eswim_nics_lock(void);
void eswim_nics_unlock(void);
struct eswim_nic *eswim_nic_first(void);
struct eswim_nic *eswim_nic_find(const char *name);
struct eswim_port *eswim_port_by_id(const struct eswim_nic *,
                                    uint32_t port_id);
bool eswim_has_port(uint32_t port_id);
bool eswim_nic_set(struct eswim_nic *, const char *key, const char *value,
                   char message[ESWIM_MESSAGE_LEN]);
void eswim_nic_pull_out(struct eswim_nic *);

/* dpdk-port.c: DPDK's operations on a port. */
int eswim_port_create(struct eswim_port *);
void eswim_port_destroy(struct eswim_port *);
void eswim_port_notify(const struct eswim_port *, enum rte_eth_event_type);

/* dpdk-flow.c: rules, as DPDK has them. */
extern const struct rte_flow_ops eswim_flow_ops;

/* dpdk-hardware.c: the hardware's thread, and the queues to it. */
int eswim_hardware_start(struct eswim_nic *);
void eswim_hardware_stop(struct eswim_nic *);
int eswim_hardware_plug(struct eswim_port *);
bool eswim_hardware_generate(struct eswim_port *, const char *settings,
                             char message[ESWIM_MESSAGE_LEN]);
int eswim_hardware_latency(struct eswim_port *,
                           struct eswim_generator_latency *);
void eswim_hardware_unplug(struct eswim_port *);
uint16_t eswim_rx_burst(void *rxq, struct rte_mbuf **, uint16_t n);
uint16_t eswim_tx_burst(void *txq, struct rte_mbuf **, uint16_t n);

static inline struct eswim_port *
eswim_port_cast(const struct rte_eth_dev *dev)
{
    return dev->data->dev_private;
}

#endif /* lib/eswim/dpdk-nic.h */
