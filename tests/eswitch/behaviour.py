# SPDX-License-Identifier: Apache-2.0
"""What the eswitch does with rules, counters and faults.

Usage: behaviour.py GROUP"""

from scapy.all import Ether, IP, raw

from eswitch import Eswitch, check, run
from packets import (
    ETH, IP4, L4_UDP, PLAIN, PLAIN6, TAGGED, V4_VXLAN, rewritten)

SIZE = len(raw(PLAIN))
UDP4 = ETH / IP4 / L4_UDP


def misses():
    """Whatever was done to a packet that then misses, it arrives whole, and
    nobody can see that anything was done."""
    ways = [
        "modify ipv4_src=1.2.3.4 / dec_ttl", "mark=7", "decap=vxlan",
        "sample [ output=3 ]", "vlan_push=0x8100 / modify vlan_vid=3",
        "encap=" + raw(ETH).hex(), "modify eth_type=0x1234",
    ]
    for way in ways:
        with Eswitch() as e:
            e.add(f"port=1 => count / {way} / jump=1")
            e.add("port=1 group=1 eth type=0x0801 => count / jump=2")
            e.add("port=1 group=1 eth / ipv4 dst=10.0.0.2 / tcp => "
                  "count / sample [ output=2 ] / jump=3")
            e.add("port=1 group=1 prio=1 eth / vlan => count / jump=3")
            for packet in PLAIN, V4_VXLAN, TAGGED:
                e.misses(1, packet)
            for rule in 1, 2, 3, 4:
                check(e.query(rule) == (0, 0), "a miss was counted")
            stats = e.say("stats 1")[0]
            check(" missed=3," in stats and " up=3," in stats,
                  "misses aren't counted as such")
    with Eswitch() as e:        # In the middle of a rule's actions.
        e.add("port=1 => count / sample [ output=3 ] / "
              "modify eth_src=0a:00:00:00:00:01 / vlan_pop / output=2")
        e.misses(1, PLAIN)
        check(e.query(1) == (0, 0), "a miss was counted")


def jumps():
    with Eswitch() as e:
        for group in range(40):
            e.add(f"port=1 group={group} => count / jump={group + 1}")
        e.misses(1, PLAIN)
        check(e.query(1) == (0, 0), "a miss was counted")
        e.say("flush 1")
        for group in range(32):
            e.add(f"port=1 group={group} => count / jump={group + 1}")
        last = e.add("port=1 group=32 => count / output=2")
        e.expect(1, PLAIN, ("end 2", PLAIN))
        check(e.query(last) == (1, SIZE), "not counted")
    with Eswitch() as e:        # In a circle.
        e.add("port=1 => jump=1")
        e.add("port=1 group=1 => jump=0")
        e.misses(1, PLAIN)
    with Eswitch() as e:        # Later groups see what was done.
        e.add("port=1 eth / ipv4 => modify ipv4_dst=1.2.3.4 / jump=1")
        e.add("port=1 group=1 eth / ipv4 dst=1.2.3.4 => vlan_push=0x8100 / "
              "modify vlan_vid=9 / jump=2")
        e.add("port=1 group=2 eth / vlan vid=9 => vlan_pop / output=2")
        e.expect(1, PLAIN, ("end 2", rewritten(PLAIN, IP, dst="1.2.3.4")))


def tunnel_stages():
    """Decapsulation in two stages: a miss in the second leaves the packet
    whole, and only the second counts."""
    outer = "eth / ipv4 src=10.0.0.1 dst=10.0.0.2 / udp dst=4789 / vxlan"
    with Eswitch() as e:
        first = e.add(f"port=0 {outer} vni=77 => jump=5")
        e.misses(0, V4_VXLAN)
        second = e.add(f"port=0 group=5 {outer} vni=77 / eth / "
                       "ipv4 dst=192.168.0.2 => count / decap=vxlan / "
                       "output=1")
        inner = Ether(raw(V4_VXLAN)[50:])
        e.expect(0, V4_VXLAN, ("end 1", inner))
        check(e.query(second) == (1, len(raw(V4_VXLAN))), "miscounted")
        answer = e.say(f"query {first}")
        check(answer[0].startswith("error EINVAL rule -1 "),
              "counters without count")


