# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += tests/soak/run tests/soak/inside tests/soak/storm.py

# Ten minutes of flows being born and dying: "make check-soak SOAK_SECONDS=60"
# for less.
SOAK_SECONDS = 600
check-soak: all
	OVS_FASTPATH_BUILD='$(abs_top_builddir)' \
	    $(srcdir)/tests/soak/run $(SOAK_SECONDS)
.PHONY: check-soak
