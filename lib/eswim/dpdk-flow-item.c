/* SPDX-License-Identifier: Apache-2.0 */

/* Pattern items: a row for each. */

#include "eswim/dpdk-flow.h"

#include <errno.h>
#include <string.h>

/* A pattern item of DPDK's.
 *
 * Most of them are the header's bytes, followed by what can't be seen in
 * them; that is all that 'size' and 'flags' say.  The others have a function
 * that converts spec, last or mask, into memory of its own, and returns NULL,
 * with an error set, if that can't be.  */
struct item_row {
    enum rte_flow_item_type type;
    enum eswitch_item_type item;
    uint8_t size;                       /* Of the header. */
    const void *default_mask;           /* Where the caller gives none. */
    uint32_t (*flags)(const void *raw); /* ESWITCH_HAS_*. */
    const void *(*convert)(struct eswim_translation *, const void *raw,
                           const struct rte_flow_item *, bool is_mask);
    /* Puts dialects into the eswitch's words.  Returns 0 or an errno. */
    int (*adjust)(struct eswim_translation *, struct eswitch_item *);
    /* What is wrong with a mask that can't be honoured, or NULL. */
    const char *(*check_mask)(const void *mask);
};

static int
refuse(struct eswim_translation *t, const struct rte_flow_item *item,
       int error, enum rte_flow_error_type type, const char *what)
{
    const char *name = NULL;

    rte_flow_conv(RTE_FLOW_CONV_OP_ITEM_NAME_PTR, &name, sizeof name,
                  (void *) (uintptr_t) item->type, NULL);
    return eswim_flow_error(t->error, error, type, item, "%s: %s",
                            name ? name : "unknown item", what);
}

/* Headers that are more than their bytes. */

static uint32_t
eth_flags(const void *eth_)
{
    const struct rte_flow_item_eth *eth = eth_;

    return eth->has_vlan ? ESWITCH_HAS_VLAN : 0;
}

static uint32_t
vlan_flags(const void *vlan_)
{
    const struct rte_flow_item_vlan *vlan = vlan_;

    return vlan->has_more_vlan ? ESWITCH_HAS_VLAN : 0;
}

static uint32_t
ipv6_flags(const void *ip_)
{
    const struct rte_flow_item_ipv6 *ip = ip_;

    return ip->has_frag_ext ? ESWITCH_HAS_FRAG_EXT : 0;
}

static const char *
ipv6_check_mask(const void *mask_)
{
    const struct rte_flow_item_ipv6 *mask = mask_;

    return mask->has_hop_ext || mask->has_route_ext || mask->has_auth_ext
           || mask->has_esp_ext || mask->has_dest_ext || mask->has_mobil_ext
           || mask->has_hip_ext || mask->has_shim6_ext
           ? "of the extension headers only the fragment's can be matched"
           : NULL;
}

/* "Any but the first fragment" is a range of the offset.  It begins at 1, but
 * Open vSwitch writes 8, counting bytes where the header has units of 8. */
static int
ipv4_adjust(struct eswim_translation *t, struct eswitch_item *item)
{
    const rte_be16_t all = RTE_BE16(RTE_IPV4_HDR_OFFSET_MASK);
    const struct rte_ipv4_hdr *spec = item->spec, *last = item->last;
    const struct rte_ipv4_hdr *mask = item->mask;
    struct rte_ipv4_hdr *adjusted;

    if (last && mask->fragment_offset == all && last->fragment_offset == all
        && (spec->fragment_offset & all) == RTE_BE16(8)) {
        adjusted = eswim_scratch(t, sizeof *adjusted);
        if (!adjusted) {
            return rte_errno;
        }
        *adjusted = *spec;
        adjusted->fragment_offset = RTE_BE16(1);
        item->spec = adjusted;
    }
    return 0;
}

/* DPDK's structure isn't packed. */
static const void *
convert_arp(struct eswim_translation *t, const void *arp_,
            const struct rte_flow_item *item __rte_unused,
            bool is_mask __rte_unused)
{
    const struct rte_flow_item_arp_eth_ipv4 *arp = arp_;
    uint8_t *header = eswim_scratch(t, 28);

    if (header) {
        memcpy(header, &arp->hrd, 2);
        memcpy(header + 2, &arp->pro, 2);
        header[4] = arp->hln;
        header[5] = arp->pln;
        memcpy(header + 6, &arp->op, 2);
        memcpy(header + 8, &arp->sha, 6);
        memcpy(header + 14, &arp->spa, 4);
        memcpy(header + 18, &arp->tha, 6);
        memcpy(header + 24, &arp->tpa, 4);
    }
    return header;
}

/* The length of the data is the spec's, for the mask too, and both may have
 * less than that. */
