/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "nic-ports.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/devlink.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "hash.h"
#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "socket-util.h"
#include "util.h"

/* Attributes.  A kernel's strings end with a NUL, but nothing is taken for
 * granted. */

static void
copy_string(const struct nlattr *nla, char *s, size_t size)
{
    size_t n = nla ? nl_attr_get_size(nla) : 0;

    if (n) {
        n = strnlen(nl_attr_get(nla), MIN(n, size - 1));
        memcpy(s, nl_attr_get(nla), n);
    }
    s[n] = '\0';
}

static void
copy_hex(const struct nlattr *nla, char *s, size_t size)
{
    size_t n = nla ? MIN(nl_attr_get_size(nla), (size - 1) / 2) : 0;

    for (size_t i = 0; i < n; i++) {
        const uint8_t *bytes = nl_attr_get(nla);

        snprintf(&s[2 * i], 3, "%02x", bytes[i]);
    }
    s[2 * n] = '\0';
}

/* An unsigned number of 2 or 4 bytes, -1 if it isn't there. */
static int64_t
get_number(const struct nlattr *nla)
{
    switch (nla ? nl_attr_get_size(nla) : 0) {
    case 2:
        return nl_attr_get_u16(nla);
    case 4:
        return nl_attr_get_u32(nla);
    default:
        return -1;
    }
}

/* rtnetlink. */

/* If '*s' begins with 'prefix' and a number, takes them off and stores that in
 * '*number'. */
static bool
take_number(const char **s, const char *prefix, int64_t *number)
{
    size_t n = strlen(prefix);
    char *end;

    if (strncmp(*s, prefix, n) || !isdigit((unsigned char) (*s)[n])) {
        return false;
    }
    *number = strtoul(*s + n, &end, 10);
    *s = end;
    return true;
}

/* The forms that the kernel gives phys_port_name: p1, p1s2, pf1, pf1vf2,
 * pf1sf2, the latter three behind the number of another host's controller,
 * c1. */
static void
parse_port_name(struct nic_port *port)
{
    struct nic_port p = *port;
    const char *s = p.port_name;
    int64_t lane;

    take_number(&s, "c", &p.controller);
    if (take_number(&s, "pf", &p.pf)) {
        p.flavour = (take_number(&s, "vf", &p.vf) ? NIC_PORT_VF
                     : take_number(&s, "sf", &p.sf) ? NIC_PORT_SF
                     : NIC_PORT_PF);
    } else if (take_number(&s, "p", &p.number)) {
        p.flavour = NIC_PORT_UPLINK;
        take_number(&s, "s", &lane);
    }
    if (p.flavour != NIC_PORT_OTHER && !*s) {
        p.source = "phys_port_name";
        *port = p;
    }
}

static void
read_link(struct nic_ports *ports, const struct ofpbuf *reply)
{
    const size_t offset = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifinfomsg));
    const struct ifinfomsg *ifi;
    const struct nlattr *info, *master;
    struct nic_port *port;

    ifi = ofpbuf_at(reply, NLMSG_HDRLEN, sizeof *ifi);
    if (!ifi || reply->size < offset
        || nl_msg_nlmsghdr(reply)->nlmsg_type != RTM_NEWLINK
        || nic_ports_find(ports, ifi->ifi_index)) {
        return;
    }
    port = xzalloc(sizeof *port);
    port->ifindex = ifi->ifi_index;
    port->number = port->controller = port->pf = port->vf = port->sf = -1;
    copy_string(nl_attr_find(reply, offset, IFLA_IFNAME), port->name,
                sizeof port->name);
    copy_string(nl_attr_find(reply, offset, IFLA_PHYS_PORT_NAME),
                port->port_name, sizeof port->port_name);
    copy_hex(nl_attr_find(reply, offset, IFLA_PHYS_SWITCH_ID),
             port->switch_id, sizeof port->switch_id);
    info = nl_attr_find(reply, offset, IFLA_LINKINFO);
    if (info) {
        copy_string(nl_attr_find_nested(info, IFLA_INFO_KIND),
                    port->link_kind, sizeof port->link_kind);
    }
    master = nl_attr_find(reply, offset, IFLA_MASTER);
    port->master = MAX(get_number(master), 0);
    if (port->switch_id[0]) {
        port->flavour = NIC_PORT_OTHER;
        parse_port_name(port);
    }
    hmap_insert(&ports->ports, &port->node, hash_int(port->ifindex, 0));
}

