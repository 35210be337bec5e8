# SPDX-License-Identifier: Apache-2.0
"""Talks to a running ovs-vswitchd, without starting a program for it."""

import glob
import json
import re
import socket


class DaemonError(Exception):
    pass


class Daemon:
    def __init__(self, rundir):
        self.socket, = glob.glob(rundir + '/ovs-vswitchd.*.ctl')

    def appctl(self, command, *args):
        """What "ovs-appctl COMMAND ARGS" would print."""
        request = {'id': 0, 'method': command, 'params': list(args)}
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(self.socket)
            s.sendall(json.dumps(request).encode())
            reply = _read_object(s)
        if reply.get('error') is not None:
            raise DaemonError('%s: %s' % (command, reply['error']))
        return reply['result']

    def flows(self, *args):
        """The datapath's flows, each a Flow."""
        text = self.appctl('dpctl/dump-flows', '-m', *args)
        return [Flow(line) for line in text.splitlines()
                if line.startswith('ufid:')]

    def lookups(self):
        """How many packets the kernel's datapath has seen."""
        hit, missed = re.search(r'lookups: hit:(\d+) missed:(\d+)',
                                self.appctl('dpctl/show')).groups()
        return int(hit) + int(missed)


def _read_object(s):
    data = b''
    while True:
        more = s.recv(1 << 20)
        if not more:
            raise DaemonError('ovs-vswitchd closed the connection')
        data += more
        try:
            return json.loads(data)
        except ValueError:
            continue


class Flow:
    def __init__(self, line):
        self.text = line
        self.ufid = line[len('ufid:'):].split(',')[0]
        self.recirc_id = int(re.search(r'recirc_id\((0x[0-9a-f]+|\d+)',
                                       line).group(1), 0)
        self.packets = int(re.search(r' packets:(\d+)', line).group(1))
        self.bytes = int(re.search(r' bytes:(\d+)', line).group(1))
        self.layer = re.search(r'dp:(\w+)', line).group(1)
        self.actions = line[line.index('actions:') + len('actions:'):]
