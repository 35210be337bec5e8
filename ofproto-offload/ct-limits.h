/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_CT_LIMITS_H
#define OFFLOAD_CT_LIMITS_H 1

/* Zones of connection tracking with a limit (dpctl/ct-set-limits), told to the
 * engine.
 *
 * The kernel datapath counts the connections of such a zone when it commits
 * one; TC doesn't.  We read the limits when somebody changes them through the
 * daemon, and every few seconds for those who change them in the kernel
 * (ovs-dpctl).
 *
 * Main thread only. */

/* Reads the limits now. */
void ct_limits_read(void);

/* Reads them if it is time to, and sees to it that the main loop wakes up for
 * the next time.  To be called at every run of the main loop. */
void ct_limits_run(void);

#endif /* ct-limits.h */
