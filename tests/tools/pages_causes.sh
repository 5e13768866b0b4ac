#!/usr/bin/env bash
# `ldr pages`: what made each private page private. Numbers known by construction (causes.c, causer.c), under ours and under
# the system's linker, with relocations as RELA and as RELR; then real programs against the oracle.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LDR_CACHE=off # the libraries are opened, and their relocated pages would be an image's

cp "$build/tests/tools/causer" "$build/tests/tools/"libcauses*.so "$work"
chmod 755 "$work"/*
answers
get() { about report "$work/report" "$1"; }
keys="'relocation', 'relocation_and_write', 'write', 'identical', 'unknown'"
# segment OBJECT SEGMENT: private, then its parts
segment() { get "[[s[k] for k in ['pages_private'] + ['pages_private_' + c for c in ($keys)]] for s in o('$1')['segments'] if s['segment'] == '$2'][0]"; }
adds_up="all(x['pages_private'] == sum(x['pages_private_' + c] for c in ($keys)) for x in [r['totals']] + r['objects'] + r['processes'] + [s for o in r['objects'] for s in o['segments']])"

# RELRO: the table, 3 pages, relocated.
# data, not written: relocated are mixed 2, kept 3, moved 1, reset 1, symbolic 1 = 8.
# data, written: relocation only: kept 3, symbolic 1 = 4; and write: mixed 2, moved 1, reset 1 = 4; write only: plain 4;
#   identical: same 2. Private 14. idle 2 stays the file's.
for library in libcauses.so libcauses-relr.so; do
    for how in ours native; do
        start=(); [ $how = native ] || start=("$ldr" run)
        hold "${start[@]+"${start[@]}"}" "$work/causer" "$work/$library"; await; first=$answer
        "$ldr" pages --why --json "$first" >"$work/report" || echo "not ok status $? of ldr pages"
        equal "$library, $how, relocated: RELRO" "$(segment $library RELRO)" "[3, 3, 0, 0, 0, 0]"
        equal "$library, $how, relocated: data" "$(segment $library data)" "[8, 8, 0, 0, 0, 0]"
        hold "${start[@]+"${start[@]}"}" "$work/causer" "$work/$library" write; await; second=$answer
        "$ldr" pages --why --json "$second" >"$work/report" || echo "not ok status $? of ldr pages"
        equal "$library, $how, written: RELRO" "$(segment $library RELRO)" "[3, 3, 0, 0, 0, 0]"
        equal "$library, $how, written: data" "$(segment $library data)" "[14, 4, 4, 4, 2, 0]"
        "$ldr" pages --why --json "$first" "$second" >"$work/report" || echo "not ok status $? of ldr pages"
        equal "$library, $how, both: data" "$(segment $library data)" "[22, 12, 4, 4, 2, 0]"
        equal "$library, $how, both: causes add up at every level" "$(get "$adds_up")" True
        equal "$library, $how, both: processes add up to the totals" \
            "$(get "all(sum(p['pages_private_' + c] for p in r['processes']) == r['totals']['pages_private_' + c] for c in ($keys))")" True
        if [ "$(id -u)" = 0 ]; then
            python3 "$here/oracle.py" "$first" "$second" >"$work/oracle" &&
                equal "$library, $how: oracle" "$(python3 "$here/compare.py" "$work/report" "$work/oracle")" ""
        fi
    done
done

# The text: the columns, the line of sums, and the same numbers as JSON
text=$("$ldr" pages --why --segments --top 0 "$first" "$second")
contains "--why: columns" "$(tr -s ' ' <<<"$text")" "alone reloc reloc+write write identical avoided shared"
contains "--why: a line of the object" "$(grep -A1 '^libcauses' <<<"$text" | grep ' data ' | tr -s ' ')" " 12 4 4 2 "
sums=$(get "'private %d = relocation only %d + relocation and write %d + write only %d + identical to the file %d' % tuple(r['totals'][k] for k in ['pages_private'] + ['pages_private_' + c for c in ($keys)][:4])")
contains "--why: the sums" "$(tr -d , <<<"$text")" "$sums"
text=$("$ldr" pages --top 0 "$first" "$second")
contains "without --why: one column" "$(tr -s ' ' <<<"$text")" "alone private avoided shared"
contains "without --why: the way to them" "$text" "--why tells what made them so"
text=$("$ldr" pages --columns procs,private,reloc --top 0 "$first" "$second")
contains "--columns with a cause: the sums all the same" "$(tr -d , <<<"$text")" "$sums"

# The same as the user whose processes they are; and as one who may read page tables but no memory.
if [ "$(id -u)" = 0 ]; then
    user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    hold "${user[@]}" "$ldr" run "$work/causer" "$work/libcauses.so" write; await
    "${user[@]}" "$ldr" pages --why --json "$answer" >"$work/report" || echo "not ok status $? of ldr pages"
    equal "ordinary user, own process" "$(get "r['method']") $(segment libcauses.so data)" "file-identity [14, 4, 4, 4, 2, 0]"

    caps=+perfmon,+dac_read_search
    limited=(setpriv --reuid 65534 --regid 65534 --clear-groups "--inh-caps=$caps" "--ambient-caps=$caps")
    if "${limited[@]}" head -c 1 "/proc/$second/maps" >/dev/null 2>&1 && "${limited[@]}" head -c 8 "/proc/$second/pagemap" >/dev/null 2>&1; then
        found=0; "${limited[@]}" "$ldr" pages --why --json "$second" >"$work/report" 2>"$work/err" || found=$?
        equal "no memory to read, asked why: status, not exact, unknown" \
            "$found $(get "(r['exact'], r['memory_unreadable'])") $(segment libcauses-relr.so data)" "3 (False, 1) [14, 0, 0, 0, 0, 14]"
        equal "no memory to read: causes add up" "$(get "$adds_up")" True
        contains "no memory to read: said" "$(cat "$work/err")" "memory may not be read"
        found=0; "${limited[@]}" "$ldr" pages "$second" >"$work/out" 2>"$work/err" || found=$?
        equal "no memory to read, not asked: status, stderr" "$found $(cat "$work/err")" "0 "
        found=0; "${limited[@]}" "$ldr" pages --why "$second" >"$work/out" 2>/dev/null || found=$?
        contains "no memory to read: in the sums" "$(cat "$work/out")" "(memory not readable)"
        contains "no memory to read: a column" "$(tr -s ' ' <"$work/out")" "identical unknown avoided"
    else
        skip "no memory to read" "CAP_PERFMON does not open page tables here"
    fi
else
    skip "other users" "not root"
fi
release || echo "not ok a held program ended with status $?"
