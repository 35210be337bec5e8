# SPDX-License-Identifier: Apache-2.0
#
# bash completion for what follows "ovs-appctl offload/...": names of ports,
# flows that are refused, options.  Everything else is left to Open vSwitch's own
# script, ovs-appctl-bashcomp.bash, which asks the daemon for its commands.
#
# As with that script, bash doesn't load this by itself, because "ovs-appctl" is
# another's command:
#
#     . /usr/share/bash-completion/completions/ovs-appctl-offload.bash

if ! declare -F _ovs_command_complete > /dev/null &&
    [[ -r ${BASH_SOURCE[0]%/*}/ovs-appctl-bashcomp.bash ]]; then
    . "${BASH_SOURCE[0]%/*}/ovs-appctl-bashcomp.bash"
fi

# The command line so far: sets "command", the first word that is no option, if
# there is one before the cursor, and "ask", what asks the same daemon.
_ovs_appctl_offload_line() {
    local i word
    command=
    ask=(ovs-appctl -T 2)
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        -t | --target | -T | --timeout)
            [[ ${COMP_WORDS[i+1]} != = ]] || ((i++))
            [[ $word == -T || $word == --timeout ]] ||
                ask+=(-t "${COMP_WORDS[i+1]}")
            ((i++))
            ;;
        -*) ;;
        *)
            command=$word
            return
            ;;
        esac
    done
}

# What may stand where the cursor is, of the command's arguments.
_ovs_appctl_offload_words() {
    case $command in
    offload/caps | offload/refusals)
        "${ask[@]}" dpctl/show 2>/dev/null |
            sed -n 's/^ *port [0-9]*: \([^ ]*\).*/\1/p'
        ;;
    offload/explain)
        echo --packet
        "${ask[@]}" offload/refusals 2>/dev/null |
            sed -n 's/^ *example: *//p'
        ;;
    esac
    [[ $command == offload/metrics ]] ||
        printf '%s\n' --format=text --format=json
}

_ovs_appctl_offload() {
    local command ask
    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]}
    _ovs_appctl_offload_line
    COMPREPLY=()
    case $command in
    offload/*)
        # "--format=json" is three words.
        if [[ $cur == = && $option == --format ]]; then
            COMPREPLY=(text json)
        elif [[ $option == = && ${COMP_WORDS[COMP_CWORD-2]} == --format ]]
        then
            COMPREPLY=($(compgen -W "text json" -- "$cur"))
        else
            COMPREPLY=($(compgen -W "$(_ovs_appctl_offload_words)" -- "$cur"))
        fi
        ;;
    *)
        if [[ -z $command && $cur == off* ]]; then
            COMPREPLY=($(compgen -W "$("${ask[@]}" list-commands 2>/dev/null |
                sed -n 's/^ *\(offload\/[^ ]*\).*/\1/p')" -- "$cur"))
        elif declare -F _ovs_command_complete > /dev/null; then
            _ovs_command_complete "$@"
        fi
        ;;
    esac
}

complete -o default -F _ovs_appctl_offload ovs-appctl
