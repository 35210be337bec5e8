# SPDX-License-Identifier: Apache-2.0
#
# "make bench" measures our ovs-vswitchd beside Open vSwitch's own and beside
# the kernel: see tests/bench/run.  BENCH_FLAGS="--flows 1000" for a quick one.
BENCH_FLAGS =
bench: all $(bench_programs) tests/bench/count-calls.so
	OVS_FASTPATH_BUILD='$(abs_top_builddir)' OVS_DIR='$(OVS_DIR)' \
	    $(PYTHON3) -B $(srcdir)/tests/bench/run $(BENCH_FLAGS)

# Whether the benchmark itself works: a small one, which fails if a figure is
# missing.
check-bench:
	$(MAKE) bench BENCH_FLAGS='--flows 1000 --complete \
	    --json $(abs_top_builddir)/bench-check.json'
CLEANFILES += bench.json bench-check.json
.PHONY: bench check-bench

# "make bench-rte", on the NIC in software: see tests/bench/run-rte.
if WITH_DPDK
bench-rte: all $(bench_rte_programs)
	unshare -n env OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	    OVS_DIR='$(OVS_DIR)' \
	    $(PYTHON3) -B $(srcdir)/tests/bench/run-rte $(BENCH_FLAGS)
check-bench-rte:
	$(MAKE) bench-rte BENCH_FLAGS='--flows 500 --harness-flows 1000 \
	    --quick --complete --json $(abs_top_builddir)/bench-check.json'
else
bench-rte check-bench-rte:
	@echo >&2 "$@: configure --with-dpdk first"; exit 1
endif
CLEANFILES += bench-rte.json
.PHONY: bench-rte check-bench-rte

# What the benchmarks are made of isn't built without need.
bench_programs = \
	tests/bench/backend-rules \
	tests/bench/flow-births \
	tests/bench/flow-latency \
	tests/bench/tc-rules
bench_rte_programs = \
	tests/bench/eswitch-rates
EXTRA_PROGRAMS = $(bench_programs) tests/bench/eswitch-rates
CLEANFILES += $(EXTRA_PROGRAMS) tests/bench/count-calls.so

BENCH_LIB = tests/bench/bench-lib.c tests/bench/bench-lib.h
BENCH_RULES = $(BENCH_LIB) tests/bench/bench-rules.c tests/bench/bench-rules.h
BENCH_CPPFLAGS = -D_GNU_SOURCE

tests_bench_backend_rules_SOURCES = tests/bench/backend-rules.c $(BENCH_RULES)
tests_bench_backend_rules_CPPFLAGS = $(AM_CPPFLAGS) $(BENCH_CPPFLAGS)
tests_bench_backend_rules_LDADD = $(OFFLOAD_LIBS)
tests_bench_backend_rules_DEPENDENCIES = $(OFFLOAD_DEPS)

tests_bench_flow_births_SOURCES = tests/bench/flow-births.c $(BENCH_LIB)
tests_bench_flow_births_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_flow_latency_SOURCES = tests/bench/flow-latency.c $(BENCH_LIB)
tests_bench_flow_latency_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_tc_rules_SOURCES = tests/bench/tc-rules.c $(BENCH_LIB)
tests_bench_tc_rules_CPPFLAGS = $(BENCH_CPPFLAGS)

tests_bench_eswitch_rates_SOURCES = tests/bench/eswitch-rates.c $(BENCH_LIB)
tests_bench_eswitch_rates_CPPFLAGS = $(AM_CPPFLAGS) $(BENCH_CPPFLAGS)
tests_bench_eswitch_rates_LDADD = lib/eswim/libeswitch.a -lpthread

if WITH_DPDK
bench_rte_programs += tests/bench/rte-rules
EXTRA_PROGRAMS += tests/bench/rte-rules
tests_bench_rte_rules_SOURCES = tests/bench/rte-rules.c $(BENCH_RULES)
tests_bench_rte_rules_CPPFLAGS = $(AM_CPPFLAGS) $(BENCH_CPPFLAGS)
tests_bench_rte_rules_LDADD = $(OFFLOAD_LIBS)
tests_bench_rte_rules_DEPENDENCIES = $(OFFLOAD_DEPS)
else
EXTRA_DIST += tests/bench/rte-rules.c
endif

tests/bench/count-calls.so: tests/bench/count-calls.c
	$(AM_V_CC)$(MKDIR_P) tests/bench && \
	    $(CC) $(BENCH_CPPFLAGS) $(OFFLOAD_CFLAGS) $(CFLAGS) -shared -fPIC \
	    -o $@ $(srcdir)/tests/bench/count-calls.c -ldl

EXTRA_DIST += \
	tests/bench/count-calls.c \
	tests/bench/inside.py \
	tests/bench/measure.py \
	tests/bench/report.py \
	tests/bench/rte_report.py \
	tests/bench/rte_switch.py \
	tests/bench/run \
	tests/bench/run-rte
