#!/usr/bin/env bash
# crash_kernel.sh - `ldr run --crash-report`, judged by the kernel and gdb: statuses, core files, backtraces, a terminal, a watcher that is
# killed, programs that are damaged; and what it costs (told, not judged).
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
ours=${LDR_LDSO:-$build/ld-ldr.so}
if [ "$ours" = /lib64/ld-linux-x86-64.so.2 ]; then skip "ldr run --crash-report, by the kernel" "the system's linker stands in for ours"; exit 0; fi
here=$(realpath "$here")
cp "$here"/crash/* "$work" && cd "$work" || exit 1
# shellcheck source=crash/build.sh
. ./build.sh
python3 "$here/crash_truth.py" "$ldr" "$work"
