# SPDX-License-Identifier: Apache-2.0

"""A file for a bug report.

It has what the checks have seen, in a form that "ovs-offload-doctor --root"
takes, what else helps, and the results.  Values of keys that may be secret are
left out wherever they occur: in the database's columns by the key's name, and
what stood there then in everything else as well."""

import io
import json
import os
import re
import shlex
import tarfile
import time

from .machine import Unknown
from . import output

LEFT_OUT = "(left out)"

# Keys of the database's maps, and columns, whose values nobody else may see.
SECRET = re.compile(r"psk|pass|pwd|secret|key|cert|token|cred|auth|private"
                    r"|crypt|pkcs|community", re.I)
# A tunnel's keys aren't keys: each packet has them in the open.
TUNNEL_KEYS = ("key", "in_key", "out_key")
TUNNEL_KEY = re.compile(r"flow|\d{1,10}|0x[0-9a-fA-F]{1,8}")
# Shorter ones, and these, would be found in the midst of what isn't secret.
MIN_SECRET = 6
NO_SECRETS = re.compile(r"true|false|none|disabled|enabled|\d+", re.I)

TABLES = ("Open_vSwitch", "Bridge", "Port", "Interface")
LOG = "/var/log/openvswitch/ovs-vswitchd.log"
LOG_LINES = re.compile(r"\|(offload_\w+|tc_\w+|netdev_offload\w*|netdev_tc\w*"
                       r"|dpif_netlink|dpdk|netdev_dpdk)\|")
DMESG_LINES = re.compile(r"mlx5|eswim|eswitch|switchdev|representor|devlink"
                         r"|flower|offload|act_|cls_|openvswitch|nfp|bnxt"
                         r"|\bice\b", re.I)
MAX_LINES = 5000

APPCTL = (
    ("version",), ("offload/status",), ("offload/ports",),
    ("offload/refusals",), ("offload/metrics",), ("coverage/show",),
    ("upcall/show",), ("dpctl/show", "-s"), ("dpctl/dump-flows", "-m"),
    ("bond/list",), ("vlog/list",),
)
COMMANDS = (
    ("uname", "-a"), ("ovs-vswitchd", "--version"), ("devlink", "dev"),
    ("devlink", "port", "show"), ("ip", "-d", "link", "show"),
    ("ip", "route", "show", "table", "all"), ("tc", "qdisc", "show"),
    ("lspci", "-nn"), ("lsmod",),
)
COMMANDS_OF_PORTS = (
    ("ethtool", "-i"), ("ethtool", "-k"), ("ethtool", "-S"),
    ("tc", "-s", "filter", "show", "dev"),
)


class Redactor:
    """Takes secrets out, and remembers them."""

    def __init__(self):
        self.secrets = set()

    def _remember(self, value):
        """All the strings in a value."""
        if isinstance(value, list):
            for v in value:
                self._remember(v)
        elif (isinstance(value, str) and len(value) >= MIN_SECRET
              and not NO_SECRETS.fullmatch(value)):
            self.secrets.add(value)

    @staticmethod
    def _is_secret(key, value):
        if not isinstance(key, str) or not SECRET.search(key):
            return False
        return not (key in TUNNEL_KEYS and isinstance(value, str)
                    and TUNNEL_KEY.fullmatch(value))

    def value(self, value, heading=""):
        """A value as ovsdb prints it."""
        if self._is_secret(heading, value) and value not in ([], ["set", []]):
            self._remember(value[1] if isinstance(value, list)
                           and len(value) == 2 else value)
            return LEFT_OUT
        if isinstance(value, list) and len(value) == 2 and value[0] == "map":
            return ["map", [[k, self.value(v, k)] for k, v in value[1]]]
        return value

    def table(self, text):
        """What "ovs-vsctl --format=json list" printed."""
        try:
            answer = json.loads(text)
            headings = answer["headings"]
            answer["data"] = [[self.value(v, h) for h, v in zip(headings, row)]
                              for row in answer["data"]]
            return json.dumps(answer)
        except (ValueError, LookupError, TypeError):
            return LEFT_OUT

    def text(self, text):
        """Without what is known to be secret."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, LEFT_OUT)
        return text


def redact_answers(answers, redactor):
    """Of a machine.  The database's are the first: they tell what is secret,
    and there may be escapes around it, which plain text hasn't."""
    tables = {line: [dict(a, stdout=redactor.table(a["stdout"]))
                     if a.get("stdout") else a for a in given]
              for line, given in answers.items()
              if line.startswith("ovs-vsctl ")}
    others = {line: [{k: redactor.text(v) if isinstance(v, str) else v
                      for k, v in a.items()} for a in given]
              for line, given in answers.items() if line not in tables}
    return dict(tables, **others)


