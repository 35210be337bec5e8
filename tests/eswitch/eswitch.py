# SPDX-License-Identifier: Apache-2.0
"""The eswitch of tests/test-eswitch.c, and packets for it, made by scapy."""

import subprocess
import sys

from scapy.all import raw, Ether


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


class Eswitch:
    """Port 0 is the uplink.  Counters are without lag unless 'refresh'."""

    def __init__(self, vfs=3, **params):
        self.process = subprocess.Popen(
            ["test-eswitch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        args = "".join(f" {k}={v}" for k, v in params.items())
        self.say(f"create vfs={vfs}{args}")

    def close(self):
        self.process.stdin.close()
        status = self.process.wait()
        check(status == 0, f"test-eswitch ended with {status}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()

    def say(self, line):
        """The answer's lines, without the final dot."""
        print(">", line)
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = []
        while True:
            line = self.process.stdout.readline()
            check(line, "test-eswitch ended")
            line = line.rstrip("\n")
            if line == ".":
                return answer
            print("<", line)
            answer.append(line)

    def add(self, rule):
        """The new rule's id."""
        answer = self.say("add " + rule)
        check(answer and answer[0].startswith("rule "), f"refused: {rule}")
        return int(answer[0].split()[1])

    def refused(self, rule, errno, where, index=-1, text=""):
        """Both creation and validation must refuse 'rule' just so."""
        for command in "add", "validate":
            self.refused_by(command, rule, errno, where, index, text)

    def refused_once(self, rule, errno, where, index=-1, text=""):
        """Creation must refuse it, which validation can't know."""
        self.refused_by("add", rule, errno, where, index, text)
        check(not self.say(f"validate {rule}"), f"not valid: {rule}")

    def refused_by(self, command, rule, errno, where, index, text):
        answer = self.say(f"{command} {rule}")
        check(answer and answer[0].startswith(
            f"error {errno} {where} {index} ") and text in answer[0],
              f"not refused as it should be: {rule}")

    def rx(self, port, packet):
        """Where the packet went: a list of (words, bytes)."""
        answer = []
        for line in self.say(f"rx {port} {raw(packet).hex()}"):
            words, data = line.rsplit(" ", 1)
            answer.append((words, bytes.fromhex(data)))
        return answer

    def expect(self, port, packet, *outcomes):
        """'packet' must come out as 'outcomes', pairs of words as in the
        answer of "rx" and a packet, in that order."""
        got = self.rx(port, packet)
        wanted = [(words, raw(p)) for words, p in outcomes]
        if got != wanted:
            explain(got, wanted)
            raise Failed("other packets than expected")

    def misses(self, port, packet):
        self.expect(port, packet, (f"software {port} miss", packet))

    def query(self, rule, reset=False):
        answer = self.say(f"query {rule}{' reset' if reset else ''}")
        check(answer[0].startswith("counters "), f"no counters: {answer}")
        return tuple(map(int, answer[0].split()[1:]))


def explain(got, wanted):
    for title, outcomes in ("got", got), ("wanted", wanted):
        print(f"{title}: {len(outcomes)} packets")
        for words, data in outcomes:
            print(f"  {words} {len(data)} bytes {data.hex()}")
            print("   ", Ether(data).summary())
            Ether(data).show()


def run(groups):
    """Runs the functions of the group that the command line names."""
    for test in groups[sys.argv[1]]:
        print(f"-- {test.__name__}")
        try:
            test()
        except Failed as failure:
            print(f"{test.__name__}: {failure}")
            sys.exit(1)
