#!/usr/bin/env bash
# speed.sh BUILD [all] - tree, why, relocs and check on large programs: each under 300 ms warm, the quickest of five, because what else the
# machine does is no part of it; the median is told too. With `all` also a check of every program of /usr/bin, which has a minute on two cores.
set -u
build=$(realpath "${1:-build}")
passed=0 failed=0 skipped=0
measure() { # COMMAND...: quickest and median of five, microseconds
    local i start times=()
    "$build/ldr" "$@" >/dev/null 2>&1
    for ((i = 0; i < 5; i++)); do
        start=$EPOCHREALTIME
        "$build/ldr" "$@" >/dev/null 2>&1
        times+=($((${EPOCHREALTIME/[.,]/} - ${start/[.,]/})))
    done
    printf '%s\n' "${times[@]}" | sort -n | sed -n '1p;3p' | tr '\n' ' '
}
for program in clang gdb node perf java soffice.bin; do
    path=$(command -v "$program" || find /usr/lib/libreoffice/program -name "$program" 2>/dev/null | head -1)
    if [ -z "$path" ]; then echo "skip $program: not installed"; skipped=$((skipped + 1)); continue; fi
    path=$(readlink -f "$path")
    for command in "tree $path" "tree --unused $path" "why $path malloc" "relocs $path" "check $path"; do
        # shellcheck disable=SC2086 # words of a command
        read -r us median <<<"$(measure $command)"
        printf '%6d.%01d ms, median %d.%01d  ldr %s\n' $((us / 1000)) $((us % 1000 / 100)) $((median / 1000)) $((median % 1000 / 100)) "$command"
        if ((us < 300000)); then passed=$((passed + 1)); else echo "not ok ldr $command: 300 ms are the bar"; failed=$((failed + 1)); fi
    done
done
if [ "${2:-}" = all ]; then
    start=$EPOCHREALTIME
    files=$(taskset -c 0,1 "$build/ldr" check --json /usr/bin 2>/dev/null | sed -n 's/.*"files": *\([0-9]*\).*/\1/p' | head -1)
    ms=$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))
    printf '%6d.%03d s   ldr check /usr/bin: %s files, on two processors\n' $((ms / 1000)) $((ms % 1000)) "$files"
    if ((ms < 60000 && ${files:-0} > 100)); then passed=$((passed + 1)); else echo "not ok ldr check /usr/bin: 60 s are the bar"; failed=$((failed + 1)); fi
fi
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