static const void *
convert_geneve_opt(struct eswim_translation *t, const void *option_,
                   const struct rte_flow_item *item, bool is_mask)
{
    const struct rte_flow_item_geneve_opt *option = option_;
    const struct rte_flow_item_geneve_opt *spec = item->spec;
    size_t n = spec->option_len * 4;
    uint8_t *header;

    if (spec->option_len > 31) {
        refuse(t, item, EINVAL, RTE_FLOW_ERROR_TYPE_ITEM_SPEC,
               "longer than 31 words");
        return NULL;
    }
    header = eswim_scratch(t, 4 + n);
    if (header) {
        memset(header, 0, 4 + n);
        memcpy(header, &option->option_class, 2);
        header[2] = option->option_type;
        header[3] = is_mask ? option->option_len & 0x1f : option->option_len;
        if (option->data) {
            memcpy(header + 4, option->data, n);
        }
    }
    return header;
}

/* Ports.  The eswitch numbers them by itself. */

static bool
is_zero(const struct rte_flow_item *item, const void *p)
{
    static const uint8_t zeros[8];

    return p && !memcmp(p, zeros, item->type == RTE_FLOW_ITEM_TYPE_PORT_ID
                                  ? sizeof(struct rte_flow_item_port_id)
                                  : sizeof(struct rte_flow_item_ethdev));
}

/* 'id' is of the mask if 'is_mask'; 'all' is a full one.  If the mask is
 * empty, the spec may be anything. */
static const void *
convert_port_number(struct eswim_translation *t, uint32_t id, uint32_t all,
                    const struct rte_flow_item *item, bool is_mask)
{
    const struct eswim_port *port = eswim_port_by_id(t->port->nic, id);
    uint32_t *number = eswim_scratch(t, sizeof *number);

    if (!number) {
        return NULL;
    }
    if (is_mask) {
        if (id && id != all) {
            refuse(t, item, ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM_MASK,
                   "a port is matched fully or not at all");
            return NULL;
        }
        *number = id ? UINT32_MAX : 0;
    } else if (port) {
        *number = port->index;
    } else if (is_zero(item, item->mask)) {
        *number = 0;
    } else {
        refuse(t, item, EINVAL, RTE_FLOW_ERROR_TYPE_ITEM_SPEC,
               "no port of this NIC");
        return NULL;
    }
    return number;
}

static const void *
convert_port_id(struct eswim_translation *t, const void *port_id_,
                const struct rte_flow_item *item, bool is_mask)
{
    const struct rte_flow_item_port_id *port_id = port_id_;

    return convert_port_number(t, port_id->id, UINT32_MAX, item, is_mask);
}

static const void *
convert_ethdev(struct eswim_translation *t, const void *ethdev_,
               const struct rte_flow_item *item, bool is_mask)
{
    const struct rte_flow_item_ethdev *ethdev = ethdev_;

    return convert_port_number(t, ethdev->port_id, UINT16_MAX, item, is_mask);
}

/* DPDK has no masks of its own for these. */
static const rte_be32_t gre_key_mask = UINT32_MAX;
static const struct rte_flow_item_ipv6_frag_ext frag_ext_mask = {
    .hdr = { .next_header = UINT8_MAX, .frag_data = UINT16_MAX },
};

#define ROW(TYPE, ITEM, SIZE, MASK, ...)                                \
    { .type = RTE_FLOW_ITEM_TYPE_##TYPE, .item = ESWITCH_ITEM_##ITEM,   \
      .size = SIZE, .default_mask = &MASK, __VA_ARGS__ }

static const struct item_row item_rows[] = {
    ROW(PORT_ID, PORT, 4, rte_flow_item_port_id_mask,
        .convert = convert_port_id),
    ROW(REPRESENTED_PORT, PORT, 4, rte_flow_item_ethdev_mask,
        .convert = convert_ethdev),
    ROW(MARK, MARK, 4, rte_flow_item_mark_mask,),
    ROW(ETH, ETH, 14, rte_flow_item_eth_mask, .flags = eth_flags),
    ROW(VLAN, VLAN, 4, rte_flow_item_vlan_mask, .flags = vlan_flags),
    ROW(MPLS, MPLS, 4, rte_flow_item_mpls_mask,),
    ROW(ARP_ETH_IPV4, ARP, 28, rte_flow_item_arp_eth_ipv4_mask,
        .convert = convert_arp),
    ROW(IPV4, IPV4, 20, rte_flow_item_ipv4_mask, .adjust = ipv4_adjust),
    ROW(IPV6, IPV6, 40, rte_flow_item_ipv6_mask, .flags = ipv6_flags,
        .check_mask = ipv6_check_mask),
    ROW(IPV6_FRAG_EXT, IPV6_FRAG_EXT, 8, frag_ext_mask,),
    ROW(TCP, TCP, 20, rte_flow_item_tcp_mask,),
    ROW(UDP, UDP, 8, rte_flow_item_udp_mask,),
    ROW(SCTP, SCTP, 12, rte_flow_item_sctp_mask,),
    ROW(ICMP, ICMP, 8, rte_flow_item_icmp_mask,),
    ROW(ICMP6, ICMP6, 4, rte_flow_item_icmp6_mask,),
    ROW(VXLAN, VXLAN, 8, rte_flow_item_vxlan_mask,),
    ROW(GENEVE, GENEVE, 8, rte_flow_item_geneve_mask,),
    ROW(GENEVE_OPT, GENEVE_OPT, 4, rte_flow_item_geneve_opt_mask,
        .convert = convert_geneve_opt),
    ROW(GRE, GRE, 4, rte_flow_item_gre_mask,),
    ROW(GRE_KEY, GRE_KEY, 4, gre_key_mask,),
};

