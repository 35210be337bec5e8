# SPDX-License-Identifier: Apache-2.0
"""The table of packet comparisons: see compare.py.

A row is case(GROUP, TITLE, FLOWS, PACKETS).  FLOWS are OpenFlow flows for a
bridge "br0" with ports 1 to 4, whose other ends are named the same, and the
internal port LOCAL; U is where packets in tunnels come and go.  PACKETS are
names of library.py, sent into port 1, or into another one as in "2:udp4".

    software    those of PACKETS that may not be switched by TC: ALL if the
                megaflow has to be refused, None if that is left open
    drops       nothing comes out
    passes      how often to send PACKETS at most until all are in TC
    slow        wait after each packet for what it causes
    ignore      bytes from, to of what comes out that may differ
    before, after   shell commands, for each host
"""

CASES = []
PORTS = {'1': 'p1', '2': 'p2', '3': 'p3', '4': 'p4', 'L': 'br0', 'U': 'p5'}
ALL = 'ALL'


class Case:
    def __init__(self, group, title, flows, packets, software='', drops=False,
                 passes=4, slow=False, before=(), after=(),
                 ignore=(0, 0)):
        self.group, self.title, self.flows = group, title, flows
        self.packets = [(item.split(':') if ':' in item else ['1', item])
                        for item in packets.split()]
        self.software = software and software.split()
        if software == ALL:
            self.software = self.packets
        self.drops, self.passes, self.slow = drops, passes, slow
        self.before, self.after, self.ignore = before, after, ignore


def case(*args, **kwargs):
    CASES.append(Case(*args, **kwargs))


def each(group, title, flows, packets, **kwargs):
    """A case for each packet, because a rule that rewrites a header may be
    for one transport protocol only."""
    for packet in packets.split():
        case(group, '%s: %s' % (title, packet), flows, packet, **kwargs)


# Output.

ANY4 = 'udp4 tcp4 icmp4 igmp sctp4 ipip gre4 proto253 udp4-first udp4-later'
ANY6 = 'udp6 tcp6 icmp6 sctp6 udp6-hbh udp6-dest udp6-first udp6-later ' \
       'proto6-253'
NON_IP = 'arp-request rarp ether-88b5 llc snap'
TAGGED = 'vlan-udp4 vlan-udp6 vlan-arp prio-udp4 ad-udp4 qinq-udp4 adq-udp4 ' \
         'vlan3-udp4'

case('output', 'to a port', 'in_port=1 actions=2',
     ANY4 + ' udplite4 ' + ANY6)
# LLC has no ethertype to match, and SNAP's isn't where the kernel looks.
case('output', 'what is not IP', 'in_port=1 actions=2', NON_IP,
     software='llc snap')
# The third tag is beyond what TC looks at.
case('output', 'tagged packets', 'in_port=1 actions=2', TAGGED,
     software='vlan3-udp4')
case('output', 'labelled packets', 'in_port=1 actions=2',
     'mpls-udp4 mpls2-udp4 mpls-udp6 vlan-mpls-udp4')
case('output', 'short and long packets', 'in_port=1 actions=2',
     'size-60 udp4-empty size-513 size-1514')
case('output', 'to two ports', 'in_port=1 actions=2,3', 'udp4 tcp6 vlan-arp')
case('output', 'to three ports', 'in_port=1 actions=2,3,4', 'udp4 udp6')
case('output', 'back to where it came from', 'in_port=1 actions=in_port',
     'udp4 udp6 vlan-udp4')
case('output', 'back and to another port', 'in_port=1 actions=in_port,2',
     'udp4')
case('output', 'to the internal port', 'in_port=1 actions=LOCAL',
     'broadcast udp6 vlan-udp4')
case('output', 'to the internal port and on', 'in_port=1 actions=LOCAL,2',
     'udp4 tcp4')
case('output', 'to a port and the internal port',
     'in_port=1 actions=2,LOCAL,3', 'udp4 icmp6')
case('output', 'from the internal port', 'in_port=LOCAL actions=1',
     'L:udp4 L:tcp6')
case('output', 'from the internal port to two', 'in_port=LOCAL actions=1,2',
     'L:udp4 L:arp-request')
case('output', 'as a learning switch does', 'actions=NORMAL',
     'arp-request 2:arp-reply udp4 2:udp4-back', slow=True)
case('output', 'drop', 'in_port=1 actions=drop', 'udp4 udp6 arp-request',
     drops=True)
case('output', 'drop of one, output of the other',
     'in_port=1,udp,tp_dst=2001 actions=drop\nin_port=1 actions=2',
     'udp4-dport udp4')
case('output', 'what was changed and what was not',
     'in_port=1 actions=2,set_field:02:00:00:00:00:99->eth_dst,3', 'udp4')
case('output', 'with a tag to one port and without to another',
     'in_port=1 actions=2,push_vlan:0x8100,set_field:4106->vlan_vid,3,'
     'pop_vlan,4', 'udp4 tcp4')
case('output', 'each port its own destination',
     'in_port=1 actions=set_field:02:00:00:00:01:02->eth_dst,2,'
     'set_field:02:00:00:00:01:03->eth_dst,3,'
     'set_field:02:00:00:00:01:04->eth_dst,4', 'udp4 tcp6')
case('output', 'more outputs than a rule can have actions',
     'in_port=1 actions=' + ','.join(
         'set_field:02:00:00:00:02:%02x->eth_dst,2' % i for i in range(20)),
     'udp4', software=ALL)
case('output', 'more than 16 actions',
     'in_port=1 actions=' + ','.join(
         'set_field:02:00:00:00:02:%02x->eth_dst,2' % i for i in range(10)),
     'udp4')

# Matches: what matches goes to port 2, all else to port 3.


def match(group, title, condition, packets, **kwargs):
    flows = '\n'.join('priority=%d,in_port=1,%s actions=2' % (100, line)
                      for line in condition.split('\n'))
    case(group, title, flows + '\npriority=1,in_port=1 actions=3', packets,
         **kwargs)


