#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What real NICs do to their users: full tables, failures, counters that lag,
firmware resets, removal, and cables that are pulled."""

import re
import subprocess

from cases import OUT, udp4
from nic import Ends, Testpmd, expect, run_cases, wait_for
from scapy.all import raw

RULE = ("transfer priority 1 pattern eth / ipv4 dst is 10.0.0.{} / end "
        f"actions count / {OUT} / end")


def change(pmd, setting, answer="ok"):
    said = pmd.telemetry(f"/eswim/set,net_eswim0,{setting}")
    expect(said.startswith(answer), f"\"{setting}\" answers \"{said}\"")


def refused(pmd, number, *words):
    text = pmd.run(f"flow create 1 {RULE.format(number)}")
    for word in ("Caught PMD error", *words):
        expect(word in text, f"no \"{word}\" in:\n{text}")


def capacity(pmd, ends):
    """A full table refuses rules, the others go on."""
    n = len(pmd.telemetry("/eswim/rules,net_eswim0"))
    rule = pmd.create(1, RULE.format(2))
    change(pmd, f"capacity={n + 1}")
    refused(pmd, 3, "No space left on device")
    expect(ends.exchange("vf0", [udp4()])["vf1"] == [raw(udp4())],
           "a rule in a full table works no more")
    pmd.destroy(1, rule)
    pmd.create(1, RULE.format(3))
    change(pmd, "capacity=1000")


def failure(pmd, _):
    """The second creation from now fails, and that one only."""
    change(pmd, "fail=2:EIO")
    pmd.create(1, RULE.format(4))
    refused(pmd, 5, "Input/output error")
    pmd.create(1, RULE.format(5))


def refuse(pmd, _):
    """A poorer NIC names what it can't do, until it can."""
    change(pmd, "refuse=item:ipv4+action:sample")
    refused(pmd, 6, "ipv4", "not supported")
    change(pmd, "refuse=item:nonsense", "error: refuse: ")
    refused(pmd, 6, "ipv4", "not supported")
    change(pmd, "refuse=none")
    pmd.create(1, RULE.format(6))


def settings(pmd, _):
    """Settings that make no sense change nothing."""
    change(pmd, "vfs=3", "error: vfs can be set only at start")
    change(pmd, "capacity=lots", "error: capacity=lots: not a number")
    change(pmd, "speed=9", "error: no argument \"speed\"")
    for command in "/eswim/rules,net_eswim9", "/eswim/reset,", "/eswim/ports":
        said = pmd.telemetry(command)
        expect("error" in said, f"{command} answers {said}")


def refresh(pmd, ends):
    """Counters lag, and reset subtracts only what was reported."""
    change(pmd, "counter-refresh=60000")
    rule = pmd.create(1, RULE.format(2))
    ends.exchange("vf0", [udp4()])
    expect(pmd.counters(1, rule)[0] == 0, "the counter doesn't lag")
    pmd.run(f"flow query 1 {rule} count")
    change(pmd, "counter-refresh=0")
    expect(pmd.counters(1, rule)[0] == 1, "a packet was lost to the counter")


def unplug(pmd, ends):
    """A guest end that vanishes takes down its port's link and nothing else;
    it can be given back."""
    def link_is(state):
        text = pmd.run("show port summary 2")
        return re.search(rf"^2 .* {state} ", text, re.M)

    pmd.create(1, RULE.format(2))
    subprocess.run(["ip", "link", "delete", "eswim0vf1"], check=True)
    wait_for(lambda: link_is("down"), "the link to go down")
    ends.sockets["vf0"].send(raw(udp4()))
    wait_for(lambda: pmd.xstat(2, "end_tx_dropped"), "the packet to be lost")
    said = pmd.telemetry("/eswim/plug,net_eswim0,2")
    expect(said == "ok", said)
    wait_for(lambda: link_is("up"), "the link to come up")
    pmd.run("flow flush 0", "flow flush 1", "flow flush 2")
    again = Ends(pmd)
    pmd.create(1, RULE.format(2))
    expect(again.exchange("vf0", [udp4()])["vf1"] == [raw(udp4())],
           "the new guest end gets nothing")


def stop(pmd, _):
    """Rules die with their port's stop; their handles do no harm."""
    rule = pmd.create(1, RULE.format(2))
    left = pmd.telemetry("/eswim/rules,net_eswim0")
    pmd.run("port stop 1", "port start 1")
    rules = pmd.telemetry("/eswim/rules,net_eswim0").values()
    expect(left and not [r for r in rules if r["port"] == 1],
           "rules of a stopped port stay")
    text = pmd.run(f"flow query 1 {rule} count")
    expect("hits" not in text, f"a rule that is gone is queried:\n{text}")


def reset(pmd, _):
    """A firmware reset takes all rules away and says so."""
    start = len(pmd.output())
    pmd.create(2, RULE.format(2))
    pmd.telemetry("/eswim/reset,net_eswim0")
    expect(not pmd.telemetry("/eswim/rules,net_eswim0"), "a rule is left")
    wait_for(lambda: "INTR_RESET" in pmd.output()[start:].upper()
             or "reset" in pmd.output()[start:], "an event")


def removal(pmd, _):
    """A NIC that is pulled out makes no trouble."""
    pmd.telemetry("/eswim/remove,net_eswim0")
    expect("error" in pmd.run(f"flow create 1 {RULE.format(9)}"),
           "a removed NIC takes rules")


CASES = [capacity, failure, refuse, settings, refresh, unplug, stop, reset,
         removal]


def check(case):
    with Testpmd("vfs=2,counter-refresh=0") as pmd:
        case(pmd, Ends(pmd))


run_cases(CASES, check)
