#!/usr/bin/env bash
# The views of `ldr pages`: JSON by its schema, CSV and metrics against the document and by parsers and tools of others, files that are
# replaced whole, recordings, reports over time.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

top=$here/../..
# Debian's python has Debian's modules. A check that breaks is a failure, not a check less.
check() { /usr/bin/python3 "$here/views_check.py" "$@" || echo "not ok views_check.py $* broke"; }
# shellcheck disable=SC2016
waits='echo ready $$; while read -r line; do :; done'
hold "$ldr" run bash -c "$waits"; await; pids=$answer
hold bash -c "$waits"; await; pids="$pids $answer"
hold /usr/bin/python3 -c 'import os, ssl, sys; print("ready", os.getpid(), flush=True); sys.stdin.read()'; await; pids="$pids $answer"
# shellcheck disable=SC2206 # a list of numbers
pids=($pids)

# status NAME STATUS COMMAND...: runs it with its output in $work/out and $work/err
status() {
    local name=$1 expected=$2 found=0
    shift 2
    "$@" >"$work/out" 2>"$work/err" </dev/null || found=$?
    equal "$name: status" "$found" "$expected"
    if [ "$found" != "$expected" ]; then sed 's/^/    /' "$work/err"; fi
}

# ---- one report in every format at once ----
status "every file at once" 0 "$ldr" pages --record "$work/r.jsonl" --openmetrics "$work/m.prom" --html "$work/p.html" --json "${pids[@]}"
equal "what is recorded is what --json prints" "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1])) == json.load(open(sys.argv[2])))' "$work/out" "$work/r.jsonl")" True
check schema "$work/out" "$top/tools/views/ldr-pages.schema.json"
for level in segments objects processes totals; do
    status "csv $level of a recording" 0 "$ldr" pages --from "$work/r.jsonl" --csv=$level
    check csv "$work/r.jsonl" $level "$work/out"
done
check metrics "$work/r.jsonl" "$work/m.prom"
equal "promtool accepts the metrics, without a hint" "$(promtool check metrics <"$work/m.prom" 2>&1; echo "status $?")" "status 0"
status "metrics of a recording" 0 "$ldr" pages --from "$work/r.jsonl" --openmetrics -
equal "metrics of a recording are those of the report" "$(cat "$work/out")" "$(cat "$work/m.prom")"
status "no text when a file was asked for" 0 "$ldr" pages --html "$work/p.html" "${pids[@]}"
equal "no text when a file was asked for" "$(cat "$work/out")" ""

status "every mapping" 0 "$ldr" pages --scope all --map --json "${pids[@]}"
check schema "$work/out" "$top/tools/views/ldr-pages.schema.json" | sed 's/schema:/schema, every mapping:/'
status "every mapping, recorded" 0 "$ldr" pages --scope all --record "$work/all.jsonl" --openmetrics "$work/all.prom" "${pids[@]}"
check metrics "$work/all.jsonl" "$work/all.prom" | sed 's/metrics:/metrics, every mapping:/'

if [ "$(id -u)" = 0 ]; then
    user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    hold "${user[@]}" bash -c "$waits"; await
    found=0; "${user[@]}" "$ldr" pages --map --json "$answer" "${pids[0]}" >"$work/out" 2>"$work/err" || found=$?
    equal "an ordinary user's report: partial, by file identity" "$found $(python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(d["method"], d["exact"])' "$work/out")" "3 file-identity False"
    check schema "$work/out" "$top/tools/views/ldr-pages.schema.json" | sed "s/schema:/schema, an ordinary user's report:/"
    equal "an ordinary user's report: promtool" "$("$ldr" pages --from "$work/out" --openmetrics - | promtool check metrics 2>&1; echo "status $?")" "status 0"
else
    skip "an ordinary user's report" "not root"
fi
"$ldr" pages --map --json "${pids[@]}" >"$work/map.json"
/usr/bin/python3 "$here/views_owners.py" "$work/map.json" libc.so.6 || echo "not ok page map: the check broke"

