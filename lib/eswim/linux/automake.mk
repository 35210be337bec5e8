# SPDX-License-Identifier: Apache-2.0
#
# The Linux driver is a kernel module and no part of "make": "make nic-module"
# builds it for the kernel of the tests.  For the machine's own kernel, see
# Makefile beside this file.

NIC_MODULE_FILES = \
	lib/eswim/linux/Kbuild \
	lib/eswim/linux/Makefile \
	lib/eswim/linux/act-fate.c \
	lib/eswim/linux/act-mangle.c \
	lib/eswim/linux/act-meta.c \
	lib/eswim/linux/act-police.c \
	lib/eswim/linux/act-vlan.c \
	lib/eswim/linux/action.c \
	lib/eswim/linux/action.h \
	lib/eswim/linux/bus.c \
	lib/eswim/linux/compat.h \
	lib/eswim/linux/counter.c \
	lib/eswim/linux/counter.h \
	lib/eswim/linux/debugfs.c \
	lib/eswim/linux/devlink.c \
	lib/eswim/linux/ethtool.c \
	lib/eswim/linux/eswim.h \
	lib/eswim/linux/far.c \
	lib/eswim/linux/fault.c \
	lib/eswim/linux/fault.h \
	lib/eswim/linux/flower.c \
	lib/eswim/linux/health.c \
	lib/eswim/linux/host.c \
	lib/eswim/linux/key.c \
	lib/eswim/linux/key.h \
	lib/eswim/linux/legacy.c \
	lib/eswim/linux/main.c \
	lib/eswim/linux/matchall.c \
	lib/eswim/linux/meter.c \
	lib/eswim/linux/meter.h \
	lib/eswim/linux/netdev.c \
	lib/eswim/linux/nic.c \
	lib/eswim/linux/rule.c \
	lib/eswim/linux/shared.c \
	lib/eswim/linux/table.c \
	lib/eswim/linux/table.h \
	lib/eswim/linux/tc.c \
	lib/eswim/linux/tc.h \
	lib/eswim/linux/vf.c \
	lib/eswim/linux/walk.c \
	lib/eswim/linux/walk.h
EXTRA_DIST += $(NIC_MODULE_FILES) lib/eswim/linux/dkms.conf

# What modules are built against comes with the kernel.  The kernel's makefiles
# build where the sources are, so it gets a copy of them.
BUILD_NIC_MODULE = \
	rm -rf $(@D) && $(MKDIR_P) $(@D)/tree && \
	tar -C $(@D)/tree -xzf $$devel && \
	cp $(NIC_MODULE_FILES:%=$(srcdir)/%) $(@D)/ && \
	$(MAKE) -C $(@D)/tree ARCH=um M='$(abs_top_builddir)/$(@D)' modules

NIC_MODULE = kernel/eswim/eswim.ko
$(NIC_MODULE): $(NIC_MODULE_FILES)
	OVS_FASTPATH_BUILD='$(abs_top_builddir)' $(srcdir)/tests/kernel/build
	+devel=kernel/test/devel.tar.gz; $(BUILD_NIC_MODULE)
nic-module: $(NIC_MODULE)
.PHONY: nic-module

# The same for the kernel that checks itself.
NIC_DEBUG_MODULE = kernel/eswim-debug/eswim.ko
$(NIC_DEBUG_MODULE): $(NIC_MODULE_FILES)
	OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	    $(srcdir)/tests/kernel/build --debug
	+devel=kernel/debug/devel.tar.gz; $(BUILD_NIC_MODULE)
nic-debug-module: $(NIC_DEBUG_MODULE)
.PHONY: nic-debug-module

clean-nic-module:
	rm -rf kernel/eswim kernel/eswim-debug
CLEAN_LOCAL += clean-nic-module
