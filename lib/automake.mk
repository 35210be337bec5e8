# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += lib/liboffload.a
lib_liboffload_a_SOURCES = \
	lib/flow-marks.c \
	lib/flow-marks.h \
	lib/flow-shares.c \
	lib/flow-shares.h \
	lib/flow-spec.c \
	lib/flow-spec.h \
	lib/flow-table.c \
	lib/flow-table.h \
	lib/offload-backend.h \
	lib/offload-field.c \
	lib/offload-field.h \
	lib/offload-port.c \
	lib/offload-port.h \
	lib/offload-probes.h \
	lib/offload-refusal.c \
	lib/offload-refusal.h \
	lib/offload-rule.c \
	lib/offload-rule.h \
	lib/offload-statistics.c \
	lib/offload-statistics.h \
	lib/port-flows.c \
	lib/port-flows.h \
	lib/recirc-parents.c \
	lib/recirc-parents.h \
	lib/shared-bytes.c \
	lib/shared-bytes.h \
	lib/offload-action.c \
	lib/offload-action.h \
	lib/offload-action-ct.c \
	lib/offload-action-format.c \
	lib/offload-action-netdev.c \
	lib/offload-action-parse.h \
	lib/offload-action-set.c \
	lib/offload-action-userspace.c \
	lib/offload-action-tunnel.c
