# SPDX-License-Identifier: Apache-2.0

# The NIC in software, with DPDK's testpmd and stock Open vSwitch, as root.
# "make check-eswim ESWIM_TESTSUITEFLAGS='-k KEYWORD'" runs a part.
ESWIM_TESTSUITE = tests/eswim-testsuite
EXTRA_DIST += \
	tests/eswim-testsuite.at \
	tests/eswim/cases.py \
	tests/eswim/effects.py \
	tests/eswim/faults.py \
	tests/eswim/generator.py \
	tests/eswim/nic.py \
	tests/eswim/ovs.py \
	tests/eswim/queues.py \
	tests/eswim/refusals.py \
	tests/eswim/stock-ovs \
	tests/eswim/stock.py
CLEANFILES += $(ESWIM_TESTSUITE)
DISTCLEANFILES += tests/eswim-testsuite.log

# How the tests that need the driver are run, check-rte's too: in a network
# namespace, with a copy of the driver in a folder of its own.  DPDK takes none
# from below a world-writable folder, where a checkout may be.
ESWIM_RUN = unshare -n -m $(SHELL) -c 'mkdir -p /run/netns && \
	mount -t tmpfs -o mode=755 netns /run/netns && \
	cd $(abs_top_builddir)/tests && ip link set lo up && \
	if test -e ../lib/eswim/librte_net_eswim.so; then \
	    cp ../lib/eswim/librte_net_eswim.so /run/netns && \
	    export OVS_FASTPATH_ESWIM=/run/netns/librte_net_eswim.so; \
	fi && exec $(SHELL) "$$@"' sh

if WITH_DPDK
$(ESWIM_TESTSUITE): tests/eswim-testsuite.at tests/package.m4
	$(AM_V_GEN)$(AUTOM4TE) --language=autotest -I '$(srcdir)' -I tests \
	    -o $@.tmp $(srcdir)/tests/eswim-testsuite.at && mv $@.tmp $@

# A program that knows nothing of Open vSwitch.
check_PROGRAMS += tests/eswim/bad-input
tests_eswim_bad_input_SOURCES = tests/eswim/bad-input.c
tests_eswim_bad_input_CPPFLAGS = -D_GNU_SOURCE -DALLOW_EXPERIMENTAL_API
tests_eswim_bad_input_LDADD = $(DPDK_LIBS)

ESWIM_TESTSUITEFLAGS =
check-eswim: lib/eswim/librte_net_eswim.so tests/eswim/bad-input \
		$(ESWIM_TESTSUITE) tests/atconfig tests/atlocal
	$(AM_V_GEN)$(top_srcdir)/tests/eswim/stock-ovs tests/stock-ovs
	$(ESWIM_RUN) ./eswim-testsuite $(ESWIM_TESTSUITEFLAGS)

clean-eswim-testsuite:
	-cd tests && test ! -f eswim-testsuite || \
	    $(SHELL) ./eswim-testsuite --clean
	-rm -rf tests/stock-ovs
CLEAN_LOCAL += clean-eswim-testsuite
else
EXTRA_DIST += tests/eswim/bad-input.c
check-eswim:
	@echo >&2 "check-eswim: configure --with-dpdk first"; exit 1
endif
.PHONY: check-eswim
