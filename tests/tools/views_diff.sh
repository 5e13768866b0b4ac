#!/usr/bin/env bash
# Recordings and `ldr pages diff`: the same programs under the system's linker and under ours, against sums made from the
# recordings by python; which reports are taken; files that are broken in every way.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

check() { /usr/bin/python3 "$here/views_check.py" "$@" || echo "not ok views_check.py $* broke"; }
answers
get() { about report "$@"; }
# diff NAME STATUS ARG...: output in $work/out and $work/err
diff_is() {
    local name=$1 expected=$2 found=0
    shift 2
    "$ldr" pages diff "$@" >"$work/out" 2>"$work/err" </dev/null || found=$?
    equal "diff, $name: status" "$found" "$expected"
    if [ "$found" != "$expected" ]; then sed 's/^/    /' "$work/err"; fi
}

# ---- the same programs under two linkers ----
programs() { # programs [PREFIX...]: starts them and leaves their PIDs in $pids
    pids=""
    # shellcheck disable=SC2016
    hold "$@" /bin/bash -c 'echo ready $$; while read -r line; do :; done'; await; pids="$pids $answer"
    for _ in 1 2; do
        hold "$@" /usr/bin/python3 -c 'import os, ssl, sys; print("ready", os.getpid(), flush=True); sys.stdin.read()'; await; pids="$pids $answer"
    done
    # shellcheck disable=SC2016
    hold "$@" /usr/bin/perl -e 'use POSIX; $| = 1; print "ready $$\n"; my $line = <STDIN>;'; await; pids="$pids $answer"
}
programs
# shellcheck disable=SC2086
"$ldr" pages --record "$work/system.jsonl" $pids
release || true
programs "$ldr" run
# shellcheck disable=SC2086
"$ldr" pages --record "$work/ours.jsonl" $pids
release || true
diff_is "two linkers, JSON" 0 --json "$work/system.jsonl" "$work/ours.jsonl"
cp "$work/out" "$work/diff.json"
check diff "$work/system.jsonl" "$work/ours.jsonl" "$work/diff.json"
if [ "$(basename "$(readlink -f "${LDR_LDSO:-$build/ld-ldr.so}")")" = ld-ldr.so ]; then
    equal "two linkers: their names" "$(get "$work/diff.json" "(r['before']['linkers'], r['after']['linkers'])")" "('ld-linux-x86-64.so.2', 'ld-ldr.so')"
    equal "two linkers: each is in one report only" "$(get "$work/diff.json" "[(o['before'] is None, o['after'] is None) for o in r['objects'] if o['path'].split('/')[-1] == 'ld-ldr.so']")" "[(True, False)]"
else
    skip "two linkers: their names" "no ld-ldr.so was built"
fi
diff_is "two linkers" 0 "$work/system.jsonl" "$work/ours.jsonl"
# the text's numbers, with their signs, are those of the JSON
/usr/bin/python3 - "$work/diff.json" "$work/out" <<'EOF' || echo "not ok diff: reading the text broke"
import json, re, sys
diff, text = json.load(open(sys.argv[1])), open(sys.argv[2]).read()


def number(word):
    return int(word.replace(",", ""))


def check(name, found, expected):
    print(f"ok {name}" if found == expected else f"not ok {name}\n    found:    {found}\n    expected: {expected}")


totals = diff["totals"]
for side in ("before", "after", "change"):
    line = next(line for line in text.splitlines() if line.startswith(f"private {side} "))
    found = [number(n) for n in re.findall(r"[-+]?[0-9][0-9,]*(?![0-9])", line.replace(", ", " "))]
    causes = ["relocation", "relocation_and_write", "write", "identical"]
    check(f"diff, text: private pages by cause {side}", found,
          [totals[side]["pages_private"], *(totals[side]["pages_private_" + c] for c in causes)])
