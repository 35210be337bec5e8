# SPDX-License-Identifier: Apache-2.0
"""Clocks, and what is read of a running daemon.  Runs in the test kernel.

Clocks
------

The test kernel is a process on a machine that may be busy with other things.
To the test kernel that looks as if its one CPU was slow: whatever runs in it
seems to take longer, in CPU time as well.  So the machine is asked, before and
after each thing that is measured, for how long it has worked for the test
kernel, and all times inside are scaled by

    pace = machine's CPU time / CPU time seen inside (all but idle)

A figure in "scaled" seconds thus is what it would be on a machine of one's
own.  Latencies of single packets can't be scaled, as they are too short; there
the median of many helps.
"""

import os
import re
import struct
import subprocess
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'packets'))

from daemon import Daemon  # noqa: E402

TICK = os.sysconf('SC_CLK_TCK')
PAGE = os.sysconf('SC_PAGE_SIZE')


class Failure(Exception):
    pass


class Machine:
    """Who runs the test kernel, asked through files in a common directory."""
    def __init__(self, exchange):
        self.exchange = exchange
        self.n = 0

    def cpu(self):
        """Seconds that the machine has worked for the test kernel."""
        self.n += 1
        name = os.path.join(self.exchange, str(self.n))
        print('@cpu %d' % self.n, flush=True)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            time.sleep(0.005)
            if os.path.exists(name):
                with open(name) as f:
                    return int(f.read()) / 1e9
        raise Failure('nobody answers outside')


