/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/eswitch-packet.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>

#define ETH_LEN 14
#define ETH_TYPE_OFS 12

#define TYPE_IPV4 0x0800
#define TYPE_ARP 0x0806
#define TYPE_TEB 0x6558             /* Ethernet in GRE, in GENEVE. */
#define TYPE_VLAN 0x8100
#define TYPE_IPV6 0x86dd
#define TYPE_MPLS 0x8847
#define TYPE_MPLS_MULTICAST 0x8848
#define TYPE_QINQ 0x88a8

#define VXLAN_I 0x08
#define GRE_CSUM 0x8000
#define GRE_ROUTING 0x4000
#define GRE_KEY 0x2000
#define GRE_SEQ 0x1000
#define GRE_VERSION 0x0007

#define IPPROTO_AUTH 51             /* Authentication header. */

/* Finding the headers. */

/* Where the parser is: the next header is at 'ofs', and what belongs to it
 * ends at 'end'. */
struct cursor {
    struct packet *packet;
    size_t ofs, end;
    uint8_t level;
    bool fragment;                  /* Of a datagram. */
};

/* A layer of 'fixed' bytes at the cursor.  Null if they aren't there. */
static struct packet_layer *
push(struct cursor *c, enum eswitch_item_type item, size_t fixed)
{
    struct packet *packet = c->packet;
    struct packet_layer *layer;

    if (c->end - c->ofs < fixed || packet->n_layers >= PACKET_MAX_LAYERS) {
        return NULL;
    }
    layer = &packet->layers[packet->n_layers++];
    memset(layer, 0, sizeof *layer);
    layer->item = item;
    layer->level = c->level;
    layer->ofs = c->ofs;
    layer->hdr_end = c->ofs + fixed;
    layer->end = c->end;
    c->ofs += fixed;
    return layer;
}

static const uint8_t *
at(const struct cursor *c)
{
    return c->packet->data + c->ofs;
}

static size_t
left(const struct cursor *c)
{
    return c->end - c->ofs;
}

static void parse_eth(struct cursor *);
static void parse_ipv4(struct cursor *);
static void parse_ipv6(struct cursor *);

static void
parse_inner(struct cursor *c, uint16_t type)
{
    if (c->level >= PACKET_MAX_LEVEL) {
        return;
    }
    c->level++;
    if (type == TYPE_TEB) {
        parse_eth(c);
    } else if (type == TYPE_IPV4) {
        parse_ipv4(c);
    } else if (type == TYPE_IPV6) {
        parse_ipv6(c);
    }
}

static void
parse_vxlan(struct cursor *c)
{
    if (left(c) >= 8 && at(c)[0] & VXLAN_I
        && push(c, ESWITCH_ITEM_VXLAN, 8)) {
        parse_inner(c, TYPE_TEB);
    }
}

static void
parse_geneve(struct cursor *c)
{
    struct packet_layer *layer;
    const uint8_t *geneve = at(c);

    if (left(c) < 8 || geneve[0] >> 6
        || left(c) < 8 + (geneve[0] & 0x3f) * 4u) {
        return;
    }
    layer = push(c, ESWITCH_ITEM_GENEVE, 8);
    if (layer) {
        c->ofs = layer->hdr_end += (geneve[0] & 0x3f) * 4u;
        parse_inner(c, get_be16(geneve + 2));
    }
}

static void
parse_gre(struct cursor *c)
{
    struct packet_layer *layer;
    const uint8_t *gre = at(c);
    uint16_t flags;
    size_t options;

    if (left(c) < 4) {
        return;
    }
    flags = get_be16(gre);
    options = 4 * (!!(flags & GRE_CSUM) + !!(flags & GRE_KEY)
                   + !!(flags & GRE_SEQ));
    if (flags & (GRE_ROUTING | GRE_VERSION) || left(c) < 4 + options) {
        return;
    }
    layer = push(c, ESWITCH_ITEM_GRE, 4);
    if (layer) {
        c->ofs = layer->hdr_end += options;
        parse_inner(c, get_be16(gre + 2));
    }
}

static bool
is_one_of(const _Atomic uint16_t ports[], uint16_t port)
{
    for (size_t i = 0; i < PACKET_N_TUNNEL_PORTS; i++) {
        if (atomic_load_explicit(&ports[i], memory_order_relaxed) == port) {
            return port != 0;
        }
    }
    return false;
}

