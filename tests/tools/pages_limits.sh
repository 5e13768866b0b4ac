#!/usr/bin/env bash
# `ldr pages`: whom it finds, what it may not see, what ends meanwhile.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

answers
get() { about report "$work/report" "$1"; }
# A linker file of the test's own: "every process on ld-ldr.so" then means these (and others' ld-ldr.so by name).
mkdir "$work/linker"
cp "$(readlink -f "${LDR_LDSO:-$build/ld-ldr.so}")" "$work/linker/ld-ldr.so"
export LDR_LDSO=$work/linker/ld-ldr.so
# shellcheck disable=SC2016
waits='echo ready $$; while read -r line; do :; done'
hold "$ldr" run bash -c "$waits"; await; on_ours="$answer"
hold "$ldr" run bash -c "$waits"; await; on_ours="$on_ours $answer"
hold bash -c "$waits"; await; native=$answer
# a reader that maps the linker without being able to execute it
hold /usr/bin/python3 -c 'import mmap, os, sys
f = open(os.environ["LDR_LDSO"], "rb"); m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); m[0]
print("ready", os.getpid(), flush=True); sys.stdin.read()'; await; reader=$answer

"$ldr" pages --json >"$work/report" 2>"$work/err"
equal "no argument: both processes on our linker" "$(get "all([p] in [q['pids'] for q in r['processes']] for p in map(int, '$on_ours'.split()))")" True
equal "no argument: not the native one" "$(get "[$native] in [q['pids'] for q in r['processes']]")" False
equal "no argument: not one that only reads the linker's file" "$(get "[$reader] in [q['pids'] for q in r['processes']]")" False
cp "$work/linker/ld-ldr.so" "$work/linker/new" && mv "$work/linker/new" "$work/linker/ld-ldr.so"
"$ldr" pages --json >"$work/report" 2>"$work/err"
equal "a replaced linker file: its processes are still found" "$(get "all([p] in [q['pids'] for q in r['processes']] for p in map(int, '$on_ours'.split()))")" True
"$ldr" pages --json --all >"$work/report" 2>"$work/err"
equal "--all: these and the native one" "$(get "all([p] in [q['pids'] for q in r['processes']] for p in map(int, '$on_ours $native'.split()))")" True
cp /bin/bash "$work/a-name-of-its-own-$$"
hold "$ldr" run "$work/a-name-of-its-own-$$" -c "$waits"; await
"$ldr" pages --json "a-name-of-its-own-$$" >"$work/report"
equal "by name: the program started through the linker" "$(get "[(p['name'], p['pids']) for p in r['processes']]")" "[('a-name-of-its-own-$$', [$answer])]"
# Paths: of the file that runs, wherever it is named from; or argv[0] as it stands. Another file of that name is another program.
mkdir "$work/elsewhere" && cp /bin/bash "$work/elsewhere/a-name-of-its-own-$$"
named() { (cd "${2:-$work}" && "$ldr" pages --json "$1" >"$work/report" 2>"$work/err"); get "[p['pids'] for p in r['processes']]"; }
for word in "./a-name-of-its-own-$$" "$work/a-name-of-its-own-$$" "elsewhere/../a-name-of-its-own-$$"; do
    equal "by path: $word" "$(named "$word")" "[[$answer]]"
done
hold bash -c "cd '$work' && exec ./a-name-of-its-own-$$ -c '$waits'"; await; second=$answer
equal "by argv[0] with a slash" "$(named "./a-name-of-its-own-$$" /)" "[[$second]]"
found=0; "$ldr" pages "$work/elsewhere/a-name-of-its-own-$$" >"$work/out" 2>"$work/err" || found=$?
equal "by path, of another file: nobody" "$found $(cat "$work/err")" "4 ldr pages: no process is called $work/elsewhere/a-name-of-its-own-$$"
found=0; "$ldr" pages --json "$native" 4194305 >"$work/report" 2>"$work/err" || found=$?
equal "one PID missing: status 3" "$found" 3
equal "one PID missing: the other is reported" "$(get "(r['missing'], r['exact'], r['totals']['processes'])")" "(1, False, 1)"
contains "one PID missing: said" "$(cat "$work/err")" "no process 4194305"
equal "the same PID named twice counts once" "$("$ldr" pages --json "$native" "$native" bash >"$work/report"; get "sum([$native] == q['pids'] for q in r['processes'])")" 1

