# SPDX-License-Identifier: Apache-2.0
"""Does a rule in TC do to a packet what the software datapath does?

Usage: compare.py PACKETS GROUP

There are two hosts, network namespaces "sw" and "hw", alike but for
hw-offload.  Each case of GROUP (see cases.py) is given to both: the same
OpenFlow flows, the same packets.  What comes out, and where, must be the same
from the first packet, which is switched in software, to the last, which must
be switched by TC where the case says so: the kernel's datapath may not see
it, and the counters of dp:tc flows must have grown by just that packet.

Prints a line a case, details of those that fail, and fails if one did.
"""

import os
import subprocess
import sys
import time

import cases
from daemon import Daemon
from openflow import compile_flows, replace_flows
from wire import Port, collect, load

MAX_PASSES = 6

# How long nothing must come out until a pass is over, in seconds.  TC is done
# with a packet when it has been sent; ovs-vswitchd's threads aren't.
QUIET_SOFTWARE = 0.06
QUIET_TC = 0.02

# How long to wait, in seconds, for what only one of the hosts has sent yet.
PATIENCE = 3

RUN = '/tmp/ovs/'


class Host:
    def __init__(self, name):
        self.name = name
        self.daemon = Daemon(RUN + name)
        self.ports = {n: Port(name, i) for n, i in cases.PORTS.items()}

    def sh(self, command):
        return subprocess.Popen(command, shell=True, executable='/bin/sh',
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT,
                                env={**ENV, 'OVS_RUNDIR': RUN + self.name,
                                     'HOST': self.name})

    def forget(self):
        """No flow, no connection and no packet of the case before."""
        # Who is deleting flows himself would complain.
        self.daemon.appctl('revalidator/pause')
        self.daemon.appctl('revalidator/purge')
        self.daemon.appctl('revalidator/resume')
        self.daemon.appctl('dpctl/flush-conntrack')
        self.daemon.appctl('fdb/flush', 'br0')
        collect(self.ports.values(), 0)

    def packet_counts(self):
        """By layer and ufid, of what packets meet first."""
        return {(flow.layer, flow.ufid): flow.packets
                for flow in self.daemon.flows() if flow.recirc_id == 0}


class Failure(Exception):
    pass


def both(hosts, command):
    """Runs a shell command for both hosts at once."""
    for process in [host.sh(command) for host in hosts]:
        output, _ = process.communicate()
        if process.returncode:
            raise Failure('%s: %s' % (command, output.decode()))


def send_all(host, packets, one_by_one):
    """Returns what came out: a sorted list of (port, frame)."""
    frames = []
    for port, name in packets:
        host.ports[port].send(LIBRARY[name])
        if one_by_one:
            frames += collect(host.ports.values(), 0, first=0.04)
    return frames


def run_pass(hosts, case, number):
    """Sends the packets to both hosts.  Returns what came out, by host."""
    frames = {host.name: send_all(host, case.packets, number == 0 or case.slow)
              for host in hosts}
    quiet = QUIET_TC if number and case.software == '' else QUIET_SOFTWARE
    deadline = time.monotonic() + PATIENCE
    while True:
        for host in hosts:
            frames[host.name] += collect(host.ports.values(), quiet)
        results = {name: comparable(case, items)
                   for name, items in frames.items()}
        # A slow machine may need longer for one of them.
        if results['sw'] == results['hw'] or time.monotonic() > deadline:
            return results


def comparable(case, frames):
    return sorted(without_differences(item, *case.ignore) for item in frames
                  if not is_noise(item))


def is_noise(item):
    """On the underlay, IPv6 says hello."""
    interface, frame = item
    return (interface == cases.PORTS['U'] and
            frame[12:14] == b'\x86\xdd' and frame[20] in (0, 58))


