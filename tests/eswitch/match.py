# SPDX-License-Identifier: Apache-2.0
"""For each field that rules can match: which packets do, and which don't.

Usage: match.py GROUP"""

from scapy.all import (
    ARP, Dot1Q, Ether, GRE, ICMP, ICMPv6EchoRequest, ICMPv6ND_NS, IP, IPv6,
    IPv6ExtHdrFragment, Raw, SCTP, TCP, UDP)
from scapy.contrib.geneve import GENEVE
from scapy.contrib.mpls import MPLS
from scapy.layers.vxlan import VXLAN

from eswitch import Eswitch, Failed, check, run
from packets import (
    DATA, ETH, FIRST, FRAGMENT6, GRE_IP, HOPOPTS, INNER, IP4, IP6, L4_TCP,
    L4_UDP, LATER, LATER6, PLAIN, PLAIN6, QINQ, TAGGED, V4_GENEVE, V4_GRE,
    V4_VXLAN, V6_VXLAN, changed, with_options)

MPLS_2 = (ETH / MPLS(label=1000, cos=5, s=0, ttl=9)
          / MPLS(label=2000, cos=1, s=1, ttl=8) / IP4 / DATA)


def try_row(pattern, yes, no):
    """'pattern' must match the packets 'yes' and not the packets 'no', and
    after a listing the rule must be what it was."""
    with Eswitch() as e:
        e.add(f"port=1 {pattern} => output=2")
        listed = e.say("list")[0].split(" => ")[0].split(" port=", 1)[1]
        e.say("flush 1")
        e.add(f"port={listed} => output=2")
        check(e.say("list")[0].split(" => ")[0].split(" port=", 1)[1]
              == listed, "listing isn't what was parsed")
        for packet in yes:
            e.expect(1, packet, ("end 2", packet))
        for packet in no:
            e.misses(1, packet)


def try_rows(rows):
    for pattern, yes, no in rows:
        print(f"-- {pattern}")
        try:
            try_row(pattern, yes, no)
        except Failed:
            print(f"pattern: {pattern}")
            raise


def ethernet():
    try_rows([
        ("", [PLAIN, TAGGED, LATER6, V4_GRE], []),
        ("eth", [PLAIN, TAGGED, LATER6, V4_GRE], []),
        ("eth dst=02:00:00:00:00:02", [PLAIN, TAGGED],
         [changed(PLAIN, Ether, dst="02:00:00:00:00:03")]),
        ("eth src=02:00:00:00:00:01", [PLAIN, TAGGED],
         [changed(PLAIN, Ether, src="02:00:00:00:00:03")]),
        ("eth dst=01:00:00:00:00:00/01:00:00:00:00:00",
         [changed(PLAIN, Ether, dst="ff:ff:ff:ff:ff:ff")], [PLAIN]),
        ("eth type=0x0800", [PLAIN], [PLAIN6, TAGGED]),
        ("eth has_vlan=0", [PLAIN, PLAIN6], [TAGGED, QINQ]),
        ("eth has_vlan=1", [TAGGED, QINQ], [PLAIN]),
    ])


def vlan():
    try_rows([
        ("eth / vlan", [TAGGED, QINQ], [PLAIN]),
        ("eth / vlan vid=5", [TAGGED], [QINQ, changed(TAGGED, Dot1Q, vlan=6)]),
        ("eth / vlan vid=0x4/0x4", [TAGGED, changed(TAGGED, Dot1Q, vlan=7)],
         [changed(TAGGED, Dot1Q, vlan=3)]),
        ("eth / vlan pcp=3", [TAGGED], [changed(TAGGED, Dot1Q, prio=2)]),
        ("eth / vlan vid=5 type=0x0800", [TAGGED],
         [ETH / Dot1Q(vlan=5) / IP6 / L4_TCP]),
        ("eth type=0x88a8 / vlan vid=100 / vlan vid=5", [QINQ],
         [TAGGED, changed(QINQ, Dot1Q, vlan=6)]),
        ("eth type=0x8100 / vlan", [TAGGED], [QINQ]),
        ("eth / vlan has_more_vlan=1", [QINQ], [TAGGED]),
        ("eth / vlan has_more_vlan=0", [TAGGED], [QINQ]),
        ("eth / vlan / ipv4 dst=10.0.0.2", [TAGGED],
         [PLAIN, QINQ, changed(TAGGED, IP, dst="10.0.0.3")]),
        ("eth / vlan / vlan / ipv4 / tcp dst=80", [QINQ],
         [TAGGED, changed(QINQ, TCP, dport=81)]),
        # A header at the front that isn't spelled out may be anything.
        ("ipv4 / tcp dst=80", [PLAIN, TAGGED, QINQ],
         [changed(PLAIN, TCP, dport=81), PLAIN6]),
    ])


