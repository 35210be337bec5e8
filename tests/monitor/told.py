# SPDX-License-Identifier: Apache-2.0

"""told.py COMMAND ANSWER: the gist of what offload/explain, offload/refusals or
offload/show has answered, in JSON: what doesn't differ from run to run."""

import json
import sys


def reason(refusal):
    if refusal is None:
        return "unknown"
    return f"{refusal['code']} {refusal['subject']}"


def tell_explain(answer):
    for stage in answer["stages"]:
        kind = ("foretold " if not stage["installed"]
                else "asked-for " if stage["asked_for"] else "")
        why = f": {reason(stage['refusal'])}" if "refusal" in stage else ""
        yield f"{kind}stage in {stage['place']}{why}"
    yield f"verdict {answer['verdict']}"


def tell_refusals(answer):
    for row in sorted(answer["refusals"], key=reason):
        n = row["flows"]
        yield (f"{row['port']}: {reason(row)}: {n} flow{'s' * (n != 1)}"
               f"{', with packets' if row['packets'] else ''}")


def tell_show(answer):
    packets = answer["hw_packets"]
    yield (f"{answer['place']} on {answer['device']} by {answer['backend']}, "
           f"packets in hardware {'unknown' if packets is None else packets}")


def main():
    with open(sys.argv[2]) as f:
        answer = json.load(f)
    tell = {"offload/explain": tell_explain, "offload/show": tell_show,
            "offload/refusals": tell_refusals}[sys.argv[1]]
    for line in tell(answer):
        print(line)


main()
