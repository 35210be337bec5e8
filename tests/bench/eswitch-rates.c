/* SPDX-License-Identifier: Apache-2.0 */

/* What one core does as the eswitch of the NIC in software: walks with a
 * number of rules that have a number of different masks, rules made and
 * destroyed, and frames forwarded from one port to another.
 *
 *     eswitch-rates --rules N --masks M [--size BYTES] [--seconds S]
 *
 * prints a JSON object with what it was told and rates a second: "create",
 * "lookup" (of frames of all rules in turn, whose action is to drop),
 * "forward" (one rule, an output) and "destroy". */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eswim/eswitch.h"
#include "tests/bench/bench-lib.h"

#define MAX_MASKS 4096

static struct eswitch *eswitch;
static uint64_t n_out;

static bool
to_end(void *aux, uint16_t port, const void *frame, size_t size)
{
    (void) aux;
    (void) port;
    (void) frame;
    (void) size;
    n_out++;
    return true;
}

static bool
to_software(void *aux, uint16_t port, const struct eswitch_metadata *md,
            const void *frame, size_t size)
{
    (void) aux;
    (void) port;
    (void) md;
    (void) frame;
    (void) size;
    errno = 0;
    bench_die("a frame misses");
}

static void
put_be32(uint8_t *p, uint32_t value)
{
    for (int i = 3; i >= 0; i--) {
        p[i] = value;
        value >>= 8;
    }
}

/* Rule 'i' matches flow i.  There are as many masks as there are values of the
 * source address's mask; all frames' source address is 0, so that it is only
 * the destination that tells. */
static uint64_t
create(uint32_t i, uint32_t n_masks, enum eswitch_action_type fate)
{
    uint8_t spec[20] = { 0 };
    uint8_t mask[20] = { 0 };
    const struct eswitch_item items[] = {
        { .type = ESWITCH_ITEM_ETH },
        { .type = ESWITCH_ITEM_IPV4, .spec = spec, .mask = mask },
    };
    const struct eswitch_action actions[] = {
        { .type = ESWITCH_ACTION_COUNT },
        { .type = fate, .port = 2 },
    };
    const struct eswitch_rule rule = {
        .port = 1, .transfer = true, .priority = 1,
        .items = items, .n_items = 2, .actions = actions, .n_actions = 2,
    };
    struct eswitch_error error;
    uint64_t id;

    put_be32(spec + 16, BENCH_FIRST_DST + i);
    memset(mask + 16, 0xff, 4);
    put_be32(mask + 12, i % n_masks);
    errno = eswitch_rule_create(eswitch, &rule, &id, &error);
    if (errno) {
        bench_die("rule %"PRIu32": %s", i, error.text);
    }
    return id;
}

/* Frames of 'n' flows in turn for 'seconds'.  Returns how many a second. */
static double
send_frames(struct eswitch_reader *reader, uint32_t n, size_t size,
            uint32_t seconds)
{
    static union {
        struct bench_packet packet;
        uint8_t bytes[ESWITCH_MAX_FRAME];
    } frame;
    uint64_t start = bench_now_us();
    uint64_t count = 0;
    uint64_t end;

    bench_packet_init(&frame.packet, 0);
    frame.packet.ip.saddr = 0;
    do {
        for (int i = 0; i < 1000; i++) {
            put_be32((uint8_t *) &frame.packet.ip.daddr,
                     BENCH_FIRST_DST + count++ % n);
            eswitch_rx(reader, 1, &frame, size);
        }
        end = bench_now_us();
    } while (end < start + seconds * UINT64_C(1000000));
    return count / ((end - start) / 1e6);
}

static double
destroy(const uint64_t ids[], uint32_t n)
{
    uint64_t start = bench_now_us();

    for (uint32_t i = 0; i < n; i++) {
        if (eswitch_rule_destroy(eswitch, ids[i], NULL)) {
            bench_die("rule %"PRIu32" can't be destroyed", i);
        }
    }
    return n / ((bench_now_us() - start) / 1e6);
}

static void
parse_options(int argc, char *argv[], uint32_t *n_rules, uint32_t *n_masks,
              uint32_t *size, uint32_t *seconds)
{
    static const struct option options[] = {
        { "rules", required_argument, NULL, 'n' },
        { "masks", required_argument, NULL, 'm' },
        { "size", required_argument, NULL, 's' },
        { "seconds", required_argument, NULL, 't' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'n': *n_rules = bench_number("--rules", optarg, 1, 1 << 22);
            break;
        case 'm': *n_masks = bench_number("--masks", optarg, 1, MAX_MASKS);
            break;
        case 's': *size = bench_number("--size", optarg,
                                       sizeof(struct bench_packet), 9000);
            break;
        case 't': *seconds = bench_number("--seconds", optarg, 1, 60); break;
        default: exit(2);
        }
    }
}

int
main(int argc, char *argv[])
{
    const struct eswitch_sink sink = { .end = to_end,
                                       .software = to_software };
    struct eswitch_params params = ESWITCH_PARAMS_INITIALIZER;
    uint32_t n_rules = 1000, n_masks = 1, size = 60, seconds = 1;
    double created, looked_up, forwarded, destroyed;
    struct eswitch_reader *reader;
    struct eswitch_error error;
    uint64_t *ids, start;

    parse_options(argc, argv, &n_rules, &n_masks, &size, &seconds);
    params.n_vfs = 2;
    ids = malloc(n_rules * sizeof *ids);
    errno = eswitch_create(&params, &eswitch, &error);
    reader = errno ? NULL : eswitch_reader_create(eswitch, &sink);
    if (!ids || !reader) {
        bench_die("eswitch");
    }

    start = bench_now_us();
    for (uint32_t i = 0; i < n_rules; i++) {
        ids[i] = create(i, n_masks, ESWITCH_ACTION_DROP);
    }
    created = n_rules / ((bench_now_us() - start) / 1e6);
    looked_up = send_frames(reader, n_rules, size, seconds);
    destroyed = destroy(ids, n_rules);
    ids[0] = create(0, 1, ESWITCH_ACTION_OUTPUT);
    forwarded = send_frames(reader, 1, size, seconds);
    if (!n_out) {
        errno = 0;
        bench_die("nothing was forwarded");
    }
    printf("{\"rules\": %"PRIu32", \"masks\": %"PRIu32", \"size\": %"PRIu32
           ", \"create\": %.0f, \"lookup\": %.0f, \"forward\": %.0f, "
           "\"destroy\": %.0f}\n", n_rules, n_masks, size, created, looked_up,
           forwarded, destroyed);
    eswitch_reader_destroy(reader);
    eswitch_destroy(eswitch);
    free(ids);
    return 0;
}
