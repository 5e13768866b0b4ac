#!/usr/bin/env bash
# test.sh [SUITE...] - suites, each a make target that ends with "N passed, N failed, N skipped"; the sum is the last line.
# Output of a suite that passes is kept in build/test/SUITE.log; of one that fails it is printed.
#
# With two processors suites run in two lanes. The second has a process namespace of its own (without the right to make one there is one
# lane), because the tests of the measuring tools count whatever runs on the machine. In it stand those that wait and measure; whatever
# both need is made before. LANES=1 runs one suite after the other.
set -u
cd "$(dirname "$0")/.." || exit 2
plain=(floors freestanding unit oracle bad fuzz-smoke check-layout check-layout-live bench-check scenarios scenarios-verify scenarios-off test-explain test-real test-sweep)
measuring=(test-tools test-cache test-tooling)
either=(test-sweep test-real)
apart=(unshare --pid --fork --kill-child --mount-proc)
logs=$PWD/build/test
if [ "${1:-}" != --lane ]; then
    # The interpreter itself, not a shell script that looks for one, and without the packages installed beside it, whose start-up files
    # may import half of the library: the tests start python thousands of times. What needs a package asks /usr/bin/python3 for it.
    python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))') && [ -x "$python" ] && rm -rf "$logs/python" && mkdir -p "$logs/python/bin" &&
        ln -s "$python" "$logs/python/bin/python3" && echo "home = ${python%/*}" >"$logs/python/pyvenv.cfg" && export PATH=$logs/python/bin:$PATH
    # Starts are remembered here and not in the user's own cache; every run of the suites begins without any.
    rm -rf "$logs/cache" "$logs/taken" "$logs"/*.sum
    mkdir -p "$logs/taken" && mkdir -m 700 "$logs/cache"
    export LDR_CACHE_DIR=$logs/cache
fi

# one SUITE: its line, and what else must be seen of it, in one piece
one() {
    local suite=$1 log=$logs/$1.log start=$SECONDS cpu user system status line p f s
    # CPU seconds of the suite and of all its children beside the wall time, which says little where two lanes share two processors
    cpu=$({ TIMEFORMAT='%U %S'; time make -s --no-print-directory "$suite" </dev/null >"$log" 2>&1; } 2>&1; echo $?)
    { read -r user system; read -r status; } <<<"$cpu"
    line=$(grep -oE '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?' "$log" | tail -1)
    if [ -z "$line" ]; then # a suite that only succeeds or fails counts as one
        [ $status = 0 ] && line="1 passed, 0 failed, 0 skipped" || line="0 passed, 1 failed, 0 skipped"
    fi
    read -r p _ f _ s _ <<<"${line//,/} 0"
    [ $status != 0 ] && [ "$f" = 0 ] && f=1 && line="$line (and status $status)"
    echo "$p $f ${s:-0}" >"$logs/$suite.sum"
    {
        printf '%-18s %s  (%d s, CPU %.0f + %.0f s)\n' "$suite" "$line" $((SECONDS - start)) "$user" "$system"
        grep -E '^SKIP|skipp?ed?:|^skip' "$log" | head -20
        [ "$f" != 0 ] && tail -60 "$log"
    } >"$logs/$suite.told"
    flock "$logs" cat "$logs/$suite.told"
}
# lane SUITE...: those that the other lane has not begun
lane() {
    local suite
    for suite; do mkdir "$logs/taken/$suite" 2>/dev/null && one "$suite"; done
}
if [ "${1:-}" = --lane ]; then
    shift
    lane "$@"
    exit 0
fi
suites=("$@")
[ $# = 0 ] && suites=("${plain[@]}" "${measuring[@]}")
second=()
if [ "${LANES:-$(nproc)}" != 1 ] && "${apart[@]}" true 2>/dev/null; then
    first=()
    for suite in "${suites[@]}"; do
        if [[ " ${measuring[*]} " == *" $suite "* ]]; then second+=("$suite"); else first+=("$suite"); fi
    done
    if [ ${#first[@]} != 0 ] && [ ${#second[@]} != 0 ]; then suites=("${first[@]}"); else second=(); fi
fi
if [ ${#second[@]} != 0 ]; then
    shared=()
    for suite in "${either[@]}"; do [[ " ${suites[*]} " == *" $suite "* ]] && shared+=("$suite"); done
    "${apart[@]}" tests/test.sh --lane "${second[@]}" ${shared[@]+"${shared[@]}"} &
    lane "${suites[@]}"
    wait
else
    lane "${suites[@]}"
fi
passed=0 failed=0 skipped=0
for suite in "${suites[@]}" ${second[@]+"${second[@]}"}; do
    p=0 f=1 s=0
    [ -f "$logs/$suite.sum" ] && read -r p f s <"$logs/$suite.sum"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
