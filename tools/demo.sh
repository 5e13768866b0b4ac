#!/usr/bin/env bash
# demo.sh [LDR] - the main job: several copies each of python3, perl and bash, started through `ldr run`, and the physical
# pages they share. LDR_COPIES sets how many of each (default 4). Every copy says "ready" on one pipe when its libraries are
# loaded, then waits on another until the report is printed, and must end with status 0.
set -euo pipefail
ldr=${1:-$(dirname "$0")/../build/ldr}
copies=${LDR_COPIES:-4}
if [ ! -x "$ldr" ]; then echo "demo: no $ldr; run make first" >&2; exit 1; fi
# once alone, so that a missing linker is said once and not by every copy
"$ldr" run /bin/true || { echo "demo: $ldr run /bin/true failed" >&2; exit 1; }

work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317 # called by the trap
finish() {
    # reached early only by a failure or a signal: then the copies are still waiting
    if ((${#pids[@]})); then kill "${pids[@]}" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

mkfifo "$work/ready" "$work/hold"
# opened for reading and writing, so that no open waits for the other side
exec 8<>"$work/ready" 9<>"$work/hold"

start() { # start PROGRAM [ARG...]: its stdin is the pipe that holds it, its stdout the one it reports on
    "$ldr" run "$@" <"$work/hold" >&8 8>&- 9>&- &
    pids+=($!)
}
# The distribution's own files, not wrappers of the same name earlier in PATH.
# shellcheck disable=SC2016 # perl's variables
for ((i = 0; i < copies; i++)); do
    start /usr/bin/python3 -c 'import ssl, sqlite3, sys
sys.stdout.write("ready\n"); sys.stdout.flush(); sys.stdin.read()'
    start /usr/bin/perl -e 'use POSIX; use Socket; use List::Util; use Data::Dumper; $| = 1; print "ready\n"; my $line = <STDIN>;'
    start /bin/bash --norc --noprofile -c 'echo ready; while read -r line; do :; done'
done

up=0
for ((waited = 0; up < ${#pids[@]}; )); do
    if read -r -t 1 word <&8 && [ "$word" = ready ]; then
        up=$((up + 1))
        continue
    fi
    waited=$((waited + 1))
    for pid in "${pids[@]}"; do
        if ! kill -0 "$pid" 2>/dev/null; then
            status=0
            wait "$pid" || status=$?
            echo "demo: a program ended with status $status before it was up" >&2
            exit 1
        fi
    done
    if ((waited == 30)); then echo "demo: only $up of ${#pids[@]} programs came up within 30 s" >&2; exit 1; fi
done

echo "$copies copies each of python3 (with ssl and sqlite3), perl and bash, started by: ldr run PROGRAM"
echo
status=0
"$ldr" pages --segments --top 0 "${pids[@]}" || status=$?

exec 9>&- # the last writer: every copy reads the end of its input and ends
ended=0
for pid in "${pids[@]}"; do wait "$pid" || ended=$?; done
pids=()
if ((ended)); then echo "demo: a program ended with status $ended" >&2; exit 1; fi
exit "$status"
