/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "flow-shares.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

struct share {
    uint64_t reader;
    uint64_t packets, bytes;    /* Given so far. */
    long long int asked;        /* When it did last, msec. */
};

struct flow_shares {
    uint64_t packets, bytes;    /* Given so far, also to those that are
                                 * gone. */
    size_t n, allocated;
    struct share *shares;       /* Who came first is first. */
};

void
flow_readers_destroy(struct flow_readers *readers)
{
    if (readers->shares) {
        free(readers->shares->shares);
        free(readers->shares);
    }
}

static struct share *
share_add(struct flow_shares *shares, uint64_t reader, long long int now)
{
    struct share *share;

    if (shares->n >= shares->allocated) {
        shares->shares = x2nrealloc(shares->shares, &shares->allocated,
                                    sizeof *shares->shares);
    }
    share = &shares->shares[shares->n++];
    *share = (struct share) { .reader = reader, .asked = now };
    return share;
}

/* The second reader has come.  The first was given all, as of now: it has
 * asked for it shortly before, or gets it when it asks next. */
static struct flow_shares *
shares_create(uint64_t first, long long int now, uint64_t packets,
              uint64_t bytes)
{
    struct flow_shares *shares = xzalloc(sizeof *shares);
    struct share *share = share_add(shares, first, now);

    share->packets = shares->packets = packets;
    share->bytes = shares->bytes = bytes;
    return shares;
}

static struct share *
share_find(struct flow_shares *shares, uint64_t reader, long long int now)
{
    struct share *found = NULL;
    size_t n = 0;

    for (size_t i = 0; i < shares->n; i++) {
        struct share *share = &shares->shares[i];

        if (share->reader == reader
            || now <= share->asked + FLOW_READER_GONE_MS) {
            shares->shares[n++] = *share;
        }
    }
    shares->n = n;
    for (size_t i = 0; i < n; i++) {
        if (shares->shares[i].reader == reader) {
            found = &shares->shares[i];
        }
    }
    return found ? found : share_add(shares, reader, now);
}

/* Is there nobody before 'share' who still asks? */
static bool
is_heir(const struct flow_shares *shares, const struct share *share,
        long long int now)
{
    for (const struct share *s = shares->shares; s != share; s++) {
        if (now <= s->asked + FLOW_READER_IDLE_MS) {
            return false;
        }
    }
    return true;
}

void
flow_readers_ask(struct flow_readers *readers, uint64_t reader,
                 long long int now, uint64_t *packets, uint64_t *bytes)
{
    struct flow_shares *shares = readers->shares;
    struct share *share;

    if (!shares) {
        if (!readers->first || readers->first == reader) {
            readers->first = reader;
            return;
        }
        shares = shares_create(readers->first, now, *packets, *bytes);
        readers->shares = shares;
    }
    share = share_find(shares, reader, now);
    share->asked = now;
    if (is_heir(shares, share, now)) {
        share->packets += *packets - shares->packets;
        share->bytes += *bytes - shares->bytes;
        shares->packets = *packets;
        shares->bytes = *bytes;
    }
    *packets = share->packets;
    *bytes = share->bytes;
}
