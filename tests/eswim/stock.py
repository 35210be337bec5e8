#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: stock.py ping|effects|tunnel

Stock Open vSwitch offloads into the NIC in software, which then forwards."""

import socket
import sys

import cases
from cases import A, C, eth, fragment, ip4, ip6, tcp4, udp4, udp6
from nic import (PACKET_AUXDATA, SOL_PACKET, TIMEOUT, Failure, quiet_network,
                 receive_whole, report, wait_for)
from ovs import Namespace, StockOvs, n_packets
from scapy.all import ICMP, IP, TCP, UDP, Dot1Q, Ether, raw
from scapy.layers.vxlan import VXLAN


def said(ovs):
    """Packets of the offloaded ICMP flows as Open vSwitch reports them."""
    return sum(n_packets(flow) for flow in ovs.flows("offloaded")
               if "eth_type(0x0800)" in flow)


def done(ovs):
    """The same as the hardware has counted them."""
    return sum(rule["packets"] for rule in ovs.rules().values()
               if "ipv4" in " ".join(rule["match"]))


def are_offloaded(ovs):
    return len([flow for flow in ovs.flows("offloaded")
                if "eth_type(0x0800)" in flow]) == 2


def ping():
    """Two virtual machines ping each other: after the first packets, the
    hardware does it alone, and counts what Open vSwitch reports."""
    with StockOvs("vfs=2,counter-refresh=0") as ovs:
        ovs.ofctl("add-flow", "br0", "actions=normal")
        vms = [Namespace(f"eswim0vf{i}", f"10.0.0.{i + 1}/24")
               for i in (0, 1)]
        vms[0].ping("10.0.0.2", 2)
        wait_for(lambda: are_offloaded(ovs), "both directions' offload")

        # The first packets, software's, are in the one and not in the other.
        extra = said(ovs) - done(ovs)
        before, n_before = ovs.ports(), done(ovs)
        vms[0].ping("10.0.0.2", 100, 0.01)
        after = ovs.ports()
        for port in "1", "2":
            entered = after[port]["end_rx"] - before[port]["end_rx"]
            up = after[port]["up"] - before[port]["up"]
            if entered < 100 or up > 4:
                raise Failure(f"{up} of {entered} packets of port {port} went "
                              "up to software")
        if done(ovs) != n_before + 200:
            raise Failure(f"the hardware counted {done(ovs) - n_before}")
        wait_for(lambda: said(ovs) == done(ovs) + extra,
                 "Open vSwitch to report what the hardware counted")

        wait_for(lambda: not ovs.rules(), "idle flows to be taken out")
        vms[0].ping("10.0.0.2", 3)
        for vm in vms:
            vm.close()
    report([], 1)


# OpenFlow match and actions, the frame that enters at VF 0, and what comes out
# at VF 1.
EFFECTS = [
    ("", "output:r1", udp4(), udp4()),
    ("", "output:r1", udp6(), udp6()),
    ("", "output:r1", tcp4(), tcp4()),
    ("", "output:r1", ip4() / ICMP(), ip4() / ICMP()),
    ("", "output:r1", fragment(0, True), fragment(0, True)),
    ("", "output:r1", fragment(8, True), fragment(8, True)),
    ("", f"mod_dl_src:{C},mod_dl_dst:{A},output:r1", udp4(),
     eth(dst=A, src=C) / udp4()[IP]),
    ("ip", "mod_nw_src:192.0.2.1,mod_nw_dst:192.0.2.2,output:r1", tcp4(),
     ip4(src="192.0.2.1", dst="192.0.2.2") / tcp4()[TCP]),
    ("udp", "mod_tp_src:7,mod_tp_dst:8,output:r1", udp4(),
     udp4(sport=7, dport=8)),
    ("ip", "mod_nw_ttl:9,output:r1", udp4(), ip4(ttl=9) / udp4()[UDP]),
    ("ipv6", "set_field:fd00::9->ipv6_dst,output:r1", udp6(),
     ip6(dst="fd00::9") / udp6()[UDP]),
    ("", "mod_vlan_vid:9,output:r1", udp4(),
     eth() / Dot1Q(vlan=9) / udp4()[IP]),
    ("", "strip_vlan,output:r1", eth() / Dot1Q(vlan=5) / udp4()[IP], udp4()),
    ("", "drop", udp4(), None),
]


class Taps:
    def __init__(self):
        self.sockets = {}
        for name in "eswim0vf0", "eswim0vf1", "eswim0wire":
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                              socket.htons(3))
            s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            s.bind((name, 0))
            s.settimeout(TIMEOUT)
            self.sockets[name] = s

    def send(self, name, frame):
        self.sockets[name].send(raw(frame))

    def receive(self, name):
        while True:
            frame, came_in = receive_whole(self.sockets[name])
            if came_in:
                return frame

    def drain(self):
        for s in self.sockets.values():
            s.setblocking(False)
            try:
                while True:
                    s.recv(70000)
            except BlockingIOError:
                s.settimeout(TIMEOUT)


def transfer_rules(ovs):
    return [r for r in ovs.rules().values()
            if r["kind"] == "transfer" and r["port"] == 1]


def effect(ovs, taps, match, actions, frame, wanted):
    ovs.appctl("revalidator/purge")
    wait_for(lambda: not ovs.rules(), "the hardware to be empty")
    ovs.ofctl("del-flows", "br0")
    ovs.ofctl("add-flow", "br0", f"{match},in_port=r0,actions={actions}")
    taps.drain()

    taps.send("eswim0vf0", frame)
    wait_for(lambda: transfer_rules(ovs), "a rule")
    if wanted and taps.receive("eswim0vf1") != raw(wanted):
        raise Failure("software makes something else of it")
    up = ovs.ports()["1"]["up"]
    taps.send("eswim0vf0", frame)
    wait_for(lambda: sum(r["packets"] for r in transfer_rules(ovs)) == 1,
             "the hardware to count a packet")
    if wanted:
        came = taps.receive("eswim0vf1")
        if came != raw(wanted):
            raise Failure(f"came {Ether(came).command()}, not "
                          f"{Ether(raw(wanted)).command()}")
    if ovs.ports()["1"]["up"] != up:
        raise Failure("the packet went up to software")


def effects():
    failures = []
    with StockOvs("vfs=2,counter-refresh=0") as ovs:
        taps = Taps()
        for row in EFFECTS:
            try:
                effect(ovs, taps, *row)
            except Failure as failure:
                failures.append(f"{row[1]}, {row[2].summary()}: {failure}")
    report(failures, len(EFFECTS))


def tunnel():
    """What goes into a VXLAN tunnel is encapsulated by the hardware."""
    with StockOvs("vfs=2,counter-refresh=0") as ovs:
        taps = Taps()
        mac = "02:00:00:00:00:10"
        ovs.vsctl("add-br", "phy", "--", "set", "bridge", "phy",
                  "datapath_type=netdev", f"other_config:hwaddr={mac}",
                  "--", "del-port", "br0", "up", "--", "add-port", "phy", "up",
                  "--", "set", "interface", "up", "type=dpdk",
                  "options:dpdk-devargs=net_eswim0")
        ovs.run("ip", "addr", "add", "172.16.0.1/24", "dev", "phy")
        ovs.run("ip", "link", "set", "phy", "up")
        ovs.ofctl("add-flow", "phy", "actions=normal")
        ovs.vsctl("add-port", "br0", "vx", "--", "set", "interface", "vx",
                  "type=vxlan", "options:remote_ip=172.16.0.2",
                  "options:key=77")
        ovs.appctl("tnl/neigh/set", "phy", "172.16.0.2", C)
        # The bridge learns where the neighbour is.
        taps.send("eswim0wire", Ether(dst=mac, src=C)
                  / IP(src="172.16.0.2", dst="172.16.0.1") / UDP())
        ovs.ofctl("add-flow", "br0", "in_port=r0,actions=output:vx")
        taps.drain()

        taps.send("eswim0vf0", udp4())
        wait_for(lambda: transfer_rules(ovs), "a rule")
        taps.drain()
        up = ovs.ports()["1"]["up"]
        taps.send("eswim0vf0", udp4())
        packet = Ether(taps.receive("eswim0wire"))
        if (packet.dst != C or packet.src != mac
                or packet[IP].dst != "172.16.0.2"
                or packet[IP].src != "172.16.0.1"
                or packet[UDP].dport != 4789 or packet[VXLAN].vni != 77
                or not cases.ip_checksum_is_right(packet)
                or cases.raw_inner(packet, VXLAN) != raw(udp4())):
            raise Failure(f"came {packet.command()}")
        if ovs.ports()["1"]["up"] != up:
            raise Failure("the packet went up to software")
        # OVS itself says so too.
        wait_for(lambda: any("tnl_push" in f for f in ovs.flows("offloaded")),
                 "an offloaded flow with tnl_push")
    report([], 1)


quiet_network()
{"ping": ping, "effects": effects, "tunnel": tunnel}[sys.argv[1]]()
