#!/bin/sh
# run.sh [NAME...] - the scripts beside this file (or, with FOLDER=..., of that folder), two at a time; all by default.
# Prints each script's lines as it ends, then `N passed, N failed, N skipped`. LDSO chooses the linker.
set -u
folder=$(cd "${FOLDER:-$(dirname "$0")}" && pwd)
results=$(mktemp -d "${TMPDIR:-/tmp}/ldr-run.XXXXXX") || exit 1
trap 'rm -rf "$results"' EXIT
trap 'exit 1' INT TERM HUP
if [ $# = 0 ]; then
    # Longest first, so that the two jobs end together.
    set -- $(grep -L '^# lib.sh' "$folder"/*.sh | while read -r script; do
        limit=$(sed -n 's/^limit=//p' "$script")
        grep -q '^compare' "$script" && echo "${limit:-60} $(basename "$script" .sh)"
    done | sort -rn | cut -d' ' -f2)
fi
began=$(date +%s)
printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -I NAME sh -c '
    "$1/NAME.sh" >"$2/NAME" 2>&1
    case $? in 0 | 1 | 77) ;; *) echo "FAIL NAME: the script itself ended with $?" >>"$2/NAME" ;; esac
    cat "$2/NAME"' sh "$folder" "$results"
count() { cat "$results"/* | grep -c "^$1 "; }
failed=$(count FAIL)
echo "$# scripts in $(($(date +%s) - began)) s"
echo "$(count pass) passed, $failed failed, $(count skip) skipped"
[ "$failed" = 0 ]
