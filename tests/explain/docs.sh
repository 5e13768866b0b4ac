#!/usr/bin/env bash
# docs.sh BUILD - the manual page of ldr check names every rule, and nothing else. (Options and the rest: tests/tools/manuals.py.)
set -u
build=$(realpath "${1:-build}")
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0
judge() { # NAME MISSING
    if [ -z "$2" ]; then passed=$((passed + 1)); else echo "not ok $1: $2"; failed=$((failed + 1)); fi
}
rules=$("$build/ldr" check --sarif true | grep -oE '"id": "[a-z-]+"' | cut -d'"' -f4 | sort)
judge "rules in the manual" "$(comm -3 <(printf '%s\n' "$rules") <(sed -n '/^.SH RULES/,/^.SH JSON/p' tools/ldr-check.1 | sed 's/\\-/-/g' | sed -n 's/^\.B //p' | sort))"
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
