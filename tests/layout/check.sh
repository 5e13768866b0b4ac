#!/bin/sh
# check.sh - the committed rows of glibc offsets are what the debug files say, and the loader's derivation agrees.
#   B=build tests/layout/check.sh [ROOT...]
# This machine's glibc first; each ROOT is a folder into which libc6 (and, for the full check, libc6-dbg) of another
# build was unpacked (tests/layout/others.sh makes them). Exit 77 with the reason when nothing could be compared.
set -u
B=${B:-build}
work=$B/layout-rows
mkdir -p "$work"
bad=0 compared=0

# one NAME LD_SO LIBC_SO DEBUG_ROOT
one() {
    echo "== $1"
    if "$B/glibc-layout" --debug-root "$4" -o "$work/$1.h" "$2" "$3" 2>"$work/$1.err"; then
        "$B/test_layout" "$2" "$3" "$work/$1.h" || bad=1
        compared=$((compared + 1))
        # Same builds, same text: a committed file edited by hand or made by an older generator is found here.
        id=$(sed -n '/libc_build_id/,/}/p' "$work/$1.h")
        for file in ldr/compat/glibc/layout/*_*.h; do
            [ "$(sed -n '/libc_build_id/,/}/p' "$file")" = "$id" ] || continue
            if cmp -s "$file" "$work/$1.h"; then echo "ok   $file is what the generator writes"
            else echo "FAIL $file differs from what the generator writes:"; diff "$file" "$work/$1.h"; bad=1; fi
        done
    elif grep -q 'cannot open: debug file' "$work/$1.err"; then
        echo "     no debug file: $(sed 's/.*debug file of //' "$work/$1.err")"
        "$B/test_layout" "$2" "$3" || bad=1
    else
        cat "$work/$1.err"; bad=1
    fi
}

# The newest ld.so and libc.so.6 below a folder, wherever the distribution puts them.
under() { find "$1" -name "$2" -path '*x86_64*' 2>/dev/null | sort | head -n 1; }

one installed "${LD_SO:-/lib64/ld-linux-x86-64.so.2}" "${LIBC_SO:-/lib/x86_64-linux-gnu/libc.so.6}" /usr/lib/debug
for root in "$@"; do
    ld=$(under "$root" ld-linux-x86-64.so.2) libc=$(under "$root" libc.so.6)
    if [ -n "$ld" ] && [ -n "$libc" ]; then one "$(basename "$root")" "$ld" "$libc" "$root/usr/lib/debug"
    else echo "     $root: no glibc below it"; fi
done
[ "$bad" = 0 ] || exit 1
if [ "$compared" = 0 ]; then
    echo "skip: no debug files of any glibc here (Debian: libc6-dbg of the installed libc6); the rest passed"
    exit 77
fi