def without_differences(item, start, end):
    """Takes out what may differ: bytes 'start' to 'end', and what differs on
    the underlay in software, too."""
    interface, frame = item
    if start != end:
        frame = frame[:start] + b'.' * (end - start) + frame[end:]
    if interface == cases.PORTS['U']:
        frame = without_tunnel_noise(frame)
    return interface, frame


def without_tunnel_noise(frame):
    """Takes out of the outer headers what is made up for each packet: IPv4's
    id and checksum or IPv6's flow label, UDP's source port and checksum (but
    not whether there is one)."""
    frame = bytearray(frame)
    if frame[12:14] == b'\x08\x00':
        protocol, transport = frame[23], 34
        frame[18:20] = frame[24:26] = b'..'
    else:
        protocol, transport = frame[20], 54
        frame[15:18] = b'...'
    if protocol == 17:
        frame[transport:transport + 2] = b'..'
        checksum = slice(transport + 6, transport + 8)
        if any(frame[checksum]):
            frame[checksum] = b'..'
    return bytes(frame)


def check_same(results, number):
    if results['sw'] != results['hw']:
        raise Failure('pass %d: not the same packets' % (number + 1) +
                      describe_difference(results['sw'], results['hw']))


def describe_difference(sw, hw):
    text = ''
    hw = list(hw)
    for item in sw:
        if item in hw:
            hw.remove(item)
        else:
            text += '\n    software only: %s %s' % (item[0], item[1].hex())
    for port, frame in hw:
        text += '\n    offload only:  %s %s' % (port, frame.hex())
    return text


def check_layers(host, case, before, lookups):
    """Did the packets of the last pass go where they should have?"""
    after = host.packet_counts()
    growth = sum(n - before.get(key, 0) for key, n in after.items()
                 if key[0] == 'tc')
    in_tc = len(case.packets) - len(case.software)
    if growth != in_tc:
        raise Failure('TC counted %d packets instead of %d' % (growth, in_tc))
    seen = host.daemon.lookups() - lookups
    if not case.software and seen:
        raise Failure("%d packets in the kernel's datapath" % seen)
    if case.software and not seen:
        raise Failure('no packet in software')


def run_case(hosts, case):
    hw = hosts[1]
    for command in case.before:
        both(hosts, command)
    for host in hosts:
        replace_flows(RUN + host.name + '/br0.mgmt', case.messages)
        host.forget()
    number_out = 0
    for number in range(MAX_PASSES):
        before, lookups = hw.packet_counts(), hw.daemon.lookups()
        results = run_pass(hosts, case, number)
        check_same(results, number)
        number_out += len(results['sw'])
        if number == 0:
            continue
        if case.software is None:
            break
        try:
            check_layers(hw, case, before, lookups)
            break
        except Failure:
            # Connections may need a few more packets until all is in.
            if number + 1 >= case.passes:
                raise
    if case.drops != (number_out == 0):
        raise Failure('%d packets came out' % number_out)


def report(hosts, case):
    start = time.monotonic()
    try:
        run_case(hosts, case)
    except Failure as failure:
        print('not ok - %s: %s' % (case.title, failure))
        for host in hosts:
            print('  flows of %s:' % host.name)
            for flow in host.daemon.flows():
                print('    ' + flow.text)
        return False
    finally:
        for command in case.after:
            both(hosts, command)
    print('ok - %s (%.1f s)' % (case.title, time.monotonic() - start))
    return True


def main():
    hosts = [Host('sw'), Host('hw')]
    group = [case for case in cases.CASES if case.group == sys.argv[2] and
             (len(sys.argv) == 3 or case.title in sys.argv[3:])]
    if not group:
        print('no such group: ' + sys.argv[2])
        return 2
    for case, messages in zip(group, compile_flows([case.flows
                                                    for case in group])):
        case.messages = messages
    failed = [case for case in group if not report(hosts, case)]
    return 1 if failed else 0


if __name__ == '__main__':
    ENV = dict(os.environ)
    LIBRARY = load(sys.argv[1])
    sys.exit(main())