match('match-ethernet', 'destination', 'dl_dst=06:11:22:33:44:55',
      'udp4 udp4-mac-dst arp-request')
match('match-ethernet', 'destination, masked',
      'dl_dst=06:00:00:00:00:00/06:00:00:00:00:00', 'udp4 udp4-mac-dst')
match('match-ethernet', 'multicast',
      'dl_dst=01:00:00:00:00:00/01:00:00:00:00:00',
      'udp4 multicast igmp arp-request icmp6-ns')
match('match-ethernet', 'source', 'dl_src=02:00:00:00:00:0c',
      'udp4 udp4-mac-src')
match('match-ethernet', 'source, masked',
      'dl_src=00:00:00:00:00:0c/00:00:00:00:00:0f', 'udp4 udp4-mac-src')
match('match-ethernet', 'type', 'dl_type=0x88b5',
      'ether-88b5 ether-88b6 udp4')
match('match-ethernet', 'type IPv4', 'ip', 'udp4 udp6 arp-request')
match('match-ethernet', 'type IPv6', 'ipv6', 'udp4 udp6 vlan-udp6')
match('match-ethernet', 'no type at all', 'dl_type=0x05ff',
      'llc udp4 ether-88b5', software='llc')
match('match-arp', 'request', 'arp,arp_op=1', 'arp-request arp-reply udp4')
match('match-arp', 'source address', 'arp,arp_spa=10.1.0.1',
      'arp-request arp-other')
match('match-arp', 'target network', 'arp,arp_tpa=10.1.0.0/29',
      'arp-request arp-other')
match('match-arp', 'hardware source', 'arp,arp_sha=02:00:00:00:00:0c',
      'arp-request arp-other')
match('match-arp', 'hardware target', 'arp,arp_tha=02:00:00:00:00:0a',
      'arp-request arp-reply')
match('match-arp', 'RARP', 'rarp', 'rarp arp-request')

match('match-vlan', 'a VLAN', 'dl_vlan=10',
      'vlan-udp4 vlan-udp4-20 udp4 qinq-udp4')
match('match-vlan', 'a VLAN and a protocol in it', 'dl_vlan=10,tcp,tp_dst=80',
      'vlan-tcp4 vlan-udp4 vlan-tcp6 tcp4')
match('match-vlan', 'priority', 'dl_vlan=10,dl_vlan_pcp=5',
      'vlan-udp4 vlan-udp4-prio5')
match('match-vlan', 'priority alone', 'dl_vlan_pcp=5',
      'vlan-udp4 vlan-udp4-prio5 prio-udp4 udp4')
match('match-vlan', 'priority-tagged packets',
      'vlan_tci=0x1000/0x1fff', 'prio-udp4 prio0-udp4 udp4 vlan-udp4')
match('match-vlan', 'any VLAN', 'vlan_tci=0x1000/0x1000',
      'vlan-udp4 vlan-udp4-20 udp4 prio0-udp4')
match('match-vlan', 'no VLAN', 'vlan_tci=0/0x1fff',
      'udp4 vlan-udp4 prio-udp4 ad-udp4')
match('match-vlan', 'part of the VLAN id', 'vlan_tci=0x1004/0x1004',
      'vlan-udp4 vlan-udp4-20', software=ALL)
match('match-vlan', '802.1ad', 'dl_vlan=20', 'ad-udp4 ad-udp4-20 adq-udp4')
match('match-vlan', 'ARP in a VLAN', 'dl_vlan=10,arp,arp_tpa=10.1.0.2',
      'vlan-arp arp-request vlan-udp4')
match('match-vlan', 'IPv6 in a VLAN', 'dl_vlan=10,udp6,tp_dst=2000',
      'vlan-udp6 vlan-tcp6 udp6')
case('match-vlan', 'the tag inside',
     'priority=9,in_port=1,dl_vlan=10 actions=pop_vlan,resubmit(,1)\n'
     'priority=1,in_port=1 actions=4\n'
     'table=1,priority=9,dl_vlan=20 actions=2\n'
     'table=1,priority=1 actions=3',
     'qinq-udp4 qinq-udp4-30 adq-udp4 adq-udp4-30 vlan-udp4 udp4')
case('match-vlan', "the inside tag's priority",
     'priority=9,in_port=1,dl_vlan=10 actions=pop_vlan,resubmit(,1)\n'
     'priority=1,in_port=1 actions=4\n'
     'table=1,priority=9,dl_vlan=20,dl_vlan_pcp=6 actions=2\n'
     'table=1,priority=1 actions=3',
     'qinq-udp4 qinq-udp4-prio')

# With other_config:vlan-limit=1, the default.
match('match-outer-tag', 'one tag or two', 'dl_vlan=10',
      'qinq-udp4 qinq-udp4-30 adq-udp4 vlan-udp4')
case('match-outer-tag', 'taken off', 'in_port=1,dl_vlan=10 actions=pop_vlan,2',
     'qinq-udp4 adq-udp4 qinq-udp6 vlan3-udp4')
case('match-outer-tag', 'set', 'in_port=1,dl_vlan=10 '
     'actions=set_field:4196->vlan_vid,2', 'qinq-udp4 adq-udp4')

match('match-ipv4', 'source network', 'ip,nw_src=10.1.0.0/25',
      'udp4 udp4-src tcp4 udp6')
match('match-ipv4', 'destination', 'ip,nw_dst=10.1.0.2',
      'udp4 udp4-dst icmp4')
match('match-ipv4', 'odd mask of an address',
      'ip,nw_src=10.0.0.1/255.0.0.255', 'udp4 udp4-src')
match('match-ipv4', 'protocol', 'ip,nw_proto=253', 'proto253 udp4')
match('match-ipv4', 'DSCP', 'ip,nw_tos=184', 'udp4 udp4-tos udp6-tc')
match('match-ipv4', 'ECN', 'ip,nw_ecn=3', 'udp4 udp4-tos-ecn')
match('match-ipv4', 'TTL', 'ip,nw_ttl=9', 'udp4 udp4-ttl9')
match('match-ipv4', 'options', 'udp,tp_dst=2000', 'udp4 udp4-option')
match('match-fragments', 'any fragment', 'ip,nw_frag=yes',
      'udp4 udp4-first udp4-later udp4-last tcp4')
