/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "ports.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#ifdef DPDK_NETDEV
#include "dpdk-offload.h"
#endif
#include "dpif.h"
#include "engine.h"
#include "flow-api.h"
#include "hash.h"
#include "netdev-offload.h"
#include "netdev-provider.h"
#include "netdev-vport.h"
#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "tc/tc-port.h"
#include "tc/tc-reply.h"
#include "wrap.h"

VLOG_DEFINE_THIS_MODULE(offload_ports);

OFFLOAD_WRAP(dpif_close);
OFFLOAD_WRAP(dpif_port_del);
OFFLOAD_WRAP(netdev_ports_insert);
OFFLOAD_WRAP(netdev_ports_remove);

/* True while the calling thread takes ports out of the daemon's own books
 * only, and not out of the datapath. */
static __thread bool is_leaving;

/* A port as Open vSwitch inserted it, those included that the engine can't
 * have. */
struct known_port {
    struct hmap_node node;      /* In 'known_ports', by 'odp_port'. */
    odp_port_t odp_port;
    char *name;                 /* Of the network device. */
    enum offload_port_kind kind;
    uint32_t block_id;
    int ifindex;                /* 0 if the device has none. */
    int error;                  /* Positive errno: the engine hasn't got it. */
    struct offload_refusal refusal; /* Why it couldn't be opened. */
};

/* One port at a time comes or goes.  Held when the engine is called about
 * ports, which takes as long as the kernel does, never when Open vSwitch is.
 * Handlers and revalidators don't take it. */
static struct ovs_mutex change_mutex = OVS_MUTEX_INITIALIZER;

/* Protects the map.  Taken last, and for moments only. */
static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct hmap known_ports OVS_GUARDED_BY(mutex)
    = HMAP_INITIALIZER(&known_ports);

/* By netdev type.  Other types of tunnel: OFFLOAD_PORT_OTHER_TUNNEL. */
static const struct {
    const char *type;
    enum offload_port_kind kind;
} port_kinds[] = {
    { "system", OFFLOAD_PORT_PLAIN },
    { "internal", OFFLOAD_PORT_INTERNAL },
    { "vxlan", OFFLOAD_PORT_VXLAN },
    { "geneve", OFFLOAD_PORT_GENEVE },
    { "gre", OFFLOAD_PORT_GRE },
    { "ip6gre", OFFLOAD_PORT_GRE },
};

enum offload_port_kind
ports_kind(const struct netdev *netdev)
{
    for (size_t i = 0; i < ARRAY_SIZE(port_kinds); i++) {
        if (!strcmp(netdev_get_type(netdev), port_kinds[i].type)) {
            return port_kinds[i].kind;
        }
    }
    return (netdev_vport_is_vport_class(netdev_get_class(netdev))
            ? OFFLOAD_PORT_OTHER_TUNNEL
            : OFFLOAD_PORT_PLAIN);
}

static struct known_port *
known_port_find(odp_port_t odp_port)
    OVS_REQUIRES(mutex)
{
    struct known_port *port;

    HMAP_FOR_EACH_WITH_HASH (port, node, hash_odp_port(odp_port),
                             &known_ports) {
        if (port->odp_port == odp_port) {
            return port;
        }
    }
    return NULL;
}

static struct known_port *
known_port_find_ifindex(int ifindex)
    OVS_REQUIRES(mutex)
{
    struct known_port *port;

    HMAP_FOR_EACH (port, node, &known_ports) {
        if (port->ifindex == ifindex) {
            return port;
        }
    }
    return NULL;
}

/* What there is to know of 'netdev'.  Asks for the block first: the ifindex
 * alone would be learned without the kind of the device, and a bond then taken
 * for a device without a block. */
static struct known_port *
known_port_create(struct netdev *netdev, odp_port_t odp_port)
{
    char namebuf[NETDEV_VPORT_NAME_BUFSIZE];
    struct known_port *port = xzalloc(sizeof *port);
    int ifindex;

    port->odp_port = odp_port;
    port->name = xstrdup(netdev_vport_get_dpif_port(netdev, namebuf,
                                                    sizeof namebuf));
    port->kind = ports_kind(netdev);
    port->block_id = netdev_get_block_id(netdev);
    ifindex = netdev_get_ifindex(netdev);
    if (ifindex > 0) {
        port->ifindex = ifindex;
    } else {
        port->error = ifindex ? -ifindex : ENODEV;
    }
    offload_refusal_init(&port->refusal);
    return port;
}

static void
known_port_destroy(struct known_port *port)
{
    free(port->name);
    free(port);
}

