# SPDX-License-Identifier: Apache-2.0
"""A running ovs-vswitchd with the userspace datapath on the NIC in software,
whose far ends are generators, and what is read of it.

To be run as root in a network namespace of its own.  Ours and Open vSwitch's
own are started with the same arguments."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

TICK = os.sysconf('SC_CLK_TCK')
NIC = 'net_eswim0'


class Failure(Exception):
    pass


# The megaflow is no wider than one IPv4 destination, because its address is
# read into a register.
OPENFLOW = ('priority=10,in_port=r0,ip,'
            'dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02 '
            'actions=move:NXM_OF_IP_DST[]->NXM_NX_REG0[],output:r1')

# Nothing ages out and nothing is limited.  Threads that poll sleep, if only
# for moments, so that a small machine has time for the others.
SETTINGS = ('other_config:max-idle=3600000', 'other_config:flow-limit=2000000',
            'other_config:min-revalidate-pps=0',
            'other_config:pmd-maxsleep=20', 'other_config:dpdk-init=true')

PORTS = (('up', NIC), ('r0', NIC + ',representor=vf0'),
         ('r1', NIC + ',representor=vf1'))


class Switch:
    def __init__(self, program, ovs, driver, folder, offload=True):
        self.dir = folder
        self.ovs = ovs
        self.prefix = 'bench%d' % os.getpid()
        self.processes = []
        path = ':'.join(os.path.join(ovs, 'build', d)
                        for d in ('utilities', 'ovsdb'))
        self.env = dict(os.environ, OVS_RUNDIR=folder, OVS_LOGDIR=folder,
                        OVS_DBDIR=folder, OVS_SYSCONFDIR=folder,
                        OVS_PKGDATADIR=os.path.join(ovs, 'src/vswitchd'),
                        PATH=path + ':' + os.environ['PATH'])
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        try:
            self._start_all(program, driver, offload)
        except BaseException:
            self.stop()
            raise

    def _start_all(self, program, driver, offload):
        schema = os.path.join(self.ovs, 'src/vswitchd/vswitch.ovsschema')
        self.run('ovsdb-tool', 'create', self.dir + '/conf.db', schema)
        self._start('ovsdb-server', '--remote=punix:' + self.dir + '/db.sock',
                    self.dir + '/conf.db')
        wait_for(lambda: os.path.exists(self.dir + '/db.sock'), 'ovsdb-server')
        extra = ('--no-huge --legacy-mem -m 512 --no-pci --file-prefix %s '
                 '-d %s --vdev=%s,vfs=2,guest=generator'
                 % (self.prefix, driver, NIC))
        self.vsctl('--no-wait', 'init', '--', 'set', 'Open_vSwitch', '.',
                   'other_config:dpdk-extra="%s"' % extra,
                   'other_config:hw-offload=%s' % ('true' if offload
                                                   else 'false'), *SETTINGS)
        self.daemon = self._start(program)
        self.pid = self.daemon.pid
        self.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0',
                   'datapath_type=netdev', 'fail_mode=secure')
        for name, devargs in PORTS:
            self.vsctl('add-port', 'br0', name, '--', 'set', 'interface', name,
                       'type=dpdk', 'options:dpdk-devargs=' + devargs)
        self.run('ovs-ofctl', 'add-flow', self.dir + '/br0.mgmt', OPENFLOW)

    def _start(self, program, *args):
        name = os.path.basename(program)
        with open('%s/%s.out' % (self.dir, name), 'wb') as out:
            process = subprocess.Popen(
                [program, '-vconsole:off', '--log-file', '--no-chdir',
                 '--unixctl=%s/%s.ctl' % (self.dir, name), *args],
                env=self.env, stdout=out, stderr=out)
        self.processes.append(process)
        return process

    def run(self, *command):
        done = subprocess.run(command, env=self.env, timeout=60,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Failure('%s: %s' % (' '.join(command), done.stdout.strip()))
        return done.stdout

    def vsctl(self, *args):
        return self.run('ovs-vsctl', '--db=unix:%s/db.sock' % self.dir,
                        '--timeout=60', *args)

    def appctl(self, *args):
        return self.run('ovs-appctl', '-t', self.dir + '/ovs-vswitchd.ctl',
                        *args)

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree('/var/run/dpdk/' + self.prefix, ignore_errors=True)

    # The NIC.

    def telemetry(self, command):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(60)
            s.connect('/var/run/dpdk/%s/dpdk_telemetry.v2' % self.prefix)
            s.recv(4096)
            s.send(command.encode())
            answer = next(iter(json.loads(s.recv(65536)).values()))
        if isinstance(answer, str) and answer.startswith('error'):
            raise Failure('%s: %s' % (command, answer))
        return answer

    def generate(self, settings):
        self.telemetry('/eswim/generate,%s,1,%s' % (NIC, settings))

    def generator(self, port=1):
        return self.telemetry('/eswim/generator,%s,%d' % (NIC, port))

    def latency(self):
        return self.telemetry('/eswim/latency,%s,1' % NIC)

    def n_rules(self):
        return self.telemetry('/eswim/config,' + NIC)['rules']

    # The daemon.

    def n_flows(self):
        return sum(map(int, re.findall(r'keys (\d+)',
                                       self.appctl('upcall/show'))))

    def wait_for_sweep(self):
        """Until the sweep that is under way, or the next, has ended."""
        self.appctl('revalidator/wait')

    def busy_cycles(self):
        """Of all threads that poll."""
        text = self.appctl('dpif-netdev/pmd-stats-show')
        pmds = text.split('pmd thread')[1:]
        return sum(int(m.group(1)) for m in
                   (re.search(r'processing cycles: (\d+)', p) for p in pmds)
                   if m)

    def memory(self):
        """Resident bytes."""
        with open('/proc/%d/status' % self.pid) as f:
            fields = dict(line.split(':', 1) for line in f)
        return int(fields['VmRSS'].split()[0]) * 1024

    def cpu(self):
        """CPU seconds by kind of thread."""
        cpu = {}
        for task in os.listdir('/proc/%d/task' % self.pid):
            kind, seconds = thread_cpu(self.pid, task)
            cpu[kind] = cpu.get(kind, 0) + seconds
        return cpu


# Names of threads begin so; numbers may follow.
KINDS = ('revalidator', 'handler', 'pmd', 'hw_offload', 'fast_rules',
         'fast_count', 'net_eswim', 'urcu')


def thread_cpu(pid, task):
    folder = '/proc/%d/task/%s' % (pid, task)
    try:
        with open(folder + '/comm') as f:
            name = f.read().strip()
        with open(folder + '/schedstat') as f:
            seconds = int(f.read().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return 'other', 0
    return next((k for k in KINDS if name.startswith(k)), 'other'), seconds


def wait_for(condition, what, seconds=60, interval=0.02):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure('waited %d s in vain for %s' % (seconds, what))
        time.sleep(interval)
