# SPDX-License-Identifier: Apache-2.0
#
# What "run" and "qemu-run" have in common: their arguments, and a session,
# which is one boot of a kernel for one command.  A session has a directory
# of its own, shared with the kernel:
#
#     init        guest-init
#     settings    what guest-init is to do
#     booted      made by guest-init as its first deed
#     status      made by guest-init at the end: the command's exit status
#     console     the kernel's own messages
#
# and three pipes that carry the command's output and those messages.  All of
# it, and the kernel, is gone when the caller ends, however it ends.

. "$kernel_dir/common.sh"

session=
kernel_pid=
watch_pid=
cats=()

# Sets kernel, cpus, mem, timeout, log, directory, writable, links, environment
# and argv.
parse_arguments() {
    kernel=test
    cpus=2
    mem=1G
    timeout=1800
    log=
    writable=()
    environment=("PATH=$PATH" "HOME=${HOME:-/root}" "LANG=${LANG:-C.UTF-8}"
                 "TERM=dumb" "OVS_FASTPATH_BUILD=$build_dir")
    while [ $# -gt 0 ]; do
        case $1 in
        --kernel) need_value "$1" $#; kernel=$2; shift ;;
        --cpus) need_value "$1" $#; cpus=$2; shift ;;
        --mem) need_value "$1" $#; mem=$2; shift ;;
        --timeout) need_value "$1" $#; timeout=$2; shift ;;
        --dir) need_value "$1" $#; add_writable "$2"; shift ;;
        --env) need_value "$1" $#; add_environment "$2"; shift ;;
        --log) need_value "$1" $#; log=$2; shift ;;
        -h | --help) print_help "$0"; exit 0 ;;
        --) shift; break ;;
        *) die 2 "unknown argument '$1' (see --help; '--' goes before the" \
                 "command)" ;;
        esac
        shift
    done
    [ $# -gt 0 ] || die 2 "no command to run (see --help)"
    argv=("$@")
    [[ $mem =~ ^[1-9][0-9]*[MG]$ ]] ||
        die 2 "--mem needs a size such as 512M or 2G, not '$mem'"
    [[ $cpus =~ ^[1-9][0-9]*$ ]] ||
        die 2 "--cpus needs a number, not '$cpus'"
    [[ $timeout =~ ^[1-9][0-9]*$ ]] ||
        die 2 "--timeout needs a number of seconds, not '$timeout'"
    directory=$(pwd -P)
    links=()
    is_system_directory "$directory" || writable+=("$directory")
    add_own_directory "$top_dir"
    [ ! -d "$build_dir" ] || add_own_directory "$build_dir"
}

# What is ours is there under its real name and under the one we know.
add_own_directory() {
    local dir
    dir=$(realpath -- "$1")
    writable+=("$dir")
    [ "$dir" = "$1" ] || links+=("$1")
}

add_writable() {
    local dir
    dir=$(realpath -e -- "$1" 2>/dev/null) && [ -d "$dir" ] ||
        die 2 "--dir $1: no such directory"
    ! is_system_directory "$dir" ||
        die 2 "--dir $1: not for a system directory"
    writable+=("$dir")
}

