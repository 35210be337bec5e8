# SPDX-License-Identifier: Apache-2.0
"""For each action: what comes out.  What should come out is computed by
scapy, with its lengths and checksums.

Usage: action.py GROUP"""

from scapy.all import (
    Dot1AD, Dot1Q, Ether, GRE, ICMP, ICMPv6EchoRequest, IP, IPv6,
    IPv6ExtHdrRouting, Raw, SCTP, TCP, UDP, raw)
from scapy.contrib.geneve import GENEVE
from scapy.layers.vxlan import VXLAN

from eswitch import Eswitch, Failed, check, run
from packets import (
    DATA, ETH, GRE_IP, HOPOPTS, INNER, IP4, IP6, L4_TCP, L4_UDP, LATER,
    LATER6, PLAIN, PLAIN6, QINQ, TAGGED, V4_GENEVE, V4_GRE, V4_VXLAN,
    V6_VXLAN, changed, computed, rewritten, with_options)

UDP4 = ETH / IP4 / L4_UDP / DATA
UDP6 = ETH / IP6 / L4_UDP / DATA
NO_CHECKSUM = ETH / IP4 / UDP(sport=1000, dport=53, chksum=0) / DATA
SCTP4 = ETH / IP4 / SCTP(sport=1, dport=2, tag=3) / DATA
PING = ETH / IP4 / ICMP(id=1, seq=2) / DATA
PING6 = ETH / IP6 / ICMPv6EchoRequest(id=1)
WRONG = changed(PLAIN, TCP, chksum=0x1234)
ODD = ETH / IP4 / UDP(sport=1000, dport=53) / b"odd"


def try_rows(rows):
    """Rows: actions, packet, what should come out, or None for a miss."""
    for actions, packet, wanted in rows:
        print(f"-- {actions}")
        try:
            with Eswitch() as e:
                e.add(f"port=1 => {actions} / output=2")
                if wanted is None:
                    e.misses(1, packet)
                else:
                    e.expect(1, packet, ("end 2", wanted))
        except Failed:
            print(f"actions: {actions}")
            raise


def macs():
    rows = []
    for packet in PLAIN, TAGGED, QINQ, PLAIN6, LATER6, V4_VXLAN:
        rows += [
            ("modify eth_src=0a:00:00:00:00:01", packet,
             changed(packet, Ether, src="0a:00:00:00:00:01")),
            ("modify eth_dst=0a:00:00:00:00:01", packet,
             changed(packet, Ether, dst="0a:00:00:00:00:01")),
            ("modify eth_dst=0a:00:00:00:00:00/ff:00:00:00:00:00", packet,
             changed(packet, Ether, dst="0a:00:00:00:00:02")),
        ]
    try_rows(rows)


def vlans():
    tagged_0 = Dot1Q(vlan=0)
    try_rows([
        ("vlan_pop", PLAIN, None),
        ("vlan_pop", TAGGED, PLAIN),
        ("vlan_pop", QINQ, ETH / Dot1Q(vlan=5) / QINQ[IP]),
        ("vlan_pop / vlan_pop", QINQ, PLAIN),
        ("vlan_pop / vlan_pop", TAGGED, None),
        ("vlan_push=0x8100", PLAIN, ETH / tagged_0 / PLAIN[IP]),
        ("vlan_push=0x8100", LATER6, ETH / tagged_0 / LATER6[IPv6]),
        # A pushed tag begins as a copy of the one behind it.
        ("vlan_push=0x88a8", TAGGED,
         ETH / Dot1AD(vlan=5, prio=3) / TAGGED[Dot1Q]),
        ("vlan_push=0x88a8 / modify vlan_vid=100 / modify vlan_pcp=1",
         ETH / Dot1Q(vlan=5) / IP4 / L4_TCP / DATA, QINQ),
        ("modify vlan_vid=4000", TAGGED, changed(TAGGED, Dot1Q, vlan=4000)),
        ("modify vlan_pcp=7", TAGGED, changed(TAGGED, Dot1Q, prio=7)),
        ("modify vlan_vid=1/0x0ff", TAGGED, changed(TAGGED, Dot1Q, vlan=1)),
        ("modify vlan_vid=7", QINQ, changed(QINQ, Dot1AD, vlan=7)),
        ("modify vlan_vid=7", PLAIN, None),
        ("vlan_push=0x8100 / vlan_pop", PLAIN, PLAIN),
    ])


