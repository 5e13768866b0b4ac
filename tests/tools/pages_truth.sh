#!/usr/bin/env bash
# `ldr pages` against numbers known by construction (sharer.c keeps exact pages of libpattern.so), and against an oracle
# in another language. libpattern.so: 16 pages of code, 8 of constants, 4 of RELRO (a pointer on each), 8 of data.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
with_cache=$LDR_CACHE
export LDR_CACHE=off # the library is opened, and its relocated pages would be an image's

cp "$build/tests/tools/libpattern.so" "$build/tests/tools/sharer" "$work"
chmod 755 "$work"/*pattern.so
library=$work/libpattern.so
answers
get() { about report "$work/report" "$1"; }
# share STEP...: one sharer through ldr run, up and waiting; its PIDs go to $pids
pids=
share() {
    hold "${as[@]+"${as[@]}"}" "$ldr" run "$work/sharer" "$library" "$@"
    await
    pids="$pids $answer"
}
# report: of $pids into $work/report; its status is checked
report() {
    local expected=${1:-0} status=0
    # shellcheck disable=SC2086 # a list of PIDs
    "${as[@]+"${as[@]}"}" "$ldr" pages --json $pids >"$work/report" 2>"$work/report.err" || status=$?
    [ "$status" = "$expected" ] || { echo "not ok status $status of ldr pages, expected $expected"; sed 's/^/    /' "$work/report.err"; }
}
# segment NAME SEGMENT EXPECTED: mapped frames shared alone private avoided
segment() { equal "$1: $2" "$(get "s('libpattern.so', '$2')")" "$3"; }
done_with() { release || echo "not ok a held program ended with status $?"; pids=; }

# three WHO: three processes with overlapping pages, and what must be reported of them.
# code: 16 + 10 + 8 pages; 0-9 are A's and B's, 8-15 A's and C's: all 16 shared. RELRO: relocated in each process apart.
# data: A wrote 0 1, B 1 2 3 4. File pages held: A {2..7}, B {0,5,6,7}, C {2,3}: distinct {0,2,3,4,5,6,7} = 7, shared {2,3,5,6,7} = 5,
#   alone {0,4} = 2; copies A 2 + B 4 = 6; frames 13; mapped 18; avoided 18 - 13 = 5
three() {
    local who=$1
    share code=0-15 const=0-7 relro=0-3 data=0-7 write=0-1
    share code=0-9 const=0-3 relro=0-3 data=0-7 write=1-4
    share code=8-15 relro=0-3 data=2-3
    report
    segment "$who" code "34 16 16 0 0 18"
    segment "$who" constants "12 8 4 4 0 4"
    segment "$who" RELRO "12 12 0 0 12 0"
    segment "$who" data "18 13 5 2 6 5"
    equal "$who: processes" "$(get "r['totals']['processes']")" 3
    equal "$who: exact" "$(get "r['exact']")" True
    equal "$who: the parts of frames add up" "$(get "all(x['frames'] == x['frames_shared'] + x['frames_alone'] + x['pages_private'] for x in [r['totals']] + r['objects'] + r['processes'] + [s for o in r['objects'] for s in o['segments']])")" True
    equal "$who: the parts of mapped add up" "$(get "(lambda t: t['pages_mapped'] == t['frames'] + t['page_copies_avoided'] + t['pages_mapped_again'])(r['totals'])")" True
    equal "$who: segments add up to the totals" "$(get "all(sum(s[k] for o in r['objects'] for s in o['segments']) == r['totals'][k] for k in ('pages_mapped', 'page_copies_avoided', 'pages_mapped_again'))")" True
    equal "$who: frames of segments less overlap" "$(get "sum(s['frames'] for o in r['objects'] for s in o['segments']) - r['totals']['frames_in_several_segments'] == r['totals']['frames']")" True
    equal "$who: processes add up to mapped" "$(get "sum(p['pages_mapped'] for p in r['processes']) == r['totals']['pages_mapped']")" True
}

root=$([ "$(id -u)" = 0 ] && echo yes || echo no)
if [ "$root" = yes ]; then
    as=()
    three "frame numbers"
    equal "frame numbers: method" "$(get "r['method']")" pfn
    # shellcheck disable=SC2086
    python3 "$here/oracle.py" $pids >"$work/oracle" && equal "oracle in python: totals and segments" "$(python3 "$here/compare.py" "$work/report" "$work/oracle")" ""
    done_with
else
    as=()
    skip "frame numbers" "not root"
fi

# The same as an ordinary user: file identity must give the same frames and owners.
if [ "$root" = yes ]; then as=(setpriv --reuid 65534 --regid 65534 --clear-groups); fi
three "file identity"
equal "file identity: method" "$(get "r['method']")" file-identity
cp "$work/report" "$work/report.user"
if [ "$root" = yes ]; then
    as=()
    report
    equal "file identity and frame numbers: equal totals" \
        "$(python3 -c 'import json, sys; a, b = (json.load(open(f))["totals"] for f in sys.argv[1:]); print([k for k in a if a[k] != b[k]])' "$work/report" "$work/report.user")" "[]"
fi
done_with
as=()

share code=0-3 twice=0-3
report
# one process maps four pages twice: eight mapped, four frames, nothing shared, nothing avoided
segment "mapped twice by one process" code "8 4 0 4 0 0"
equal "mapped twice: again" "$(get "o('libpattern.so')['pages_mapped_again']")" 4
done_with

share code=0-3 data=0-3 write=0-3 vm
report
equal "CLONE_VM: one owner" "$(get "r['totals']['processes']")" 1
equal "CLONE_VM: both PIDs named" "$(get "' '.join(map(str, r['processes'][0]['pids'])) == '${pids# }'")" True
segment "CLONE_VM" data "4 4 0 0 4 0"
done_with

# Pages that never rest: several tries, because nothing makes the program run between two readings.
share data=0-7 write=0-7 churn
until=$((SECONDS + 60))
while [ $SECONDS -lt $until ]; do
    found=0
    # shellcheck disable=SC2086
    "$ldr" pages --json $pids >"$work/report" 2>"$work/report.err" || found=$?
    if [ "$(get "r['unstable'] > 0")" = True ]; then break; fi
done
equal "unstable pages: status 3, not exact, all readings used" "$found $(get "(r['exact'], r['readings'])")" "3 (False, 6)"
contains "unstable pages: said" "$(cat "$work/report.err")" "still changed at the last reading"
done_with

if [ "$root" = yes ]; then
    share code=0-3 relro=0-3 data=0-7 write=0-3 fork-write=2-2
    report
    segment "fork" code "8 4 4 0 0 4"
    # RELRO copies made before the fork are one frame each, for both
    segment "fork" RELRO "8 4 4 0 0 4"
    # written before: 0 1 3 inherited, 2 written again by the child (two copies); 4-7 pages of the file, both
    segment "fork" data "16 9 7 0 2 7"
    equal "fork: shared copies" "$(get "[s['frames_shared_copies'] for s in o('libpattern.so')['segments'] if s['segment'] == 'data']")" "[3]"
    done_with

    # An ordinary user cannot name the partner of an inherited copy: said, and status 3.
    as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    share relro=0-3 data=0-7 write=0-3 fork-write=2-2
    report 3
    equal "fork, ordinary user: not exact" "$(get "r['exact']")" False
    # RELRO 4 and data 3 of libpattern, in two processes
    equal "fork, ordinary user: unresolved" "$(get "o('libpattern.so')['pages_private_unresolved']")" 14
    contains "fork, ordinary user: said" "$(cat "$work/report.err")" "upper bounds"
    as=()
    done_with

    # A file deleted while mapped, and another of the same name: two objects, headers still read
    share code=0-3
    cp "$library" "$library.new" && mv "$library.new" "$library"
    share code=0-3
    report
    equal "replaced file: two objects, nothing shared" \
        "$(get "[(x['segments'][0]['segment'], x['frames_shared']) for x in r['objects'] if 'libpattern.so' in x['path']]")" "[('code', 0), ('code', 0)]"
    done_with
else
    skip "fork, replaced file" "not root"
fi

# Real programs, every total and segment sum against the oracle; those started here from images.
export LDR_CACHE=$with_cache
if [ "$root" = yes ]; then
    for _ in 1 2 3; do
        # shellcheck disable=SC2016
        hold "$ldr" run /usr/bin/perl -e 'use POSIX; use Socket; $| = 1; print "ready $$\n"; <STDIN>' && await && pids="$pids $answer"
        hold "$ldr" run /usr/bin/python3 -c 'import ssl, sqlite3, ctypes, os, sys; print("ready", os.getpid(), flush=True); sys.stdin.read()' && await && pids="$pids $answer"
        # shellcheck disable=SC2016
        hold "$ldr" run /bin/bash -c 'echo ready $$; while read -r line; do :; done' && await && pids="$pids $answer"
        # and natively started ones between them
        # shellcheck disable=SC2016
        hold /usr/bin/perl -e 'use POSIX; $| = 1; print "ready $$\n"; <STDIN>' && await && pids="$pids $answer"
    done
    sleep 0.2
    report
    # shellcheck disable=SC2086
    python3 "$here/oracle.py" $pids >"$work/oracle" && equal "twelve real programs: totals and segments" "$(python3 "$here/compare.py" "$work/report" "$work/oracle")" ""
    # shellcheck disable=SC2086
    text=$("$ldr" pages --top 0 $pids)
    contains "text: the same totals as JSON" "$(tr -d , <<<"$text")" "$(get "'mapped %d = frames %d + copies avoided %d' % tuple(r['totals'][k] for k in ('pages_mapped', 'frames', 'page_copies_avoided'))")"
    equal "names of programs, not of the linker" "$(get "sorted(set(p['name'].replace('python3.11', 'python3') for p in r['processes']))")" "['bash', 'perl', 'python3']"
    done_with
else
    skip "real programs" "not root"
fi
