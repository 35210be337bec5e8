# SPDX-License-Identifier: Apache-2.0
#
# Open vSwitch, unpacked, configured and built below $(OVS_DIR).

OVS_SRC = $(OVS_DIR)/src
OVS_BUILD = $(OVS_DIR)/build
OVS_STAMP = $(OVS_DIR)/built

# Runs in every make, costs some 50 ms when there is nothing to do, and touches
# the stamp only after a build: so what depends on the stamp is made again
# when, and only when, Open vSwitch was.
$(OVS_STAMP): FORCE
	$(AM_V_at)OVS_CC='$(OVS_CC)' OVS_CFLAGS='$(OVS_CFLAGS)' \
	    MAKE='$(MAKE)' \
	    $(SHELL) $(top_srcdir)/build-aux/build-ovs \
	    '$(OVS_SOURCE)' '$(OVS_DIR)' $(OVS_CONFIGURE_ARGS)
FORCE:
.PHONY: FORCE ovs

ovs: $(OVS_STAMP)

# vswitchd's own objects, without the libraries.
OVS_VSWITCHD_OBJECTS = \
	$(OVS_BUILD)/vswitchd/bridge.o \
	$(OVS_BUILD)/vswitchd/ovs-vswitchd.o \
	$(OVS_BUILD)/vswitchd/system-stats.o

BUILT_SOURCES += $(OVS_STAMP)
# Is every wrapped function really wrapped?
check-wraps: ofproto-offload/ovs-vswitchd
	$(AM_V_GEN)$(SHELL) $(top_srcdir)/build-aux/check-wraps \
	    ofproto-offload/ovs-vswitchd $(OFFLOAD_WRAPS) \
	    -- $(OFFLOAD_WRAPS_KNOWN)
CHECK_LOCAL += check-wraps

# Would "make dist" forget a file?
check-dist:
	$(AM_V_GEN)echo $(DISTFILES) | \
	    $(SHELL) $(top_srcdir)/build-aux/check-dist $(srcdir)
.PHONY: check-dist

# A test that everything compiles, for build directories that do no more.
check-compile: all
	@echo '1 passed, 0 failed'
.PHONY: check-compile

EXTRA_DIST += build-aux/alone
EXTRA_DIST += build-aux/build-ovs
EXTRA_DIST += build-aux/check-dist
EXTRA_DIST += build-aux/check-wraps
EXTRA_DIST += build-aux/dpdk-headers
EXTRA_DIST += build-aux/packages
EXTRA_DIST += build-aux/setup
EXTRA_DIST += build-aux/variant
EXTRA_DIST += .ci/run

# The test kernel.
EXTRA_DIST += \
	tests/kernel/build \
	tests/kernel/common.sh \
	tests/kernel/debug-kernel.config \
	tests/kernel/guest-init \
	tests/kernel/guest-lib.sh \
	tests/kernel/qemu-init \
	tests/kernel/qemu-run \
	tests/kernel/run \
	tests/kernel/selftest \
	tests/kernel/session.sh \
	tests/kernel/test-kernel.config

# "make clean" keeps Open vSwitch, which takes minutes; "make distclean" takes
# it away unless it is another build directory's.
distclean-local:
	rm -rf lib/eswim/dpdk-headers
	if test '$(OVS_DIR)' = '$(abs_builddir)/ovs'; then \
	    chmod -R u+w ovs 2>/dev/null; rm -rf ovs; \
	fi

# Autotest's.
DISTCLEANFILES += tests/atconfig tests/testsuite.log tests/system-testsuite.log
DISTCLEANFILES += tests/rte-system.log