match('match-fragments', 'no fragment', 'ip,nw_frag=no',
      'udp4 udp4-first udp4-later')
match('match-fragments', 'first fragment', 'ip,nw_frag=first',
      'udp4 udp4-first udp4-later')
match('match-fragments', 'later fragment', 'ip,nw_frag=later',
      'udp4 udp4-first udp4-later udp4-last')
# TC doesn't look for ports in fragments, not even in first ones.
match('match-fragments', 'ports, not of later fragments', 'udp,tp_dst=2000',
      'udp4 udp4-dport udp4-first udp4-later', software='udp4-first')
match('match-fragments', 'IPv6, any', 'ipv6,nw_frag=yes',
      'udp6 udp6-first udp6-later')
match('match-fragments', 'IPv6, later', 'ipv6,nw_frag=later',
      'udp6 udp6-first udp6-later')
match('match-fragments', 'IPv6 ports', 'udp6,tp_dst=2000',
      'udp6 udp6-dport udp6-first udp6-later', software='udp6-first')
match('match-ipv6', 'source network', 'ipv6,ipv6_src=fd00::/113',
      'udp6 udp6-src udp4')
match('match-ipv6', 'destination', 'ipv6,ipv6_dst=fd00::2',
      'udp6 udp6-dst icmp6')
match('match-ipv6', 'traffic class', 'ipv6,nw_tos=184', 'udp6 udp6-tc')
match('match-ipv6', 'hop limit', 'ipv6,nw_ttl=9', 'udp6 udp6-hlim9')
match('match-ipv6', 'flow label', 'ipv6,ipv6_label=0x12345',
      'udp6 udp6-label', software=ALL)
match('match-ipv6', 'protocol', 'ipv6,nw_proto=253', 'udp6 proto6-253')
match('match-ipv6', 'UDP behind extension headers', 'udp6,tp_dst=2000',
      'udp6 udp6-hbh udp6-dest udp6-route udp6-dport')
match('match-ipv6', 'neighbour solicitation',
      'icmp6,icmp_type=135,icmp_code=0', 'icmp6-ns icmp6-na icmp6')
match('match-ipv6', 'neighbour solicitation target',
      'icmp6,icmp_type=135,icmp_code=0,nd_target=fd00::2', 'icmp6-ns icmp6',
      software='icmp6-ns')

match('match-transport', 'TCP destination', 'tcp,tp_dst=80',
      'tcp4 tcp4-dport udp4')
match('match-transport', 'TCP source range', 'tcp,tp_src=1000/0xfffe',
      'tcp4 tcp4-sport tcp4-synack')
match('match-transport', 'TCP flags', 'tcp,tcp_flags=+syn-ack',
      'tcp4-syn tcp4 tcp4-synack tcp4-fin')
match('match-transport', 'TCP flags, all of them', 'tcp,tcp_flags=0x018',
      'tcp4-psh tcp4 tcp4-urg-ece')
match('match-transport', 'UDP ports', 'udp,tp_src=1000,tp_dst=2000',
      'udp4 udp4-sport udp4-dport tcp4')
match('match-transport', 'SCTP ports', 'sctp,tp_src=1000,tp_dst=2000',
      'sctp4 sctp4-sport sctp4-dport udp4')
match('match-transport', 'SCTP over IPv6', 'sctp6,tp_dst=2000', 'sctp6 udp6')
match('match-transport', 'ICMP type and code',
      'icmp,icmp_type=3,icmp_code=1',
      'icmp4-unreach icmp4-port-unreach icmp4')
match('match-transport', 'ICMP type', 'icmp,icmp_type=8',
      'icmp4 icmp4-reply')
match('match-transport', 'IGMP', 'ip,nw_proto=2', 'igmp udp4')
match('match-transport', 'TCP over IPv6', 'tcp6,tp_dst=80',
      'tcp6 tcp6-syn udp6 tcp4')

match('match-mpls', 'label', 'mpls,mpls_label=100',
      'mpls-udp4 mpls-udp4-101 udp4')
match('match-mpls', 'class', 'mpls,mpls_tc=3', 'mpls-udp4 udp4')
match('match-mpls', 'bottom of stack', 'mpls,mpls_bos=1',
      'mpls-udp4 mpls2-udp4')
match('match-mpls', 'TTL', 'mpls,mpls_ttl=60', 'mpls-udp4 mpls-udp6')

# VLAN.

PUSH = 'push_vlan:0x8100,set_field:4106->vlan_vid'
case('vlan', 'push', 'in_port=1 actions=%s,2' % PUSH,
     'udp4 udp4-odd tcp4 udp6 icmp6 arp-request ether-88b5 udp4-later')
case('vlan', 'push with priority',
     'in_port=1 actions=%s,set_field:5->vlan_pcp,2' % PUSH, 'udp4 udp6')
case('vlan', 'push 802.1ad',
     'in_port=1 actions=push_vlan:0x88a8,set_field:4126->vlan_vid,2',
     'udp4 udp6')
case('vlan', 'push on a tag',
     'in_port=1 actions=push_vlan:0x88a8,set_field:4126->vlan_vid,2',
     'vlan-udp4 vlan-udp6')
case('vlan', 'push two',
     'in_port=1 actions=%s,push_vlan:0x88a8,set_field:4126->vlan_vid,2' % PUSH,
     'udp4 udp6 arp-request')
case('vlan', 'pop', 'in_port=1,vlan_tci=0x1000/0x1000 actions=pop_vlan,2',
     'vlan-udp4 vlan-udp4-20 vlan-udp6 vlan-arp vlan-udp4-later')
