# SPDX-License-Identifier: Apache-2.0

"""The table of checks, in the order in which a person would look.

To add one: a generator of findings (finding.py) that takes the host, in the
module of its stage; its row here; its row in tests/doctor/made_up.py, which
breaks a host for it; its line in ovs-offload-doctor(8).  What it needs of the
host it asks for; if that can't be found out, the host raises Unknown, and the
check is unknown."""

import collections

from . import check_flows, check_nic, check_ports, check_settings
from .finding import not_applicable, unknown
from .host import NotOurs
from .machine import CommandFailed, Unknown
from .output import worst

# 'needs' are names of NEEDS, 'run' the generator.
Check = collections.namedtuple("Check", "name stage needs run title")


# Needs: None if they are there, or a finding that says what isn't.

def kernel_bridge(host):
    if host.bridges and not any(b["datapath_type"] in ("", "system")
                                for b in host.bridges):
        return not_applicable("", "no bridge with the kernel's datapath")
    return None


def kernel(host):
    """A host whose database is down has a kernel as well."""
    try:
        return kernel_bridge(host)
    except CommandFailed:
        return None


def nics(host):
    """NICs whose driver is the kernel's."""
    missing = kernel(host)
    return None if missing and host.dpdk_nics else missing


def offload_on(host):
    if not host.status()["enabled"]:
        return not_applicable("", "the daemon doesn't offload")
    return None


def rules(host):
    """Another daemon than ours doesn't say whether it offloads."""
    try:
        return offload_on(host)
    except NotOurs:
        return (None if check_settings.is_hw_offload(host)
                else not_applicable("", "hw-offload isn't true"))


NEEDS = {"kernel bridge": kernel_bridge, "kernel": kernel, "NIC": nics,
         "offload": offload_on, "rules": rules}

KERNEL = ("kernel",)
NIC = ("NIC",)
BRIDGE = ("kernel bridge",)
LIVE = ("offload",)
RULES = ("kernel bridge", "rules")

