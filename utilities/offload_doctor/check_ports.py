# SPDX-License-Identifier: Apache-2.0

"""Checks of bridges, bonds, tunnels and qdiscs."""

from .check_nic import a_bridge, sh
from .finding import failed, not_applicable, ok, unknown, warning
from .host import NotOurs, OTHER_TUNNELS
from .machine import Unknown

# Modes of the kernel's bonds that drivers offload.
BOND_MODES = ("active-backup", "balance-xor", "802.3ad")
# Linux that can set the don't-fragment flag of an outer header by a rule.
DF_SINCE = (6, 4)
# More of them would take TC longer to list than anybody waits.
MAX_FILTERS = 20000
POLICE = ("ingress_policing_rate", "ingress_policing_kpkts_rate")


def replug(interface):
    return sh("ovs-vsctl", "del-port", interface.name, "--", "add-port",
              interface.bridge["name"], interface.name)


# Bridges.

def bridge_datapath(host):
    """Ports that the bridge's kind of datapath can't offload."""
    for bridge in host.bridges:
        kernel = bridge["datapath_type"] in ("", "system")
        ports = [i for i in host.interfaces
                 if i.bridge["_uuid"] == bridge["_uuid"]]
        devices = [i for i in ports if i.type == "system"]
        if kernel:
            yield ok(bridge["name"], "kernel datapath")
        elif devices and not any(i.type == "dpdk" for i in ports):
            yield failed(bridge["name"], "has the userspace datapath, but its "
                         "ports are network devices of the kernel: %s"
                         % ", ".join(i.name for i in devices[:4]),
                         sh("ovs-vsctl", "set", "Bridge", bridge["name"],
                            "datapath_type=system"))
        else:
            yield ok(bridge["name"], "%s datapath" % bridge["datapath_type"])


def port_opened(host):
    for interface in host.interfaces:
        error = interface.row.get("error")
        if error:
            yield failed(interface.name, str(error), sh(
                "ovs-vsctl", "del-port", interface.name))
        else:
            yield ok(interface.name, "opened")


def port_offload(host):
    """The daemon's own word on each port of an eswitch."""
    for port in host.offload_ports:
        if port["bridge"] == "none" or port["kind"] in (
                "plain", "internal", "tunnel"):
            continue
        reason = port.get("reason") or "it doesn't say why"
        if port["offload"] == "hardware":
            yield ok(port["port"], "in hardware, by %s" % port["backend"])
        elif port["offload"] is None:
            yield unknown(port["port"], reason)
        elif port["offload"] == "marks":
            yield failed(port["port"], reason, "no command: it takes a driver "
                         "with transfer rules")
        elif "hw-tc-offload" in reason:
            yield not_applicable(port["port"], reason)
        else:
            yield failed(port["port"], "the daemon says: %s" % reason, sh(
                "ovs-vsctl", "del-port", port["port"], "--", "add-port",
                port["bridge"], port["port"]))


def one_eswitch(host):
    """A NIC can't send to a port of another one."""
    for bridge in host.bridges:
        names = {i.name for i in host.kernel_ports
                 if i.bridge["_uuid"] == bridge["_uuid"]}
        ids = {}
        for nic in host.nics:
            for netdev in nic.netdevs:
                if netdev.name in names and netdev.switch_id:
                    ids.setdefault(netdev.switch_id, []).append(netdev.name)
        if len(ids) > 1:
            fewest = min(sorted(ids), key=lambda i: len(ids[i]))
            yield warning(bridge["name"], "has ports of %d eswitches: %s" % (
                len(ids), "; ".join("%s: %s" % (i, ", ".join(ids[i]))
                                    for i in sorted(ids))),
                sh("ovs-vsctl", "del-port", ids[fewest][0]))
        elif ids:
            yield ok(bridge["name"], "all on eswitch %s" % list(ids)[0])


def bridge_sampling(host):
    for bridge in host.bridges:
        on = [c for c in ("sflow", "ipfix") if bridge.get(c)]
        for column in on:
            yield failed(bridge["name"], "%s samples packets, which no rule "
                         "can do: all flows stay in software" % column,
                         sh("ovs-vsctl", "clear", "Bridge", bridge["name"],
                            column))
        if not on:
            yield ok(bridge["name"], "no sFlow, no IPFIX")


# Bonds.

