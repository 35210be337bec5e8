# SPDX-License-Identifier: Apache-2.0

"""Is what can't be found out ever passed in silence?

Takes from a healthy host, one after the other, each command, and lets each
give answers that nobody can understand; then each file.  The doctor must end
in good order, and not call the host healthy because of what it didn't see."""

import copy
import sys
import tempfile

import made_up

sys.path.insert(0, sys.argv[1])
# pylint: disable=wrong-import-position
from offload_doctor import checks, host, machine, output  # noqa: E402

GARBAGE = ("", "{", "null", "7", '"x"', "[[]]", '{"data": 1}',
           '{"headings": ["x"], "data": [[["map", 7]]]}', "\0\ufffd" * 9)
# Any text is a good answer.
TEXT = ("version", "dpctl/dump-flows")


def diagnose(answers, files=None):
    """The exit status for a healthy host with other answers or files."""
    patient = made_up.Host()
    if files is not None:
        patient.files = files
    patient.answers = lambda: answers
    with tempfile.TemporaryDirectory(dir=".") as root:
        patient.write(root)
        results = checks.run(host.Host(machine.Machine(root), watch=1))
        text = output.to_text(results, verbose=True) + output.to_json(results)
    assert "Traceback" not in text
    return output.exit_status(results)


def check(what, passed):
    if not passed:
        print("passed in silence:", what)


def main():
    healthy = made_up.Host().answers()
    assert diagnose(healthy) == 0
    for line in healthy:
        needed = "dpctl/dump-flows" not in line
        without = {k: v for k, v in healthy.items() if k != line}
        check(line, diagnose(without) in (1, 3) or not needed)
        denied = copy.deepcopy(healthy)
        denied[line] = [{"status": 1, "stdout": "",
                         "stderr": "x: Permission denied\n"}]
        check(line + " (denied)", diagnose(denied) == 3 or not needed)
        for garbage in GARBAGE:
            strange = copy.deepcopy(healthy)
            strange[line] = [{"status": 0, "stdout": garbage, "stderr": ""}]
            check("%s: %r" % (line, garbage), diagnose(strange) in (1, 3)
                  or any(word in line for word in TEXT))
    for path in made_up.Host().files:
        files = {k: v for k, v in made_up.Host().files.items() if k != path}
        diagnose(healthy, files)
        files[path] = "\x1b[31m nonsense"
        diagnose(healthy, files)


main()
