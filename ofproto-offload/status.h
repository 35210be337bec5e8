/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_STATUS_H
#define OFFLOAD_STATUS_H 1

/* "ovs-appctl offload/status": how much is offloaded, and how well.
 *
 * The numbers are those of lib/offload-statistics.h, by datapath and by port,
 * with what the datapath itself has switched beside them.
 *
 * Main thread only. */

struct json;
struct report;

/* What is known, as a tree: the members that Documentation/ovs-fastpath.8.rst
 * lists.  'ports' has an object a port, however many there are. */
void status_collect(struct json *root);

/* The command. */
void status_report(struct report *, int argc, const char *argv[]);

#endif /* status.h */
