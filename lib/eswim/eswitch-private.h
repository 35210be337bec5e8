/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWITCH_PRIVATE_H
#define ESWITCH_PRIVATE_H 1

/* What the eswitch is made of: for its own files only. */

#include <pthread.h>
#include <stdatomic.h>

#include "eswim/eswitch.h"
#include "eswim/eswitch-epoch.h"
#include "eswim/eswitch-packet.h"
#include "eswim/eswitch-table.h"

/* What a rule has counted.
 *
 * Counters are shown as they were at the last tick, a multiple of the refresh
 * interval, without anybody having to look at them then: the first packet
 * after a tick puts aside what there is.  A lock of its own, held for a few
 * instructions, keeps packets and bytes together. */
struct rule_counters {
    atomic_flag lock;
    uint64_t tick;                  /* In which 'settled' was put aside. */
    struct eswitch_counters live;
    struct eswitch_counters settled;    /* 'live' at its beginning. */
    struct eswitch_counters reset;  /* Reported by a query with reset. */
};

struct rule {
    struct table_rule table;        /* What walks find. */
    struct eswitch_list node;       /* All rules, in the order of ids. */
    struct rule *next;              /* In the bucket of its id. */
    uint64_t id;
    uint64_t since;                 /* Nanoseconds of CLOCK_MONOTONIC. */
    uint16_t port;
    bool transfer;
    bool has_count;
    uint32_t priority;
    struct table_group *jump;       /* Group of its JUMP, or null. */
    size_t n_actions;
    struct eswitch_action *actions;
    struct rule_counters counters;
    uint8_t key[];
};

/* The counters of a port; those of one reader, which alone changes them. */
#define PORT_COUNTERS                                                   \
    PORT_COUNTER(END_RX) PORT_COUNTER(END_RX_BYTES)                     \
    PORT_COUNTER(END_TX) PORT_COUNTER(END_TX_BYTES)                     \
    PORT_COUNTER(MISSED) PORT_COUNTER(MISSED_BYTES)                     \
    PORT_COUNTER(UP) PORT_COUNTER(UP_BYTES)                             \
    PORT_COUNTER(DOWN) PORT_COUNTER(DOWN_BYTES)                         \
    PORT_COUNTER(RULED_OUT) PORT_COUNTER(END_DROPPED)                   \
    PORT_COUNTER(UP_DROPPED) PORT_COUNTER(ERRORS)

enum port_counter {
#define PORT_COUNTER(ID) PORT_##ID,
    PORT_COUNTERS
#undef PORT_COUNTER
    N_PORT_COUNTERS
};

struct port_counters {
    _Atomic uint64_t n[N_PORT_COUNTERS];
};

struct injection {
    unsigned nth;                   /* 0: none. */
    int error;
};

struct eswitch {
    struct eswitch_params params;   /* Those that don't change. */
    uint16_t n_ports;
    _Atomic uint32_t counter_refresh;       /* Milliseconds. */
    _Atomic uint32_t insert_latency;        /* Microseconds. */
    struct packet_tunnel_ports tunnel_ports;

    pthread_mutex_t insertion;      /* Insertions take their time one after
                                     * the other.  Taken before 'lock'. */
    pthread_mutex_t lock;           /* For all that follows, but for what walks
                                     * read (see eswitch-epoch.h). */
    uint32_t capacity;
    struct epoch epoch;
    struct table table;
    struct table_group *root;       /* Group 0. */
    struct table_group **ingress;   /* Group 0 of each port's. */

    struct eswitch_list rules;
    size_t n_rules;
    uint64_t next_id;
    struct rule **by_id;            /* Buckets, by the id's low bits. */
    size_t n_by_id;                 /* A power of 2. */

    struct injection injections[ESWITCH_N_OPERATIONS];
    bool refused_items[ESWITCH_N_ITEMS];
    bool refused_actions[ESWITCH_N_ACTIONS];
    bool refused_fields[ESWITCH_N_FIELDS];

    struct port_counters *gone;     /* Of readers that are gone, by port. */
};

struct pending_count {
    struct rule *rule;
    size_t bytes;
};

/* A walk: what it has done so far, for nobody to see until it has ended. */
struct walk {
    size_t n_counts, n_copies;
    struct pending_count counts[ESWITCH_MAX_JUMPS + 1];
};

struct copy {
    const struct eswitch_action *fate;
    struct packet packet;
};

struct eswitch_reader {
    struct epoch_reader epoch;
    struct eswitch *eswitch;
    struct eswitch_sink sink;
    struct port_counters *counters; /* By port. */
    struct walk walk;
    struct packet packet;
    struct copy copies[ESWITCH_MAX_COPIES];
};

/* The time, as a number of refresh intervals from 1; 0 if there is no lag. */
uint64_t eswitch_tick(const struct eswitch *);

/* Adds packets and bytes. */
void rule_count(struct rule *, uint64_t tick, size_t bytes);

#endif /* eswitch-private.h */
