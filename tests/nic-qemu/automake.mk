# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += \
	tests/nic-qemu/inside \
	tests/nic-qemu/run

# In QEMU with two CPUs, on Debian's stock kernels: some minutes for each.
# Not part of utilities/check.
NIC_SERIES = 6.1 6.12
check-nic-qemu: all
	OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	    $(srcdir)/tests/nic-qemu/run $(NIC_SERIES)
.PHONY: check-nic-qemu
