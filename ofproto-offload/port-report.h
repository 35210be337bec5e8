/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_PORT_REPORT_H
#define OFFLOAD_PORT_REPORT_H 1

/* "ovs-appctl offload/ports": every port of the datapaths and every port of an
 * eswitch that could be one; what it is, and whether flows of it are
 * offloaded.
 *
 * Main thread only. */

struct json;
struct offload_port;
struct report;

void port_report(struct report *, int argc, const char *argv[]);

/* Where rules of a port of the kernel datapath go, as offload/ports says:
 * "offload" ("hardware", "software", or unknown) and "reason" of the new
 * object; if the port is a bond, also "members", an array of such objects with
 * the "port" and, if it has one, the "eswitch" of each.  Asks the kernel.
 * NULL if there is no such device. */
struct json *port_report_one(const struct offload_port *);

#endif /* port-report.h */
