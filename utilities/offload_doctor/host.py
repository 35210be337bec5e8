# SPDX-License-Identifier: Apache-2.0

"""The facts that checks want to know of a host.

All of them are found out when somebody asks for the first time, and raise
Unknown if they can't be."""

import functools
import gzip
import ipaddress
import re

from .machine import CommandFailed, Unknown

NET = "/sys/class/net"
PCI = "/sys/bus/pci/devices"
IFF_UP = 1
PCI_CLASS_NETWORK = "0x02"


class NotOurs(Unknown):
    """The daemon that runs isn't ovs-fastpath's."""


class Device:
    """What a NIC's port sits on: a function of a PCI device, or what is like
    one."""

    def __init__(self, machine, path):
        self.machine = machine
        self.path = path
        self.name = path.rpartition("/")[2]

    @property
    def handle(self):
        """As devlink names it: pci/0000:03:00.0."""
        bus = self.machine.link(self.path + "/subsystem") or "pci"
        return "%s/%s" % (bus, self.name)

    @property
    def driver(self):
        return self.machine.link(self.path + "/driver")

    @property
    def total_vfs(self):
        return self.machine.read_number(self.path + "/sriov_totalvfs")

    @property
    def vfs(self):
        return self.machine.read_number(self.path + "/sriov_numvfs")

    @property
    def pf(self):
        """The path of the PF, if this is a VF."""
        return (self.machine.real(self.path + "/physfn")
                if self.machine.is_there(self.path + "/physfn") else None)


class Netdev:
    """A network device."""

    def __init__(self, machine, name):
        self.machine = machine
        self.name = name
        self.path = "%s/%s" % (NET, name)

    def read(self, attribute):
        return self.machine.read("%s/%s" % (self.path, attribute))

    @functools.cached_property
    def device(self):
        """What it sits on, None if it is the kernel's alone."""
        path = self.path + "/device"
        return (Device(self.machine, self.machine.real(path))
                if self.machine.is_there(path) else None)

    @functools.cached_property
    def switch_id(self):
        return self.read("phys_switch_id") or None

    @functools.cached_property
    def port_name(self):
        return self.read("phys_port_name") or ""

    @property
    def is_uplink(self):
        return bool(re.fullmatch(r"p\d+(s\d+)?", self.port_name))

    @property
    def vf(self):
        """The VF's number if it is a VF's representor, or None."""
        found = re.fullmatch(r"(?:c\d+)?pf\d+vf(\d+)", self.port_name)
        return int(found.group(1)) if found else None

    @property
    def is_representor(self):
        return bool(re.fullmatch(r"(?:c\d+)?pf\d+(?:[vs]f\d+)?",
                                 self.port_name))

    @property
    def is_up(self):
        return bool(int(self.read("flags") or "0", 16) & IFF_UP)

    @property
    def has_carrier(self):
        return self.read("carrier") == "1"

    @property
    def lower(self):
        """The names of those that it sits on: a bond's, a VLAN's."""
        return [name[len("lower_"):] for name in self.machine.names(self.path)
                if name.startswith("lower_")]

    @property
    def bond_mode(self):
        """A bond's, of the kernel: "802.3ad".  None if it is none."""
        mode = self.read("bonding/mode")
        return mode.split()[0] if mode else None


class Nic:
    """A PF, and the network devices on its eswitch."""

    def __init__(self, device):
        self.device = device
        self.name = device.name
        self.handle = device.handle
        self.netdevs = []

    @property
    def switch_ids(self):
        return {n.switch_id for n in self.netdevs if n.switch_id}

    @property
    def uplinks(self):
        """Without an eswitch in use, all that there is."""
        if self.switch_ids:
            return [n for n in self.netdevs if n.is_uplink]
        return list(self.netdevs)

    @property
    def representors(self):
        return [n for n in self.netdevs if n.switch_id and n.is_representor]


class Interface:
    """A row of table Interface with the rows that it belongs to."""

    def __init__(self, row, port, bridge):
        self.row = row
        self.name = row["name"]
        self.type = row["type"] or "system"
        self.options = row.get("options") or {}
        self.port = port
        self.bridge = bridge
        self.in_kernel = bridge["datapath_type"] in ("", "system")


TUNNELS = ("vxlan", "geneve", "gre", "ip6gre")
OTHER_TUNNELS = ("erspan", "ip6erspan", "lisp", "stt", "gtpu", "bareudp",
                 "srv6")


def decode(value):
    """A value as ovsdb prints it, as Python has it.  RFC 7047, 5.1."""
    if isinstance(value, list) and len(value) == 2:
        kind, content = value
        if kind == "map":
            return {decode(k): decode(v) for k, v in content}
        if kind == "set":
            return [decode(v) for v in content]
        if kind in ("uuid", "named-uuid"):
            return content
    return value