# ---- the manual says it all ----
manual=$(sed 's/\\-/-/g; s/\\f[BIRP]//g; s/\\//g' "$top/tools/ldr-pages.1")
missing=""
options=$({ "$ldr" pages --help; "$ldr" pages diff --help; } | tr -s ' ' '\n' | grep -oE '^--[a-z-]+' | LC_ALL=C sort -u)
for option in $options; do
    case $option in --help | --usage | --version) continue ;; esac
    [[ $manual =~ $option([^a-z-]|$) ]] || missing="$missing $option"
done
equal "every option is in the manual" "$missing" ""
contains "every option: among them" " ${options//$'\n'/ } " " --openmetrics "
missing=$(/usr/bin/python3 - "$top/tools/views/ldr-pages.schema.json" 3<<<"$manual" <<'EOF'
import json, re, sys
manual = open(3).read()
names = set()


def walk(schema):
    if isinstance(schema, dict):
        names.update(schema.get("properties", {}))
        for item in schema.values():
            walk(item)
    elif isinstance(schema, list):
        for item in schema:
            walk(item)


walk(json.load(open(sys.argv[1])))
print(len(names) > 60, sorted(name for name in names if not re.search(rf"\b{name}\b", manual)))
EOF
)
equal "every member of the JSON is in the manual" "$missing" "True []"

# ---- hostile names ----
python3 "$here/views_document.py" hostile >"$work/hostile.jsonl"
check schema "$work/hostile.jsonl" "$top/tools/views/ldr-pages.schema.json" | sed 's/schema:/schema, made-up document:/'
for level in segments processes; do
    "$ldr" pages --from "$work/hostile.jsonl" --csv=$level >"$work/out"
    check csv "$work/hostile.jsonl" $level "$work/out" | sed 's/csv/hostile names: csv/'
done
"$ldr" pages --from "$work/hostile.jsonl" --openmetrics "$work/h.prom"
check metrics "$work/hostile.jsonl" "$work/h.prom" | sed 's/metrics/hostile names: metrics/'
equal "hostile names: promtool" "$(promtool check metrics <"$work/h.prom" 2>&1; echo "status $?")" "status 0"
cp /bin/bash "$work/"$'na\xffme\xe2\x82\n"<'
hold "$work/"$'na\xffme\xe2\x82\n"<' -c "$waits"; await
status "a name that is no UTF-8" 0 "$ldr" pages --json "$answer"
equal "a name that is no UTF-8: bytes are escaped" "$(python3 -c 'import json, sys; print([o["path"] for o in json.load(open(sys.argv[1]))["objects"] if "me" in o["path"]][0].split("/")[-1])' "$work/out")" 'na\xffme\xe2\x82'$'\n''"<'

cp /bin/bash "$work/"$'red\e[31m\xc2\x9b'
hold "$work/"$'red\e[31m\xc2\x9b' -c "$waits"; await
"$ldr" pages "$answer" >"$work/out"
"$ldr" pages --pages $'red\e[31m\xc2\x9b' "$answer" >>"$work/out"
equal "a name that would colour the terminal: shown without its control characters" "$(grep -c 'red?\[31m??' "$work/out") $(LC_ALL=C grep -c $'[\e\x9b]' "$work/out")" "3 0"

# ---- files are replaced whole ----
ln -s m.prom "$work/link.prom"
chmod 640 "$work/m.prom"
status "metrics through a symbolic link" 0 "$ldr" pages --from "$work/r.jsonl" --openmetrics "$work/link.prom"
equal "metrics through a symbolic link: the link stays, so does the mode" "$(readlink "$work/link.prom") $(stat -c %a "$work/m.prom")" "m.prom 640"
(umask 022; "$ldr" pages --from "$work/r.jsonl" --openmetrics "$work/new.prom")
equal "a new file may be read by the collector" "$(stat -c %a "$work/new.prom")" 644
status "metrics to a full device" 1 "$ldr" pages --from "$work/r.jsonl" --openmetrics /dev/full
contains "metrics to a full device: said" "$(cat "$work/err")" "/dev/full: No space left"
status "metrics to a folder that is not there" 1 "$ldr" pages --from "$work/r.jsonl" --openmetrics "$work/no/m.prom"
mkdir "$work/folder"
status "metrics to a folder" 1 "$ldr" pages --from "$work/r.jsonl" --openmetrics "$work/folder"
if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=8k tmpfs "$work/small" 2>/dev/null; then
    echo old >"$work/small/m.prom"
    status "metrics to a full file system" 1 "$ldr" pages --from "$work/r.jsonl" --openmetrics "$work/small/m.prom"
    equal "metrics to a full file system: the old file stays, alone" "$(cd "$work/small" && ls -A && cat m.prom)" "m.prom
