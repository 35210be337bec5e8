#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Runs the commands of a guide.

usage: guide.py write GUIDE     the guide with what they print now
       guide.py shape GUIDE     the guide without what differs from run to run

A command is a line "    $ COMMAND"; what is indented below is its output.  A
ufid in a command is replaced by today's, if an earlier output had it."""

import re
import subprocess
import sys

UFID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PROMPT = "    $ "


def run(command):
    done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", check=False)
    return [("    " + line.expandtabs()).rstrip()
            for line in done.stdout.splitlines()]


def shape(line):
    """A line without numbers, ufids and the width of columns."""
    line = UFID.sub("UFID", line)
    line = re.sub(r"\b[0-9a-f]{16}([0-9a-f]{16})?\b", "N", line)
    line = re.sub(r"used:[^,]*", "used:N", line)
    line = re.sub(r"\b(0x)?[0-9][0-9a-f.:]*(T[0-9:.]*Z)?", "N", line)
    return re.sub(r"(?<=\S) +", " ", line)


def blocks(lines):
    """Pairs: a command, or None, and the lines after it."""
    lines = list(lines)
    at = 0
    while at < len(lines):
        end = at + 1
        if lines[at].startswith(PROMPT):
            while end < len(lines) and not lines[end].startswith(PROMPT) \
                    and re.match(r"    |$", lines[end]):
                end += 1
            while not lines[end - 1]:
                end -= 1
            yield lines[at][len(PROMPT):], lines[at + 1:end]
        else:
            yield None, lines[at:end]
        at = end


def learn(today, told, printed):
    """Which of today's ufids is the one of the guide?"""
    for old, new in zip(sorted(told, key=shape), sorted(printed, key=shape)):
        today.update(zip(UFID.findall(old), UFID.findall(new)))


def write(lines):
    """The guide with what its commands print now."""
    today = {}
    for command, told in blocks(lines):
        if command is None:
            yield from told
            continue
        command = UFID.sub(lambda m: today.get(m.group(0), m.group(0)),
                           command)
        printed = run(command)
        learn(today, told, printed)
        yield PROMPT + command
        yield from printed


def without_numbers(lines):
    """Outputs in an order that doesn't depend on hashes."""
    for command, told in blocks(lines):
        if command is None:
            yield from told
        else:
            yield shape(PROMPT + command)
            yield from sorted(map(shape, told))


def main():
    todo = {"write": write, "shape": without_numbers}[sys.argv[1]]
    with open(sys.argv[2], encoding="utf-8") as f:
        lines = f.read().splitlines()
    for line in todo(lines):
        print(line)


if __name__ == "__main__":
    main()
