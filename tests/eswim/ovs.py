# SPDX-License-Identifier: Apache-2.0
"""Debian's stock Open vSwitch with DPDK on a NIC in software.

To be run in a network namespace of its own.  STOCK_OVS names the folder into
which tests/eswim/stock-ovs has unpacked it, ESWIM_DRIVER the driver."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess

from nic import TIMEOUT, Failure, wait_for


class Namespace:
    """A network namespace with one network device in it: a virtual machine
    with its VF."""

    def __init__(self, device, address):
        # Ends when we do.
        self.process = subprocess.Popen(
            ["unshare", "-n", "cat"], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ours = os.readlink("/proc/self/ns/net")
        path = f"/proc/{self.process.pid}/ns/net"
        wait_for(lambda: os.readlink(path) != ours, "a namespace")
        subprocess.run(["ip", "link", "set", device, "netns",
                        str(self.process.pid)], check=True)
        self.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "addr", "add", address, "dev", device)
        self.run("ip", "link", "set", device, "up")

    def run(self, *command):
        return subprocess.run(
            ["nsenter", "-t", str(self.process.pid), "-n", *command],
            check=True, stdout=subprocess.PIPE).stdout.decode()

    def ping(self, address, n=1, interval=0.05):
        self.run("ping", "-q", "-c", str(n), "-i", str(interval), "-W", "2",
                 address)

    def close(self):
        self.process.kill()
        self.process.wait()


class StockOvs:
    """A running ovs-vswitchd with a bridge br0 and, as its ports, the uplink
    ("up") and the representors ("r0", "r1") of net_eswim0."""

    def __init__(self, args="vfs=2"):
        root = os.environ["STOCK_OVS"] + "/root"
        self.dir = os.path.abspath("ovs")
        self.prefix = f"eswim-ovs-{os.getpid()}"
        os.mkdir(self.dir)
        self.daemons = []
        self.env = dict(os.environ, OVS_RUNDIR=self.dir, OVS_LOGDIR=self.dir,
                        OVS_DBDIR=self.dir,
                        PATH=f"{root}/usr/bin:{root}/usr/sbin:"
                             + os.environ["PATH"])
        self.db = f"unix:{self.dir}/db.sock"
        self.root = root
        try:
            self._start_all(args)
        except BaseException:
            self.close()
            raise

    def _start_all(self, args):
        root = self.root
        self.run("ovsdb-tool", "create", f"{self.dir}/conf.db",
                 f"{root}/usr/share/openvswitch/vswitch.ovsschema")
        self._start("ovsdb-server", f"--remote=p{self.db}",
                    f"{self.dir}/conf.db")
        wait_for(lambda: os.path.exists(f"{self.dir}/db.sock"), "ovsdb-server")
        self.vsctl("--no-wait", "init")
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".",
                   "other_config:dpdk-init=true",
                   "other_config:hw-offload=true",
                   "other_config:pmd-maxsleep=100",
                   "other_config:dpdk-extra=--no-huge --legacy-mem -m 512 "
                   f"--no-pci --file-prefix {self.prefix} "
                   f"-d {os.environ['ESWIM_DRIVER']} "
                   f"--vdev=net_eswim0,{args}")
        self._start(f"{root}/usr/lib/openvswitch-switch-dpdk/"
                    "ovs-vswitchd-dpdk", f"--unixctl={self.dir}/ctl",
                    "-vnetdev_offload_dpdk:file:dbg",
                    f"--pidfile={self.dir}/ovs-vswitchd.pid", self.db)
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0",
                   "datapath_type=netdev", "fail_mode=secure")
        for name, devargs in (("up", "net_eswim0"),
                              ("r0", "net_eswim0,representor=vf0"),
                              ("r1", "net_eswim0,representor=vf1")):
            self.vsctl("add-port", "br0", name, "--", "set", "interface", name,
                       "type=dpdk", f"options:dpdk-devargs={devargs}")
            error = self.vsctl("get", "interface", name, "error").strip()
            if error != "[]":
                raise Failure(f"{name}: {error}")

    def _start(self, program, *args):
        name = os.path.basename(program)
        log = open(f"{self.dir}/{name}.out", "wb")
        self.daemons.append(subprocess.Popen(
            [program, "-vconsole:off", f"--log-file={self.dir}/{name}.log",
             *args], env=self.env, stdout=log, stderr=log))

    def run(self, *command):
        result = subprocess.run(command, env=self.env, timeout=TIMEOUT,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
        output = result.stdout.decode(errors="replace")
        if result.returncode:
            raise Failure(f"{command}: {result.returncode}:\n{output}")
        return output

    def vsctl(self, *args):
        return self.run("ovs-vsctl", f"--db={self.db}", f"-t{TIMEOUT}", *args)

    def ofctl(self, command, bridge, *args):
        return self.run("ovs-ofctl", command, f"{self.dir}/{bridge}.mgmt",
                        *args)

    def appctl(self, *args):
        return self.run("ovs-appctl", "-t", f"{self.dir}/ctl", *args)

    def flows(self, kind="all"):
        text = self.appctl("dpctl/dump-flows", "-m", f"type={kind}")
        return [line for line in text.split("\n") if "in_port" in line]

    def telemetry(self, command):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(TIMEOUT)
            s.connect(f"/var/run/dpdk/{self.prefix}/dpdk_telemetry.v2")
            s.recv(4096)
            s.send(command.encode())
            return next(iter(json.loads(s.recv(65536)).values()))

    def ports(self):
        return self.telemetry("/eswim/ports,net_eswim0")

    def rules(self):
        """All of the hardware's rules."""
        rules, first = {}, 0
        while True:
            page = self.telemetry(f"/eswim/rules,net_eswim0,{first}")
            if not page:
                return rules
            rules.update(page)
            first = max(map(int, page)) + 1

    def log(self):
        with open(f"{self.dir}/ovs-vswitchd-dpdk.log") as log:
            return log.read()

    def close(self):
        status = None
        if os.path.exists(f"{self.dir}/ctl"):
            with contextlib.suppress(Failure, subprocess.TimeoutExpired):
                self.appctl("exit")
                self.daemons[-1].wait(TIMEOUT)
                status = self.daemons[-1].poll()
        for daemon in self.daemons:
            if daemon.poll() is None:
                daemon.send_signal(signal.SIGKILL)
                daemon.wait()
        shutil.rmtree(f"/var/run/dpdk/{self.prefix}", ignore_errors=True)
        return status

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status = self.close()
        if kind is None and status != 0:
            raise Failure(f"ovs-vswitchd ended with {status}\n{self.log()}")


def n_packets(flow):
    return int(re.search(r"packets:(\d+)", flow).group(1))
