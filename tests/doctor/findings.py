# SPDX-License-Identifier: Apache-2.0

"""Prints what ovs-offload-doctor --json has found to be wrong.

    findings.py FILE [CHECK]    two lines each: what, and what helps; of CHECK,
                                or of all checks
    findings.py FILE --checks   only the status and the name of each check
    findings.py FILE CHECK fix  the commands that help, for a shell

Fails if a member that programs rely on isn't there, or if numbers disagree."""

import json
import sys

WRONG = ("failed", "warning", "unknown")


def check_object(report):
    """Keys are stable, and sums are right."""
    assert set(report) == {"version", "status", "exit_status", "summary",
                           "checks"}, report.keys()
    for check in report["checks"]:
        assert set(check) == {"name", "stage", "title", "status", "findings"}
        assert check["findings"], check["name"]
        for f in check["findings"]:
            assert set(f) == {"status", "subject", "evidence", "fix"}
            assert f["evidence"], check["name"]
            assert bool(f["fix"]) == (f["status"] in ("failed", "warning"))
    for status, n in report["summary"].items():
        assert n == sum(c["status"] == status for c in report["checks"])


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        report = json.load(f)
    check_object(report)
    name = sys.argv[2] if len(sys.argv) > 2 else None
    if len(sys.argv) > 3:
        print("\n".join(f["fix"] for check in report["checks"]
                        for f in check["findings"]
                        if check["name"] == name and f["fix"]))
        return
    for check in report["checks"]:
        if name == "--checks":
            if check["status"] in WRONG:
                print(check["status"], check["name"])
            continue
        for f in check["findings"]:
            if f["status"] in WRONG and name in (None, check["name"]):
                print("%s %s: %s: %s" % (f["status"], check["name"],
                                         f["subject"] or "host",
                                         f["evidence"]))
                print("    %s" % (f["fix"] or "no fix"))


main()
