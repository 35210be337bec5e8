# SPDX-License-Identifier: Apache-2.0

"""Checks of NICs, from the driver to hw-tc-offload.

A check is a generator of findings, see checks.py."""

import re
import shlex

from .finding import failed, not_applicable, ok, unknown, warning
from .machine import CommandFailed, Unknown

# Drivers in Linux that have an eswitch with representors and offload TC's
# flower, and others that have neither, however they are configured.
ESWITCH_DRIVERS = ("bnxt_en", "eswim", "ice", "mlx5_core", "nfp", "sfc",
                   "rvu_nicpf", "netdevsim")
OTHER_DRIVERS = ("be2net", "bnx2x", "e1000e", "ena", "fm10k", "gve", "i40e",
                 "iavf", "igb", "igc", "ixgbe", "ixgbevf", "mlx4_core", "qede",
                 "r8169", "tg3", "virtio-pci", "virtio_net", "vmxnet3")


def sh(*words):
    """A command, as a shell takes it."""
    return shlex.join(words)


def write(value, path):
    return "echo %s > %s" % (shlex.quote(str(value)), shlex.quote(path))


def dev_set(nic, *words):
    return sh("devlink", "dev", "eswitch", "set", nic.handle, *words)


# NIC.

def nic_present(host):
    if not host.nics:
        yield failed("", "no network device sits on a NIC with an eswitch or "
                     "SR-IOV: rules stay in the kernel's TC",
                     "no command: it takes a NIC with an eswitch")
    for nic in host.nics:
        names = ", ".join(sorted(n.name for n in nic.netdevs))
        yield ok(nic.name, "network devices: %s" % (names or "none"))


def nic_driver(host):
    for nic in host.nics:
        driver = nic.device.driver
        if driver in ESWITCH_DRIVERS:
            yield ok(nic.name, "driver %s" % driver)
        elif driver is None:
            yield failed(nic.name, "no driver has it",
                         write(nic.name, "/sys/bus/pci/drivers_probe"))
        elif driver == "vfio-pci":
            yield failed(nic.name, "driver vfio-pci: it is a virtual "
                         "machine's, or DPDK's",
                         write(nic.name, "/sys/bus/pci/drivers/vfio-pci/"
                               "unbind"))
        elif driver in OTHER_DRIVERS:
            yield failed(nic.name, "driver %s, which has no eswitch" % driver,
                         "no command: it takes another NIC")
        else:
            yield unknown(nic.name, "driver %s, of which nothing is known"
                          % driver)


def firmware_versions(info, which):
    """Versions of what begins with "fw", by name."""
    versions = info.get("versions", {}).get(which, {})
    return {k: v for k, v in versions.items() if k.startswith("fw")}


def nic_firmware(host):
    """What runs and what is stored: the latter waits for a reset."""
    for nic in host.nics:
        info = host.devlink("dev", "info", nic.handle)
        info = info["info"].get(nic.handle, {})
        running = firmware_versions(info, "running")
        stored = firmware_versions(info, "stored")
        other = ["%s %s runs, %s is stored" % (k, running[k], stored[k])
                 for k in running if stored.get(k, running[k]) != running[k]]
        if other:
            yield warning(nic.name, "; ".join(other), sh(
                "devlink", "dev", "reload", nic.handle, "action",
                "fw_activate"))
        elif running:
            yield ok(nic.name, ", ".join(
                "%s %s" % item for item in running.items()))
        else:
            yield not_applicable(nic.name, "says nothing of its firmware")


def nic_health(host):
    for nic in host.nics:
        reporters = host.devlink("health", "show")["health"]
        reporters = [r for name, rs in reporters.items() for r in rs
                     if name == nic.handle]
        bad = [r for r in reporters if r["state"] != "healthy"]
        for r in bad:
            yield failed(nic.name, "devlink health: reporter %s: %s (errors "
                         "%s, recovered %s)" % (
                             r["reporter"], r["state"], r.get("error", "?"),
                             r.get("recover", "?")),
                         sh("devlink", "health", "recover", nic.handle,
                            "reporter", r["reporter"]))
        if reporters and not bad:
            yield ok(nic.name, "all %d reporters are healthy" % len(reporters))
        elif not reporters:
            yield not_applicable(nic.name, "has no health reporters")