def rebuild_bond(netdev):
    """A bond's mode can be changed only while it is down and empty."""
    name, lower = netdev.name, netdev.lower
    commands = [["ip", "link", "set", name, "down"]]
    commands += [["ip", "link", "set", n, "nomaster"] for n in lower]
    commands += [["ip", "link", "set", name, "type", "bond", "mode",
                  "802.3ad"]]
    commands += [["ip", "link", "set", n, "down", "master", name]
                 for n in lower]
    commands += [["ip", "link", "set", name, "up"]]
    return " && ".join(sh(*command) for command in commands)


def bond_mode(host):
    """Open vSwitch's bonds, and the kernel's on bridges."""
    bonds = {i.port["name"]: i.port for i in host.interfaces
             if i.in_kernel and isinstance(i.port["interfaces"], list)}
    for name, port in bonds.items():
        mode = port["bond_mode"] or "active-backup"
        if mode == "balance-tcp":
            yield failed(name, "bond_mode is balance-tcp, which hashes each "
                         "flow in software",
                         sh("ovs-vsctl", "set", "Port", name,
                            "bond_mode=active-backup"))
        else:
            yield ok(name, "bond_mode %s" % mode)
    for interface in host.kernel_ports:
        netdev = host.netdevs.get(interface.name)
        mode = netdev.bond_mode if netdev else None
        if mode in BOND_MODES:
            yield ok(netdev.name, "mode %s" % mode)
        elif mode:
            yield failed(netdev.name, "the bond's mode is %s; NICs offload %s"
                         % (mode, ", ".join(BOND_MODES)),
                         rebuild_bond(netdev))


# Tunnels.

def tunnel_type(host):
    for tunnel in host.tunnels:
        if tunnel.type in OTHER_TUNNELS:
            yield failed(tunnel.name, "type %s can't be offloaded"
                         % tunnel.type, sh(
                             "ovs-vsctl", "set", "Interface", tunnel.name,
                             "type=geneve"))
        else:
            yield ok(tunnel.name, tunnel.type)


def tunnel_df(host):
    """Open vSwitch sets the don't-fragment flag unless told otherwise."""
    for tunnel in host.tunnels:
        if not tunnel.in_kernel or tunnel.type in OTHER_TUNNELS:
            continue
        if tunnel.options.get("df_default", "true") == "false":
            yield ok(tunnel.name, "df_default is false")
        elif host.kernel_version >= DF_SINCE:
            yield ok(tunnel.name, "Linux %s" % host.release)
        else:
            yield failed(tunnel.name, "Linux %s can't set the don't-fragment "
                         "flag, so what goes into the tunnel stays in "
                         "software (since Linux %d.%d it can)"
                         % ((host.release,) + DF_SINCE),
                         sh("ovs-vsctl", "set", "Interface", tunnel.name,
                            "options:df_default=false"))


def move_address(host, route, nic):
    """From a bridge's own port to the uplink."""
    source, dev, to = route.get("prefsrc"), route["dev"], nic.uplinks[0].name
    for info in host.machine.json("ip", "-j", "address", "show", "dev", dev):
        for address in info.get("addr_info", []):
            if address["local"] == source:
                source = "%s/%s" % (source, address["prefixlen"])
                return "%s && %s" % (
                    sh("ip", "address", "del", source, "dev", dev),
                    sh("ip", "address", "add", source, "dev", to))
    return sh("ip", "route", "replace", route["dst"], "dev", to)


def underlay_of(host, tunnel, remote, route):
    """A finding on the device that a tunnel's outer packets go through."""
    dev = route["dev"]
    through = "the route to %s goes through %s" % (remote, dev)
    below = host.below(dev)
    nics = [nic for n in below for nic in [host.nic_of(n.name)] if nic]
    inner = next((i for i in host.interfaces
                  if i.name == dev and i.type == "internal"), None)
    uplinks = [n.name for nic in host.nics for n in nic.uplinks]
    if inner:
        name = inner.bridge["name"]
        on = next((nic for nic in host.nics for n in nic.netdevs
                   if (host.bridge_of(n.name) or {}).get("name") == name),
                  None)
        if on and on.uplinks:
            return warning(tunnel.name, "%s, the port of bridge %s itself: "
                           "not every driver offloads that" % (through, name),
                           move_address(host, route, on))
        return failed(tunnel.name, "%s, the port of bridge %s itself, which "
                      "has no port of a NIC" % (through, name),
                      sh("ovs-vsctl", "add-port", name,
                         uplinks[0] if uplinks else "UPLINK"))
    if nics and all(host.nic_of(n.name) for n in below):
        return ok(tunnel.name, through)
    return failed(tunnel.name, "%s, which is no port of a NIC with an eswitch"
                  % through, sh("ip", "route", "replace", remote, "dev",
                                uplinks[0]) if uplinks
                  else "no command: it takes a NIC with an eswitch")


