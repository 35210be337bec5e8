# SPDX-License-Identifier: Apache-2.0

RTE_SOURCES = \
	lib/rte/rte-action.c \
	lib/rte/rte-backend.c \
	lib/rte/rte-encode.c \
	lib/rte/rte-encode.h \
	lib/rte/rte-match.c \
	lib/rte/rte-rules.c \
	lib/rte/rte-rules.h

if WITH_DPDK
lib_liboffload_a_SOURCES += $(RTE_SOURCES)
else
EXTRA_DIST += $(RTE_SOURCES)
endif
