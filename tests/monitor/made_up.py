# SPDX-License-Identifier: Apache-2.0

"""Answers of a daemon that there isn't.  made_up.py status|flows"""

import json
import sys

WEIRD = 'a"b\\c\nd'

ENDS = [step * 10 ** power for power in range(1, 7) for step in (1, 2, 5)]

COUNTERS = dict.fromkeys((
    "offered", "inserted", "replaced", "deleted", "refused", "failed",
    "table_full", "evicted", "restored", "sweeps", "quiet_sweeps", "hw_packets", "hw_bytes",
    "sw_packets", "sw_bytes"), 0)


def histogram():
    return {"count": 9, "sum_us": 1000,
            "buckets": [{"le_us": end, "count": 7 if end < 100 else 9}
                        for end in ENDS] + [{"count": 9}]}


def port(name, rules, hardware):
    return dict(COUNTERS, port=name, datapath="system", number=1, kind="plain",
                backend="tc", rules=rules, in_hardware=hardware,
                in_software=rules - hardware, marked=0, put_p50_us=20,
                put_p99_us=150, sweep_p50_us=None, sweep_p99_us=None,
                counters_age_ms=500, last_sweep_us=None,
                insertion_rate=0.5, software_packets=1000,
                software_bytes=100000, hw_share_packets=90.0,
                hw_share_bytes=90.0)


def status():
    datapath = dict(
        COUNTERS, datapath="system", name="system@ovs-system", backend="tc",
        ports=2, rules=25, in_hardware=20, in_software=5, marked=0,
        hw_packets=9000, hw_bytes=900000, packets=10000, ovs_packets=1000,
        ovs_hits=900, ovs_missed=100, ovs_lost=0, ovs_flows=3,
        ovs_bytes=None, hw_share_packets=90.0, hw_share_bytes=None,
        rules_limit=200000, insertion_rate=12.5, refused=4, hw_share_ports=1,
        queue=0, table_full_rules=20, table_full_port="vm1",
        table_full_age_ms=3000,
        put_time=histogram(), sweep_time=histogram(), put_p50_us=20,
        put_p99_us=150, sweep_p50_us=20, sweep_p99_us=None)
    return {"version": "0.1.0", "enabled": True,
            "reason": "other_config:hw-offload is true", "offloaded": 25,
            "leaving": 0, "parents_in_software": 0,
            "refusals": [{"reason": "table-full", "count": 4,
                          "text": "hardware table is full"}],
            "refused_flows": [{"datapath": "system", "port": "vm1",
                               "reason": "table-full", "subject": None,
                               "flows": 3}],
            "ports": [port("vm1", 25, 20), port(WEIRD, 0, 0)],
            "datapaths": [datapath]}


def flows():
    """The more, the hotter: 40 of them are in hardware."""
    for i in range(1, 42):
        yield ("ufid:%08x-0000-0000-0000-000000000000, skb_priority(0/0),"
               "recirc_id(0),in_port(vm1),packet_type(ns=0/0,id=0/0),"
               "eth(src=00:00:00:00:00:00/00:00:00:00:00:00,"
               "dst=02:00:00:00:00:01),eth_type(0x0800),"
               "ipv4(src=0.0.0.0/0.0.0.0,dst=10.0.0.%d,frag=no), "
               "packets:%d, bytes:%d, used:0.1s, %sactions:vm2" % (
                   i, i, 1000000 // i, 100000000 // i,
                   "offloaded:yes, dp:tc, " if i < 41 else "dp:ovs, "))


if sys.argv[1:] == ["status"]:
    print(json.dumps(status()))
elif sys.argv[1:] == ["flows"]:
    print("\n".join(flows()))
