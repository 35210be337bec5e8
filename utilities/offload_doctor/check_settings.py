# SPDX-License-Identifier: Apache-2.0

"""Checks of the kernel, the database and the daemon."""

from .check_nic import sh
from .finding import failed, not_applicable, ok, warning
from .host import NotOurs
from .machine import CommandFailed, Unknown

# What flows need, by the kernel's build option, and what for.
CLASSIFIER = (
    ("cls_flower", "NET_CLS_FLOWER"),
    ("sch_ingress", "NET_SCH_INGRESS"),
    ("act_mirred", "NET_ACT_MIRRED"),
    ("act_gact", "NET_ACT_GACT"),
)
ACTIONS = (
    ("act_vlan", "NET_ACT_VLAN", "VLAN tags"),
    ("act_tunnel_key", "NET_ACT_TUNNEL_KEY", "tunnels"),
    ("act_pedit", "NET_ACT_PEDIT", "rewriting"),
    ("act_csum", "NET_ACT_CSUM", "rewriting"),
    ("act_ct", "NET_ACT_CT", "conntrack"),
    ("act_police", "NET_ACT_POLICE", "meters"),
    ("act_mpls", "NET_ACT_MPLS", "MPLS"),
    ("act_skbedit", "NET_ACT_SKBEDIT", "output to internal ports"),
)

MIN_IDLE_MS = 1000
RESTART = sh("systemctl", "restart", "openvswitch-switch")


def set_config(key, value):
    return sh("ovs-vsctl", "set", "Open_vSwitch", ".",
              "other_config:%s=%s" % (key, value))


def remove_config(key):
    return sh("ovs-vsctl", "remove", "Open_vSwitch", ".", "other_config", key)


# Kernel.

def kernel_openvswitch(host):
    if host.has_module("openvswitch", "OPENVSWITCH"):
        yield ok("", "openvswitch is there")
    else:
        yield failed("", "Linux %s has no module openvswitch" % host.release,
                     sh("modprobe", "openvswitch"))


def kernel_classifier(host):
    missing = [module for module, option in CLASSIFIER
               if not host.has_module(module, option)]
    if missing:
        yield failed("", "Linux %s lacks %s: nothing can be offloaded"
                     % (host.release, ", ".join(missing)),
                     sh("apt-get", "install", "linux-image-amd64"))
    else:
        yield ok("", ", ".join(module for module, _ in CLASSIFIER))


def kernel_actions(host):
    missing = [(module, use) for module, option, use in ACTIONS
               if not host.has_module(module, option)]
    for module, use in missing:
        yield warning("", "Linux %s lacks %s: %s can't be offloaded"
                      % (host.release, module, use),
                      sh("modprobe", module))
    if not missing:
        yield ok("", ", ".join(row[0] for row in ACTIONS))


def kernel_chains(host):
    option = "NET_TC_SKB_EXT"
    try:
        there = host.kernel_config.get(option) in ("y", "m")
    except Unknown:
        if not any(r["code"] == "recirculation-unsupported"
                   for r in host.ask("offload/refusals")["refusals"]):
            raise
        there = False
    if there:
        yield ok("", "CONFIG_%s is set" % option)
    else:
        yield warning("", "Linux %s has no CONFIG_%s: flows with conntrack or "
                      "recirculation stay in software"
                      % (host.release, option),
                      "no command: boot a kernel that was built with it")


# Settings.

def database(host):
    try:
        yield ok("", "Open vSwitch %s" % (host.settings["ovs_version"]
                                          or "of unknown version"))
    except CommandFailed as e:
        yield failed("", str(e), sh("systemctl", "restart", "ovsdb-server"))


def daemon(host):
    try:
        yield ok("", host.appctl("version").split("\n", 1)[0]
                 or "it answers")
    except CommandFailed as e:
        yield failed("", str(e), RESTART)


def provider(host):
    try:
        yield ok("", "ovs-fastpath %s" % host.status()["version"])
    except NotOurs as e:
        yield failed("", str(e), "%s && %s" % (sh(
            "update-alternatives", "--set", "ovs-vswitchd",
            "/usr/libexec/ovs-fastpath/ovs-vswitchd"), RESTART))


