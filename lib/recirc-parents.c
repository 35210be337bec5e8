/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "recirc-parents.h"

#include "flow.h"
#include "flow-table.h"
#include "hash.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "ovs-thread.h"
#include "util.h"

/* A place that packets recirculate to: an input port and an id. */
struct recirc_point {
    struct hmap_node node;      /* In its stripe's 'points'. */
    odp_port_t in_port;
    uint32_t id;
    uint32_t n_hw, n_sw;        /* Parents in hardware, in software. */
    struct ovs_list children;   /* Of struct recirc_links, by 'sibling'. */
};

/* What a flow has to do with recirculation. */
struct recirc_links {
    odp_port_t in_port;
    ovs_u128 ufid;
    struct ovs_list sibling;    /* In a point's 'children', if 'id'. */
    uint32_t id;                /* The flow's own recirculation id, or 0. */
    bool in_hardware;
    size_t n_ids;               /* Where it leads to. */
    uint32_t ids[];
};

#define N_STRIPES 64
static struct stripe {
    struct ovs_mutex mutex;
    struct hmap points OVS_GUARDED;
} stripes[N_STRIPES];

static uint32_t
point_hash(odp_port_t in_port, uint32_t id)
{
    return hash_2words(odp_to_u32(in_port), id);
}

static struct stripe *
stripe_of(odp_port_t in_port, uint32_t id)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        for (size_t i = 0; i < N_STRIPES; i++) {
            ovs_mutex_init(&stripes[i].mutex);
            hmap_init(&stripes[i].points);
        }
        ovsthread_once_done(&once);
    }
    return &stripes[point_hash(in_port, id) % N_STRIPES];
}

static struct recirc_point *
point_lookup(struct stripe *stripe, odp_port_t in_port, uint32_t id)
    OVS_REQUIRES(stripe->mutex)
{
    struct recirc_point *point;

    HMAP_FOR_EACH_WITH_HASH (point, node, point_hash(in_port, id),
                             &stripe->points) {
        if (point->in_port == in_port && point->id == id) {
            return point;
        }
    }
    return NULL;
}

static struct recirc_point *
point_get(struct stripe *stripe, odp_port_t in_port, uint32_t id)
    OVS_REQUIRES(stripe->mutex)
{
    struct recirc_point *point = point_lookup(stripe, in_port, id);

    if (!point) {
        point = xzalloc(sizeof *point);
        point->in_port = in_port;
        point->id = id;
        ovs_list_init(&point->children);
        hmap_insert(&stripe->points, &point->node, point_hash(in_port, id));
    }
    return point;
}

static void
point_put(struct stripe *stripe, struct recirc_point *point)
    OVS_REQUIRES(stripe->mutex)
{
    if (!point->n_hw && !point->n_sw && ovs_list_is_empty(&point->children)) {
        hmap_remove(&stripe->points, &point->node);
        free(point);
    }
}

static size_t
ids_add(uint32_t ids[RECIRC_MAX_IDS], size_t n, uint32_t id)
{
    for (size_t i = 0; i < n && i < RECIRC_MAX_IDS; i++) {
        if (ids[i] == id) {
            return n;
        }
    }
    if (n < RECIRC_MAX_IDS) {
        ids[n] = id;
    }
    return MIN(n + 1, RECIRC_MAX_IDS + 1);
}

static size_t
scan_actions(const struct nlattr *actions, size_t len, int depth,
             uint32_t ids[RECIRC_MAX_IDS], size_t n)
{
    const struct nlattr *a;
    size_t left;

    if (depth > 16) {
        return RECIRC_MAX_IDS + 1;
    }
    NL_ATTR_FOR_EACH (a, left, actions, len) {
        int type = nl_attr_type(a);

        if (type == OVS_ACTION_ATTR_RECIRC
            && nl_attr_get_size(a) == sizeof(uint32_t)) {
            n = ids_add(ids, n, nl_attr_get_u32(a));
        } else if (type == OVS_ACTION_ATTR_CLONE) {
            n = scan_actions(nl_attr_get(a), nl_attr_get_size(a), depth + 1,
                             ids, n);
        } else if (type == OVS_ACTION_ATTR_SAMPLE
                   || type == OVS_ACTION_ATTR_CHECK_PKT_LEN) {
            const struct nlattr *nested;
            size_t nested_left;

            NL_NESTED_FOR_EACH (nested, nested_left, a) {
                int nested_type = nl_attr_type(nested);

                if (type == OVS_ACTION_ATTR_SAMPLE
                    ? nested_type == OVS_SAMPLE_ATTR_ACTIONS
                    : nested_type != OVS_CHECK_PKT_LEN_ATTR_PKT_LEN) {
                    n = scan_actions(nl_attr_get(nested),
                                     nl_attr_get_size(nested), depth + 1,
                                     ids, n);
                }
            }
        }
    }
    return n;
}

