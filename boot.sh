#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Generates ./configure from configure.ac.  Run it in a fresh checkout.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force
