/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWIM_DPDK_GENERATOR_H
#define ESWIM_DPDK_GENERATOR_H 1

/* A far end of a port that isn't a TAP device but makes its own traffic, and
 * swallows what it is sent: for benchmarks, where the rest of the machine
 * would be the bottleneck.
 *
 * It sends UDP over IPv4 over Ethernet, of a number of flows in turn.  Flow i
 * is flow 0 with i added to those fields that "vary".  The last bytes of each
 * frame are a signature, by which a generator at another port counts it.
 *
 * It also remembers when it sent the first frame of each flow.  The eswitch
 * knows when each rule came: what is between is how long it took whoever
 * makes the rules to make one (see eswim_generator_latency()).
 *
 * Life: created with its port, then started and stopped any number of times.
 *
 * Threads: none may be in here at the same time as another; in the driver, the
 * NIC's 'io_mutex' sees to that.  What it sends is sent by the thread of the
 * hardware, so no thread of the application is needed for it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eswim_generator;

/* What it has done since it was created, and what it is at. */
struct eswim_generator_report {
    bool running;
    uint64_t flows, rate, size, count;  /* Settings; see the table in
                                         * dpdk-generator.c. */
    uint64_t run;               /* Frames sent since the last start... */
    uint64_t run_us;            /* ...in so many microseconds. */
    uint64_t sent, sent_bytes;  /* Since it was created. */
    uint64_t got, got_bytes;    /* Frames of generators that came. */
    uint64_t got_other;         /* Frames of others that came. */
    uint64_t forgiven;          /* Frames that were due, but left out because
                                 * the machine was too slow. */
};

/* How long after the first frame of a flow its rule came, microseconds.  All
 * times are 0 if no flow has a rule. */
struct eswim_generator_latency {
    uint64_t with_rule, without_rule;   /* Flows of which a frame was sent. */
    uint64_t earlier;           /* Flows that had a rule already; they are not
                                 * among those of which the rest tells. */
    uint64_t p50, p90, p99, max;
};

/* Says since when, in nanoseconds of the monotonic clock, the rule is there
 * that a frame would meet; 0 if there is none. */
typedef uint64_t eswim_generator_ask(void *aux, const void *frame, size_t);

/* Takes a frame that is sent. */
typedef void eswim_generator_deliver(void *aux, const void *frame, size_t);

/* NULL if there is no memory. */
struct eswim_generator *eswim_generator_create(void);
void eswim_generator_destroy(struct eswim_generator *);

/* Starts anew with 'settings', "KEY=VALUE,..."; what they don't name is as it
 * is by default.  Returns false with the reason in 'message', and goes on as
 * before, if they make no sense. */
bool eswim_generator_start(struct eswim_generator *, const char *settings,
                           char *message, size_t message_size);
void eswim_generator_stop(struct eswim_generator *);

/* Sends what is due, but not more than a few frames.  Returns in how many
 * nanoseconds there is more to do; UINT64_MAX: never. */
uint64_t eswim_generator_send(struct eswim_generator *,
                              eswim_generator_deliver *, void *aux);

/* Takes a frame that has come. */
void eswim_generator_receive(struct eswim_generator *, const void *frame,
                             size_t size);

void eswim_generator_report(const struct eswim_generator *,
                            struct eswim_generator_report *);

/* Asks for each flow of the last start.  Returns 0 or ENOMEM. */
int eswim_generator_latency(struct eswim_generator *, eswim_generator_ask *,
                            void *aux, struct eswim_generator_latency *);

#endif /* lib/eswim/dpdk-generator.h */
