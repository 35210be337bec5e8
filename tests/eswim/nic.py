# SPDX-License-Identifier: Apache-2.0
"""DPDK's testpmd on a NIC in software, and frames at the NIC's far ends.

To be run in a network namespace of its own.  The environment variable
ESWIM_DRIVER names the driver."""

import contextlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time

from scapy.all import Ether, raw

TIMEOUT = int(os.environ.get("ESWIM_TIMEOUT", 30))
SOL_PACKET = 263
PACKET_AUXDATA = 8
TP_STATUS_VLAN_VALID = 0x10
FENCE_TYPE = 0x88b5             # "Local experimental", IEEE 802.


class Failure(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failure(what)


def quiet_network():
    """Linux must send nothing by itself at the far ends."""
    for what in "all", "default":
        path = f"/proc/sys/net/ipv6/conf/{what}/disable_ipv6"
        if os.path.exists(path):
            with open(path, "w") as f:
                f.write("1")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def wait_for(condition, what):
    deadline = time.monotonic() + TIMEOUT
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failure(f"waited {TIMEOUT} s in vain for {what}")
        time.sleep(0.01)


class Testpmd:
    """A running testpmd with one NIC, net_eswim0.

    'args' are the device's arguments; 'options' are testpmd's."""

    count = 0

    def __init__(self, args="vfs=2", options=(), cwd="."):
        Testpmd.count += 1
        self.prefix = f"eswim-{os.getpid()}-{Testpmd.count}"
        self.log_name = f"{cwd}/testpmd-{Testpmd.count}.log"
        self.log = open(self.log_name, "wb")
        self.n_marks = 0
        self.process = subprocess.Popen(
            ["stdbuf", "-oL", "dpdk-testpmd", "-l", "0-1", "--no-huge",
             "-m", "512", "--no-pci", "--file-prefix", self.prefix,
             "-d", os.environ["ESWIM_DRIVER"], f"--vdev=net_eswim0,{args}",
             "--", "-i", "--total-num-mbufs=8192", *options],
            stdin=subprocess.PIPE, stdout=self.log, stderr=self.log)
        self.n_read = 0
        self.run()

    def output(self):
        with open(self.log_name, "rb") as log:
            return log.read().decode(errors="replace").replace("\r", "")

    def run(self, *commands):
        """Runs commands and returns what they print."""
        start = len(self.output()) if self.n_marks else 0
        self.n_marks += 1
        mark = f"mark-{self.n_marks}-end"
        for command in (*commands, mark):
            self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

        def done():
            if self.process.poll() is not None:
                raise Failure("testpmd has ended:\n" + self.output())
            text = self.output()[start:]
            return text if f"> {mark}\n" in text else None

        text = wait_for(done, f"testpmd to run {commands}")
        return "\n".join(line for line in text.split("\n")
                         if not line.startswith("testpmd>"))

    def create(self, port, rule):
        """Creates a rule and returns testpmd's number of it."""
        text = self.run(f"flow create {port} {rule}")
        match = re.search(r"Flow rule #(\d+) created", text)
        if not match:
            raise Failure(f"\"{rule}\" was refused:\n{text}")
        return int(match.group(1))

    def destroy(self, port, rule):
        text = self.run(f"flow destroy {port} rule {rule}")
        if f"Flow rule #{rule} destroyed" not in text:
            raise Failure(f"rule {rule} wasn't destroyed:\n{text}")

    def counters(self, port, rule):
        text = self.run(f"flow query {port} {rule} count")
        return tuple(int(re.search(rf"^ {name}: (\d+)", text, re.M).group(1))
                     for name in ("hits", "bytes"))

    def xstat(self, port, name):
        text = self.run(f"show port xstats {port}")
        return int(re.search(rf"^{name}: (\d+)", text, re.M).group(1))

    def telemetry(self, command):
        """Runs a telemetry command and returns its answer."""
        path = f"/var/run/dpdk/{self.prefix}/dpdk_telemetry.v2"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(TIMEOUT)
            s.connect(path)
            s.recv(4096)
            s.send(command.encode())
            answer = json.loads(s.recv(65536))
        return next(iter(answer.values()))

    def close(self):
        if self.process.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(b"quit\n")
                self.process.stdin.flush()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(TIMEOUT)
        status = self.process.poll()
        if status is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(f"/var/run/dpdk/{self.prefix}", ignore_errors=True)
        return status

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status = self.close()
        if kind is None and status != 0:
            raise Failure(f"testpmd ended with {status}:\n{self.output()}")


def receive_whole(s):
    """Returns a frame and whether it came in.  Linux shows the outermost tag
    beside the frame."""
    frame, ancillary, _, address = s.recvmsg(70000, 256)
    for level, kind, data in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
            if status & TP_STATUS_VLAN_VALID:
                frame = (frame[:12] + struct.pack("!HH", tpid, tci)
                         + frame[12:])
    return frame, address[2] != socket.PACKET_OUTGOING


class Ends:
    """The far ends of a NIC with two VFs: "wire", "vf0" and "vf1".

    What entered at one of them before a fence has come out, wherever it was
    to come out, when the fence has.  Fences have priority 0 in group 0, which
    the rules that are tested must leave to them."""

    names = {"wire": "eswim0wire", "vf0": "eswim0vf0", "vf1": "eswim0vf1"}

    def __init__(self, pmd):
        self.sockets = {}
        for name, device in self.names.items():
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                              socket.htons(3))
            s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            s.bind((device, 0))
            s.settimeout(TIMEOUT)
            self.sockets[name] = s
        self.fence = raw(Ether(dst="02:00:00:00:00:fe",
                               src="02:00:00:00:00:ff",
                               type=FENCE_TYPE) / (b"fence" * 10))
        # Wherever a fence enters, it comes out at the two other ends.
        for port in 0, 1, 2:
            others = [p for p in (0, 1, 2) if p != port]
            pmd.run(f"set sample_actions 7 port_id id {others[0]} / end")
            pmd.create(port, "transfer priority 0 pattern eth type is "
                       f"{FENCE_TYPE:#x} / end actions sample ratio 1 index 7 "
                       f"/ port_id id {others[1]} / end")

    def exchange(self, source, frames):
        """Sends frames at an end and returns what comes out, by end."""
        for frame in (*map(raw, frames), self.fence):
            self.sockets[source].send(frame)
        return {name: self._until_fence(name)
                for name in self.sockets if name != source}

    def _until_fence(self, name):
        frames = []
        while True:
            frame, came_in = receive_whole(self.sockets[name])
            if frame == self.fence and came_in:
                return frames
            if came_in:
                frames.append(frame)


def run_cases(cases, run):
    """Calls run(case) for each, tells those that failed by what they are for,
    and ends the process."""
    failures = []
    quiet_network()
    for case in cases:
        try:
            run(case)
        except Failure as failure:
            failures.append(f"{case.__doc__}\n  {failure}")
    report(failures, len(cases))


def report(failures, n):
    for failure in failures:
        print(failure)
    print(f"{n - len(failures)} as expected, {len(failures)} not")
    sys.exit(1 if failures else 0)
