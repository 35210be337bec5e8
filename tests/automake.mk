# SPDX-License-Identifier: Apache-2.0

TESTSUITE_AT = \
	tests/testsuite.at \
	tests/match.at \
	tests/action.at \
	tests/engine.at \
	tests/refusals.at \
	tests/eswitch.at \
	tests/rte.at \
	tests/tc-netlink.at \
	tests/monitor.at \
	tests/manual.at \
	tests/doctor.at \
	tests/glue.at
TESTSUITE = tests/testsuite

EXTRA_DIST += $(TESTSUITE_AT)
CLEANFILES += $(TESTSUITE) $(FUZZERS)

# Where there is a compiler that can.
FUZZERS =

# "make check TESTSUITEFLAGS='-k KEYWORD'" runs a part: see tests/testsuite
# --help.
CHECK_LOCAL += check-testsuite
check-testsuite: $(TESTSUITE) tests/atconfig tests/atlocal all-am \
		$(check_PROGRAMS) $(FUZZERS)
	cd tests && $(SHELL) ./testsuite $(TESTSUITEFLAGS)

$(TESTSUITE): $(TESTSUITE_AT) tests/package.m4
	$(AM_V_GEN)$(AUTOM4TE) --language=autotest -I '$(srcdir)/tests' \
	    -I tests -o $@.tmp $(srcdir)/tests/testsuite.at && \
	    mv $@.tmp $@

tests/package.m4: $(top_srcdir)/configure.ac
	$(AM_V_GEN)$(MKDIR_P) tests && { \
	    echo 'm4_define([AT_PACKAGE_NAME], [$(PACKAGE_NAME)])'; \
	    echo 'm4_define([AT_PACKAGE_TARNAME], [$(PACKAGE_TARNAME)])'; \
	    echo 'm4_define([AT_PACKAGE_VERSION], [$(PACKAGE_VERSION)])'; \
	    echo 'm4_define([AT_PACKAGE_STRING], [$(PACKAGE_STRING)])'; \
	    echo 'm4_define([AT_PACKAGE_BUGREPORT], [])'; \
	    echo 'm4_define([AT_PACKAGE_URL], [])'; \
	} > $@
CLEANFILES += tests/package.m4

clean-testsuite:
	-cd tests && test ! -f testsuite || $(SHELL) ./testsuite --clean
CLEAN_LOCAL += clean-testsuite

MEGAFLOW_TEXT = tests/megaflow-text.c tests/megaflow-text.h

# From megaflows to flower's attributes, in the test kernel too.
check_PROGRAMS += tests/test-match
tests_test_match_SOURCES = tests/test-match.c $(MEGAFLOW_TEXT)
tests_test_match_LDADD = $(OFFLOAD_LIBS)
tests_test_match_DEPENDENCIES = $(OFFLOAD_DEPS)

# The engine, for programs that put something of their own below it.
ENGINE_SOURCES = \
	ofproto-offload/engine-dump.c \
	ofproto-offload/engine-info.c \
	ofproto-offload/engine-port.c \
	ofproto-offload/engine-remove.c \
	ofproto-offload/engine.c \
	ofproto-offload/occupancy.c \
	ofproto-offload/refusal-log.c

# The engine with a made-up device in the place of the TC backend.
check_PROGRAMS += tests/test-engine
tests_test_engine_SOURCES = \
	tests/test-engine.c \
	$(ENGINE_SOURCES)
tests_test_engine_CPPFLAGS = $(AM_CPPFLAGS)
tests_test_engine_LDADD = $(OFFLOAD_LIBS)
tests_test_engine_DEPENDENCIES = $(OFFLOAD_DEPS)

# What is remembered of refused flows, and how commands answer.
check_PROGRAMS += tests/test-refusals
tests_test_refusals_SOURCES = \
	tests/test-refusals.c \
	ofproto-offload/refusal-log.c \
	ofproto-offload/report.c
