/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SHARED_BYTES_H
#define SHARED_BYTES_H 1

/* Strings of bytes of which equal ones are kept once.
 *
 * Flows by the hundred thousand have a few masks and a few lists of actions
 * among them.  shared_bytes_get() returns what is there already, or makes it;
 * each reference that it returns is given back with shared_bytes_put().  The
 * last one frees the bytes, by RCU.
 *
 * Any thread may call any of these at any time.  To get what is there already
 * takes no lock. */

#include <stddef.h>
#include <stdint.h>

#include "cmap.h"
#include "ovs-atomic.h"

struct shared_bytes {
    struct cmap_node node;
    struct ovs_refcount references;
    uint32_t hash;
    size_t len;
    uint64_t data[];            /* 'len' bytes, immutable. */
};

/* Returns a reference to a copy of the 'len' bytes. */
struct shared_bytes *shared_bytes_get(const void *bytes, size_t len);
void shared_bytes_put(struct shared_bytes *);

/* How many different ones there are. */
size_t shared_bytes_count(void);

#endif /* shared-bytes.h */
