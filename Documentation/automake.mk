# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += \
	Documentation/operators.rst \
	Documentation/developers.rst \
	Documentation/not-offloaded.rst \
	Documentation/eswim.rst

# Manual pages.
MANUALS = \
	Documentation/ovs-fastpath.8 \
	Documentation/ovs-offload-doctor.8 \
	Documentation/ovs-offload-exporter.8 \
	Documentation/ovs-offload-top.8
EXTRA_DIST += $(MANUALS:=.rst)
if HAVE_RST2MAN
man_MANS += $(MANUALS)
CLEANFILES += $(MANUALS)
Documentation/%.8: Documentation/%.8.rst
	$(AM_V_GEN)$(MKDIR_P) Documentation && \
	    $(RST2MAN) --strict $< > $@.tmp && mv $@.tmp $@
endif

# The coverage table of README.md is made from the rows of the code's own
# tables.  "make update-coverage" puts it there; a test fails if it is stale.
check_PROGRAMS += tests/coverage-table
tests_coverage_table_SOURCES = tests/coverage-table.c
tests_coverage_table_LDADD = $(OFFLOAD_LIBS)
tests_coverage_table_DEPENDENCIES = $(OFFLOAD_DEPS)
TESTSUITE_AT += tests/coverage.at

update-coverage: tests/coverage-table
	$(AM_V_GEN)tests/coverage-table > coverage.tmp && \
	    sed -e '/<!-- coverage: begin/r coverage.tmp' \
	        -e '/<!-- coverage: begin/,/<!-- coverage: end/{/<!-- coverage:/!d}' \
	        '$(srcdir)/README.md' > README.tmp && \
	    cat README.tmp > '$(srcdir)/README.md' && \
	    rm -f README.tmp coverage.tmp
.PHONY: update-coverage
