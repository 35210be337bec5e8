# SPDX-License-Identifier: Apache-2.0
#
# For shell scripts that run in a test kernel (see "run"); bash.  Sets up Open
# vSwitch and virtual machines there:
#
#     . tests/kernel/guest-lib.sh
#     start_ovs --hw-offload
#     ovs-vsctl add-br br0
#     make_vm vm1 10.0.0.1/24;  ovs-vsctl add-port br0 vm1
#     make_vm vm2 10.0.0.2/24;  ovs-vsctl add-port br0 vm2
#     in_vm vm1 ping -c 1 10.0.0.2
#     stop_ovs
#
# Everything ends with the kernel, so there is nothing to clean up.  A function
# that fails prints why and returns non-zero.
#
# Environment:
#     OVS_FASTPATH_BUILD     our build directory
#     OVS_FASTPATH_VSWITCHD  the ovs-vswitchd to run (default: ours)
#     OVS_FASTPATH_OVS       build directory of the Open vSwitch whose tools
#                            are used (default: the one that ours is linked
#                            from)

guest_lib_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${OVS_FASTPATH_BUILD:=$guest_lib_top/_build}"
: "${OVS_FASTPATH_VSWITCHD:=$OVS_FASTPATH_BUILD/ofproto-offload/ovs-vswitchd}"
: "${OVS_FASTPATH_OVS:=$OVS_FASTPATH_BUILD/ovs/build}"

if [ -z "${OVS_FASTPATH_BED:-}" ]; then
    echo "guest-lib.sh: not in a test kernel (see tests/kernel/run)" >&2
    exit 1
fi
export PATH=$OVS_FASTPATH_OVS/utilities:$OVS_FASTPATH_OVS/ovsdb:$PATH

# uptime_seconds: whole seconds since this kernel booted.
uptime_seconds() {
    local up rest
    read -r up rest < /proc/uptime
    echo "${up%.*}"
}

# wait_uptime [SECONDS]: until the kernel has been up that long.  11 s is what
# Open vSwitch 3.1 needs: for 10 s after boot it counts no CPU and stalls.
wait_uptime() {
    while [ "$(uptime_seconds)" -lt "${1:-11}" ]; do
        sleep 0.2
    done
}

# wait_until SECONDS COMMAND...: until COMMAND succeeds; fails after SECONDS.
wait_until() {
    local limit=$1 end
    shift
    end=$(($(uptime_seconds) + limit))
    until "$@"; do
        if [ "$(uptime_seconds)" -ge $end ]; then
            echo "not true within $limit s: $*" >&2
            return 1
        fi
        sleep 0.1
    done
}

# start_ovs [--hw-offload] [ARG...]: ovsdb-server and ovs-vswitchd with an
# empty database, everything of theirs in $OVS_RUNDIR; ARG... go to
# ovs-vswitchd.
start_ovs() {
    local schema offload=
    if [ "${1:-}" = --hw-offload ]; then
        offload=yes
        shift
    fi
    schema=$(sed -n 's/^abs_top_srcdir = //p' "$OVS_FASTPATH_OVS/Makefile")
    schema=$schema/vswitchd/vswitch.ovsschema
    OVS_RUNDIR=${OVS_RUNDIR:-/run/openvswitch}
    export OVS_RUNDIR OVS_LOGDIR=$OVS_RUNDIR OVS_DBDIR=$OVS_RUNDIR \
        OVS_SYSCONFDIR=$OVS_RUNDIR
    mkdir -p "$OVS_RUNDIR" &&
        ovsdb-tool create "$OVS_RUNDIR/conf.db" "$schema" &&
        ovsdb-server "$OVS_RUNDIR/conf.db" --detach --no-chdir --pidfile \
            --log-file --verbose=console:off \
            --remote="punix:$OVS_RUNDIR/db.sock" &&
        ovs-vsctl --no-wait init || return
    if [ -n "$offload" ]; then
        ovs-vsctl --no-wait set Open_vSwitch . other_config:hw-offload=true
    fi
    restart_vswitchd "$@"
}

# restart_vswitchd [ARG...]: ovs-vswitchd again, or for the first time.
restart_vswitchd() {
    wait_uptime
    "$OVS_FASTPATH_VSWITCHD" "unix:$OVS_RUNDIR/db.sock" --detach \
        --no-chdir --pidfile="$OVS_RUNDIR/ovs-vswitchd.pid" --log-file \
        --verbose=console:off "$@"
}

# stop_vswitchd, stop_ovs: and wait until they are gone, so that whatever they
# say at their end (leaks, say) is in their log.
stop_vswitchd() {
    stop_daemon ovs-vswitchd
}

stop_ovs() {
    stop_daemon ovs-vswitchd
    stop_daemon ovsdb-server
}

stop_daemon() {
    local pid
    pid=$(cat "$OVS_RUNDIR/$1.pid" 2> /dev/null) || return 0
    ovs-appctl -t "$1" exit || kill "$pid"
    wait_until 30 process_is_gone "$pid"
}

process_is_gone() {
    ! kill -0 "$1" 2> /dev/null
}

# make_vm NAME [ADDRESS/LENGTH [MAC]]: a network namespace NAME with eth0, the
# guest's end, whose other end NAME stands for its representor port here.
# Neither says anything by itself (no IPv6 unless ADDRESS is one), and
# checksums are whole (if ethtool is there), so that the packets are those
# that a test sends.
make_vm() {
    local name=$1 address=${2:-} mac=${3:-} dad=
    ip netns add "$name" &&
        ip link add name "$name" type veth \
            peer name eth0 netns "$name" || return
    echo 1 > "/proc/sys/net/ipv6/conf/$name/disable_ipv6"
    case $address in
    *:*) dad=nodad ;;
    *) in_vm "$name" sh -c \
        'echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6' ;;
    esac
    if [ -n "$mac" ]; then
        ip -n "$name" link set eth0 address "$mac" || return
    fi
    if [ -n "$address" ]; then
        ip -n "$name" address add "$address" dev eth0 $dad || return
    fi
    make_checksums_whole "$name" &&
        ip -n "$name" link set lo up &&
        ip -n "$name" link set eth0 up &&
        ip link set dev "$name" up
}

# A veth leaves checksums to whoever takes the packet off it, else.
make_checksums_whole() {
    command -v ethtool > /dev/null || return 0
    {
        in_vm "$1" ethtool -K eth0 tx off && ethtool -K "$1" tx off
    } > /dev/null
}

# del_vm NAME: the machine and its representor are gone.
del_vm() {
    ip link del dev "$1"
    ip netns del "$1"
}

# in_vm NAME COMMAND...
in_vm() {
    local name=$1
    shift
    ip netns exec "$name" "$@"
}

# tc_packets DEVICE: what TC's rules on DEVICE have counted, all together.
tc_packets() {
    tc -s filter show dev "$1" ingress |
        awk '/Sent .* pkt/ && !seen { n += $4; seen = 1 }
             /^filter/ { seen = 0 } END { print n + 0 }'
}

# software_packets: what has reached Open vSwitch's own datapath so far.
software_packets() {
    ovs-appctl dpctl/show |
        sed -n 's/.*hit:\([0-9]*\) missed:\([0-9]*\) lost.*/\1 \2/p' |
        { read -r hit missed; echo $((hit + missed)); }
}
