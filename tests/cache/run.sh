#!/usr/bin/env bash
# run.sh BUILD [SCRIPT...] - the tests of the start-up cache; the last line counts single checks. Each script says at its head what it tests.
set -u
build=$(realpath "${1:-build}")
shift
cd "$(dirname "$0")" || exit 1
export BUILD=$build LDSO=$build/ld-ldr.so LDR=$build/ldr PYTHONDONTWRITEBYTECODE=1
unset LD_LIBRARY_PATH LD_PRELOAD LD_BIND_NOW GLIBC_TUNABLES LDR_CACHE LDR_CACHE_DIR LDR_CACHE_MAX_AGE LDR_LDSO
[ $# -gt 0 ] || set -- telling changes attacks trusted system together programs sharing faults opened taken startfiles command
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for script; do
    echo "== $script.py"
    timeout -k 5 900 python3 "$script.py" >"$log" 2>&1
    status=$?
    grep -v '^ok ' "$log"
    good=$(grep -c '^ok ' "$log") bad=$(grep -c '^not ok ' "$log")
    if ((status && !bad)); then echo "not ok $script.py ended with status $status"; bad=1; fi
    if ((good + bad == 0)) && ! grep -q '^skip ' "$log"; then echo "not ok $script.py checked nothing"; bad=1; fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + $(grep -c '^skip ' "$log")))
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