old"
    umount "$work/small"
else
    skip "metrics to a full file system" "cannot mount a tmpfs here"
fi
equal "no temporary file is left" "$(find "$work" -name '.*.prom.*')" ""
"$ldr" pages --interval 0.1 --reports 10 --openmetrics "$work/live.prom" "${pids[0]}" &
writer=$!
partial=0 reads=0
while kill -0 "$writer" 2>/dev/null; do
    [ -e "$work/live.prom" ] || continue
    reads=$((reads + 1))
    mapfile -t lines <"$work/live.prom"
    [ "${lines[-1]-}" = "# EOF" ] || partial=$((partial + 1))
done
wait "$writer" || partial="its writer failed"
equal "a reader at any time sees a whole file" "$partial $((reads > 20))" "0 1"
inode=$(stat -c %i "$work/new.prom")
"$ldr" pages --from "$work/r.jsonl" --openmetrics "$work/new.prom"
equal "the file is exchanged, not rewritten" "$([ "$(stat -c %i "$work/new.prom")" != "$inode" ] && echo yes)" yes

# ---- over time ----
status "three reports" 0 "$ldr" pages --interval 1 --reports 3 --csv=totals --record "$work/t.jsonl" "${pids[@]}"
equal "three reports: titles once, a line each" "$(cut -d, -f1 "$work/out" | grep -c '^20') $(grep -c '^time' "$work/out") $(wc -l <"$work/t.jsonl")" "3 1 3"
# the first may have begun late and the last too: two beats, less one report's time
equal "three reports: a second apart" "$(python3 -c '
import datetime, json, sys
times = [datetime.datetime.fromisoformat(json.loads(line)["time"].rstrip("Z")) for line in open(sys.argv[1])]
print(times == sorted(times) and 1 < (times[2] - times[0]).total_seconds() < 20)' "$work/t.jsonl")" True
status "text over time" 0 "$ldr" pages --interval 0.1 --reports 2 "${pids[0]}"
equal "text over time: each with its time" "$(grep -cE '^20[0-9-]+T[0-9:]+Z$' "$work/out") $(grep -c '^method: ' "$work/out")" "2 2"
status "JSON over time" 0 "$ldr" pages --interval 0.1 --reports 2 --json "${pids[0]}"
equal "JSON over time: a report a line" "$(wc -l <"$work/out") $(python3 -c 'import json, sys; print({json.loads(line)["schema"] for line in open(sys.argv[1])})' "$work/out")" "2 {'ldr-pages'}"
"$ldr" pages --interval 20 --record "$work/s.jsonl" "${pids[0]}" >"$work/out" 2>&1 &
endless=$!
for _ in $(seq 100); do [ -s "$work/s.jsonl" ] && break; sleep 0.05; done
kill -INT "$endless" 2>/dev/null || true
kill -TERM "$endless"
found=0; wait "$endless" || found=$?
equal "interrupted: ends at once, with the status of its reports" "$found $(wc -l <"$work/s.jsonl")" "0 1"
# Nobody there: said once, not at each beat; watching goes on, and whoever comes is reported. A user without processes.
if [ "$(id -u)" = 0 ]; then
    status "nobody: the status" 4 "$ldr" pages --interval 0.1 --reports 4 --user 65519
    equal "nobody: said once" "$(grep -c 'user 65519 has no process' "$work/err") $(grep -c 'a report will follow' "$work/err") $(wc -c <"$work/out")" "1 1 0"
    status "nobody, one report asked for" 4 "$ldr" pages --user 65519
    equal "nobody, one report asked for: none will follow" "$(cat "$work/err")" "ldr pages: user 65519 has no process"
    "$ldr" pages --interval 0.1 --record "$work/n.jsonl" --user 65519 2>"$work/watch" &
    endless=$!
    for _ in $(seq 100); do [ -s "$work/watch" ] && break; sleep 0.05; done
    hold setpriv --reuid 65519 --regid 65519 --clear-groups bash -c "$waits"; await; short=$answer
    for _ in $(seq 100); do [ -s "$work/n.jsonl" ] && break; sleep 0.05; done
    kill "$short"; wait "$short" 2>/dev/null
    unset "held[-1]"
    for _ in $(seq 100); do [ "$(grep -c 'a report will follow' "$work/watch")" = 2 ] && break; sleep 0.05; done
    sleep 0.5
    kill -TERM "$endless"
    found=0; wait "$endless" || found=$?
    # 3: the process ended while it was measured. Then that is said, and not that the user has none.
    case $found in 0 | 3) echo "ok nobody, then somebody: the status" ;; *) equal "nobody, then somebody: the status" "$found: $(cat "$work/watch")" "0 or 3" ;; esac
    equal "nobody, somebody, nobody: said twice, and a report" "$(grep -c 'a report will follow' "$work/watch") $([ -s "$work/n.jsonl" ] && echo recorded)" "2 recorded"
