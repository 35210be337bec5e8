/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_PORT_REPORT_H
#define OFFLOAD_PORT_REPORT_H 1

/* "ovs-appctl offload/ports": every port of the datapaths and every port of an
 * eswitch that could be one; what it is, and whether flows of it are
 * offloaded.
 *
 * Main thread only. */

struct report;

void port_report(struct report *, int argc, const char *argv[]);

#endif /* port-report.h */
