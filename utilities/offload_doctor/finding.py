# SPDX-License-Identifier: Apache-2.0

"""What checks find."""

import collections

FAILED = "failed"
WARNING = "warning"
UNKNOWN = "unknown"
OK = "ok"
NOT_APPLICABLE = "not applicable"
STATUSES = (FAILED, WARNING, UNKNOWN, OK, NOT_APPLICABLE)  # The worst first.

# 'subject' is what it is about, "" for the host; 'evidence' what was seen;
# 'fix' the one command that helps, or "no command: " and what does.
Finding = collections.namedtuple("Finding", "status subject evidence fix")


def failed(subject, evidence, fix):
    return Finding(FAILED, subject, evidence, fix)


def warning(subject, evidence, fix):
    return Finding(WARNING, subject, evidence, fix)


def unknown(subject, evidence):
    return Finding(UNKNOWN, subject, evidence, None)


def ok(subject, evidence):
    return Finding(OK, subject, evidence, None)


def not_applicable(subject, evidence):
    return Finding(NOT_APPLICABLE, subject, evidence, None)
