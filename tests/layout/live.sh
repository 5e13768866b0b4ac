#!/bin/sh
# live.sh - a running program's view of glibc's private state, under the system's linker and, when built, under ours.
#   B=build LDSO=build/ld-ldr.so tests/layout/live.sh
set -u
B=${B:-build}
bad=0
run() {
    "$@"; status=$?
    [ "$status" = 77 ] && exit 77
    [ "$status" = 0 ] || { echo "FAIL under $1: status $status"; bad=1; }
}
echo "== system's linker"; run "$B/live"
if [ -x "${LDSO:-$B/ld-ldr.so}" ]; then echo "== ${LDSO:-$B/ld-ldr.so}"; run "${LDSO:-$B/ld-ldr.so}" "$B/live"
else echo "     ${LDSO:-$B/ld-ldr.so} is not built: only the system's linker was tried"; fi
exit $bad