def is_hw_offload(host):
    return host.other_config("hw-offload", "").lower() == "true"


def hw_offload(host):
    if is_hw_offload(host):
        yield ok("", "other_config:hw-offload is true")
    else:
        value = host.other_config("hw-offload")
        yield failed("", "other_config:hw-offload %s" % (
            "isn't set" if value is None else 'is "%s"' % value),
            set_config("hw-offload", "true"))


def hw_offload_live(host):
    """The daemon reads it once."""
    wanted, live = is_hw_offload(host), host.status()["enabled"]
    if wanted == live:
        yield ok("", "the daemon offloads" if live else
                 "the daemon doesn't offload either")
    elif wanted:
        yield failed("", "hw-offload is true, but the daemon hasn't taken it "
                     "over", RESTART)
    else:
        yield warning("", "hw-offload isn't true, but the daemon offloads "
                      "until it is restarted", RESTART)


def tc_policy(host):
    policy = host.other_config("tc-policy", "none")
    if policy == "skip_hw":
        yield failed("", "tc-policy is skip_hw: no rule goes to hardware",
                     "%s && %s" % (remove_config("tc-policy"), RESTART))
    elif policy in ("none", "skip_sw"):
        yield ok("", policy)
    else:
        yield warning("", 'tc-policy is "%s", and taken for "none"' % policy,
                      remove_config("tc-policy"))


def max_idle(host):
    value = host.other_config("max-idle")
    if value is None:
        yield ok("", "not set: 10 seconds")
    elif not value.isdigit():
        yield warning("", 'max-idle is "%s", no number' % value,
                      remove_config("max-idle"))
    elif int(value) < MIN_IDLE_MS:
        yield warning("", "max-idle is %s ms: rules go before hardware's "
                      "counters can show that they are in use" % value,
                      remove_config("max-idle"))
    else:
        yield ok("", "%s ms" % value)


def n_cpus(host):
    """How many are online: the kernel's list, "0-3,8"."""
    text = host.machine.read("/sys/devices/system/cpu/online")
    if not text:
        raise Unknown("/sys/devices/system/cpu/online can't be read")
    ends = [part.split("-") for part in text.split(",")]
    return sum(int(part[-1]) - int(part[0]) + 1 for part in ends)


def threads(host):
    keys = ("n-handler-threads", "n-revalidator-threads")
    values = {key: host.other_config(key) for key in keys}
    few = [key for key in keys if values[key] == "1"]
    if all(values[key] is None for key in keys):
        yield ok("", "as many as the daemon thinks fit")
    elif few and n_cpus(host) > 2:
        for key in few:
            yield warning("", "%s is 1, on %d CPUs" % (key, n_cpus(host)),
                          remove_config(key))
    else:
        yield ok("", ", ".join("%s %s" % item for item in values.items()
                               if item[1] is not None))


def flow_limit(host):
    """How near the configured limit of rules is."""
    for d in host.status()["datapaths"]:
        limit, used = d.get("rules_limit"), d.get("rules_used")
        if not limit:
            yield ok(d["datapath"], "no limit")
        elif used >= 90:
            yield (failed if used >= 100 else warning)(
                d["datapath"], "%d of at most %d rules are in use"
                % (d["rules"], limit),
                set_config("offload-max-flows", 2 * limit))
        else:
            yield ok(d["datapath"], "%d of at most %d rules"
                     % (d["rules"], limit))


def dpdk_initialized(host):
    if any(b["datapath_type"] == "netdev" for b in host.bridges):
        if host.settings.get("dpdk_initialized"):
            yield ok("", host.settings.get("dpdk_version") or "DPDK")
        else:
            yield failed("", "a bridge has the userspace datapath, and DPDK "
                         "isn't initialized: nothing can be offloaded there",
                         set_config("dpdk-init", "true"))
    else:
        yield not_applicable("", "no bridge with the userspace datapath")
