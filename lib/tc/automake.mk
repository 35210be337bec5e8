# SPDX-License-Identifier: Apache-2.0

lib_liboffload_a_SOURCES += \
	lib/tc/tc-action.c \
	lib/tc/tc-activity.c \
	lib/tc/tc-activity.h \
	lib/tc/tc-action.h \
	lib/tc/tc-action-ct.c \
	lib/tc/tc-action-encode.h \
	lib/tc/tc-action-tag.c \
	lib/tc/tc-action-tunnel.c \
	lib/tc/tc-backend.c \
	lib/tc/tc-caps.c \
	lib/tc/tc-caps.h \
	lib/tc/tc-match.c \
	lib/tc/tc-match.h \
	lib/tc/tc-netlink.c \
	lib/tc/tc-netlink.h \
	lib/tc/tc-police.c \
	lib/tc/tc-police.h \
	lib/tc/tc-port.c \
	lib/tc/tc-port.h \
	lib/tc/tc-prio.c \
	lib/tc/tc-prio.h \
	lib/tc/tc-pedit.c \
	lib/tc/tc-pedit.h \
	lib/tc/tc-reply.c \
	lib/tc/tc-reply.h \
	lib/tc/tc-support.c \
	lib/tc/tc-support.h \
	lib/tc/tc-uapi.h
