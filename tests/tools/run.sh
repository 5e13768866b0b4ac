#!/usr/bin/env bash
# run.sh BUILD - runs every unit table and every script of this folder; the last line counts single checks.
# Without BUILD/ld-ldr.so the system's linker stands in for it: the command form is the same.
set -u
build=$(realpath "${1:-build}")
cd "$(dirname "$0")" || exit 1
export BUILD=$build LDR=$build/ldr
if [ -z "${LDR_LDSO:-}" ] && [ ! -x "$build/ld-ldr.so" ]; then
    export LDR_LDSO=/lib64/ld-linux-x86-64.so.2
    echo "note: no $build/ld-ldr.so, the system's linker stands in"
fi
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for unit in "$build"/tests/tools/test_*; do
    [ -x "$unit" ] || continue
    "$unit" >"$log" 2>&1
    status=$?
    good=$(grep -c '^\[       OK \]' "$log") bad=$(grep -c '^\[  FAILED  \] [a-z_]*$' "$log")
    # a crash or a sanitizer's report fails without naming a test
    if ((status && !bad)); then bad=1; fi
    if ((good + bad == 0)); then bad=1; fi
    echo "unit $(basename "$unit"): $good passed, $bad failed"
    ((bad)) && sed 's/^/    /' "$log"
    passed=$((passed + good)) failed=$((failed + bad))
done
for script in *.sh; do
    case $script in lib.sh | run.sh) continue ;; esac
    start=$SECONDS
    # Starts that must have a record: the same script makes them first. What it compiles itself is new each time, and has none.
    [ "${LDR_CACHE:-}" = require ] && LDR_CACHE=now timeout 600 bash "$script" >/dev/null 2>&1
    timeout 600 bash "$script" >"$log" 2>&1
    status=$?
    if [ "${LDR_CACHE:-}" = require ] && grep -q 'start record of the cache does not fit this process' "$log"; then
        echo "skip $script: starts a program that has no record" >>"$log"
        sed -i 's/^not ok /without a record: /' "$log"
        status=0
    fi
    echo "== $script ($((SECONDS - start)) s)"
    grep -v '^ok ' "$log"
    good=$(grep -c '^ok ' "$log") bad=$(grep -c '^not ok ' "$log")
    if ((status && !bad)); then echo "not ok $script ended with status $status"; bad=1; fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + $(grep -c '^skip ' "$log")))
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
