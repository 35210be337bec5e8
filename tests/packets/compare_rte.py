# SPDX-License-Identifier: Apache-2.0
"""Does a rule in the NIC do to a packet what the userspace datapath does?

Usage: compare_rte.py PACKETS PREFIX GROUP...

The daemon in OVS_RUNDIR has a bridge "br0" on the NIC in software, whose VFs 0
to 3 are its ports 1 to 4; their far ends are in the network namespace "ends".
PREFIX is DPDK's --file-prefix.

Each case of the GROUPs (see cases.py) is played twice: first, the NIC refuses
all rules, so that software switches; then it takes them, until no packet comes
up to software any more.  What comes out must be the same always.

Prints a line a case, and fails if one did.  For some, rules aren't expected
(SOFTWARE): these are to be the same, too.
"""

import json
import socket
import sys
import time

import cases
from compare import (QUIET_SOFTWARE, QUIET_TC, Failure, comparable,
                     describe_difference)
from daemon import Daemon
from openflow import compile_flows, replace_flows
from wire import Port, collect, load

PORTS = {str(i + 1): f'eswim0vf{i}' for i in range(4)}
NIC = 'net_eswim0'
PASSES = 6

# So many packets of these cases stay in software.
SOFTWARE = {
    # No Ethernet II.
    'match-ethernet: no type at all': 1,
    'output: what is not IP': 2,
    # One megaflow, but a rule is for one number of tags.
    'match-vlan: a VLAN': 1,
    'match-vlan: 802.1ad': 1,
    'output: tagged packets': 3,
    'set-ethernet: destination': 1,
    # Refused by the tables.
    'match-ipv6: flow label': 2,
    'match-ipv6: neighbour solicitation target': 2,
    'output: more outputs than a rule can have actions': 1,
    'mpls: push': 2,
    'mpls: push on IPv6': 1,
    'mpls: push on a label': 1,
    'mpls: multicast ethertype': 1,
    'mpls: pop to IPv4': 2,
    'mpls: pop to IPv6': 1,
    'mpls: pop one of two': 1,
    'mpls: swap the label': 2,
    'mpls: set the class': 1,
    'mpls: set the TTL': 1,
    'mpls: decrement the TTL': 2,
    'set-ethernet: ARP operation stays in software': 1,
    'set-ipv6: flow label': 1,
    'set-transport: sctp src': 2,
    'set-transport: sctp src behind IP options': 2,
    'set-transport: sctp6 src': 2,
    'set-transport: sctp dst': 2,
    'set-transport: sctp dst behind IP options': 2,
    'set-transport: sctp6 dst': 2,
    # To the controller.
    'set-ipv4: TTL, by one': 1,
    'set-ipv4: TTL of 1, by one': 1,
}


class Hardware:
    """What the NIC says of itself."""

    def __init__(self, prefix):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(f'/var/run/dpdk/{prefix}/dpdk_telemetry.v2')
        self.socket.recv(4096)

    def ask(self, command):
        self.socket.send(command.encode())
        return next(iter(json.loads(self.socket.recv(65536)).values()))

    def set(self, setting):
        answer = self.ask(f'/eswim/set,{NIC},{setting}')
        if answer != 'ok':
            raise Failure(answer)

    def n_up(self):
        """Packets of the VFs that have come up to software."""
        return sum(port['up']
                   for port in self.ask(f'/eswim/ports,{NIC}').values()
                   if port['end'] in PORTS.values())


class Host:
    def __init__(self, prefix):
        self.daemon = Daemon('.')
        self.hardware = Hardware(prefix)
        self.ports = {n: Port('ends', name) for n, name in PORTS.items()}

    def forget(self):
        for command in 'pause', 'purge', 'resume':
            self.daemon.appctl('revalidator/' + command)
        collect(self.ports.values(), 0)


def is_judge(case, name):
    """The userspace datapath writes a checksum into the payload of later
    fragments when it sets an address: it's no judge of them."""
    return case.group != 'set-fragment' or not name.endswith('4-later')


def is_possible(case):
    """Without the internal port, tunnels, and other configuration."""
    return (all(port in PORTS for port, _ in case.packets)
            and all(is_judge(case, name) for _, name in case.packets)
            and not case.before and not case.after
            and not any(word in case.flows
                        for word in ('LOCAL', 'NORMAL', 'tun_', 'ct(')))


def send(host, case, quiet, one_by_one=False):
    frames = []
    for port, name in case.packets:
        host.ports[port].send(LIBRARY[name])
        if one_by_one:
            frames += collect(host.ports.values(), 0, first=0.04)
    return comparable(case, frames + collect(host.ports.values(), quiet))


def check_same(wanted, got, where):
    if got != wanted:
        raise Failure(f'{where}: not the same packets'
                      + describe_difference(wanted, got))


def patiently(host, case, wanted, quiet):
    """Sends the packets; waits for those that are late."""
    got = send(host, case, quiet)
    for _ in range(20):
        if got == wanted:
            break
        got = sorted(got + comparable(case, collect(host.ports.values(), 0.1)))
    return got


def software_does(host, case):
    """What comes out in software, twice the same: a slow machine may be late
    with the first packets."""
    wanted = send(host, case, 4 * QUIET_SOFTWARE, True)
    for _ in range(PASSES):
        again = send(host, case, 4 * QUIET_SOFTWARE)
        if again == wanted:
            return wanted
        collect(host.ports.values(), 1)
        wanted = again
    raise Failure('software does each time something else')


def run_case(host, case):
    """Returns how many packets of the last pass came up to software."""
    replace_flows('br0.mgmt', case.messages)
    host.hardware.set('refuse=action:count')
    host.forget()
    wanted = software_does(host, case)
    if case.drops != (not wanted):
        raise Failure(f'{len(wanted)} packets came out')

    host.hardware.set('refuse=none')
    host.forget()
    up = len(case.packets)
    for number in range(PASSES):
        before = host.hardware.n_up()
        got = patiently(host, case, wanted,
                        QUIET_SOFTWARE if number < 2 else QUIET_TC)
        check_same(wanted, got, f'pass {number + 1}')
        up = host.hardware.n_up() - before
        if not up:
            break
        time.sleep(0.05)
    return up


def report(host, case):
    try:
        up = run_case(host, case)
        if up != SOFTWARE.get(f'{case.group}: {case.title}', 0):
            raise Failure(f'{up} of {len(case.packets)} packets in software')
    except Failure as failure:
        print(f'not ok - {case.group}: {case.title}: {failure}')
        for flow in host.daemon.flows():
            print('    ' + flow.text)
        return False
    print(f'ok - {case.group}: {case.title}')
    return True


def main():
    host = Host(sys.argv[2])
    chosen = [case for case in cases.CASES
              if case.group in sys.argv[3:] and is_possible(case)]
    for case, messages in zip(chosen, compile_flows([case.flows
                                                     for case in chosen])):
        case.messages = messages
    failed = [case for case in chosen if not report(host, case)]
    print(f'{len(chosen) - len(failed)} passed, {len(failed)} failed')
    return 1 if failed or not chosen else 0


if __name__ == '__main__':
    LIBRARY = load(sys.argv[1])
    sys.exit(main())