def ipv4():
    ip = "eth / ipv4"
    try_rows([
        (ip, [PLAIN, LATER, V4_GRE], [PLAIN6, TAGGED]),
        (f"{ip} src=10.0.0.1", [PLAIN], [changed(PLAIN, IP, src="10.0.1.1")]),
        (f"{ip} dst=10.0.0.2", [PLAIN], [changed(PLAIN, IP, dst="10.0.1.2")]),
        (f"{ip} dst=10.0.0.0/255.255.255.0", [PLAIN],
         [changed(PLAIN, IP, dst="10.0.1.2")]),
        (f"{ip} tos=0x48/0xfc", [PLAIN, changed(PLAIN, IP, tos=0x4b)],
         [changed(PLAIN, IP, tos=0x44)]),
        (f"{ip} ttl=17", [PLAIN], [changed(PLAIN, IP, ttl=18)]),
        (f"{ip} proto=6", [PLAIN], [ETH / IP4 / L4_UDP]),
        (f"{ip} frag=0/0x3fff", [PLAIN], [FIRST, LATER]),
        (f"{ip} frag=0x2000/0x3fff", [FIRST], [PLAIN, LATER]),
        (f"{ip} frag=1..0x1fff/0x1fff", [LATER], [PLAIN, FIRST]),
        (f"{ip} frag=1..0x3fff/0x3fff", [FIRST, LATER], [PLAIN]),
        (f"{ip} / udp dst=53", [FIRST, ETH / IP4 / L4_UDP], [LATER, PLAIN]),
    ])


def ipv6():
    ip = "eth / ipv6"
    try_rows([
        (ip, [PLAIN6, LATER6, HOPOPTS], [PLAIN]),
        (f"{ip} src=2001:db8::1", [PLAIN6],
         [changed(PLAIN6, IPv6, src="2001:db8::3")]),
        (f"{ip} dst=2001:db8::2", [PLAIN6],
         [changed(PLAIN6, IPv6, dst="2001:db8:1::2")]),
        (f"{ip} dst=2001:db8::/ffff:ffff:ffff::", [PLAIN6],
         [changed(PLAIN6, IPv6, dst="2001:db8:1::2")]),
        (f"{ip} tc=0x48/0xfc", [PLAIN6, changed(PLAIN6, IPv6, tc=0x4a)],
         [changed(PLAIN6, IPv6, tc=0x88)]),
        (f"{ip} label=0x12345", [PLAIN6], [changed(PLAIN6, IPv6, fl=1)]),
        (f"{ip} hlim=17", [PLAIN6], [changed(PLAIN6, IPv6, hlim=1)]),
        (f"{ip} proto=6", [PLAIN6], [ETH / IP6 / L4_UDP, HOPOPTS]),
        (f"{ip} has_frag_ext=0", [PLAIN6], [FRAGMENT6, LATER6]),
        (f"{ip} has_frag_ext=1", [FRAGMENT6, LATER6], [PLAIN6]),
        (f"{ip} / ipv6_frag_ext frag=1/0xfff9", [FRAGMENT6], [LATER6, PLAIN6]),
        (f"{ip} / ipv6_frag_ext frag=8..0xfff8/0xfff8", [LATER6],
         [FRAGMENT6, PLAIN6]),
        (f"{ip} / ipv6_frag_ext frag=1..0xfff9/0xfff9", [LATER6, FRAGMENT6],
         [PLAIN6]),
        (f"{ip} / ipv6_frag_ext id=9", [LATER6],
         [changed(LATER6, IPv6ExtHdrFragment, id=8)]),
        (f"{ip} / ipv6_frag_ext proto=17 / udp dst=53", [FRAGMENT6],
         [LATER6, ETH / IP6 / L4_UDP]),
        # Other extension headers are stepped over.
        (f"{ip} / tcp dst=80", [PLAIN6, HOPOPTS], [FRAGMENT6]),
    ])


