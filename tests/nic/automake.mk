# SPDX-License-Identifier: Apache-2.0
#
# Tests of the NIC in software, inside of the test kernel.
# "make check-nic NIC_TESTSUITEFLAGS='-k KEYWORD'" runs a part.

NIC_TESTSUITE_AT = \
	tests/nic-testsuite.at \
	tests/nic-macros.at \
	tests/nic-device.at \
	tests/nic-rules.at \
	tests/nic-faults.at \
	tests/nic-ovs.at \
	tests/nic-guide.at \
	tests/nic-doctor.at
NIC_TESTSUITE = tests/nic-testsuite
EXTRA_DIST += $(NIC_TESTSUITE_AT) tests/nic/compare.py \
	tests/nic/guide.py tests/nic/mark.py tests/nic/rules
CLEANFILES += $(NIC_TESTSUITE)

$(NIC_TESTSUITE): $(NIC_TESTSUITE_AT) tests/system-macros.at tests/package.m4
	$(AM_V_GEN)$(AUTOM4TE) --language=autotest -I '$(srcdir)' -I tests \
	    -o $@.tmp $(srcdir)/tests/nic-testsuite.at && mv $@.tmp $@

NIC_TESTSUITEFLAGS =
check-nic: all $(NIC_TESTSUITE) $(NIC_MODULE) tests/packets.hex \
		tests/atconfig tests/atlocal
	cd tests && OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	    $(abs_top_srcdir)/tests/kernel/run --timeout 3600 \
	    --env OVS_FASTPATH_VSWITCHD --env SYS_DAEMON_FLAGS \
	    --env CONFIG_SHELL=/bin/sh -- \
	    /bin/sh ./nic-testsuite $(NIC_TESTSUITEFLAGS)
.PHONY: check-nic

clean-nic-testsuite:
	-cd tests && test ! -f nic-testsuite || \
	    $(SHELL) ./nic-testsuite --clean
CLEAN_LOCAL += clean-nic-testsuite
