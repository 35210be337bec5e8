# SPDX-License-Identifier: Apache-2.0
"""Sends packets of library.py.

Usage: send.py PACKETS NETNS INTERFACE NAME[*COUNT]...

Each NAME is sent COUNT times before the next one.
"""

import sys

from wire import Port, load


def main():
    library = load(sys.argv[1])
    port = Port(sys.argv[2], sys.argv[3])
    for item in sys.argv[4:]:
        name, _, count = item.partition('*')
        for _ in range(int(count or 1)):
            port.send(library[name])
    return 0


if __name__ == '__main__':
    sys.exit(main())