/* Is 'port' to be replaced by 'new', which is inserted with its number?
 *
 * Whoever opens the datapath again inserts all of its ports again: each
 * ovs-appctl dpctl command does.  A second kernel datapath has ports of the
 * same numbers, which Open vSwitch takes for the first one's.  But if the
 * first one's device is gone, then the kernel has given its number to another
 * one before Open vSwitch took notice. */
static bool
known_port_is_stale(const struct known_port *port,
                    const struct known_port *new)
{
    char name[IF_NAMESIZE];

    if (port->ifindex == new->ifindex && !strcmp(port->name, new->name)) {
        return port->block_id != new->block_id;
    }
    return !port->ifindex || !if_indextoname(port->ifindex, name);
}

static size_t
flush(struct tcmsg tcm)
{
    struct tc_flushed flushed;

    tcm.tcm_family = AF_UNSPEC;
    tc_flush(&tcm, tc_filter_is_ovs, &flushed);
    return flushed.n_ours;
}

/* With offload enabled, a port is cleaned when it is opened.  Otherwise, rules
 * of a daemon that was killed would go on switching packets, whatever the
 * OpenFlow rules say, and nobody would ever delete them: Open vSwitch does so
 * only where it configures ingress policing, which excludes tunnels. */
static void
known_port_remove_leftovers(const struct known_port *port)
{
    size_t n = 0;

    n += flush((struct tcmsg) {
        .tcm_ifindex = port->ifindex,
        .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
    });
    n += flush((struct tcmsg) {
        .tcm_ifindex = port->ifindex,
        .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
    });
    if (port->block_id) {
        n += flush((struct tcmsg) {
            .tcm_ifindex = TCM_IFINDEX_MAGIC_BLOCK,
            .tcm_block_index = port->block_id,
        });
    }
    if (n) {
        VLOG_INFO("%s: removed %"PRIuSIZE" offloaded flows that an earlier "
                  "daemon had left", port->name, n);
    }
}

static void
known_port_add(struct known_port *port)
    OVS_REQUIRES(change_mutex)
{
    if (!port->error) {
        port->error = engine_port_add(port->odp_port, port->name, port->kind,
                                      port->ifindex, port->block_id);
        if (!netdev_is_flow_api_enabled()) {
            known_port_remove_leftovers(port);
        }
    }
    if (port->error) {
        VLOG_DBG("%s (port %"PRIu32") can't take part in offload: %s",
                 port->name, port->odp_port, ovs_strerror(port->error));
    }

    ovs_mutex_lock(&mutex);
    hmap_insert(&known_ports, &port->node, hash_odp_port(port->odp_port));
    ovs_mutex_unlock(&mutex);
}

static void
known_port_remove(struct known_port *port)
    OVS_REQUIRES(change_mutex)
{
    ovs_mutex_lock(&mutex);
    hmap_remove(&known_ports, &port->node);
    ovs_mutex_unlock(&mutex);

    engine_port_remove(port->odp_port);
    known_port_destroy(port);
}

/* It stays there until 'change_mutex' is released. */
static struct known_port *
known_port_get(odp_port_t odp_port)
    OVS_REQUIRES(change_mutex)
{
    struct known_port *port;

    ovs_mutex_lock(&mutex);
    port = known_port_find(odp_port);
    ovs_mutex_unlock(&mutex);
    return port;
}

enum insertion { PORT_NEW, PORT_KNOWN, PORT_REPLACED };

/* Makes 'netdev' known as port 'odp_port'. */
static enum insertion
ports_add(struct netdev *netdev, odp_port_t odp_port)
{
    struct known_port *port = known_port_create(netdev, odp_port);
    enum insertion insertion = PORT_NEW;
    struct known_port *old;

    ovs_mutex_lock(&change_mutex);
    old = known_port_get(odp_port);
    if (old) {
        insertion = (known_port_is_stale(old, port)
                     ? PORT_REPLACED : PORT_KNOWN);
    }
    if (insertion == PORT_REPLACED) {
        known_port_remove(old);
    }
    if (insertion == PORT_KNOWN) {
        known_port_destroy(port);
    } else {
        known_port_add(port);
    }
    ovs_mutex_unlock(&change_mutex);

    return insertion;
}

/* Takes the port out before Open vSwitch does: a flow that a handler brings in
 * between stays in software. */
static void
ports_remove(odp_port_t odp_port)
{
    struct known_port *port;

    ovs_mutex_lock(&change_mutex);
    port = known_port_get(odp_port);
    if (port) {
        known_port_remove(port);
    }
    ovs_mutex_unlock(&change_mutex);
}

/* Open vSwitch may assign the provider to a netdev, which opens the port,
 * inside of the real function, so the port must be known before.  It doesn't
 * if the netdev has a provider already, because it was a port before and
 * somebody kept it open. */
