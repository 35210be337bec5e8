# SPDX-License-Identifier: Apache-2.0
"""The packets that the system tests send.

Usage: library.py > packets.hex

Writes one line a packet, "NAME HEX", for programs in the test kernel, where
scapy is too slow.  This is the only program here that needs scapy.

To add a packet, add a line to PACKETS.  Names begin with what the packet is;
cases.py chooses by name.  All of a packet is in here, so that two runs can be
compared byte for byte: no times, no random fields.
"""

import sys

from scapy.config import conf
conf.use_pcap = False
from scapy.contrib.geneve import GENEVE
from scapy.contrib.igmp import IGMP
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import (ICMP, IP, TCP, UDP, IPOption_Router_Alert,
                               fragment)
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                                IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting,
                                RouterAlert, fragment6)
from scapy.layers.l2 import ARP, GRE, LLC, SNAP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

A, B = '02:00:00:00:00:0a', '02:00:00:00:00:0b'
C, D = '02:00:00:00:00:0c', '06:11:22:33:44:55'


def text(n, seed=0):
    """A payload of 'n' bytes without two equal 16-bit words in a row."""
    return bytes((seed + 7 * i + (i >> 8)) & 0xff for i in range(n))


def eth(payload, **kwargs):
    return Ether(**{'src': A, 'dst': B, **kwargs}) / payload


def ip4(payload, **kwargs):
    return IP(**{'src': '10.1.0.1', 'dst': '10.1.0.2', 'id': 1,
                 **kwargs}) / payload


def ip6(payload, **kwargs):
    return IPv6(**{'src': 'fd00::1', 'dst': 'fd00::2', **kwargs}) / payload


def udp(n=40, seed=1, **kwargs):
    return UDP(**{'sport': 1000, 'dport': 2000, **kwargs}) / text(n, seed)


def tcp(n=40, seed=2, **kwargs):
    return TCP(**{'sport': 1000, 'dport': 80, 'flags': 'A', 'seq': 1,
                  'ack': 1, **kwargs}) / text(n, seed)


def sctp(**kwargs):
    return SCTP(**{'sport': 1000, 'dport': 2000, 'tag': 7, **kwargs}) / \
        SCTPChunkData(data=text(32, 3), beginning=1, ending=1)


def udplite(n=40):
    # A UDP header whose length field is the checksum coverage: all of it.
    header = bytes([3, 232, 7, 208, 0, 8 + n])
    pseudo = bytes([10, 1, 0, 1, 10, 1, 0, 2, 0, 136, 0, 8 + n])
    return Raw(header + inet_csum(pseudo + header + b'\0\0' + text(n)) +
               text(n))


