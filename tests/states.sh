#!/usr/bin/env bash
# states.sh [SUITE...] - suites in each state of LDR_CACHE, each a make target that ends with "N passed, N failed, N skipped". STATES="off verify"
# runs some. One line for each suite and state; logs in build/test/states.
#
#   off      no cache
#   require  every start from a record, or refused. A suite makes the same starts first; where none can be made (a warning was printed, the
#            program was built by the run itself, ...) the test is skipped and the reason told
#   use      as by default, records of the state before there already
#   verify   every start made anew and compared byte by byte with its record
set -u
cd "$(dirname "$0")/.." || exit 2
suites=("$@")
[ ${#suites[@]} = 0 ] && suites=(scenarios bad test-tools test-explain test-tooling test-real)
logs=$PWD/build/test/states worst=0
mkdir -p "$logs"
for suite in "${suites[@]}"; do
    rm -rf "$logs/cache"
    mkdir -m 700 "$logs/cache"
    for state in ${STATES:-off require use verify}; do
        log=$logs/$suite.$state start=$SECONDS
        LDR_CACHE=$state LDR_CACHE_DIR=$logs/cache make -s --no-print-directory "$suite" </dev/null >"$log" 2>&1
        status=$?
        line=$(grep -oE '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?' "$log" | tail -1)
        printf '%-14s %-8s %s  (%d s, %d records)\n' "$suite" "$state" "${line:-status $status}" $((SECONDS - start)) "$(find "$logs/cache" -name 'r-*' | wc -l)"
        if [ $status != 0 ]; then worst=1; grep -aE '^(FAIL|not ok)' "$log" | head -20; fi
        [ "$state" != require ] || grep -aE '^skip .*record' "$log" | sed 's/.*record/  without a record/' | sort | uniq -c | sort -rn | head -12
    done
done
exit $worst
