# SPDX-License-Identifier: Apache-2.0

"""Prints members of ports, as offload/ports --format=json lists them:

    ports.py FILE MEMBER...     a line a port, by name, "-" for what isn't there
"""

import json
import sys


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


def main():
    with open(sys.argv[1]) as f:
        ports = json.load(f)["ports"]
    for port in sorted(ports, key=lambda p: p["port"]):
        print(" ".join(text(port[m]) if m in port else "-"
                       for m in sys.argv[2:]))


main()
