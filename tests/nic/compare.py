# SPDX-License-Identifier: Apache-2.0
"""Compares what the NIC does to packets with what the kernel does.

Usage: compare.py PACKETS RULES

For each line of RULES (see the file "rules"), TC first executes the rules
itself (skip_hw), then leaves them to the NIC (skip_sw).  All packets of
library.py are sent from guest vm1, or the wire if the rules are on p0; what
comes out of every other end, to the byte and in order, and what the rules have
counted, must be the same.

The representors are r1, r2, r3 and the uplink p0 in namespace "hv", the guests
are vm1, vm2, vm3 and "peer" is at the wire.
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, 'packets'))
from wire import Port, collect, load  # noqa: E402

PORTS = {'r1': 'vm1', 'r2': 'vm2', 'r3': 'vm3', 'p0': 'peer'}
FLAGS = {'software': 'skip_hw', 'hardware': 'skip_sw'}
WORDS = {'TO': 'action mirred egress redirect dev',
         'COPY': 'action mirred egress mirror dev'}


def tc(command):
    return subprocess.run(['tc', '-n', 'hv'] + command, check=True,
                          capture_output=True, text=True).stdout


def command_of(rule, pref, flag):
    port, protocol, *flower = rule.split()
    words = ' '.join(WORDS.get(word, word) for word in flower).split()
    return (f'filter add dev {port} ingress protocol {protocol} pref {pref} '
            f'flower {flag}'.split() + words)


def counted(port):
    """How many packets each rule of 'port' has counted, in order."""
    dump = json.loads(tc(['-s', '-j', 'filter', 'show', 'dev', port,
                          'ingress']))
    return [rule['options']['actions'][-1]['stats']['packets']
            for rule in dump if 'actions' in rule.get('options', {})]


def execute(rules, where, ends, frames):
    """Returns what came out, as (end, frame), and what the rules counted."""
    port = rules[0].split()[0]
    try:
        for i, rule in enumerate(rules):
            tc(command_of(rule, i + 1, FLAGS[where]))
        for frame in frames:
            ends[port].send(frame)
        out = collect(ends.values(), 0.15)
        return sorted(out, key=lambda item: item[0]), counted(port)
    finally:
        subprocess.run(['tc', '-n', 'hv', 'filter', 'del', 'dev', port,
                        'ingress'])


def difference(soft, hard):
    if soft[1] != hard[1]:
        return f'software counts {soft[1]}, hardware {hard[1]}'
    for s, h in zip(soft[0], hard[0]):
        if s != h:
            return f'software  {s[0]} {s[1].hex()}\nhardware  {h[0]} ' \
                   f'{h[1].hex()}'
    if len(soft[0]) != len(hard[0]):
        return f'{len(soft[0])} packets by software, {len(hard[0])} by ' \
               'hardware'
    return None


def main():
    packets, path = sys.argv[1:]
    library = load(packets)
    ends = {}
    for port, netns in PORTS.items():
        ends[port] = Port(netns, 'eth0')
        ends[port].name = port
    with open(path) as f:
        lines = [line.strip() for line in f]
    n_wrong = n_lines = n_out = 0
    for line in lines:
        if not line or line.startswith('#'):
            continue
        left_out = ''
        if line.startswith('NOT '):
            _, left_out, line = line.split(maxsplit=2)
        frames = [frame for name, frame in library.items()
                  if name != left_out]
        rules = [rule.strip() for rule in line.split(';')]
        n_lines += 1
        try:
            soft = execute(rules, 'software', ends, frames)
            hard = execute(rules, 'hardware', ends, frames)
            wrong = difference(soft, hard)
            n_out += len(hard[0])
        except subprocess.CalledProcessError as error:
            wrong = error.stderr
        if wrong:
            n_wrong += 1
            print(f'{line}\n{wrong}')
    print(f'{n_wrong} of {n_lines} differ; {n_out} packets came out')
    return 1 if n_wrong or not n_out else 0


if __name__ == '__main__':
    sys.exit(main())
