#!/usr/bin/env bash
# run.sh BUILD - every oracle of this folder in turn; the last line sums up. A skip prints its reason.
set -u
build=$(realpath "${1:-build}")
cd "$(dirname "$0")" || exit 1
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() { # NAME COMMAND...: shows all but "ok" lines, counts by the closing line
    local name=$1 line p f s start=$SECONDS
    shift
    "$@" >"$log" 2>&1
    local status=$?
    echo "== $name ($((SECONDS - start)) s)"
    line=$(grep -oE '[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped' "$log" | tail -1)
    grep -v '^ok ' "$log" | tail -60
    read -r p _ f _ s _ <<<"${line:-0 passed, 1 failed, 0 skipped}"
    if ((status && !f)); then f=1; echo "not ok $name ended with status $status"; fi
    passed=$((passed + p)) failed=$((failed + ${f%,})) skipped=$((skipped + s))
}
run "tree: the distribution's programs" python3 tree_truth.py "$build/ldr"
scenarios=$(find "$build"/testlibs/*/d -type f -size +1k 2>/dev/null)
if [ -n "$scenarios" ]; then
    # shellcheck disable=SC2086 # a list of files without blanks
    run "tree: the scenarios of testlibs" python3 tree_truth.py "$build/ldr" $scenarios
else
    echo "skip tree: the scenarios of testlibs: not built (make scenarios)"
    skipped=$((skipped + 1))
fi
run "corpus of broken programs" ./corpus.sh "$build"
run "relocs and why: libelf and LD_DEBUG=bindings" python3 relocs_truth.py "$build/ldr" "$build/explain/libelf_relocs"
run "relocs: the memory of running processes" python3 memory_truth.py "$build/ldr" "$build/ld-ldr.so"
run "why: addresses" python3 place_truth.py "$build/ldr"
run "words of the commands" python3 words.py "$build/ldr"
run "check: the distribution" python3 check_truth.py "$build/ldr"
run "check: SARIF against its schema" ./sarif.sh "$build"
if tail -n 1 "$build/bad/endings" | grep -q ' passed, 0 failed, 0 skipped$'; then passed=$((passed + 1))
else failed=$((failed + 1)); echo "not ok damaged files: how the linker takes them"; tail -5 "$build/bad/endings"; fi
run "damaged files" python3 check_bad.py "$build/ldr" "$build/bad/endings" "$build/bad/cases/cases" "$build/bad/good/prog-beside"
sanitized=$build/tests/tools/ldr-sanitized made=$build/explain/corpus
run "changed files, with sanitizers" python3 fuzz.py "$sanitized" "$made/copy_too_small/main" "$made/unique_symbol/main" "$made/version_missing/main" \
    "$made/function_of_two_libraries/libone.so" "$made/need_unused/main" /usr/bin/ls /lib/x86_64-linux-gnu/libz.so.1
if ASAN_OPTIONS=detect_leaks=0 "$sanitized" check "$build/bad/cases" 2>"$log" >/dev/null; [ $? = 6 ] && [ ! -s "$log" ]; then passed=$((passed + 1))
else failed=$((failed + 1)); echo "not ok damaged files, with sanitizers"; head -20 "$log"; fi
run "files written to while they are read" python3 changing.py "$build/ldr"
run "manual pages" ./docs.sh "$build"
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
