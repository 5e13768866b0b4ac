#!/usr/bin/env bash
# speed.sh BUILD - tree, why and relocs on large programs: each under 300 ms warm, the median of five.
set -u
build=$(realpath "${1:-build}")
passed=0 failed=0 skipped=0
measure() { # COMMAND...: median of five, milliseconds
    local i start times=()
    "$build/ldr" "$@" >/dev/null 2>&1
    for ((i = 0; i < 5; i++)); do
        start=$EPOCHREALTIME
        "$build/ldr" "$@" >/dev/null 2>&1
        times+=($((${EPOCHREALTIME/[.,]/} - ${start/[.,]/})))
    done
    printf '%s\n' "${times[@]}" | sort -n | sed -n 3p
}
for program in clang gdb node perf java; do
    path=/usr/bin/$program
    if [ ! -e "$path" ]; then echo "skip $program: not installed"; skipped=$((skipped + 1)); continue; fi
    for command in "tree $path" "tree --unused $path" "why $path malloc" "relocs $path" "check $path"; do
        # shellcheck disable=SC2086 # words of a command
        us=$(measure $command)
        printf '%6d.%01d ms  ldr %s\n' $((us / 1000)) $((us % 1000 / 100)) "$command"
        if ((us < 300000)); then passed=$((passed + 1)); else echo "not ok ldr $command: 300 ms are the bar"; failed=$((failed + 1)); fi
    done
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
