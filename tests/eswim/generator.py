#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Generators in the place of guest ends: what they send is what they were told
to, as the hardware's rules, software (testpmd's dump of packets) and the
generators at the other ends see it."""

import re

from nic import Testpmd, expect, run_cases, wait_for

ARGS = "vfs=2,guest=generator,counter-refresh=0"


def ask(pmd, what, port, rest=""):
    return pmd.telemetry(f"/eswim/{what},net_eswim0,{port}{rest}")


def start(pmd, port, settings):
    said = ask(pmd, "generate", port, "," + settings)
    expect(said == "ok", f"\"{settings}\" answers {said}")


def finish(pmd, port):
    """Waits for the end of a run that has one."""
    return wait_for(lambda: (lambda g: None if g["running"] else g)(
        ask(pmd, "generator", port)), "the generator's end")


def forwards(pmd):
    """What a rule takes comes to the other end's sink, and is counted at all
    places alike."""
    rule = pmd.create(1, "transfer priority 1 pattern eth / ipv4 dst is "
                      "10.64.0.1 / udp / end actions count / port_id id 2 / "
                      "end")
    start(pmd, 1, "flows=2,count=5000,rate=0,size=100")
    sent = finish(pmd, 1)
    got = ask(pmd, "generator", 2)
    ports = pmd.telemetry("/eswim/ports,net_eswim0")
    expect(sent["sent"] == 5000 and sent["sent_bytes"] == 500000,
           f"sent {sent}")
    # Every other one is of flow 1.
    expect(pmd.counters(1, rule) == (2500, 250000), "the rule counts wrong")
    expect(got["got"] == 2500 and got["got_bytes"] == 250000, f"got {got}")
    expect(got["sent"] == 0, "a generator sends that wasn't started")
    expect(ports["1"]["end_rx"] == 5000 and ports["1"]["missed"] == 2500,
           f"{ports}")


def varies(pmd):
    """Software gets the fields that it was to get."""
    pmd.run("set fwd rxonly", "set verbose 1", "start")
    begin = len(pmd.output())
    start(pmd, 1, "flows=3,first=7,count=3,rate=1000,size=60,"
          "vary=eth-src+udp-dst,eth-src=02:00:00:00:00:fe,udp-dst=1000,"
          "eth-dst=02:00:00:00:00:aa")
    finish(pmd, 1)

    def seen():
        text = pmd.output()[begin:]
        found = re.findall(r"src=([0-9A-F:]+) - dst=([0-9A-F:]+) - .*"
                           r"type=0x0800 - length=(\d+)", text)
        return found if len(found) >= 3 else None

    found = wait_for(seen, "three packets")
    expect([f[0] for f in found] == ["02:00:00:00:01:0%d" % i
                                     for i in (5, 6, 7)],
           f"sources {found}")
    expect({f[1:] for f in found} == {("02:00:00:00:00:AA", "60")},
           f"{found}")
    expect("L4_UDP" in pmd.output()[begin:], "it isn't UDP to testpmd")
    pmd.run("stop", "set verbose 0")


def keeps_time(pmd):
    """A rate is met, from below, and a generator that is stopped stops."""
    start(pmd, 1, "rate=2000,count=1000")
    end = finish(pmd, 1)
    expect(end["run"] == 1000 and end["run_us"] >= 499000,
           f"2000 a second: {end}")
    start(pmd, 1, "rate=100000")
    wait_for(lambda: ask(pmd, "generator", 1)["run"] > 100, "frames")
    start(pmd, 1, "stop")
    end = ask(pmd, "generator", 1)
    expect(not end["running"], "it can't be stopped")
    expect(ask(pmd, "generator", 1)["sent"] == end["sent"],
           "it sends on when stopped")


def latency(pmd):
    """Flows with a rule are told from those without, and from those that had
    one before."""
    match = ("transfer priority 1 pattern eth / ipv4 dst is 10.64.0.{} / "
             "udp / end actions drop / end")
    pmd.create(1, match.format(0))
    start(pmd, 1, "flows=4,count=4,rate=0")
    finish(pmd, 1)
    pmd.create(1, match.format(1))
    pmd.create(1, match.format(2))
    found = ask(pmd, "latency", 1)
    expect((found["earlier"], found["with_rule"], found["without_rule"])
           == (1, 2, 1), f"{found}")
    expect(0 < found["p50_us"] <= found["p99_us"] <= found["max_us"],
           f"{found}")


def unplugged(pmd):
    """A generator whose port has no far end neither sends nor gets."""
    pmd.create(1, "transfer priority 1 pattern eth / end actions port_id id 2 "
               "/ end")
    expect(ask(pmd, "unplug", 2) == "ok", "it can't be unplugged")
    start(pmd, 1, "count=10,rate=0")
    finish(pmd, 1)
    expect(ask(pmd, "generator", 2)["got"] == 0, "it gets frames unplugged")
    expect(pmd.xstat(2, "end_tx_dropped") == 10, "frames aren't lost")
    expect(ask(pmd, "plug", 2) == "ok", "it can't be plugged in")
    start(pmd, 1, "count=10,rate=0")
    finish(pmd, 1)
    expect(ask(pmd, "generator", 2)["got"] == 10, "it gets no frames again")


def wrong(pmd):
    """What makes no sense is refused by name, and nothing starts."""
    for settings in ("flows=0", "flows=99999999", "rate=fast", "size=57",
                     "size=99999", "vary=ip-dst+x", "vary=", "ip-dst=10.0.0",
                     "eth-src=02:00", "udp-dst=70000", "speed=3", "flows",
                     "", "rate=1,flows=x"):
        said = ask(pmd, "generate", 1, "," + settings)
        if not settings:
            expect(said == "ok", f"all by default: {said}")
            ask(pmd, "generate", 1, ",stop")
            continue
        name = settings.split(",")[-1].split("=")[0]
        expect(said.startswith("error: ") and name in said,
               f"\"{settings}\" answers {said}")
    expect(not ask(pmd, "generator", 1)["running"], "it runs")
    for port in "9", "x", "-1", "":
        said = ask(pmd, "generate", port, ",rate=1")
        expect(said.startswith("error: "), f"port {port} answers {said}")


CASES = [forwards, varies, keeps_time, latency, unplugged, wrong]


def no_generator():
    """With TAP devices there are no generators."""
    with Testpmd("vfs=2") as pmd:
        for what in "generate", "generator", "latency":
            said = ask(pmd, what, 1, ",rate=1" if what == "generate" else "")
            expect("guest=generator" in said, f"{what} answers {said}")


def check(case):
    if case is no_generator:
        case()
    else:
        with Testpmd(ARGS) as pmd:
            case(pmd)


run_cases(CASES + [no_generator], check)
