/* SPDX-License-Identifier: Apache-2.0 */

/* An eswitch whose rules change while packets walk.
 *
 * Threads send packets to a number of destinations; others replace the rules
 * of these destinations all the time, each by a new one of the other priority
 * before the old one goes, and put a second stage somewhere else each time.
 * So no packet may ever miss, and each must show the work of one version of
 * the rules: two fields of it and the port must agree.  Another thread takes
 * rules out and in by which no packet gets anywhere, only to groups that come
 * and go, and reads counters.
 *
 * To be run under ThreadSanitizer too: CC=gcc CFLAGS=-fsanitize=thread.
 *
 * Usage: test-eswitch-threads [ROUNDS] */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eswim/eswitch.h"
#include "eswim/eswitch-text.h"

#define N_DESTINATIONS 4
#define N_SENDERS 2

static struct eswitch *eswitch;
static atomic_bool stop;

static void
check(bool condition, const char *text)
{
    if (!condition) {
        fprintf(stderr, "not true: %s\n", text);
        abort();
    }
}

static uint64_t __attribute__((format(printf, 1, 2)))
add(const char *format, ...)
{
    struct eswitch_text_rule *rule = malloc(sizeof *rule);
    struct eswitch_error error;
    char text[512], *wrong;
    va_list args;
    uint64_t id;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    wrong = eswitch_text_parse(text, rule);
    if (wrong || eswitch_rule_create(eswitch, &rule->rule, &id, &error)) {
        fprintf(stderr, "%s: %s\n", text, wrong ? wrong : error.text);
        abort();
    }
    free(rule);
    return id;
}

static void
del(uint64_t id)
{
    check(!eswitch_rule_destroy(eswitch, id, NULL), "rule can be destroyed");
}

/* A version of the rules of a destination.  It writes its number into two
 * fields, one in each stage, and goes to the port that belongs to it. */
struct version {
    uint64_t ids[2];
};

static void
install(struct version *version, int destination, unsigned number)
{
    unsigned group = 1 + destination * 1000 + number % 100;

    version->ids[1] = add("port=1 group=%u prio=%u eth / ipv4 => count / "
                          "modify ipv4_src=0x%08x / "
                          "sample [ vlan_push=0x8100 / output=3 ] / "
                          "output=%u", group, number % 2, number, number % 2);
    version->ids[0] = add("port=1 prio=%u eth / ipv4 dst=10.0.0.%d => count / "
                          "modify eth_src=0x%012x / jump=%u",
                          number % 2, destination, number, group);
}

static void
uninstall(const struct version *version)
{
    del(version->ids[0]);
    del(version->ids[1]);
}

struct replacer {
    pthread_t thread;
    int destination;
    unsigned rounds;
    struct version version;
};

static void *
replace(void *replacer_)
{
    struct replacer *replacer = replacer_;

    for (unsigned i = 1; i <= replacer->rounds; i++) {
        struct version old = replacer->version;

        install(&replacer->version, replacer->destination, i);
        uninstall(&old);
    }
    return NULL;
}

/* Rules of other priorities and shapes, and of another port, whose packets
 * find nothing in the groups that these lead to. */
static void *
disturb(void *aux)
{
    (void) aux;
    for (unsigned round = 0; !atomic_load(&stop); round++) {
        uint64_t ids[40];

        for (unsigned i = 0; i < 40; i++) {
            ids[i] = add("port=2 prio=%u eth / ipv4 dst=10.%u.0.0/0x%08x => "
                         "count / jump=%u", round % 3, i, 0xffffff00u << i % 4,
                         9000 + i % 7);
        }
        for (unsigned i = 0; i < 40; i++) {
            struct eswitch_counters counters;

            check(!eswitch_rule_query(eswitch, ids[i], i % 2, &counters,
                                      NULL), "rule can be queried");
            del(ids[i]);
        }
    }
    return NULL;
}

