# SPDX-License-Identifier: Apache-2.0

"""A host that there isn't, for ovs-offload-doctor --root.

    made_up.py DIR [CHECK]      makes it in DIR, broken so that CHECK complains
    made_up.py --list           CHECKs

Its NIC is like one of driver mlx5_core: uplink, two VFs with representors on
bridge br0, and a VXLAN tunnel over the uplink."""

import copy
import json
import os
import sys

ADDRESS = "0000:03:00.0"
HANDLE = "pci/" + ADDRESS
PF = "/sys/devices/pci0000:00/0000:00:02.0/" + ADDRESS
VF0 = "/sys/devices/pci0000:00/0000:00:02.0/0000:03:00.2"
UPLINK, REP0, REP1 = "enp3s0f0np0", "enp3s0f0npf0vf0", "enp3s0f0npf0vf1"
SWITCH = "0a1b2c0003ceb818"
RELEASE = "6.5.0-0.deb12.4-amd64"
UFID = "18f31bcf-9d1e-4f0a-a1c3-5b6de8a30e0f"
BOOT_CONFIG = "/boot/config-" + RELEASE
MODULES = ("openvswitch", "cls_flower", "sch_ingress", "act_mirred",
           "act_gact", "act_vlan", "act_tunnel_key", "act_pedit", "act_csum",
           "act_ct", "act_police", "act_mpls", "act_skbedit")


# What programs print.

def ovs_map(values):
    return ["map", [[k, v] for k, v in values.items()]]


def ovs_table(rows):
    headings = sorted({key for row in rows for key in row})
    return json.dumps({"headings": headings,
                       "data": [[row[h] for h in headings] for row in rows]})


def uuid(name):
    return ["uuid", name]


def uuids(names):
    return (uuid(names[0]) if len(names) == 1
            else ["set", [uuid(n) for n in names]])


def interface(name, kind="", options=None):
    return {"_uuid": uuid("i-" + name), "name": name, "type": kind,
            "options": ovs_map(options or {}), "error": ["set", []],
            "external_ids": ovs_map({}),
            "ingress_policing_rate": 0, "ingress_policing_kpkts_rate": 0}


def port(name, interfaces=None):
    return {"_uuid": uuid("p-" + name), "name": name, "bond_mode": ["set", []],
            "interfaces": uuids(["i-" + i for i in interfaces or [name]])}


def bridge(name, ports):
    return {"_uuid": uuid("b-" + name), "name": name, "datapath_type": "",
            "sflow": ["set", []], "ipfix": ["set", []],
            "ports": uuids(["p-" + p for p in ports])}


def flower(pref, keys, **options):
    return {"protocol": "ip", "pref": pref, "kind": "flower", "chain": 0,
            "options": dict(options, handle=1, keys=keys)}


OUR_FILTER = flower(2, {"dst_mac": "02:00:00:00:00:01"}, in_hw=True, actions=[
    {"order": 1, "kind": "mirred", "cookie": UFID.replace("-", "")}])

# A meter is shared, and has no cookie of a flow.
OUR_METERED_FILTER = flower(2, {"dst_mac": "02:00:00:00:00:02"}, actions=[
    {"order": 1, "kind": "police"},
    {"order": 2, "kind": "mirred", "cookie": UFID.replace("-", "")}])


