# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += lib/liboffload.a
lib_liboffload_a_SOURCES =
