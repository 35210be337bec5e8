# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += \
	tests/nic-selftests/inside \
	tests/nic-selftests/judge \
	tests/nic-selftests/known \
	tests/nic-selftests/run

# The kernel's own tests, in QEMU: a quarter of an hour.  Not part of
# utilities/check.
check-nic-selftests: all
	OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	    $(srcdir)/tests/nic-selftests/run $(NIC_SELFTESTS)
.PHONY: check-nic-selftests
