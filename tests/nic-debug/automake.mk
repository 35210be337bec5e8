# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += \
	tests/nic-debug/inside \
	tests/nic-debug/judge \
	tests/nic-debug/run

# In the debug kernel, whose first build takes a quarter of an hour.  Not part
# of utilities/check.
CYCLES = 100
check-nic-debug: all $(NIC_DEBUG_MODULE)
	OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	    $(srcdir)/tests/nic-debug/run $(CYCLES)
.PHONY: check-nic-debug
