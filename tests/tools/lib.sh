# shellcheck shell=bash
# lib.sh - sourced by every script here: a temporary folder, checks that print one line each, programs that wait.
# Lines: "ok NAME", "not ok NAME" (with what was found and expected), "skip NAME: why". run.sh counts them.
set -u
# shellcheck disable=SC2034 # used by the scripts
ldr=${LDR:?run by tests/tools/run.sh} build=${BUILD:?} here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
# A first start writes what it remembers before it goes on, not in a process beside that the tests would meet.
export LDR_CACHE=${LDR_CACHE:-now}
held=() answering=
cleanup() {
    [ -z "$answering" ] || kill "$answering" 2>/dev/null
    if ((${#held[@]})); then kill "${held[@]}" 2>/dev/null; wait 2>/dev/null; fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
chmod 755 "$work"
mkfifo -m 666 "$work/ready" "$work/hold"
exec 8<>"$work/ready" 9<>"$work/hold"

# equal NAME FOUND EXPECTED
equal() {
    if [ "$2" = "$3" ]; then echo "ok $1"; return; fi
    echo "not ok $1"
    printf '%s\n' "found:    $2" "expected: $3" | sed 's/^/    /'
}
# contains NAME TEXT PART
contains() {
    case $2 in *"$3"*) echo "ok $1" ;; *) equal "$1" "$2" "... $3 ..." ;; esac
}
skip() { echo "skip $1: $2"; }

# answers: starts the process that `about` asks (answer.py), as no child of this shell: a plain `wait` does not wait for it.
answers() {
    mkfifo "$work/questions" "$work/answered"
    exec 4<>"$work/questions" 5<>"$work/answered"
    answering=$(python3 -S -E "$here/answer.py" "$work/answer" <"$work/questions" >"$work/answered" 2>"$work/answer.err" 4>&- 5>&- 8>&- 9>&- & echo $!)
}
# about KIND PATH EXPRESSION: what python makes of the expression about a file of JSON, or how it fails
about() {
    local value
    printf '%s\0' "$PWD" "$@" >&4
    if IFS= read -r -t 60 value <&5; then IFS= read -r -d '' value <"$work/answer"; else value="no answer: $(cat "$work/answer.err")"; fi
    printf '%s\n' "$value"
}

# hold COMMAND...: starts it with its input held open and its output on the ready pipe; its PID is in $!
hold() {
    "$@" <"$work/hold" >&8 2>>"$work/held.err" 4>&- 5>&- 8>&- 9>&- &
    held+=($!)
}
# await: one line of a held program; the rest of it, after "ready", in $answer
await() {
    # shellcheck disable=SC2034 # for the caller
    if ! read -r -t 30 word answer <&8 || [ "$word" != ready ]; then
        echo "not ok a held program came up"
        sed 's/^/    /' "$work/held.err"
        exit 1
    fi
}
# release: ends every held program by the end of its input and takes its status
release() {
    exec 9>&-
    local status=0 pid
    for pid in ${held[@]+"${held[@]}"}; do wait "$pid" || status=$?; done
    held=()
    exec 9<>"$work/hold"
    return "$status"
}