# A process whose first thread has ended lives in its others.
hold /usr/bin/python3 -c 'import ctypes, os, sys, threading, time
def live():
    time.sleep(0.1)
    print("ready", os.getpid(), flush=True)
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=live).start()
ctypes.CDLL(None).syscall(60, 0)'; await; threads=$answer
equal "first thread ended: it is a zombie" "$(sed 's/.*) //; s/ .*//' "/proc/$threads/stat")" Z
found=0; "$ldr" pages --json --scope all "$threads" >"$work/report" 2>"$work/err" || found=$?
equal "first thread ended: measured and exact, by its PID" "$found $(get "(r['processes'][0]['pids'], r['exact'])")" "0 ([$threads], True)"
equal "first thread ended: its pages are its RSS" "$(get "sum(v for k, v in r['processes'][0]['classes'].items() if k not in ('zero', 'hugetlb', 'device')) == r['processes'][0]['rss_pages'] > 500")" True

# More processes than descriptors: the limit is raised as far as it goes, and who is left out then is said.
cp "$build/tests/tools/mapper" "$work/many-$$"
many=()
for _ in $(seq 70); do hold "$work/many-$$"; await; many+=("$answer"); done
found=0; bash -c 'ulimit -Sn 64; exec "$@"' - "$ldr" pages --json "many-$$" >"$work/report" 2>"$work/err" || found=$?
equal "soft limit of descriptors: all 70, exact" "$found $(get "(r['totals']['processes'], r['unopened'], r['exact'])")" "0 (70, 0, True)"
found=0; bash -c 'ulimit -n 64; exec "$@"' - "$ldr" pages --json "${many[@]}" >"$work/report" 2>"$work/err" || found=$?
equal "hard limit of descriptors: partial, nobody lost" \
    "$found $(get "(r['totals']['processes'] + r['unopened'], r['totals']['processes'] > 10, r['exact'], r['vanished'], r['missing'])")" "3 (70, True, False, 0, 0)"
equal "hard limit of descriptors: who was left out" "$(get "len({l['pid'] for l in r['left_out'] if l['why'] == 'unopened'} | {p['pid'] for p in r['processes']}) == 70")" True
contains "hard limit of descriptors: said" "$(cat "$work/err")" "too many open files (the limit is 64"

if [ "$(id -u)" = 0 ]; then
    # Page tables but not memory: causes are unknown, and a report that has causes is not exact.
    some=(setpriv --bounding-set -all,+sys_admin,+dac_read_search)
    found=0; "${some[@]}" "$ldr" pages --json "$native" >"$work/report" 2>"$work/err" || found=$?
    equal "memory not readable: JSON is not exact" "$found $(get "(r['exact'], r['method'], r['memory_unreadable'], r['totals']['pages_private_unknown'] > 0)")" "3 (False, 'pfn', 1, True)"
    contains "memory not readable: said" "$(cat "$work/err")" "CAP_SYS_PTRACE"
    found=0; "${some[@]}" "$ldr" pages "$native" >"$work/out" 2>"$work/err" || found=$?
    equal "memory not readable: the table without causes is exact" "$found" 0
    user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    found=0; "${user[@]}" "$ldr" pages "$native" >"$work/out" 2>"$work/err" || found=$?
    equal "another user's process: status 4, nothing measured" "$found" 4
    contains "another user's process: what is needed" "$(cat "$work/err")" "(needs CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH, or to run as its user)"
    found=0; "${user[@]}" --inh-caps=+sys_admin --ambient-caps=+sys_admin "$ldr" pages "$native" >"$work/out" 2>"$work/err" || found=$?
    contains "another user's process: only what is lacking" "$found $(cat "$work/err")" "(needs CAP_DAC_READ_SEARCH, or to run as its user)"
    if unshare --user --map-root-user true 2>/dev/null; then
        found=0; unshare --user --map-root-user "$ldr" pages "$native" >"$work/out" 2>"$work/err" || found=$?
        contains "capabilities of another user namespace: said" "$found $(cat "$work/err")" "4 ldr pages: the process cannot be read: page tables not readable (the capabilities for it are there, but hold in this user namespace only)"
    else
        skip "capabilities of another user namespace" "no user namespaces"
    fi
    # A security module that refuses root: Landlock keeps those in it from the memory of those outside.
    found=0; python3 -c 'import ctypes, os, struct, sys