# Of a packet in which 'layer' has the field: what scapy calls it.
IPV4_FIELDS = [
    ("ipv4_src=10.9.8.7", {"src": "10.9.8.7"}),
    ("ipv4_dst=10.9.8.7", {"dst": "10.9.8.7"}),
    ("ipv4_dst=0.0.8.7/0.0.255.255", {"dst": "10.0.8.7"}),
    ("ipv4_ttl=64", {"ttl": 64}), ("ttl=64", {"ttl": 64}),
]


def ipv4():
    """What a rewrite does to checksums depends on what follows."""
    rows = []
    for packet in (PLAIN, TAGGED, QINQ, UDP4, ODD, NO_CHECKSUM, SCTP4, PING,
                   LATER):
        rows += [(f"modify {field}", packet, rewritten(packet, IP, **change))
                 for field, change in IPV4_FIELDS]
    tos = PLAIN[IP].tos
    try_rows(rows + [
        ("modify ipv4_dscp=63", PLAIN, rewritten(PLAIN, IP, tos=0xfc)),
        ("modify dscp=1", PLAIN, rewritten(PLAIN, IP, tos=4)),
        ("modify ipv4_ecn=3", PLAIN, rewritten(PLAIN, IP, tos=tos | 3)),
        ("modify ecn=1", PLAIN, rewritten(PLAIN, IP, tos=tos | 1)),
        ("dec_ttl", PLAIN, rewritten(PLAIN, IP, ttl=16)),
        ("modify ttl-=1", PLAIN, rewritten(PLAIN, IP, ttl=16)),
        ("modify ttl+=250", PLAIN, rewritten(PLAIN, IP, ttl=11)),
        ("dec_ttl", rewritten(PLAIN, IP, ttl=2), rewritten(PLAIN, IP, ttl=1)),
        ("dec_ttl", rewritten(PLAIN, IP, ttl=1), None),
        ("dec_ttl", rewritten(PLAIN, IP, ttl=0), None),
        ("modify ipv4_src=1.2.3.4", PLAIN6, None),
        ("modify ipv6_src=::1", PLAIN, None),
    ])


def checksum_of_whole(first, later):
    """UDP checksum over the datagram of two IPv4 fragments."""
    whole = Raw(raw(first[UDP]) + raw(later[IP].payload))
    udp = UDP(raw(whole))
    udp.delfieldval("chksum")
    whole = IP(src=first[IP].src, dst=first[IP].dst, proto=17) / udp
    return IP(raw(whole))[UDP].chksum


def fragments():
    """The checksum is in the first fragment and covers all of them."""
    udp = ETH / IP(src="10.0.0.1", dst="10.0.0.2", id=3) / UDP(
        sport=1, dport=2) / Raw(bytes(range(200)))
    data = raw(udp[IP].payload)
    ip = dict(src="10.0.0.1", dst="10.0.0.2", id=3, proto=17)
    first = Ether(raw(ETH / IP(flags="MF", **ip) / Raw(data[:80])))
    later = Ether(raw(ETH / IP(frag=10, **ip) / Raw(data[80:])))
    for actions in ("modify ipv4_src=1.2.3.4", "modify ipv4_dst=1.2.3.4",
                    "modify ttl=3"):
        with Eswitch() as e:
            e.add(f"port=1 => {actions} / output=2")
            out = [Ether(e.rx(1, p)[0][1]) for p in (first, later)]
            check(raw(out[1][IP].payload) == data[80:],
                  "payload of a later fragment was changed")
            check(out[0][UDP].chksum == checksum_of_whole(*out),
                  "checksum of a fragmented datagram is wrong")
    # Ports are there in the first fragment only.
    try_rows([
        ("modify udp_dst=99", first, changed(
            changed(first, UDP, dport=99), UDP,
            chksum=first[UDP].chksum - 97)),
        ("modify udp_dst=99", later, None),
        ("modify ipv6_hlim=3", LATER6, changed(LATER6, IPv6, hlim=3)),
        ("modify ipv6_src=::1", LATER6, changed(LATER6, IPv6, src="::1")),
    ])