case('vlan', 'pop a priority tag',
     'in_port=1,vlan_tci=0x1000/0x1fff actions=pop_vlan,2',
     'prio-udp4 prio0-udp4')
case('vlan', 'pop 802.1ad', 'in_port=1,dl_vlan=10 actions=pop_vlan,2',
     'ad-udp4')
case('vlan', 'pop the outer of two', 'in_port=1,dl_vlan=10 actions=pop_vlan,2',
     'qinq-udp4 adq-udp4 adq-tcp4 qinq-udp6')
case('vlan', 'pop both',
     'in_port=1,dl_vlan=10 actions=pop_vlan,resubmit(,1)\n'
     'table=1,dl_vlan=20 actions=pop_vlan,2',
     'qinq-udp4 adq-udp4 adq-tcp4')
case('vlan', 'set the id', 'in_port=1,dl_vlan=10 '
     'actions=set_field:4196->vlan_vid,2', 'vlan-udp4 vlan-udp4-prio5')
case('vlan', 'set the priority', 'in_port=1,dl_vlan=10 '
     'actions=set_field:3->vlan_pcp,2', 'vlan-udp4 vlan-udp4-prio5')
case('vlan', 'set the outer of two', 'in_port=1,dl_vlan=10 '
     'actions=set_field:4196->vlan_vid,2', 'qinq-udp4 adq-udp4')
case('vlan', 'push and pop for different ports',
     'in_port=1,dl_vlan=10 actions=2,pop_vlan,3,%s,4' % PUSH, 'vlan-udp4')
case('vlan', 'access and trunk ports', 'actions=NORMAL',
     'arp-request 2:vlan-udp4-back udp4', slow=True,
     before=['ovs-vsctl set port r1 tag=10'],
     after=['ovs-vsctl clear port r1 tag'])

# MPLS.

PUSH_MPLS = 'push_mpls:0x8847,set_field:77->mpls_label,' \
            'set_field:5->mpls_tc'
case('mpls', 'push', 'in_port=1,ip actions=%s,2' % PUSH_MPLS, 'udp4 tcp4')
case('mpls', 'push on IPv6', 'in_port=1,ipv6 actions=%s,2' % PUSH_MPLS,
     'udp6')
case('mpls', 'push on a label', 'in_port=1,mpls actions=%s,2' % PUSH_MPLS,
     'mpls-udp4')
case('mpls', 'multicast ethertype', 'in_port=1,ip '
     'actions=push_mpls:0x8848,set_field:77->mpls_label,2', 'udp4')
case('mpls', 'pop to IPv4', 'in_port=1,mpls,mpls_label=100 '
     'actions=pop_mpls:0x0800,2', 'mpls-udp4 mpls-tcp4')
case('mpls', 'pop to IPv6', 'in_port=1,mpls,mpls_label=100 '
     'actions=pop_mpls:0x86dd,2', 'mpls-udp6')
case('mpls', 'pop one of two', 'in_port=1,mpls,mpls_label=200 '
     'actions=pop_mpls:0x8847,2', 'mpls2-udp4', software=ALL)
case('mpls', 'swap the label', 'in_port=1,mpls '
     'actions=set_field:1234->mpls_label,2', 'mpls-udp4 mpls2-udp4')
case('mpls', 'set the class', 'in_port=1,mpls '
     'actions=set_field:6->mpls_tc,2', 'mpls-udp4')
case('mpls', 'set the TTL', 'in_port=1,mpls '
     'actions=set_mpls_ttl(9),2', 'mpls-udp4')
case('mpls', 'decrement the TTL', 'in_port=1,mpls '
     'actions=dec_mpls_ttl,2', 'mpls-udp4 mpls2-udp4')

# Rewriting.

case('set-ethernet', 'destination',
     'in_port=1 actions=set_field:02:aa:bb:cc:dd:ee->eth_dst,2',
     'udp4 udp6 arp-request vlan-udp4 qinq-udp4 mpls-udp4 ether-88b5')
case('set-ethernet', 'source',
     'in_port=1 actions=set_field:02:aa:bb:cc:dd:ee->eth_src,2',
     'udp4 udp6 vlan-arp')
case('set-ethernet', 'both',
     'in_port=1 actions=set_field:02:aa:bb:cc:dd:ee->eth_src,'
     'set_field:02:12:34:56:78:9a->eth_dst,2', 'udp4 udp4-odd')
case('set-ethernet', 'part of the destination',
     'in_port=1 actions=set_field:00:00:bb:cc:00:00/00:00:ff:ff:00:00'
     '->eth_dst,2', 'udp4 udp4-mac-dst')
case('set-ethernet', 'part of the source',
     'in_port=1 actions=set_field:00:a0:00:00:00:0f/00:f0:00:00:00:0f'
     '->eth_src,2', 'udp4 udp4-mac-src')
case('set-ethernet', 'swapped',
     'in_port=1 actions=push:eth_src,move:eth_dst[]->eth_src[],pop:eth_dst,'
     'in_port', 'udp4 udp4-mac-src')

for title, action in [
        ('source', 'set_field:172.16.9.8->ip_src'),
        ('destination', 'set_field:172.16.9.8->ip_dst'),
        ('part of the source', 'set_field:0.0.9.0/0.0.255.0->ip_src'),
        ('both, and Ethernet',
         'set_field:172.16.9.8->ip_src,set_field:172.16.9.7->ip_dst,'
         'set_field:02:aa:bb:cc:dd:ee->eth_dst')]:
    each('set-ipv4', title, 'in_port=1,ip actions=%s,2' % action,
         'udp4 udp4-odd udp4-nocsum udp4-option tcp4 tcp4-odd tcp4-syn icmp4 '
         'igmp sctp4 ipip gre4 proto253 vlan-udp4 vlan-tcp4'
         if title != 'both, and Ethernet' else
         'udp4 udp4-nocsum tcp4-odd udp4-wraps')
