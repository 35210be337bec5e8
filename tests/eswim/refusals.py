#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules and device arguments that must be refused, with a reason that names
what is wrong, and without harm to others' rules and traffic."""

import os
import shutil
import subprocess
import sys

from cases import OUT, udp4
from nic import Ends, Failure, Testpmd, quiet_network, report
from scapy.all import raw

# Port, rule, kind of error as testpmd calls it, part of the message.
RULES = [
    ("egress pattern eth / end actions drop / end", "egress field",
     "no egress rules"),
    ("pattern eth / end actions drop / end", "ingress field",
     "either transfer or ingress"),
    ("transfer pattern eth / nvgre / end actions drop / end",
     "specific pattern item", "NVGRE"),
    ("transfer pattern port_representor port_id is 1 / end actions drop / end",
     "specific pattern item", "PORT_REPRESENTOR"),
    ("transfer pattern port_id id is 9 / end actions drop / end",
     "item specification", "no port of this NIC"),
    ("transfer pattern port_id id spec 1 id mask 0x1 / end actions drop / end",
     "item specification mask", "fully or not at all"),
    ("transfer pattern ipv4 / eth / end actions drop / end",
     "specific pattern item", ""),
    ("transfer pattern eth / ipv4 dst spec 10.0.0.1 dst last 10.0.0.9 "
     "dst mask 255.255.255.255 / end actions drop / end", "item specification range",
     ""),
    ("transfer pattern port_id id spec 1 id last 2 / end actions drop / end",
     "item specification range", ""),
    ("transfer pattern mark id spec 1 id last 5 id mask 0xffffffff / end "
     "actions drop / end", "item specification range", ""),
    ("transfer pattern eth / ipv4 / gre / gre_key value spec 1 value last 9 / "
     "end actions drop / end", "item specification range", ""),
    ("transfer pattern eth / end actions count / end", "", "fate"),
    ("transfer pattern eth / end actions drop / port_id id 2 / end", "", ""),
    ("transfer pattern eth / end actions count / count / drop / end", "", ""),
    ("transfer pattern eth / end actions port_id id 9 / end",
     "action configuration", "no port of this NIC"),
    ("transfer pattern eth / end actions port_id original 1 id 2 / end",
     "action configuration", "original"),
    ("transfer pattern eth / end actions mac_swap / drop / end",
     "specific action", "MAC_SWAP"),
    ("transfer pattern eth / end actions queue index 0 / end", "", ""),
    ("ingress pattern eth / end actions queue index 9 / end",
     "action configuration", "no such queue"),
    ("transfer pattern eth / end actions of_set_vlan_vid vlan_vid 5000 / "
     "drop / end", "action configuration", "fewer bits"),
    ("transfer pattern eth / end actions modify_field op set dst_type tag "
     "src_type value src_value 01 width 8 / drop / end",
     "action configuration", "can't rewrite"),
    ("transfer pattern eth / end actions modify_field op set dst_type "
     "ipv4_ttl src_type value src_value 01 width 9 / drop / end",
     "action configuration", "beyond the end"),
]

# Arguments of the device, and what is said of them.
ARGUMENTS = [
    ("vfs=-1", "vfs=-1: not a number from 0 to 31"),
    ("guest=host", "guest=host: neither tap nor generator"),
    ("vfs=32", "vfs=32: not a number from 0 to 31"),
    ("vfs=", "vfs=: not a number"),
    ("vfs=2,vfs=3", "vfs is given 2 times"),
    ("vfz=2", "no argument \"vfz\""),
    ("capacity=lots", "capacity=lots: not a number"),
    ("guest-if=a/b", "guest-if=a/b: not a network device's name"),
    ("guest-if=averyverylongname", "not a network device's name"),
    ("guest-if=lo,wire-if=lo", "can't make the TAP device lo: File exists"),
    ("vfs=2,representor=vf2", "representor=vf2: there are 2 VFs"),
    ("representor=sf0", "representor=sf0: not a list of VFs"),
    ("refuse=item:nonsense", "refuse: "),
    ("fail=soon", "fail=soon: not NTH:ERRNO"),
    ("fail=1:EIO:DESTROY", "fail=1:EIO:DESTROY: not NTH:ERRNO"),
    ("fail=1:EIO:query2", "fail=1:EIO:query2: not NTH:ERRNO"),
    ("fail=2:ENOMEMx", "fail=2:ENOMEMx: not NTH:ERRNO"),
]


def check_rule(pmd, rule, kind, message):
    for operation in "validate", "create":
        text = pmd.run(f"flow {operation} 1 {rule}")
        if ("Caught PMD error" not in text or f"({kind}" not in text
                or message not in text):
            raise Failure(f"{operation} \"{rule}\" says:\n{text}")


def check_arguments(arguments, message):
    prefix = f"eswim-{os.getpid()}"
    process = subprocess.run(
        ["dpdk-testpmd", "-l", "0", "--no-huge", "-m", "64", "--no-pci",
         "--file-prefix", prefix, "-d",
         os.environ["ESWIM_DRIVER"], f"--vdev=net_eswim0,{arguments}", "--",
         "-i"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60)
    shutil.rmtree(f"/var/run/dpdk/{prefix}", ignore_errors=True)
    output = process.stdout.decode(errors="replace")
    if not process.returncode or message not in output:
        raise Failure(f"\"{arguments}\" gives {process.returncode} and\n"
                      + output)
    left = subprocess.run(["ip", "-o", "link"], stdout=subprocess.PIPE)
    if b"eswim0" in left.stdout:
        raise Failure(f"\"{arguments}\" leaves a TAP device behind")


def rules():
    failures = []
    with Testpmd("vfs=2,counter-refresh=0") as pmd:
        ends = Ends(pmd)
        kept = pmd.create(1, "transfer priority 1 pattern eth / end actions "
                          f"count / {OUT} / end")
        for row in RULES:
            try:
                check_rule(pmd, *row)
            except Failure as failure:
                failures.append(failure)
        if ends.exchange("vf0", [udp4()])["vf1"] != [raw(udp4())]:
            failures.append("a good rule works no more")
        if pmd.counters(1, kept)[0] != 1:
            failures.append("a good rule doesn't count")
    report(failures, len(RULES))


def arguments():
    failures = []
    for row in ARGUMENTS:
        try:
            check_arguments(*row)
        except Failure as failure:
            failures.append(failure)
    report(failures, len(ARGUMENTS))


quiet_network()
{"rules": rules, "arguments": arguments}[sys.argv[1]]()
