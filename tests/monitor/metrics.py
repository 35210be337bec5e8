# SPDX-License-Identifier: Apache-2.0

"""Reads Prometheus's text as Prometheus's own library for Python does.

    metrics.py check FILE|URL               can it be read?
    metrics.py get FILE|URL NAME [LABEL=VALUE]...    a sample's value, if any
"""

import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


def read(source):
    if source.startswith("http:"):
        with urllib.request.urlopen(source, timeout=20) as answer:
            return answer.read().decode("utf-8")
    with open(source, encoding="utf-8") as f:
        return f.read()


def check_histogram(family):
    """Buckets only grow, and the last is the count."""
    counts = {}
    for s in family.samples:
        labels = {k: v for k, v in s.labels.items() if k != "le"}
        key = tuple(sorted(labels.items()))
        if s.name.endswith("_bucket"):
            assert s.value >= counts.get(key, 0), s
            counts[key] = s.value
        elif s.name.endswith("_count"):
            assert s.value == counts[key], s


def check(families):
    seen = set()
    for family in families:
        assert family.type != "unknown", family
        assert family.documentation, family
        assert family.name not in seen, family
        seen.add(family.name)
        if family.type == "histogram":
            check_histogram(family)
        samples = [(s.name, tuple(sorted(s.labels.items())))
                   for s in family.samples]
        assert len(samples) == len(set(samples)), family
    assert "ovs_vswitchd_hw_offload" in seen


def main():
    families = list(text_string_to_metric_families(read(sys.argv[2])))
    if sys.argv[1] == "check":
        check(families)
        return
    wanted = dict(arg.split("=", 1) for arg in sys.argv[4:])
    for family in families:
        for s in family.samples:
            if (s.name == sys.argv[3]
                    and all(s.labels.get(k) == v for k, v in wanted.items())):
                print("%g" % s.value)


main()
