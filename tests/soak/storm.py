# SPDX-License-Identifier: Apache-2.0

"""Sends short bursts of random UDP flows out of a device.

Usage: storm.py DEVICE NUMBER SECONDS

NUMBER is the sender's own number, 1 or 2: addresses follow from it."""

import random
import socket
import struct
import sys
import time


def checksum(data):
    s = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def packet(me, peer, src_port, dst_port):
    udp = struct.pack('!HHHH', src_port, dst_port, 8 + 18, 0) + bytes(18)
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     bytes([10, 0, 0, me]), bytes([10, 0, 0, peer]))
    ip = ip[:10] + struct.pack('!H', checksum(ip)) + ip[12:]
    return (bytes([2, 0, 0, 0, 0, peer]) + bytes([2, 0, 0, 0, 0, me])
            + b'\x08\x00' + ip + udp)


def main():
    device, me, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((device, 0))
    end = time.time() + seconds
    while time.time() < end:
        for _ in range(20):
            data = packet(me, random.choice([p for p in (1, 2, 3) if p != me]),
                          random.randrange(1024, 1100),
                          random.choice((1000, 1003, 2000, 2005, 3000)))
            for _ in range(random.randrange(1, 4)):
                try:
                    sock.send(data)
                except OSError:
                    pass
        time.sleep(random.random() / 10)


main()
