/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "shared-bytes.h"

#include <string.h>

#include "hash.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "util.h"

/* Insertions and removals, which are rare. */
static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct cmap all = CMAP_INITIALIZER;

/* A new reference to what is there, or NULL. */
static struct shared_bytes *
find(const void *bytes, size_t len, uint32_t hash)
{
    struct shared_bytes *shared;

    CMAP_FOR_EACH_WITH_HASH (shared, node, hash, &all) {
        if (shared->len == len && !memcmp(shared->data, bytes, len)
            && ovs_refcount_try_ref_rcu(&shared->references)) {
            return shared;
        }
    }
    return NULL;
}

static struct shared_bytes *
create(const void *bytes, size_t len, uint32_t hash)
    OVS_REQUIRES(mutex)
{
    struct shared_bytes *shared = xmalloc(sizeof *shared + len);

    ovs_refcount_init(&shared->references);
    shared->hash = hash;
    shared->len = len;
    memcpy(shared->data, bytes, len);
    cmap_insert(&all, &shared->node, hash);
    return shared;
}

struct shared_bytes *
shared_bytes_get(const void *bytes, size_t len)
{
    uint32_t hash = hash_bytes(bytes, len, 0);
    struct shared_bytes *shared = find(bytes, len, hash);

    if (!shared) {
        ovs_mutex_lock(&mutex);
        shared = find(bytes, len, hash);
        if (!shared) {
            shared = create(bytes, len, hash);
        }
        ovs_mutex_unlock(&mutex);
    }
    return shared;
}

void
shared_bytes_put(struct shared_bytes *shared)
{
    if (ovs_refcount_unref(&shared->references) == 1) {
        ovs_mutex_lock(&mutex);
        cmap_remove(&all, &shared->node, shared->hash);
        ovs_mutex_unlock(&mutex);
        ovsrcu_postpone(free, shared);
    }
}

size_t
shared_bytes_count(void)
{
    return cmap_count(&all);
}