else
    skip "reports of nobody" "not root"
fi
hold bash -c "$waits"; await; short=$answer
"$ldr" pages --interval 0.1 --record "$work/e.jsonl" "$short" >"$work/out" 2>"$work/err" &
endless=$!
for _ in $(seq 100); do [ -s "$work/e.jsonl" ] && break; sleep 0.05; done
kill "$short"
found=0; wait "$endless" || found=$?
unset "held[-1]"
case $found in 0 | 3) echo "ok the processes named are gone: it ends" ;; *) equal "the processes named are gone: it ends" "$found: $(cat "$work/err")" "0 or 3" ;; esac

# ---- progress ----
# every read of a page table takes 40 ms: some two seconds for a report
slow=(strace -f -qq -o "$work/trace" -e trace=pread64 -e inject=pread64:delay_exit=40000)
if command -v strace >/dev/null && "${slow[@]}" true 2>/dev/null; then
    line='(reading page tables of processes|comparing private pages with files, by process|counting pages, by process): [0-9] of [0-9] \([0-9]+ s\)'
    status "a slow report" 0 "${slow[@]}" "$ldr" pages --csv=totals "${pids[@]}"
    equal "a slow report: progress on standard error" "$(head -1 "$work/err" | grep -cE "^ldr pages: $line\$")" 1
    equal "a slow report: nothing else there, and standard output is clean" "$(grep -cvE "^ldr pages: $line\$" "$work/err") $(wc -l <"$work/out")" "0 2"
    script -qec "strace -f -qq -o '$work/trace' -e trace=pread64 -e inject=pread64:delay_exit=40000 '$ldr' pages --csv=totals ${pids[*]} >'$work/out'" /dev/null >"$work/typed" 2>&1 </dev/null
    equal "a slow report on a terminal: one line, written over and cleared" "$(tr '\r' '\n' <"$work/typed" | sed 's/\x1b\[K/|/' | grep -vcE "^(\|$line)?\$|^\|\$") $(tail -c 4 "$work/typed" | od -An -c | tr -d ' ')" '0 \r033[K'
    equal "a slow report on a terminal: told" "$(tr '\r' '\n' <"$work/typed" | grep -cE "$line" | sed 's/[1-9][0-9]*/yes/')" yes
else
    skip "progress" "no strace, or it may not trace here"
fi
status "a quick report" 0 "$ldr" pages --csv=totals "${pids[@]}"
equal "a quick report says nothing" "$(cat "$work/err")" ""

release || true
