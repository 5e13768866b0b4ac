#!/usr/bin/env bash
# docs.sh BUILD - the manual pages name every option of --help and every rule, and nothing else; groff has no complaint.
set -u
build=$(realpath "${1:-build}")
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0
judge() { # NAME MISSING
    if [ -z "$2" ]; then passed=$((passed + 1)); else echo "not ok $1: $2"; failed=$((failed + 1)); fi
}
for command in tree why relocs check; do
    page=tools/ldr-$command.1
    plain=$(sed 's/\\-/-/g; s/\\f.//g' "$page")
    options=$("$build/ldr" "$command" --help | grep -oE '^ +(-.,)? *--[a-z-]+' | grep -oE -- '--[a-z-]+' | grep -vE -- '--(help|usage|version)$' | sort -u)
    judge "$command: options of --help in the manual" "$(for option in $options; do grep -qF -- "$option" <<<"$plain" || echo "$option"; done)"
    told=$(sed -n '/^.SH OPTIONS/,/^.SH [RJ]/p' <<<"$plain" | grep -E '^\.BR?I? ' | grep -oE -- '--[a-z-]+' | sort -u)
    judge "$command: options of the manual in --help" "$(comm -13 <(printf '%s\n' "$options") <(printf '%s\n' "$told"))"
    if command -v groff >/dev/null; then judge "$command: groff" "$(groff -man -Tutf8 -ww "$page" 2>&1 >/dev/null | head -3)"; fi
done
rules=$("$build/ldr" check --sarif true | grep -oE '"id": "[a-z-]+"' | cut -d'"' -f4 | sort)
judge "rules in the manual" "$(comm -3 <(printf '%s\n' "$rules") <(sed -n '/^.SH RULES/,/^.SH JSON/p' tools/ldr-check.1 | sed 's/\\-/-/g' | sed -n 's/^\.B //p' | sort))"
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
