/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWIM_DPDK_GUEST_H
#define ESWIM_DPDK_GUEST_H 1

/* The far end of a port: what a virtual machine would get (a VF's guest end),
 * or what is plugged into the wire (the uplink's).
 *
 * It is a TAP device of the machine, which plain Linux networking uses, in
 * whichever network namespace it is moved to.  It lives as long as nobody
 * deletes it: a deleted one, which goes along with its namespace, is like a
 * cable that was pulled: the port's link goes down, and what is sent there is
 * lost.  eswim_guest_open() again plugs in a new one. */

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eswim_guest {
    char if_name[IFNAMSIZ];     /* At the time it was opened. */
    int fd;                     /* -1: there is none. */
};

int eswim_guest_open(struct eswim_guest *, const char *if_name);
void eswim_guest_close(struct eswim_guest *);
int eswim_guest_receive(struct eswim_guest *, uint8_t *frame, size_t size);
bool eswim_guest_send(struct eswim_guest *, const uint8_t *frame, size_t len);

#endif /* lib/eswim/dpdk-guest.h */