def link_of(netdev):
    if not netdev.is_up:
        return failed(netdev.name, "is down",
                      sh("ip", "link", "set", netdev.name, "up"))
    if not netdev.has_carrier:
        return failed(netdev.name, "is up, but has no carrier (operstate %s)"
                      % (netdev.read("operstate") or "unknown"),
                      "no command: look at the cable, the transceiver and the "
                      "other end")
    return ok(netdev.name, "up, with carrier")


def nic_link(host):
    for nic in host.nics:
        for netdev in nic.uplinks:
            yield link_of(netdev)


# SR-IOV.

def sriov_vfs(host):
    for nic in host.nics:
        total, vfs = nic.device.total_vfs, nic.device.vfs
        if vfs:
            yield ok(nic.name, "%d of %s VFs" % (vfs, total))
        elif any("sf" in n.port_name for n in nic.representors):
            yield ok(nic.name, "no VFs, but subfunctions")
        elif total:
            yield failed(nic.name, "sriov_numvfs is 0, of %d" % total,
                         write(min(total, 4),
                               nic.device.path + "/sriov_numvfs"))
        elif total == 0:
            yield failed(nic.name, "sriov_totalvfs is 0: SR-IOV is off in the "
                         "NIC's firmware", sh(
                             "devlink", "dev", "param", "set", nic.handle,
                             "name", "enable_sriov", "value", "true", "cmode",
                             "permanent"))
        else:
            yield not_applicable(nic.name, "has no SR-IOV")


# Eswitch.

def eswitch(host, nic):
    """What devlink says of the eswitch.  Raises Unknown."""
    answer = host.devlink("dev", "eswitch", "show", nic.handle)
    return answer["dev"][nic.handle]


def eswitch_mode(host):
    for nic in host.nics:
        try:
            mode = eswitch(host, nic)["mode"]
        except Unknown as e:
            if nic.switch_ids:
                yield ok(nic.name, "its ports have a phys_switch_id, so the "
                         "mode is switchdev (%s)" % e)
            else:
                yield unknown(nic.name, str(e))
            continue
        if mode == "switchdev":
            yield ok(nic.name, "mode switchdev")
        else:
            yield failed(nic.name, "eswitch mode is %s" % mode,
                         dev_set(nic, "mode", "switchdev"))


def eswitch_steering(host):
    """mlx5's own: by firmware, it takes milliseconds to install a rule."""
    for nic in host.nics:
        name = "flow_steering_mode"
        try:
            answer = host.devlink("dev", "param", "show", nic.handle, "name",
                                  name)
        except CommandFailed as e:
            if nic.device.driver == "mlx5_core":
                yield unknown(nic.name, str(e))
            continue
        value = answer["param"][nic.handle][0]["values"][0]["value"]
        if value == "dmfs":
            yield warning(nic.name, "flow_steering_mode is dmfs: the firmware "
                          "installs rules, slowly", sh(
                              "devlink", "dev", "param", "set", nic.handle,
                              "name", name, "value", "smfs", "cmode",
                              "runtime"))
        else:
            yield ok(nic.name, "flow_steering_mode %s" % value)


def eswitch_encap(host):
    if not host.tunnels:
        return
    for nic in host.nics:
        mode = eswitch(host, nic).get("encap-mode")
        if mode == "none":
            yield failed(nic.name, "encap-mode is none, and there are tunnels:"
                         " %s" % ", ".join(t.name for t in host.tunnels[:4]),
                         dev_set(nic, "encap-mode", "basic"))
        else:
            yield ok(nic.name, "encap-mode %s" % mode)


# Representors.

def a_bridge(host):
    """The bridge that somebody most likely means."""
    names = ([i.bridge["name"] for i in host.kernel_ports]
             or [bridge["name"] for bridge in host.bridges])
    return max(names, key=names.count) if names else "BRIDGE"


def representor_exists(host):
    for nic in host.nics:
        there = {n.vf for n in nic.representors if n.vf is not None}
        missing = sorted(set(range(nic.device.vfs or 0)) - there)
        if not nic.switch_ids:
            yield not_applicable(nic.name, "not in switchdev mode")
        elif missing:
            yield failed(nic.name, "no representor in this network namespace "
                         "for VF %s" % ", ".join(map(str, missing)),
                         sh("devlink", "dev", "reload", nic.handle))
        else:
            yield ok(nic.name, "a representor for each of %d VFs" % len(there))


