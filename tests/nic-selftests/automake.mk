# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += \
	tests/nic-selftests/inside \
	tests/nic-selftests/judge \
	tests/nic-selftests/known \
	tests/nic-selftests/nic.sh \
	tests/nic-selftests/run \
	tests/nic-selftests/tdc \
	tests/nic-selftests/tdc-inside

# The kernel's own tests: those of forwarding in the debug kernel, about an
# hour, those of tc-testing in the test kernel.  Not part of utilities/check.
check-nic-selftests: all $(NIC_DEBUG_MODULE)
	OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	    $(srcdir)/tests/nic-selftests/run $(NIC_SELFTESTS)
check-nic-tdc: all $(NIC_MODULE)
	OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	    $(srcdir)/tests/nic-selftests/tdc $(NIC_TDC_RULES)
.PHONY: check-nic-selftests check-nic-tdc
