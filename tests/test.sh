#!/usr/bin/env bash
# test.sh [SUITE...] - every suite in turn, each a make target that ends with "N passed, N failed, N skipped"; the sum is the last line.
# Output of a suite that passes is kept in build/test/SUITE.log; of one that fails it is printed.
set -u
cd "$(dirname "$0")/.." || exit 2
suites=("$@")
[ ${#suites[@]} = 0 ] && suites=(floors freestanding unit oracle bad fuzz-smoke check-layout check-layout-live bench-check scenarios scenarios-verify scenarios-off test-tools test-explain test-cache
                                 test-tooling test-real test-sweep)
# Starts are remembered here and not in the user's own cache; every run of the suites begins without any.
rm -rf build/test/cache
mkdir -p build/test && mkdir -m 700 build/test/cache
export LDR_CACHE_DIR=$PWD/build/test/cache
passed=0 failed=0 skipped=0
for suite in "${suites[@]}"; do
    log=build/test/$suite.log start=$SECONDS
    make -s --no-print-directory "$suite" </dev/null >"$log" 2>&1
    status=$?
    line=$(grep -oE '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?' "$log" | tail -1)
    if [ -z "$line" ]; then # a suite that only succeeds or fails counts as one
        [ $status = 0 ] && line="1 passed, 0 failed, 0 skipped" || line="0 passed, 1 failed, 0 skipped"
    fi
    read -r p _ f _ s _ <<<"${line//,/} 0"
    [ $status != 0 ] && [ "$f" = 0 ] && f=1 && line="$line (and status $status)"
    printf '%-18s %s  (%d s)\n' "$suite" "$line" $((SECONDS - start))
    grep -E '^SKIP|skipp?ed?:|^skip' "$log" | head -20
    [ "$f" != 0 ] && tail -60 "$log"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