size_t
recirc_ids_from_actions(const struct nlattr *actions, size_t len,
                        uint32_t ids[RECIRC_MAX_IDS])
{
    return scan_actions(actions, len, 0, ids, 0);
}

/* Adds (delta 1) or takes away (-1) 'links' as a parent of all its ids. */
static void
count_parent(const struct recirc_links *links, int delta)
{
    for (size_t i = 0; i < links->n_ids; i++) {
        struct stripe *stripe = stripe_of(links->in_port, links->ids[i]);
        struct recirc_point *point;

        ovs_mutex_lock(&stripe->mutex);
        point = point_get(stripe, links->in_port, links->ids[i]);
        if (links->in_hardware) {
            point->n_hw += delta;
        } else {
            point->n_sw += delta;
        }
        point_put(stripe, point);
        ovs_mutex_unlock(&stripe->mutex);
    }
}

static void
link_child(struct recirc_links *links)
{
    struct stripe *stripe = stripe_of(links->in_port, links->id);

    ovs_mutex_lock(&stripe->mutex);
    ovs_list_push_back(&point_get(stripe, links->in_port,
                                  links->id)->children, &links->sibling);
    ovs_mutex_unlock(&stripe->mutex);
}

static void
unlink_child(struct recirc_links *links)
{
    struct stripe *stripe = stripe_of(links->in_port, links->id);

    ovs_mutex_lock(&stripe->mutex);
    ovs_list_remove(&links->sibling);
    point_put(stripe, point_get(stripe, links->in_port, links->id));
    ovs_mutex_unlock(&stripe->mutex);
}

void
recirc_links_set(struct offload_flow *flow, odp_port_t in_port,
                 uint32_t recirc_id, const uint32_t ids[], size_t n_ids,
                 bool in_hardware)
{
    struct recirc_links *old = flow->recirc;
    struct recirc_links *links = NULL;

    /* The new links first: a point that both lead to never is without. */
    if (recirc_id || n_ids) {
        links = xmalloc(sizeof *links + n_ids * sizeof *ids);
        links->in_port = in_port;
        links->ufid = flow->ufid;
        links->id = recirc_id;
        links->in_hardware = in_hardware;
        links->n_ids = n_ids;
        if (n_ids) {
            memcpy(links->ids, ids, n_ids * sizeof *ids);
        }
        count_parent(links, 1);
        if (recirc_id) {
            link_child(links);
        }
    }
    flow->recirc = links;

    if (old) {
        count_parent(old, -1);
        if (old->id) {
            unlink_child(old);
        }
        free(old);
    }
}

void
recirc_links_clear(struct offload_flow *flow)
{
    recirc_links_set(flow, 0, 0, NULL, 0, false);
}

bool
recirc_parents_in_hardware(odp_port_t in_port, uint32_t recirc_id)
{
    struct recirc_point *point;
    struct stripe *stripe;
    bool ok;

    if (!recirc_id) {
        return true;
    }
    stripe = stripe_of(in_port, recirc_id);
    ovs_mutex_lock(&stripe->mutex);
    point = point_lookup(stripe, in_port, recirc_id);
    ok = point && point->n_hw && !point->n_sw;
    ovs_mutex_unlock(&stripe->mutex);
    return ok;
}

size_t
recirc_children(odp_port_t in_port, uint32_t recirc_id, size_t skip,
                ovs_u128 ufids[], size_t max)
{
    struct stripe *stripe = stripe_of(in_port, recirc_id);
    struct recirc_point *point;
    size_t n = 0;

    ovs_mutex_lock(&stripe->mutex);
    point = point_lookup(stripe, in_port, recirc_id);
    if (point) {
        struct recirc_links *links;

        LIST_FOR_EACH (links, sibling, &point->children) {
            if (n >= max) {
                break;
            } else if (skip) {
                skip--;
            } else {
                ufids[n++] = links->ufid;
            }
        }
    }
    ovs_mutex_unlock(&stripe->mutex);
    return n;
}
