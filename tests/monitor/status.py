# SPDX-License-Identifier: Apache-2.0

"""Compares what offload/status says with what others do.

    status.py STATUS TC PORT        TC: "tc -s -j filter show dev PORT ingress"
    status.py STATUS get KEY...     a member, by names and array indices
"""

import json
import sys


def flowers(filters):
    """The flower filters of a listing, but for the one without a handle that
    stands for a priority."""
    return [f for f in filters
            if f.get("kind") == "flower" and "handle" in f.get("options", {})]


def counted(filters):
    """Packets and bytes of each filter's first action."""
    packets = bytes_ = 0
    for f in flowers(filters):
        stats = f["options"]["actions"][0]["stats"]
        packets += stats["packets"]
        bytes_ += stats["bytes"]
    return packets, bytes_


def compare(status, filters, port):
    """What of 'port' differs."""
    found = next(p for p in status["ports"] if p["port"] == port)
    packets, bytes_ = counted(filters)
    in_hw = sum(f["options"].get("in_hw", False) for f in flowers(filters))
    return [
        "%s: %s, tc: %s" % (what, ours, theirs)
        for what, ours, theirs in (
            ("rules", found["rules"], len(flowers(filters))),
            ("in_hardware", found["in_hardware"], in_hw),
            ("packets", found["hw_packets"] + found["sw_packets"], packets),
            ("bytes", found["hw_bytes"] + found["sw_bytes"], bytes_))
        if ours != theirs]


def main():
    with open(sys.argv[1]) as f:
        status = json.load(f)
    if sys.argv[2] == "get":
        for key in sys.argv[3:]:
            status = status[int(key) if key.isdigit() else key]
        print(json.dumps(status, sort_keys=True))
        return
    with open(sys.argv[2]) as f:
        different = compare(status, json.load(f), sys.argv[3])
    print("\n".join(different), end="\n" if different else "")
    sys.exit(1 if different else 0)


main()