def inet_csum(data):
    total = sum(int.from_bytes(data[i:i + 2].ljust(2, b'\0'), 'big')
                for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return (total ^ 0xffff).to_bytes(2, 'big')


def vlan(payload, vid=10, prio=0, tpid=0x8100, **kwargs):
    tag = Dot1AD if tpid == 0x88a8 else Dot1Q
    return Ether(**{'src': A, 'dst': B, 'type': tpid, **kwargs}) / \
        tag(vlan=vid, prio=prio) / payload


def mpls(payload, *labels, **kwargs):
    stack = None
    for i, label in enumerate(labels):
        lse = MPLS(label=label, cos=3, ttl=60, s=i == len(labels) - 1)
        stack = stack / lse if stack else lse
    return Ether(**{'src': A, 'dst': B, 'type': 0x8847, **kwargs}) / \
        stack / payload


def frags4(payload, **kwargs):
    return fragment(ip4(payload, id=99, **kwargs), fragsize=64)


def frags6(payload):
    packet = IPv6(src='fd00::1', dst='fd00::2') / \
        IPv6ExtHdrFragment(id=99) / payload
    return fragment6(packet, 1280)


def icmp_echo(**kwargs):
    return ICMP(**{'id': 5, 'seq': 1, **kwargs}) / text(40, 4)


def echo6():
    return ICMPv6EchoRequest(id=5, seq=1, data=text(40, 5))


def underlay4(payload, **kwargs):
    return Ether(src='02:00:00:00:02:05', dst='02:00:00:00:01:05') / \
        IP(**{'src': '172.31.1.2', 'dst': '172.31.1.1', 'id': 1,
              **kwargs}) / payload


def underlay6(payload):
    return Ether(src='02:00:00:00:02:05', dst='02:00:00:00:01:05') / \
        IPv6(src='fd31::2', dst='fd31::1') / payload


def vxlan(inner, vni=77, gbp=None, **kwargs):
    header = VXLAN(vni=vni, flags='Instance') if gbp is None else \
        VXLAN(vni=vni, flags=0x88, gpid=gbp)
    return UDP(**{'sport': 50000, 'dport': 4789, 'chksum': 0,
                  **kwargs}) / header / inner


def geneve(inner, vni=77, options=b''):
    # critical, type 0x6558: Ethernet.
    return UDP(sport=50000, dport=6081, chksum=0) / \
        GENEVE(vni=vni, proto=0x6558, optionlen=len(options) // 4,
               options=options) / inner


def gre(inner, key=77, **kwargs):
    return GRE(proto=0x6558, key_present=1, key=key, **kwargs) / inner


OPTION = bytes.fromhex('01028001' '12345678')
OPTION_OTHER = bytes.fromhex('01028001' '12345679')


def sized(n):
    """A UDP packet of 'n' bytes, Ethernet header included."""
    return eth(ip4(udp(n - 14 - 20 - 8)))


PACKETS = {
    # IPv4.
    'udp4': eth(ip4(udp())),
    'udp4-odd': eth(ip4(udp(41))),
    'udp4-nocsum': eth(ip4(udp(chksum=0))),
    'udp4-empty': eth(ip4(udp(0))),
    'udp4-tos': eth(ip4(udp(), tos=0xb9)),
    'udp4-tos-ecn': eth(ip4(udp(), tos=0x03)),
    'udp4-ttl1': eth(ip4(udp(), ttl=1)),
    'udp4-ttl9': eth(ip4(udp(), ttl=9)),
    'udp4-option': eth(ip4(udp(), options=[IPOption_Router_Alert()])),
    'udp4-sport': eth(ip4(udp(sport=1001))),
    'udp4-dport': eth(ip4(udp(dport=2001))),
    'udp4-src': eth(ip4(udp(), src='10.1.0.129')),
    'udp4-dst': eth(ip4(udp(), dst='10.1.1.2')),
    'udp4-mac-src': eth(ip4(udp()), src=C),
    'udp4-mac-dst': eth(ip4(udp()), dst=D),
    'udp4-back': eth(ip4(udp(sport=2000, dport=1000), src='10.1.0.2',
                         dst='10.1.0.1'), src=B, dst=A),
    'udp4-wraps': eth(ip4(udp(sport=0xffff, dport=0xffff),
                          src='255.255.255.254', dst='0.0.0.1')),
    'tcp4': eth(ip4(tcp())),
    'tcp4-odd': eth(ip4(tcp(41))),
    'tcp4-syn': eth(ip4(tcp(0, flags='S', options=[('MSS', 1460),
                                                   ('WScale', 7)]))),
    'tcp4-synack': eth(ip4(tcp(0, flags='SA', sport=80, dport=1000),
                           src='10.1.0.2', dst='10.1.0.1'), src=B, dst=A),
    'tcp4-fin': eth(ip4(tcp(0, flags='FA'))),
    'tcp4-rst': eth(ip4(tcp(0, flags='R'))),
    'tcp4-psh': eth(ip4(tcp(flags='PA'))),
    'tcp4-urg-ece': eth(ip4(tcp(flags='UEC', urgptr=3))),
    'tcp4-option': eth(ip4(tcp(), options=[IPOption_Router_Alert()])),
    'tcp4-dport': eth(ip4(tcp(dport=81))),
    'tcp4-sport': eth(ip4(tcp(sport=1001))),
    'icmp4': eth(ip4(icmp_echo())),
    'icmp4-odd': eth(ip4(ICMP(id=5, seq=2) / text(33))),
    'icmp4-reply': eth(ip4(icmp_echo(type=0))),
    'icmp4-unreach': eth(ip4(ICMP(type=3, code=1) / text(28))),
    'icmp4-port-unreach': eth(ip4(ICMP(type=3, code=3) / text(28))),
    'igmp': Ether(src=A, dst='01:00:5e:01:02:03') /
            IP(src='10.1.0.1', dst='224.1.2.3', id=1, ttl=1) /
            IGMP(type=0x16, gaddr='224.1.2.3'),
    'sctp4': eth(ip4(sctp())),
    'sctp4-dport': eth(ip4(sctp(dport=2001))),
    'sctp4-option': eth(ip4(sctp(), options=[IPOption_Router_Alert()])),
    'sctp4-sport': eth(ip4(sctp(sport=1001))),
    'udplite4': eth(ip4(udplite(), proto=136)),
    'ipip': eth(ip4(IP(src='172.16.0.1', dst='172.16.0.2', id=2) / udp(),
                    proto=4)),
    'sit': eth(ip4(ip6(udp()), proto=41)),
    'gre4': eth(ip4(GRE() / IP(src='172.16.0.1', dst='172.16.0.2', id=2) /
                    udp(), proto=47)),
    'proto253': eth(ip4(Raw(text(40)), proto=253)),

    # IPv4 fragments: the first one has a transport header.
    'udp4-first': eth(frags4(udp(160))[0]),
    'udp4-later': eth(frags4(udp(160))[1]),
    'udp4-last': eth(frags4(udp(160))[-1]),
    'tcp4-first': eth(frags4(tcp(160))[0]),
    'tcp4-later': eth(frags4(tcp(160))[1]),
    'icmp4-first': eth(frags4(ICMP(id=5, seq=3) / text(160))[0]),
    'icmp4-later': eth(frags4(ICMP(id=5, seq=3) / text(160))[1]),

    # IPv6.
    'udp6': eth(ip6(udp())),
    'udp6-odd': eth(ip6(udp(41))),
    'udp6-tc': eth(ip6(udp(), tc=0xb9)),
    'udp6-label': eth(ip6(udp(), fl=0x12345)),
    'udp6-tc-label': eth(ip6(udp(), tc=0x2f, fl=0xfedcb)),
    'udp6-hlim9': eth(ip6(udp(), hlim=9)),
    'udp6-dport': eth(ip6(udp(dport=2001))),
    'udp6-src': eth(ip6(udp(), src='fd00::8001')),
    'udp6-dst': eth(ip6(udp(), dst='fd00:1::2')),
    'udp6-hbh': eth(ip6(IPv6ExtHdrHopByHop(options=[RouterAlert()]) /
                        udp())),
    'sctp6-hbh': eth(ip6(IPv6ExtHdrHopByHop(options=[RouterAlert()]) /
                         sctp())),
    'udp6-dest': eth(ip6(IPv6ExtHdrDestOpt() / udp())),
    'udp6-route': eth(ip6(IPv6ExtHdrRouting(addresses=['fd00::7'],
                                            segleft=0) / udp())),
    'udp6-route-left': eth(ip6(IPv6ExtHdrRouting(addresses=['fd00::7'],
                                                 segleft=1) / udp())),
    'udp6-first': eth(frags6(udp(1600))[0]),
    'udp6-later': eth(frags6(udp(1600))[1]),
    'tcp6-first': eth(frags6(tcp(1600))[0]),
    'tcp6-later': eth(frags6(tcp(1600))[1]),
    'tcp6': eth(ip6(tcp())),
    'tcp6-syn': eth(ip6(tcp(0, flags='S'))),
    'tcp6-hbh': eth(ip6(IPv6ExtHdrHopByHop(options=[RouterAlert()]) /
                        tcp())),
    'sctp6': eth(ip6(sctp())),
    'icmp6': eth(ip6(echo6())),
    'icmp6-ns': Ether(src=A, dst='33:33:ff:00:00:02') /
                IPv6(src='fd00::1', dst='ff02::1:ff00:2', hlim=255) /
                ICMPv6ND_NS(tgt='fd00::2') / ICMPv6NDOptSrcLLAddr(lladdr=A),
    'icmp6-na': Ether(src=B, dst=A) /
                IPv6(src='fd00::2', dst='fd00::1', hlim=255) /
                ICMPv6ND_NA(tgt='fd00::2') / ICMPv6NDOptDstLLAddr(lladdr=B),
    'proto6-253': eth(ip6(Raw(text(40)), nh=253)),

    # Neither.
    'arp-request': Ether(src=A, dst='ff:ff:ff:ff:ff:ff') /
                   ARP(op=1, hwsrc=A, psrc='10.1.0.1', pdst='10.1.0.2'),
    'arp-reply': Ether(src=B, dst=A) /
                 ARP(op=2, hwsrc=B, psrc='10.1.0.2', hwdst=A,
                     pdst='10.1.0.1'),
    'arp-other': Ether(src=A, dst='ff:ff:ff:ff:ff:ff') /
                 ARP(op=1, hwsrc=C, psrc='10.1.0.9', pdst='10.1.0.8'),
    'rarp': Ether(src=A, dst='ff:ff:ff:ff:ff:ff', type=0x8035) /
            ARP(op=3, hwsrc=A, hwdst=A, psrc='0.0.0.0', pdst='0.0.0.0'),
    'ether-88b5': Ether(src=A, dst=B, type=0x88b5) / text(50),
    'ether-88b6': Ether(src=A, dst=B, type=0x88b6) / text(50, 1),
    'llc': Dot3(src=A, dst=B) / LLC(dsap=0x42, ssap=0x42, ctrl=3) / text(40),
    'snap': Dot3(src=A, dst=B) / LLC(dsap=0xaa, ssap=0xaa, ctrl=3) /
            SNAP(OUI=0, code=0x88b7) / text(40),
    'broadcast': eth(ip4(udp()), dst='ff:ff:ff:ff:ff:ff'),
    'multicast': eth(ip4(udp(), dst='224.1.2.3'), dst='01:00:5e:01:02:03'),

    # VLANs.
    'vlan-udp4': vlan(ip4(udp())),
    'vlan-udp4-odd': vlan(ip4(udp(41))),
    'vlan-udp4-20': vlan(ip4(udp()), vid=20),
    'vlan-udp4-prio5': vlan(ip4(udp()), prio=5),
    'vlan-udp4-back': vlan(ip4(udp(), src='10.1.0.2', dst='10.1.0.1'),
                           src=B, dst=A),
    'vlan-udp4-first': vlan(frags4(udp(160))[0]),
    'vlan-udp4-later': vlan(frags4(udp(160))[1]),
    'vlan-tcp4': vlan(ip4(tcp())),
    'vlan-icmp4': vlan(ip4(icmp_echo())),
    'vlan-udp6': vlan(ip6(udp())),
    'vlan-tcp6': vlan(ip6(tcp())),
    'vlan-sctp4': vlan(ip4(sctp())),
    'vlan-arp': vlan(ARP(op=1, hwsrc=A, psrc='10.1.0.1', pdst='10.1.0.2')),
    'vlan-88b5': vlan(Raw(b'\x88\xb5' + text(50))),
    'prio-udp4': vlan(ip4(udp()), vid=0, prio=5),
    'prio0-udp4': vlan(ip4(udp()), vid=0, prio=0),
    'ad-udp4': vlan(ip4(udp()), tpid=0x88a8),
    'ad-udp4-20': vlan(ip4(udp()), tpid=0x88a8, vid=20),
    'qinq-udp4': vlan(Dot1Q(vlan=20, prio=2) / ip4(udp())),
    'qinq-udp4-30': vlan(Dot1Q(vlan=30) / ip4(udp())),
    'qinq-udp4-prio': vlan(Dot1Q(vlan=20, prio=6) / ip4(udp())),
    'qinq-udp6': vlan(Dot1Q(vlan=20) / ip6(udp())),
    'adq-udp4': vlan(Dot1Q(vlan=20, prio=2) / ip4(udp()), tpid=0x88a8),
    'adq-udp4-30': vlan(Dot1Q(vlan=30, prio=2) / ip4(udp()), tpid=0x88a8),
    'adq-tcp4': vlan(Dot1Q(vlan=20, prio=2) / ip4(tcp()), tpid=0x88a8),
    'vlan3-udp4': vlan(Dot1Q(vlan=20) / Dot1Q(vlan=30) / ip4(udp())),

    # MPLS.
    'mpls-udp4': mpls(ip4(udp()), 100),
    'mpls-udp4-101': mpls(ip4(udp()), 101),
    'mpls2-udp4': mpls(ip4(udp()), 200, 100),
    'mpls-udp6': mpls(ip6(udp()), 100),
    'mpls-tcp4': mpls(ip4(tcp()), 100),
    'vlan-mpls-udp4': vlan(MPLS(label=100, cos=3, ttl=60, s=1) / ip4(udp()),
                           ),

    # In tunnels, as they come to the underlay's port.
    'vxlan-udp4': underlay4(vxlan(eth(ip4(udp(sport=7))))),
    'vxlan-tcp4': underlay4(vxlan(eth(ip4(tcp())))),
    'vxlan-udp6': underlay4(vxlan(eth(ip6(udp())))),
    'vxlan-vlan-udp4': underlay4(vxlan(vlan(ip4(udp())))),
    'vxlan-78-udp4': underlay4(vxlan(eth(ip4(udp())), vni=78)),
    'vxlan-csum-udp4': underlay4(vxlan(eth(ip4(udp())), chksum=None)),
    'vxlan-tos-udp4': underlay4(vxlan(eth(ip4(udp()))), tos=0x28),
    'vxlan-ttl-udp4': underlay4(vxlan(eth(ip4(udp()))), ttl=9),
    'vxlan-df-udp4': underlay4(vxlan(eth(ip4(udp()))), flags='DF'),
    'vxlan-src-udp4': underlay4(vxlan(eth(ip4(udp()))), src='172.31.1.3'),
    'vxlan-gbp-udp4': underlay4(vxlan(eth(ip4(udp())), gbp=0x1234)),
    'vxlan-gbp-other': underlay4(vxlan(eth(ip4(udp())), gbp=0x1235)),
    'vxlan-over6-udp4': underlay6(vxlan(eth(ip4(udp())), chksum=None)),
    'geneve-udp4': underlay4(geneve(eth(ip4(udp())))),
    'geneve-78-udp4': underlay4(geneve(eth(ip4(udp())), vni=78)),
    'geneve-opt-udp4': underlay4(geneve(eth(ip4(udp())), options=OPTION)),
    'geneve-opt-other': underlay4(geneve(eth(ip4(udp())),
                                         options=OPTION_OTHER)),
    'gre-udp4': underlay4(gre(eth(ip4(udp())))),
    'gre-78-udp4': underlay4(gre(eth(ip4(udp())), key=78)),
    'gre-csum-udp4': underlay4(gre(eth(ip4(udp())), chksum_present=1)),
    'gre-over6-udp4': underlay6(gre(eth(ip4(udp())))),

    # Of a size, in bytes with the Ethernet header.
    'size-60': sized(60),
    'size-114': sized(114),
    'size-513': sized(513),
    'size-514': sized(514),
    'size-515': sized(515),
    'size-516': sized(516),
    'size-518': sized(518),
    'size-519': sized(519),
    'size-1514': sized(1514),
    'size-vlan-518': vlan(ip4(udp(518 - 18 - 28))),
    'size-vlan-519': vlan(ip4(udp(519 - 18 - 28))),
    'size-tcp4-514': eth(ip4(tcp(460))),
    'size-tcp4-515': eth(ip4(tcp(461))),
}

PACKETS['vlan-mpls-udp4'][Dot1Q].type = 0x8847


def main():
    for name, packet in PACKETS.items():
        data = bytes(packet)
        # Shorter ones are padded by real devices, but not by a veth.
        print(name, data.ljust(60, b'\0').hex())
    return 0


if __name__ == '__main__':
    sys.exit(main())
