# SPDX-License-Identifier: Apache-2.0

"""Runs ovs-offload-top in a terminal of 80x24, and presses its keys."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time


def wait_for(fd, text, seconds=30):
    """Reads until 'text' has been drawn."""
    seen = b""
    end = time.monotonic() + seconds
    while text not in seen:
        ready = select.select([fd], [], [], max(0, end - time.monotonic()))[0]
        if not ready:
            sys.exit("waited in vain for %r, saw %r" % (text, seen))
        seen += os.read(fd, 65536)


def main():
    pid, fd = pty.fork()
    if not pid:
        os.environ["TERM"] = "vt100"
        os.execv(sys.argv[1], [sys.argv[1], "-i", "0.2"])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    for key, text, said in ((b"", b"WHERE", "flows"),
                            (b"p", b"SW-PPS", "ports"),
                            (b"r", b"table-full", "refusals"),
                            (b"f/OVS\n", b'"OVS"', "filtered")):
        os.write(fd, key)
        wait_for(fd, text)
        print(said)
    with open("broken", "w"):
        pass
    wait_for(fd, b"cannot connect")
    print("still there without the daemon")
    os.write(fd, b"q")
    try:
        while os.read(fd, 65536):
            pass
    except OSError:
        pass                    # The terminal's other end is closed.
    print("ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


main()
