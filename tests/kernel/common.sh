# SPDX-License-Identifier: Apache-2.0
#
# Shared by the scripts of this folder and by those that call them (bash).
# Source it with $prog set to the name that messages should carry.

kernel_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top_dir=$(cd "$kernel_dir/../.." && pwd)

# Where everything that is built goes.
build_dir=${OVS_FASTPATH_BUILD:-$top_dir/_build}

# What is dear to build and the same for every checkout is kept here too.
cache_dir=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ovs-fastpath

warn() {
    printf '%s: %s\n' "$prog" "$*" >&2
}

# die STATUS MESSAGE...
die() {
    local status=$1
    shift
    warn "$@"
    exit "$status"
}

# need_value OPTION REMAINING_ARGUMENTS: refuses an option that ends the line.
need_value() {
    [ "$2" -gt 1 ] || die 2 "$1 needs a value (see --help)"
}

# print_help SCRIPT: the comment at the script's head is its help.
print_help() {
    sed -n '4,/^$/s/^# \{0,1\}//p' "$1"
}