def busy():
    """Seconds that the test kernel has seen itself work."""
    with open('/proc/stat') as f:
        ticks = [int(x) for x in f.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICK


def thread_cpu(pid):
    """CPU seconds of a process's threads, by what they are."""
    cpu = {'handler': 0, 'revalidator': 0, 'other': 0}
    for task in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/stat' % (pid, task)) as f:
            name, _, rest = f.read().rpartition(')')
        kind = name.partition('(')[2].rstrip('0123456789')
        fields = rest.split()
        cpu[kind if kind in cpu else 'other'] += (
            int(fields[11]) + int(fields[12])) / TICK
    return cpu


class Watch:
    """CPU time from its start to stop()."""
    def __init__(self, machine, pid=None):
        self.machine, self.pid = machine, pid
        self.machine_cpu = machine.cpu()
        self.begin = self._now()

    def _now(self):
        return (time.monotonic(), busy(),
                thread_cpu(self.pid) if self.pid else {})

    def stop(self):
        """A dict: "wall", "pace", and "cpu" of the process, all scaled, but
        "wall_unscaled"."""
        wall, work, threads = self._now()
        cpu = {k: threads[k] - self.begin[2][k] for k in threads}
        work -= self.begin[1]
        wall -= self.begin[0]
        machine = self.machine.cpu() - self.machine_cpu
        pace = machine / work if work > 0.1 else 1.0
        cpu = {k: v * pace for k, v in cpu.items()}
        # Time that it slept passes as ever.
        scaled_wall = max(wall - work, 0) + work * pace
        return {'wall': scaled_wall, 'wall_unscaled': wall, 'pace': pace,
                'cpu': sum(cpu.values()), 'cpu_by_thread': cpu}


def shell(script, **environment):
    """Runs a bash script that knows tests/kernel/guest-lib.sh."""
    done = subprocess.run(
        ['bash', '-c', '. "$0" && ' + script,
         os.path.join(here, '..', 'kernel', 'guest-lib.sh')],
        env=dict(os.environ, OVS_RUNDIR='/run/ovs', **environment),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Failure('%s: status %d: %s'
                      % (script, done.returncode, done.stdout.strip()))
    return done.stdout


# The megaflow is no wider than one IPv4 destination, because its address is
# read into a register.
OPENFLOW = ('priority=10,in_port=vm1,ip,'
            'dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02 '
            'actions=move:NXM_OF_IP_DST[]->NXM_NX_REG0[],')
FORWARDING = OPENFLOW + 'output:vm2'
# No backend takes that.
TRUNCATING = OPENFLOW + 'output(port=vm2,max_len=1000)'

# Open vSwitch divides its limit by the seconds that a sweep took, again and
# again while new flows come, and kills the flows above it: so many that none
# of them is ever above it.
FLOW_LIMIT = 2000000000

# Nothing ages out, nothing is limited, until a phase asks for it.
SETTINGS = ('other_config:max-idle=3600000 other_config:flow-limit=%d '
            'other_config:min-revalidate-pps=0' % FLOW_LIMIT)

START = '''
start_ovs %s &&
ovs-vsctl set Open_vSwitch . %s &&
ovs-vsctl add-br br0 -- set bridge br0 fail-mode=secure &&
make_vm vm1 && make_vm vm2 &&
ovs-vsctl add-port br0 vm1 -- add-port br0 vm2 &&
ovs-ofctl add-flow br0 '%s'
'''

STOP = '''
ovs-appctl exit --cleanup; wait_until 60 process_is_gone %d
stop_ovs; del_vm vm1; del_vm vm2; rm -rf /run/ovs
'''


class Switch:
    """A bridge with two virtual machines, under one of the daemons."""
    def __init__(self, program, count_calls=False, offload=True,
                 openflow=FORWARDING):
        self.calls_file = None
        if count_calls:
            program = self._counted(program, count_calls)
        shell(START % ('--hw-offload' if offload else '', SETTINGS, openflow),
              OVS_FASTPATH_VSWITCHD=program)
        with open('/run/ovs/ovs-vswitchd.pid') as f:
            self.pid = int(f.read())
        self.daemon = Daemon('/run/ovs')
        # Of flows in software, the daemon allows itself 10,000 at first, and
        # few more in each sweep.
        self.daemon.appctl('upcall/set-flow-limit', str(FLOW_LIMIT))

    def _counted(self, program, library):
        """A script that runs 'program' with its system calls counted."""
        self.calls_file = '/run/bench-calls'
        script = '/run/bench/ovs-vswitchd'
        os.makedirs(os.path.dirname(script), exist_ok=True)
        if os.path.exists(self.calls_file):
            os.unlink(self.calls_file)
        with open(script, 'w') as f:
            f.write('#!/bin/sh\nexport BENCH_CALLS=%s LD_PRELOAD=%s\n'
                    'exec %s "$@"\n' % (self.calls_file, library, program))
        os.chmod(script, 0o755)
        return script

    def stop(self):
        shell(STOP % self.pid)

    def set(self, settings):
        """Doesn't wait until the daemon has noticed."""
        shell('ovs-vsctl --no-wait set Open_vSwitch . ' + settings)

    def keys(self):
        """Megaflows that the daemon knows."""
        text = self.daemon.appctl('upcall/show')
        return sum(map(int, re.findall(r'keys (\d+)', text)))

    def wait_for_sweep(self):
        """Until the sweep that is under way, or the next, has ended."""
        self.daemon.appctl('revalidator/wait')

    def sweep_ms(self):
        """How long the last sweep took, by the clock."""
        text = self.daemon.appctl('upcall/show')
        return int(re.search(r'dump duration : (\d+)ms', text).group(1))

    def memory(self):
        """Resident bytes, all and the private ones that no file backs."""
        with open('/proc/%d/status' % self.pid) as f:
            fields = dict(line.split(':', 1) for line in f)
        return {k: int(fields[name].split()[0]) * 1024
                for k, name in (('rss', 'VmRSS'), ('anonymous', 'RssAnon'))}

    def calls(self):
        """How many times each system call was made so far."""
        with open(self.calls_file, 'rb') as f:
            entries = struct.iter_unpack('24sQ', f.read())
        return {name.rstrip(b'\0').decode(): n for name, n in entries if n}
