#!/usr/bin/env bash
# corpus.sh BUILD [CASE...] - small broken or surprising programs, one file of corpus/ each: what a user would type, and the cause that must
# stand in the first three lines of the answer. Where the system's linker notices, it must agree that the case is as broken as claimed.
#
#   c NAME, cc NAME        source from standard input: NAME.c, NAME.cc
#   lib NAME FLAGS...      libNAME.so from NAME.c or NAME.cc; prog NAME FLAGS... likewise. Both look for libraries here at link time
#   system TEXT COMMAND    what the system's linker says when COMMAND is run: TEXT must be in it
#   ask WORD...            ldr WORD...
#   tells REGEX...         each is found in the first three lines of the last answer
#   need root|WORDS        leave the case out, with the reason, unless that succeeds
set -u
build=$(realpath "${1:-build}")
shift
cd "$(dirname "$0")/corpus" || exit 1
cases=("$@")
((${#cases[@]})) || cases=(*)
top=$build/explain/corpus
passed=0 failed=0 skipped=0
export LC_ALL=C
unset LD_LIBRARY_PATH LD_PRELOAD
bad() { echo "not ok $name: $1"; sed 's/^/    /' <<<"$2" | head -12; broken=1; }
c() { cat >"$1.c"; }
cc() { cat >"$1.cc"; }
compile() { # NAME OUTPUT FLAGS...
    local from=$1.c with=gcc
    [ -e "$1.cc" ] && { from=$1.cc; with=g++; }
    # The compiler's memory in pages as large as there are: cheaper by a quarter where page faults are dear (virtual machines).
    GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=4194304 $with -O1 -w -o "$2" "$from" -L. "${@:3}" 2>build.log || { bad "does not build" "$(cat build.log)"; return 1; }
}
lib() { compile "$1" "lib$1.so" -shared -fPIC -Wl,-soname,"lib$1.so" "${@:2}"; }
prog() { compile "$1" "$1" "${@:2}"; }
system() {
    local text=$1 out
    shift
    out=$("$@" 2>&1 </dev/null)
    grep -qE -- "$text" <<<"$out" || bad "the system's linker does not say '$text'" "$out"
}
ask() { answer=$("$build/ldr" "$@" 2>&1 </dev/null); status=$?; ((status < 128)) || bad "ended by a signal: ldr $*" "$answer"; asked=$*; }
tells() {
    local regex line first
    mapfile -t -n 3 first <<<"$answer"
    for regex; do
        for line in "${first[@]}"; do [[ $line =~ $regex ]] && continue 2; done
        bad "ldr $asked: the first three lines do not tell '$regex'" "$answer"
    done
}
need() {
    if [ "$1" = root ]; then [ "$(id -u)" = 0 ]; else "$@" >/dev/null 2>&1; fi && return
    echo "skip $name: needs $*"
    skipped=$((skipped + 1)) left_out=1
    return 1
}
for name in "${cases[@]}"; do
    rm -rf "${top:?}/$name" && mkdir -p "$top/$name"
    broken=0 left_out=0 answer='' asked=''
    file=$PWD/$name
    pushd "$top/$name" >/dev/null || exit 1
    # shellcheck source=/dev/null
    . "$file"
    popd >/dev/null || exit 1
    if ((left_out)); then continue; fi
    if ((broken)); then failed=$((failed + 1)); elif [ -z "$asked" ]; then echo "not ok $name: asks nothing"; failed=$((failed + 1)); else passed=$((passed + 1)); fi
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
