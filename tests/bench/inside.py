# SPDX-License-Identifier: Apache-2.0
"""What is measured, in which order.  Runs in the test kernel; started by
"run", to which it prints results, one line of JSON each."""

import json
import os
import subprocess
import sys
import time

from measure import (TRUNCATING, Failure, Machine, Switch, Watch,
                     shell)

N_LONE = 150            # Lone flows whose latency is measured,
N_WARM_UP = 20          # after these.
FIRST_LONE = 2000000    # Their number; the others begin at 0.
N_CALLS = 2000          # Flows whose system calls are counted.
N_KERNEL = 10000        # Rules put by tc-rules and its like.
DEADLINE = 600          # Seconds until all flows must be gone.


class Bench:
    def __init__(self, settings):
        self.settings = settings
        self.machine = Machine(settings['exchange'])
        self.preload = self.program('count-calls.so')

    def program(self, name):
        return os.path.join(self.settings['programs'], name)

    def run(self, name, *args):
        """What one of our programs prints."""
        done = subprocess.run([self.program(name)] + [str(x) for x in args],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise Failure('%s failed' % name)
        return json.loads(done.stdout)

    # Daemons.

    def births(self, n):
        return self.run('flow-births', '--from', 'vm1', '--to', 'vm2',
                        '--flows', n)

    def lone_flows(self):
        """Latencies, microseconds."""
        found = self.run('flow-latency', '--from', 'vm1', '--device', 'vm1',
                         '--first', FIRST_LONE,
                         '--flows', N_WARM_UP + N_LONE)
        # On a busy machine it may take longer than anybody waits.
        if found['missing'] > N_LONE / 2:
            raise Failure('%d lone flows got no rule' % found['missing'])
        return found['us'][N_WARM_UP:]

    def expect_rules(self, n):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            found = self.run('tc-rules', '--device', 'vm1', '--count')
            if found == n:
                return
            time.sleep(1)
        raise Failure('%d rules in TC, not %d' % (found, n))

    def watch_births(self, switch, n):
        keys = switch.keys()
        watch = Watch(self.machine, switch.pid)
        made = self.births(n)
        usage = watch.stop()
        # Without the start of the program that sends.
        usage['wall'] = made['seconds'] * usage['pace']
        usage['resent'] = made['resent']
        if switch.keys() != keys + n:
            raise Failure('%d new megaflows, not %d'
                          % (switch.keys() - keys, n))
        return usage

    def watch_idle(self, switch):
        """From the end of a sweep to the end of a later one."""
        ms = []
        switch.wait_for_sweep()
        watch = Watch(self.machine, switch.pid)
        end = time.monotonic() + self.settings['idle_seconds']
        while time.monotonic() < end or len(ms) < 3:
            switch.wait_for_sweep()
            ms.append(switch.sweep_ms())
        return dict(watch.stop(), sweeps_ms=ms)

    def watch_deaths(self, switch):
        watch = Watch(self.machine, switch.pid)
        seconds = self.let_die(switch)
        usage = watch.stop()
        usage['wall'] = seconds * usage['pace']
        return usage

    def let_die(self, switch):
        """Lets all flows age out; returns the seconds."""
        switch.set('other_config:max-idle=500')
        start = time.monotonic()
        while switch.keys():
            if time.monotonic() > start + DEADLINE:
                raise Failure('%d flows are still there after %d s'
                              % (switch.keys(), DEADLINE))
            time.sleep(0.25)
        return time.monotonic() - start

    def measure_daemon(self, which, n, turn):
        switch = Switch(self.settings['daemons'][which])
        result = {'what': 'daemon', 'daemon': which, 'flows': n, 'turn': turn}
        result['lone_us'] = self.lone_flows()
        result['memory_empty'] = switch.memory()
        result['births'] = self.watch_births(switch, n)
        self.expect_rules(n + N_WARM_UP + N_LONE)
        time.sleep(2)
        result['memory_full'] = switch.memory()
        result['idle'] = self.watch_idle(switch)
        result['deaths'] = self.watch_deaths(switch)
        self.expect_rules(0)
        result['memory_after'] = switch.memory()
        switch.stop()
        return result

    def measure_refusing(self, which, n, turn):
        """As measure_daemon(), with flows that can't be offloaded."""
        switch = Switch(self.settings['daemons'][which], openflow=TRUNCATING)
        result = {'what': 'refused', 'daemon': which, 'flows': n,
                  'turn': turn, 'memory_empty': switch.memory(),
                  'births': self.watch_births(switch, n)}
        self.expect_rules(0)
        time.sleep(2)
        result['memory_full'] = switch.memory()
        result['idle'] = self.watch_idle(switch)
        result['deaths'] = self.watch_deaths(switch)
        result['memory_after'] = switch.memory()
        switch.stop()
        return result

    def measure_software(self, n, turn):
        """Stock without offload: what is below this, no offload can save."""
        switch = Switch(self.settings['daemons']['stock'], offload=False)
        result = {'what': 'daemon', 'daemon': 'software', 'flows': n,
                  'turn': turn, 'memory_empty': switch.memory(),
                  'births': self.watch_births(switch, n)}
        self.expect_rules(0)
        time.sleep(2)
        result['memory_full'] = switch.memory()
        switch.stop()
        return result

    def turns(self):
        """Which daemon is measured next, with how many flows."""
        for turn in range(self.settings['repeat']):
            for n in self.settings['flows']:
                order = ['ours', 'stock']
                for which in order if turn % 2 else reversed(order):
                    yield which, n, turn

    def measure_daemons(self):
        for which, n, turn in self.turns():
            self.say('%s, %d flows, turn %d' % (which, n, turn + 1))
            self.tell(self.measure_daemon(which, n, turn))
        for turn in range(self.settings['repeat']):
            for n in self.settings['flows']:
                self.say('software, %d flows, turn %d' % (n, turn + 1))
                self.tell(self.measure_software(n, turn))

    def measure_refused(self):
        for which, n, turn in self.turns():
            self.say('%s, %d refused flows, turn %d' % (which, n, turn + 1))
            self.tell(self.measure_refusing(which, n, turn))

    # System calls.

    def measure_calls(self):
        for which, program in self.settings['daemons'].items():
            self.say('%s, system calls' % which)
            switch = Switch(program, count_calls=self.preload)
            marks = [switch.calls()]
            time.sleep(5)
            marks.append(switch.calls())
            self.births(N_CALLS)
            marks.append(switch.calls())
            time.sleep(5)
            marks.append(switch.calls())
            self.let_die(switch)
            marks.append(switch.calls())
            switch.stop()
            names = ('empty', 'births', 'idle', 'deaths')
            self.tell(dict(
                {'what': 'calls', 'daemon': which, 'flows': N_CALLS,
                 'seconds': 5},
                **{name: differences(marks[i], marks[i + 1])
                   for i, name in enumerate(names)}))

    # The kernel, and the backend alone.

    def measure_rules(self, program, batch):
        watch = Watch(self.machine)
        found = self.run(program, '--device', 'k1', '--to', 'k2',
                         '--flows', self.n_kernel(), '--batch', batch)
        pace = watch.stop()['pace']
        if found['errors'] or found['dumped'] != self.n_kernel():
            raise Failure('%s: %s' % (program, found))
        return dict(found, what='rules', program=program, pace=pace)

    def n_kernel(self):
        return min(N_KERNEL, max(self.settings['flows']))

    def measure_tc_batch(self):
        """iproute2's own."""
        line = ('filter %s dev k1 ingress protocol ip prio 2 handle %d flower'
                '%s\n')
        match = (' dst_mac 02:00:00:00:00:02 src_mac 02:00:00:00:00:01'
                 ' dst_ip 10.%d.%d.%d ip_flags nofrag'
                 ' action mirred egress redirect dev k2 no_percpu')
        result = {'what': 'rules', 'program': 'tc', 'batch': 1,
                  'flows': self.n_kernel()}
        for verb in 'add', 'del':
            with open('/tmp/batch', 'w') as f:
                for i in range(self.n_kernel()):
                    f.write(line % (verb, i + 1, '' if verb == 'del' else
                                    match % (64 + (i >> 16), i >> 8 & 255,
                                             i & 255)))
            watch = Watch(self.machine)
            subprocess.run(['tc', '-batch', '/tmp/batch'], check=True)
            usage = watch.stop()
            result[verb + '_seconds'] = usage['wall_unscaled']
            result['pace'] = usage['pace']
        return result

    def measure_kernel(self):
        shell('ip link add k1 type veth peer k2 &&'
              ' tc qdisc add dev k1 ingress')
        for turn in range(2 * self.settings['repeat']):
            self.say('rules without a daemon, turn %d' % (turn + 1))
            for batch in 1, 32, 64:
                programs = ['tc-rules', 'backend-rules']
                for program in programs if turn % 2 else reversed(programs):
                    self.tell(self.measure_rules(program, batch))
            self.tell(self.measure_tc_batch())

    # Reports.

    def say(self, text):
        print('bench: ' + text, flush=True)

    def tell(self, result):
        print('@result ' + json.dumps(result), flush=True)

    def measure_all(self):
        for part in self.settings['parts']:
            getattr(self, 'measure_' + part)()


def differences(before, after):
    return {k: after[k] - before.get(k, 0) for k in after
            if after[k] != before.get(k, 0)}


def main():
    try:
        Bench(json.loads(sys.argv[1])).measure_all()
    except Failure as e:
        sys.exit('bench: %s' % e)


if __name__ == '__main__':
    main()