class Host:
    """Files, links and answers, to be broken and written."""

    def __init__(self):
        self.files = {
            "/proc/sys/kernel/osrelease": RELEASE,
            BOOT_CONFIG: "CONFIG_NET_TC_SKB_EXT=y\n" + "".join(
                "CONFIG_%s=m\n" % option for option in (
                    "OPENVSWITCH", "NET_CLS_FLOWER", "NET_ACT_VLAN")),
            "/sys/devices/system/cpu/online": "0-7",
            PF + "/sriov_totalvfs": "8",
            PF + "/sriov_numvfs": "2",
            PF + "/class": "0x020000",
        }
        for module in MODULES:
            self.files["/sys/module/%s/refcnt" % module] = "1"
        self.links = {
            "/sys/bus/pci/devices/" + ADDRESS: PF,
            PF + "/subsystem": "/sys/bus/pci",
            PF + "/driver": "/sys/bus/pci/drivers/mlx5_core",
            PF + "/virtfn0": VF0,
            VF0 + "/physfn": PF,
            VF0 + "/subsystem": "/sys/bus/pci",
            VF0 + "/driver": "/sys/bus/pci/drivers/mlx5_core",
        }
        self.netdev(UPLINK, PF, phys_switch_id=SWITCH, phys_port_name="p0")
        self.netdev(REP0, PF, phys_switch_id=SWITCH, phys_port_name="pf0vf0")
        self.netdev(REP1, PF, phys_switch_id=SWITCH, phys_port_name="pf0vf1")
        self.netdev("eno1", None)
        self._make_database()
        self._make_daemon()
        self._make_tools()

    def netdev(self, name, device, **attributes):
        path = (device or "/sys/devices/virtual") + "/net/" + name
        attributes = dict({"ifindex": str(len(self.links)), "flags": "0x1003",
                           "carrier": "1", "operstate": "up"}, **attributes)
        for key, value in attributes.items():
            self.files["%s/%s" % (path, key)] = value
        self.links["/sys/class/net/" + name] = path
        if device:
            self.links[path + "/device"] = device
        return path

    def _make_database(self):
        ports = [port(n) for n in ("br0", REP0, REP1, "vx0")]
        self.tables = {
            "Open_vSwitch": [{
                "ovs_version": "3.1.0", "dpdk_initialized": False,
                "dpdk_version": ["set", []],
                "external_ids": ovs_map({"hostname": "made-up"}),
                "other_config": ovs_map({"hw-offload": "true"})}],
            "Bridge": [bridge("br0", [p["name"] for p in ports])],
            "Port": ports,
            "Interface": [
                interface("br0", "internal"), interface(REP0),
                interface(REP1), interface("vx0", "vxlan", {
                    "remote_ip": "172.16.0.9", "key": "77"})],
        }

    def _make_daemon(self):
        self.status = {
            "version": "0.1.0", "enabled": True, "refusals": [],
            "ports": [{"port": REP0, "rules": 10, "in_hardware": 10,
                       "in_software": 0}],
            "datapaths": [{
                "datapath": "system", "rules": 10, "rules_limit": 200000,
                "rules_used": 0.1, "hw_packets": 9000, "sw_packets": 0,
                "ovs_packets": 1000, "packets": 10000,
                "hw_share_packets": 90.0}],
        }
        self.moving = {"hw_packets": 500, "ovs_packets": 5}
        self.ports = [
            {"port": name, "datapath": "system", "bridge": "br0",
             "kind": "VF representor", "backend": "tc", "offload": "hardware",
             "reason": "rules go to the NIC"} for name in (REP0, REP1)]
        self.refusals = []
        self.flows = ""

    def _make_tools(self):
        self.features = {UPLINK: "on", REP0: "on", REP1: "on"}
        self.filters = {REP0: [OUR_FILTER, OUR_METERED_FILTER], REP1: []}
        self.qdiscs = [REP0, REP1, "vxlan_sys_4789"]
        self.eswitch = {"mode": "switchdev", "inline-mode": "none",
                        "encap-mode": "basic"}
        self.steering = "smfs"
        self.stored = "22.35.2000"
        self.health = {"fw": "healthy", "fw_fatal": "healthy"}
        self.route = {"dst": "172.16.0.9", "dev": UPLINK,
                      "prefsrc": "172.16.0.1"}
        self.more = {}          # By command line, whole answers.

    def add_port(self, row, port_row=None):
        """One more interface of br0."""
        port_row = port_row or port(row["name"])
        self.tables["Interface"].append(row)
        self.tables["Port"].append(port_row)
        self.tables["Bridge"][0]["ports"][1].append(port_row["_uuid"])

    def row(self, table, name):
        return next(r for r in self.tables[table] if r["name"] == name)

    def set_config(self, key, value):
        self.tables["Open_vSwitch"][0]["other_config"][1].append([key, value])

    # All that was recorded.

    def _statuses(self):
        later = copy.deepcopy(self.status)
        for key, n in self.moving.items():
            later["datapaths"][0][key] += n
        return [self.status, later]

    def _devlink(self):
        yield "dev info " + HANDLE, {"info": {HANDLE: {
            "driver": "mlx5_core", "versions": {
                "running": {"fw.version": "22.35.2000"},
                "stored": {"fw.version": self.stored}}}}}
        yield "health show", {"health": {HANDLE: [
            {"reporter": name, "state": state, "error": 1, "recover": 0}
            for name, state in self.health.items()]}}
        yield "dev eswitch show " + HANDLE, {"dev": {HANDLE: self.eswitch}}
        yield ("dev param show %s name flow_steering_mode" % HANDLE,
               {"param": {HANDLE: [{
                   "name": "flow_steering_mode", "type": "driver-specific",
                   "values": [{"cmode": "runtime",
                               "value": self.steering}]}]}})

    def answers(self):
        appctl = "ovs-appctl -T 10 -t ovs-vswitchd "
        out = {}
        for name, rows in self.tables.items():
            out["ovs-vsctl -t 10 --format=json list " + name] = [
                ovs_table(rows)]
        out[appctl + "version"] = ["ovs-vswitchd (Open vSwitch) 3.1.0\n"]
        out[appctl + "offload/status --format=json"] = [
            json.dumps(s) for s in self._statuses()]
        for name, value in (("ports", {"ports": self.ports}),
                            ("refusals", {"refusals": self.refusals})):
            out[appctl + "offload/%s --format=json" % name] = [
                json.dumps(value)]
        out[appctl + "dpctl/dump-flows -m type=tc"] = [self.flows]
        for command, value in self._devlink():
            out["devlink -j " + command] = [json.dumps(value)]
        for name, value in self.features.items():
            out["ethtool -k " + name] = [
                "Features for %s:\nrx-checksumming: on\nhw-tc-offload: %s\n"
                % (name, value)]
        for name, value in self.filters.items():
            out["tc -j filter show dev %s ingress" % name] = [
                json.dumps(value)]
        out["tc -j qdisc show"] = [json.dumps(
            [{"kind": "noqueue", "handle": "0:", "dev": "lo"}]
            + [{"kind": "ingress", "handle": "ffff:", "dev": dev}
               for dev in self.qdiscs])]
        out["ip -j route get 172.16.0.9"] = [json.dumps([self.route])]
        out = {line: [{"status": 0, "stdout": text, "stderr": ""}
                      for text in texts] for line, texts in out.items()}
        out.update(self.more)
        return out

    def fail(self, line, message, status=1):
        """The command says no."""
        self.more[line] = [{"status": status, "stdout": "",
                            "stderr": message + "\n"}]

    def write(self, root):
        for path, text in self.files.items():
            os.makedirs(root + os.path.dirname(path), exist_ok=True)
            with open(root + path, "w", encoding="utf-8") as f:
                f.write(text + "\n")
        for path, target in self.links.items():
            os.makedirs(root + os.path.dirname(path), exist_ok=True)
            os.makedirs(root + target, exist_ok=True)
            os.symlink(os.path.relpath(target, os.path.dirname(path)),
                       root + path)
        with open(root + "/commands.json", "w", encoding="utf-8") as f:
            json.dump(self.answers(), f, indent=1)


