#!/usr/bin/env bash
# run.sh [--record] [NAME...] - run the scenarios of testlibs/ under the system's linker (the oracle) and under ours.
#
# Ours is $LDSO (default build/ld-ldr.so), started in three ways:
#   command   LDSO PROGRAM ARGS
#   interp    the program linked a second time, with --dynamic-linker=LDSO
#   namespace a private mount namespace in which /lib64/ld-linux-x86-64.so.2 is ours; the genuine file stays where
#             the system keeps it, so the link can be followed to it
# Output (stdout and stderr together) and exit status must be those of the oracle, started in the same form.
# The oracle itself must agree with the scenario's `expected` file, where there is one (--record writes them).
# One line per failure with a short diff; the last line is "N passed, N failed, N skipped", one count per scenario and way.
# JOBS=2 SECONDS_EACH=10 WAYS="command interp namespace" in the environment change what they say.
# How a scenario is written: testlibs/README.md.
set -u
SYSTEM=/lib64/ld-linux-x86-64.so.2
if [[ ${1:-} != --[fstn]* ]]; then # found once, then handed on: inside the namespace `dirname` would run under our linker
    cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
    export ROOT=$PWD LC_ALL=C JOBS=${JOBS:-2} SECONDS_EACH=${SECONDS_EACH:-10} WAYS=${WAYS:-command interp namespace}
    LDSO=$(realpath -ms "${LDSO:-build/ld-ldr.so}") GENUINE=$(realpath "${GENUINE:-$SYSTEM}")
    export LDSO GENUINE
    unset LD_LIBRARY_PATH LD_PRELOAD LD_BIND_NOW LD_DEBUG LD_AUDIT GLIBC_TUNABLES
fi
B=$ROOT/build/testlibs ONCE=$ROOT/build/testlibs/once

# ---- the words a scenario file may use; they only build and record, nothing runs yet ----

built() { # CC OUT SOURCES FLAGS...: compile each source, then link; sources are names in the scenario's folder
    local out=$1 sources=$2 objects=() source cc=gcc; shift 2
    [ -d "${out%/*}" ] || mkdir -p "${out%/*}"
    for source in ${sources//,/ }; do
        [[ $source == *.cc ]] && cc=g++
        objects+=("$W/obj/${out##*/}-${source##*/}.o")
        # shellcheck disable=SC2086
        ${CC:-$cc} -c -O1 -Wall -fno-strict-aliasing -I"$ROOT/testlibs" $CFLAGS "$@" -o "${objects[-1]}" "$S/$source" || exit 1
    done
    LINK=(${CC:-$cc} -O1 ${RPATH:+-Wl,-rpath,"$RPATH"} -Wl,--no-as-needed,--allow-shlib-undefined,-z,lazy,-rpath-link,"$D"
          "${objects[@]}" -L"$D" $CFLAGS "$@")
    linked -o "$out"
}
# The link editor's memory in pages as large as there are: a link costs a third less where page faults are dear (virtual machines).
linked() { GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=4194304 "${LINK[@]}" "$@" || exit 1; }
sources_of() { # NAME: the file of that name with one of the known endings, in $sources
    local end
    for end in c cc S; do [ -f "$S/$1.$end" ] && sources=$1.$end && return; done
    echo "$NAME: no source for $1" >&2; exit 1
}
lib() { # [DIR/]NAME[=SOURCE,...] FLAGS...  builds [DIR/]libNAME.so
    local path=${1%%=*} sources; shift_spec "$1"; shift
    local name=${path##*/}
    built "$D/${path%"$name"}lib$name.so" "$sources" -fPIC -shared "$@"
}
life() { # [DIR/]NAME FLAGS...  a library that prints +NAME in its constructor and -NAME in its destructor
    lib "$1=../life.c" -DNAME="${1##*/}" "${@:2}"
}
prog() { # [DIR/]NAME[=SOURCE,...] FLAGS...  builds the program, and again with our linker as its interpreter
    local path=${1%%=*} sources; shift_spec "$1"; shift
    built "$D/$path" "$sources" "$@"
    [[ " $* " == *" -static"* ]] && return # no interpreter to choose
    local ours=$W/ours/$path
    [ -d "${ours%/*}" ] || mkdir -p "${ours%/*}"
    linked -o "$ours" -Wl,--dynamic-linker="$LDSO" # linked now: what it is linked against may be replaced later
}
shift_spec() { if [[ $1 == *=* ]]; then sources=${1#*=}; else sources_of "${1##*/}"; fi; }
run() { # [VAR=VALUE...] [--linker-option...] PROGRAM ARGS...
    local word in=$IN
    for word; do
        [[ $word == [A-Z_]*=* ]] && continue
        [[ $word == --* ]] && in=${in/interp/} # the linker's own options need the linker named
        break
    done
    RUNS+=("$AS|$in|$(printf '%q ' "$@")")
    KNOWN+=("$KNOWN_WHY")
}
as() { # UID: the runs that follow are that user's; needs root, and a tree that others may enter
    need root
    local dir=$D
    while [ "$dir" != / ]; do
        [ $((0$(stat -c %a "$dir") & 1)) = 1 ] || skip "user $1 may not enter $dir"
        dir=$(dirname "$dir")
    done
    AS=$1
}
ways() { IN=$*; }                                          # the runs that follow: only these ways in
compare() { COMPARE=$1; }                                  # exact | first-line
normalise() { SED+=(-e "$1"); }                            # sed expression applied to every output before comparing
machine_dependent() { RECORD_IT=; }                        # what the system prints differs by machine: no `expected`
known() { KNOWN_WHY=$1; }                                  # the runs that follow differ by intent, and why; "" ends it
ours_only() { OURS_ONLY=$1; }                              # why the system's linker cannot be the oracle
skip() { echo "$1" >"$W/skip"; exit 0; }
need() {
    case $1 in
    root) [ "$(id -u)" = 0 ] || skip "needs root" ;;
    cpu)  grep -qw "$2" /proc/cpuinfo || skip "this CPU has no $2" ;;
    tool) command -v "$2" >/dev/null || skip "needs the program $2" ;;
    file) [ -e "$2" ] || skip "needs the file $2" ;;
    esac
}
finish() { :; }                                            # DIR: what to do to a finished tree; a scenario may define it

