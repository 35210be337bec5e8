/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc-prio.h"

#include <linux/if_ether.h>
#include <stdlib.h>

#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/thread.h"
#include "ovs-thread.h"
#include "tc-caps.h"
#include "util.h"

/* The prios that are given out. */
enum { PRIO_IPV4 = 2, PRIO_IPV6, PRIO_FIRST_DYNAMIC = 5 };

struct tc_prio {
    struct hmap_node key_node;  /* In 'by_key'. */
    struct hmap_node prio_node; /* In 'by_prio'. */
    ovs_be16 protocol;
    uint32_t mask_hash;         /* 0 if a prio may hold several masks. */
    uint16_t prio;
    unsigned int n_uses;
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct hmap by_key OVS_GUARDED_BY(mutex) = HMAP_INITIALIZER(&by_key);
static struct hmap by_prio OVS_GUARDED_BY(mutex) = HMAP_INITIALIZER(&by_prio);

/* Where to look for a free prio.  It goes round, so that a prio which has just
 * become free, and of which the kernel may still have a trace, is given out
 * again as late as possible. */
static uint16_t next_prio OVS_GUARDED_BY(mutex) = PRIO_FIRST_DYNAMIC;

static uint32_t
hash_key(ovs_be16 protocol, uint32_t mask_hash)
{
    return hash_2words((OVS_FORCE uint16_t) protocol, mask_hash);
}

static struct tc_prio *
find_by_key(ovs_be16 protocol, uint32_t mask_hash)
    OVS_REQUIRES(mutex)
{
    struct tc_prio *p;

    HMAP_FOR_EACH_WITH_HASH (p, key_node, hash_key(protocol, mask_hash),
                             &by_key) {
        if (p->protocol == protocol && p->mask_hash == mask_hash) {
            return p;
        }
    }
    return NULL;
}

static struct tc_prio *
find_by_prio(uint16_t prio)
    OVS_REQUIRES(mutex)
{
    struct tc_prio *p;

    HMAP_FOR_EACH_WITH_HASH (p, prio_node, hash_int(prio, 0), &by_prio) {
        if (p->prio == prio) {
            return p;
        }
    }
    return NULL;
}

/* A prio that nobody uses, or 0. */
static uint16_t
find_free(ovs_be16 protocol)
    OVS_REQUIRES(mutex)
{
    if (tc_caps.multi_mask && protocol == htons(ETH_P_IP)) {
        return PRIO_IPV4;
    } else if (tc_caps.multi_mask && protocol == htons(ETH_P_IPV6)) {
        return PRIO_IPV6;
    }

    for (int i = PRIO_FIRST_DYNAMIC; i <= UINT16_MAX; i++) {
        uint16_t prio = next_prio;

        next_prio = prio == UINT16_MAX ? PRIO_FIRST_DYNAMIC : prio + 1;
        if (!find_by_prio(prio)) {
            return prio;
        }
    }
    return 0;
}

uint16_t
tc_prio_get(ovs_be16 protocol, uint32_t mask_hash)
{
    struct tc_prio *p;
    uint16_t prio;

    if (tc_caps.multi_mask) {
        mask_hash = 0;
    }

    ovs_mutex_lock(&mutex);
    p = find_by_key(protocol, mask_hash);
    if (!p) {
        prio = find_free(protocol);
        if (prio) {
            p = xmalloc(sizeof *p);
            p->protocol = protocol;
            p->mask_hash = mask_hash;
            p->prio = prio;
            p->n_uses = 0;
            hmap_insert(&by_key, &p->key_node, hash_key(protocol, mask_hash));
            hmap_insert(&by_prio, &p->prio_node, hash_int(prio, 0));
        }
    }
    prio = p ? p->prio : 0;
    if (p) {
        p->n_uses++;
    }
    ovs_mutex_unlock(&mutex);
    return prio;
}

void
tc_prio_put(uint16_t prio)
{
    struct tc_prio *p;

    ovs_mutex_lock(&mutex);
    p = find_by_prio(prio);
    ovs_assert(p);
    if (!--p->n_uses) {
        hmap_remove(&by_key, &p->key_node);
        hmap_remove(&by_prio, &p->prio_node);
        free(p);
    }
    ovs_mutex_unlock(&mutex);
}
