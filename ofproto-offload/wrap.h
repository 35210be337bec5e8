/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_WRAP_H
#define OFFLOAD_WRAP_H 1

/* Functions of Open vSwitch whose callers get ours instead.
 *
 * The linker sends calls of a function NAME that is listed in OFFLOAD_WRAPS
 * (automake.mk) to __wrap_NAME(), which is ours; the original is then called
 * __real_NAME().  OFFLOAD_WRAP(NAME) declares both with the type that NAME has
 * in Open vSwitch's headers, so that the compiler complains if it changes. */

#define OFFLOAD_WRAP(NAME)                      \
    extern __typeof__(NAME) __real_##NAME;      \
    extern __typeof__(NAME) __wrap_##NAME

#endif /* wrap.h */