/* devlink. */

static const enum nic_port_flavour flavours[] = {
    [DEVLINK_PORT_FLAVOUR_PHYSICAL] = NIC_PORT_UPLINK,
    [DEVLINK_PORT_FLAVOUR_PCI_PF] = NIC_PORT_PF,
    [DEVLINK_PORT_FLAVOUR_PCI_VF] = NIC_PORT_VF,
    [DEVLINK_PORT_FLAVOUR_PCI_SF] = NIC_PORT_SF,
};

static void
read_devlink_port(struct nic_ports *ports, const struct ofpbuf *reply)
{
    const size_t offset = NLMSG_HDRLEN + GENL_HDRLEN;
    char bus[32], device[48];
    struct nic_port *port;
    int64_t flavour;

    if (reply->size < offset) {
        return;
    }
    port = CONST_CAST(struct nic_port *, nic_ports_find(
        ports, get_number(nl_attr_find(reply, offset,
                                       DEVLINK_ATTR_PORT_NETDEV_IFINDEX))));
    flavour = get_number(nl_attr_find(reply, offset,
                                      DEVLINK_ATTR_PORT_FLAVOUR));
    if (!port || flavour < 0) {
        return;
    }
    copy_string(nl_attr_find(reply, offset, DEVLINK_ATTR_BUS_NAME), bus,
                sizeof bus);
    copy_string(nl_attr_find(reply, offset, DEVLINK_ATTR_DEV_NAME), device,
                sizeof device);
    snprintf(port->device, sizeof port->device, "%s/%s", bus, device);
    if (!port->switch_id[0]) {
        return;                 /* A NIC without a switch, or not in use. */
    }
    port->source = "devlink";
    port->flavour = (flavour < ARRAY_SIZE(flavours)
                     && flavours[flavour] != NIC_PORT_NONE
                     ? flavours[flavour] : NIC_PORT_OTHER);
    port->number = get_number(nl_attr_find(reply, offset,
                                           DEVLINK_ATTR_PORT_NUMBER));
    port->controller = get_number(nl_attr_find(
        reply, offset, DEVLINK_ATTR_PORT_CONTROLLER_NUMBER));
    port->pf = get_number(nl_attr_find(reply, offset,
                                       DEVLINK_ATTR_PORT_PCI_PF_NUMBER));
    port->vf = get_number(nl_attr_find(reply, offset,
                                       DEVLINK_ATTR_PORT_PCI_VF_NUMBER));
    port->sf = get_number(nl_attr_find(reply, offset,
                                       DEVLINK_ATTR_PORT_PCI_SF_NUMBER));
}

/* Both. */

static int
dump(struct nic_ports *ports, int protocol, struct ofpbuf *request,
     void (*take)(struct nic_ports *, const struct ofpbuf *))
{
    uint64_t stub[NL_DUMP_BUFSIZE / 8];
    struct ofpbuf reply, buffer;
    struct nl_dump d;

    nl_dump_start(&d, protocol, request);
    ofpbuf_use_stub(&buffer, stub, sizeof stub);
    while (nl_dump_next(&d, &reply, &buffer)) {
        take(ports, &reply);
    }
    ofpbuf_uninit(&buffer);
    return nl_dump_done(&d);
}