# How to break it: by the name of the check that has to complain.

BREAK = {}


def breaks(check):
    def add(function):
        BREAK[check] = function
        return function
    return add


def set_of(attribute, value):
    """Breaks by setting one of a host's members."""
    return lambda host: setattr(host, attribute, value)


def set_file(path, value):
    return lambda host: host.files.update({path: value})


def refused(code, reason, packets=10):
    return set_of("refusals", [{
        "port": REP0, "flows": 412, "packets": packets, "example": UFID,
        "reason": reason, "code": code, "hint": ""}])


REP0_PATH = PF + "/net/" + REP0
UPLINK_PATH = PF + "/net/" + UPLINK

BREAK.update({
    "nic-firmware": set_of("stored", "22.39.1002"),
    "nic-health": lambda host: host.health.update({"fw": "error"}),
    "nic-link": set_file(UPLINK_PATH + "/flags", "0x1002"),
    "sriov-vfs": set_file(PF + "/sriov_numvfs", "0"),
    "eswitch-steering": set_of("steering", "dmfs"),
    "eswitch-encap": lambda host: host.eswitch.update({"encap-mode": "none"}),
    "representor-exists": set_file(PF + "/sriov_numvfs", "3"),
    "representor-up": set_file(REP0_PATH + "/flags", "0x1002"),
    "hw-tc-offload": lambda host: host.features.update({REP0: "off"}),
    "kernel-openvswitch": lambda host: lose_module(host, "openvswitch"),
    "kernel-classifier": lambda host: lose_module(host, "cls_flower"),
    "kernel-actions": lambda host: lose_module(host, "act_vlan"),
    "kernel-chains": set_file(BOOT_CONFIG,
                              "# CONFIG_NET_TC_SKB_EXT is not set\n"
                              "CONFIG_NET=y"),
    "hw-offload-live": lambda host: host.status.update({"enabled": False}),
    "tc-policy": lambda host: host.set_config("tc-policy", "skip_hw"),
    "max-idle": lambda host: host.set_config("max-idle", "100"),
    "threads": lambda host: host.set_config("n-handler-threads", "1"),
    "flow-limit": lambda host: host.status["datapaths"][0].update(
        {"rules": 190000, "rules_used": 95.0}),
    "bridge-sampling": lambda host: host.row("Bridge", "br0").update(
        {"sflow": uuid("s-1")}),
    "port-opened": lambda host: host.row("Interface", "vx0").update(
        {"error": "could not add network device vx0 to ofproto"}),
    "port-offload": lambda host: host.ports[0].update(
        {"offload": "no", "reason": "tc qdisc: input port can't be "
         "offloaded"}),
    "tunnel-df": lambda host: host.files.update({
        "/proc/sys/kernel/osrelease": "6.1.0",
        "/boot/config-6.1.0": host.files[BOOT_CONFIG]}),
    "tunnel-underlay": lambda host: host.route.update({"dev": "eno1"}),
    "qdisc-ingress": lambda host: host.qdiscs.remove(REP1),
    "qdisc-foreign": lambda host: host.filters[REP1].append(
        {"protocol": "all", "pref": 100, "kind": "matchall", "chain": 0,
         "options": {"handle": 1, "actions": [{"kind": "gact"}]}}),
    "qdisc-policing": lambda host: host.row("Interface", REP0).update(
        {"ingress_policing_rate": 1000}),
    "flows-refused": refused("action-unsupported",
                             "trunc: action can't be expressed", 90233),
    "table-full": refused("table-full", "hardware table is full"),
    "flows-over-limit": refused("flow-limit", "configured limit of offloaded "
                                "flows reached"),
    "hardware-share": lambda host: host.status["datapaths"][0].update(
        {"hw_share_packets": 9.0}),
    "counters-moving": set_of("moving", {"hw_packets": 0, "ovs_packets": 70}),
})


