# SPDX-License-Identifier: Apache-2.0

# Functions of Open vSwitch whose callers get ours instead, __wrap_NAME(),
# which calls __real_NAME().  Calls from the file that defines NAME can't be
# wrapped: "make check-wraps" fails unless they are listed here as NAME:CALLER.
OFFLOAD_WRAPS =
OFFLOAD_WRAPS_KNOWN =

OFFLOAD_WRAPS += bridge_init

noinst_LIBRARIES += ofproto-offload/libofproto-offload.a
ofproto_offload_libofproto_offload_a_SOURCES = \
	ofproto-offload/hook.c

# The daemon: Open vSwitch's own objects and ours.  All of ours are linked as
# objects of a group, so a wrapped function may be needed by either side.
pkglibexec_PROGRAMS += ofproto-offload/ovs-vswitchd
ofproto_offload_ovs_vswitchd_SOURCES =
ofproto_offload_ovs_vswitchd_LDADD = \
	$(OVS_VSWITCHD_OBJECTS) \
	$(GROUP_START) \
	ofproto-offload/libofproto-offload.a \
	lib/liboffload.a \
	$(OVS_LIBS) \
	$(GROUP_END) \
	$(LIBNL_LIBS)
ofproto_offload_ovs_vswitchd_DEPENDENCIES = \
	$(OVS_STAMP) \
	ofproto-offload/libofproto-offload.a \
	lib/liboffload.a
ofproto_offload_ovs_vswitchd_LDFLAGS = \
	$(AM_LDFLAGS) \
	$(OFFLOAD_WRAPS:%=-Wl,--wrap=%)