def as_list(value):
    """A column of which one value is printed without a set around it."""
    return value if isinstance(value, list) else [value]


class Host:
    """A machine with Open vSwitch on it.  'target' is as ovs-appctl's -t,
    'watch' the seconds between two readings, 0 for one reading only."""

    def __init__(self, machine, target="ovs-vswitchd", watch=0):
        self.machine = machine
        self.target = target
        self.watch = watch

    # The database.

    def table(self, name):
        """The rows of a table."""
        answer = self.machine.json("ovs-vsctl", "-t", "10", "--format=json",
                                   "list", name)
        return [dict(zip(answer["headings"], map(decode, row)))
                for row in answer["data"]]

    @functools.cached_property
    def settings(self):
        """The only row of table Open_vSwitch."""
        rows = self.table("Open_vSwitch")
        if not rows:
            raise Unknown("ovs-vsctl: table Open_vSwitch is empty")
        return rows[0]

    def other_config(self, key, default=None):
        return self.settings["other_config"].get(key, default)

    @functools.cached_property
    def bridges(self):
        return self.table("Bridge")

    @functools.cached_property
    def interfaces(self):
        """Of all bridges."""
        ports = {row["_uuid"]: row for row in self.table("Port")}
        rows = {row["_uuid"]: row for row in self.table("Interface")}
        return [Interface(rows[i], ports[p], bridge)
                for bridge in self.bridges
                for p in as_list(bridge["ports"]) if p in ports
                for i in as_list(ports[p]["interfaces"]) if i in rows]

    @property
    def kernel_ports(self):
        """Interfaces of the kernel datapath that are network devices."""
        return [i for i in self.interfaces
                if i.in_kernel and i.type == "system"]

    @property
    def tunnels(self):
        return [i for i in self.interfaces
                if i.type in TUNNELS or i.type in OTHER_TUNNELS]

    def bridge_of(self, name):
        """The bridge that a network device is a port of, or None."""
        return next((i.bridge for i in self.kernel_ports if i.name == name),
                    None)

    # The daemon.

    def appctl(self, *command, turn=0):
        return self.machine.run("ovs-appctl", "-T", "10", "-t", self.target,
                                *command, turn=turn)

    def ask(self, *command, turn=0):
        """What our daemon says to an "offload/" command.  Raises NotOurs if it
        is another one."""
        try:
            return self.machine.json("ovs-appctl", "-T", "10", "-t",
                                     self.target, *command, "--format=json",
                                     turn=turn)
        except CommandFailed as e:
            if "not a valid command" in e.said:
                raise NotOurs("the daemon that runs isn't ovs-fastpath's: it "
                              "doesn't know %s" % command[0]) from e
            raise

    def status(self, turn=0):
        return self.ask("offload/status", turn=turn)

    @property
    def offload_ports(self):
        """Each port as the daemon sees it."""
        return self.ask("offload/ports")["ports"]

    # NICs.

    @functools.cached_property
    def netdevs(self):
        """By name."""
        names = [name for name in self.machine.names(NET)
                 if self.machine.is_there("%s/%s/ifindex" % (NET, name))]
        if not names:
            raise Unknown("%s: no network devices are to be seen" % NET)
        return {name: Netdev(self.machine, name) for name in names}

    @functools.cached_property
    def all_nics(self):
        """Those that could have an eswitch, by their path in sysfs."""
        nics = {}
        for netdev in self.netdevs.values():
            device = netdev.device
            if (device and device.path not in nics and not device.pf
                    and (device.total_vfs is not None or netdev.switch_id)):
                nics[device.path] = Nic(device)
        for name in self.machine.names(PCI):
            device = Device(self.machine,
                            self.machine.real("%s/%s" % (PCI, name)))
            if (device.path not in nics and device.total_vfs is not None
                    and (self.machine.read(device.path + "/class") or ""
                         ).startswith(PCI_CLASS_NETWORK)):
                nics[device.path] = Nic(device)
        self._add_netdevs(nics)
        return nics

    def _add_netdevs(self, nics):
        """Representors of old drivers sit on no device, and are known by
        their switch."""
        by_switch = {}
        for netdev in self.netdevs.values():
            if netdev.device and netdev.device.path in nics:
                nic = nics[netdev.device.path]
                nic.netdevs.append(netdev)
                if netdev.switch_id:
                    by_switch[netdev.switch_id] = nic
        for netdev in self.netdevs.values():
            if not netdev.device and netdev.switch_id in by_switch:
                by_switch[netdev.switch_id].netdevs.append(netdev)

    def nic_of(self, name):
        """The NIC that a network device is a port of, or None."""
        return next((nic for nic in self.all_nics.values()
                     if any(n.name == name for n in nic.netdevs)), None)

    def below(self, name, depth=4):
        """The network devices that 'name' is, or sits on, at the bottom."""
        netdev = self.netdevs.get(name)
        if not netdev:
            return []
        lower = netdev.lower if depth else []
        return ([n for below in lower for n in self.below(below, depth - 1)]
                or [netdev])

    def _is_used(self, nic, ports):
        devices = {n.device.path for n in ports if n.device}
        devices |= {n.device.pf for n in ports if n.device}
        return (bool(nic.switch_ids) or nic.device.path in devices
                or any(n in ports for n in nic.netdevs))

    @property
    def dpdk_nics(self):
        """Those that DPDK shares with their driver in the kernel."""
        names = {i.options.get("dpdk-devargs", "").split(",")[0]
                 for i in self.interfaces if i.type == "dpdk"}
        return [nic for nic in self.all_nics.values()
                if nic.netdevs and nic.name in names]

    @functools.cached_property
    def nics(self):
        """Those that this is about: with ports on a bridge, or whose eswitch
        is in use; if there are none, all that could be."""
        try:
            ports = [n for i in self.kernel_ports for n in self.below(i.name)]
            shared = self.dpdk_nics
        except Unknown:
            ports, shared = [], []  # No database: look at what is in use.
        used = [nic for nic in self.all_nics.values()
                if nic in shared or self._is_used(nic, ports)]
        return used or list(self.all_nics.values())

    def nic_ports(self):
        """Network devices of NICs that Open vSwitch has rules for: ports of
        bridges, what bonds among them consist of, and uplinks."""
        names = {n.name for i in self.kernel_ports
                 for n in self.below(i.name)}
        return [n for nic in self.nics for n in nic.netdevs
                if n.name in names or (n.is_uplink and n.switch_id)]

    # The kernel.

    @functools.cached_property
    def release(self):
        release = self.machine.read("/proc/sys/kernel/osrelease")
        if not release:
            raise Unknown("/proc/sys/kernel/osrelease can't be read")
        return release

    @property
    def kernel_version(self):
        """(6, 1)"""
        found = re.match(r"(\d+)\.(\d+)", self.release)
        if not found:
            raise Unknown("kernel release %s isn't a version" % self.release)
        return int(found.group(1)), int(found.group(2))

    @functools.cached_property
    def kernel_config(self):
        """The kernel's build options that are set, by name."""
        packed = self.machine.read_bytes("/proc/config.gz")
        try:
            text = gzip.decompress(packed).decode() if packed else (
                self.machine.read("/boot/config-" + self.release)
                or self.machine.read("/lib/modules/%s/config" % self.release))
        except (OSError, EOFError, ValueError) as e:
            raise Unknown("/proc/config.gz: %s" % e) from e
        if not text:
            raise Unknown("the kernel's configuration isn't to be found in "
                          "/proc/config.gz or /boot")
        return dict(re.findall(r"^CONFIG_(\w+)=(.*)$", text, re.M))

    def has_module(self, name, option):
        """Whether the kernel has it, or can load it."""
        if self.machine.is_there("/sys/module/" + name):
            return True
        try:
            if self.kernel_config.get(option) != "m":
                return self.kernel_config.get(option) == "y"
        except Unknown:
            pass                # Ask for the module itself.
        try:
            return bool(self.machine.run("modinfo", "-F", "filename", name))
        except CommandFailed:
            return False

    # Tools.

    def devlink(self, *command):
        return self.machine.json("devlink", "-j", *command)

    def tc_offload(self, name):
        """hw-tc-offload, and whether it is fixed."""
        text = self.machine.run("ethtool", "-k", name)
        found = re.search(r"^hw-tc-offload: (on|off)( \[fixed\])?", text, re.M)
        if not found:
            raise Unknown("ethtool -k %s says nothing of hw-tc-offload" % name)
        return found.group(1) == "on", bool(found.group(2))

    @functools.cached_property
    def qdiscs(self):
        """By network device, the kinds of its ingress qdiscs."""
        kinds = {}
        for qdisc in self.machine.json("tc", "-j", "qdisc", "show"):
            if qdisc["kind"] in ("ingress", "clsact"):
                kinds.setdefault(qdisc["dev"], []).append(qdisc["kind"])
        return kinds

    def filters(self, name):
        """The filters of a network device's ingress that have a handle."""
        filters = self.machine.json("tc", "-j", "filter", "show", "dev", name,
                                    "ingress")
        if (not isinstance(filters, list)
                or any(f.keys() < {"kind"} for f in filters)):
            raise Unknown("tc filter show dev %s: no list of filters" % name)
        return [f for f in filters if "options" in f]

    def route(self, address):
        """How to get to an address: "dev", "prefsrc" and the like."""
        try:
            address = str(ipaddress.ip_address(address))
        except ValueError as e:
            raise Unknown("remote_ip is no address: %s" % address) from e
        return self.machine.json("ip", "-j", "route", "get", address)[0]
