# SPDX-License-Identifier: Apache-2.0
#
# Open vSwitch's own test suites with our ovs-vswitchd, compared with what the
# same suite does with Open vSwitch's: see tests/ovs-suites/run.  Select with
# TESTSUITEFLAGS.  Takes about 20 minutes each of stock's and ours for the
# unit suite, 5 minutes for offloads, 80 minutes for traffic.
check-ovs: all
	$(OVS_SUITES_RUN) unit $(TESTSUITEFLAGS)
check-ovs-offloads: all
	$(OVS_SUITES_RUN) offloads $(TESTSUITEFLAGS)
check-ovs-traffic: all
	$(OVS_SUITES_RUN) traffic $(TESTSUITEFLAGS)
.PHONY: check-ovs check-ovs-offloads check-ovs-traffic

OVS_SUITES_RUN = \
	OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	$(top_srcdir)/tests/ovs-suites/run

EXTRA_DIST += tests/ovs-suites/run
