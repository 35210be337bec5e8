/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWITCH_PACKET_H
#define ESWITCH_PACKET_H 1

/* A packet on its walk: its bytes, its headers, and what can be done to it.
 *
 * A packet begins as somebody else's frame (packet_init()), which is only
 * read.  The first change copies it into the packet's own memory, so that
 * whoever has the frame still has it as it arrived.
 *
 * Its headers are a list of layers, found by packet_parse().  Whatever comes
 * in is hostile: a header is in the list only if all of its fixed part is
 * within the bytes that there are, and within the length that the header
 * around it says.  The rest of the eswitch counts on that.
 *
 * Every change keeps all lengths and checksums right, those of the headers
 * around it too, and the list of layers.  A function that returns false has
 * found that it can't be done to this packet; the packet may be spoilt then.
 *
 * No locking: a packet is one thread's. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eswim/eswitch.h"

#define PACKET_MAX_LAYERS 24
#define PACKET_MAX_LEVEL 4          /* Frames in frames in frames ... */
#define PACKET_HEADROOM 1024        /* For encapsulation. */
#define PACKET_MAX_ENCAP 256        /* Bytes at once. */

/* Flags of a layer.  The first two are ESWITCH_HAS_*. */
#define LAYER_FRAGMENT (1u << 2)    /* IPV4, IPV6_FRAG_EXT: of a datagram */
#define LAYER_LATER (1u << 3)       /* and not the first one. */
#define LAYER_ROUTED (1u << 4)      /* IPV6: has its final destination in a
                                     * routing header. */

struct packet_layer {
    uint8_t item;                   /* enum eswitch_item_type. */
    uint8_t level;                  /* 1: outermost, 2: in a tunnel ... */
    uint8_t flags;
    uint8_t l4_proto;               /* IPV4, IPV6: behind extension headers. */
    uint16_t ofs;                   /* Of the header, from the start. */
    uint16_t hdr_end;               /* End of the header and its options. */
    uint16_t end;                   /* Of what it carries, by its length. */
    uint16_t l4_ofs;                /* IPV4, IPV6: of the payload; 0 if that is
                                     * in another fragment. */
};

/* UDP ports of tunnels, host byte order, 0 for none.  Changed while packets
 * are parsed, hence atomic. */
#define PACKET_N_TUNNEL_PORTS 8
struct packet_tunnel_ports {
    _Atomic uint16_t vxlan[PACKET_N_TUNNEL_PORTS];
    _Atomic uint16_t geneve[PACKET_N_TUNNEL_PORTS];
};

struct packet {
    const struct packet_tunnel_ports *ports;
    uint8_t *data;                  /* Its first byte; not to be written to
                                     * unless 'owned'. */
    size_t size;                    /* Bytes, up to ESWITCH_MAX_FRAME. */
    bool owned;
    bool has_mark;
    uint32_t mark;
    uint16_t in_port;

    uint8_t first;                  /* Item that it begins with: ETH, or what
                                     * an ETH must be put in front of. */
    uint8_t n_layers;
    struct packet_layer layers[PACKET_MAX_LAYERS];

    uint8_t buf[PACKET_HEADROOM + ESWITCH_MAX_FRAME];
};

/* Makes 'packet' one that consists of 'frame', of up to ESWITCH_MAX_FRAME
 * bytes, which must stay until it is changed or initialised again. */
void packet_init(struct packet *, const struct packet_tunnel_ports *,
                 uint16_t in_port, const void *frame, size_t size);

/* A copy with bytes of its own. */
void packet_copy(struct packet *dst, const struct packet *src);

/* Finds the headers, again. */
void packet_parse(struct packet *);

/* The first layer of that kind in that level (0 means 1), or null. */
const struct packet_layer *packet_find(const struct packet *,
                                       enum eswitch_item_type,
                                       uint8_t level);

/* GENEVE's option; '*len' gets the bytes of its data.  Null if there is
 * none. */
const uint8_t *packet_geneve_opt(const struct packet *,
                                 const struct packet_layer *geneve,
                                 uint16_t opt_class, uint8_t type,
                                 size_t *len);

/* GRE's key, 4 bytes, or null. */
const uint8_t *packet_gre_key(const struct packet *,
                              const struct packet_layer *gre);

/* A number that the packets of a connection have in common, in one direction:
 * by addresses, protocol and ports of the outermost IP header. */
uint32_t packet_hash(const struct packet *);

/* Changes up to 16 bytes in a header, 'ofs' bytes from the packet's start, and
 * with them all checksums that cover them. */
void packet_poke(struct packet *, size_t ofs, const void *bytes, size_t n);

bool packet_vlan_pop(struct packet *);
bool packet_vlan_push(struct packet *, uint16_t tpid);
bool packet_decap(struct packet *, enum eswitch_item_type tunnel);
bool packet_raw_decap(struct packet *, size_t size);
bool packet_encap(struct packet *, const uint8_t *data, size_t size);

/* Null if 'data' can be put in front of packets, else what is wrong. */
const char *packet_check_encap(const uint8_t *data, size_t size);

static inline uint16_t
get_be16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static inline uint32_t
get_be32(const uint8_t *p)
{
    return (uint32_t) get_be16(p) << 16 | get_be16(p + 2);
}

static inline void
put_be16(uint8_t *p, uint16_t value)
{
    p[0] = value >> 8;
    p[1] = value;
}

#endif /* eswitch-packet.h */
