# SPDX-License-Identifier: Apache-2.0
"""One TCP connection.

Usage: tcp.py server PORT
       tcp.py client ADDRESS PORT BYTES

The server prints how many bytes came, and from where.  The client waits for
the server to listen, and ends when the server has it all.
"""

import socket
import sys
import time

PATIENCE = 60


def server(port):
    with socket.create_server(('', int(port))) as listener:
        listener.settimeout(PATIENCE)
        connection, address = listener.accept()
    n = 0
    with connection:
        connection.settimeout(PATIENCE)
        while data := connection.recv(65536):
            n += len(data)
        connection.sendall(b'.')
    print(n)
    print(address[0])


def client(address, port, n):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            s = socket.create_connection((address, int(port)), 5)
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    with s:
        s.settimeout(PATIENCE)
        s.sendall(bytes(int(n)))
        s.shutdown(socket.SHUT_WR)
        s.recv(1)


if __name__ == '__main__':
    {'server': server, 'client': client}[sys.argv[1]](*sys.argv[2:])