def no_route(host, tunnel, remote, error):
    if "unreachable" not in str(error):
        return unknown(tunnel.name, str(error))
    uplinks = [n.name for nic in host.nics for n in nic.uplinks]
    return failed(tunnel.name, "there is no route to %s (%s)"
                  % (remote, error),
                  sh("ip", "route", "add", remote, "dev",
                     uplinks[0] if uplinks else "UPLINK"))


def tunnel_underlay(host):
    for tunnel in host.tunnels:
        remote = tunnel.options.get("remote_ip", "flow")
        if not tunnel.in_kernel:
            yield not_applicable(tunnel.name, "in the userspace datapath")
        elif remote == "flow":
            yield not_applicable(tunnel.name, "flows choose the remote end")
        else:
            try:
                route = host.route(remote)
            except Unknown as e:
                yield no_route(host, tunnel, remote, e)
                continue
            yield underlay_of(host, tunnel, remote, route)


# Qdiscs.

def live_ports(host):
    """Ports of NICs for which rules of TC are made."""
    names = {n.name for n in host.nic_ports()}
    return [i for i in host.kernel_ports if i.name in names]


def qdisc_ingress(host):
    for interface in live_ports(host):
        kinds = host.qdiscs.get(interface.name, [])
        if kinds:
            yield ok(interface.name, ", ".join(kinds))
        else:
            yield failed(interface.name, "there is no ingress or clsact qdisc "
                         "for rules to hang on", replug(interface))


def is_ours(f):
    """Open vSwitch's rules have a ufid as the cookie of their first action
    that isn't shared, as meters are."""
    cookies = [a["cookie"] for a in f["options"].get("actions", [])
               if "cookie" in a]
    return (f["kind"] == "flower" and f.get("pref", 0) >= 2
            and bool(cookies) and len(cookies[0]) == 32)


def is_policing(f):
    """Open vSwitch's ingress policing."""
    actions = f["options"].get("actions") or [{}]
    return (f["kind"] == "matchall" and f.get("pref") == 1
            and actions[0].get("kind") == "police")


def takes_all(f):
    return f["kind"] == "matchall" or (
        f["kind"] == "flower" and not f["options"].get("keys"))


def n_rules(host):
    """By port, how many rules of ours it has, as far as is known."""
    try:
        return {p["port"]: p["rules"] for p in host.status()["ports"]}
    except NotOurs:
        return {}


def foreign_filter(name, f):
    pref, chain = f.get("pref", 0), f.get("chain", 0)
    what = "%s filter at pref %s, chain %s, isn't Open vSwitch's" % (
        f["kind"], pref, chain)
    fix = sh("tc", "filter", "del", "dev", name, "ingress", "pref", str(pref),
             "chain", str(chain))
    if takes_all(f) and not chain:
        return failed(name, what + ", and takes every packet", fix)
    return warning(name, what, fix)


def qdisc_foreign(host):
    """Somebody else's filters see packets as well, or instead."""
    rules = n_rules(host)
    for interface in live_ports(host):
        if rules.get(interface.name, 0) > MAX_FILTERS:
            yield unknown(interface.name, "%d rules are too many to look at"
                          % rules[interface.name])
            continue
        filters = host.filters(interface.name)
        foreign = [f for f in filters if not is_ours(f) and not is_policing(f)]
        for f in foreign[:4]:
            yield foreign_filter(interface.name, f)
        if not foreign:
            yield ok(interface.name, "%d filters, all Open vSwitch's"
                     % len(filters))


def qdisc_policing(host):
    for interface in host.kernel_ports:
        on = [c for c in POLICE if interface.row.get(c)]
        if on:
            yield warning(interface.name, "%s: what is over it is dropped, "
                          "and some drivers offload nothing then" % ", ".join(
                              "%s=%s" % (c, interface.row[c]) for c in on),
                          sh("ovs-vsctl", "set", "Interface", interface.name,
                             *["%s=0" % c for c in on]))
        else:
            yield ok(interface.name, "no ingress policing")


def bridge_has_nic(host):
    """Is there anything to offload at all?"""
    plugged = [n.name for i in host.kernel_ports for n in host.below(i.name)
               if host.nic_of(n.name)]
    if plugged:
        yield ok("", "%d ports of NICs are on bridges" % len(plugged))
    else:
        names = [n.name for nic in host.nics for n in nic.uplinks]
        yield failed("", "no port of a NIC is on a bridge", sh(
            "ovs-vsctl", "add-port", a_bridge(host), names[0])
            if names else "no command: it takes a NIC with an eswitch")
