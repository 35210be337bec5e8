#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: effects.py matches|actions

Creates each rule of cases.py by testpmd, sends frames, and compares what comes
out at the far ends, what was counted, and what went up to software.  Each rule
is destroyed again, and takes effect no more."""

import sys

from scapy.all import Ether, raw

import cases
from nic import Ends, Failure, Testpmd, quiet_network, report


def show(frame):
    return Ether(frame).command() if frame else "nothing"


def is_as_expected(frames, wanted):
    if wanted is None:
        return not frames
    if len(frames) != 1:
        return False
    if callable(wanted):
        return wanted(Ether(frames[0]))
    return frames[0] == raw(wanted)


def check_output(got, wanted):
    for end, frames in got.items():
        if not is_as_expected(frames, wanted.get(end)):
            expected = wanted.get(end)
            expected = ("something else" if callable(expected) else
                        show(raw(expected)) if expected else "nothing")
            raise Failure(f"at {end}:\n  came {[show(f) for f in frames]}\n"
                          f"  instead of {expected}")


def check_misses(pmd, ends, case):
    before = pmd.xstat(1, "missed_packets")
    for frame in case.misses:
        check_output(ends.exchange("vf0", [frame]), {})
    missed = pmd.xstat(1, "missed_packets") - before
    if missed != len(case.misses):
        raise Failure(f"{missed} frames instead of {len(case.misses)} went to "
                      "software")


def check_counters(pmd, rule, case):
    wanted = (len(case.hits), sum(len(raw(frame)) for frame, _ in case.hits))
    got = pmd.counters(1, rule)
    if got != wanted:
        raise Failure(f"counted {got}, not {wanted}")


def check(pmd, ends, case):
    for command in case.setup:
        pmd.run(command)
    more = [pmd.create(1, rule) for rule in case.more]
    actions = (f"{case.actions} / count" if case.count_last
               else f"count / {case.actions}")
    rule = pmd.create(1, f"transfer priority 1 pattern {case.pattern} / end "
                      f"actions {actions} / end")
    for frame, wanted in case.hits:
        check_output(ends.exchange("vf0", [frame]), wanted)
    check_counters(pmd, rule, case)
    check_misses(pmd, ends, case)
    for number in (rule, *more):
        pmd.destroy(1, number)
    for frame, _ in case.hits[:1]:
        check_output(ends.exchange("vf0", [frame]), {})


def main():
    wanted = {"matches": cases.MATCHES, "actions": cases.ACTIONS}[sys.argv[1]]
    failures = []
    quiet_network()
    with Testpmd("vfs=2,counter-refresh=0") as pmd:
        ends = Ends(pmd)
        for case in wanted:
            try:
                check(pmd, ends, case)
            except Failure as failure:
                failures.append(f"{case.title}: {failure}")
                pmd.run("flow flush 1", "flow flush 0", "flow flush 2")
                ends = Ends(pmd)
    report(failures, len(wanted))


main()
