/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FLOW_SHARES_H
#define FLOW_SHARES_H 1

/* What of a flow's counters belongs to which of its readers.
 *
 * In the userspace datapath, each thread that polls has its own copy of a
 * flow, with its own software counters, while a device has one rule for all of
 * them.  Open vSwitch adds the device's counters to each copy's and sums up
 * the copies.  So the device's must be given to one copy only, or what they
 * grow by must be given to one at a time.
 *
 * Copies come and go, and nobody says so: a copy is whoever asks, and the one
 * that has asked first and goes on asking gets the growth.  What a copy has
 * once been given is its own for as long as it asks now and then: its counters
 * never go backwards, and nothing is given twice.
 *
 * Threads: the caller excludes others. */

#include <stdbool.h>
#include <stdint.h>

struct flow_shares;

/* In a flow.  All zeros at first; as long as there is one reader, it takes no
 * memory. */
struct flow_readers {
    uint64_t first;             /* 0: nobody has asked. */
    struct flow_shares *shares; /* If there are several. */
};

/* One that hasn't asked for so long, in msec, gets no more if others ask.  It
 * keeps what it was given for longer. */
#define FLOW_READER_IDLE_MS 5000
#define FLOW_READER_GONE_MS 60000

void flow_readers_destroy(struct flow_readers *);

/* 'reader', a number that no other copy has or had of late, and not 0, asks at
 * 'now' (msec) for a flow that has '*packets' and '*bytes', which may only
 * grow: they become what is this reader's. */
void flow_readers_ask(struct flow_readers *, uint64_t reader,
                      long long int now, uint64_t *packets, uint64_t *bytes);

#endif /* flow-shares.h */