def transport():
    udp = ETH / IP4 / L4_UDP / DATA
    sctp = ETH / IP4 / SCTP(sport=1, dport=2, tag=3) / DATA
    icmp = ETH / IP4 / ICMP(type=8, code=0, id=1, seq=2)
    icmp6 = ETH / IP6 / ICMPv6EchoRequest(id=1)
    tcp = "eth / ipv4 / tcp"
    try_rows([
        (tcp, [PLAIN], [udp, PLAIN6]),
        (f"{tcp} src=1000", [PLAIN], [changed(PLAIN, TCP, sport=1001)]),
        (f"{tcp} dst=80", [PLAIN], [changed(PLAIN, TCP, dport=81)]),
        (f"{tcp} dst=0x50/0xfff0", [PLAIN, changed(PLAIN, TCP, dport=81)],
         [changed(PLAIN, TCP, dport=96)]),
        (f"{tcp} flags=0x12", [PLAIN], [changed(PLAIN, TCP, flags="S")]),
        (f"{tcp} flags=0x2/0x2", [PLAIN, changed(PLAIN, TCP, flags="S")],
         [changed(PLAIN, TCP, flags="A")]),
        (f"{tcp} flags=0x100/0x100", [changed(PLAIN, TCP, flags="SN")],
         [PLAIN]),
        ("eth / ipv6 / tcp dst=80", [PLAIN6], [PLAIN]),
        ("eth / ipv4 / udp src=1000", [udp], [changed(udp, UDP, sport=1)]),
        ("eth / ipv4 / udp dst=53", [udp], [changed(udp, UDP, dport=1)]),
        ("eth / ipv4 / sctp src=1 dst=2", [sctp],
         [changed(sctp, SCTP, dport=3), changed(sctp, SCTP, sport=3)]),
        ("eth / ipv4 / icmp type=8", [icmp], [changed(icmp, ICMP, type=0)]),
        ("eth / ipv4 / icmp code=0", [icmp], [changed(icmp, ICMP, code=1)]),
        ("eth / ipv4 / icmp id=1", [icmp], [changed(icmp, ICMP, id=2)]),
        ("eth / ipv6 / icmp6 type=128", [icmp6],
         [ETH / IP6 / ICMPv6ND_NS(), PLAIN6]),
        # The header must be there, all of it.
        (tcp, [], [ETH / IP(bytes(IP4 / L4_TCP)[:30])]),
        # What lies behind the IP packet is padding.
        ("eth / ipv4 / udp", [],
         [ETH / IP(src="10.0.0.1", dst="10.0.0.2", proto=17, len=24)
          / Raw(bytes(L4_UDP / DATA))]),
    ])


def others():
    arp = ETH / ARP(op=1, hwsrc="02:00:00:00:00:01", psrc="10.0.0.1",
                    hwdst="02:00:00:00:00:09", pdst="10.0.0.2")
    try_rows([
        ("eth / arp", [arp], [PLAIN]),
        ("eth / arp op=1", [arp], [changed(arp, ARP, op=2)]),
        ("eth / arp spa=10.0.0.1", [arp], [changed(arp, ARP, psrc="1.1.1.1")]),
        ("eth / arp tpa=10.0.0.2", [arp], [changed(arp, ARP, pdst="1.1.1.1")]),
        ("eth / arp sha=02:00:00:00:00:01", [arp],
         [changed(arp, ARP, hwsrc="02:00:00:00:00:05")]),
        ("eth / arp tha=02:00:00:00:00:09", [arp],
         [changed(arp, ARP, hwdst="02:00:00:00:00:05")]),
        ("eth / mpls label=1000", [MPLS_2],
         [changed(MPLS_2, MPLS, label=1), PLAIN]),
        ("eth / mpls tc=5 ttl=9", [MPLS_2], [changed(MPLS_2, MPLS, ttl=8),
                                             changed(MPLS_2, MPLS, cos=4)]),
        ("eth / mpls bos=0 / mpls label=2000 bos=1", [MPLS_2],
         [changed(MPLS_2, MPLS, 2, label=1)]),
    ])


