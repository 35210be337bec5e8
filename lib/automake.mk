# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += lib/liboffload.a
lib_liboffload_a_SOURCES = \
	lib/flow-table.c \
	lib/flow-table.h \
	lib/recirc-parents.c \
	lib/recirc-parents.h