tests_test_refusals_CPPFLAGS = $(AM_CPPFLAGS)
tests_test_refusals_LDADD = $(OFFLOAD_LIBS)
tests_test_refusals_DEPENDENCIES = $(OFFLOAD_DEPS)
tests_test_refusals_LDFLAGS = \
	$(AM_LDFLAGS) \
	-Wl,--wrap=unixctl_command_reply \
	-Wl,--wrap=unixctl_command_reply_error

# What is between Open vSwitch and the engine, with an engine that does nothing.
check_PROGRAMS += tests/test-glue
tests_test_glue_SOURCES = tests/test-glue.c
tests_test_glue_LDADD = \
	$(GROUP_START) \
	ofproto-offload/libofproto-offload.a \
	lib/liboffload.a \
	$(OVS_LIBS) \
	$(GROUP_END) \
	$(LIBNL_LIBS)
tests_test_glue_DEPENDENCIES = \
	$(OFFLOAD_DEPS) \
	ofproto-offload/libofproto-offload.a
tests_test_glue_LDFLAGS = \
	$(AM_LDFLAGS) \
	$(OFFLOAD_WRAPS:%=-Wl,--wrap=%)

# What operators are told.
check_PROGRAMS += tests/test-monitor
tests_test_monitor_SOURCES = tests/test-monitor.c
tests_test_monitor_LDADD = $(tests_test_glue_LDADD)
tests_test_monitor_DEPENDENCIES = $(tests_test_glue_DEPENDENCIES)
tests_test_monitor_LDFLAGS = $(tests_test_glue_LDFLAGS)

# Tests of the whole daemon with real packets, inside of the test kernel.
# "make check-system SYSTEM_TESTSUITEFLAGS='-k KEYWORD'" runs a part.
SYSTEM_TESTSUITE_AT = \
	tests/system-testsuite.at \
	tests/system-macros.at \
	tests/system-action.at \
	tests/system-match.at \
	tests/system-packets.at \
	tests/system-tc.at \
	tests/system-config.at \
	tests/system-causes.at \
	tests/system-explain.at \
	tests/system-flows.at \
	tests/system-foreign.at \
	tests/system-meter.at \
	tests/system-monitor.at \
	tests/system-ports.at \
	tests/system-recirc.at \
	tests/system-tunnel.at
SYSTEM_TESTSUITE = tests/system-testsuite
SYSTEM_PACKETS = \
	tests/packets/cases.py \
	tests/packets/compare.py \
	tests/packets/compare_rte.py \
	tests/packets/daemon.py \
	tests/packets/library.py \
	tests/packets/openflow.py \
	tests/packets/send.py \
	tests/packets/tcp.py \
	tests/packets/wire.py
SYSTEM_MONITOR = \
	tests/monitor/dashboard.py \
	tests/monitor/made_up.py \
	tests/monitor/metrics.py \
	tests/monitor/ports.py \
	tests/monitor/status.py \
	tests/monitor/terminal.py \
	tests/monitor/told.py
EXTRA_DIST += $(SYSTEM_TESTSUITE_AT) $(SYSTEM_PACKETS) $(SYSTEM_MONITOR) tests/system-check
EXTRA_DIST += \
	tests/doctor/findings.py \
	tests/doctor/made_up.py \
	tests/doctor/unknown.py
CLEANFILES += $(SYSTEM_TESTSUITE) tests/packets.hex

# Only this needs scapy, Debian's package python3-scapy.
SCAPY_PYTHON3 = /usr/bin/python3
tests/packets.hex: $(srcdir)/tests/packets/library.py
	$(AM_V_GEN)$(MKDIR_P) tests && \
	    $(SCAPY_PYTHON3) -B $(srcdir)/tests/packets/library.py > $@.tmp && \
	    mv $@.tmp $@

$(SYSTEM_TESTSUITE): $(SYSTEM_TESTSUITE_AT) tests/package.m4
	$(AM_V_GEN)$(AUTOM4TE) --language=autotest -I '$(srcdir)' -I tests \
	    -o $@.tmp $(srcdir)/tests/system-testsuite.at && mv $@.tmp $@