lines = text.splitlines()
titles = next(line for line in lines if line.startswith("object ")).split()[3:]
members = dict(zip("mapped frames shared alone private reloc reloc+write write identical unknown avoided images".split(),
                   """pages_mapped frames frames_shared frames_alone pages_private pages_private_relocation
                   pages_private_relocation_and_write pages_private_write pages_private_identical pages_private_unknown
                   page_copies_avoided pages_from_images""".split()))
start = next(i for i, line in enumerate(lines) if line.startswith("total "))
for side, line in zip(("before", "after"), lines[start:start + 2]):
    words = line.split()[2 if side == "before" else 1:]
    check(f"diff, text: total {side}", [number(w) for w in words],
          [totals[side]["processes"], *(totals[side][members[t]] for t in titles)])
bodies = lines[lines.index(next(line for line in lines if line.startswith("object "))) + 1:start - 1]
sums = {}
for line in bodies:
    m = re.search(r"\b(before|after) +(.*)", line)
    if m:
        words = m.group(2).split()[-len(titles):]
        for t, w in zip(titles, words):
            if w != "-":
                sums[m.group(1), t] = sums.get((m.group(1), t), 0) + number(w)
check("diff, text: mapped pages and copies of all lines add up to the total",
      [sums[side, t] for side in ("before", "after") for t in ("mapped", "private")],
      [totals[side][key] for side in ("before", "after") for key in ("pages_mapped", "pages_private")])
EOF
diff_is "a report with itself" 0 "$work/ours.jsonl" "$work/ours.jsonl"
contains "a report with itself: nothing changed" "$(cat "$work/out")" "private change 0 = relocation only 0, relocation and write 0, write only 0, identical to the file 0"
diff_is "--top 1" 0 --top 1 "$work/system.jsonl" "$work/ours.jsonl"
contains "--top 1: the others in one" "$(cat "$work/out")" "others changed"
diff_is "--columns" 0 --columns private,again "$work/system.jsonl" "$work/ours.jsonl"
equal "--columns: these" "$(grep '^object ' "$work/out" | tr -s ' ')" "object report procs private again"
diff_is "--columns, unknown" 2 --columns private,share "$work/system.jsonl" "$work/ours.jsonl"
contains "--columns, unknown: said" "$(cat "$work/err")" "there is no column 'share'"