int
__wrap_netdev_ports_insert(struct netdev *netdev, struct dpif_port *dpif_port)
{
    if (flow_api_serves(netdev)) {
        enum insertion insertion = ports_add(netdev, dpif_port->port_no);

        if (insertion == PORT_REPLACED) {
            __real_netdev_ports_remove(dpif_port->port_no,
                                       netdev_get_dpif_type(netdev));
        }
        if (insertion != PORT_KNOWN && flow_api_is_assigned(netdev)) {
            ports_open(netdev);
        }
    }
#ifdef DPDK_NETDEV
    dpdk_ports_add(netdev, dpif_port->port_no);
#endif
    return __real_netdev_ports_insert(netdev, dpif_port);
}

/* When the daemon ends without "--cleanup", the datapath's flows stay, so that
 * packets go on being switched until the next daemon has started.  So do ours:
 * it takes them out then. */
int
__wrap_dpif_port_del(struct dpif *dpif, odp_port_t odp_port, bool local_delete)
{
    int error;

    is_leaving = local_delete;
    error = __real_dpif_port_del(dpif, odp_port, local_delete);
    is_leaving = false;
    return error;
}

void
__wrap_dpif_close(struct dpif *dpif)
{
    is_leaving = true;
    __real_dpif_close(dpif);
    is_leaving = false;
}

int
__wrap_netdev_ports_remove(odp_port_t odp_port, const char *dpif_type)
{
    if (!strcmp(dpif_type, "system") && !is_leaving) {
        ports_remove(odp_port);
    }
#ifdef DPDK_NETDEV
    if (!strcmp(dpif_type, "netdev")) {
        dpdk_ports_remove(odp_port);
    }
#endif
    return __real_netdev_ports_remove(odp_port, dpif_type);
}

struct offload_port *
ports_lookup(const struct netdev *netdev)
{
    int ifindex = flow_api_serves(netdev) ? netdev_get_ifindex(netdev) : 0;

    return ifindex > 0 ? offload_port_lookup_ifindex(ifindex) : NULL;
}

void
ports_open(const struct netdev *netdev)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    int ifindex = netdev_get_ifindex(netdev);
    struct ds s = DS_EMPTY_INITIALIZER;
    struct known_port *port;

    if (ifindex <= 0) {
        return;                 /* Known since the port was inserted. */
    }

    engine_port_open(ifindex, &refusal);

    ovs_mutex_lock(&mutex);
    port = known_port_find_ifindex(ifindex);
    if (port) {
        port->refusal = refusal;
    }
    ovs_mutex_unlock(&mutex);

    if (offload_refused(&refusal)) {
        offload_refusal_format(&refusal, &s);
        VLOG_INFO("%s: flows can't be offloaded: %s", netdev_get_name(netdev),
                  ds_cstr(&s));
        ds_destroy(&s);
    }
}

bool
ports_refusal(odp_port_t odp_port, struct offload_refusal *refusal)
{
    struct known_port *port;
    bool found = false;

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (port, node, &known_ports) {
        if (port->odp_port == odp_port && port->error) {
            offload_refuse(refusal, OFFLOAD_REFUSED_IN_PORT, "in_port", NULL,
                           "%s can't be used", port->name);
            refusal->error = port->error;
            found = true;
        } else if (port->odp_port == odp_port
                   && offload_refused(&port->refusal)) {
            *refusal = port->refusal;
            found = true;
        }
    }
    ovs_mutex_unlock(&mutex);
    return found;
}

static bool
known_port_is_refused(const struct known_port *port)
{
    return port->error || offload_refused(&port->refusal);
}

static void
known_port_format_refusal(const struct known_port *port, struct ds *s)
{
    if (port->error) {
        ds_put_format(s, "%s: %s", port->ifindex ? "can't be used"
                      : "no network device to be found",
                      ovs_strerror(port->error));
    } else {
        offload_refusal_format(&port->refusal, s);
    }
}

void
ports_for_each(void (*cb)(const struct ports_entry *, void *aux), void *aux)
{
    struct known_port *port;

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (port, node, &known_ports) {
        bool refused = known_port_is_refused(port);
        struct ds s = DS_EMPTY_INITIALIZER;
        struct ports_entry entry = {
            .odp_port = port->odp_port,
            .name = port->name,
            .kind = port->kind,
            .ifindex = port->ifindex,
        };

        if (refused) {
            known_port_format_refusal(port, &s);
            entry.refusal = ds_cstr(&s);
        }
        cb(&entry, aux);
        ds_destroy(&s);
    }
    ovs_mutex_unlock(&mutex);
}