# A directory that the kernel mounts things on or below can't be passed.
is_system_directory() {
    case $1 in
    / | /dev | /etc | /proc | /proc/* | /run | /sys | /sys/* | /var) ;;
    *) return 1 ;;
    esac
}

add_environment() {
    case $1 in
    *=*) environment+=("$1") ;;
    *) [ -z "${!1+set}" ] || environment+=("$1=${!1}") ;;
    esac
}

# Makes the session's directory, where the kernel's memory fits.
start_session() {
    local dir parent=
    for dir in /dev/shm "${TMPDIR:-/tmp}"; do
        if [ -z "$parent" ] && [ -w "$dir" ] && has_room "$dir"; then
            parent=$dir
        fi
    done
    [ -n "$parent" ] ||
        die 125 "neither /dev/shm nor ${TMPDIR:-/tmp} has room for $mem of" \
                "memory"
    parent=$(realpath "$parent")
    session=$(mktemp -d "$parent/ovs-fastpath.XXXXXX") || exit 125
    open_guard
    trap end_session EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    cp "$kernel_dir/guest-init" "$session/init" || exit 125
    open_pipes
}

# has_room DIR: is there space for the kernel's memory?
has_room() {
    local free size=${mem%[MG]}
    [ "${mem%G}" = "$mem" ] || size=$((size * 1024))
    free=$(df -m --output=avail "$1" 2>/dev/null | tail -n 1)
    [ "${free:-0}" -gt "$size" ]
}

# Cleans up when our end of its pipe closes, which not even a SIGKILL for us
# can prevent: kills the kernel (a process group; a line in the pipe says
# which) and removes the session's directory.
open_guard() {
    exec {guard}> >(exec setsid bash -c '
        trap "" INT TERM HUP
        read -r group
        cat > /dev/null
        [ -z "$group" ] || kill -KILL -- "-$group" 2> /dev/null
        rm -rf "$1"' guard "$session")
    guard_pid=$!
}

# The command's output goes through pipes of our own, because a kernel makes
# what it writes to non-blocking, for all who share it.
open_pipes() {
    exec {to_out}> >(exec cat {guard}>&-)
    cats=($!)
    one_stream=yes
    to_err=$to_out
    if ! [ /proc/$$/fd/1 -ef /proc/$$/fd/2 ]; then
        one_stream=no
        exec {to_err}> >(exec cat >&2 {guard}>&- {to_out}>&-)
        cats+=($!)
    fi
    exec {to_log}> >(close_pipes; exec tr -d '\r' > "$session/console")
    cats+=($!)
}

# For a child that shall not keep our pipes open.
close_pipes() {
    exec {guard}>&- {to_out}>&-
    [ $one_stream = yes ] || exec {to_err}>&-
    [ -z "${to_log:-}" ] || exec {to_log}>&-
}

# write_settings BED: guest-init's orders.
write_settings() {
    local bed=$1 umask
    umask=$(umask)
    environment+=("OVS_FASTPATH_BED=$bed")
    declare -p argv directory writable links environment modules preload \
        autoload bed out err umask > "$session/settings" || exit 125
}

# start_kernel COMMAND...: in a process group of its own.
start_kernel() {
    setsid "$@" < /dev/null >&$to_log 2>&$to_log {guard}>&- &
    kernel_pid=$!
    echo $kernel_pid >&$guard
}

# wait_for_kernel BOOT_SECONDS: until the kernel has ended; exits.
wait_for_kernel() {
    local boot=$1 status
    [ "$boot" -le "$timeout" ] || boot=$timeout
    if ! ended_within "$boot"; then
        [ -e "$session/booted" ] ||
            fail 125 "the kernel didn't boot within $boot seconds"
        [ "$boot" -lt "$timeout" ] && ended_within $((timeout - boot)) ||
            fail 124 "stopped after $timeout seconds: ${argv[*]}"
    fi
    # A kernel that crashes leaves helpers behind, which hold our pipes.
    kill_kernel
    drain_pipes
    status=$(cat "$session/status" 2>/dev/null) ||
        fail 125 "the kernel ended before the command did"
    exit "$status"
}

# ended_within SECONDS: did the kernel end in time?
ended_within() {
    local first
    (close_pipes; exec sleep "$1") &
    watch_pid=$!
    wait -n -p first $kernel_pid $watch_pid
    [ "$first" = $kernel_pid ] || return
    kill $watch_pid
    watch_pid=
} 2> /dev/null  # Where bash would report how the kernel died.

# Closes our ends of the pipes; what is still in them arrives.
drain_pipes() {
    [ ${#cats[@]} -gt 0 ] || return
    exec {to_out}>&- {to_log}>&-
    [ $one_stream = yes ] || exec {to_err}>&-
    wait "${cats[@]}"
    cats=()
}

# fail STATUS MESSAGE: says why, and shows the kernel's last words.
fail() {
    kill_kernel
    drain_pipes
    warn "$2"
    if [ -s "$session/console" ] && [ "$1" != 124 ]; then
        warn "the kernel's last messages:"
        tail -n 40 "$session/console" | sed 's/^/    /' >&2
    fi
    exit "$1"
}

kill_kernel() {
    [ -n "$kernel_pid" ] || return
    kill -KILL -- "-$kernel_pid" $kernel_pid
    wait $kernel_pid
    kernel_pid=
} 2> /dev/null

end_session() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    [ -z "$watch_pid" ] || kill "$watch_pid" 2> /dev/null
    kill_kernel
    [ -z "$log" ] || cp "$session/console" "$log"
    exec {guard}>&-
    wait "$guard_pid"
    exit $status
}