int
nic_ports_read(struct nic_ports *ports)
{
    struct ofpbuf request;
    int family = 0;             /* Not known yet. */
    int error;

    hmap_init(&ports->ports);

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof(struct ifinfomsg), RTM_GETLINK,
                        NLM_F_REQUEST);
    ofpbuf_put_zeros(&request, sizeof(struct ifinfomsg));
    error = dump(ports, NETLINK_ROUTE, &request, read_link);
    ofpbuf_uninit(&request);

    /* Not every kernel has devlink. */
    if (!error && !nl_lookup_genl_family(DEVLINK_GENL_NAME, &family)) {
        ofpbuf_init(&request, 0);
        nl_msg_put_genlmsghdr(&request, 0, family, NLM_F_REQUEST,
                              DEVLINK_CMD_PORT_GET, DEVLINK_GENL_VERSION);
        error = dump(ports, NETLINK_GENERIC, &request, read_devlink_port);
        ofpbuf_uninit(&request);
    }
    return error;
}

void
nic_ports_destroy(struct nic_ports *ports)
{
    struct nic_port *port;

    HMAP_FOR_EACH_POP (port, node, &ports->ports) {
        free(port);
    }
    hmap_destroy(&ports->ports);
}

const struct nic_port *
nic_ports_find(const struct nic_ports *ports, int ifindex)
{
    const struct nic_port *port;

    HMAP_FOR_EACH_WITH_HASH (port, node, hash_int(ifindex, 0),
                             &ports->ports) {
        if (port->ifindex == ifindex) {
            return port;
        }
    }
    return NULL;
}

/* ethtool. */

static int
ethtool(const char *name, void *command)
{
    struct ifreq ifr;

    memset(&ifr, 0, sizeof ifr);
    ovs_strlcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    ifr.ifr_data = command;
    return af_inet_ioctl(SIOCETHTOOL, &ifr);
}

/* The number of the feature called 'name', and that of all features. */
static int
find_feature(const char *device, const char *name, uint32_t *index,
             uint32_t *n)
{
    union {
        struct ethtool_sset_info head;
        uint32_t words[sizeof(struct ethtool_sset_info) / 4 + 1];
    } info = {
        .head = { .cmd = ETHTOOL_GSSET_INFO,
                  .sset_mask = 1ULL << ETH_SS_FEATURES },
    };
    struct ethtool_gstrings *strings;
    uint32_t n_strings;
    int error;

    error = ethtool(device, &info);
    n_strings = info.words[ARRAY_SIZE(info.words) - 1];
    if (error || !info.head.sset_mask || n_strings > 4096) {
        return error ? error : EOPNOTSUPP;
    }
    strings = xzalloc(sizeof *strings + n_strings * ETH_GSTRING_LEN);
    strings->cmd = ETHTOOL_GSTRINGS;
    strings->string_set = ETH_SS_FEATURES;
    strings->len = n_strings;
    error = ethtool(device, strings);
    *n = MIN(n_strings, strings->len);
    for (*index = 0; !error && *index < *n; ++*index) {
        if (!strncmp((char *) &strings->data[*index * ETH_GSTRING_LEN], name,
                     ETH_GSTRING_LEN)) {
            break;
        }
    }
    free(strings);
    return error ? error : *index < *n ? 0 : EOPNOTSUPP;
}

int
nic_port_tc_offload(const char *name, bool *on)
{
    struct ethtool_gfeatures *features;
    uint32_t index, n, n_blocks;
    int error;

    error = find_feature(name, "hw-tc-offload", &index, &n);
    if (error) {
        return error;
    }
    n_blocks = DIV_ROUND_UP(n, 32);
    features = xzalloc(sizeof *features
                       + n_blocks * sizeof features->features[0]);
    features->cmd = ETHTOOL_GFEATURES;
    features->size = n_blocks;
    error = ethtool(name, features);
    if (!error) {
        uint32_t bit = UINT32_C(1) << index % 32;

        if (!(features->features[index / 32].available & bit)
            && !(features->features[index / 32].active & bit)) {
            error = EOPNOTSUPP;
        }
        *on = (features->features[index / 32].active & bit) != 0;
    }
    free(features);
    return error;
}
