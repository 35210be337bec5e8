# SPDX-License-Identifier: Apache-2.0

"""Checks of flows: where they are, and where packets are counted."""

from .check_nic import sh
from .check_settings import set_config
from .finding import failed, not_applicable, ok, warning

# Codes of refusals that have a check of their own.
FULL = ("table-full",)
LIMIT = ("flow-limit",)
MAX_REFUSALS = 8
# Below it a share says nothing.
MIN_PACKETS = 1000
MIN_SHARE = 50


def explain(ufid):
    """The reason of a flow, or, if none is known, the flows to choose from."""
    return (sh("ovs-appctl", "offload/explain", ufid) if ufid else
            sh("ovs-appctl", "dpctl/dump-flows", "-m", "type=tc"))


def refusals(host):
    """Of flows that are in software now, but for feature probes."""
    return [r for r in host.ask("offload/refusals")["refusals"]
            if r["code"] != "probe" and r["flows"]]


def hw_packets(status):
    return sum(d["hw_packets"] for d in status["datapaths"])


def sw_packets(status):
    """None if a datapath doesn't say."""
    counters = [d[key] for d in status["datapaths"]
                for key in ("sw_packets", "ovs_packets")]
    return None if None in counters else sum(counters)


def flows_refused(host):
    """Failed if more packets went by than hardware has had at all."""
    rows = [r for r in refusals(host) if r["code"] not in FULL + LIMIT]
    in_hardware = hw_packets(host.status())
    for r in rows[:MAX_REFUSALS]:
        packets = r["packets"]
        bad = packets is not None and packets > in_hardware
        yield (failed if bad else warning)(
            r["port"] or "", "%s: %d flows, %s packets in software%s" % (
                r["reason"], r["flows"],
                "an unknown number of" if packets is None else packets,
                "; " + r["hint"] if r["hint"] else ""), explain(r["example"]))
    if len(rows) > MAX_REFUSALS:
        yield warning("", "%d more reasons" % (len(rows) - MAX_REFUSALS),
                      sh("ovs-appctl", "offload/refusals"))
    if not rows:
        yield ok("", "no flow is refused")


def table_full(host):
    """A NIC's table.  What is idle goes sooner with a smaller max-idle."""
    rows = [r for r in refusals(host) if r["code"] in FULL]
    for r in rows:
        yield failed(r["port"] or "", "%d flows found the table full: %s"
                     % (r["flows"], r["reason"]), set_config("max-idle", 3000))
    if not rows:
        yield ok("", "no flow found a table full")


def flows_over_limit(host):
    rows = [r for r in refusals(host) if r["code"] in LIMIT]
    for r in rows:
        yield failed(r["port"] or "", "%d flows: %s" % (r["flows"],
                                                        r["reason"]),
                     set_config("offload-max-flows", 0))
    if not rows:
        yield ok("", "no flow is over the limit")


def example_in_software(host, port):
    """The ufid of a rule of the port that the driver didn't take."""
    for line in host.appctl("dpctl/dump-flows", "-m", "type=tc").splitlines():
        if ("in_port(%s)" % port in line and "offloaded:yes" not in line
                and line.startswith("ufid:")):
            return line[len("ufid:"):].split(",", 1)[0]
    return None


def flows_in_hardware(host):
    """Rules that the kernel took and the driver didn't."""
    able = {p["port"] for p in host.offload_ports
            if p["offload"] == "hardware"}
    for port in host.status()["ports"]:
        if port["port"] not in able or not port["rules"]:
            continue
        if not port["in_software"]:
            yield ok(port["port"], "%d rules" % port["rules"])
            continue
        bad = not port["in_hardware"]
        yield (failed if bad else warning)(
            port["port"], "%d of %d rules are in the kernel's TC, but not in "
            "the NIC" % (port["in_software"], port["rules"]),
            explain(example_in_software(host, port["port"])))


def hardware_share(host):
    for d in host.status()["datapaths"]:
        share, packets = d["hw_share_packets"], d["packets"]
        if share is None or packets is None or packets < MIN_PACKETS:
            yield not_applicable(d["datapath"], "too few packets to tell")
        elif share < MIN_SHARE:
            yield warning(d["datapath"], "since start, hardware has switched "
                          "%.1f %% of %d packets" % (share, packets),
                          sh("ovs-appctl", "offload/refusals"))
        else:
            yield ok(d["datapath"], "hardware has switched %.1f %% of %d "
                     "packets" % (share, packets))


def counters_moving(host):
    """Two readings of what hardware and software have counted."""
    if not host.watch:
        yield not_applicable("", "not watched: see --watch")
        return
    before = host.status()
    host.machine.pause(host.watch)
    after = host.status(turn=1)
    hardware = hw_packets(after) - hw_packets(before)
    counted = sw_packets(before), sw_packets(after)
    software = (None if None in counted else counted[1] - counted[0])
    told = "in %g seconds %d packets in hardware, %s in software" % (
        host.watch, hardware, "an unknown number" if software is None
        else software)
    if hardware > 0 and (software is None or hardware >= software):
        yield ok("", told)
    elif hardware > 0:
        yield warning("", told, sh("ovs-appctl", "offload/refusals"))
    elif software:
        yield failed("", told, sh("ovs-appctl", "offload/refusals"))
    else:
        yield not_applicable("", told + ": no traffic to tell by")