def tunnels():
    vxlan = "eth / ipv4 / udp dst=4789 / vxlan"
    geneve = "eth / ipv4 / udp / geneve"
    inner = "eth dst=02:00:00:00:00:12 / ipv4 dst=192.168.0.2 / tcp dst=80"
    gre = "eth / ipv4 / gre"
    other = changed(V4_VXLAN, Ether, 2, dst="02:00:00:00:00:13")
    try_rows([
        (f"{vxlan} vni=77", [V4_VXLAN],
         [changed(V4_VXLAN, VXLAN, vni=78), PLAIN, V4_GENEVE]),
        (f"{vxlan} vni=77 / {inner}", [V4_VXLAN], [other]),
        (f"{vxlan} / eth / ipv4 / tcp dst=80", [V4_VXLAN],
         [changed(V4_VXLAN, TCP, dport=81)]),
        (f"eth / ipv6 / udp / vxlan vni=77 / {inner}", [V6_VXLAN],
         [V4_VXLAN, changed(V6_VXLAN, IP, dst="192.168.0.3")]),
        # Not what is inside of a tunnel.
        ("tcp", [PLAIN], [V4_VXLAN]),
        (f"{geneve} vni=5", [V4_GENEVE], [changed(V4_GENEVE, GENEVE, vni=6)]),
        (f"{geneve} proto=0x6558 / {inner}", [V4_GENEVE], [V4_VXLAN]),
        (f"{geneve} / geneve_opt class=0x102 type=0x80 data=0x61626364",
         [V4_GENEVE], [V4_VXLAN, ETH / IP4 / UDP(dport=6081)
                       / with_options((0x102, 0x80, b"abce")) / INNER]),
        # The second option, part of its data.
        (f"{geneve} / geneve_opt class=0x103 type=1 len=2 "
         "data=0x6566676800000000/0xffffffff00000000", [V4_GENEVE],
         [ETH / IP4 / UDP(dport=6081) / with_options((0x103, 1, b"efgh"))
          / INNER]),
        (f"{geneve} / geneve_opt class=0x102 type=0x80 data=0x61626364 / "
         f"geneve_opt class=0x103 type=1 data=0x65666768 / {inner}",
         [V4_GENEVE], [ETH / IP4 / UDP(dport=6081)
                       / with_options((0x102, 0x80, b"abcd")) / INNER]),
        (f"{gre} proto=0x6558 / {inner}", [V4_GRE], [GRE_IP]),
        (f"{gre} / gre_key key=0x1234", [V4_GRE],
         [changed(V4_GRE, GRE, key=0x1235), GRE_IP]),
        (f"{gre} / ipv4 dst=192.168.0.2 / tcp dst=80", [GRE_IP], [V4_GRE]),
    ])


def tunnel_ports():
    """Which UDP ports are those of tunnels can be changed."""
    packet = ETH / IP4 / UDP(dport=8472) / VXLAN(vni=77) / INNER
    with Eswitch() as e:
        e.add("port=1 eth / ipv4 / udp / vxlan vni=77 => output=2")
        e.expect(1, V4_VXLAN, ("end 2", V4_VXLAN))
        e.misses(1, packet)
        e.say("tunnel vxlan 8472 add")
        e.expect(1, packet, ("end 2", packet))
        e.say("tunnel vxlan 8472 del")
        e.say("tunnel vxlan 4789 del")
        e.misses(1, packet)
        e.misses(1, V4_VXLAN)
        check(e.say("tunnel vxlan 4789 del")[0].startswith("error ENOENT"),
              "port taken away twice")
        check(e.say("tunnel vxlan 6081 add")[0].startswith("error EEXIST"),
              "port of two tunnels")


def marks():
    with Eswitch() as e:
        e.add("port=1 eth / ipv4 => mark=7 / jump=1")
        e.add("port=1 eth / ipv6 => jump=1")
        e.add("port=1 group=1 mark=7 => output=2")
        e.add("port=1 group=1 prio=1 mark=8 => output=3")
        e.expect(1, PLAIN, ("end 2", PLAIN))
        e.misses(1, PLAIN6)


def ports():
    """A rule matches what enters at its own port, unless it says another
    port, or any."""
    with Eswitch() as e:
        e.add("port=1 eth / ipv4 => output=2")
        e.expect(1, PLAIN, ("end 2", PLAIN))
        for port in 0, 2, 3:
            e.misses(port, PLAIN)
        # The same in a group that another port's packets reach.
        e.add("port=2 => jump=5")
        e.add("port=1 group=5 eth => output=3")
        e.misses(2, PLAIN)
        e.add("port=1 group=5 port=2 / eth / ipv4 => output=1")
        e.expect(2, PLAIN, ("end 1", PLAIN))
        e.add("port=1 prio=1 port=0/0 / eth / ipv6 => output=1")
        for port in 0, 1, 3:
            e.expect(port, PLAIN6, ("end 1", PLAIN6))


run({"ethernet": [ethernet], "vlan": [vlan], "ipv4": [ipv4], "ipv6": [ipv6],
     "transport": [transport], "others": [others],
     "tunnels": [tunnels, tunnel_ports], "metadata": [marks, ports]})
