#!/usr/bin/env bash
# `ldr pages --pages OBJECT` against raw maps and pagemap, page by page; and whom --children and --user choose.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

cp "$build/tests/tools/mapper" "$work"
answers
get() { about report "$work/report" "$1"; }

# raw NAME OBJECT PID...: every page of every mapping whose path ends in OBJECT must be in $work/report as /proc has it
raw() {
    equal "$1" "$(python3 - "$work/report" "${@:2}" <<'EOF'
import json, os, struct, sys
report, name, pids = json.load(open(sys.argv[1])), sys.argv[2], [int(p) for p in sys.argv[3:]]
words, where, owners = {}, {}, {}
for pid in pids:
    pagemap = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
    for line in open(f"/proc/{pid}/maps"):
        fields = line.split(None, 5)
        start, end = (int(x, 16) for x in fields[0].split("-"))
        if "vsyscall" in line:
            continue
        data = os.pread(pagemap, (end - start) // 512, start // 512)
        mine = len(fields) > 5 and fields[5].rstrip("\n").endswith("/" + name)
        for i, (word,) in enumerate(struct.iter_unpack("<Q", data)):
            if word >> 63:
                owners.setdefault(word & (1 << 55) - 1, set()).add(pid)
            if mine:
                words[pid, start + i * 4096] = word
                where[pid, start + i * 4096] = (int(fields[2], 16) // 4096 + i, fields[1][:3])
assert len(report["objects"]) == 1, len(report["objects"])
seen = set()
for process in report["objects"][0]["processes"]:
    for page in process["pages"]:
        for i in range(page["pages"]):
            key = (process["pid"], page["address"] + i * 4096)
            if page["segment"] == ".bss":
                continue
            assert key not in seen, key
            seen.add(key)
            word = words[key]
            assert where[key] == (page["file_page"] + i, page["access"]), (key, where[key], page)
            assert page["state"] == ("present" if word >> 63 else "absent"), (key, page)
            assert (page["class"] == "absent") == (page["state"] == "absent")
            if word >> 63:
                assert page["pages"] == 1 and page["frame"] == word & (1 << 55) - 1, (key, page, hex(word))
                assert set(page["owners"]) == owners[page["frame"]], (key, page)
assert seen == set(words), sorted(set(words) - seen)[:3]
print("every page")
EOF
)" "every page"
}

if [ "$(id -u)" = 0 ]; then
    # shellcheck disable=SC2016
    hold "$work/mapper" anon=3 bss=2 data=3 fork anon=1 data=5; await
    # shellcheck disable=SC2086
    "$ldr" pages --pages mapper --json $answer >"$work/report"
    # shellcheck disable=SC2086
    raw "a small program and its child" mapper $answer
    # shellcheck disable=SC2086
    "$ldr" pages --scope all --json $answer >"$work/report"
    # shellcheck disable=SC2086
    text=$("$ldr" pages --scope all --sharing $answer)
    equal "--sharing: the histogram of JSON" "$(awk '/pages mapped$/ { on = 1; next } !NF { on = 0 } on { print $1, $2, $3 }' <<<"$text")" \
        "$(get "'\n'.join(f\"{h['owners']} {h['frames']} {h['pages']}\" for h in r['histogram'])")"
    contains "--sharing: the pair and its frames" "$(tr -s ' ' <<<"$text")" " $(get "r['matrix']['shared_frames'][0][1]") mapper (${answer% *}) and mapper (${answer#* })"
    hold /usr/bin/python3 -c 'import ssl, os, sys; print("ready", os.getpid(), flush=True); sys.stdin.read()'; await; one=$answer
    hold /usr/bin/python3 -c 'import os, sys; print("ready", os.getpid(), flush=True); sys.stdin.read()'; await
    "$ldr" pages --pages libc.so.6 --json "$one" "$answer" >"$work/report"
    raw "libc of two pythons" libc.so.6 "$one" "$answer"
    # What is in the page cache, by the kernel's own tool. Other programs read files, and the kernel gives pages back: several tries.
    "$ldr" pages --json "$one" "$answer" >"$work/report"
    for file in libc.so.6 libcrypto.so.3; do
        path=$(get "o('/$file')['path']")
        for _ in 1 2 3 4 5 6; do
            "$ldr" pages --json "$one" "$answer" >"$work/report"
            cached=$(fincore -n -r -o PAGES "$path")
            [ "$(get "o('/$file')['pages_cached']")" = "$cached" ] && break
        done
        equal "page cache: $file, as fincore counts" "$(get "o('/$file')['pages_cached']")" "$cached"
        equal "page cache: $file, what nobody maps" "$(get "(lambda x: x['pages_cached'] - x['pages_cached_unmapped'] == x['frames_shared'] - x['frames_shared_copies'] + x['frames_alone'])(o('/$file'))")" True
    done
    found=0; "$ldr" pages --pages no-such-library.so "$one" >"$work/out" 2>"$work/err" || found=$?
    equal "an object that nobody maps: status 4, nothing printed" "$found $(cat "$work/out")" "4 "
    contains "an object that nobody maps: said" "$(cat "$work/err")" "no-such-library.so"
    release || echo "not ok a held program ended with status $?"
else
    skip "--pages" "not root"
fi

# An ordinary user: the same class and owners of every page of a library as root sees, and the same map of every object.
if [ "$(id -u)" = 0 ]; then
    as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    pids=
    for _ in 1 2; do
        hold "${as[@]}" /usr/bin/python3 -c 'import ssl, os, sys; print("ready", os.getpid(), flush=True); sys.stdin.read()'; await; pids="$pids $answer"
        # shellcheck disable=SC2016
        hold "${as[@]}" /usr/bin/perl -e 'use POSIX; $| = 1; print "ready $$\n"; <STDIN>'; await; pids="$pids $answer"
        # shellcheck disable=SC2016
        hold "${as[@]}" /bin/bash -c 'echo ready $$; while read -r line; do :; done'; await; pids="$pids $answer"
    done
    sleep 0.2
    # shellcheck disable=SC2086
    kill -STOP $pids
    declare -A expressions
    expressions[owners]='[(q["pid"], [(p["address"], p["class"], p["owners"]) for p in q["pages"]]) for q in r["objects"][0]["processes"]]'
    expressions[maps]='[(o["path"], s["segment"], s["map"]) for o in r["objects"] for s in o["segments"]]'
    for question in "libc.so.6 owners" "libcrypto.so.3 owners" "every maps"; do
        read -r object part <<<"$question"
        asked=(--json --pages "$object")
        [ "$object" = every ] && asked=(--json --map)
        # shellcheck disable=SC2086
        "$ldr" pages "${asked[@]}" $pids >"$work/report"
        expression=${expressions[$part]}
        root=$(get "(len($expression), $expression)" | md5sum)
        # shellcheck disable=SC2086
        "${as[@]}" "$ldr" pages "${asked[@]}" $pids >"$work/report" 2>"$work/err"
        equal "ordinary user: $object object, $part as root has them" "$(get "(len($expression), $expression)" | md5sum)" "$root"
        equal "ordinary user: $object object, by file identity, something there" "$(get "(r['method'], len($expression) > 0)")" "('file-identity', True)"
    done
    # shellcheck disable=SC2086
    kill -CONT $pids
    release || echo "not ok a held program ended with status $?"
else
    skip "an ordinary user's owners beside root's" "not root"
fi

# --children: the process, its child and grandchild, and nobody else
hold /usr/bin/python3 -c '
import os, sys
def generation(left):
    child = os.fork() if left else 0
    if child == 0 and left:
        return generation(left - 1)
    os.write(1, b"ready %d\n" % os.getpid())
    sys.stdin.read()
generation(2)'
top=$!
await; a=$answer; await; b=$answer; await; c=$answer
# shellcheck disable=SC2016
hold bash -c 'echo ready $$; read -r line'; await
"$ldr" pages --json --children "$top" >"$work/report"
equal "--children: three generations" "$(get "sorted(p['pid'] for p in r['processes'])")" "$(python3 -c 'import sys; print(sorted(map(int, sys.argv[1:])))' "$a" "$b" "$c")"
"$ldr" pages --json --children "$top" "$answer" >"$work/report"
equal "--children and a PID: both" "$(get "len(r['processes'])")" 4
found=0; "$ldr" pages --children 4194305 2>"$work/err" >"$work/out" || found=$?
equal "--children of nobody: status 4" "$found" 4
contains "--children of nobody: said" "$(cat "$work/err")" "4194305"
for wrong in x 0 -5 99999999999999999999; do
    found=0; "$ldr" pages --children "$wrong" >"$work/out" 2>&1 || found=$?
    equal "--children $wrong: usage" "$found" 2
done
release

if [ "$(id -u)" = 0 ]; then
    hold setpriv --reuid 65534 --regid 65534 --clear-groups bash -c 'echo ready $$; read -r line'; await
    "$ldr" pages --json --user nobody >"$work/report"
    equal "--user NAME: its process, nobody else's" "$(get "$answer in [p['pid'] for p in r['processes']] and $$ not in [p['pid'] for p in r['processes']]")" True
    "$ldr" pages --json --user 65534 >"$work/report"
    equal "--user NUMBER" "$(get "$answer in [p['pid'] for p in r['processes']]")" True
    release
else
    skip "--user" "not root"
fi
found=0; "$ldr" pages --user no-such-user-at-all >"$work/out" 2>&1 || found=$?
equal "--user unknown: usage" "$found" 2
found=0; "$ldr" pages --all --user 0 >"$work/out" 2>&1 || found=$?
equal "--all and --user: usage" "$found" 2