def ipv6():
    rows = []
    for packet in PLAIN6, UDP6, PING6, HOPOPTS:
        rows += [
            ("modify ipv6_src=2001:db8::9", packet,
             rewritten(packet, IPv6, src="2001:db8::9")),
            ("modify ipv6_dst=2001:db8::9", packet,
             rewritten(packet, IPv6, dst="2001:db8::9")),
            ("modify ipv6_dst=::9:8/::ffff:ffff", packet,
             rewritten(packet, IPv6, dst="2001:db8::9:8")),
        ]
    routed = (ETH / IP6 / IPv6ExtHdrRouting(addresses=["2001:db8::5"])
              / L4_TCP / DATA)
    try_rows(rows + [
        ("modify ipv6_hlim=64", PLAIN6, changed(PLAIN6, IPv6, hlim=64)),
        ("modify ttl=64", PLAIN6, changed(PLAIN6, IPv6, hlim=64)),
        ("dec_ttl", PLAIN6, changed(PLAIN6, IPv6, hlim=16)),
        ("dec_ttl", changed(PLAIN6, IPv6, hlim=1), None),
        ("modify ipv6_dscp=63", PLAIN6, changed(PLAIN6, IPv6, tc=0xfc)),
        ("modify dscp=1", PLAIN6, changed(PLAIN6, IPv6, tc=4)),
        ("modify ipv6_ecn=3", PLAIN6, changed(PLAIN6, IPv6, tc=0x4b)),
        # The checksum covers the final destination, in the routing header.
        ("modify ipv6_dst=2001:db8::9", routed,
         changed(routed, IPv6, dst="2001:db8::9")),
        ("modify ipv6_src=2001:db8::9", routed,
         rewritten(routed, IPv6, src="2001:db8::9")),
    ])


def ports():
    rows = []
    for packet in PLAIN, TAGGED, PLAIN6, HOPOPTS:
        rows += [
            ("modify tcp_src=9", packet, rewritten(packet, TCP, sport=9)),
            ("modify tcp_dst=9", packet, rewritten(packet, TCP, dport=9)),
            ("modify tp_dst=9", packet, rewritten(packet, TCP, dport=9)),
        ]
    for packet in UDP4, UDP6, ODD, NO_CHECKSUM:
        rows += [
            ("modify udp_src=9", packet, rewritten(packet, UDP, sport=9)),
            ("modify tp_src=9", packet, rewritten(packet, UDP, sport=9)),
        ]
    try_rows(rows + [
        ("modify tcp_seq+=1", PLAIN, rewritten(PLAIN, TCP, seq=2)),
        ("modify tcp_ack-=3", PLAIN, rewritten(PLAIN, TCP, ack=0xffffffff)),
        ("modify tcp_flags=0x2", PLAIN, rewritten(PLAIN, TCP, flags="S")),
        ("modify tp_src=9", SCTP4, None),
        ("modify tcp_src=9", UDP4, None),
        # A wrong checksum doesn't become right.
        ("modify tcp_src=1001", WRONG,
         changed(changed(WRONG, TCP, sport=1001), TCP, chksum=0x1233)),
    ])
    # A UDP checksum that would become 0 becomes 0xffff.
    zero = changed(UDP4, UDP, chksum=1)
    try_rows([("modify udp_src=1001", zero,
               changed(changed(zero, UDP, sport=1001), UDP,
                       chksum=0xffff))])


def copies():
    """COPY from field to field."""
    try_rows([
        ("copy ipv4_dst=ipv4_src,32", PLAIN,
         rewritten(PLAIN, IP, dst="10.0.0.1")),
        ("copy tcp_src:8=ipv4_ttl,8", PLAIN,
         rewritten(PLAIN, TCP, sport=17 << 8 | 1000 & 0xff)),
        ("copy vlan_vid=ipv4_ttl:1,4", TAGGED,
         changed(TAGGED, Dot1Q, vlan=(5 & ~0xf) | 8)),
        ("copy ipv4_ttl@2=ipv4_ttl,8", V4_VXLAN,
         rewritten(V4_VXLAN, IP, 2, ttl=17)),
        ("copy ipv4_dst@2=ipv4_dst,32", PLAIN, None),
        ("copy tcp_seq+=tcp_ack,32", PLAIN, rewritten(PLAIN, TCP, seq=3)),
        ("modify mark=0xa010203 / copy ipv4_dst=mark,32", PLAIN,
         rewritten(PLAIN, IP, dst="10.1.2.3")),
    ])


def inner():
    """A change inside of a tunnel changes the checksums around it."""
    gre_csum = (ETH / IP4 / GRE(chksum_present=1, proto=0x6558) / INNER)
    for packet in V4_VXLAN, V6_VXLAN, V4_GENEVE, V4_GRE, gre_csum:
        try_rows([
            ("modify eth_src@2=0a:00:00:00:00:01", packet,
             rewritten(packet, Ether, 2, src="0a:00:00:00:00:01")),
            ("modify ipv4_dst@2=1.2.3.4", packet,
             rewritten(packet, IP, 1 if packet is V6_VXLAN else 2,
                       dst="1.2.3.4")),
            ("modify tcp_dst@2=7", packet, rewritten(packet, TCP, dport=7)),
            ("modify ttl@2=7", packet,
             rewritten(packet, IP, 1 if packet is V6_VXLAN else 2, ttl=7)),
        ])
    try_rows([
        ("modify vxlan_vni=5", V4_VXLAN, changed(V4_VXLAN, VXLAN, vni=5)),
        ("modify vxlan_vni=5", V6_VXLAN, rewritten(V6_VXLAN, VXLAN, vni=5)),
        ("modify geneve_vni=6", V4_GENEVE,
         rewritten(V4_GENEVE, GENEVE, vni=6)),
        ("modify ipv4_src=1.2.3.4", V4_VXLAN,
         rewritten(V4_VXLAN, IP, src="1.2.3.4")),
    ])