SYSTEM_TESTSUITEFLAGS =
check-system-programs: all $(check_PROGRAMS) $(SYSTEM_TESTSUITE) \
		tests/packets.hex tests/atconfig tests/atlocal
check-system: check-system-programs
	cd tests && OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	    $(abs_top_srcdir)/tests/kernel/run --timeout 3600 \
	    --env OVS_FASTPATH_VSWITCHD --env SYS_DAEMON_FLAGS \
	    --env CONFIG_SHELL=/bin/sh -- \
	    /bin/sh ./system-testsuite $(SYSTEM_TESTSUITEFLAGS)
.PHONY: check-system check-system-programs

clean-system-testsuite:
	-cd tests && test ! -f system-testsuite || \
	    $(SHELL) ./system-testsuite --clean
CLEAN_LOCAL += clean-system-testsuite

# Tests of the whole daemon with the userspace datapath and the NIC in software,
# in a network namespace of their own.  "make check-rte
# RTE_TESTSUITEFLAGS='-k KEYWORD'" runs a part.
RTE_TESTSUITE = tests/rte-system
EXTRA_DIST += tests/rte-system.at tests/rte-telemetry tests/tunnel-end
EXTRA_DIST += tests/quickstart-selftest
CLEANFILES += $(RTE_TESTSUITE)
$(RTE_TESTSUITE): tests/rte-system.at tests/package.m4
	$(AM_V_GEN)$(AUTOM4TE) --language=autotest -I '$(srcdir)' -I tests \
	    -o $@.tmp $(srcdir)/tests/rte-system.at && mv $@.tmp $@

RTE_TESTSUITEFLAGS =
check-rte: all $(RTE_TESTSUITE) tests/packets.hex tests/atconfig tests/atlocal
	$(ESWIM_RUN) ./rte-system $(RTE_TESTSUITEFLAGS)
.PHONY: check-rte

clean-rte-system:
	-cd tests && test ! -f rte-system || $(SHELL) ./rte-system --clean
CLEAN_LOCAL += clean-rte-system

# Actions: from netlink to TC.
check_PROGRAMS += tests/test-action
tests_test_action_SOURCES = tests/test-action.c $(MEGAFLOW_TEXT)
tests_test_action_LDADD = $(OFFLOAD_LIBS)
tests_test_action_DEPENDENCIES = $(OFFLOAD_DEPS)

# The part of lib/tc/ that talks to the kernel, with a real one.
check_PROGRAMS += tests/test-tc-kernel
tests_test_tc_kernel_SOURCES = tests/test-tc-kernel.c
tests_test_tc_kernel_LDADD = $(OFFLOAD_LIBS)
tests_test_tc_kernel_DEPENDENCIES = $(OFFLOAD_DEPS)

# The same, with a made-up kernel whose system calls fail.
check_PROGRAMS += tests/test-tc-netlink
tests_test_tc_netlink_SOURCES = tests/test-tc-netlink.c
tests_test_tc_netlink_LDADD = $(OFFLOAD_LIBS)
tests_test_tc_netlink_DEPENDENCIES = $(OFFLOAD_DEPS)

# The eswitch: packets made by scapy, and rules that change under them.
check_PROGRAMS += tests/test-eswitch tests/test-eswitch-threads
tests_test_eswitch_SOURCES = tests/test-eswitch.c
tests_test_eswitch_LDADD = lib/eswim/libeswitch.a -lpthread
tests_test_eswitch_threads_SOURCES = tests/test-eswitch-threads.c
tests_test_eswitch_threads_LDADD = lib/eswim/libeswitch.a -lpthread
EXTRA_DIST += \
	tests/eswitch/action.py \
	tests/eswitch/behaviour.py \
	tests/eswitch/eswitch.py \
	tests/eswitch/match.py \
	tests/eswitch/packets.py

# From megaflows to rte_flow's items and actions.
if WITH_DPDK
check_PROGRAMS += tests/test-rte
tests_test_rte_SOURCES = tests/test-rte.c $(MEGAFLOW_TEXT)
tests_test_rte_LDADD = $(OFFLOAD_LIBS)
tests_test_rte_DEPENDENCIES = $(OFFLOAD_DEPS)

