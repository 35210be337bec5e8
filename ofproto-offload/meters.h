/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_METERS_H
#define OFFLOAD_METERS_H 1

/* OpenFlow meters, told to the engine.
 *
 * Open vSwitch tells a provider of meters only while offload is enabled, so
 * those that were made earlier would be missing in hardware for ever.  We see
 * all of them (dpif_meter_set(), dpif_meter_del()) and remember how they are
 * configured, until offload is enabled: then the engine gets them all.
 *
 * A meter's id is the datapath's, which appears in OVS_ACTION_ATTR_METER.
 *
 * Thread-safe: meters are set by the main thread, and deleted by the thread of
 * RCU. */

/* Hands all meters to the engine, and from now on each one at once. */
void meters_start(void);

#endif /* meters.h */
