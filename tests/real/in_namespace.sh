#!/bin/sh
# in_namespace.sh LINKER COMMAND [ARGS] - run COMMAND where LINKER is the system's dynamic linker, seen by this command
# and its children only; `-` keeps the genuine one and all the rest the same.
# The namespaces also give own process ids (whatever is left running ends with COMMAND), an own loopback (every port is
# free, nothing else is reachable) and own IPC. The genuine linker stays where its package put it, and is found there.
set -eu
if [ "${1:-}" != --inside ]; then
    exec unshare -m -p -n -i --fork --kill-child --mount-proc /bin/sh "$0" --inside "$@"
fi
linker=$2
shift 2
ip link set lo up
if [ "$linker" != - ]; then
    lib64=$(readlink -f /lib64)
    mount -t tmpfs -o mode=755 ldr /mnt
    cp -a "$lib64/." /mnt/
    # A copy, not a link into the source tree: other users must be able to reach it.
    cp --remove-destination "$(readlink -f "$linker")" /mnt/ld-linux-x86-64.so.2
    chmod 755 /mnt/ld-linux-x86-64.so.2
    mount --move /mnt "$lib64"
    cmp -s "$linker" /lib64/ld-linux-x86-64.so.2 || { echo "in_namespace: the linker is not in place" >&2; exit 1; }
fi
# Not exec: process 1 of a namespace ignores signals it has no handler for, and COMMAND shall be an ordinary process.
"$@"
exit $?