# The same backend under the engine, with a made-up device.
check_PROGRAMS += tests/test-rte-faults
tests_test_rte_faults_SOURCES = \
	tests/test-rte-faults.c \
	$(ENGINE_SOURCES)
tests_test_rte_faults_CPPFLAGS = $(AM_CPPFLAGS)
tests_test_rte_faults_LDADD = $(OFFLOAD_LIBS)
tests_test_rte_faults_DEPENDENCIES = $(OFFLOAD_DEPS)
else
EXTRA_DIST += tests/test-rte.c tests/test-rte-faults.c
endif

# Fuzzers, by a compiler that has libFuzzer.
EXTRA_DIST += tests/fuzz-eswitch.c tests/fuzz-eswitch.corpus
EXTRA_DIST += tests/fuzz-tc-reply.c tests/fuzz-tc-reply.corpus
EXTRA_DIST += tests/fuzz-action.c tests/fuzz-action.corpus
if HAVE_FUZZ_CC
FUZZ_CFLAGS = -g -O1 -fno-strict-aliasing \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
FUZZ_TC_REPLY = \
	$(srcdir)/tests/fuzz-tc-reply.c \
	$(srcdir)/lib/tc/tc-netlink.c \
	$(srcdir)/lib/tc/tc-reply.c
tests/fuzz-tc-reply: $(FUZZ_TC_REPLY) $(OVS_STAMP)
	$(AM_V_CCLD)$(MKDIR_P) tests && $(FUZZ_CC) $(DEFS) $(AM_CPPFLAGS) \
	    $(FUZZ_CFLAGS) -o $@ $(FUZZ_TC_REPLY) \
	    $(GROUP_START) $(OVS_LIBS) $(GROUP_END) $(LIBNL_LIBS)
FUZZ_ACTION = \
	$(srcdir)/tests/fuzz-action.c \
	$(srcdir)/lib/offload-action.c \
	$(srcdir)/lib/offload-action-ct.c \
	$(srcdir)/lib/offload-action-format.c \
	$(srcdir)/lib/offload-action-netdev.c \
	$(srcdir)/lib/offload-action-set.c \
	$(srcdir)/lib/offload-action-tunnel.c \
	$(srcdir)/lib/offload-action-userspace.c \
	$(srcdir)/lib/offload-field.c \
	$(srcdir)/lib/offload-port.c \
	$(srcdir)/lib/offload-refusal.c \
	$(srcdir)/lib/offload-statistics.c \
	$(srcdir)/lib/port-flows.c \
	$(srcdir)/lib/tc/tc-action.c \
	$(srcdir)/lib/tc/tc-action-ct.c \
	$(srcdir)/lib/tc/tc-action-tag.c \
	$(srcdir)/lib/tc/tc-action-tunnel.c \
	$(srcdir)/lib/tc/tc-pedit.c
tests/fuzz-action: $(FUZZ_ACTION) $(OVS_STAMP)
	$(AM_V_CCLD)$(MKDIR_P) tests && $(FUZZ_CC) $(DEFS) $(AM_CPPFLAGS) \
	    $(FUZZ_CFLAGS) -o $@ $(FUZZ_ACTION) \
	    $(GROUP_START) $(OVS_LIBS) $(GROUP_END) $(LIBNL_LIBS)
FUZZ_ESWITCH = \
	$(srcdir)/tests/fuzz-eswitch.c \
	$(lib_eswim_libeswitch_a_SOURCES:%=$(srcdir)/%)
tests/fuzz-eswitch: $(FUZZ_ESWITCH)
	$(AM_V_CCLD)$(MKDIR_P) tests && $(FUZZ_CC) -I$(srcdir)/lib \
	    $(FUZZ_CFLAGS) -o $@ $(filter %.c,$(FUZZ_ESWITCH)) -lpthread
FUZZERS += tests/fuzz-tc-reply tests/fuzz-action tests/fuzz-eswitch
endif
