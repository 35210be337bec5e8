#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What real NICs do to their users: full tables, failures, counters that lag,
firmware resets, removal, and cables that are pulled."""

import re
import subprocess
import threading
import time

from cases import OUT, ip4, udp4
from nic import Ends, Testpmd, expect, run_cases, wait_for
from scapy.all import UDP, raw

RULE = ("transfer priority 1 pattern eth / ipv4 dst is 10.0.0.{} / end "
        f"actions count / {OUT} / end")
OTHER = ip4(dst="10.0.0.9") / UDP(sport=1000, dport=53) / b"payload"


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
    for command in ("/eswim/rules,net_eswim9", "/eswim/reset,", "/eswim/ports",
                    "/eswim/reset,net_eswim0,1", "/eswim/plug,net_eswim0",
                    "/eswim/plug,net_eswim0,9", "/eswim/plug,net_eswim0,1,2",
                    "/eswim/unplug,net_eswim0,-1", "/eswim/unplug,net_eswim0,",
                    "/eswim/ports," + 100 * "x",
                    "/eswim/generator,net_eswim0,1"):
        said = pmd.telemetry(command)
        expect("error" in said, f"{command} answers {said}")


def refresh(pmd, ends):
    """Counters lag, and reset subtracts only what was reported."""
    change(pmd, "counter-refresh=60000")
    rule = pmd.create(1, RULE.format(2))
    ends.exchange("vf0", [udp4()])
    expect(pmd.counters(1, rule)[0] == 0, "the counter doesn't lag")
    change(pmd, "capacity=77")
    expect(pmd.counters(1, rule)[0] == 0, "capacity shows the counter")
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


def vanish(pmd, ends):
    """A guest end that vanishes while packets and rules come and go harms
    nobody else."""
    to_wire = pmd.create(1, RULE.format(9).replace(OUT, "port_id id 0"))
    pmd.create(1, RULE.format(2))
    others = [raw(OTHER), raw(udp4())]
    sending = threading.Event()

    def send():
        while not sending.is_set():
            for frame in others:
                ends.sockets["vf0"].send(frame)
            time.sleep(0.001)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        for i in range(20):
            rule = pmd.create(2, RULE.format(100 + i))
            if i == 10:
                subprocess.run(["ip", "link", "delete", "eswim0vf1"],
                               check=True)
            pmd.destroy(2, rule)
        n = pmd.counters(1, to_wire)[0]
        wait_for(lambda: pmd.counters(1, to_wire)[0] > n + 10,
                 "packets that go elsewhere")
        wait_for(lambda: pmd.xstat(2, "end_tx_dropped"), "packets to be lost")
    finally:
        sending.set()
        thread.join()
    ends.sockets["wire"].setblocking(False)
    expect(raw(OTHER) in drain(ends.sockets["wire"]),
           "packets to another end are lost")


def drain(end):
    frames = []
    while True:
        try:
            frames.append(end.recv(65536))
        except BlockingIOError:
            return frames


def probe(pmd, ends):
    """A NIC isn't made twice, nor one with more ports than DPDK has; who is
    there doesn't notice."""
    rule = pmd.create(1, RULE.format(2))
    pmd.run("port attach net_eswim0,vfs=2")
    for args in "vfs=31", "vfz=1":
        pmd.run(f"port attach net_eswim1,{args}")
        wait_for(lambda: "net_eswim1" not in pmd.run("show port summary all"),
                 "an unmade NIC to be gone")
        left = subprocess.run(["ip", "-o", "link"], stdout=subprocess.PIPE)
        expect(b"eswim1" not in left.stdout, "a TAP device is left behind")
    expect(pmd.telemetry("/eswim/list") == ["net_eswim0"], "a NIC too many")
    for word in ("net_eswim1: can't make port",
                 "net_eswim1: no argument \"vfz\""):
        expect(word in pmd.output(), f"no \"{word}\" in:\n{pmd.output()}")
    expect(ends.exchange("vf0", [udp4()])["vf1"] == [raw(udp4())]
           and pmd.counters(1, rule)[0] == 1, "a rule works no more")


def alone(pmd, _):
    """A NIC without VFs has an uplink, and that's all."""
    pmd.run("port attach net_eswim1,vfs=0")
    expect(len(pmd.telemetry("/eswim/ports,net_eswim1")) == 1,
           "there isn't one port")
    text = pmd.run("port start 3", "flow create 3 transfer pattern eth / end "
                   "actions port_id id 1 / end")
    expect("no port of this NIC" in text, f"another NIC's port:\n{text}")
    pmd.create(3, "transfer pattern eth / end actions drop / end")


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


CASES = [capacity, failure, refuse, settings, refresh, unplug, vanish, probe,
         alone, stop, reset, removal]


def check(case):
    with Testpmd("vfs=2,counter-refresh=0") as pmd:
        case(pmd, Ends(pmd))


run_cases(CASES, check)
