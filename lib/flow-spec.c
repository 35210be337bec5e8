/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "flow-spec.h"

#include <stdlib.h>

#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "shared-bytes.h"
#include "util.h"

/* A struct miniflow with room for all fields. */
struct largest_miniflow {
    struct miniflow flow;
    uint64_t values[FLOW_U64S];
};

static size_t
miniflow_size(const struct miniflow *mf)
{
    return sizeof *mf + MINIFLOW_VALUES_SIZE(miniflow_n_values(mf));
}

static struct shared_bytes *
share_actions(const struct nlattr *actions, size_t actions_len)
{
    struct shared_bytes *shared;
    uint64_t stub[512 / 8];
    struct ofpbuf buf;

    ofpbuf_use_stub(&buf, stub, sizeof stub);
    nl_msg_put_unspec(&buf, OVS_FLOW_ATTR_ACTIONS, actions, actions_len);
    shared = shared_bytes_get(buf.data, buf.size);
    ofpbuf_uninit(&buf);
    return shared;
}

struct flow_spec *
flow_spec_create(const struct match *match, const struct nlattr *actions,
                 size_t actions_len)
{
    struct largest_miniflow mask;
    struct flow_spec *spec;
    size_t size;

    miniflow_map_init(&mask.flow, &match->wc.masks);
    miniflow_init(&mask.flow, &match->wc.masks);
    size = miniflow_size(&mask.flow);

    spec = xmalloc(offsetof(struct flow_spec, flow) + size);
    spec->mask = shared_bytes_get(&mask.flow, size);
    spec->actions = share_actions(actions, actions_len);
    spec->flow.map = mask.flow.map;
    miniflow_init(&spec->flow, &match->flow);
    return spec;
}

void
flow_spec_free(struct flow_spec *spec)
{
    if (spec) {
        shared_bytes_put(spec->mask);
        shared_bytes_put(spec->actions);
        free(spec);
    }
}

void
flow_spec_match(const struct flow_spec *spec, struct match *match)
{
    miniflow_expand(&spec->flow, &match->flow);
    miniflow_expand((const struct miniflow *) spec->mask->data,
                    &match->wc.masks);
    /* Two kB, of which this is all that anybody looks at first. */
    match->tun_md.valid = false;
    match->tun_md.alloc_offset = 0;
}

bool
flow_spec_is_twin(const struct flow_spec *a, const struct flow_spec *b)
{
    const struct miniflow *mask = (const struct miniflow *) a->mask->data;
    const uint64_t *values = miniflow_get_values(&a->flow);
    const uint64_t *others = miniflow_get_values(&b->flow);
    const uint64_t *masks = miniflow_get_values(mask);

    if (a->mask != b->mask) {
        return false;           /* Equal masks are one. */
    }
    for (size_t i = 0; i < miniflow_n_values(mask); i++) {
        if ((values[i] ^ others[i]) & masks[i]) {
            return false;
        }
    }
    return true;
}

const struct nlattr *
flow_spec_actions(const struct flow_spec *spec)
{
    return (const struct nlattr *) spec->actions->data;
}
