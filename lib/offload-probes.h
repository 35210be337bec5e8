/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_PROBES_H
#define OFFLOAD_PROBES_H 1

/* Places in the daemon that a tracer can look at: USDT probes.
 *
 * A probe is a no-operation instruction, and a note in the program that tells
 * bpftrace, perf, SystemTap or gdb where it is and where its arguments are.
 * Who attaches to it replaces the instruction while the daemon runs.  Nobody
 * attached, it costs that one instruction.
 *
 * configure builds them in if <sys/sdt.h> is there (Debian's package
 * systemtap-sdt-dev); --enable-usdt-probes insists on it, and
 * --disable-usdt-probes leaves them out.  Then neither code nor data is left
 * of a probe, and its arguments aren't evaluated.
 *
 * OFFLOAD_PROBEn(NAME, ...) is the probe "NAME" of the provider "ovs_fastpath"
 * with n arguments: integers and pointers that are at hand.  An array is given
 * by the address of its first member.  ovs-fastpath.8.rst documents each,
 * which a test checks. */

#ifdef OFFLOAD_USDT_PROBES

#include <sys/sdt.h>

#define OFFLOAD_PROBE2(NAME, A, B)                                            \
    DTRACE_PROBE2(ovs_fastpath, NAME, A, B)
#define OFFLOAD_PROBE3(NAME, A, B, C)                                         \
    DTRACE_PROBE3(ovs_fastpath, NAME, A, B, C)
#define OFFLOAD_PROBE4(NAME, A, B, C, D)                                      \
    DTRACE_PROBE4(ovs_fastpath, NAME, A, B, C, D)
#define OFFLOAD_PROBE5(NAME, A, B, C, D, E)                                   \
    DTRACE_PROBE5(ovs_fastpath, NAME, A, B, C, D, E)

#else /* !OFFLOAD_USDT_PROBES */

#define OFFLOAD_PROBE2(NAME, A, B)                                            \
    ((void) sizeof (A), (void) sizeof (B))
#define OFFLOAD_PROBE3(NAME, A, B, C)                                         \
    (OFFLOAD_PROBE2(NAME, A, B), (void) sizeof (C))
#define OFFLOAD_PROBE4(NAME, A, B, C, D)                                      \
    (OFFLOAD_PROBE3(NAME, A, B, C), (void) sizeof (D))
#define OFFLOAD_PROBE5(NAME, A, B, C, D, E)                                   \
    (OFFLOAD_PROBE4(NAME, A, B, C, D), (void) sizeof (E))

#endif /* !OFFLOAD_USDT_PROBES */

#endif /* offload-probes.h */