# The same checks, for another reason: behind the slash.
BREAK.update({
    "nic-link/cable": set_file(UPLINK_PATH + "/carrier", "0"),
    "nic-driver/none": lambda host: host.links.pop(PF + "/driver"),
    "sriov-vfs/firmware": lambda host: host.files.update({
        PF + "/sriov_totalvfs": "0", PF + "/sriov_numvfs": "0"}),
    "hw-tc-offload/fixed": lambda host: host.features.update(
        {UPLINK: "off [fixed]"}),
    "kernel-chains/refusals": lambda host: no_chains(host),
    "hw-offload-live/off": lambda host: host.tables["Open_vSwitch"][0].update(
        {"other_config": ovs_map({"hw-offload": "false"})}),
    "flow-limit/reached": lambda host: host.status["datapaths"][0].update(
        {"rules": 200000, "rules_used": 100.0}),
    "port-offload/marks": lambda host: host.ports[1].update(
        {"offload": "marks", "reason": "the device takes no transfer rules: "
         "it marks packets for software"}),
    "qdisc-foreign/some": lambda host: host.filters[REP0].append(
        flower(60000, {"eth_type": "0x88b6"},
               actions=[{"kind": "gact", "cookie": "0badcafe"}])),
    "qdisc-foreign/many": lambda host: host.status["ports"][0].update(
        {"rules": 100000, "in_hardware": 100000}),
    "flows-refused/few": refused("action-unsupported",
                                 "trunc: action can't be expressed", 10),
    "flows-in-hardware/none": lambda host: host.status["ports"][0].update(
        {"in_hardware": 0, "in_software": 10}),
    "counters-moving/some": set_of("moving", {"hw_packets": 10,
                                              "ovs_packets": 70}),
    "tunnel-underlay/internal": lambda host: underlay_on_bridge(host),
    "tunnel-underlay/unreachable": lambda host: host.fail(
        "ip -j route get 172.16.0.9",
        "RTNETLINK answers: Network is unreachable", 2),
    "eswitch-mode/dpdk": lambda host: legacy_under_dpdk(host),
    "bond-mode/kernel": lambda host: kernel_bond(host, "balance-rr 0"),
})