for title, action in [('DSCP', 'mod_nw_tos:72'), ('ECN', 'mod_nw_ecn:2'),
                      ('TTL', 'mod_nw_ttl:33'), ('TTL, by one', 'dec_ttl')]:
    case('set-ipv4', title, 'in_port=1,ip actions=%s,2' % action,
         'udp4 udp4-odd udp4-tos udp4-tos-ecn udp4-option tcp4 icmp4 igmp '
         'gre4 udp4-first udp4-later vlan-udp4',
         # IGMP has a TTL of 1, and then it is the controller's.
         software='igmp' if action == 'dec_ttl' else '')
case('set-ipv4', 'TTL of 1, by one', 'in_port=1,ip actions=dec_ttl,2',
     'udp4 udp4-ttl1', software='udp4-ttl1')
case('set-ipv4', 'one rule, many protocols',
     'in_port=1,ip actions=set_field:172.16.9.8->ip_src,2',
     'udp4 tcp4 icmp4 sctp4 igmp ipip gre4 udp4-nocsum')
# Software leaves UDP-Lite's checksum as it was, TC mends it.
case('set-ipv4', 'source: udplite4', 'in_port=1,ip '
     'actions=set_field:172.16.9.8->ip_src,2', 'udplite4', ignore=(40, 42))

for title, action in [
        ('source', 'set_field:fd99::8->ipv6_src'),
        ('destination', 'set_field:fd99::8->ipv6_dst'),
        ('part of the destination',
         'set_field:::1234:0:0:0/::ffff:0:0:0->ipv6_dst')]:
    each('set-ipv6', title, 'in_port=1,ipv6 actions=%s,2' % action,
         'udp6 udp6-odd tcp6 tcp6-syn icmp6 sctp6 proto6-253 vlan-udp6 '
         'vlan-tcp6 udp6-tc-label')
for title, action in [('traffic class', 'mod_nw_tos:72'),
                      ('ECN', 'mod_nw_ecn:2'),
                      ('hop limit', 'mod_nw_ttl:33'),
                      ('hop limit, by one', 'dec_ttl')]:
    case('set-ipv6', title, 'in_port=1,ipv6 actions=%s,2' % action,
         'udp6 udp6-tc udp6-label udp6-tc-label tcp6 icmp6 udp6-hbh '
         'vlan-udp6 udp6-first udp6-later')
case('set-ipv6', 'flow label', 'in_port=1,ipv6 '
     'actions=set_field:0x54321->ipv6_label,2', 'udp6', software=ALL)

# Whether a rule may take these or must leave them to software is not said:
# what counts is that checksums of fragments and of what follows extension
# headers are as software would have them.
for name in 'udp4-first', 'udp4-later', 'tcp4-first', 'tcp4-later', \
        'icmp4-first', 'icmp4-later', 'vlan-udp4-first', 'vlan-udp4-later':
    case('set-fragment', 'address: ' + name, 'in_port=1,ip '
         'actions=set_field:172.16.9.8->ip_src,2', name, software=None)
for name in 'udp6-first', 'udp6-later', 'tcp6-first', 'tcp6-later', \
        'udp6-hbh', 'udp6-dest', 'udp6-route', 'tcp6-hbh':
    case('set-fragment', 'address: ' + name, 'in_port=1,ipv6 '
         'actions=set_field:fd99::8->ipv6_dst,2', name, software=None)
for name in 'udp4-first', 'udp4-later':
    case('set-fragment', 'port: ' + name, 'in_port=1,udp '
         'actions=set_field:4444->udp_dst,2', name, software=None)
case('set-fragment', 'address of whole packets, then of fragments',
     'in_port=1,ip actions=set_field:172.16.9.8->ip_src,2',
     'udp4 udp4-first udp4-later tcp4 tcp4-first tcp4-later',
     software=None)
case('set-fragment', 'address of fragments, then of whole packets',
     'in_port=1,ip actions=set_field:172.16.9.8->ip_dst,2',
     'udp4-later udp4-first udp4 tcp4-later tcp4', software=None)
case('set-fragment', 'address of many protocols',
     'in_port=1,ip actions=set_field:172.16.9.8->ip_dst,2', ANY4,
     software=None)
case('set-fragment', 'address of many protocols, the last first',
     'in_port=1,ip actions=set_field:172.16.9.8->ip_src,2',
     ' '.join(reversed(ANY4.split())), software=None)

for protocol, names in [
        ('tcp', 'tcp4 tcp4-odd tcp4-syn tcp4-option vlan-tcp4'),
        ('udp', 'udp4 udp4-odd udp4-nocsum udp4-option vlan-udp4'),
        ('tcp6', 'tcp6 tcp6-hbh vlan-tcp6'),
        ('udp6', 'udp6 udp6-odd udp6-hbh udp6-dest')]:
    field = protocol.rstrip('6')
    for side in 'src', 'dst':
        case('set-transport', '%s %s' % (protocol, side),
             'in_port=1,%s actions=set_field:4444->%s_%s,2' % (protocol, field,
                                                              side), names)
for side in 'src', 'dst':
    # TC finds SCTP's header only where there is nothing before it.
    case('set-transport', 'sctp %s' % side,
         'in_port=1,sctp actions=set_field:4444->sctp_%s,2' % side,
         'sctp4 vlan-sctp4')
    case('set-transport', 'sctp %s behind IP options' % side,
         'in_port=1,sctp actions=set_field:4444->sctp_%s,2' % side,
         'sctp4 sctp4-option', software=None)
    case('set-transport', 'sctp6 %s' % side,
         'in_port=1,sctp6 actions=set_field:4444->sctp_%s,2' % side,
         'sctp6 sctp6-hbh', software=ALL)
case('set-transport', 'UDP both ports and addresses', 'in_port=1,udp '
     'actions=set_field:4444->udp_src,set_field:5555->udp_dst,'
     'set_field:172.16.9.8->ip_src,set_field:172.16.9.7->ip_dst,2',
     'udp4 udp4-odd udp4-nocsum')
