# SPDX-License-Identifier: Apache-2.0
"""The mark that the kernel keeps beside a packet (SO_MARK), sent and received.

Usage: mark.py receive ADDRESS
       mark.py send ADDRESS MARK

The first says "ready", waits for a packet, and prints its mark.  To be run in
the network namespace of the one or the other.
"""

import socket
import sys

PORT = 2000
SO_MARK = 36
SO_RCVMARK = 75                 # asm-generic/socket.h, Linux 5.19.


def receive(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVMARK, 1)
        sock.bind((address, PORT))
        sock.settimeout(10)
        print('ready', flush=True)
        ancillary = sock.recvmsg(100, 100)[1]
    print(*(int.from_bytes(data, sys.byteorder)
            for level, kind, data in ancillary
            if (level, kind) == (socket.SOL_SOCKET, SO_MARK)))


def send(address, mark):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_MARK, int(mark))
        sock.sendto(b'marked', (address, PORT))


{'receive': receive, 'send': send}[sys.argv[1]](*sys.argv[2:])