static void
parse_udp(struct cursor *c)
{
    const uint8_t *udp = at(c);
    struct packet_layer *layer = push(c, ESWITCH_ITEM_UDP, 8);
    uint16_t dst, size;

    if (!layer || c->fragment) {
        return;
    }
    dst = get_be16(udp + 2);
    size = get_be16(udp + 4);
    if (size < 8 || size > layer->end - layer->ofs) {
        return;
    }
    c->end = layer->ofs + size;
    if (is_one_of(c->packet->ports->vxlan, dst)) {
        parse_vxlan(c);
    } else if (is_one_of(c->packet->ports->geneve, dst)) {
        parse_geneve(c);
    }
}

static void
parse_l4(struct cursor *c, uint8_t proto, bool ipv6)
{
    switch (proto) {
    case IPPROTO_TCP:
        push(c, ESWITCH_ITEM_TCP, 20);
        break;
    case IPPROTO_UDP:
        parse_udp(c);
        break;
    case IPPROTO_SCTP:
        push(c, ESWITCH_ITEM_SCTP, 12);
        break;
    case IPPROTO_ICMP:
        if (!ipv6) {
            push(c, ESWITCH_ITEM_ICMP, 8);
        }
        break;
    case IPPROTO_ICMPV6:
        if (ipv6) {
            push(c, ESWITCH_ITEM_ICMP6, 4);
        }
        break;
    case IPPROTO_GRE:
        if (!c->fragment) {
            parse_gre(c);
        }
        break;
    }
}

static void
parse_ipv4(struct cursor *c)
{
    const uint8_t *ip = at(c);
    struct packet_layer *layer;
    size_t hdr_len, total;
    uint16_t frag;

    if (left(c) < 20 || ip[0] >> 4 != 4) {
        return;
    }
    hdr_len = (ip[0] & 0xf) * 4u;
    total = get_be16(ip + 2);
    if (hdr_len < 20 || total < hdr_len || total > left(c)) {
        return;
    }
    c->end = c->ofs + total;
    layer = push(c, ESWITCH_ITEM_IPV4, 20);
    if (!layer) {
        return;
    }
    c->ofs = layer->hdr_end = layer->ofs + hdr_len;
    layer->l4_proto = ip[9];

    frag = get_be16(ip + 6);
    layer->flags |= frag & 0x3fff ? LAYER_FRAGMENT : 0;
    layer->flags |= frag & 0x1fff ? LAYER_LATER : 0;
    c->fragment = layer->flags & LAYER_FRAGMENT;
    if (!(layer->flags & LAYER_LATER)) {
        layer->l4_ofs = c->ofs;
        parse_l4(c, ip[9], false);
    }
}

/* Steps over an extension header that isn't about fragments.  False if there
 * is none, or not all of it. */
static bool
skip_extension(struct cursor *c, uint8_t *proto, bool *routed)
{
    const uint8_t *ext = at(c);
    size_t size;

    switch (*proto) {
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS:
        if (left(c) < 8) {
            return false;
        }
        *routed |= *proto == IPPROTO_ROUTING && ext[3];
        size = (ext[1] + 1) * 8u;
        break;
    case IPPROTO_AUTH:
        if (left(c) < 8) {
            return false;
        }
        size = (ext[1] + 2) * 4u;
        break;
    default:
        return false;
    }
    if (left(c) < size) {
        return false;
    }
    *proto = ext[0];
    c->ofs += size;
    return true;
}

static bool
is_extension(uint8_t proto)
{
    return (proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING
            || proto == IPPROTO_DSTOPTS || proto == IPPROTO_AUTH
            || proto == IPPROTO_FRAGMENT);
}

/* All extension headers of 'ip'.  False if the payload's header isn't known,
 * or isn't here. */
