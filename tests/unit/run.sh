#!/usr/bin/env bash
# run.sh TEST... - runs unit tables; tells only what fails, then checks that every LDR_E_* that floors 0-2 can report was reported at
# least once. Closing line: N passed, N failed, N skipped.
set -u
passed=0 failed=0 skipped=0
log=$(mktemp) codes=$(mktemp)
trap 'rm -f "$log" "$codes"' EXIT
export UNIT_CODES=$codes
for unit in "$@"; do
    timeout 120 "$unit" >"$log" 2>&1
    status=$?
    good=$(grep -c '^\[       OK \]' "$log") bad=$(grep -E '^\[  FAILED  \] [a-zA-Z_0-9]+$' "$log" | sort -u | wc -l)
    left=$(grep -E '^\[  SKIPPED \] [a-zA-Z_0-9]+$' "$log" | sort -u | wc -l)
    # a crash or a sanitizer's report fails without naming a test
    if ((status && !bad)) || ((good + bad + left == 0)); then bad=1; fi
    echo "$(basename "$unit"): $good passed, $bad failed"
    grep '^skip ' "$log"
    ((bad)) && grep -v '^\[ RUN\|^\[       OK' "$log" | head -40 | sed 's/^/    /'
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
done
for code in $(grep -ohE 'LDR_E_[A-Z_]+' ldr/base/*.c ldr/image/*.c ldr/link/*.c ldr/arch/*/*.c | grep -vE '^LDR_E_$' | sort -u); do
    if grep -qx "$code" "$codes"; then passed=$((passed + 1)); else echo "not ok no row produces $code"; failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