def representor_up(host):
    plugged = {i.name for i in host.kernel_ports}
    for nic in host.nics:
        for netdev in nic.representors:
            if netdev.name in plugged:
                yield (ok(netdev.name, "up") if netdev.is_up else
                       failed(netdev.name, "%s is down" % netdev.port_name,
                              sh("ip", "link", "set", netdev.name, "up")))


def representor_plugged(host):
    plugged = {n.name for i in host.kernel_ports for n in host.below(i.name)}
    for nic in host.nics:
        for netdev in nic.representors:
            if netdev.name in plugged:
                yield ok(netdev.name, netdev.port_name)
            else:
                yield warning(netdev.name, "%s is on no bridge"
                              % netdev.port_name, sh(
                                  "ovs-vsctl", "add-port", a_bridge(host),
                                  netdev.name))


def dpdk_representor_plugged(host):
    """The same for DPDK, whose representors only the daemon knows."""
    for port in host.offload_ports:
        if (port.get("said_by") != "dpdk"
                or not port["kind"].endswith("representor")):
            continue
        if port["bridge"] != "none":
            yield ok(port["port"], "on bridge %s" % port["bridge"])
            continue
        vf = port.get("vf")
        yield warning(port["port"], "%s %s is on no bridge" % (
            port["kind"], "?" if vf is None else vf), sh(
                "ovs-vsctl", "add-port", dpdk_bridge(host), "vf%s" % vf, "--",
                "set", "Interface", "vf%s" % vf, "type=dpdk",
                "options:dpdk-devargs=%s,representor=vf%s"
                % (dpdk_device(host), vf)))


def dpdk_interfaces(host):
    return [i for i in host.interfaces if i.type == "dpdk"]


def dpdk_bridge(host):
    names = [i.bridge["name"] for i in dpdk_interfaces(host)]
    return names[0] if names else "BRIDGE"


def dpdk_device(host):
    """The device of the first port that isn't a representor."""
    for i in dpdk_interfaces(host):
        args = i.options.get("dpdk-devargs", "")
        if args and "representor=" not in args:
            return args.split(",")[0]
    return "DEVICE"


def vf_plugged(host):
    """A VF itself on the bridge, where its representor should be."""
    for interface in host.kernel_ports:
        netdev = host.netdevs.get(interface.name)
        device = netdev.device if netdev else None
        if not device or not device.pf:
            continue
        nic = host.all_nics.get(device.pf)
        number = next((name[len("virtfn"):] for name
                       in host.machine.names(device.pf)
                       if re.fullmatch(r"virtfn\d+", name)
                       and host.machine.real("%s/%s" % (device.pf, name))
                       == device.path), None)
        instead = next((n.name for n in (nic.representors if nic else [])
                        if number is not None and n.vf == int(number)),
                       "REPRESENTOR")
        yield failed(interface.name, "is a VF (%s), not its representor"
                     % device.name, sh(
                         "ovs-vsctl", "del-port", interface.name, "--",
                         "add-port", interface.bridge["name"], instead))


def uplink_plugged(host):
    """Packets for the wire have to get there: by way of a bridge, or of a
    tunnel whose outer packets use the uplink."""
    plugged = {n.name for i in host.kernel_ports for n in host.below(i.name)}
    for nic in host.nics:
        if not nic.switch_ids or not nic.uplinks:
            continue
        uplinks = [n.name for n in nic.uplinks]
        if plugged & set(uplinks):
            yield ok(nic.name, "uplink %s is on a bridge"
                     % ", ".join(sorted(plugged & set(uplinks))))
        elif host.tunnels:
            yield ok(nic.name, "uplink %s is the tunnels'" % uplinks[0])
        else:
            yield warning(nic.name, "uplink %s is on no bridge, and there is "
                          "no tunnel" % uplinks[0], sh(
                              "ovs-vsctl", "add-port", a_bridge(host),
                              uplinks[0]))


# hw-tc-offload.

def hw_tc_offload(host):
    for netdev in host.nic_ports():
        on, fixed = host.tc_offload(netdev.name)
        if on:
            yield ok(netdev.name, "on")
        elif fixed:
            yield failed(netdev.name, "off, and the driver (%s) can't switch "
                         "it on" % (netdev.device.driver if netdev.device
                                    else "unknown"),
                         "no command: it takes another driver or another mode "
                         "of the eswitch")
        else:
            yield failed(netdev.name, "hw-tc-offload is off", sh(
                "ethtool", "-K", netdev.name, "hw-tc-offload", "on"))