static const struct item_row *
find_row(enum rte_flow_item_type type)
{
    for (size_t i = 0; i < RTE_DIM(item_rows); i++) {
        if (item_rows[i].type == type) {
            return &item_rows[i];
        }
    }
    return NULL;
}

/* Returns how many bytes the header has that an item of 'type' begins with, or
 * 0 if it isn't a header. */
size_t
eswim_item_header_size(enum rte_flow_item_type type)
{
    const struct item_row *row = find_row(type);

    return row && !row->convert && row->item != ESWITCH_ITEM_MARK
           ? row->size : 0;
}

static int
refuse_unknown(struct eswim_translation *t, const struct rte_flow_item *item)
{
    return refuse(t, item, ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM,
                  item->type == RTE_FLOW_ITEM_TYPE_PORT_REPRESENTOR
                  ? "what software sends isn't switched by rules"
                  : "this NIC can't match it");
}

static int
convert(struct eswim_translation *t, const struct item_row *row,
        const struct rte_flow_item *from, struct eswitch_item *to)
{
    const void *mask = from->mask ? from->mask : row->default_mask;
    const char *complaint = row->check_mask ? row->check_mask(mask) : NULL;
    const void *last = from->last;

    if (complaint) {
        return refuse(t, from, ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM_MASK,
                      complaint);
    }
    if (row->item == ESWITCH_ITEM_PORT && is_zero(from, last)) {
        last = NULL;            /* No port 0, but no range. */
    }
    if (row->flags) {
        to->flags = row->flags(from->spec);
        to->flags_mask = row->flags(mask);
    }
    to->spec = from->spec;
    to->last = last;
    to->mask = mask;
    if (row->convert) {
        to->spec = row->convert(t, from->spec, from, false);
        to->mask = to->spec ? row->convert(t, mask, from, true) : NULL;
        to->last = to->mask && last
                   ? row->convert(t, last, from, false) : NULL;
        if (!to->mask || (last && !to->last)) {
            return rte_errno;
        }
        if (row->item == ESWITCH_ITEM_GENEVE_OPT) {
            const struct rte_flow_item_geneve_opt *option = from->spec;

            to->size = 4 + option->option_len * 4;
        }
    }
    return row->adjust ? row->adjust(t, to) : 0;
}

static int
translate_item(struct eswim_translation *t, const struct rte_flow_item *from)
{
    const struct item_row *row = find_row(from->type);
    struct eswitch_item *to;

    if (!row) {
        return refuse_unknown(t, from);
    }
    if (!from->spec && (from->last || from->mask)) {
        return refuse(t, from, EINVAL, RTE_FLOW_ERROR_TYPE_ITEM_SPEC,
                      "a mask or a range needs a spec");
    }
    if (t->n_items >= ESWITCH_MAX_ITEMS) {
        return refuse(t, from, EINVAL, RTE_FLOW_ERROR_TYPE_ITEM_NUM,
                      "too many items");
    }
    t->item_of[t->n_items] = from;
    to = &t->items[t->n_items++];
    *to = (struct eswitch_item) { .type = row->item, .size = row->size };
    return from->spec ? convert(t, row, from, to) : 0;
}

int
eswim_translate_items(struct eswim_translation *t,
                      const struct rte_flow_item pattern[])
{
    int error = 0;

    if (!pattern) {
        return eswim_flow_error(t->error, EINVAL,
                                RTE_FLOW_ERROR_TYPE_ITEM_NUM, NULL,
                                "a rule needs a pattern");
    }
    for (; !error && pattern->type != RTE_FLOW_ITEM_TYPE_END; pattern++) {
        if (pattern->type != RTE_FLOW_ITEM_TYPE_VOID) {
            error = translate_item(t, pattern);
        }
    }
    return error;
}