struct sender {
    pthread_t thread;
    unsigned sent, arrived, mirrored, missed;
};

static const uint8_t frame_template[] = {
    2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
    0x45, 0, 0, 20, 0, 0, 0, 0, 64, 59, 0, 0, 10, 0, 0, 9, 10, 0, 0, 0,
};

static bool
to_end(void *sender_, uint16_t port, const void *frame_, size_t size)
{
    const uint8_t *frame = frame_;
    struct sender *sender = sender_;
    size_t ip = 14;

    if (port == 3) {
        ip += 4;
        sender->mirrored++;
    } else {
        check(port == (frame[ip + 15] & 1), "port is that of the version");
        sender->arrived++;
    }
    check(size == ip + 20, "size is right");
    check(!memcmp(frame + 8, frame + ip + 12, 4),
          "both stages are of one version");
    return true;
}

static bool
to_software(void *sender_, uint16_t port,
            const struct eswitch_metadata *metadata, const void *frame,
            size_t size)
{
    struct sender *sender = sender_;

    (void) metadata, (void) frame, (void) size;
    check(port == 2, "no packet that has rules misses");
    sender->missed++;
    return true;
}

static void *
send_packets(void *sender_)
{
    struct sender *sender = sender_;
    struct eswitch_sink sink = { to_end, to_software, sender };

    while (!atomic_load(&stop)) {
        struct eswitch_reader *reader = eswitch_reader_create(eswitch, &sink);

        for (int i = 0; i < 1000; i++) {
            uint8_t frame[sizeof frame_template];

            memcpy(frame, frame_template, sizeof frame);
            frame[33] = i % N_DESTINATIONS;
            eswitch_rx(reader, 1, frame, sizeof frame);
            eswitch_rx(reader, 2, frame, sizeof frame);
            sender->sent++;
        }
        eswitch_reader_destroy(reader);
    }
    return NULL;
}

int
main(int argc, char *argv[])
{
    struct eswitch_params params = ESWITCH_PARAMS_INITIALIZER;
    unsigned rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 5000;
    struct replacer replacers[N_DESTINATIONS];
    struct sender senders[N_SENDERS] = { { .sent = 0 } };
    struct eswitch_port_stats stats;
    uint64_t sent = 0;
    pthread_t other;

    params.n_vfs = 3;
    params.counter_refresh = 1;
    check(!eswitch_create(&params, &eswitch, NULL), "eswitch is created");

    /* Rules for all, before the first packet. */
    for (int i = 0; i < N_DESTINATIONS; i++) {
        replacers[i] = (struct replacer) { .destination = i,
                                           .rounds = rounds };
        install(&replacers[i].version, i, 0);
    }
    for (int i = 0; i < N_SENDERS; i++) {
        pthread_create(&senders[i].thread, NULL, send_packets, &senders[i]);
    }
    pthread_create(&other, NULL, disturb, NULL);
    for (int i = 0; i < N_DESTINATIONS; i++) {
        pthread_create(&replacers[i].thread, NULL, replace, &replacers[i]);
    }
    for (int i = 0; i < N_DESTINATIONS; i++) {
        pthread_join(replacers[i].thread, NULL);
    }
    atomic_store(&stop, true);
    pthread_join(other, NULL);
    for (int i = 0; i < N_SENDERS; i++) {
        pthread_join(senders[i].thread, NULL);
        check(senders[i].arrived == senders[i].sent, "each packet arrived");
        check(senders[i].mirrored, "some were mirrored");
        check(senders[i].missed == senders[i].sent,
              "each that leads nowhere missed");
        sent += senders[i].sent;
    }
    check(!eswitch_port_stats(eswitch, 1, &stats), "there are statistics");
    check(stats.end_rx.packets == sent && !stats.missed.packets,
          "statistics of readers that are gone aren't lost");
    eswitch_destroy(eswitch);
    printf("%"PRIu64" packets\n", sent);
    return 0;
}