def priorities():
    with Eswitch() as e:
        e.add("port=1 prio=5 eth => output=0")
        e.expect(1, PLAIN, ("end 0", PLAIN))
        better = e.add("port=1 prio=4 eth / ipv4 => output=2")
        e.expect(1, PLAIN, ("end 2", PLAIN))
        best = e.add("port=1 prio=0 eth / ipv4 src=10.0.0.0/255.0.0.0 => "
                     "output=3")
        e.expect(1, PLAIN, ("end 3", PLAIN))
        e.expect(1, PLAIN6, ("end 0", PLAIN6))
        e.refused_once("port=1 prio=4 eth / ipv4 => drop", "EEXIST", "rule")
        e.say(f"del {best}")
        e.expect(1, PLAIN, ("end 2", PLAIN))
        # The same match with a better priority replaces without a gap.
        replaced = e.add("port=1 prio=3 eth / ipv4 => output=1")
        e.expect(1, PLAIN, ("end 1", PLAIN))
        e.say(f"del {better}")
        e.expect(1, PLAIN, ("end 1", PLAIN))
        e.say(f"del {replaced}")
        e.expect(1, PLAIN, ("end 0", PLAIN))
        check(e.say(f"del {replaced}")[0].startswith("error ENOENT rule"),
              "deleted twice")


def many_rules():
    """Tables grow, and rules that went away are gone."""
    def rule(i):
        return f"port=1 eth / ipv4 dst=10.1.{i >> 8}.{i & 255}"

    def packet(i):
        return rewritten(PLAIN, IP, dst=f"10.1.{i >> 8}.{i & 255}")

    with Eswitch() as e:
        ids = [e.add(f"{rule(i)} => output={i % 2}") for i in range(600)]
        for i in range(0, 600, 7):
            e.expect(1, packet(i), (f"end {i % 2}", packet(i)))
        for i in range(0, 600, 2):
            e.say(f"del {ids[i]}")
        for i in range(0, 600, 7):
            if i % 2:
                e.expect(1, packet(i), ("end 1", packet(i)))
            else:
                e.misses(1, packet(i))
        for i in range(0, 600, 2):
            e.add(f"{rule(i)} => output=3")
        for i in range(0, 600, 7):
            e.expect(1, packet(i), (f"end {1 if i % 2 else 3}", packet(i)))
        check(len(e.say("list")) == 600, "list is incomplete")


def items_refused():
    ok = "=> output=2"
    rows = [
        ("eth / tcp", "EINVAL", "item", 1, "tcp can't follow eth"),
        ("eth / ipv4 / arp", "EINVAL", "item", 2, "arp can't follow ipv4"),
        ("eth / ipv4 / icmp6", "EINVAL", "item", 2, "icmp6 can't follow"),
        ("eth / ipv6 / icmp", "EINVAL", "item", 2, "icmp can't follow"),
        ("eth / ipv4 / tcp / vxlan", "EINVAL", "item", 3, "vxlan"),
        ("eth / eth", "EINVAL", "item", 1, "eth can't follow eth"),
        ("eth / vlan / eth", "EINVAL", "item", 2, "eth can't follow vlan"),
        ("eth type=0x86dd / ipv4", "EINVAL", "item", 1, "another type"),
        ("eth / vlan type=0x0800 / ipv6", "EINVAL", "item", 2, "type"),
        ("eth / ipv4 proto=17 / tcp", "EINVAL", "item", 2, "protocol"),
        ("eth has_vlan=0 / vlan", "EINVAL", "item", 1, "without VLAN"),
        ("eth / ipv4 ttl=1..9", "EOPNOTSUPP", "item_last", 1, "range"),
        ("eth / ipv4 frag=2..0x1fff/0x1fff", "EOPNOTSUPP", "item_last", 1, ""),
        ("eth / ipv4 frag=1..0x1ffe/0x1fff", "EOPNOTSUPP", "item_last", 1, ""),
        ("eth / ipv4 frag=1..0x1fff/0xffff", "EOPNOTSUPP", "item_last", 1, ""),
        ("eth / ipv4 / udp / geneve / geneve_opt class=1 data=0x01020304",
         "EOPNOTSUPP", "item_mask", 4, "class and type"),
        ("eth / ipv4 / udp / geneve / "
         "geneve_opt class=1/0xff type=1 data=0x01020304", "EOPNOTSUPP",
         "item_mask", 4, "class and type"),
        ("eth / ipv4 / udp / geneve / "
         "geneve_opt class=1 type=1 len=1/3 data=0x01020304", "EOPNOTSUPP",
         "item_mask", 4, "length"),
        ("eth / ipv4 / udp / geneve / "
         "geneve_opt class=1 type=1 len=1 data=0x0102030405060708", "EINVAL",
         "item_spec", 4, "longer"),
        ("eth / ipv4 / udp / geneve_opt class=1 type=1 data=0x01020304",
         "EINVAL", "item", 3, "only follow geneve"),
        ("eth / ipv4 / gre_key key=1", "EINVAL", "item", 2, "follow gre"),
        ("port=9 / eth", "EINVAL", "item_spec", 0, "no port 9"),
        ("port=1/1 / eth", "EOPNOTSUPP", "item_mask", 0, "full mask"),
        ("port=1 / port=2 / eth", "EINVAL", "item", 1, "second port"),
        ("mark=1 / mark=2 / eth", "EINVAL", "item", 1, "second mark"),
    ]
    with Eswitch() as e:
        for pattern, errno, where, index, text in rows:
            e.refused(f"port=1 {pattern} {ok}", errno, where, index, text)
        e.refused("port=9 eth => output=2", "EINVAL", "port", -1, "no port 9")
        e.refused("port=1 ingress port=1 / eth => drop", "EOPNOTSUPP",
                  "item", 0, "one port anyway")
        check(not e.say("list"), "a refused rule is there")
        e.misses(1, PLAIN)


