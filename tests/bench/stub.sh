#!/bin/sh
# stub.sh PROGRAM OUT - an empty main that needs exactly the libraries PROGRAM needs, in the same order: loading is
# all it does. The libraries are those the system's linker finds for PROGRAM, linked by full path.
set -eu
program=$1 out=$2
linker=/lib64/ld-linux-x86-64.so.2
needed() { readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p'; }

[ -x "$program" ] || { echo "stub: no $program here: tools/setup.sh bench installs it" >&2; exit 1; }
libraries=""
for name in $(needed "$program"); do
    path=$("$linker" --list "$program" | awk -v name="$name" '$1 == name { print $3; exit } $1 ~ "/" name "$" { print $1; exit }')
    # The linker is in the list of what it loads under its full path only.
    [ -n "$path" ] || { echo "stub: $program needs $name, which $linker --list does not show" >&2; exit 1; }
    libraries="$libraries $path"
done
# What these libraries need in turn, the linker finds at run time: no business of ld's.
# shellcheck disable=SC2086 # the list is meant to be split
echo 'int main(void) { return 0; }' |
    gcc -O2 -x c - -x none -o "$out" -Wl,--no-as-needed -Wl,--allow-shlib-undefined $libraries
needed "$program" >"$out.wanted"
needed "$out" >"$out.got"
cmp "$out.wanted" "$out.got" >&2 || { echo "stub: $out does not need what $program needs: see $out.got" >&2; rm -f "$out"; exit 1; }
rm -f "$out.wanted" "$out.got"
