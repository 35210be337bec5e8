# SPDX-License-Identifier: Apache-2.0
"""What testpmd's rules do to frames: a case for each item and action.

A case is created on VF 0, gets frames there, and says where they come out, and
as what; all others must miss, and go up to software."""

from dataclasses import dataclass, field

from scapy.all import (ARP, Dot1AD, Dot1Q, Ether, GRE, ICMP, ICMPv6EchoRequest,
                       IP, IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, SCTP,
                       TCP, UDP)
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.contrib.mpls import MPLS
from scapy.layers.vxlan import VXLAN

A, B, C = (f"02:00:00:00:00:0{i}" for i in (1, 2, 3))
OUT = "port_id id 2"


@dataclass
class Case:
    title: str
    pattern: str
    actions: str
    hits: list                      # (frame, {end: frame that comes out})
    misses: list = field(default_factory=list)
    setup: tuple = ()               # testpmd's commands
    more: tuple = ()                # More rules, whole.
    count_last: bool = False        # Not first.


def eth(**kwargs):
    return Ether(**({"dst": B, "src": A} | kwargs))


def ip4(**kwargs):
    return eth() / IP(**({"src": "10.0.0.1", "dst": "10.0.0.2"} | kwargs))


def ip6(**kwargs):
    return eth() / IPv6(**({"src": "fd00::1", "dst": "fd00::2"} | kwargs))


def tcp4(**kwargs):
    return ip4() / TCP(**({"sport": 1000, "dport": 80} | kwargs)) / b"payload"


def udp4(**kwargs):
    return ip4() / UDP(**({"sport": 1000, "dport": 53} | kwargs)) / b"payload"


def udp6(**kwargs):
    return ip6() / UDP(**({"sport": 1000, "dport": 53} | kwargs)) / b"payload"


def fragment(offset, more):
    return ip4(frag=offset, flags="MF" if more else 0, proto=17) / (b"x" * 32)


def vxlan(vni, inner, **outer):
    return (ip4(**outer) / UDP(sport=5555, dport=4789, chksum=0)
            / VXLAN(vni=vni, flags=8) / inner)


def geneve(vni, inner, options=()):
    return (ip4() / UDP(sport=5555, dport=6081, chksum=0)
            / GENEVE(vni=vni, proto=0x6558, options=list(options)) / inner)


def gre(inner, **kwargs):
    return ip4() / GRE(proto=0x6558, **kwargs) / inner


def through(*frames):
    """Come out at VF 1 as they are."""
    return [(frame, {"vf1": frame}) for frame in frames]


def become(frame, other):
    """Comes out at VF 1 as another one."""
    return [(frame, {"vf1": other})]


def dropped(*frames):
    return [(frame, {}) for frame in frames]


INNER = (Ether(dst=C, src=A) / IP(src="192.0.2.1", dst="192.0.2.2") / UDP()
         / b"inner")

