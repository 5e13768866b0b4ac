#!/usr/bin/env bash
# `ldr pages --why OBJECT`: relocations and variables of each private page. A library whose variables are written in known ways
# (why/subject.c), with debug information, with a separate debug file, stripped; then libraries of the distribution. Everything that is
# told is computed a second time by why/check.py from raw maps, pagemap, mem and readelf.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LDR_CACHE=off # the libraries are opened, and their relocated pages would be an image's
if [ "$(id -u)" != 0 ]; then
    skip "pages_why" "the second computation needs frame numbers: not root"
    exit 0
fi

opener=$build/tests/tools/opener
cp "$here/why/subject.c" "$opener" "$work"
cd "$work" || exit 1
export LDR_DEBUG_DIR=$work/debug
told() { python3 "$here/why/check.py" "$@" 2>>counts; }
answers
get() { about report "$work/report" "$1"; }
start() { hold "$@"; await; pids+=("$answer"); }

# ---- crafted, in three builds, and with DT_RELR ----
# shellcheck disable=SC2054
options=(-std=gnu11 -O1 -fno-toplevel-reorder -shared -fPIC -Wl,--build-id,-z,now,-z,relro,-z,separate-code)
gcc "${options[@]}" -g -o whole.so subject.c
gcc "${options[@]}" -g -Wl,-z,pack-relative-relocs -o relr.so subject.c
gcc "${options[@]}" -gdwarf-4 -o separate.so subject.c
cp separate.so separate.whole
id=$(readelf -n separate.so | sed -n 's/.*Build ID: //p')
mkdir -p "debug/.build-id/${id:0:2}"
objcopy --only-keep-debug separate.so "debug/.build-id/${id:0:2}/${id:2}.debug"
strip --strip-all separate.so
cp whole.so stripped.so && objcopy --remove-section .note.gnu.build-id stripped.so && strip --strip-all stripped.so
for case in whole:dwarf relr:dwarf separate:dwarf stripped:symbol; do
    library=${case%:*}.so level=${case#*:}
    for how in ours native; do
        run=(); [ $how = native ] || run=("$ldr" run)
        pids=()
        for function in subject_first subject_first subject_second; do
            start "${run[@]+"${run[@]}"}" ./opener "./$library" $function
        done
        found=0; "$ldr" pages --why="$library" --json "${pids[@]}" >report 2>err || found=$?
        equal "$library, $how: status, stderr" "$found $(cat err)" "0 "
        names=(); [ "${case%:*}" = stripped ] && names=(--names "$work/whole.so"); [ "${case%:*}" = separate ] && names=(--names "$work/separate.whole")
        equal "$library, $how: as computed, and as promised" \
            "$(told report "${pids[@]}" "${names[@]+"${names[@]}"}" --source "$here/why/subject.c" "$level")" ""
        # pages, by construction: hot 1, alike with letters 1, buffer 3 and calls 1 are written only, in three processes; kept is identical
        equal "$library, $how: copies by cause, in data" \
            "$(get "[[s['copies_' + c] for c in ('write', 'identical')] for s in r['sections'] if s['section'] == '.data'][0]")" "[18, 3]"
        # counters is a page long, so moving it wins nothing; alike and letters are 12 bytes on one page, calls 4 on another; they need one.
        # Stripped, nobody knows how long they are.
        if [ "$level" = dwarf ]; then
            equal "$library, $how: what could be won" \
                "$(get "[r['savings'][k] for k in ('pages', 'copies', 'copies_needed', 'copies_won', 'bytes_moved')]")" "[2, 6, 3, 3, 16]"
        fi
    done
done

# ---- what could be won: twenty hot counters, each on a page of its own ----
cat >hot.c <<'C'
#define HOT(n) __attribute__((aligned(4096))) struct { int hot; } hot_##n = { n + 1 }; char cold_##n[4000] = { 1 };
#define TEN(n) HOT(n##0) HOT(n##1) HOT(n##2) HOT(n##3) HOT(n##4) HOT(n##5) HOT(n##6) HOT(n##7) HOT(n##8) HOT(n##9)
TEN(1) TEN(2)
__attribute__((aligned(4096))) char last[4096] = { 1 };
#define W(n) hot_##n.hot += 1;
#define WTEN(n) W(n##0) W(n##1) W(n##2) W(n##3) W(n##4) W(n##5) W(n##6) W(n##7) W(n##8) W(n##9)
void hot_write(void) { WTEN(1) WTEN(2) }
C
gcc -O1 -g -fno-toplevel-reorder -shared -fPIC -o hot.so hot.c
pids=()
for _ in 1 2 3; do start "$ldr" run ./opener ./hot.so hot_write; done
"$ldr" pages --why=hot.so --json "${pids[@]}" >report
equal "twenty hot variables: as computed" "$(told report "${pids[@]}")" ""
equal "twenty hot variables: 60 copies, 3 for their own page, 80 bytes" \
    "$(get "[r['savings'][k] for k in ('pages', 'copies', 'copies_needed', 'copies_won', 'bytes_moved')]")" "[20, 60, 3, 57, 80]"
equal "twenty hot variables: named" "$(get "sorted(v['name'] for v in r['savings']['variables']) == sorted('hot_%d' % n for n in range(10, 30))")" True
equal "twenty hot variables: each alone" "$(get "{(v['copies_written'], v['copies_written_alone']) for v in r['variables'] if v['name'].startswith('hot')}")" "{(3, 3)}"
text=$("$ldr" pages --why=hot.so "${pids[@]}")
contains "text: what could be won" "$text" "could be won: 57 copies, 0.2 MiB, if 20 variables (80 bytes) were moved off 20 pages: hot_10"
contains "text: a variable" "$(tr -s ' ' <<<"$text")" "hot_10 struct {...} hot.c:3 same value 3 of 3 1 3 3"

# ---- which part, and how it is named ----
page=$(get "[p['vaddr'] for p in r['pages']][0]")
"$ldr" pages --why="hot.so:$(printf '0x%x' $((page + 5)))" --json "${pids[@]}" >report
equal "one page, by any address on it" "$(get "[p['vaddr'] for p in r['pages']]")" "[$page]"
equal "one page: as computed" "$(told report "${pids[@]}")" ""
contains "one page: values" "$("$ldr" pages --why="hot.so:$(printf '0x%x' "$page")" "${pids[@]}")" ": 0xb -> 0xc"
"$ldr" pages --why="$work/hot.so:.data" --json "${pids[@]}" >report
equal "one section, by path: as computed" "$(told report "${pids[@]}")" ""
"$ldr" pages --why hot --json "${pids[@]}" >report
equal "--why OBJECT as two words, the name's beginning" "$(get "r['object']")" "$work/hot.so"
"$ldr" pages --json "${pids[@]}" --why hot.so >report
equal "--why OBJECT behind the processes" "$(get "(r['object'], r['totals']['processes'])")" "('$work/hot.so', 3)"
contains "--why and a process: the table as before" "$("$ldr" pages --why opener | tr -s ' ')" "alone reloc reloc+write write identical avoided"
for wrong in "nothing.so:4:no object called nothing.so" "hot.so#.nosuch:4:has no section .nosuch" "#.data:2:needs an object"; do
    IFS=: read -r object status message <<<"$wrong"
    found=0; "$ldr" pages --why="${object/\#/:}" "${pids[@]}" >out 2>err || found=$?
    equal "--why=${object/\#/:}: status" "$found" "$status"
    contains "--why=${object/\#/:}: said" "$(cat err)" "$message"
done

# ---- files that have no section headers, are gone, or cannot be read; copies that fork left shared; another user ----
cp stripped.so bare.so && printf '\0\0\0\0\0\0\0\0' | dd of=bare.so bs=1 seek=40 conv=notrunc 2>dd.err &&
    printf '\0\0\0\0' | dd of=bare.so bs=1 seek=60 conv=notrunc 2>dd.err
pids=(); start "$ldr" run ./opener ./bare.so subject_first
found=0; "$ldr" pages --why=bare.so --json "${pids[@]}" >report 2>err || found=$?
equal "no section headers: status, names" "$found $(get "(r['names']['by'], r['sections'], len(r['pages']) > 8)")" "0 ('section', [], True)"
contains "no section headers: addresses" "$("$ldr" pages --why=bare.so "${pids[@]}")" "written in 1: 0x"

cp whole.so deleted.so
pids=(); start "$ldr" run ./opener ./deleted.so subject_first
rm deleted.so
found=0; "$ldr" pages --why=deleted.so --json "${pids[@]}" >report 2>err || found=$?
equal "deleted file: status, still read" "$found $(get "(r['names']['by'], r['totals']['copies_write'])")" "0 ('dwarf', 6)"

cp hot.so forked.so
pids=(); start ./opener ./forked.so hot_write fork; pids+=("$(pgrep -P "${pids[0]}")")
"$ldr" pages --why=forked.so --json "${pids[@]}" >report
equal "fork: 20 written pages in two processes, one copy of each" \
    "$(get "{(p['processes'], p['copies']) for p in r['pages'] if p['written']}, r['totals']['copies_shared'] == r['totals']['copies']")" "({(2, 1)}, True)"
equal "fork: as computed" "$(told report "${pids[@]}")" ""

# ---- a page of several sections: all are named, and each variable with its own; one of each thing is not many ----
printf '#include <stdio.h>\n#include <unistd.h>\nint written = 1;\n
int main(void) { char c; written = 2; printf("ready %%d\\n", (int)getpid()); fflush(stdout); while (read(0, &c, 1) > 0) ; return 0; }\n' >sections.c
gcc -O0 -g -pie -fPIE -Wl,-z,norelro -Wl,-z,lazy -o sections sections.c
hold ./sections; await
page=$(printf '0x%x' $((0x$(nm sections | awk '$3 == "written" { print $1 }') & -4096)))
"$ldr" pages --why=sections "$answer" >out 2>err
expected=$(readelf -SW sections | python3 -c 'import re, sys
page, on = int(sys.argv[1], 16), []
for line in sys.stdin:
    f = re.match(r" *\[ *\d+\] (\S+) +(\S+) +([0-9a-f]{16}) [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ +(\S*A\S*) ", line)
    if f and int(f[3], 16) < page + 4096 and int(f[3], 16) + int(f[4], 16) > page:
        on.append(f[1])
print(", ".join(on[:-1]) + " and " + on[-1] if len(on) <= 6 else ", ".join(on[:6]) + f" and {len(on) - 6} more")' "$page")
equal "a page of several sections: their names" "$(sed -n "s/^page $page, \(.*\): private in 1 of 1 process: .*/\1/p" out)" "$expected"
contains "a page of several sections: a variable with its own" "$(cat out)" "written in 1: written (int) in .data, sections.c:3"
contains "one process" "$(cat out)" "sections in 1 process: "

user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
chmod 755 . ./*.so opener
pids=(); start "${user[@]}" "$ldr" run ./opener ./whole.so subject_first
"${user[@]}" "$ldr" pages --why=whole.so --json "${pids[@]}" >report 2>err
equal "ordinary user, own process" "$(get "(r['method'], r['names']['by'], r['totals']['copies_write'], r['unreadable'])")" "('file-identity', 'dwarf', 6, 0)"
caps=+perfmon,+dac_read_search
limited=(setpriv --reuid 65533 --regid 65533 --clear-groups "--inh-caps=$caps" "--ambient-caps=$caps")
if "${limited[@]}" head -c 8 "/proc/${pids[0]}/pagemap" >/dev/null 2>&1; then
    found=0; "${limited[@]}" "$ldr" pages --why=whole.so --json "${pids[@]}" >report 2>err || found=$?
    equal "no memory to read: status, unknown" "$found $(get "(r['exact'], r['unreadable'], r['totals']['copies_write'], r['totals']['copies_unknown'] > 8)")" \
        "3 (False, 1, 0, True)"
    contains "no memory to read: said" "$(cat err)" "memory may not be read"
else
    skip "no memory to read" "CAP_PERFMON does not open page tables here"
fi

# ---- first writers: recorded while it runs; lines by addr2line ----
watched() { # NAME RECORD: the report of the last pid against addr2line and the source
    equal "$1: instructions and lines" "$(python3 - report whole.so <<'P'
import json, subprocess, sys
report, library = json.load(open(sys.argv[1])), sys.argv[2]
found = {(w["instruction"]["vaddr"], w["function"], w["line"]) for p in report["pages"] for w in p["writers"] if w["kind"] not in ("none", "unseen")
         and w["instruction"]["object"].endswith(library)}
for vaddr, function, line in found:
    lines = subprocess.run(["addr2line", "-f", "-e", library, hex(vaddr)], capture_output=True, text=True).stdout.split("\n")
    if (lines[0], lines[1].split(":")[1].split()[0]) != (function, str(line)):
        print(function, line, lines)
source = open("subject.c").read().split("\n")
written = {p["vaddr"]: p for p in report["pages"] if p["copies_write"]}
for p in written.values():
    text = source[p["writers"][0]["line"] - 1]
    name = p["written"][0]["name"].split("::")[-1].replace("subject_", "")
    if len(p["writers"]) != 1 or name not in text:
        print("page", hex(p["vaddr"]), name, "by", text)
print(len(written), "pages")
P
)" "6 pages"
}
found=0; "$ldr" run --watch-writes record sh -c 'exit 7' <hold >out 2>err || found=$?
equal "--watch-writes: the program's status, no output but what is missing" "$found $(cat out)$(grep -v '^ldr run: tracefs ' err)" "7 "
equal "--watch-writes with SIGCHLD ignored: the program's status" "$(python3 -c 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])' "$ldr" run --watch-writes record sh -c 'exit 3' 2>/dev/null; echo $?)" 3
pids=(); start "$ldr" run --watch-writes record ./opener ./whole.so subject_first
watcher=$! parent=$(awk '/^PPid/ { print $2 }' "/proc/${pids[0]}/status")
equal "--watch-writes: the watcher is the parent" "$parent" "$watcher"
sleep 0.3 # the record is written twenty times a second
found=0; "$ldr" pages --why=whole.so --writers record --json "${pids[@]}" >report 2>err || found=$?
equal "--writers: status, stderr" "$found $(cat err)" "0 "
watched "--writers"
contains "--writers as text" "$("$ldr" pages --why=whole.so --writers record "${pids[@]}")" "made private by write_all, "
# What was there before an execve or a new mapping had other writers: records with such in them, made from this one.
awk 'NR == 1 { print; next } { print 1, $2, 1000, "w" }' record >told
[ "$(grep -c ' [mx]$' record)" -gt 10 ] && echo "ok --watch-writes: mappings are recorded" || echo "not ok --watch-writes: no mappings in the record"
{ cat told; echo "2 0 0 x"; grep ' [wkf]$' record | sed 's/[wkf]$/w/'; } >executed
contains "--writers: a page's writer before an execve is not this one's" "$("$ldr" pages --why=whole.so --writers executed "${pids[@]}")" "made private by write_all, "
{ sed 's/[wkf]$/w/' record; echo "18446744073709551614 0 0 x"; } >executed
equal "--writers: nothing was written since the last execve" "$("$ldr" pages --why=whole.so --writers executed "${pids[@]}" | grep -c 'made private by write_all')" 0
{ sed 's/[wkf]$/w/' record; echo "18446744073709551614 1000 7fffffffe000 m"; } >executed
equal "--writers: nothing was written since it was mapped" "$("$ldr" pages --why=whole.so --writers executed "${pids[@]}" | grep -c 'made private by write_all')" 0
printf 'char table[3 * 4096] __attribute__((aligned(4096))) = { 1 };\n#include <stdio.h>\n#include <unistd.h>
__attribute__((noinline)) void first(void) { table[4104] = 7; }\n__attribute__((noinline)) void second(void) { table[4104] = 9; }
int main(int n, char **v) { char c; if (n < 2) { first(); execl("/proc/self/exe", *v, "again", (char *)0); } second(); printf("ready %%d\\n", (int)getpid()); fflush(stdout); while (read(0, &c, 1) > 0) ; return 0; }\n' >twice.c
gcc -O1 -g -no-pie -o twice twice.c
hold "$ldr" run --watch-writes again ./twice; await; sleep 0.2
contains "--writers: a program that executes itself" "$("$ldr" pages --why=twice --writers again "$answer")" "made private by second, "
# The tracepoints that tell writing from reading are found below tracefs, which not every machine mounts.
kind=write
[ -e /sys/kernel/tracing/events/exceptions ] || [ -e /sys/kernel/debug/tracing/events/exceptions ] || kind=last_fault
equal "--writers: kinds, as root" "$(get "{w['kind'] for p in r['pages'] for w in p['writers'] if p['copies_write']}")" "{'$kind'}"
kill -TERM "$watcher"; found=0; wait "$watcher" || found=$?
kept=()
for pid in "${held[@]}"; do [ "$pid" = "$watcher" ] || kept+=("$pid"); done
held=("${kept[@]}")
equal "--watch-writes: a signal goes on to the program, and the watcher ends as it did" "$found" 143
pids=(); start ./opener ./whole.so subject_first
found=0; "$ldr" pages --why=whole.so --writers record "${pids[@]}" >out 2>err || found=$?
contains "--writers of a process that has ended: status, said" "$found $(cat err)" "which has ended"
echo nonsense >record
found=0; "$ldr" pages --why=whole.so --writers record "${pids[@]}" >out 2>err || found=$?
contains "--writers of another file" "$found $(cat err)" "3 ldr pages: record: not a record"
rm -f record; chmod 777 .
if [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 2 ]; then
    pids=(); start "${user[@]}" "$ldr" run --watch-writes record ./opener ./whole.so subject_first
    sleep 0.3
    "${user[@]}" "$ldr" pages --why=whole.so --writers record --json "${pids[@]}" >report 2>err
    watched "--writers, ordinary user"
    equal "--writers: kinds, as ordinary user" "$(get "{w['kind'] for p in r['pages'] for w in p['writers'] if p['copies_write']}")" "{'last_fault'}"
else
    skip "--writers as an ordinary user" "perf_event_paranoid is above 2"
fi

# ---- what is missing is said, and what is known then ----
cat >kernel.c <<'C'
/* a page that the program writes, and one that the kernel writes for it */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
char table[4 * 4096] __attribute__((aligned(4096))) = { 1 };
int main(void) {
    char c;
    table[100] = 5;
    if (read(open("/dev/urandom", O_RDONLY), table + 2 * 4096, 4096) != 4096) return 1;
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    while (read(0, &c, 1) > 0) ;
}
C
gcc -O1 -g -no-pie -o kernel kernel.c
first=$((0x$(nm kernel | awk '$3 == "table" { print $1 }')))
# kinds NAME COMMAND...: who made the first and the third page of the table private, as a record says that COMMAND has ldr make
kinds() {
    rm -f record start.err
    hold "${@:2}" "$ldr" run --watch-writes record ./kernel; await
    sleep 0.3
    "$ldr" pages --why=kernel --writers record --json "$answer" >report 2>err
    cp "$work/held.err" start.err; : >"$work/held.err"
    head -n 1 record | cut -d' ' -f5 >seen
    equal "$1" "$(cat seen) $(get "[w['kind'] for a in ($first, $first + 8192) for p in r['pages'] if p['vaddr'] == a for w in p['writers']]")" "${expected:-}"
    "$ldr" pages --why=kernel --writers record "$answer" >text 2>/dev/null
}
cat >untraced <<'S'
for folder in /sys/kernel/tracing /sys/kernel/debug/tracing /sys/kernel/debug; do while umount "$folder" 2>/dev/null; do :; done; done
exec "$@"
S
: >"$work/held.err"
if [ "$kind" = write ]; then
    expected="writes ['write', 'system_call']" kinds "all is there"
    equal "all is there: nothing is said" "$(cat start.err)" ""
else
    skip "all is there" "no tracefs"
fi
if unshare -m true 2>/dev/null; then
    expected="faults ['last_fault', 'last_fault_system_call']" kinds "no tracefs" unshare -m sh untraced
    contains "no tracefs: what is missing" "$(cat start.err)" "tracefs is not mounted (mount -t tracefs none /sys/kernel/tracing): recorded are faults, not whether they wrote"
    contains "no tracefs: as text" "$(cat text)" "made private by the kernel, in a system call (its last fault)"
else
    skip "no tracefs" "no mount namespace"
fi
paranoid=$(cat /proc/sys/kernel/perf_event_paranoid)
if [ "$paranoid" = 2 ]; then
    chmod 777 .
    expected="user-faults ['last_fault', 'unseen']" kinds "an ordinary user" "${user[@]}"
    missing="may not be read"
    mountpoint -q /sys/kernel/tracing || missing="tracefs is not mounted"
    contains "an ordinary user: what is missing" "$(cat start.err)" "$missing"
    contains "an ordinary user: what is not seen" "$(cat start.err)" "what the kernel writes for it in system calls is not seen (perf_event_paranoid is 2; needs CAP_PERFMON, or at most 1)"
    contains "an ordinary user: as text" "$(cat text)" "made private by the linker, in advance, or the kernel, in a system call (not recorded)"
    sed '1s/ user-faults$//' record >older
    equal "a record that does not tell what it saw" "$("$ldr" pages --why=kernel --writers older --json "$answer" | grep -c '"unseen"')" "$(grep -c '"unseen"' report)"
else
    skip "first writers as an ordinary user" "perf_event_paranoid is $paranoid, not 2"
fi
if command -v strace >/dev/null; then
    refuse() { found=0; strace -f -o /dev/null -e trace=perf_event_open -e "inject=perf_event_open:error=$1" "$ldr" run --watch-writes refused touch started 2>err || found=$?; }
    refuse EACCES
    contains "no perf events: said, status, not started" "$found $([ -e started ] && echo started) $(cat err)" \
        "125  ldr run: page faults cannot be watched, and the program was not started: perf_event_open: Permission denied (perf_event_paranoid is $paranoid; needs CAP_PERFMON"
    refuse ENOSYS
    contains "a kernel without: said" "$found $(cat err)" "125 ldr run: page faults cannot be watched, and the program was not started: perf_event_open: Function not implemented"
else
    skip "no perf events" "no strace"
fi

# damaged debug information of a library that runs: the report stands, with the next best names
for seed in 1 2 3 4 5 6; do
    python3 - whole.so damaged.so $seed <<'P'
import random, re, subprocess, sys
random.seed(int(sys.argv[3]))
data = bytearray(open(sys.argv[1], "rb").read())
for line in subprocess.run(["readelf", "-SW", sys.argv[1]], capture_output=True, text=True).stdout.splitlines():
    f = re.match(r" *\[ *\d+\] (\.debug_\S+|\.symtab) +\S+ +[0-9a-f]{16} ([0-9a-f]+) ([0-9a-f]+) ", line)
    for _ in range(20 if f else 0):
        data[int(f[2], 16) + random.randrange(int(f[3], 16))] = random.choice((0, 0xff, 0x80, random.randrange(256)))
open(sys.argv[2], "wb").write(data)
P
    pids=(); start ./opener ./damaged.so subject_first
    found=0; timeout 60 "$ldr" pages --why=damaged.so --json "${pids[@]}" >report 2>err || found=$?
    equal "damaged debug information $seed: status, pages" "$found $(get "len(r['pages'])")" "0 13"
    if [ -x "$build/tests/tools/ldr-sanitized" ]; then
        found=0; timeout 60 "$build/tests/tools/ldr-sanitized" pages --why=damaged.so --json "${pids[@]}" >report 2>err || found=$?
        equal "damaged debug information $seed, with sanitizers: status, pages" "$found $(get "len(r['pages'])")" "0 13"
    fi
    mv damaged.so "damaged$seed.so"
done
if [ -x "$build/tests/tools/ldr-sanitized" ]; then
    pids=(); start ./opener ./whole.so subject_first
    for part in "" :.data :0x9000; do
        found=0; "$build/tests/tools/ldr-sanitized" pages --why="whole.so$part" "${pids[@]}" >out 2>err || found=$?
        equal "whole.so$part as text, with sanitizers: status, stderr" "$found $(cat err)" "0 "
    done
else
    skip "with sanitizers" "build/tests/tools/ldr-sanitized is not built"
fi

pids=(); start ./opener ./whole.so subject_first
for page in 0x900000 0xfffffffffffff000; do
    found=0; "$ldr" pages --why="whole.so:$page" "${pids[@]}" >out 2>err || found=$?
    contains "a page beyond the object: status, said" "$found $(cat out err)" "4 ldr pages: $work/whole.so has no page at $page"
done

# ---- relocated pages of the distribution's libraries, and what they write ----
unset LDR_DEBUG_DIR
real() { # NAME LIBRARY [FUNCTION [PRELOADED...]]
    local name=$1 library=$2 function=${3:-}
    [ -r "$library" ] || { skip "$name" "$library is not installed"; return; }
    pids=()
    for _ in 1 2 3; do start "$ldr" run ./opener "$library" ${function:+"$function"}; done
    found=0; "$ldr" pages --why="$(realpath "$library")" --json "${pids[@]}" >report 2>err || found=$?
    equal "$name: status, stderr" "$found $(cat err)" "0 "
    equal "$name: as computed" "$(told report "${pids[@]}")" ""
    equal "$name: something is told" "$(get "len(r['pages']) > 0 and len(r['variables']) > 0")" True
}
lib=/usr/lib/x86_64-linux-gnu
real "libpython with debug information" $lib/libpython3.11d.so.1.0 Py_Initialize
equal "libpython: named by" "$(get "r['names']['by']")" dwarf
equal "libpython: a member that every start writes" \
    "$(get "[(w['type'], w['piece_type'], w['processes']) for p in r['pages'] for w in p['written'] if w['name'] == 'PyLong_Type' and w['path'] == '.tp_mro']")" \
    "[('PyTypeObject', 'PyObject *', 3)]"
real "libpython" $lib/libpython3.11.so.1.0 Py_Initialize
equal "libpython: named by symbols" "$(get "r['names']['by'], {v['named_by'] for v in r['variables']} >= {'symbol'}")" "('symbol', True)"
real "libcrypto" $lib/libcrypto.so.3 OPENSSL_init_crypto
real "libstdc++" $lib/libstdc++.so.6
contains "libstdc++: C++ names" "$(get "[v['name'] for v in r['variables']]")" "vtable for std::"
real "libstdc++ with debug information" $lib/debug/libstdc++.so.6
release || echo "not ok a held program ended with status $?"
sed 's/^/note: /' counts