case('set-transport', 'TCP and all above', 'in_port=1,tcp '
     'actions=set_field:4444->tcp_src,set_field:172.16.9.8->ip_src,'
     'set_field:02:aa:bb:cc:dd:ee->eth_src,mod_nw_ttl:7,mod_nw_tos:16,'
     '%s,2' % PUSH, 'tcp4 tcp4-odd')
case('set-transport', 'UDP checksum that becomes 0xffff', 'in_port=1,udp '
     'actions=set_field:4444->udp_dst,2', 'udp4-wraps udp4')
case('set-transport', 'UDP part of a port', 'in_port=1,udp '
     'actions=move:NXM_NX_REG0[0..7]->udp_dst[0..7],2', 'udp4')
case('set-ethernet', 'ARP operation stays in software', 'in_port=1,arp '
     'actions=set_field:2->arp_op,2', 'arp-request', software=ALL)

# Recirculation, without and with connection tracking.

case('recirculation', 'MPLS pop and a look inside',
     'in_port=1,mpls actions=pop_mpls:0x0800,resubmit(,1)\n'
     'table=1,ip,nw_dst=10.1.0.2 actions=2\ntable=1,priority=1 actions=3',
     'mpls-udp4 mpls-tcp4')
case('recirculation', 'MPLS pop and a change inside',
     'in_port=1,mpls actions=pop_mpls:0x0800,resubmit(,1)\n'
     'table=1,ip actions=set_field:172.16.9.8->ip_dst,2',
     'mpls-udp4')

CT = 'priority=9,ip,ct_state=-trk actions=ct(table=1%s)\n' \
     'priority=8,ipv6,ct_state=-trk actions=ct(table=1%s)\n' \
     'priority=1,arp actions=NORMAL\n'
COMMIT = 'table=1,priority=9,in_port=1,ip,ct_state=+trk+new actions=' \
         'ct(commit%s),2\n' \
         'table=1,priority=8,in_port=1,ct_state=+trk+est actions=2\n' \
         'table=1,priority=8,in_port=2,ct_state=+trk+est+rpl actions=1\n' \
         'table=1,priority=1 actions=drop\n'
FLOW4 = 'udp4 2:udp4-back udp4'
case('ct', 'a connection of two sides', CT % ('', '') + COMMIT % '', FLOW4,
     slow=True, passes=5)
case('ct', 'what is not tracked yet', CT % ('', '') +
     'table=1,ct_state=+new actions=2\ntable=1,priority=1 actions=3',
     'udp4 udp6', slow=True)
case('ct', 'a zone', CT % (',zone=7', ',zone=7') + COMMIT % ',zone=7' +
     'table=1,priority=20,ct_zone=8 actions=3', FLOW4, slow=True, passes=5)
case('ct', 'a mark', CT % ('', '') +
     'table=1,priority=9,in_port=1,ip,ct_state=+trk+new actions='
     'ct(commit,exec(set_field:0x1234->ct_mark)),2\n'
     'table=1,priority=8,ct_state=+trk+est,ct_mark=0x1234 actions=3\n'
     'table=1,priority=7,ct_state=+trk+est actions=4',
     'udp4 udp4 2:udp4-back', slow=True, passes=5)
case('ct', 'part of a mark', CT % ('', '') +
     'table=1,priority=9,in_port=1,ip,ct_state=+trk+new actions='
     'ct(commit,exec(set_field:0x30/0xf0->ct_mark)),2\n'
     'table=1,priority=8,ct_state=+trk+est,ct_mark=0x20/0x20 actions=3\n'
     'table=1,priority=7,ct_state=+trk+est actions=4',
     'udp4 udp4', slow=True, passes=5)
case('ct', 'a label', CT % ('', '') +
     'table=1,priority=9,in_port=1,ip,ct_state=+trk+new actions='
     'ct(commit,exec(set_field:0x123456789abcdef0fedcba9876543210'
     '->ct_label)),2\n'
     'table=1,priority=8,ct_state=+trk+est,'
     'ct_label=0x1234567800000000fedc000000000000/'
     '0xffffffff00000000ffff000000000000 actions=3\n'
     'table=1,priority=7,ct_state=+trk+est actions=4',
     'udp4 udp4', slow=True, passes=5)
case('ct', 'invalid packets', CT % ('', '') +
     'table=1,priority=9,ct_state=+trk+inv actions=3\n'
     'table=1,priority=8,ct_state=+trk+new actions=2', 'tcp4-rst udp4',
     slow=True, passes=5)
case('ct', 'two zones, one after the other',
     'priority=9,ip,ct_state=-trk actions=ct(table=1,zone=1)\n'
     'table=1,in_port=1,ct_state=+trk+new,ip actions='
     'ct(commit,zone=1),ct(table=2,zone=2)\n'
     'table=1,in_port=1,ct_state=+trk+est,ip actions=ct(table=2,zone=2)\n'
     'table=2,ct_state=+trk+new,ip actions=ct(commit,zone=2),2\n'
     'table=2,ct_state=+trk+est,ip actions=2',
     'udp4 udp4', slow=True, passes=5)
case('ct', 'source address translation',
     'priority=9,in_port=1,ip,ct_state=-trk actions=ct(table=1,nat)\n'
     'priority=9,in_port=2,udp,ct_state=-trk actions=ct(table=1,nat)\n'
     'table=1,in_port=1,ct_state=+trk+new,ip actions='
     'ct(commit,nat(src=10.1.0.77)),2\n'
     'table=1,in_port=1,ct_state=+trk+est,ip actions=2\n'
     'table=1,in_port=2,ct_state=+trk+est,ip actions=1\n'
     'table=1,priority=1,ip actions=3',
     'udp4 udp4 icmp4 tcp4-syn', slow=True, passes=5)
case('ct', 'destination address and port translation',
     'priority=9,in_port=1,ip,ct_state=-trk actions=ct(table=1,nat)\n'
     'table=1,in_port=1,ct_state=+trk+new,udp actions='
     'ct(commit,nat(dst=10.1.0.88:53)),2\n'
     'table=1,in_port=1,ct_state=+trk+est,udp actions=2',
     'udp4 udp4 udp4-odd', slow=True, passes=5)
