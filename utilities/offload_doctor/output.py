# SPDX-License-Identifier: Apache-2.0

"""Results, for people and for programs."""

import json

from .finding import FAILED, NOT_APPLICABLE, OK, STATUSES, UNKNOWN, WARNING

# Exit status, by the worst that was found.
EXIT = {FAILED: 1, WARNING: 3, UNKNOWN: 3, OK: 0, NOT_APPLICABLE: 0}
EXIT_TROUBLE = 2                # We couldn't do our work.

LABELS = {FAILED: "FAILED", WARNING: "warning", UNKNOWN: "unknown",
          OK: "ok", NOT_APPLICABLE: "not applicable"}


def clean(text):
    """A line stays a line, and a terminal what it is."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def worst(statuses):
    """The worst of them, of which there may be none."""
    return min(statuses, key=STATUSES.index, default=NOT_APPLICABLE)


def count(results):
    """How many checks have which status."""
    return {status: sum(r.status == status for r in results)
            for status in STATUSES}


def exit_status(results):
    return EXIT[worst([r.status for r in results])]


# For programs: see ovs-offload-doctor(8).

def to_object(results):
    return {
        "version": 1,
        "status": worst([r.status for r in results]),
        "exit_status": exit_status(results),
        "summary": count(results),
        "checks": [
            {"name": r.check.name, "stage": r.check.stage,
             "title": r.check.title, "status": r.status,
             "findings": [
                 {"status": f.status, "subject": f.subject,
                  "evidence": f.evidence, "fix": f.fix}
                 for f in r.findings]}
            for r in results]}


def to_json(results):
    return json.dumps(to_object(results), indent=2) + "\n"


# For people.

def finding_lines(names, finding):
    about = "%s: " % finding.subject if finding.subject else ""
    yield "  %-8s %s: %s%s" % (LABELS[finding.status], ", ".join(names),
                               about, finding.evidence)
    if finding.fix:
        yield "           fix: %s" % finding.fix


def merge(results):
    """Findings with the names of their checks: what several checks found alike
    is told once."""
    found = {}
    for result in results:
        for finding in result.findings:
            found.setdefault(finding, []).append(result.check.name)
    return found


def stage_lines(stage, results, verbose):
    """A stage's heading, and what isn't as it should be."""
    numbers = count(results)
    parts = ["%d %s" % (numbers[s], LABELS[s]) for s in STATUSES if numbers[s]]
    yield "%s: %s" % (stage, ", ".join(parts))
    for finding, names in merge(results).items():
        if verbose or finding.status in (FAILED, WARNING, UNKNOWN):
            yield from finding_lines(names, finding)


def to_text(results, verbose=False):
    lines = []
    for stage in dict.fromkeys(r.check.stage for r in results):
        lines += stage_lines(stage, [r for r in results
                                     if r.check.stage == stage], verbose)
    numbers = count(results)
    lines.append("%d failed, %d warnings, %d unknown, %d ok, "
                 "%d not applicable" % tuple(numbers[s] for s in STATUSES))
    if numbers[FAILED] > 1:
        lines.append("Begin with the first that failed: others may be its "
                     "consequences.")
    return "".join(clean(line) + "\n" for line in lines)


def list_checks(checks):
    """A line a check."""
    return "".join("%-22s %-13s %s\n" % (c.name, c.stage, c.title)
                   for c in checks)
