# SPDX-License-Identifier: Apache-2.0

# The eswitch itself needs libc and threads, nothing else.
noinst_LIBRARIES += lib/eswim/libeswitch.a
lib_eswim_libeswitch_a_SOURCES = \
	lib/eswim/eswitch.h
