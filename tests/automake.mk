# SPDX-License-Identifier: Apache-2.0

TESTSUITE_AT = \
	tests/testsuite.at
TESTSUITE = tests/testsuite

EXTRA_DIST += $(TESTSUITE_AT)
CLEANFILES += $(TESTSUITE)

# "make check TESTSUITEFLAGS='-k KEYWORD'" runs a part: see tests/testsuite
# --help.
CHECK_LOCAL += check-testsuite
check-testsuite: $(TESTSUITE) tests/atconfig tests/atlocal all-am \
		$(check_PROGRAMS)
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