libc = ctypes.CDLL(None)
made = libc.syscall(444, struct.pack("Q", 1 << 12), 8, 0)
if made < 0 or libc.syscall(446, made, 0) != 0: sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])' "$ldr" pages --why "$native" >"$work/out" 2>"$work/err" || found=$?
    if [ "$found" = 77 ]; then
        skip "refused in spite of every capability" "no Landlock"
    else
        contains "refused in spite of every capability: said" "$found $(cat "$work/err")" "the capabilities for it are there: something else of the kernel refuses"
        equal "refused in spite of every capability: none is asked for" "$(grep -c CAP_ "$work/err")" 0
    fi
    hold "${user[@]}" "$work/many-$$"; await
    found=0; "${user[@]}" "$ldr" pages --json "$native" "$answer" >"$work/report" 2>"$work/err" || found=$?
    equal "another user's beside one's own: who is left out" "$found $(get "[(l['pid'], l['why']) for l in r['left_out']]")" "3 [($native, 'unreadable')]"
    contains "another user's beside one's own: its PID is said" "$(cat "$work/err")" "1 process ($native) left out"
    # Files that are gone cannot be opened without privilege: which, is said.
    cp "$build/tests/tools/libpattern.so" "$work/gone.so" && chmod 755 "$work/gone.so"
    hold "${user[@]}" env "LD_PRELOAD=$work/gone.so" bash -c "$waits"; await
    rm "$work/gone.so"
    "${user[@]}" "$ldr" pages --why "$answer" >"$work/out" 2>"$work/err" || :
    contains "a file that cannot be opened: its name" "$(cat "$work/err")" "1 object ($work/gone.so (deleted)) could not be opened: segments by mapping permissions only"
    contains "a file that cannot be read for causes: its name" "$(cat "$work/err")" "1 object ($work/gone.so (deleted)) whose file could not be opened"
    # Two files of one path, in two mount namespaces: told apart by device and inode, in the table and where they are named.
    mkdir "$work/twice" && cp "$work/many-$$" "$work/twice/other" && cp "$work/many-$$" "$work/twice/twin"
    if unshare -m mount --bind "$work/twice/other" "$work/twice/twin" 2>/dev/null; then
        hold "$work/twice/twin"; await; pair=$answer
        hold unshare -m sh -c "mount --bind '$work/twice/other' '$work/twice/twin' && exec '$work/twice/twin'"; await; pair="$pair $answer"
        inodes=$(stat -c %i "$work/twice/twin" "$work/twice/other")
        # shellcheck disable=SC2086 # two PIDs
        "$ldr" pages --record "$work/pair.jsonl" $pair
        # shellcheck disable=SC2086
        for text in "$("$ldr" pages $pair)" "$("$ldr" pages --from "$work/pair.jsonl")"; do
            for inode in $inodes; do
                contains "two files of one path: told apart in the table" "$text" "twin ($(printf '%02x:%02x' "0x$(stat -c %D "$work" | sed 's/..$//;s/^$/0/')" "0x$(stat -c %D "$work" | grep -o '..$')"):$inode)"
            done
            contains "two files of one path: which could be one" "$text" "of $work/twice/twin ("
        done
        # shellcheck disable=SC2086
        equal "two files of one path: their page tables" "$("$ldr" pages --pages twin $pair | grep -c "^$work/twice/twin (.*)\$")" 2
        # shellcheck disable=SC2086
        equal "one file: only its name" "$("$ldr" pages ${pair% *} | grep -c 'twin .*:')" 0
    else
        skip "two files of one path" "no mount namespace"
    fi
    found=0; "${user[@]}" "$ldr" pages >"$work/out" 2>"$work/err" || found=$?
    contains "no argument as an ordinary user: it is said who was not asked" "$(cat "$work/err")" "may"
else
    skip "another user's process" "not root"
fi

found=0; "$ldr" pages --json "$native" | python3 -c '
import json, sys
r = json.load(sys.stdin)
assert r["schema"] == "ldr-pages" and r["schema_version"] == 3
for key in ("method", "exact", "kernel", "elapsed_s", "unreadable", "unstable", "processes", "objects", "totals"): r[key]
for key in ("processes", "pages_mapped", "frames", "frames_shared", "page_copies_avoided", "pages_private",
            "pages_private_relocation", "pages_private_relocation_and_write", "pages_private_write", "pages_private_identical",
            "pages_private_unknown"): assert type(r["totals"][key]) is int