def last_lines(text, pattern=None):
    lines = [line for line in text.splitlines()
             if not pattern or pattern.search(line)]
    return "".join(line + "\n" for line in lines[-MAX_LINES:])


def ask(host, *argv, pattern=None):
    """What a command says, or why it doesn't."""
    try:
        return last_lines(host.machine.run(*argv), pattern)
    except Unknown as e:
        return "%s\n" % e


def read_tables(host):
    """All that the checks might have asked for, and what is secret."""
    for table in TABLES:
        try:
            host.table(table)
        except (Unknown, ValueError, LookupError, TypeError):
            pass                # The answer is what it is.


def extras(host):
    """More that helps: by the name of a file, text."""
    for command in APPCTL:
        argv = ("ovs-appctl", "-T", "10", "-t", host.target, *command)
        yield shlex.join(("ovs-appctl",) + command), ask(host, *argv)
    for argv in COMMANDS:
        yield shlex.join(argv), ask(host, *argv)
    try:
        ports = [n.name for n in host.nic_ports()]
    except Unknown:
        ports = []
    for port in ports:
        for argv in COMMANDS_OF_PORTS:
            argv += (port,) + (("ingress",) if argv[0] == "tc" else ())
            yield shlex.join(argv), ask(host, *argv)
    yield "dmesg", ask(host, "dmesg", pattern=DMESG_LINES)
    try:
        log = host.machine.read(LOG) or "no %s\n" % LOG
    except Unknown as e:
        log = str(e)
    host.machine.files.pop(LOG, None)
    yield "ovs-vswitchd.log", last_lines(log, LOG_LINES)


class Archive:
    """A tar file below a directory of its own."""

    def __init__(self, tar, top):
        self.tar = tar
        self.top = top
        self.when = int(time.time())

    def _info(self, name, mode):
        info = tarfile.TarInfo("%s/%s" % (self.top, name.lstrip("/")))
        info.mtime = self.when
        info.mode = mode
        return info

    def file(self, name, data):
        if isinstance(data, str):
            data = data.encode("utf-8", "replace")
        info = self._info(name, 0o644)
        info.size = len(data)
        self.tar.addfile(info, io.BytesIO(data))

    def link(self, name, target):
        """Relative, so that it leads to where it led."""
        info = self._info(name, 0o777)
        info.type = tarfile.SYMTYPE
        if target.startswith("/"):
            target = os.path.relpath(
                target, os.path.dirname("/" + name.partition("/")[2]))
        info.linkname = target
        self.tar.addfile(info)

    def directory(self, name):
        info = self._info(name, 0o755)
        info.type = tarfile.DIRTYPE
        self.tar.addfile(info)


def add_machine(archive, machine, answers):
    """What the checks have read, for "--root"."""
    known = set(machine.files) | set(machine.links)
    for path, names in machine.directories.items():
        for name in names:
            entry = os.path.join(path, name)
            if entry not in known and not any(
                    k.startswith(entry + "/") for k in known):
                archive.directory("root" + entry)
    for path, target in machine.links.items():
        archive.link("root" + path, target)
    for path, data in machine.files.items():
        archive.file("root" + path, data)
    archive.file("root/commands.json", json.dumps(answers, indent=1))


def write(path, host, results):
    """Writes a report.  Raises OSError, also if 'path' is there already."""
    machine, redactor = host.machine, Redactor()
    read_tables(host)
    answers = redact_answers(machine.answers, redactor)
    more = list(extras(host))
    top = "ovs-offload-doctor-" + time.strftime("%Y%m%d-%H%M%S")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as f, \
            tarfile.open(fileobj=f, mode="w:gz") as tar:
        archive = Archive(tar, top)
        archive.file("report.txt", redactor.text(
            output.to_text(results, verbose=True)))
        archive.file("report.json", redactor.text(output.to_json(results)))
        for name, text in more:
            archive.file("more/" + re.sub(r"[^\w.+-]", "_", name),
                         redactor.text(text))
        add_machine(archive, machine, answers)