def actions_refused():
    rows = [
        ("", "EINVAL", "action_num", -1, "no fate"),
        ("count", "EINVAL", "action_num", -1, "no fate"),
        ("output=2 / drop", "EINVAL", "action", 1, "second fate"),
        ("output=2 / output=3", "EINVAL", "action", 1, "second fate"),
        ("jump=1 / output=2", "EINVAL", "action", 1, "second fate"),
        ("output=2 / count", "EINVAL", "action", 1, "after the fate"),
        ("count / count / drop", "EINVAL", "action", 1, "second count"),
        ("output=9", "EINVAL", "action_conf", 0, "no port 9"),
        ("software=9", "EINVAL", "action_conf", 0, "no port 9"),
        ("jump=0", "EINVAL", "action_conf", 0, "own group"),
        ("queue=1", "EOPNOTSUPP", "action", 0, "in a transfer rule"),
        ("rss=1", "EOPNOTSUPP", "action", 0, "in a transfer rule"),
        ("passthru", "EOPNOTSUPP", "action", 0, "in a transfer rule"),
        ("vlan_push=0x9100 / drop", "EOPNOTSUPP", "action_conf", 0, "0x9100"),
        ("modify ttl=1/0 / drop", "EINVAL", "action_conf", 0, "no bit"),
        ("modify vlan_vid=1/0xf001 / drop", "EINVAL", "action_conf", 0,
         "12 bits"),
        ("modify ttl+=1/0xf / drop", "EOPNOTSUPP", "action_conf", 0, "be set"),
        ("modify ttl@9=1 / drop", "EOPNOTSUPP", "action_conf", 0, "level"),
        ("copy tcp_src=ttl,16 / drop", "EINVAL", "action_conf", 0, "16 bits"),
        ("copy tcp_src:9=ttl,8 / drop", "EINVAL", "action_conf", 0, "bit 9"),
        ("copy tcp_src+=ttl,8 / drop", "EOPNOTSUPP", "action_conf", 0,
         "be set"),
        ("encap=0011 / drop", "EINVAL", "action_conf", 0, "cut short"),
        ("encap=" + raw(PLAIN)[:30].hex() + " / drop", "EINVAL",
         "action_conf", 0, "IP header is cut short"),
        ("encap=" + raw(UDP4)[:40].hex() + " / drop", "EINVAL",
         "action_conf", 0, "UDP header is cut short"),
        ("encap=" + "00" * 257 + " / drop", "EINVAL", "action_conf", 0,
         "256 bytes"),
        ("decap=ipv4 / drop", "EOPNOTSUPP", "action_conf", 0, "no tunnel"),
        ("raw_decap=0 / drop", "EINVAL", "action_conf", 0, "no bytes"),
        ("sample [ count / output=3 ] / drop", "EOPNOTSUPP", "action", 0,
         "count in a sample"),
        ("sample [ jump=3 ] / drop", "EOPNOTSUPP", "action", 0, "in a sample"),
        ("mark=1 / sample [ mark=3 ] / drop", "EINVAL", "action_conf", 1,
         "no fate in a sample"),
        ("sample [ sample [ drop ] / drop ] / drop", "EOPNOTSUPP", "action", 0,
         "sample in a sample"),
        ("sample [ output=3 / output=2 ] / drop", "EINVAL", "action", 0,
         "second fate"),
    ]
    with Eswitch() as e:
        for actions, errno, where, index, text in rows:
            e.refused(f"port=1 eth => {actions}", errno, where, index, text)
        for actions in ("output=2", "software=1", "vlan_pop / drop",
                        "modify ttl=1 / drop", "sample [ drop ] / drop"):
            e.refused(f"port=1 ingress eth => {actions}", "EOPNOTSUPP",
                      "action", 0, "in an ingress rule")
        check(not e.say("list"), "a refused rule is there")