# ---- which reports ----
/usr/bin/python3 "$here/views_document.py" large 7 | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)
for o in d["objects"][1:]: o["pages_mapped"] = 0
d["objects"] = d["objects"][:3]
d["processes"] = d["processes"][:2]
d["matrix"] = {"owners": [], "shared_frames": []}
d["why"]["objects"] = d["why"]["objects"][:3]
d["time"], d["totals"]["frames"] = "@TIME@", "@FRAMES@"
print(json.dumps(d))' >"$work/small.json"
make_report() { sed "s/\"@TIME@\"/\"$1\"/; s/\"@FRAMES@\"/$2/" "$work/small.json"; } # make_report TIME FRAMES: a small report
for i in 1 2 3 4; do make_report "t$i" "$((i * 100))"; done >"$work/four.jsonl"
diff_is "one file: the first report and the last" 0 --json "$work/four.jsonl"
equal "one file: the first report and the last" "$(get "$work/out" "(r['before']['time'], r['after']['time'], r['totals']['change']['frames'], r['after']['report'], r['after']['reports'])")" "('t1', 't4', 300, 4, 4)"
/usr/bin/python3 -c '
import json, sys
lines = open(sys.argv[1]).read().splitlines()
d = json.loads(lines[0])
print(json.dumps({**d, "scope": "all"}), file=open(sys.argv[2], "w"))
print(json.dumps({**d, "method": "file-identity"}), file=open(sys.argv[3], "w"))' "$work/four.jsonl" "$work/all.jsonl" "$work/identity.jsonl"
diff_is "two scopes cannot be compared" 1 "$work/four.jsonl" "$work/all.jsonl"
contains "two scopes: said" "$(cat "$work/err")" "before is of --scope elf, after of --scope all"
diff_is "two methods" 0 --after=-1 --before=1 "$work/four.jsonl" "$work/identity.jsonl"
equal "two methods: named above the table" "$(grep -cE '^before .* by pfn,|^after .* by file-identity,' "$work/out")" 2
equal "nothing changed: no line says so" "$(grep -cE '^ +change|[-+]0\.0 MiB' "$work/out")" 0
diff_is "reports by number" 0 --json --before 2 --after=-2 "$work/four.jsonl"
equal "reports by number" "$(get "$work/out" "(r['before']['time'], r['after']['time'])")" "('t2', 't3')"
/usr/bin/python3 -c 'import json, sys
for line in open(sys.argv[1]): print(json.dumps(json.loads(line), indent=2))' "$work/four.jsonl" >"$work/pretty.json"
diff_is "reports over several lines" 0 --json "$work/pretty.json"
equal "reports over several lines" "$(get "$work/out" "(r['before']['time'], r['after']['time'], r['after']['reports'])")" "('t1', 't4', 4)"
found=0; "$ldr" pages diff --json - <"$work/four.jsonl" >"$work/out" 2>&1 || found=$?
equal "standard input: a file" "$found $(get "$work/out" "(r['before']['time'], r['after']['time'])")" "0 ('t1', 't4')"
found=0; head -n 9 "$work/four.jsonl" | "$ldr" pages diff --json - >"$work/out" 2>&1 || found=$?
equal "standard input: a pipe" "$found $(get "$work/out" "(r['before']['time'], r['after']['time'])")" "0 ('t1', 't4')"
"$ldr" pages --from "$work/four.jsonl" --report 2 --json >"$work/out"
equal "--report shows that one" "$(get "$work/out" "r['time']")" t2
diff_is "no such report" 1 --before 5 "$work/four.jsonl"
contains "no such report: how many there are" "$(cat "$work/err")" "no report 5, it has 4"
diff_is "no such report from the end" 1 --before=-9223372036854775808 "$work/four.jsonl"
sed 's/"exact": true/"exact": false/' "$work/four.jsonl" >"$work/inexact.jsonl"
diff_is "a report that is not exact" 3 "$work/four.jsonl" "$work/inexact.jsonl"
contains "a report that is not exact: said" "$(cat "$work/out")" "not exact"