def entropy(e, packet):
    """The source port that a tunnel gets."""
    return Ether(e.rx(1, packet)[0][1])[UDP].sport


OUTER = Ether(src="0a:00:00:00:00:01", dst="0a:00:00:00:00:02")
OUTER4 = IP(src="172.16.0.1", dst="172.16.0.2", ttl=64, id=0, flags="DF")
OUTER6 = IPv6(src="fd00::1", dst="fd00::2", hlim=64)


def try_encap(headers, packet, wanted):
    """'wanted' is the headers with all filled in but the source port."""
    with Eswitch() as e:
        e.add(f"port=1 => encap={raw(headers).hex()} / output=2")
        words, data = e.rx(1, packet)[0]
        got = Ether(data)
        if UDP in headers and not headers[UDP].sport:
            check(49152 <= got[UDP].sport, "source port out of its range")
            wanted = changed(wanted, UDP, sport=got[UDP].sport)
            if wanted[UDP].chksum:
                wanted = computed(wanted)
        e.expect(1, packet, ("end 2", wanted))


def encap():
    for packet in PLAIN, TAGGED, PLAIN6, LATER, V4_VXLAN, ODD:
        vxlan = VXLAN(vni=77, flags=8)
        headers = Ether(raw(OUTER / OUTER4 / UDP(
            sport=0, dport=4789, chksum=0) / vxlan))
        try_encap(headers, packet, Ether(raw(
            OUTER / OUTER4 / UDP(sport=0, dport=4789, chksum=0)
            / vxlan / packet)))
        # Where a checksum is asked for, and with IPv6 always, there is one.
        for ip, csum in (OUTER4, 0xffff), (OUTER6, 0):
            headers = Ether(raw(OUTER / ip / UDP(
                sport=4444, dport=6081, chksum=csum, len=8)
                / with_options((0x102, 1, b"abcd"))))
            try_encap(headers, packet, Ether(raw(
                OUTER / ip / UDP(sport=4444, dport=6081)
                / with_options((0x102, 1, b"abcd")) / packet)))
        for gre in (GRE(proto=0x6558), GRE(proto=0x6558, key_present=1, key=9),
                    GRE(proto=0x6558, chksum_present=1)):
            try_encap(Ether(raw(OUTER / OUTER4 / gre)), packet,
                      Ether(raw(OUTER / OUTER4 / gre / packet)))
        # Behind a tag.
        tag = Dot1Q(vlan=9)
        try_encap(Ether(raw(OUTER / tag / OUTER4 / UDP(
            sport=1, dport=4789, chksum=0) / vxlan)), packet,
            Ether(raw(OUTER / tag / OUTER4 / UDP(
                sport=1, dport=4789, chksum=0) / vxlan / packet)))


def source_ports():
    """Packets of a connection leave with one source port, connections with
    several."""
    headers = raw(OUTER / OUTER4 / UDP(sport=0, dport=4789, chksum=0)
                  / VXLAN(vni=1)).hex()
    with Eswitch() as e:
        e.add(f"port=1 => encap={headers} / output=2")
        seen = {entropy(e, ETH / IP4 / TCP(sport=n) / DATA)
                for n in range(40)}
        check(len(seen) > 30, f"only {len(seen)} source ports")
        check(entropy(e, PLAIN) == entropy(e, PLAIN / b"more"),
              "source port changes within a connection")
        first = ETH / IP(flags="MF", id=3) / UDP(sport=1, dport=2) / DATA
        later = ETH / IP(frag=5, id=3, proto=17) / DATA
        check(entropy(e, first) == entropy(e, later),
              "fragments of a datagram are parted")


