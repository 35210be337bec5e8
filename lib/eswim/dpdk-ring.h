/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWIM_DPDK_RING_H
#define ESWIM_DPDK_RING_H 1

/* A queue of frames between one producer and one consumer.
 *
 * The frames lie one behind the other in a ring of bytes that the queue owns:
 * nothing is allocated a frame, and no mbuf is ever in the hands of the
 * hardware's thread, which isn't one of DPDK's.
 *
 * Producer:  frame = eswim_ring_reserve(ring, len);
 *            if (frame) { fill frame; eswim_ring_commit(ring, frame); }
 * Consumer:  while ((frame = eswim_ring_front(ring))) {
 *                use frame; eswim_ring_pop(ring, frame); }
 *
 * The two may be different threads without a lock.  Two producers, or two
 * consumers, must exclude each other. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A frame, and what goes along with it. */
struct eswim_frame {
    uint32_t len;               /* Bytes in 'data'. */
    uint32_t mark;              /* Meaningful if 'has_mark'. */
    bool has_mark;
    uint8_t pad[7];
    uint8_t data[];             /* From the Ethernet header on. */
};

struct eswim_ring {
    uint8_t *base;              /* 'size' bytes. */
    size_t size;                /* A power of 2. */

    /* Bytes ever produced and consumed, on cache lines of their own. */
    _Alignas(64) _Atomic(size_t) head;
    _Alignas(64) _Atomic(size_t) tail;
};

int eswim_ring_init(struct eswim_ring *, size_t size);
void eswim_ring_destroy(struct eswim_ring *);
bool eswim_ring_is_empty(const struct eswim_ring *);

struct eswim_frame *eswim_ring_reserve(struct eswim_ring *, uint32_t len);
void eswim_ring_commit(struct eswim_ring *, const struct eswim_frame *);

struct eswim_frame *eswim_ring_front(struct eswim_ring *);
void eswim_ring_pop(struct eswim_ring *, const struct eswim_frame *);
void eswim_ring_drain(struct eswim_ring *);

#endif /* lib/eswim/dpdk-ring.h */