def listing():
    """Each action's text can be parsed again, to the same."""
    lines = [
        "output=2", "software=1", "drop", "jump=7", "count / drop",
        "mark=9 / drop", "vlan_pop / vlan_push=0x88a8 / drop",
        "modify ipv4_src=1.2.3.4 / modify eth_dst=02:00:00:00:00:07 / drop",
        "modify ipv6_dst=::1/::ffff / modify ttl@2+=0x05 / drop",
        "copy tcp_src:3=ipv4_ttl@2:1,5 / dec_ttl / drop",
        "encap=" + raw(UDP4).hex() + " / drop", "decap=geneve / drop",
        "raw_decap=50 / drop",
        "sample [ mark=2 / vlan_pop / output=3 ] / sample [ drop ] / drop",
    ]
    for line in lines:
        with Eswitch() as e:
            e.add(f"port=1 group=3 prio=8 eth / ipv4 => {line}")
            first = e.say("list")[0].split(" port=", 1)[1]
            check(first == "1 group=3 prio=8 port=1 / eth / ipv4 => " + line,
                  f"listed as {first}")
    with Eswitch() as e:
        e.add("port=2 ingress eth => rss=1,2,3")
        check(" port=2 ingress group=0 prio=0 eth => rss=1,2,3"
              in e.say("list")[0], "ingress rule isn't listed as it was")


def capacity():
    with Eswitch(capacity=2) as e:
        first = e.add("port=1 eth / ipv4 => output=2")
        e.add("port=1 ingress eth => drop")
        e.refused_once("port=2 eth => output=1", "ENOSPC", "rule",
                       text="2 rules")
        e.say(f"del {first}")
        e.add("port=2 eth => output=1")
        e.say("capacity 1")
        e.refused_once("port=3 eth => output=1", "ENOSPC", "rule")
        e.say("capacity 0")
        e.add("port=3 eth => output=1")


def counters():
    """Counters are shown as of the last refresh."""
    with Eswitch(refresh=500) as e:
        rule = e.add("port=1 eth => count / output=2")
        e.say("clock 100")
        e.rx(1, PLAIN)
        e.say("clock 499")
        e.rx(1, PLAIN)
        check(e.query(rule) == (0, 0), "shown before the refresh")
        e.say("clock 500")
        check(e.query(rule) == (2, 2 * SIZE), "not shown after it")
        e.rx(1, PLAIN6)
        check(e.query(rule) == (2, 2 * SIZE), "shown before the next one")
        size = 2 * SIZE + len(raw(PLAIN6))
        e.say("clock 1700")
        e.rx(1, PLAIN)
        check(e.query(rule) == (3, size), "not as of the last refresh")
        check(f"shown=3,{size} live=4,{size + SIZE}" in e.say("list")[0],
              "listed otherwise than queried")
        e.say("refresh 0")
        check(e.query(rule) == (4, size + SIZE), "lag without refresh")
        e.say("refresh 100")
        check(e.query(rule) == (4, size + SIZE), "counters went backwards")
        # A rule starts from 0, whenever that is.
        e.say("clock 5050")
        new = e.add("port=2 eth => count / output=2")
        e.rx(2, PLAIN)
        check(e.query(new) == (0, 0), "shown before the refresh")
        e.say("clock 5100")
        check(e.query(new) == (1, SIZE), "not shown after the refresh")


def query_reset():
    """A reset takes away what was reported, and no more."""
    with Eswitch(refresh=500) as e:
        rule = e.add("port=1 eth => count / output=2")
        e.rx(1, PLAIN)
        e.say("clock 500")
        e.rx(1, PLAIN)
        check(e.query(rule, reset=True) == (1, SIZE), "wrong counters")
        check(e.query(rule, reset=True) == (0, 0), "reported twice")
        e.say("clock 1000")
        check(e.query(rule) == (1, SIZE), "what came after the refresh is "
              "lost")
        e.rx(1, PLAIN)
        e.say("refresh 0")
        check(e.query(rule, reset=True) == (2, 2 * SIZE), "wrong counters")
        e.say("refresh 500")
        check(e.query(rule) == (0, 0), "reported twice")
    with Eswitch() as e:
        # Bytes are those at the action.
        rule = e.add("port=1 eth => vlan_push=0x8100 / count / output=2")
        e.rx(1, PLAIN)
        check(e.query(rule) == (1, SIZE + 4), "wrong bytes")


