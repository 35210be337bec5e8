# SPDX-License-Identifier: Apache-2.0

# Functions of Open vSwitch whose callers get ours instead, __wrap_NAME(),
# which calls __real_NAME(): see wrap.h.  Calls from the file that defines NAME
# can't be wrapped: "make check-wraps" fails unless they are listed here as
# NAME:CALLER.
OFFLOAD_WRAPS =
OFFLOAD_WRAPS_KNOWN =

# hook.c
OFFLOAD_WRAPS += bridge_init ovs_print_version
# config.c
OFFLOAD_WRAPS += netdev_set_flow_api_enabled
# ct-limits.c
OFFLOAD_WRAPS += ct_dpif_set_limits ct_dpif_del_limits
# meters.c
OFFLOAD_WRAPS += dpif_meter_set dpif_meter_del
# operate.c: not for dpctl's calls, see there
OFFLOAD_WRAPS += dpif_operate
OFFLOAD_WRAPS_KNOWN += \
	dpif_operate:dpif_execute \
	dpif_operate:dpif_execute_helper_cb \
	dpif_operate:dpif_flow_del \
	dpif_operate:dpif_flow_get \
	dpif_operate:dpif_flow_put \
	dpif_operate:dpif_probe_feature
# ports.c
OFFLOAD_WRAPS += dpif_close dpif_port_del
OFFLOAD_WRAPS += netdev_ports_insert netdev_ports_remove
OFFLOAD_WRAPS_KNOWN += netdev_ports_remove:__wrap_netdev_ports_insert

if WITH_DPDK
# dpdk-flow-api.c
OFFLOAD_WRAPS += netdev_register_flow_api_provider
# dpdk-wake.c
OFFLOAD_WRAPS += mpsc_queue_insert mpsc_queue_tail
OFFLOAD_WRAPS_KNOWN += mpsc_queue_insert:mpsc_queue_poll
# dpdk-ports.c
OFFLOAD_WRAPS += rte_eth_dev_reset rte_eth_dev_start rte_eth_dev_stop
endif

noinst_LIBRARIES += ofproto-offload/libofproto-offload.a
ofproto_offload_libofproto_offload_a_SOURCES = \
	ofproto-offload/commands.c \
	ofproto-offload/caps.c \
	ofproto-offload/commands.h \
	ofproto-offload/datapath.c \
	ofproto-offload/datapath.h \
	ofproto-offload/explain.c \
	ofproto-offload/refusals.c \
	ofproto-offload/show.c \
	ofproto-offload/trace.c \
	ofproto-offload/trace.h \
	ofproto-offload/config.c \
	ofproto-offload/ct-limits.c \
	ofproto-offload/ct-limits.h \
	ofproto-offload/engine-dump.c \
	ofproto-offload/engine-info.c \
	ofproto-offload/engine-info.h \
	ofproto-offload/engine-port.c \
	ofproto-offload/engine-remove.c \
	ofproto-offload/engine-private.h \
	ofproto-offload/engine.c \
	ofproto-offload/engine.h \
	ofproto-offload/flow-api.c \
	ofproto-offload/flow-api.h \
	ofproto-offload/hook.c \
	ofproto-offload/meters.c \
	ofproto-offload/meters.h \
	ofproto-offload/metrics.c \
	ofproto-offload/metrics.h \
	ofproto-offload/occupancy.c \
	ofproto-offload/occupancy.h \
	ofproto-offload/nic-ports.c \
	ofproto-offload/nic-ports.h \
	ofproto-offload/operate.c \
	ofproto-offload/port-report.c \
	ofproto-offload/port-report.h \
	ofproto-offload/ports.c \
	ofproto-offload/ports.h \
	ofproto-offload/refusal-log.c \
	ofproto-offload/refusal-log.h \
	ofproto-offload/report.c \
	ofproto-offload/report.h \
	ofproto-offload/status.c \
	ofproto-offload/status.h \
	ofproto-offload/wrap.h

OFFLOAD_DPDK_SOURCES = \
	ofproto-offload/dpdk-flow-api.c \
	ofproto-offload/dpdk-nic-ports.c \
	ofproto-offload/dpdk-offload.h \
	ofproto-offload/dpdk-ports.c \
	ofproto-offload/dpdk-queue.c \
	ofproto-offload/dpdk-wake.c
if WITH_DPDK
ofproto_offload_libofproto_offload_a_SOURCES += $(OFFLOAD_DPDK_SOURCES)
else
EXTRA_DIST += $(OFFLOAD_DPDK_SOURCES)
endif

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
