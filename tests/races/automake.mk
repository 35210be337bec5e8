# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += \
	tests/kernel/qemu-init \
	tests/kernel/qemu-run \
	tests/races/replace \
	tests/races/run

# In QEMU with two CPUs: half an hour.  Not part of utilities/check.
RACES_SECONDS = 120
check-races: all
	OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	    $(srcdir)/tests/races/run $(RACES_SECONDS)
.PHONY: check-races