static bool
parse_extensions(struct cursor *c, struct packet_layer *ip)
{
    bool routed = false;

    for (;;) {
        struct packet_layer *frag;
        const uint8_t *ext;

        while (skip_extension(c, &ip->l4_proto, &routed)) {
            ip->flags |= routed ? LAYER_ROUTED : 0;
        }
        if (ip->l4_proto != IPPROTO_FRAGMENT) {
            return !is_extension(ip->l4_proto);
        }

        ext = at(c);
        if (ip->flags & ESWITCH_HAS_FRAG_EXT
            || !(frag = push(c, ESWITCH_ITEM_IPV6_FRAG_EXT, 8))) {
            return false;
        }
        ip->flags |= ESWITCH_HAS_FRAG_EXT;
        ip->l4_proto = ext[0];
        frag->flags |= get_be16(ext + 2) & 0xfff9 ? LAYER_FRAGMENT : 0;
        frag->flags |= get_be16(ext + 2) & 0xfff8 ? LAYER_LATER : 0;
        c->fragment = frag->flags & LAYER_FRAGMENT;
        if (frag->flags & LAYER_LATER) {
            return false;
        }
    }
}

static void
parse_ipv6(struct cursor *c)
{
    const uint8_t *ip = at(c);
    struct packet_layer *layer;
    size_t payload;

    if (left(c) < 40 || ip[0] >> 4 != 6) {
        return;
    }
    payload = get_be16(ip + 4);
    if (payload > left(c) - 40) {
        return;
    }
    c->end = c->ofs + 40 + payload;
    layer = push(c, ESWITCH_ITEM_IPV6, 40);
    if (!layer) {
        return;
    }
    layer->l4_proto = ip[6];
    if (parse_extensions(c, layer)) {
        layer->l4_ofs = c->ofs;
        parse_l4(c, layer->l4_proto, true);
    }
}

static void
parse_mpls(struct cursor *c)
{
    bool bottom = false;

    while (!bottom && left(c) >= 4) {
        bottom = at(c)[2] & 1;
        if (!push(c, ESWITCH_ITEM_MPLS, 4)) {
            return;
        }
    }
}

static void
parse_arp(struct cursor *c)
{
    static const uint8_t ethernet_ipv4[] = { 0, 1, 8, 0, 6, 4 };

    if (left(c) >= 28
        && !memcmp(at(c), ethernet_ipv4, sizeof ethernet_ipv4)) {
        push(c, ESWITCH_ITEM_ARP, 28);
    }
}

static bool
is_vlan(uint16_t type)
{
    return type == TYPE_VLAN || type == TYPE_QINQ;
}

static void
parse_eth(struct cursor *c)
{
    const uint8_t *eth = at(c);
    struct packet_layer *layer = push(c, ESWITCH_ITEM_ETH, ETH_LEN);
    uint16_t type;

    if (!layer) {
        return;
    }
    type = get_be16(eth + ETH_TYPE_OFS);
    while (is_vlan(type) && left(c) >= 4) {
        struct packet_layer *vlan;

        type = get_be16(at(c) + 2);
        vlan = push(c, ESWITCH_ITEM_VLAN, 4);
        if (!vlan) {
            return;
        }
        layer->flags |= ESWITCH_HAS_VLAN;
        layer = vlan;
    }

    switch (type) {
    case TYPE_IPV4:
        parse_ipv4(c);
        break;
    case TYPE_IPV6:
        parse_ipv6(c);
        break;
    case TYPE_ARP:
        parse_arp(c);
        break;
    case TYPE_MPLS:
    case TYPE_MPLS_MULTICAST:
        parse_mpls(c);
        break;
    }
}

void
packet_parse(struct packet *packet)
{
    struct cursor c = { .packet = packet, .end = packet->size, .level = 1 };

    packet->n_layers = 0;
    if (packet->first == ESWITCH_ITEM_ETH) {
        parse_eth(&c);
    } else if (packet->first == ESWITCH_ITEM_IPV4) {
        parse_ipv4(&c);
    } else if (packet->first == ESWITCH_ITEM_IPV6) {
        parse_ipv6(&c);
    }
}

void
packet_init(struct packet *packet, const struct packet_tunnel_ports *ports,
            uint16_t in_port, const void *frame, size_t size)
{
    packet->ports = ports;
    packet->data = (uint8_t *) frame;   /* Read only: not 'owned'. */
    packet->size = size;
    packet->owned = false;
    packet->has_mark = false;
    packet->mark = 0;
    packet->in_port = in_port;
    packet->first = ESWITCH_ITEM_ETH;
    packet_parse(packet);
}