case('ct', 'IPv6 address translation',
     'priority=9,in_port=1,ipv6,ct_state=-trk actions=ct(table=1,nat)\n'
     'table=1,in_port=1,ct_state=+trk+new,udp6 actions='
     'ct(commit,nat(src=fd00::77)),2\n'
     'table=1,in_port=1,ct_state=+trk+est,udp6 actions=2',
     'udp6 udp6 udp6-odd', slow=True, passes=5)
case('ct', 'clear',
     'in_port=1,ip,ct_state=-trk actions=ct(table=1)\n'
     'table=1,ip actions=ct_clear,2', 'udp4', slow=True)
case('ct', 'forced commit',
     'priority=9,in_port=1,ip,ct_state=-trk actions=ct(table=1)\n'
     'table=1,in_port=1,ct_state=+trk,ip actions=ct(commit,force),2',
     'udp4 udp4', slow=True, passes=5)
case('ct', 'TCP', CT % ('', '') + COMMIT % '',
     'tcp4-syn 2:tcp4-synack tcp4', slow=True, passes=5)

# check_pkt_len.

LARGER = 'in_port=1 actions=check_pkt_larger(%d)->NXM_NX_REG0[0],' \
         'resubmit(,1)\n'
case('check-pkt-len', 'one port or the other', LARGER % 514 +
     'table=1,reg0=1 actions=2\ntable=1,reg0=0 actions=3',
     'size-513 size-514 size-515 size-60 size-1514')
case('check-pkt-len', 'drop of what is too long', LARGER % 514 +
     'table=1,reg0=1 actions=drop\ntable=1,reg0=0 actions=2',
     'size-514 size-515')
case('check-pkt-len', 'drop of what is short', LARGER % 514 +
     'table=1,reg0=1 actions=2\ntable=1,reg0=0 actions=drop',
     'size-514 size-515')
case('check-pkt-len', 'a change for one', LARGER % 514 +
     'table=1,reg0=1 actions=set_field:02:aa:bb:cc:dd:ee->eth_dst,2\n'
     'table=1,reg0=0 actions=2,3', 'size-514 size-515')
case('check-pkt-len', 'of tagged packets', LARGER % 514 +
     'table=1,reg0=1 actions=2\ntable=1,reg0=0 actions=3',
     'size-514 size-518 size-519 size-vlan-518 size-vlan-519')

# Tunnels.


def tunnel(title, kind, options, flows, packets, before=(), **kwargs):
    case('tunnel', title, flows, packets,
         before=['ovs-vsctl add-port br0 t9 -- set interface t9 type=%s '
                 'ofport_request=9 options:df_default=false %s'
                 % (kind, ' '.join('options:' + o for o in options.split()))]
         + list(before),
         after=['ovs-vsctl del-port t9'], **kwargs)


OUT, IN = 'in_port=1 actions=9\n', 'in_port=9 actions=1\n'
R4, R6 = 'remote_ip=172.31.1.2 ', 'remote_ip=fd31::2 '
tunnel('VXLAN, in', 'vxlan', R4 + 'key=77', OUT,
       'udp4 tcp4 udp6 arp-request vlan-udp4')
tunnel('VXLAN, out', 'vxlan', R4 + 'key=77', IN,
       'U:vxlan-udp4 U:vxlan-tcp4 U:vxlan-udp6 U:vxlan-vlan-udp4')
tunnel('VXLAN, out, the checksum of the outer header', 'vxlan',
       R4 + 'key=77', IN, 'U:vxlan-csum-udp4 U:vxlan-udp4', software=None)
tunnel('VXLAN, network chosen by the flow', 'vxlan', R4 + 'key=flow',
       'in_port=1,udp actions=set_field:77->tun_id,9\n'
       'in_port=1,tcp actions=set_field:78->tun_id,9\n'
       'in_port=9,tun_id=77 actions=1\nin_port=9,tun_id=78 actions=2',
       'udp4 tcp4 U:vxlan-udp4 U:vxlan-78-udp4')
tunnel('VXLAN, network of more than 24 bits', 'vxlan', R4 + 'key=flow',
       'in_port=1 actions=set_field:0x100004d->tun_id,9\n'
       'in_port=9,tun_id=0x100004d actions=1\nin_port=9 actions=2',
       'udp4 U:vxlan-udp4', software=None)
tunnel('VXLAN, end point chosen by the flow', 'vxlan',
       'remote_ip=flow key=77',
       'in_port=1 actions=set_field:172.31.1.2->tun_dst,9\n'
       'in_port=9,tun_src=172.31.1.2 actions=1\n'
       'in_port=9,tun_src=172.31.1.3 actions=2',
       'udp4 U:vxlan-udp4 U:vxlan-src-udp4')
tunnel('VXLAN, TOS and TTL', 'vxlan', R4 + 'key=77 tos=0x28 ttl=9', OUT + IN,
       'udp4 udp6')
tunnel('VXLAN, TOS of what is inside', 'vxlan', R4 + 'key=77 tos=inherit',
       OUT, 'udp4 udp4-tos')
tunnel('VXLAN, TTL of what is inside', 'vxlan', R4 + 'key=77 ttl=inherit',
       OUT, 'udp4 udp4-ttl9')
tunnel('VXLAN, match on TOS', 'vxlan', R4 + 'key=77 tos=inherit', IN,
       'U:vxlan-udp4 U:vxlan-tos-udp4 U:vxlan-ttl-udp4', software=None)
tunnel('VXLAN, with a checksum', 'vxlan', R4 + 'key=77 csum=true', OUT,
       'udp4 tcp4')
tunnel("VXLAN, don't fragment", 'vxlan', R4 + 'key=77 df_default=true',
       OUT, 'udp4', software=None)
