# SPDX-License-Identifier: Apache-2.0

"""The command line."""

import argparse
import os
import sys

from . import bundle, checks, output
from .host import Host
from .machine import Machine

EPILOG = """Exit status: 0, all is well; 1, something has failed; 2, this
program couldn't do its work; 3, nothing has failed, but there are warnings, or
something couldn't be found out."""


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog="ovs-offload-doctor", epilog=EPILOG,
        description="Look for what keeps Open vSwitch's flows out of the NIC. "
        "Nothing is changed.")
    parser.add_argument("-v", "--verbose", action="store_true",
                        help="tell of what is well, too")
    parser.add_argument("--json", action="store_const", const="json",
                        dest="format", help="the same as --format=json")
    parser.add_argument("--format", choices=("text", "json"), default="text",
                        help="for people or for programs (default: text)")
    parser.add_argument("--list", action="store_true",
                        help="list the checks, and do nothing")
    parser.add_argument("--check", metavar="NAME", action="append",
                        help="run only this check; may be repeated")
    parser.add_argument("--watch", metavar="SECONDS", type=float, default=0,
                        help="read counters twice, so far apart, to see "
                        "whether hardware has packets now")
    parser.add_argument("--report", metavar="FILE",
                        help="write a bundle for a bug report, FILE.tar.gz, "
                        "with secrets left out")
    parser.add_argument("-t", "--target", default="ovs-vswitchd",
                        help="as ovs-appctl's (default: %(default)s)")
    parser.add_argument("--root", metavar="DIR",
                        help="look at what was recorded in DIR, as in a "
                        "bundle's directory \"root\", instead of this host")
    args = parser.parse_args(argv)
    known = [c.name for c in checks.CHECKS]
    for name in args.check or ():
        if name not in known:
            parser.error("there is no check %s: see --list" % name)
    if not 0 <= args.watch <= 3600:
        parser.error("--watch must be between 0 and 3600 seconds")
    return args


def diagnose(args):
    """Returns the exit status.  Raises OSError and ValueError."""
    host = Host(Machine(args.root), args.target, args.watch)
    results = checks.run(host, args.check)
    if args.format == "json":
        sys.stdout.write(output.to_json(results))
    else:
        sys.stdout.write(output.to_text(results, args.verbose))
    sys.stdout.flush()
    if args.report:
        bundle.write(args.report, host, results)
    return output.exit_status(results)


def main(argv=None):
    args = parse_arguments(argv)
    status = output.EXIT_TROUBLE
    try:
        if args.list:
            sys.stdout.write(output.list_checks(checks.CHECKS))
            sys.stdout.flush()
            status = 0
        else:
            status = diagnose(args)
    except BrokenPipeError:
        # Whoever read has seen enough; don't complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except (OSError, ValueError) as e:
        print("ovs-offload-doctor: %s" % e, file=sys.stderr)
    except KeyboardInterrupt:
        pass
    sys.exit(status)
