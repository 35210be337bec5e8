/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_METRICS_H
#define OFFLOAD_METRICS_H 1

/* "ovs-appctl offload/metrics": what offload/status knows, as Prometheus reads
 * it (text exposition format, version 0.0.4).
 *
 * Names are those that exporters of Open vSwitch have already where they mean
 * the same, and begin with "ovs_offload_" elsewhere.  What is unknown isn't
 * there.
 *
 * Main thread only. */

struct ds;
struct json;
struct report;

/* Appends the metrics of 'status', from status_collect(). */
void metrics_format(const struct json *status, struct ds *);

/* The command. */
void metrics_report(struct report *, int argc, const char *argv[]);

#endif /* metrics.h */