# ---- one scenario: build, run, compare ----

begin() { # NAME
    NAME=$1 S=$ROOT/testlibs/$1 W=$B/$1; D=$W/d
    RUNS=() KNOWN=() KNOWN_WHY='' SED=() AS=0 IN="command interp namespace" COMPARE=exact OURS_ONLY= RECORD_IT=1 CFLAGS= RPATH='$ORIGIN' CC=
}
build() { # NAME, in a subshell: everything the scenario file declares, then the second tree with our interpreter
    begin "$1"
    rm -rf "$W"; mkdir -p "$D" "$W/obj" "$W/out"
    # shellcheck disable=SC1091
    . "$S/scenario"
    cp -al "$D" "$W/i"
    [ -d "$W/ours" ] && cp -a --remove-destination "$W/ours/." "$W/i/"
    finish "$D"; finish "$W/i"
    declare -p RUNS KNOWN SED COMPARE OURS_ONLY RECORD_IT | sed "s/^declare -[-]*/declare -g /;s/-g a/-ga/" >"$W/plan"
    echo "$LDSO" >"$W/built"
}
need_build() {
    [ "$(cat "$W/built" 2>/dev/null)" != "$LDSO" ] ||
        [ -n "$(find "$S" "$ROOT/testlibs/scenario.h" "$ROOT/tests/system/run.sh" -newer "$W/built" ! -name expected ! -name README -print -quit)" ]
}
runs_in() { # N WAY: whether run N happens in this way (the oracle's: in the same forms)
    local entry=${RUNS[$1 - 1]#*|}
    local in=" ${entry%%|*} "
    case $2 in
    oracle.exec) [[ $in == *" interp "* || $in == *" namespace "* ]] ;;
    *)           [[ $in == *" ${2#oracle.} "* ]] ;;
    esac
}
execute() { # WAY: every run of the plan that this way allows, raw outputs to out/raw.WAY.N; starts nothing but ONCE
    local way=$1 n=0 entry dir=$D linker=
    case $way in
    oracle.command) linker=$GENUINE ;;
    command)        linker=$LDSO ;;
    interp)         dir=$W/i ;;
    esac
    for entry in "${RUNS[@]}"; do
        n=$((n + 1))
        local uid=${entry%%|*} rest=${entry#*|} words env=() front=()
        eval "words=(${rest#*|})"
        words=("${words[@]//@D/$dir}")
        while [[ ${words[0]} == *=* && ${words[0]} != [./]* ]]; do env+=("${words[0]}"); words=("${words[@]:1}"); done
        runs_in "$n" "$way" || continue
        if [[ ${words[0]} == --* ]]; then
            front=("${linker:-$SYSTEM}")
        elif [ -n "$linker" ]; then front=("$linker"); fi
        # A start that must have a record: the same start makes one first, and says what hinders it.
        if [ "${LDR_CACHE:-}" = require ] && [[ $way != oracle.* ]]; then
            LDR_CACHE=now "$ONCE" "$SECONDS_EACH" "$dir" "$W/out/warm.$way.$n" "$uid" LD_DEBUG=cache "${env[@]}" "${front[@]}" "${words[@]}"
        fi
        "$ONCE" "$SECONDS_EACH" "$dir" "$W/out/raw.$way.$n" "$uid" "${env[@]}" "${front[@]}" "${words[@]}"
    done
}
cook() { # WAY: names of this tree and of the linkers out of the outputs, then the scenario's own expressions
    local raw
    for raw in "$W/out/raw.$1".*; do
        [ -e "$raw" ] && sed -e "s#$W/[di]\b#@D#g" -e "s#$LDSO\|$GENUINE\|$SYSTEM#@LDSO#g" "${SED[@]}" "$raw" >"$W/out/${raw##*/raw.}"
    done
}
agrees() { # WANT GOT: by the scenario's rule of comparison
    case $COMPARE in
    first-line) # the first line the same, the other lines of the oracle there and in order, more lines allowed between
        [ "$(head -n 1 "$1")" = "$(head -n 1 "$2")" ] &&
            awk 'NR == FNR { want[++n] = $0; next } at < n && $0 == want[at + 1] { at++ } END { exit at < n }' "$1" "$2" ;;
    *) cmp -s "$1" "$2" ;;
    esac
}
verdict() { # pass|fail|skip WAY [TEXT]
    echo "$1" >>"$W/verdict"
    case $1 in
    fail) printf 'FAIL %s (%s) %s\n' "$NAME" "$2" "$3" ;;
    skip) printf 'skip %s (%s) %s\n' "$NAME" "$2" "$3" ;;
    esac
}
judge() { # WAY: compare each run of this way with the oracle's run in the same form
    local way=$1 oracle=oracle.exec n bad='' any='' agreed='' refused=''
    [ "$way" = command ] && oracle=oracle.command
    [ -n "$OURS_ONLY" ] && oracle=expected
    for ((n = 1; n <= ${#RUNS[@]}; n++)); do
        runs_in "$n" "$way" || continue
        any=1
        [ "$oracle" = expected ] && section "$n" >"$W/out/expected.$n"
        [ -e "$W/out/$way.$n" ] || echo "it was never run" >"$W/out/$way.$n"
        agrees "$W/out/$oracle.$n" "$W/out/$way.$n" && { agreed=1; continue; }
        if grep -q "$REFUSED" "$W/out/raw.$way.$n" 2>/dev/null; then refused=1; verdict skip "$way" "run $n: no record: $(hindrance "$way" "$n")"
        elif [ -n "${KNOWN[n - 1]}" ]; then verdict skip "$way" "run $n: differs by intent: ${KNOWN[n - 1]}"; else bad+=" $n"; fi
    done
    if [ -n "$bad" ]; then verdict fail "$way" "runs:$bad$(for n in $bad; do different "$oracle" "$way" "$n"; done | head -n 24)"
    elif [ -n "$agreed" ] || { [ -n "$any" ] && [ -z "$refused" ]; }; then verdict pass "$way"; fi
}
REFUSED='start record of the cache does not fit this process'     # what LDR_CACHE=require says
hindrance() { # WAY N: why no record could be made, in the words of the start that tried, without names
    local said
    said=$(sed -n 's/.*cache: no record is made: //p' "$W/out/warm.$1.$2" 2>/dev/null | tail -n 1)
    if [ -z "$said" ]; then
        if grep -q 'cache: made' "$W/out/warm.$1.$2"; then said='a program that it starts has none'; else said='the start ends before one is made'; fi
    fi
    printf '%s' "${said%%: /*}" | cut -c1-160
}
different() { # ORACLE WAY N: the run and a short diff
    command_of "$3"
    printf '\n  %s: %s\n' "$3" "$command"
    diff --label system --label ours -U1 "$W/out/$1.$3" "$W/out/$2.$3" | tail -n +3 | head -n 9 | cut -c1-300 | sed 's/^/    /'
}
command_of() { command=${RUNS[$1 - 1]#*|}; command=${command#*|}; command=${command:0:200}; } # of run N, in $command
recorded() { # the oracle's outputs in the form of the file `expected`
    local n=0 from
    for ((n = 1; n <= ${#RUNS[@]}; n++)); do
        from=oracle.exec
        [ -e "$W/out/$from.$n" ] || from=oracle.command
        [ -e "$W/out/$from.$n" ] && { command_of $n; echo "== $n $command"; cat "$W/out/$from.$n"; }
    done
}
section() { awk -v n="$1" '/^== / { on = ($2 == n); next } on' "$S/expected"; }
first_pass() { # NAME: build, ask the oracle, run the ways that need no namespace
    begin "$1"
    : >"$B/$NAME.log"
    if need_build; then
        ( build "$1" ) >"$B/$NAME.log" 2>&1 || { mkdir -p "$W"; : >"$W/verdict"; rm -f "$W/built"
            verdict fail build "$(tail -n 12 "$B/$NAME.log")"; return; }
    fi
    : >"$W/verdict"
    # The cache's states are nothing to the system's linker: what it said of this build is said already.
    local asked=
    [ -n "${LDR_CACHE:-}" ] && [ "$W/asked" -nt "$W/built" ] && asked=1
    [ -n "$asked" ] || rm -f "$W/asked" "$W/out/"*oracle.*
    find "$W/out" -type f ! -name '*oracle.*' -delete
    if [ -e "$W/skip" ]; then verdict skip all "$(cat "$W/skip")"; rm -f "$W/built"; return; fi
    . "$W/plan"
    if [ -n "$OURS_ONLY" ]; then
        [ "$(realpath "$LDSO")" != "$GENUINE" ] || { verdict skip all "ours only: $OURS_ONLY"; : >"$W/skip"; rm -f "$W/built"; return; }
    elif [ -z "$asked" ]; then
        execute oracle.exec; cook oracle.exec
        execute oracle.command; cook oracle.command
        : >"$W/asked"
        if [ -n "${RECORD:-}" ]; then [ -z "$RECORD_IT" ] || recorded >"$S/expected"
        elif [ -e "$S/expected" ]; then
            recorded >"$W/out/recorded"
            cmp -s "$S/expected" "$W/out/recorded" || { verdict fail oracle "the system's linker differs from $1/expected
$(diff --label expected --label system -U1 "$S/expected" "$W/out/recorded" | tail -n +3 | head -n 9 | cut -c1-300 | sed 's/^/    /')"; }
        fi
    fi
    local way
    for way in command interp; do
        [[ " $WAYS " == *" $way "* ]] || continue
        execute $way; cook $way; judge $way
    done
}
ready() { begin "$1"; [ -e "$W/built" ] && . "$W/plan"; }
second_pass() { # NAME: the namespace's runs; builtins and ONCE only, for every other program would run under our linker
    ready "$1" && execute namespace
}
third_pass() { # NAME: back outside, compare them
    ready "$1" && { cook namespace; judge namespace; }
}
namespace() { # inside `unshare -m`, bash itself under the genuine linker: put ours in place, then the second pass
    local cover=$B/.lib64
    rm -rf "$cover"; mkdir -p "$cover"
    ln -s "$(realpath "$LDSO")" "$cover/${SYSTEM##*/}"
    mount --make-rprivate / && mount --bind "$cover" "$(realpath "${SYSTEM%/*}")" || return 1
    "$GENUINE" /usr/bin/xargs -P "$JOBS" -n 1 "$GENUINE" /bin/bash "$ROOT/tests/system/run.sh" --second <"$B/names"
    return 0 # whatever a scenario's status: each is judged by its outputs
}

case ${1:-} in
--first)     shift; for name; do first_pass "$name"; done; exit ;;
--second)    shift; for name; do second_pass "$name"; done; exit ;;
--third)     shift; for name; do third_pass "$name"; done; exit ;;
--namespace) namespace; exit ;;
--record)    export RECORD=1; shift ;;
esac

[ -x "$LDSO" ] || { echo "run.sh: no linker at $LDSO (set LDSO)" >&2; exit 2; }
mkdir -p "$B"
gcc -O1 -Wall -static -o "$ONCE" tests/system/once.c 2>&1 || exit 2
if [ $# -gt 0 ]; then printf '%s\n' "$@"; else (cd testlibs && ls -d */ | tr -d /); fi >"$B/names"
xargs -P "$JOBS" -n 1 bash tests/system/run.sh --first <"$B/names"
if [[ " $WAYS " == *" namespace "* ]]; then
    if [ "$(id -u)" = 0 ]; then unshare="unshare -m"; else unshare="unshare -rm"; fi
    if [ "$(dirname "$GENUINE")" = "$(realpath "$(dirname $SYSTEM)")" ]; then
        echo "skip all (namespace) the genuine linker lies in the directory that would be covered: $GENUINE"
    elif ! $unshare true 2>/dev/null; then
        echo "skip all (namespace) no mount namespace: neither root nor user namespaces"
    else
        $unshare "$GENUINE" /bin/bash "$ROOT/tests/system/run.sh" --namespace &&
            xargs -P "$JOBS" -n 1 bash tests/system/run.sh --third <"$B/names"
    fi
fi
while read -r name; do cat "$B/$name/verdict"; done <"$B/names" |
    awk '{ n[$1]++ } END { printf "%d passed, %d failed, %d skipped\n", n["pass"], n["fail"], n["skip"]; exit n["fail"] > 0 }'
