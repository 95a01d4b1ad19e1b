#!/usr/bin/env bash
# supervise.sh NAME COMMAND…: keeps a component of the node running, as an init system would: it is started
# again half a second after it ends, for whatever reason. Runs inside the node.
set -u
# shellcheck source-path=SCRIPTDIR source=../settings.sh
source "${BASH_SOURCE[0]%/*}/settings.sh"
name=$1
shift
exec >>"$state/logs/$name.log" 2>&1 </dev/null
while :; do
    "$@" &
    echo $! >"$state/pids/$name"
    wait $!
    printf '== %s ended with status %d\n' "$name" $?
    sleep 0.5
done