_nic, _set, _port, _flow = check_nic, check_settings, check_ports, check_flows
CHECKS = tuple(Check(*row) for row in (
    ("database", "daemon", (), _set.database, "ovsdb-server answers"),
    ("daemon", "daemon", (), _set.daemon, "ovs-vswitchd answers"),
    ("nic-present", "NIC", NIC, _nic.nic_present,
     "there is a NIC that could have an eswitch"),
    ("nic-driver", "NIC", NIC, _nic.nic_driver,
     "its driver has an eswitch"),
    ("nic-firmware", "NIC", NIC, _nic.nic_firmware,
     "no newer firmware waits for a reset"),
    ("nic-health", "NIC", NIC, _nic.nic_health,
     "devlink's health reporters are healthy"),
    ("nic-link", "NIC", NIC, _nic.nic_link, "uplinks have a carrier"),
    ("sriov-vfs", "SR-IOV", NIC, _nic.sriov_vfs, "there are VFs"),
    ("eswitch-mode", "eswitch", NIC, _nic.eswitch_mode,
     "its mode is switchdev"),
    ("eswitch-steering", "eswitch", NIC, _nic.eswitch_steering,
     "mlx5: the driver, not the firmware, installs rules"),
    ("eswitch-encap", "eswitch", BRIDGE, _nic.eswitch_encap,
     "it can encapsulate, if there are tunnels"),
    ("representor-exists", "representors", NIC, _nic.representor_exists,
     "each VF has one"),
    ("representor-plugged", "representors", BRIDGE, _nic.representor_plugged,
     "each is on a bridge"),
    ("dpdk-representor", "representors", (), _nic.dpdk_representor_plugged,
     "each of DPDK's is on a bridge"),
    ("representor-up", "representors", BRIDGE, _nic.representor_up,
     "those on bridges are up"),
    ("vf-plugged", "representors", BRIDGE, _nic.vf_plugged,
     "no VF itself is on a bridge"),
    ("uplink-plugged", "representors", BRIDGE, _nic.uplink_plugged,
     "the uplink is on a bridge, or tunnels use it"),
    ("hw-tc-offload", "TC offload", BRIDGE, _nic.hw_tc_offload,
     "hw-tc-offload is on"),
    ("kernel-openvswitch", "kernel", KERNEL, _set.kernel_openvswitch,
     "there is a kernel datapath"),
    ("kernel-classifier", "kernel", KERNEL, _set.kernel_classifier,
     "TC can have rules"),
    ("kernel-actions", "kernel", KERNEL, _set.kernel_actions,
     "TC has the actions that flows need"),
    ("kernel-chains", "kernel", KERNEL, _set.kernel_chains,
     "recirculation can be offloaded"),
    ("provider", "settings", (), _set.provider,
     "the daemon is ovs-fastpath's"),
    ("hw-offload", "settings", (), _set.hw_offload, "offload is switched on"),
    ("hw-offload-live", "settings", (), _set.hw_offload_live,
     "the daemon has taken that over"),
    ("dpdk-initialized", "settings", (), _set.dpdk_initialized,
     "there is DPDK, if a bridge needs it"),
    ("tc-policy", "settings", BRIDGE, _set.tc_policy,
     "rules may go to hardware"),
    ("max-idle", "settings", (), _set.max_idle, "rules stay long enough"),
    ("threads", "settings", (), _set.threads,
     "the daemon may use more than one CPU"),
    ("flow-limit", "settings", LIVE, _set.flow_limit,
     "the configured limit isn't reached"),
    ("bridge-datapath", "bridges", (), _port.bridge_datapath,
     "bridges have the datapath of their ports"),
    ("bridge-nic", "bridges", BRIDGE, _port.bridge_has_nic,
     "there are ports of NICs on bridges"),
    ("bridge-sampling", "bridges", (), _port.bridge_sampling,
     "no bridge samples packets"),
    ("one-eswitch", "bridges", BRIDGE, _port.one_eswitch,
     "ports of a bridge are on one eswitch"),
    ("port-opened", "bridges", (), _port.port_opened,
     "ports could be opened"),
    ("port-offload", "bridges", LIVE, _port.port_offload,
     "the daemon offloads on the eswitch's ports"),
    ("bond-mode", "bonds", BRIDGE, _port.bond_mode,
     "bonds are of a mode that can be offloaded"),
    ("tunnel-type", "tunnels", (), _port.tunnel_type,
     "tunnels are of a type that can be offloaded"),
    ("tunnel-df", "tunnels", (), _port.tunnel_df,
     "the kernel can set the flags that tunnels want"),
    ("tunnel-underlay", "tunnels", BRIDGE, _port.tunnel_underlay,
     "outer packets go through the NIC"),
    ("qdisc-ingress", "qdiscs", RULES, _port.qdisc_ingress,
     "ports have a qdisc for rules"),
    ("qdisc-foreign", "qdiscs", RULES, _port.qdisc_foreign,
     "nobody else's filters are there"),
    ("qdisc-policing", "qdiscs", BRIDGE, _port.qdisc_policing,
     "no ingress policing"),
    ("flows-refused", "flows", LIVE, _flow.flows_refused,
     "flows aren't refused"),
    ("table-full", "flows", LIVE, _flow.table_full,
     "the NIC has room for rules"),
    ("flows-over-limit", "flows", LIVE, _flow.flows_over_limit,
     "no flow is refused by the configured limit"),
    ("flows-in-hardware", "flows", LIVE, _flow.flows_in_hardware,
     "the NIC has the rules that TC has"),
    ("hardware-share", "flows", LIVE, _flow.hardware_share,
     "most packets go through hardware"),
    ("counters-moving", "counters", LIVE, _flow.counters_moving,
     "hardware counts packets now"),
))


class Result:
    """What came out of a check."""

    def __init__(self, check, findings):
        self.check = check
        self.findings = findings
        self.status = worst([f.status for f in findings])


def collect(check, host, findings):
    """Adds findings to 'findings', also if it has to give up."""
    for need in check.needs:
        missing = NEEDS[need](host)
        if missing:
            findings.append(missing)
            return
    for finding in check.run(host):
        findings.append(finding)


def run_check(check, host):
    """A Result.  What others said and nobody understands is unknown."""
    findings = []
    try:
        collect(check, host, findings)
    except Unknown as e:
        findings.append(unknown("", str(e)))
    except (ArithmeticError, AttributeError, LookupError, RecursionError,
            TypeError, ValueError) as e:
        findings.append(unknown("", "an answer that can't be understood: %s: "
                                "%s" % (type(e).__name__, e)))
    if not findings:
        findings.append(not_applicable("", "nothing of the kind is here"))
    return Result(check, findings)


def run(host, names=None):
    """Runs all checks, or those called 'names'."""
    return [run_check(check, host) for check in CHECKS
            if names is None or check.name in names]
