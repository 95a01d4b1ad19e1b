#!/usr/bin/env bash
# Ends the cluster and removes everything of it from the machine. May be called at any time, any number of
# times. --force: also the running cluster of another checkout. --locked: the caller (up.sh) holds the lock.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

# Ends the processes in the node's network that are not the node's own: what `run` started.
end_guests() {
    local network=$1 link pid
    [[ -n $network ]] || return 0
    for link in /proc/[0-9]*/ns/net; do
        pid=${link#/proc/}
        pid=${pid%%/*}
        if [[ $pid != "$$" && $(readlink "$link" 2>/dev/null) == "$network" ]]; then
            kill -KILL "$pid" 2>/dev/null || true
        fi
    done
}

end_node() {
    local holder pid network=''
    holder=$(holder_pid) || return 0
    if pid=$(node_pid); then
        network=$(readlink "/proc/$pid/ns/net" || true)
        kill -KILL "$pid" 2>/dev/null || true
    fi
    # Only the network of a node, never the machine's own.
    [[ $network != "$(readlink "/proc/$$/ns/net")" ]] || network=
    end_guests "$network"
    # It ends by itself once the kernel has ended everything in the node. Before the node existed, it must be told.
    local attempt
    for attempt in {1..100}; do
        [[ -d /proc/$holder ]] || return 0
        ((attempt < 30)) || kill -KILL "$holder" 2>/dev/null || true
        sleep 0.1
    done
    fail "process $holder does not end; the cluster's files are kept in $state"
}

remove_cgroups() {
    local top attempt
    for attempt in {1..50}; do
        for top in /sys/fs/cgroup/"$cgroup" /sys/fs/cgroup/*/"$cgroup"; do
            [[ -d $top ]] || continue
            # Deepest first; a group whose last process is still ending is met again.
            find "$top" -depth -type d -exec rmdir {} + 2>/dev/null || true
        done
        compgen -G "/sys/fs/cgroup/*/$cgroup" >/dev/null || [[ -d /sys/fs/cgroup/$cgroup ]] || return 0
        sleep 0.1
    done
    fail "control groups named $cgroup cannot be removed: a process is still in them"
}

main() {
    local force='' locked='' option
    for option; do
        case $option in
            --force) force=1 ;;
            --locked) locked=1 ;;
            *) fail "down: unknown option $option" ;;
        esac
    done
    ((EUID == 0)) || fail "the cluster needs root"
    if [[ -z $locked ]]; then
        exec 9<"$lock"
        flock --nonblock 9 || { note "another up or down is running; waiting for it"; flock 9; }
    fi
    if [[ $(owner) != "$checkout" && -z $force ]] && holder_pid >/dev/null; then
        fail "the running cluster belongs to $(owner); to end it all the same: scripts/cluster down --force"
    fi
    end_node
    remove_cgroups
    # Nothing is mounted below it on the machine's side: the node's mounts ended with the node.
    rm -rf "$state"
}

main "$@"