tunnel('VXLAN, group policy', 'vxlan', R4 + 'key=77 exts=gbp',
       'in_port=1 actions=set_field:0x1234->tun_gbp_id,9\n'
       'in_port=9,tun_gbp_id=0x1234 actions=1\nin_port=9 actions=2',
       'udp4 U:vxlan-gbp-udp4 U:vxlan-gbp-other')
tunnel('VXLAN over IPv6', 'vxlan', R6 + 'key=77', OUT + IN,
       'udp4 udp6 U:vxlan-over6-udp4')
tunnel('VXLAN, and a copy to a port', 'vxlan', R4 + 'key=77',
       'in_port=1 actions=9,2', 'udp4 udp6')
tunnel('VXLAN, after a copy to a port', 'vxlan', R4 + 'key=77',
       'in_port=1 actions=2,9', 'udp4 udp6')
tunnel('VXLAN, out with a change', 'vxlan', R4 + 'key=77',
       'in_port=9,ip actions=set_field:172.16.9.8->ip_dst,1',
       'U:vxlan-udp4')
tunnel('VXLAN, in with a change and a tag', 'vxlan', R4 + 'key=77',
       'in_port=1,ip actions=set_field:172.16.9.8->ip_dst,%s,9' % PUSH,
       'udp4 udp4-odd')
tunnel('VXLAN, out to two ports', 'vxlan', R4 + 'key=77',
       'in_port=9 actions=1,2', 'U:vxlan-udp4')
tunnel('VXLAN, out to the internal port', 'vxlan', R4 + 'key=77',
       'in_port=9 actions=LOCAL', 'U:vxlan-udp4')
# Open vSwitch asks for the packet's own source port, too.
tunnel('from VXLAN to Geneve', 'vxlan', R4 + 'key=77',
       'in_port=9 actions=set_field:5->tun_id,8', 'U:vxlan-udp4', software=ALL,
       before=['ovs-vsctl --if-exists del-port t8 -- add-port br0 t8 -- set '
               'interface t8 type=geneve ofport_request=8 options:key=flow '
               'options:df_default=false options:remote_ip=172.31.1.2'])
tunnel('Geneve', 'geneve', R4 + 'key=77', OUT + IN,
       'udp4 tcp4 udp6 U:geneve-udp4')
MAP = ["ovs-ofctl dump-tlv-map br0 | grep -q 0x102 || ovs-ofctl add-tlv-map "
       "br0 '{class=0x102,type=0x80,len=4}->tun_metadata0,"
       "{class=0x102,type=1,len=8}->tun_metadata1'"]
tunnel('Geneve, set an option', 'geneve', R4 + 'key=77',
       'in_port=1 actions=set_field:0x123456789abcdef0->tun_metadata1,9',
       'udp4 udp6', before=MAP)
# The kernel's TC doesn't tell in the header that there is a critical option.
tunnel('Geneve, set a critical option', 'geneve', R4 + 'key=77',
       'in_port=1 actions=set_field:0x12345678->tun_metadata0,9',
       'udp4 udp6', before=MAP, ignore=(43, 44))
# Open vSwitch's flow for a packet without options matches any, in software,
# too: so that packet comes last.
tunnel('Geneve, match an option', 'geneve', R4 + 'key=77',
       'priority=9,in_port=9,tun_metadata0=0x12345678 actions=1\n'
       'priority=1,in_port=9 actions=2',
       'U:geneve-opt-udp4 U:geneve-opt-other U:geneve-udp4', before=MAP)
tunnel('GRE', 'gre', R4 + 'key=77', OUT + IN, 'udp4 udp6 U:gre-udp4')
tunnel('GRE, key chosen by the flow', 'gre', R4 + 'key=flow',
       'in_port=1 actions=set_field:78->tun_id,9\n'
       'in_port=9,tun_id=77 actions=1\nin_port=9,tun_id=78 actions=2',
       'udp4 U:gre-udp4 U:gre-78-udp4')
tunnel('GRE, with a checksum', 'gre', R4 + 'key=77 csum=true', OUT + IN,
       'udp4 U:gre-csum-udp4', software=None)
tunnel('GRE over IPv6', 'ip6gre', R6 + 'key=77', OUT + IN,
       'udp4 U:gre-over6-udp4', software=None)

# What stays in software goes where it should all the same.

case('software', 'dec_ttl of a group of select', 'in_port=1 '
     'actions=group:1', 'udp4 udp6', software=ALL,
     before=['ovs-ofctl -OOpenFlow15 add-group br0 '
             'group_id=1,type=select,selection_method=dp_hash,'
             'bucket=bucket_id=1,actions=2'],
     after=['ovs-ofctl -OOpenFlow15 del-groups br0'])
case('software', 'truncated output',
     'in_port=1 actions=output(port=2,max_len=64)', 'udp4 size-514',
     software=ALL)
case('software', 'sample', 'in_port=1 actions=sample(probability=65535,'
     'collector_set_id=1,obs_domain_id=1,obs_point_id=1),2',
     'udp4 tcp4', software=ALL,
     before=['ovs-vsctl -- --id=@b get Bridge br0 -- --id=@i create IPFIX '
             'targets=\\"127.0.0.1:4739\\" -- create Flow_Sample_Collector_Set '
             'id=1 bridge=@b ipfix=@i >/dev/null'],
     after=['ovs-vsctl -- --all destroy Flow_Sample_Collector_Set'])
case('software', 'a copy to the controller', 'in_port=1 '
     'actions=controller,2', 'udp4 udp6', software=ALL)
case('software', 'NSH push', 'in_port=1,ip actions=encap(nsh(md_type=1)),'
     'set_field:0x1234->nsh_spi,encap(ethernet),2', 'udp4', software=ALL)
case('software', 'clone with a change inside', 'in_port=1 '
     'actions=clone(ct_clear,set_field:02:aa:bb:cc:dd:ee->eth_dst,3),2',
     'udp4', software=None)
case('software', 'refused and accepted next to each other',
     'in_port=1,udp actions=output(port=2,max_len=64)\nin_port=1,tcp '
     'actions=2', 'udp4 tcp4', software='udp4')
