# SPDX-License-Identifier: Apache-2.0
"""Packets that the tests have in common."""

from scapy.all import (
    Dot1AD, Dot1Q, Ether, GRE, IP, IPv6, IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop, Raw, TCP, UDP)
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.layers.vxlan import VXLAN

ETH = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
IP4 = IP(src="10.0.0.1", dst="10.0.0.2", tos=0x48, ttl=17, id=7)
IP6 = IPv6(src="2001:db8::1", dst="2001:db8::2", tc=0x48, hlim=17, fl=0x12345)
L4_TCP = TCP(sport=1000, dport=80, seq=1, ack=2, flags="SA", window=99)
L4_UDP = UDP(sport=1000, dport=53)
DATA = Raw(b"0123456789")
INNER = (Ether(src="02:00:00:00:00:11", dst="02:00:00:00:00:12")
         / IP(src="192.168.0.1", dst="192.168.0.2") / L4_TCP / DATA)


def with_options(*options):
    return GENEVE(vni=5, proto=0x6558, critical=1, options=[
        GeneveOptions(classid=c, type=t, data=d) for c, t, d in options])


PLAIN = ETH / IP4 / L4_TCP / DATA
TAGGED = ETH / Dot1Q(vlan=5, prio=3) / IP4 / L4_TCP / DATA
QINQ = ETH / Dot1AD(vlan=100, prio=1) / Dot1Q(vlan=5) / IP4 / L4_TCP / DATA
PLAIN6 = ETH / IP6 / L4_TCP / DATA
FRAGMENT6 = (ETH / IP6 / IPv6ExtHdrFragment(offset=0, m=1, id=9, nh=17)
             / L4_UDP / DATA)
LATER6 = ETH / IP6 / IPv6ExtHdrFragment(offset=5, m=1, id=9, nh=17) / DATA
FIRST = ETH / IP(src="10.0.0.1", dst="10.0.0.2", flags="MF") / L4_UDP / DATA
LATER = (ETH / IP(src="10.0.0.1", dst="10.0.0.2", frag=5, proto=17) / DATA)
HOPOPTS = ETH / IP6 / IPv6ExtHdrHopByHop() / L4_TCP / DATA
V4_VXLAN = (ETH / IP4 / UDP(sport=5000, dport=4789, chksum=0)
            / VXLAN(vni=77, flags=8) / INNER)
V6_VXLAN = ETH / IP6 / UDP(sport=5000, dport=4789) / VXLAN(vni=77) / INNER
V4_GENEVE = (ETH / IP4 / UDP(sport=5000, dport=6081)
             / with_options((0x102, 0x80, b"abcd"), (0x103, 1, b"efghijkl"))
             / INNER)
V4_GRE = ETH / IP4 / GRE(key_present=1, key=0x1234, proto=0x6558) / INNER
GRE_IP = ETH / IP4 / GRE(proto=0x0800) / INNER.payload


def changed(packet, layer, nth=1, **fields):
    """A copy of the bytes, with fields of the nth such layer changed and
    nothing else, checksums neither."""
    copy = Ether(bytes(packet))
    for name, value in fields.items():
        setattr(copy.getlayer(layer, nth), name, value)
    return Ether(bytes(copy))


COMPUTED = {
    "IP": ("chksum", "len"), "IPv6": ("plen",), "TCP": ("chksum",),
    "UDP": ("chksum", "len"), "GRE": ("chksum",), "ICMP": ("chksum",),
    "ICMPv6EchoRequest": ("cksum",),
}


def computed(packet):
    """A copy whose lengths and checksums scapy has computed anew; a UDP
    checksum of 0 stays."""
    copy = Ether(bytes(packet))
    layer = copy
    while layer:
        for field in COMPUTED.get(type(layer).__name__, ()):
            if not (isinstance(layer, UDP) and field == "chksum"
                    and layer.chksum == 0):
                layer.delfieldval(field)
        layer = layer.payload
    return Ether(bytes(copy))


def rewritten(packet, layer, nth=1, **fields):
    """changed(), and then computed()."""
    return computed(changed(packet, layer, nth, **fields))
