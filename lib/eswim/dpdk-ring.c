/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/dpdk-ring.h"

#include <errno.h>
#include <stdlib.h>

/* In 'len': no frame, the next one is at the start of the ring. */
#define RING_WRAP UINT32_MAX

static size_t
record_size(uint32_t len)
{
    return (sizeof(struct eswim_frame) + len + 15) & ~(size_t) 15;
}

static struct eswim_frame *
record_at(const struct eswim_ring *ring, size_t position)
{
    return (void *) (ring->base + (position & (ring->size - 1)));
}

/* Initializes 'ring' for 'size' bytes, rounded up to a power of 2 that has
 * room for at least one frame of any length.  The memory is the C library's,
 * and used only as far as frames come to lie in it.  Returns 0 or ENOMEM. */
int
eswim_ring_init(struct eswim_ring *ring, size_t size)
{
    size_t rounded = 256 * 1024;

    while (rounded < size) {
        rounded *= 2;
    }
    ring->base = aligned_alloc(64, rounded);
    ring->size = rounded;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    return ring->base ? 0 : ENOMEM;
}

/* Frees what 'ring' owns.  Neither producer nor consumer may be at work. */
void
eswim_ring_destroy(struct eswim_ring *ring)
{
    free(ring->base);
    ring->base = NULL;
}

/* Returns true if nothing was to be consumed at the time of the call. */
bool
eswim_ring_is_empty(const struct eswim_ring *ring)
{
    return atomic_load_explicit(&ring->head, memory_order_acquire)
           == atomic_load_explicit(&ring->tail, memory_order_acquire);
}

/* Returns room for a frame of 'len' bytes, with the frame's 'len' set and
 * everything else undefined, or NULL if 'ring' is full.  The frame is the
 * consumer's only when committed; without, the next call returns it anew. */
struct eswim_frame *
eswim_ring_reserve(struct eswim_ring *ring, uint32_t len)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    size_t to_end = ring->size - (head & (ring->size - 1));
    size_t need = record_size(len);
    struct eswim_frame *frame;

    if (need > to_end) {
        if (ring->size - (head - tail) < to_end + need) {
            return NULL;
        }
        record_at(ring, head)->len = RING_WRAP;
        atomic_store_explicit(&ring->head, head + to_end,
                              memory_order_release);
        head += to_end;
    } else if (ring->size - (head - tail) < need) {
        return NULL;
    }

    frame = record_at(ring, head);
    frame->len = len;
    frame->has_mark = false;
    return frame;
}

/* Hands 'frame', just reserved and filled, to the consumer. */
void
eswim_ring_commit(struct eswim_ring *ring, const struct eswim_frame *frame)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    /* Sequentially consistent, because the producer goes on to look whether
     * the consumer sleeps, and the consumer, going to sleep, looks here. */
    atomic_store(&ring->head, head + record_size(frame->len));
}

/* Returns the oldest frame, which stays valid until it is popped, or NULL if
 * there is none. */
struct eswim_frame *
eswim_ring_front(struct eswim_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    while (tail != atomic_load(&ring->head)) {
        struct eswim_frame *frame = record_at(ring, tail);

        if (frame->len != RING_WRAP) {
            return frame;
        }
        tail += ring->size - (tail & (ring->size - 1));
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
    }
    return NULL;
}

/* Takes 'frame', which eswim_ring_front() returned, out of 'ring'. */
void
eswim_ring_pop(struct eswim_ring *ring, const struct eswim_frame *frame)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    atomic_store_explicit(&ring->tail, tail + record_size(frame->len),
                          memory_order_release);
}

/* Throws away whatever 'ring' has.  To be called as the consumer. */
void
eswim_ring_drain(struct eswim_ring *ring)
{
    atomic_store_explicit(&ring->tail, atomic_load(&ring->head),
                          memory_order_release);
}
