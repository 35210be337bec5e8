# SPDX-License-Identifier: Apache-2.0
#
# A NIC with three VFs for the kernel's own tests, for bash in a test kernel.
# Guest ends are g0 to g2, representors r0 to r2.  Wants $module.

nic=/sys/bus/eswim/devices/eswim0

representor_of() {
    local dev
    for dev in $nic/net/*; do
        [ "$(cat "$dev/phys_port_name" 2> /dev/null)" != "pf0vf$1" ] ||
            basename "$dev"
    done
}

load() {
    local i
    insmod "$module" && echo 3 > $nic/sriov_numvfs &&
        devlink dev eswitch set eswim/eswim0 mode switchdev &&
        echo 0 > /sys/kernel/debug/eswim/eswim0/counter_lag_ms || return
    for i in 0 1 2; do
        ip link set "$(ls $nic/virtfn$i/net)" name g$i &&
            ip link set "$(representor_of $i)" name r$i &&
            ethtool -K r$i hw-tc-offload on || return
    done
}

# What the kernel has said at its start isn't ours.
dmesg -C

complaints() {
    dmesg | grep -E 'BUG|WARNING|Oops|unregister_netdev'
}
