#!/bin/sh
# /bin/nc of the Alpine stand-in. Alpine's busybox has `nc -z` (only see whether somebody listens); Debian's
# was built without, and -e does the same: it runs a program once the connection is there.
only_connect=
for argument; do
    shift
    case $argument in
        -*z*) only_connect=1; argument=$(echo "$argument" | sed 's/[zv]//g') ;;
        -v) continue ;;
    esac
    [ "$argument" = - ] || set -- "$@" "$argument"
done
if [ -n "$only_connect" ]; then
    exec /bin/busybox nc "$@" -e true
fi
exec /bin/busybox nc "$@"