void
packet_copy(struct packet *dst, const struct packet *src)
{
    /* The buffer is last, and big. */
    memcpy(dst, src, offsetof(struct packet, buf));
    dst->data = dst->buf + PACKET_HEADROOM;
    dst->owned = true;
    memcpy(dst->data, src->data, src->size);
}

static void
own(struct packet *packet)
{
    if (!packet->owned) {
        uint8_t *copy = packet->buf + PACKET_HEADROOM;

        memcpy(copy, packet->data, packet->size);
        packet->data = copy;
        packet->owned = true;
    }
}

const struct packet_layer *
packet_find(const struct packet *packet, enum eswitch_item_type item,
            uint8_t level)
{
    for (size_t i = 0; i < packet->n_layers; i++) {
        const struct packet_layer *layer = &packet->layers[i];

        if (layer->item == item && layer->level == (level ? level : 1)) {
            return layer;
        }
    }
    return NULL;
}

const uint8_t *
packet_geneve_opt(const struct packet *packet,
                  const struct packet_layer *geneve, uint16_t opt_class,
                  uint8_t type, size_t *len)
{
    size_t ofs = geneve->ofs + 8;

    while (geneve->hdr_end - ofs >= 4) {
        const uint8_t *opt = packet->data + ofs;
        size_t data_len = (opt[3] & 0x1f) * 4u;

        if (geneve->hdr_end - ofs < 4 + data_len) {
            break;
        }
        if (get_be16(opt) == opt_class && opt[2] == type) {
            *len = data_len;
            return opt + 4;
        }
        ofs += 4 + data_len;
    }
    return NULL;
}

const uint8_t *
packet_gre_key(const struct packet *packet, const struct packet_layer *gre)
{
    const uint8_t *p = packet->data + gre->ofs;
    uint16_t flags = get_be16(p);

    return flags & GRE_KEY ? p + 4 + (flags & GRE_CSUM ? 4 : 0) : NULL;
}

static uint32_t
hash_bytes(uint32_t hash, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ p[i]) * 0x01000193;      /* FNV-1a. */
    }
    return hash;
}

static bool
has_ports(const struct packet_layer *ip)
{
    bool fragment = ip->flags & (LAYER_FRAGMENT | ESWITCH_HAS_FRAG_EXT);

    return (!fragment && ip->l4_ofs && ip->end - ip->l4_ofs >= 4
            && (ip->l4_proto == IPPROTO_TCP || ip->l4_proto == IPPROTO_UDP
                || ip->l4_proto == IPPROTO_SCTP));
}

uint32_t
packet_hash(const struct packet *packet)
{
    uint32_t hash = 0x811c9dc5;
    const uint8_t *data = packet->data;

    for (size_t i = 0; i < packet->n_layers; i++) {
        const struct packet_layer *layer = &packet->layers[i];

        if (layer->item == ESWITCH_ITEM_IPV4) {
            hash = hash_bytes(hash, data + layer->ofs + 12, 8);
        } else if (layer->item == ESWITCH_ITEM_IPV6) {
            hash = hash_bytes(hash, data + layer->ofs + 8, 32);
        } else {
            continue;
        }
        hash = hash_bytes(hash, &layer->l4_proto, 1);
        if (has_ports(layer)) {
            hash = hash_bytes(hash, data + layer->l4_ofs, 4);
        }
        return hash ^ hash >> 15;
    }
    hash = hash_bytes(hash, data, packet->size < 12 ? packet->size : 12);
    return hash ^ hash >> 15;
}

/* Checksums. */

/* Where the checksum of a protocol over IP is, and what it covers. */
struct l4_checksum {
    uint8_t proto;
    uint8_t ofs;
    bool ipv4, ipv6;                /* Where there is such a protocol. */
    bool pseudo;                    /* Covers the addresses. */
    bool optional;                  /* 0 means none. */
};

/* SCTP's covers no address, and no field of it can be rewritten. */
static const struct l4_checksum l4_checksums[] = {
    { IPPROTO_TCP, 16, true, true, true, false },
    { IPPROTO_UDP, 6, true, true, true, true },
    { IPPROTO_UDPLITE, 6, true, true, true, false },
    { IPPROTO_DCCP, 6, true, true, true, false },
    { IPPROTO_ICMPV6, 2, false, true, true, false },
};