def no_chains(host):
    """No configuration of the kernel, but flows that tell."""
    del host.files[BOOT_CONFIG]
    refused("recirculation-unsupported", "recirc_id: recirculation can't be "
            "offloaded")(host)


def kernel_bond(host, mode):
    """The uplinks' bond is on the bridge."""
    path = host.netdev("bond0", None)
    host.files[path + "/bonding/mode"] = mode
    host.links[path + "/lower_" + UPLINK] = UPLINK_PATH
    host.add_port(interface("bond0"))
    host.qdiscs.append("bond0")


def underlay_on_bridge(host):
    """The tunnel's address is that of the bridge that has the uplink."""
    host.netdev("br0", None)
    host.route["dev"] = "br0"
    host.more["ip -j address show dev br0"] = [{
        "status": 0, "stderr": "", "stdout": json.dumps([{
            "ifname": "br0", "addr_info": [
                {"local": "172.16.0.1", "prefixlen": 24}]}])}]


def lose_module(host, name):
    del host.files["/sys/module/%s/refcnt" % name]
    host.files[BOOT_CONFIG] = "CONFIG_NET_TC_SKB_EXT=y"


@breaks("database")
def no_database(host):
    for table in host.tables:
        host.fail("ovs-vsctl -t 10 --format=json list " + table,
                  "ovs-vsctl: unix:/var/run/openvswitch/db.sock: database "
                  "connection failed (No such file or directory)")


@breaks("daemon")
def no_daemon(host):
    for line in host.answers():
        if line.startswith("ovs-appctl "):
            host.fail(line, "ovs-appctl: cannot connect to "
                      '"/var/run/openvswitch/ovs-vswitchd.1.ctl" '
                      "(Connection refused)")


@breaks("provider")
def stock_daemon(host):
    for name in ("status", "ports", "refusals"):
        host.fail("ovs-appctl -T 10 -t ovs-vswitchd offload/%s --format=json"
                  % name, '"offload/%s" is not a valid command (use '
                  '"list-commands" to see a list of valid commands)\n'
                  "ovs-appctl: ovs-vswitchd: server returned an error" % name,
                  2)


@breaks("hw-offload")
def offload_off(host):
    host.tables["Open_vSwitch"][0]["other_config"] = ovs_map({})
    host.status["enabled"] = False


@breaks("nic-present")
def no_nic(host):
    """Virtual machines on bridges of veths."""
    for paths in (host.files, host.links):
        for path in list(paths):
            if path.startswith((PF, VF0, "/sys/bus/pci/devices")) or (
                    path.startswith("/sys/class/net/enp")):
                del paths[path]
    for name in (REP0, REP1, UPLINK):
        host.netdev(name, None)


@breaks("nic-driver")
def other_driver(host):
    host.links[PF + "/driver"] = "/sys/bus/pci/drivers/ixgbe"


@breaks("eswitch-mode")
def legacy_mode(host):
    """And so there are no representors."""
    host.eswitch["mode"] = "legacy"
    for name in (REP0, REP1):
        for path in list(host.files):
            if path.startswith("%s/net/%s/" % (PF, name)):
                del host.files[path]
        del host.links["/sys/class/net/" + name]
        del host.links["%s/net/%s/device" % (PF, name)]
    del host.files[UPLINK_PATH + "/phys_switch_id"]
    host.files[UPLINK_PATH + "/phys_port_name"] = "p0"
    host.ports = []


def legacy_under_dpdk(host):
    """No bridge with the kernel's datapath, but a NIC that DPDK shares."""
    legacy_mode(host)
    host.tables["Interface"] = [interface("pf", "dpdk", {
        "dpdk-devargs": ADDRESS + ",dv_flow_en=1"})]
    host.tables["Port"] = [port("pf")]
    host.tables["Bridge"] = [dict(bridge("br1", ["pf"]),
                                  datapath_type="netdev")]
    host.tables["Open_vSwitch"][0]["dpdk_initialized"] = True


@breaks("representor-plugged")
def unplugged(host):
    host.tables["Bridge"][0]["ports"][1].remove(uuid("p-" + REP1))