def faults():
    """The nth operation fails, and only that one, and does nothing."""
    with Eswitch() as e:
        e.say("inject create 2 5")
        rule = e.add("port=1 eth => count / output=2")
        answer = e.say("add port=2 eth => output=1")
        check(answer[0].startswith("error EIO none -1 injected"), "no fault")
        e.misses(2, PLAIN)
        e.add("port=2 eth => output=1")
        e.say("inject destroy 1 16")
        check(e.say(f"del {rule}")[0].startswith("error EBUSY"), "no fault")
        e.expect(1, PLAIN, ("end 2", PLAIN))
        e.say("inject query 1 110")
        check(e.say(f"query {rule}")[0].startswith("error ETIMEDOUT"),
              "no fault")
        check(e.query(rule) == (1, SIZE), "second fault")
        check(not e.say(f"del {rule}"), "second fault")
        e.misses(1, PLAIN)
        e.say("inject create 1 5")
        e.say("inject create 0 0")
        e.add("port=1 eth => output=2")


def poorer():
    """Items, actions and fields can be taken away, and given back."""
    rows = [
        ("item:vxlan", "eth / ipv4 / udp / vxlan => drop", "item", 3),
        ("item:port", "port=2 / eth => drop", "item", 0),
        ("action:sample", "eth => mark=1 / sample [ drop ] / drop", "action",
         1),
        ("action:mark", "eth => sample [ mark=1 / drop ] / drop", "action",
         0),
        ("field:ipv4_src", "eth => dec_ttl / modify ipv4_src=1.2.3.4 / drop",
         "action_conf", 1),
        ("field:ipv4_ttl", "eth => copy tcp_src=ipv4_ttl,8 / drop",
         "action_conf", 0),
        ("action:jump", "ingress eth => jump=1", "action", 0),
    ]
    with Eswitch() as e:
        for name, rule, where, index in rows:
            check(not e.say(f"refuse {name} on"), "can't be refused")
            e.refused(f"port=1 {rule}", "EOPNOTSUPP", where, index,
                      name.split(":")[1] + " isn't supported")
            check(not e.say(f"refuse {name} off"), "can't be given back")
            e.say(f"del {e.add(f'port=1 {rule}')}")
        for name in "item:none", "vxlan", "", "field:", "action:vxlan":
            check(e.say(f"refuse {name} on")[0].startswith("error EINVAL"),
                  "name is taken")


def gone():
    """Rules that a reset or a flush took away are gone, and only those."""
    with Eswitch() as e:
        mine = e.add("port=1 => count / jump=1")
        others = e.add("port=2 eth => output=1")
        e.add("port=1 group=1 => output=2")
        e.add("port=1 ingress eth => drop")
        check(e.say("flush 1") == ["flushed 3"], "flushed otherwise")
        e.misses(1, PLAIN)
        e.expect(2, PLAIN, ("end 1", PLAIN))
        check(e.say("reset") == ["event reset"], "no event")
        e.misses(2, PLAIN)
        for rule in mine, others:
            for command in "del", "query":
                check(e.say(f"{command} {rule}")[0]
                      .startswith("error ENOENT rule -1 "), "still there")
        new = e.add("port=1 eth => output=2")
        check(new not in (mine, others), "an id was used again")
        e.expect(1, PLAIN, ("end 2", PLAIN))


def statistics():
    with Eswitch() as e:
        e.add("port=1 eth / ipv4 => output=2")
        e.add("port=1 eth / ipv6 => drop")
        for packet in PLAIN, PLAIN, PLAIN6, TAGGED:
            e.rx(1, packet)
        e.say("rx 1 0102")
        e.say("rx 1 " + "00" * 16385)
        e.say(f"tx 1 {raw(PLAIN).hex()}")
        tagged = len(raw(TAGGED))
        total = 2 * SIZE + tagged + len(raw(PLAIN6)) + 2 + 16385
        check(e.say("stats 1")[0] == (
            f"stats end_rx=6,{total} end_tx=1,{SIZE} missed=1,{tagged} "
            f"up=1,{tagged} down=1,{SIZE} ruled_out=1 errors=2"), "miscounted")
        check(e.say("stats 2")[0].startswith(
            f"stats end_rx=0,0 end_tx=2,{2 * SIZE} missed=0,0"), "miscounted")


run({"miss": [misses, jumps, tunnel_stages], "priority": [priorities],
     "many": [many_rules], "items": [items_refused],
     "actions": [actions_refused], "list": [listing],
     "capacity": [capacity], "counters": [counters, query_reset],
     "faults": [faults], "poorer": [poorer], "gone": [gone],
     "statistics": [statistics]})
