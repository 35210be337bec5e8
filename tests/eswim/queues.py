#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of a port's own: marks, queues and RSS of what comes up to software,
as testpmd receives it; and hardware that takes its time to insert a rule."""

import re
import time

from nic import Testpmd, expect, run_cases, wait_for

ARGS = "vfs=2,guest=generator,counter-refresh=0"
OPTIONS = ("--rxq=4", "--txq=4")
FLOWS = 64


def generate(pmd, settings):
    said = pmd.telemetry(f"/eswim/generate,net_eswim0,1,{settings}")
    expect(said == "ok", f"\"{settings}\" answers {said}")
    wait_for(lambda: not pmd.telemetry(
        "/eswim/generator,net_eswim0,1")["running"], "the generator's end")


def receive(pmd, settings="vary=udp-src,rate=2000"):
    """What testpmd gets of a packet of each flow: a list of (queue, mark or
    None)."""
    pmd.run("set fwd rxonly", "set verbose 1", "start")
    begin = len(pmd.output())
    generate(pmd, f"flows={FLOWS},count={FLOWS},{settings}")

    def got():
        found, queue = [], None
        for line in pmd.output()[begin:].split("\n"):
            match = re.search(r"port 1/queue (\d+): received", line)
            if match:
                queue = int(match.group(1))
            elif "src=02:00:00:00:00:01" in line:
                match = re.search(r"FDIR matched ID=0x([0-9a-f]+)", line)
                found.append((queue,
                              int(match.group(1), 16) if match else None))
        return found if len(found) >= FLOWS else None

    found = wait_for(got, f"{FLOWS} packets")
    pmd.run("stop", "set verbose 0")
    return found


def no_rule(pmd):
    """Without rules, flows are spread over all queues, and none is marked."""
    found = receive(pmd)
    expect({q for q, _ in found} == {0, 1, 2, 3}, f"queues {found}")
    expect({m for _, m in found} == {None}, f"marks {found}")


def one_queue(pmd):
    """A queue gets what a rule sends there, and nothing else."""
    rule = pmd.create(1, "ingress pattern eth / ipv4 / udp / end actions "
                         "count / queue index 2 / end")
    expect({q for q, _ in receive(pmd)} == {2}, "queues")
    expect(pmd.counters(1, rule)[0] == FLOWS, "the rule's counter")
    pmd.destroy(1, rule)
    expect({q for q, _ in receive(pmd)} == {0, 1, 2, 3},
           "a rule is at work that was destroyed")


def some_queues(pmd):
    """RSS uses the queues that it was given, each flow one of them."""
    pmd.create(1, "ingress pattern eth / ipv4 / end actions rss queues 1 3 "
                  "end / end")
    first, second = receive(pmd), receive(pmd)
    expect({q for q, _ in first} == {1, 3}, f"queues {first}")
    expect(sorted(first) == sorted(second), "a flow changes its queue")


def mark(pmd):
    """A mark arrives with the packets of its rule, also of a transfer rule
    that sends them to software, and nobody else's."""
    pmd.create(1, "ingress pattern eth / ipv4 / udp src is 1024 / end actions "
                  "mark id 77 / rss / end")
    pmd.create(1, "transfer priority 1 pattern eth / ipv4 / udp src is 1025 / "
                  "end actions mark id 78 / port_representor port_id 1 / end")
    marks = [m for _, m in receive(pmd)]
    expect(marks.count(77) == 1 and marks.count(78) == 1
           and marks.count(None) == FLOWS - 2, f"marks {marks}")


def drop(pmd):
    """An ingress rule that drops is obeyed, after the transfer rules."""
    pmd.create(1, "ingress pattern eth / ipv4 / end actions drop / end")
    rule = pmd.create(1, "transfer priority 1 pattern eth / ipv4 / udp src is "
                         "1024 / end actions count / port_id id 2 / end")
    generate(pmd, f"flows={FLOWS},count={FLOWS},vary=udp-src,rate=0")
    ports = pmd.telemetry("/eswim/ports,net_eswim0")
    expect(ports["1"]["up"] == 0, "a packet came up")
    expect(ports["1"]["dropped_by_rule"] == FLOWS - 1, f"{ports['1']}")
    expect(pmd.counters(1, rule)[0] == 1 and ports["2"]["end_tx"] == 1,
           "the transfer rule")


def insert_latency(pmd):
    """Insertions take the time that they were told to, one after the other;
    a rule isn't at work before, and traffic goes on."""
    rule = ("flow create 1 transfer priority 1 pattern eth / ipv4 dst is "
            "10.0.0.{} / end actions drop / end")
    said = pmd.telemetry("/eswim/set,net_eswim0,insert-latency=100000")
    expect(said == "ok", said)
    start = time.monotonic()
    text = pmd.run(*(rule.format(i) for i in range(1, 4)))
    expect(text.count(" created") == 3, text)
    expect(time.monotonic() - start >= 0.3, "three rules in less than 0.3 s")

    pmd.telemetry("/eswim/set,net_eswim0,insert-latency=2000000")
    before = len(pmd.output())
    pmd.process.stdin.write(b"flow create 1 transfer priority 1 pattern eth / "
                            b"end actions port_id id 2 / end\n")
    pmd.process.stdin.flush()
    generate(pmd, "count=5,rate=0")
    done = " created" in pmd.output()[before:]
    missed = pmd.telemetry("/eswim/ports,net_eswim0")["1"]["missed"]
    expect(done or missed == 5, f"a rule works early: {missed} of 5 missed")
    wait_for(lambda: " created" in pmd.output()[before:], "the rule")
    generate(pmd, "count=5,rate=0")
    expect(pmd.telemetry("/eswim/ports,net_eswim0")["1"]["missed"] == missed,
           "the rule doesn't work")


def insert_latency_at_start():
    """The same as an argument of the device."""
    with Testpmd(ARGS + ",insert-latency=100000", OPTIONS) as pmd:
        config = pmd.telemetry("/eswim/config,net_eswim0")
        expect(config["insert_latency"] == 100000, f"{config}")
        start = time.monotonic()
        pmd.create(1, "transfer priority 1 pattern eth / end actions drop / "
                      "end")
        expect(time.monotonic() - start >= 0.1, "a rule in less than 0.1 s")


CASES = [no_rule, one_queue, some_queues, mark, drop, insert_latency]


def check(case):
    if case is insert_latency_at_start:
        case()
    else:
        with Testpmd(ARGS, OPTIONS) as pmd:
            case(pmd)


run_cases(CASES + [insert_latency_at_start], check)