static const struct l4_checksum *
l4_checksum_of(const struct packet_layer *ip)
{
    bool v6 = ip->item == ESWITCH_ITEM_IPV6;

    if (!ip->l4_ofs) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof l4_checksums / sizeof *l4_checksums; i++) {
        const struct l4_checksum *row = &l4_checksums[i];

        if (row->proto == ip->l4_proto && (v6 ? row->ipv6 : row->ipv4)
            && ip->end - ip->l4_ofs >= row->ofs + 2) {
            return row;
        }
    }
    return NULL;
}

/* A change of bytes. */
struct change {
    size_t ofs, n;
    const uint8_t *old, *new;
};

static bool
within(const struct change *change, size_t start, size_t end)
{
    return change->ofs >= start && change->ofs + change->n <= end;
}

/* Updates a checksum that covers the change and is counted from 'start'
 * (RFC 1624, equation 3). */
static void
adjust(struct packet *packet, size_t checksum_ofs, size_t start,
       const struct change *change, bool optional)
{
    uint8_t *p = packet->data + checksum_ofs, bytes[2];
    uint32_t sum = (uint16_t) ~get_be16(p);

    if (within(change, checksum_ofs, checksum_ofs + 2)
        || (optional && !get_be16(p))) {
        return;
    }
    for (size_t i = 0; i < change->n; i++) {
        unsigned shift = (change->ofs + i - start) & 1 ? 0 : 8;

        sum += (uint16_t) ~(change->old[i] << shift);
        sum += (uint16_t) (change->new[i] << shift);
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum = (uint16_t) ~sum;
    put_be16(bytes, sum || !optional ? sum : 0xffff);
    packet_poke(packet, checksum_ofs, bytes, 2);
}

/* True if the change is one of addresses that the pseudo header has. */
static bool
in_pseudo_header(const struct packet_layer *ip, const struct change *change)
{
    if (ip->item == ESWITCH_ITEM_IPV4) {
        return within(change, ip->ofs + 12, ip->ofs + 20);
    }
    return within(change, ip->ofs + 8,
                  ip->ofs + (ip->flags & LAYER_ROUTED ? 24 : 40));
}

static void
adjust_ip(struct packet *packet, const struct packet_layer *ip,
          const struct change *change)
{
    const struct l4_checksum *l4 = l4_checksum_of(ip);

    if (ip->item == ESWITCH_ITEM_IPV4
        && within(change, ip->ofs, ip->hdr_end)) {
        adjust(packet, ip->ofs + 10, ip->ofs, change, false);
    }
    if (!l4) {
        return;
    }
    if (within(change, ip->l4_ofs, ip->end)) {
        adjust(packet, ip->l4_ofs + l4->ofs, ip->l4_ofs, change,
               l4->optional);
    } else if (l4->pseudo && in_pseudo_header(ip, change)) {
        adjust(packet, ip->l4_ofs + l4->ofs, ip->ofs, change, l4->optional);
    }
}

static void
adjust_gre(struct packet *packet, const struct packet_layer *gre,
           const struct change *change)
{
    if (get_be16(packet->data + gre->ofs) & GRE_CSUM
        && within(change, gre->ofs, gre->end)) {
        adjust(packet, gre->ofs + 4, gre->ofs, change, false);
    }
}

/* A checksum that is updated is itself a change, which checksums further out
 * cover.  That ends, because none covers itself or what is further out. */
void
packet_poke(struct packet *packet, size_t ofs, const void *bytes, size_t n)
{
    uint8_t old[16];
    struct change change = { ofs, n, old, bytes };

    own(packet);
    memcpy(old, packet->data + ofs, n);
    if (!memcmp(old, bytes, n)) {
        return;
    }
    memcpy(packet->data + ofs, bytes, n);
    for (size_t i = 0; i < packet->n_layers; i++) {
        const struct packet_layer *layer = &packet->layers[i];

        if (layer->item == ESWITCH_ITEM_IPV4
            || layer->item == ESWITCH_ITEM_IPV6) {
            adjust_ip(packet, layer, &change);
        } else if (layer->item == ESWITCH_ITEM_GRE) {
            adjust_gre(packet, layer, &change);
        }
    }
}

/* Sum of 16-bit words, not folded; an odd last byte is followed by 0. */
static uint64_t
sum_words(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;

    for (; n >= 2; p += 2, n -= 2) {
        sum += get_be16(p);
    }
    return n ? sum + (*p << 8) : sum;
}

static uint16_t
checksum(uint64_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return ~sum;
}

/* Structure. */

/* Takes 'n' bytes out that begin 'ofs' bytes from the start. */
static void
cut(struct packet *packet, size_t ofs, size_t n)
{
    own(packet);
    memmove(packet->data + n, packet->data, ofs);
    packet->data += n;
    packet->size -= n;
}

/* Makes room for 'n' bytes 'ofs' bytes from the start. */
static bool
insert(struct packet *packet, size_t ofs, size_t n)
{
    own(packet);
    if (packet->data - packet->buf < n
        || packet->size + n > ESWITCH_MAX_FRAME) {
        return false;
    }
    packet->data -= n;
    packet->size += n;
    memmove(packet->data, packet->data + n, ofs);
    return true;
}

bool
packet_vlan_pop(struct packet *packet)
{
    if (!packet_find(packet, ESWITCH_ITEM_VLAN, 1)) {
        return false;
    }
    cut(packet, ETH_TYPE_OFS, 4);
    packet_parse(packet);
    return true;
}

bool
packet_vlan_push(struct packet *packet, uint16_t tpid)
{
    const struct packet_layer *vlan;
    uint8_t tci[2] = { 0 };

    if (!packet_find(packet, ESWITCH_ITEM_ETH, 1)) {
        return false;
    }
    vlan = packet_find(packet, ESWITCH_ITEM_VLAN, 1);
    if (vlan) {
        memcpy(tci, packet->data + vlan->ofs, 2);
        tci[0] &= ~0x10;                /* Not the drop eligible bit. */
    }
    if (!insert(packet, ETH_TYPE_OFS, 4)) {
        return false;
    }
    put_be16(packet->data + ETH_TYPE_OFS, tpid);
    memcpy(packet->data + ETH_TYPE_OFS + 2, tci, 2);
    packet_parse(packet);
    return true;
}

static bool
is_tunnel(enum eswitch_item_type item)
{
    return (item == ESWITCH_ITEM_VXLAN || item == ESWITCH_ITEM_GENEVE
            || item == ESWITCH_ITEM_GRE);
}

/* Makes 'layer' the first one.  What a tunnel carried ends where the tunnel
 * ends, not where the frame does: short frames are padded. */
static void
strip_to(struct packet *packet, const struct packet_layer *layer)
{
    size_t ofs = layer->ofs;

    if (layer->level > 1) {
        for (const struct packet_layer *l = layer; l >= packet->layers; l--) {
            if (is_tunnel(l->item)) {
                packet->size = l->end;
                break;
            }
        }
    }
    packet->first = layer->item;
    cut(packet, 0, ofs);
    packet_parse(packet);
}

bool
packet_decap(struct packet *packet, enum eswitch_item_type tunnel)
{
    for (size_t i = 0; i + 1 < packet->n_layers; i++) {
        if (is_tunnel(packet->layers[i].item)) {
            if (packet->layers[i].item != tunnel) {
                return false;
            }
            strip_to(packet, &packet->layers[i + 1]);
            return true;
        }
    }
    return false;
}

bool
packet_raw_decap(struct packet *packet, size_t size)
{
    for (size_t i = 1; i < packet->n_layers; i++) {
        if (packet->layers[i].ofs == size) {
            strip_to(packet, &packet->layers[i]);
            return true;
        }
    }
    return false;
}

/* Where the headers of an encapsulation are; 0 for those that it hasn't. */
struct encap_plan {
    size_t ip, udp, gre;
    bool ipv6;
};

static const char *
plan_l4(const uint8_t *data, size_t size, size_t ofs, uint8_t proto,
        struct encap_plan *plan)
{
    if (proto == IPPROTO_UDP) {
        if (size - ofs < 8) {
            return "UDP header is cut short";
        }
        plan->udp = ofs;
    } else if (proto == IPPROTO_GRE) {
        if (size - ofs < (get_be16(data + ofs) & GRE_CSUM ? 8 : 4)) {
            return "GRE header is cut short";
        }
        plan->gre = ofs;
    }
    return NULL;
}

static const char *
plan_ip(const uint8_t *data, size_t size, size_t ofs, bool ipv6,
        struct encap_plan *plan)
{
    size_t hdr_len;

    plan->ip = ofs;
    plan->ipv6 = ipv6;
    if (size - ofs < (ipv6 ? 40 : 20)) {
        return "IP header is cut short";
    }
    if (data[ofs] >> 4 != (ipv6 ? 6 : 4)) {
        return "IP header has another version than the Ethernet type says";
    }
    hdr_len = ipv6 ? 40 : (data[ofs] & 0xf) * 4u;
    if (hdr_len < 20 || size - ofs < hdr_len) {
        return "IPv4 header's length is wrong";
    }
    if (size - ofs < hdr_len + 4) {
        return NULL;                /* IP in IP. */
    }
    return plan_l4(data, size, ofs + hdr_len, data[ofs + (ipv6 ? 6 : 9)],
                   plan);
}

static const char *
plan_encap(const uint8_t *data, size_t size, struct encap_plan *plan)
{
    size_t ofs = ETH_LEN;
    uint16_t type;

    memset(plan, 0, sizeof *plan);
    if (size < ETH_LEN) {
        return "Ethernet header is cut short";
    }
    if (size > PACKET_MAX_ENCAP) {
        return "more than 256 bytes of headers";
    }
    type = get_be16(data + ETH_TYPE_OFS);
    while (is_vlan(type)) {
        if (size - ofs < 4) {
            return "VLAN tag is cut short";
        }
        type = get_be16(data + ofs + 2);
        ofs += 4;
    }
    if (ofs == size || (type != TYPE_IPV4 && type != TYPE_IPV6)) {
        return NULL;                /* Not a tunnel. */
    }
    return plan_ip(data, size, ofs, type == TYPE_IPV6, plan);
}

const char *
packet_check_encap(const uint8_t *data, size_t size)
{
    struct encap_plan plan;

    return plan_encap(data, size, &plan);
}

/* The sum of UDP's pseudo header. */
static uint64_t
sum_pseudo(const uint8_t *ip, bool ipv6, size_t l4_size)
{
    return (sum_words(ip + (ipv6 ? 8 : 12), ipv6 ? 32 : 8)
            + IPPROTO_UDP + l4_size);
}

static void
fill_udp(struct packet *packet, const struct encap_plan *plan, uint32_t hash)
{
    uint8_t *udp = packet->data + plan->udp;
    size_t size = packet->size - plan->udp;
    bool want = get_be16(udp + 6) || plan->ipv6;

    if (!get_be16(udp)) {
        put_be16(udp, 49152 + (hash & 0x3fff));
    }
    put_be16(udp + 4, size);
    put_be16(udp + 6, 0);
    if (want) {
        uint16_t sum = checksum(sum_words(udp, size)
                                + sum_pseudo(packet->data + plan->ip,
                                             plan->ipv6, size));

        put_be16(udp + 6, sum ? sum : 0xffff);
    }
}

static void
fill_gre(struct packet *packet, const struct encap_plan *plan)
{
    uint8_t *gre = packet->data + plan->gre;

    if (get_be16(gre) & GRE_CSUM) {
        put_be16(gre + 4, 0);
        put_be16(gre + 4, checksum(sum_words(gre,
                                             packet->size - plan->gre)));
    }
}

static void
fill_ip(struct packet *packet, const struct encap_plan *plan)
{
    uint8_t *ip = packet->data + plan->ip;
    size_t size = packet->size - plan->ip;

    if (plan->ipv6) {
        put_be16(ip + 4, size - 40);
    } else {
        put_be16(ip + 2, size);
        put_be16(ip + 10, 0);
        put_be16(ip + 10, checksum(sum_words(ip, (ip[0] & 0xf) * 4u)));
    }
}

bool
packet_encap(struct packet *packet, const uint8_t *data, size_t size)
{
    uint32_t hash = packet_hash(packet);
    struct encap_plan plan;

    if (plan_encap(data, size, &plan) || !insert(packet, 0, size)) {
        return false;
    }
    memcpy(packet->data, data, size);
    packet->first = ESWITCH_ITEM_ETH;
    if (plan.ip) {
        fill_ip(packet, &plan);
        if (plan.udp) {
            fill_udp(packet, &plan, hash);
        } else if (plan.gre) {
            fill_gre(packet, &plan);
        }
    }
    packet_parse(packet);
    return true;
}