def decap():
    for tunnel, packet in (("vxlan", V4_VXLAN), ("vxlan", V6_VXLAN),
                           ("geneve", V4_GENEVE), ("gre", V4_GRE)):
        # Frames that are shorter than 60 bytes have padding.
        padded = Ether(raw(packet) + bytes(20))
        try_rows([(f"decap={tunnel}", packet, INNER),
                  (f"decap={tunnel}", padded, INNER),
                  (f"raw_decap={raw(packet).find(raw(INNER))}", packet,
                   INNER),
                  (f"decap={tunnel}", PLAIN, None)])
    eth = raw(OUTER)[:12].hex() + "0800"
    try_rows([
        ("decap=vxlan", V4_GENEVE, None),
        ("decap=geneve", V4_VXLAN, None),
        # What isn't Ethernet needs a header.
        ("decap=gre", GRE_IP, None),
        (f"decap=gre / encap={eth}", GRE_IP,
         Ether(bytes.fromhex(eth)) / INNER.payload),
        (f"raw_decap=14 / encap={eth}", PLAIN,
         Ether(bytes.fromhex(eth)) / PLAIN.payload),
        ("raw_decap=14", PLAIN, None),
        ("raw_decap=15", PLAIN, None),
        ("raw_decap=5000", PLAIN, None),
        ("decap=vxlan / modify ipv4_src=1.2.3.4 / vlan_push=0x8100", V4_VXLAN,
         Ether(src=INNER.src, dst=INNER.dst) / Dot1Q(vlan=0)
         / rewritten(INNER, IP, src="1.2.3.4")[IP]),
    ])


def fates():
    with Eswitch() as e:
        e.add("port=1 eth / ipv4 => drop")
        e.add("port=1 eth / ipv6 => mark=5 / software=2")
        e.add("port=2 => output=2")
        e.expect(1, PLAIN)
        e.expect(1, PLAIN6, ("software 2 mark=5", PLAIN6))
        e.expect(2, PLAIN, ("end 2", PLAIN))
        check("ruled_out=1 " in e.say("stats 1")[0], "drop isn't counted")
        answer = e.say(f"tx 1 {raw(PLAIN).hex()}")
        check(answer == [f"end 1 {raw(PLAIN).hex()}"],
              "software's packet met a rule")


def samples():
    """A mirror sees the packet as it is at that point, and what is done to
    the copy isn't done to the packet."""
    with Eswitch() as e:
        e.add("port=1 => sample [ output=3 ] / modify ipv4_src=1.2.3.4 / "
              "sample [ vlan_push=0x8100 / modify vlan_vid=9 / output=0 ] / "
              "sample [ mark=3 / software=2 ] / output=2")
        after = rewritten(PLAIN, IP, src="1.2.3.4")
        e.expect(1, PLAIN, ("end 3", PLAIN),
                 ("end 0", ETH / Dot1Q(vlan=9) / after[IP]),
                 ("software 2 mark=3", after), ("end 2", after))
        e.misses(1, PLAIN6)
    with Eswitch() as e:
        e.add("port=1 => sample [ output=3 ] / drop")
        e.expect(1, PLAIN, ("end 3", PLAIN))
        e.add("port=2 => sample [ decap=vxlan / output=3 ] / output=1")
        e.expect(2, V4_VXLAN, ("end 3", INNER), ("end 1", V4_VXLAN))
        e.misses(2, PLAIN)


def ingress():
    """Ingress rules: what comes up, whatever the reason."""
    with Eswitch() as e:
        e.add("port=1 ingress eth / ipv4 / tcp => count / mark=5 / queue=3")
        e.add("port=1 ingress eth / ipv4 / udp => drop")
        e.add("port=1 ingress eth / ipv6 => jump=1")
        e.add("port=1 ingress group=1 ipv6 / tcp => rss=4,4")
        e.add("port=2 ingress mark=6 => queue=9")
        e.add("port=2 eth / ipv6 => mark=6 / software=2")
        mine = ("software 1 miss mark=5 queue=3", PLAIN)
        e.expect(1, PLAIN, mine)
        e.expect(1, UDP4)
        e.expect(1, PLAIN6, ("software 1 miss queue=4", PLAIN6))
        e.expect(1, UDP6, ("software 1 miss", UDP6))
        e.expect(2, PLAIN6, ("software 2 mark=6 queue=9", PLAIN6))
        e.misses(2, PLAIN)
        check(e.query(1) == (1, len(raw(PLAIN))), "miscounted")
        # The eswitch's rules come first.
        e.add("port=1 eth / ipv4 => output=2")
        e.expect(1, PLAIN, ("end 2", PLAIN))


run({"macs": [macs], "vlan": [vlans], "ipv4": [ipv4], "ipv6": [ipv6],
     "fragments": [fragments], "ports": [ports], "copy": [copies],
     "inner": [inner], "encap": [encap, source_ports], "decap": [decap],
     "fates": [fates], "sample": [samples], "ingress": [ingress]})
