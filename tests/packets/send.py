# SPDX-License-Identifier: Apache-2.0
"""Sends packets of library.py.

Usage: send.py --packets PACKETS [--ports N] [--interval SECONDS]
               NETNS INTERFACE NAME[*COUNT]...

Each NAME is sent COUNT times before the next one.  With --ports, each of them
is sent from N different UDP source ports (NAME is one without tags, options
and checksum), with a pause for the switch now and then.  With --interval,
there is a pause after each.
"""

import argparse
import sys
import time

from wire import Port, load


SOURCE_PORT = slice(14 + 20, 14 + 20 + 2)


def from_ports(frame, n):
    for i in range(n):
        yield (frame[:SOURCE_PORT.start] + (i + 1).to_bytes(2, 'big') +
               frame[SOURCE_PORT.stop:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--ports', type=int, default=0)
    parser.add_argument('--interval', type=float, default=0)
    parser.add_argument('--packets', required=True)
    for name in 'netns', 'interface':
        parser.add_argument(name)
    parser.add_argument('names', nargs='+')
    args = parser.parse_args()

    library = load(args.packets)
    port = Port(args.netns, args.interface)
    for item in args.names:
        name, _, count = item.partition('*')
        for _ in range(int(count or 1)):
            if not args.ports:
                port.send(library[name])
                if args.interval:
                    time.sleep(args.interval)
            for i, frame in enumerate(from_ports(library[name], args.ports)):
                port.send(frame)
                if i % 32 == 31:
                    time.sleep(0.02)
    return 0


if __name__ == '__main__':
    sys.exit(main())
