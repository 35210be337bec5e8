# SPDX-License-Identifier: Apache-2.0

lib_liboffload_a_SOURCES +=