# ---- broken files ----
head -c -700 "$work/four.jsonl" >"$work/cut.jsonl"
diff_is "cut short: the report before is taken" 3 --json "$work/cut.jsonl"
equal "cut short: the report before is taken" "$(get "$work/out" "(r['after']['time'], r['after']['report'])")" "('t3', 3)"
contains "cut short: said" "$(cat "$work/err")" "report 4 of 4 is broken"
make_report t5 500 >"$work/one.json"
"$ldr" pages --record "$work/cut.jsonl" $$ 2>"$work/err" || true
diff_is "cut short and gone on: the new report is on a line of its own" 0 --json "$work/cut.jsonl"
equal "cut short and gone on: five reports" "$(get "$work/out" "r['after']['report']")" 5
: >"$work/empty"
diff_is "an empty file" 4 "$work/empty" "$work/four.jsonl"
diff_is "no file" 1 "$work/none" "$work/four.jsonl"
contains "no file: said" "$(cat "$work/err")" "none: No such file"
diff_is "a folder" 1 "$work" "$work/four.jsonl"
diff_is "a program" 4 /bin/true "$work/four.jsonl"
bad() { # bad NAME MESSAGE PYTHON: a report changed by PYTHON (d) is refused with MESSAGE
    /usr/bin/python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
exec(sys.argv[2])
print(json.dumps(d))' "$work/one.json" "$3" >"$work/bad.json"
    diff_is "$1" 1 "$work/bad.json" "$work/four.jsonl"
    contains "$1: said" "$(cat "$work/err")" "$2"
}
bad "no report" "has no member schema" 'd = {"a": 1}'
bad "another schema" 'schema is "other", expected "ldr-pages"' 'd["schema"] = "other"'
bad "savings of another shape" "files of savings.if_duplicates_one.sets[0] is 1, expected array" 'd["savings"]["if_duplicates_one"]["sets"][0]["files"] = 1'
bad "a later schema" "schema_version is 99, expected" 'd["schema_version"] = 99'
bad "no totals" "has no totals" 'del d["totals"]'
bad "totals of another type" "totals of the report is 3" 'd["totals"] = 3'
bad "a negative count" "frames is -1, expected 0 to" 'd["objects"][0]["frames"] = -1'
bad "a count out of range" "frames is 18446744073709551615" 'd["totals"]["frames"] = 2**64 - 1'
bad "a count as text" 'frames of objects[1] is "7", expected int' 'd["objects"][1]["frames"] = "7"'
bad "a count with a fraction" "expected int" 'd["objects"][1]["frames"] = 7.5'
bad "an object that is none" "objects[0] is null" 'd["objects"][0] = None'
bad "a path that is none" "path of objects[0]" 'd["objects"][0]["path"] = ["a"]'
bad "a negative number deep inside" "minor_faults is -5" 'd["processes"][1]["minor_faults"] = -5'
bad "a row of the matrix too short" "row 0 of matrix has 0 numbers" 'd["matrix"] = {"owners": [0], "shared_frames": [[]]}'
bad "a map that is none" "objects[0].segments[0].map[0] is 7" 'd["objects"][0]["segments"][0]["map"][0] = 7'
bad "a class as text" "class heap of totals" 'd["totals"]["classes"]["heap"] = "many"'
bad "too deep" "nesting too deep" 'x = []
for _ in range(5000): x = [x]
d["extra"] = json.loads(json.dumps(None)); d = {"schema": "ldr-pages", "extra": 1, "x": "@"}
import sys; sys.stdout.write("{\"x\":" + "[" * 5000 + "]" * 5000 + "}\n"); sys.exit()'
printf '{"schema": "ldr-pages"} trailing\n' >"$work/bad.json"
diff_is "words behind a report" 1 "$work/bad.json" "$work/four.jsonl"
printf '{\n{\n{\n' >"$work/bad.json"
diff_is "only beginnings" 1 "$work/bad.json" "$work/four.jsonl"
printf '{"schema": "\xff\xfe"}\n' >"$work/bad.json"
diff_is "no UTF-8" 1 "$work/bad.json" "$work/four.jsonl"

# ---- recording ----
echo 'precious text' >"$work/precious"
found=0; "$ldr" pages --record "$work/precious" $$ >"$work/out" 2>"$work/err" || found=$?
equal "a file that is no recording is left alone" "$found $(cat "$work/precious")" "1 precious text"
contains "a file that is no recording: said" "$(cat "$work/err")" "no recording (its first byte is 0x70"
recorders=()
for _ in 1 2 3 4; do "$ldr" pages --record "$work/together.jsonl" --interval 0.1 --reports 5 $$ & recorders+=($!); done
wait "${recorders[@]}"
equal "four recorders of one file: every report is whole" "$(/usr/bin/python3 -c 'import json, sys; print(len([json.loads(line) for line in open(sys.argv[1])]))' "$work/together.jsonl")" 20
found=0; "$ldr" pages --record /dev/full $$ >"$work/out" 2>"$work/err" || found=$?
equal "a full disk: status" "$found" 1
contains "a full disk: said" "$(cat "$work/err")" "/dev/full: No space left"

# ---- recordings changed at random, read by a build with sanitizers ----
if [ -x "$build/tests/tools/ldr-sanitized" ]; then
    /usr/bin/python3 "$here/views_mutate.py" "$build/tests/tools/ldr-sanitized" "$work/one.json" 100 || echo "not ok changed recordings: the check broke"
else
    skip "changed recordings" "no $build/tests/tools/ldr-sanitized"
fi
