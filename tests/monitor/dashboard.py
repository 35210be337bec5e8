# SPDX-License-Identifier: Apache-2.0

"""dashboard.py DASHBOARD METRICS: names that the dashboard asks for and nobody
exports."""

import json
import re
import sys

# The exporter's own.
OTHERS = {"ovs_offload_up"}


def main():
    with open(sys.argv[1]) as f:
        panels = json.load(f)["panels"]
    with open(sys.argv[2]) as f:
        names = set(re.findall(r"^(\w+)", f.read(), re.M)) | OTHERS
    assert len({p["id"] for p in panels}) == len(panels) > 7
    wanted = {name for p in panels for t in p["targets"]
              for name in re.findall(r"\b(ovs_\w+)", t["expr"])}
    print("\n".join(sorted(wanted - names)), end="")


main()