assert all(o["segments"] for o in r["objects"])
for p in r["processes"]:
    for key in ("pid", "name", "rss_pages", "swap_pages", "page_table_kib", "minor_faults", "major_faults", "classes"): p[key]
assert all(set(h) == {"owners", "frames", "pages"} for h in r["histogram"])
assert set(r["matrix"]) == {"owners", "shared_frames"}
assert "map" not in r["objects"][0]["segments"][0]
' || found=$?
equal "JSON: the documented keys" "$found" 0
found=0; "$ldr" pages --json --map "$native" | python3 -c '
import json, sys
r = json.load(sys.stdin)
for o in r["objects"]:
    for s in o["segments"]:
        assert sum(n for c, k, n, o in s["map"] if c != "absent") == s["pages_mapped"] + s["pages_swapped"] - s["pages_mapped_again"], (o["path"], s)
        assert all((k == 0) == (c == "absent") and n > 0 for c, k, n, o in s["map"]), s
        assert all(r["owner_sets"][o] == ([0, 0] if k else []) for c, k, n, o in s["map"]), s
' || found=$?
equal "JSON: --map shows every page of a process once" "$found" 0
equal "JSON: the same twice but for the time" "$("$ldr" pages --json "$native" | grep -vE '"(time|elapsed_s)"|_faults')" "$("$ldr" pages --json "$native" | grep -vE '"(time|elapsed_s)"|_faults')"
equal "not coloured when no terminal" "$("$ldr" pages "$native" | grep -c "$(printf '\033')")" 0

# A library cut to nothing while it is reported: the processes' own trouble, not the report's.
if command -v strace >/dev/null; then
    cp "$build/tests/tools/libpattern.so" "$work/cut.so"
    hold /usr/bin/python3 -c 'import mmap, os, sys
f = open(sys.argv[1], "rb")
m = mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
m[5 << 12] = 1
child = os.fork()
if child == 0: sys.stdin.read(); os._exit(0)
print("ready", os.getpid(), child, flush=True); sys.stdin.read()' "$work/cut.so"
    await
    # shellcheck disable=SC2086 # two PIDs
    strace -f -o "$work/trace" -e trace=kcmp -e inject=kcmp:delay_enter=1500000 "$ldr" pages --json $answer >"$work/report" 2>"$work/err" &
    cutting=$!
    for _ in $(seq 100); do grep -q kcmp "$work/trace" 2>/dev/null && break; sleep 0.05; done
    : >"$work/cut.so"
    found=0; wait "$cutting" || found=$?
    equal "a file cut short while it is reported: no crash" "$found $(get "r['totals']['processes']")" "0 2"
else
    skip "a file cut short while it is reported" "no strace"
fi

# A large process that goes on is not held up by smaps_rollup, which would say nothing of it.
if command -v strace >/dev/null; then
    hold /usr/bin/python3 -c 'import mmap, os, sys, threading, time
m = mmap.mmap(-1, 2 << 30, flags=mmap.MAP_PRIVATE)
for i in range(70000): m[i << 12] = 1
def breathe():
    end = time.time() + 15
    while time.time() < end:
        for i in range(70000, 72000): m[i << 12] = 1
        m.madvise(mmap.MADV_DONTNEED, 70000 << 12, 2000 << 12)
threading.Thread(target=breathe, daemon=True).start()
print("ready", os.getpid(), flush=True); sys.stdin.read()'; await; busy=$answer
    for _ in 1 2 3 4 5 6; do
        strace -f -A -o "$work/rollups" -e trace=openat "$ldr" pages --json --scope all "$busy" >"$work/report" 2>"$work/err" || :
    done
    equal "a large process that goes on: no smaps_rollup" "$(grep -c smaps_rollup "$work/rollups") $(get "(r['counts_differ'], r['processes'][0]['pages_mapped'] > 70000)")" "0 (0, True)"
else
    skip "a large process that goes on" "no strace"
fi

# Processes that come and go while pages are read: never a crash, never broken output.
( for _ in $(seq 60); do "$ldr" run true; done ) &
churn=$!
bad=0
for _ in $(seq 20); do
    found=0; "$ldr" pages --all --json >"$work/report" 2>"$work/err" || found=$?
    case $found in 0 | 3) ;; *) bad="status $found: $(cat "$work/err")" ;; esac
    [ "$(get "r['totals']['frames'] > 0")" = True ] || bad="broken output"
done
wait "$churn"
equal "processes that come and go" "$bad" 0
release || echo "not ok a held program ended with status $?"
