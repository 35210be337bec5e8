# SPDX-License-Identifier: Apache-2.0
"""Puts OpenFlow flows into a switch, without starting a program each time.

ovs-ofctl knows how to encode flows.  It is run once, against a switch that
only listens (compile_flows()); what it says is said again to real switches
(replace_flows()).
"""

import socket
import struct
import subprocess
import tempfile
import threading

VERSION = 6                     # OpenFlow 1.5.
HEADER = struct.Struct('!BBHI')
HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY = 0, 1, 2, 3
FLOW_MOD, BARRIER_REQUEST, BARRIER_REPLY = 14, 20, 21
COOKIE = slice(8, 16)

DELETE_ALL = HEADER.pack(VERSION, FLOW_MOD, 56, 1) + struct.pack(
    '!QQBBHHHIIIHHHHI', 0, 0, 0xff, 3, 0, 0, 0, 0xffffffff, 0xffffffff,
    0xffffffff, 0, 0, 1, 4, 0)


class OpenFlowError(Exception):
    pass


def _message(kind, xid=0):
    return HEADER.pack(VERSION, kind, HEADER.size, xid)


def _read(stream):
    """The next message, or None at the end."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    return header + stream.read(HEADER.unpack(header)[2] - HEADER.size)


def _listen(server, messages):
    connection, _ = server.accept()
    with connection, connection.makefile('rb') as stream:
        connection.sendall(_message(HELLO))
        while (message := _read(stream)) is not None:
            _, kind, _, xid = HEADER.unpack(message[:HEADER.size])
            if kind == BARRIER_REQUEST:
                connection.sendall(_message(BARRIER_REPLY, xid))
            elif kind == FLOW_MOD:
                messages.append(message)


def compile_flows(texts):
    """Encodes each of 'texts', flows as for ovs-ofctl, a line a flow.
    Returns as many lists of messages."""
    lines = ['cookie=%d,%s' % (i, line.strip()) for i, text in enumerate(texts)
             for line in text.split('\n') if line.strip()]
    messages = []
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX) as server:
        server.bind(folder + '/switch')
        server.listen(1)
        thread = threading.Thread(target=_listen, args=(server, messages),
                                  daemon=True)
        thread.start()
        subprocess.run(['ovs-ofctl', '--no-names', '-OOpenFlow15',
                        'add-flows', 'unix:%s/switch' % folder, '-'],
                       check=True, timeout=60, input='\n'.join(
                           lines).encode())
        thread.join(60)
    compiled = [[] for _ in texts]
    for message in messages:
        compiled[int.from_bytes(message[COOKIE], 'big')].append(message)
    return compiled


def replace_flows(path, messages):
    """Replaces all flows of the switch that listens at 'path'."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(_message(HELLO) + DELETE_ALL + b''.join(messages) +
                  _message(BARRIER_REQUEST, 2))
        with s.makefile('rb') as stream:
            while (message := _read(stream)) is not None:
                kind = message[1]
                if kind == ERROR:
                    raise OpenFlowError(message.hex())
                if kind == BARRIER_REPLY:
                    return
    raise OpenFlowError('connection closed')
