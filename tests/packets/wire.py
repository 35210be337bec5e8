# SPDX-License-Identifier: Apache-2.0
"""Ethernet frames in and out of interfaces in network namespaces."""

import ctypes
import os
import select
import socket
import struct
import time

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_OUTGOING = 4
CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33

# struct tpacket_auxdata, linux/if_packet.h.
AUXDATA = struct.Struct('@IIIHHHH')
TP_STATUS_VLAN_VALID = 1 << 4
TP_STATUS_VLAN_TPID_VALID = 1 << 6

_libc = ctypes.CDLL(None, use_errno=True)


def _set_netns(fd):
    if _libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), 'setns')


class Netns:
    """Context in which sockets belong to a namespace made by "ip netns"."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.home = os.open('/proc/self/ns/net', os.O_RDONLY)
        there = os.open('/run/netns/' + self.name, os.O_RDONLY)
        _set_netns(there)
        os.close(there)

    def __exit__(self, *_):
        _set_netns(self.home)
        os.close(self.home)


class Port:
    """An interface, both to send to and to capture from."""

    def __init__(self, netns, interface):
        self.name = interface
        with Netns(netns):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        self.socket.setblocking(False)
        self.socket.bind((interface, ETH_P_ALL))

    def fileno(self):
        return self.socket.fileno()

    def send(self, frame):
        self.socket.send(frame)

    def receive(self):
        """All that came in by now, as it was on the wire."""
        frames = []
        while True:
            try:
                data, control, _, address = self.socket.recvmsg(65536, 128)
            except BlockingIOError:
                return frames
            if address[2] != PACKET_OUTGOING:
                frames.append(_with_vlan(data, control))


def _with_vlan(data, control):
    """Puts back the outer VLAN tag, which the kernel keeps aside."""
    for level, kind, value in control:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci, tpid = AUXDATA.unpack(
                value[:AUXDATA.size])
            if status & TP_STATUS_VLAN_VALID:
                if not status & TP_STATUS_VLAN_TPID_VALID:
                    tpid = 0x8100
                tag = struct.pack('!HH', tpid, tci)
                return data[:12] + tag + data[12:]
    return data


def collect(ports, quiet, first=None):
    """Captures until nothing has come for 'quiet' seconds (until the first
    frame, if 'first' seconds are given, but no longer).  Returns a list of
    (port name, frame)."""
    frames = []
    poll = select.poll()
    for port in ports:
        poll.register(port, select.POLLIN)
    by_fd = {port.fileno(): port for port in ports}
    last = time.monotonic()
    limit = first if first is not None else quiet
    while True:
        left = last + limit - time.monotonic()
        ready = poll.poll(max(left, 0) * 1000)
        if not ready:
            return frames
        new = [(by_fd[fd].name, frame) for fd, _ in ready
               for frame in by_fd[fd].receive()]
        frames += new
        if new:
            if first is not None:
                return frames
            last = time.monotonic()


def load(path):
    """Reads the output of library.py into {name: frame}."""
    with open(path) as f:
        return {name: bytes.fromhex(data)
                for name, data in (line.split() for line in f)}
