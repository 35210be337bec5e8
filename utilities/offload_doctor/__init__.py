# SPDX-License-Identifier: Apache-2.0

"""What ovs-offload-doctor is made of, from the bottom up:

machine     where facts come from: files and commands, real or recorded
host        the facts that checks want: NICs, bridges, what the daemon says
checks      the table of checks
output      results for people and for programs
bundle      a file for a bug report, with secrets left out
main        the command line"""