MATCHES = [
    Case("any frame", "eth", OUT, through(eth(type=0x1234) / b"abc", tcp4())),
    Case("destination MAC", f"eth dst is {B}", OUT, through(udp4()),
         [eth(dst=C) / IP() / UDP()]),
    Case("source MAC, masked", f"eth src spec {A} src mask ff:ff:00:00:00:00",
         OUT, through(eth(src="02:00:99:99:99:99") / IP()),
         [eth(src="06:00:00:00:00:01") / IP()]),
    Case("ethertype", "eth type is 0x0806", OUT, through(eth() / ARP()),
         [udp4()]),
    Case("untagged", "eth has_vlan is 0", OUT, through(udp4()),
         [eth() / Dot1Q(vlan=5) / IP()]),
    Case("tag", "eth / vlan vid is 5", OUT,
         through(eth() / Dot1Q(vlan=5, prio=3) / IP()),
         [eth() / Dot1Q(vlan=6) / IP(), udp4()]),
    Case("tag's priority", "eth / vlan pcp is 3", OUT,
         through(eth() / Dot1Q(vlan=5, prio=3) / IP()),
         [eth() / Dot1Q(vlan=5) / IP()]),
    Case("two tags", "eth / vlan vid is 5 / vlan vid is 7 / ipv4", OUT,
         through(eth() / Dot1AD(vlan=5) / Dot1Q(vlan=7) / IP() / UDP()),
         [eth() / Dot1AD(vlan=7) / Dot1Q(vlan=5) / IP(),
          eth() / Dot1Q(vlan=5) / IP()]),
    Case("MPLS label", "eth / mpls label is 77", OUT,
         through(eth() / MPLS(label=77, s=1) / IP()),
         [eth() / MPLS(label=78, s=1) / IP()]),
    Case("ARP", "eth / arp_eth_ipv4 tpa is 10.0.0.2", OUT,
         through(eth() / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2")),
         [eth() / ARP(op=1, psrc="10.0.0.2", pdst="10.0.0.1")]),
    Case("IPv4 addresses",
         "eth / ipv4 src is 10.0.0.1 dst spec 10.0.0.0 dst prefix 24", OUT,
         through(udp4()), [ip4(dst="10.0.1.2"), ip4(src="10.0.0.9"), udp6()]),
    Case("IPv4 ToS, TTL and protocol",
         "eth / ipv4 tos is 0x20 ttl is 9 proto is 47", OUT,
         through(ip4(tos=0x20, ttl=9, proto=47) / b"\0\0\x65\x58"),
         [ip4(tos=0x20, ttl=8, proto=47), ip4(tos=0, ttl=9, proto=47)]),
    Case("no fragment",
         "eth / ipv4 fragment_offset spec 0 fragment_offset mask 0x3fff", OUT,
         through(udp4()), [fragment(0, True), fragment(8, False)]),
    Case("first fragment", "eth / ipv4 fragment_offset spec 0x2000 "
         "fragment_offset mask 0x3fff", OUT, through(fragment(0, True)),
         [fragment(8, True), udp4()]),
    Case("later fragments", "eth / ipv4 fragment_offset spec 1 "
         "fragment_offset last 0x1fff fragment_offset mask 0x1fff", OUT,
         through(fragment(8, True), fragment(8, False)),
         [fragment(0, True), udp4()]),
    Case("IPv6 addresses", "eth / ipv6 src is fd00::1 dst is fd00::2", OUT,
         through(udp6()), [ip6(dst="fd00::3"), udp4()]),
    Case("IPv6 protocol, class, hop limit",
         "eth / ipv6 proto is 58 hop is 7 tc is 0x40", OUT,
         through(ip6(hlim=7, tc=0x40) / ICMPv6EchoRequest()),
         [ip6(hlim=8, tc=0x40) / ICMPv6EchoRequest()]),
    Case("no IPv6 fragment", "eth / ipv6 has_frag_ext is 0", OUT,
         through(udp6()), [ip6() / IPv6ExtHdrFragment(m=1) / b"12345678"]),
    Case("IPv6 fragment", "eth / ipv6 has_frag_ext is 1", OUT,
         through(ip6() / IPv6ExtHdrFragment(m=1) / b"12345678"), [udp6()]),
    Case("later IPv6 fragments", "eth / ipv6 / ipv6_frag_ext frag_data spec 8 "
         "frag_data last 0xfff8 frag_data mask 0xfff8", OUT,
         through(ip6() / IPv6ExtHdrFragment(offset=1, nh=17) / b"12345678"),
         [ip6() / IPv6ExtHdrFragment(m=1, nh=17) / b"12345678", udp6()]),
    Case("ports behind an extension header", "eth / ipv6 / udp dst is 53", OUT,
         through(ip6() / IPv6ExtHdrHopByHop() / UDP(sport=1, dport=53)),
         [ip6() / IPv6ExtHdrHopByHop() / UDP(sport=1, dport=54)]),
    Case("TCP ports", "eth / ipv4 / tcp src is 1000 dst is 80", OUT,
         through(tcp4()), [tcp4(dport=81), udp4(), udp6()]),
    Case("TCP ports, masked",
         "eth / ipv4 / tcp dst spec 80 dst mask 0xfff0", OUT,
         through(tcp4(dport=95)), [tcp4(dport=96)]),
    Case("TCP flags", "eth / ipv4 / tcp flags spec 0x02 flags mask 0x12", OUT,
         through(tcp4(flags="S")), [tcp4(flags="SA"), tcp4(flags="A")]),
    Case("UDP ports", "eth / ipv6 / udp dst is 53", OUT, through(udp6()),
         [udp6(dport=54), udp4()]),
    Case("any UDP", "udp dst is 53", OUT, through(udp6(), udp4()), [tcp4()]),
    Case("SCTP ports", "eth / ipv4 / sctp dst is 9", OUT,
         through(ip4() / SCTP(sport=8, dport=9)),
         [ip4() / SCTP(sport=9, dport=8)]),
    Case("ICMP", "eth / ipv4 / icmp type is 8 code is 0", OUT,
         through(ip4() / ICMP(type=8)), [ip4() / ICMP(type=0)]),
    Case("ICMPv6", "eth / ipv6 / icmp6 type is 128", OUT,
         through(ip6() / ICMPv6EchoRequest()), [udp6()]),
    Case("VXLAN", "eth / ipv4 / udp / vxlan vni is 42", OUT,
         through(vxlan(42, INNER)), [vxlan(43, INNER), udp4()]),
    Case("inside of VXLAN", "eth / ipv4 src is 10.0.0.1 / udp / vxlan vni is "
         f"42 / eth dst is {C} / ipv4 dst is 192.0.2.2", OUT,
         through(vxlan(42, INNER)),
         [vxlan(42, udp4()), vxlan(42, INNER, src="10.0.0.3")]),
    Case("GENEVE", "eth / ipv4 / udp / geneve vni is 42", OUT,
         through(geneve(42, INNER)), [geneve(43, INNER)]),
    Case("GENEVE's option", "eth / ipv4 / udp / geneve vni is 42 / geneve-opt "
         "class is 0x0102 type is 3 length is 1 data is 0xdeadbeef", OUT,
         through(geneve(42, INNER, [GeneveOptions(
             classid=0x102, type=3, data=b"\xde\xad\xbe\xef")])),
         [geneve(42, INNER),
          geneve(42, INNER, [GeneveOptions(classid=0x102, type=3,
                                           data=b"\xde\xad\xbe\xee")])]),
    Case("GRE", "eth / ipv4 / gre protocol is 0x6558", OUT,
         through(gre(INNER)), [udp4()]),
    Case("GRE's key", "eth / ipv4 / gre k_bit is 1 / gre_key value is 7", OUT,
         through(gre(INNER, key_present=1, key=7)),
         [gre(INNER, key_present=1, key=8), gre(INNER)]),
    Case("the port where it entered", "port_id id is 1 / eth", OUT,
         through(udp4())),
    Case("the represented port", "represented_port ethdev_port_id is 1 / eth",
         OUT, through(udp4())),
    Case("another port", "represented_port ethdev_port_id is 2 / eth", OUT,
         [], [udp4()]),
]


def modify(field_name, value, width):
    return (f"modify_field op set dst_type {field_name} src_type value "
            f"src_value {value} width {width} / {OUT}")


ACTIONS = [
    Case("out of the wire", "eth / ipv4", "port_id id 0",
         [(udp4(), {"wire": udp4()})]),
    Case("to a represented port", "eth / ipv4",
         "represented_port ethdev_port_id 2", through(udp4())),
    Case("drop", "eth / ipv4", "drop", dropped(udp4(), tcp4()), [udp6()]),
    Case("counted behind the fate", "eth / ipv4", "dec_ttl / port_id id 2",
         become(udp4(), ip4(ttl=63) / udp4()[UDP]), [udp6()],
         count_last=True),
    Case("of a port that isn't looked at", "port_id id spec 9 id mask 0 / eth "
         "/ ipv4", "drop", dropped(udp4()), [udp6()]),
    Case("to software", "eth / ipv4", "port_representor port_id 1",
         dropped(udp4(), tcp4())),
    Case("jump", "eth / ipv4", "jump group 3", through(udp4()), [tcp4()],
         more=(f"transfer group 3 pattern eth / ipv4 / udp / end actions {OUT}"
               " / end",)),
    Case("jump, rewritten", "eth / ipv4", "dec_ttl / jump group 3",
         become(udp4(), ip4(ttl=63) / udp4()[UDP]), [tcp4()],
         more=("transfer group 3 pattern eth / ipv4 ttl is 63 / udp / end "
               f"actions {OUT} / end",)),
    Case("tag taken off", "eth / vlan", f"of_pop_vlan / {OUT}",
         become(eth() / Dot1Q(vlan=5) / udp4()[IP], udp4())
         + become(eth() / Dot1Q(vlan=5) / Dot1Q(vlan=6) / udp4()[IP],
                  eth() / Dot1Q(vlan=6) / udp4()[IP])),
    Case("tag put on", "eth", "of_push_vlan ethertype 0x8100 / "
         f"of_set_vlan_vid vlan_vid 9 / of_set_vlan_pcp vlan_pcp 2 / {OUT}",
         become(udp4(), eth() / Dot1Q(vlan=9, prio=2) / udp4()[IP])),
    Case("service tag put on", "eth", "of_push_vlan ethertype 0x88a8 / "
         f"of_set_vlan_vid vlan_vid 9 / {OUT}",
         become(eth() / Dot1Q(vlan=4) / udp4()[IP],
                eth() / Dot1AD(vlan=9) / Dot1Q(vlan=4) / udp4()[IP])),
    Case("tag rewritten", "eth / vlan", f"of_set_vlan_vid vlan_vid 9 / {OUT}",
         become(eth() / Dot1Q(vlan=5, prio=3) / udp4()[IP],
                eth() / Dot1Q(vlan=9, prio=3) / udp4()[IP])),
    Case("MAC addresses", "eth", f"set_mac_src mac_addr {C} / "
         f"set_mac_dst mac_addr {A} / {OUT}",
         become(udp4(), eth(dst=A, src=C) / udp4()[IP])),
    Case("IPv4 addresses, TCP's checksum", "eth / ipv4 / tcp",
         "set_ipv4_src ipv4_addr 192.0.2.7 / "
         f"set_ipv4_dst ipv4_addr 192.0.2.8 / {OUT}",
         become(tcp4(), ip4(src="192.0.2.7", dst="192.0.2.8") / tcp4()[TCP])),
    Case("IPv4 address, UDP without checksum", "eth / ipv4 / udp",
         f"set_ipv4_dst ipv4_addr 192.0.2.8 / {OUT}",
         become(udp4(chksum=0), ip4(dst="192.0.2.8")
                / UDP(sport=1000, dport=53, chksum=0) / b"payload")),
    Case("IPv6 addresses", "eth / ipv6", "set_ipv6_src ipv6_addr fd00::7 / "
         f"set_ipv6_dst ipv6_addr fd00::8 / {OUT}",
         become(udp6(), ip6(src="fd00::7", dst="fd00::8") / udp6()[UDP])),
    Case("ports", "eth / ipv4 / tcp",
         f"set_tp_src port 7 / set_tp_dst port 8 / {OUT}",
         become(tcp4(), tcp4(sport=7, dport=8))),
    Case("UDP ports, IPv6", "eth / ipv6 / udp",
         f"set_tp_src port 7 / set_tp_dst port 8 / {OUT}",
         become(udp6(), udp6(sport=7, dport=8))),
    Case("TTL", "eth / ipv4", f"set_ttl ttl_value 9 / {OUT}",
         become(udp4(), ip4(ttl=9) / udp4()[UDP])),
    Case("hop limit", "eth / ipv6", f"set_ttl ttl_value 9 / {OUT}",
         become(udp6(), ip6(hlim=9) / udp6()[UDP])),
    Case("TTL one less", "eth / ipv4", f"dec_ttl / {OUT}",
         become(udp4(), ip4(ttl=63) / udp4()[UDP]), [ip4(ttl=1) / UDP()]),
    Case("DSCP", "eth / ipv4", f"set_ipv4_dscp dscp_value 0x2e / {OUT}",
         become(ip4(tos=1) / UDP(), ip4(tos=0xb9) / UDP())),
    Case("TCP's sequence number", "eth / ipv4 / tcp",
         f"inc_tcp_seq value 5 / dec_tcp_ack value 1 / {OUT}",
         become(tcp4(seq=0xfffffffe, ack=0), tcp4(seq=3, ack=0xffffffff))),
    Case("a field's value", "eth / ipv4", modify("ipv4_dst", "c0000209", 32),
         become(udp4(), ip4(dst="192.0.2.9") / udp4()[UDP])),
    Case("TCP's flags, in one byte", "eth / ipv4 / tcp",
         modify("tcp_flags", "11", 8),
         become(tcp4(flags="S"), tcp4(flags="FA"))),
    Case("a field's copy", "eth / ipv4 / udp", "modify_field op set dst_type "
         f"udp_port_dst src_type udp_port_src width 16 / {OUT}",
         become(udp4(), udp4(dport=1000))),
    Case("a mirrored copy", "eth / ipv4",
         f"sample ratio 1 index 1 / set_mac_dst mac_addr {C} / {OUT}",
         [(udp4(), {"wire": udp4(), "vf1": eth(dst=C) / udp4()[IP]})],
         setup=("set sample_actions 1 port_id id 0 / end",)),
    Case("VXLAN put on", "eth",
         "vxlan_encap / port_id id 0",
         [(udp4(), {"wire": lambda p: (
             raw_inner(p, VXLAN) == bytes(udp4()) and p[VXLAN].vni == 4
             and p[IP].src == "127.0.0.1" and p[IP].dst == "255.255.255.255"
             and p[UDP].dport == 4789 and p[UDP].sport >= 49152
             and p[IP].len == 20 + 8 + 8 + len(udp4())
             and p[Ether].dst == B and ip_checksum_is_right(p))})],
         setup=("set vxlan ip-version ipv4 vni 4 udp-src 0 udp-dst 4789 "
                "ip-src 127.0.0.1 ip-dst 255.255.255.255 "
                f"eth-src {A} eth-dst {B}",)),
    Case("VXLAN taken off", "eth / ipv4 / udp / vxlan",
         f"vxlan_decap / {OUT}",
         become(vxlan(42, INNER), INNER), [udp4()]),
    Case("headers put on and taken off", "eth / ipv4 / udp",
         f"raw_decap index 1 / raw_encap index 1 / {OUT}",
         become(udp4(), eth(dst=C, src=B) / udp4()[IP]),
         setup=("set raw_decap 1 eth / end_set",
                f"set raw_encap 1 eth src is {B} dst is {C} type is 0x0800 / "
                "end_set")),
]


def raw_inner(packet, layer):
    return bytes(packet[layer].payload)


def ip_checksum_is_right(packet):
    again = packet[IP].copy()
    del again.chksum
    return IP(bytes(again)).chksum == packet[IP].chksum
