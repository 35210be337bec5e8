# SPDX-License-Identifier: Apache-2.0

# The eswitch itself needs libc and threads, nothing else.
noinst_LIBRARIES += lib/eswim/libeswitch.a
lib_eswim_libeswitch_a_SOURCES = \
	lib/eswim/eswitch-action.c \
	lib/eswim/eswitch-action.h \
	lib/eswim/eswitch-epoch.c \
	lib/eswim/eswitch-epoch.h \
	lib/eswim/eswitch-list.h \
	lib/eswim/eswitch-match.c \
	lib/eswim/eswitch-match.h \
	lib/eswim/eswitch-names.c \
	lib/eswim/eswitch-names.h \
	lib/eswim/eswitch-packet.c \
	lib/eswim/eswitch-packet.h \
	lib/eswim/eswitch-private.h \
	lib/eswim/eswitch-table.c \
	lib/eswim/eswitch-table.h \
	lib/eswim/eswitch-text.c \
	lib/eswim/eswitch-text.h \
	lib/eswim/eswitch-walk.c \
	lib/eswim/eswitch.c \
	lib/eswim/eswitch.h

# The driver for DPDK: a shared object that an application loads (EAL's option
# -d).  The eswitch is compiled again, as position-independent code.
DPDK_DRIVER_INCLUDE = lib/eswim/dpdk-headers
ESWIM_DPDK_FILES = \
	$(lib_eswim_libeswitch_a_SOURCES) \
	lib/eswim/dpdk-config.c \
	lib/eswim/dpdk-config.h \
	lib/eswim/dpdk-flow-action.c \
	lib/eswim/dpdk-flow-item.c \
	lib/eswim/dpdk-flow.c \
	lib/eswim/dpdk-flow.h \
	lib/eswim/dpdk-generator.c \
	lib/eswim/dpdk-generator.h \
	lib/eswim/dpdk-guest.c \
	lib/eswim/dpdk-guest.h \
	lib/eswim/dpdk-hardware.c \
	lib/eswim/dpdk-nic.c \
	lib/eswim/dpdk-nic.h \
	lib/eswim/dpdk-port.c \
	lib/eswim/dpdk-ring.c \
	lib/eswim/dpdk-ring.h \
	lib/eswim/dpdk-telemetry.c

if WITH_DPDK
eswimdir = $(pkglibdir)
eswim_PROGRAMS = lib/eswim/librte_net_eswim.so
lib_eswim_librte_net_eswim_so_SOURCES = $(ESWIM_DPDK_FILES)
lib_eswim_librte_net_eswim_so_CPPFLAGS = \
	-DALLOW_INTERNAL_API \
	-DALLOW_EXPERIMENTAL_API \
	-D_GNU_SOURCE \
	-I$(top_srcdir)/lib \
	-isystem $(DPDK_DRIVER_INCLUDE) \
	$(DPDK_CFLAGS:-I%=-isystem %)
lib_eswim_librte_net_eswim_so_CFLAGS = \
	$(OFFLOAD_CFLAGS) -fPIC -fvisibility=hidden
lib_eswim_librte_net_eswim_so_LDFLAGS = -shared -Wl,-z,defs
lib_eswim_librte_net_eswim_so_LDADD = $(DPDK_LIBS) -lrte_bus_vdev -lpthread

# Driver headers aren't among libdpdk-dev's.
$(lib_eswim_librte_net_eswim_so_OBJECTS): | $(DPDK_DRIVER_INCLUDE)/version
$(DPDK_DRIVER_INCLUDE)/version:
	$(AM_V_GEN)$(top_srcdir)/build-aux/dpdk-headers $(DPDK_DRIVER_INCLUDE)
endif