@breaks("dpdk-representor")
def unplugged_dpdk(host):
    """Of a NIC that is DPDK's, on a bridge of its own."""
    host.tables["Interface"].append(interface("pf", "dpdk", {
        "dpdk-devargs": "0000:05:00.0,dv_flow_en=1"}))
    host.tables["Port"].append(port("pf"))
    host.tables["Bridge"].append(dict(bridge("br1", ["pf"]),
                                      datapath_type="netdev"))
    host.tables["Open_vSwitch"][0]["dpdk_initialized"] = True
    host.ports.append({
        "port": "0000:05:00.0_representor_vf1", "bridge": "none", "vf": 1,
        "kind": "VF representor", "said_by": "dpdk", "backend": "none",
        "offload": "no", "reason": "not a port of a bridge"})


@breaks("vf-plugged")
def vf_itself(host):
    host.netdev("enp3s0f0v0", VF0)
    host.add_port(interface("enp3s0f0v0"))


@breaks("uplink-plugged")
def lonely_uplink(host):
    host.tables["Bridge"][0]["ports"][1].remove(uuid("p-vx0"))


@breaks("dpdk-initialized")
def no_dpdk(host):
    host.tables["Bridge"].append(dict(bridge("br1", []), ports=["set", []],
                                      datapath_type="netdev"))


@breaks("bridge-datapath")
def wrong_datapath(host):
    """The userspace datapath under a port of the kernel."""
    host.tables["Interface"].append(interface("eno1"))
    host.tables["Port"].append(port("eno1"))
    host.tables["Bridge"].append(dict(bridge("br1", ["eno1"]),
                                      datapath_type="netdev"))
    host.tables["Open_vSwitch"][0]["dpdk_initialized"] = True


@breaks("bridge-nic")
def nothing_plugged(host):
    host.tables["Bridge"][0]["ports"] = uuids(["p-br0", "p-vx0"])
    host.ports = []


@breaks("one-eswitch")
def two_nics(host):
    """A port of another NIC, which is known by its switch."""
    other = PF.replace("03:00.0", "04:00.0")
    host.links[other + "/driver"] = "/sys/bus/pci/drivers/mlx5_core"
    host.links[other + "/subsystem"] = "/sys/bus/pci"
    host.files[other + "/sriov_totalvfs"] = "8"
    host.files[other + "/sriov_numvfs"] = "1"
    host.netdev("enp4s0f0np0", other, phys_switch_id="b0",
                phys_port_name="p0")
    host.netdev("enp4s0f0npf0vf0", other, phys_switch_id="b0",
                phys_port_name="pf0vf0")
    host.add_port(interface("enp4s0f0npf0vf0"))
    handle = HANDLE.replace("03:00.0", "04:00.0")
    for line, answers in host.answers().items():
        if line.startswith("devlink -j dev"):
            text = json.dumps(answers).replace(HANDLE, handle)
            host.more[line.replace(HANDLE, handle)] = json.loads(text)
    for name in ("enp4s0f0np0", "enp4s0f0npf0vf0"):
        host.features[name] = "on"
        host.filters[name] = []
        host.qdiscs.append(name)


@breaks("bond-mode")
def hashing_bond(host):
    host.netdev("eno2", None)
    for name in ("eno1", "eno2"):
        host.tables["Interface"].append(interface(name))
    host.tables["Port"].append(dict(port("bond0", ["eno1", "eno2"]),
                                    bond_mode="balance-tcp"))
    host.tables["Bridge"][0]["ports"][1].append(uuid("p-bond0"))


@breaks("tunnel-type")
def other_tunnel(host):
    host.add_port(interface("stt0", "stt", {"remote_ip": "172.16.0.9"}))


@breaks("flows-in-hardware")
def in_tc_only(host):
    host.status["ports"][0].update({"in_hardware": 7, "in_software": 3})
    host.flows = ("ufid:00000000-0000-0000-0000-000000000001, recirc_id(0),"
                  "in_port(%s),eth(), packets:1, bytes:2, used:0.1s, "
                  "offloaded:yes, dp:tc, actions:drop\n"
                  "ufid:%s, recirc_id(0),in_port(%s),eth(), packets:1, "
                  "bytes:2, used:0.1s, dp:tc, actions:drop\n"
                  % (REP0, UFID, REP0))


def main():
    if sys.argv[1] == "--list":
        print("\n".join(sorted(BREAK)))
        return
    host = Host()
    for check in sys.argv[2:]:
        BREAK[check](host)
    host.write(sys.argv[1])


if __name__ == "__main__":
    main()
