/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tests/megaflow-text.h"

#include <stdio.h>

#include "odp-util.h"
#include "offload-refusal.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

void
match_from_text(const char *text, struct match *match)
{
    struct ofpbuf key, mask;
    char *error;

    ofpbuf_init(&key, 0);
    ofpbuf_init(&mask, 0);
    if (odp_flow_from_string(text, NULL, &key, &mask, &error)) {
        ovs_fatal(0, "%s: %s", text, error);
    }
    match_init_catchall(match);
    if (odp_flow_key_to_flow(key.data, key.size, &match->flow, &error)
        == ODP_FIT_ERROR
        || odp_flow_key_to_mask(mask.data, mask.size, &match->wc,
                                &match->flow, &error) == ODP_FIT_ERROR) {
        ovs_fatal(0, "%s: %s", text, error);
    }
    ofpbuf_uninit(&key);
    ofpbuf_uninit(&mask);
}

void
print_refusal(const struct offload_refusal *refusal)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    offload_refusal_format(refusal, &s);
    printf("%s: %s\n", offload_refusal_name(refusal->code), ds_cstr(&s));
    ds_destroy(&s);
}
