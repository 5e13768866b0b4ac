#!/usr/bin/env bash
# `ldr pages` where page tables may not be read and smaps may: what it says is what page tables say, as far as it says it, and never exact.
# Such is a tracer without the right to pass file modes (pagemap has mode 0400, smaps 0444), and a system that has no pagemap.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
if [ "$(id -u)" != 0 ]; then skip "smaps instead of page tables" "not root"; exit 0; fi
top=$(cd "$here/../.." && pwd)
answers
get() { about report "$work/report" "$1"; }
cp "$ldr" "$work/ldr" # where another user may execute it
user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
tracer=(setpriv --reuid 65533 --regid 65533 --clear-groups --inh-caps +sys_ptrace --ambient-caps +sys_ptrace)
# 300 pages of a file copied, 500 of memory, half of both inherited by a child that goes on holding them
cat >"$work/holder.py" <<'P'
import mmap, os, sys
f = open(sys.argv[1], "rb")
m = mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
for i in range(300): m[i << 12] = 1
a = mmap.mmap(-1, 500 << 12, flags=mmap.MAP_PRIVATE)
for i in range(500): a[i << 12] = 1
child = os.fork()
if child == 0: sys.stdin.read(); os._exit(0)
print("ready", os.getpid(), child, flush=True); sys.stdin.read()
P
head -c $((400 << 12)) /dev/urandom >"$work/plain"
chmod 644 "$work/holder.py" "$work/plain"
hold "${user[@]}" /usr/bin/python3 "$work/holder.py" "$work/plain"; await; both=$answer
sleep 0.2 # the child waits for its input

smaps() { found=0; "${tracer[@]}" "$work/ldr" pages "$@" >"$work/report" 2>"$work/err" || found=$?; }
truth() { "$ldr" pages --json "$@" >"$work/truth" 2>/dev/null; }
# Each object, as both know it: what is mapped, own copies, in swap. Of .bss in a mapping without a file smaps does not know whose it is.
agree() {
    python3 - "$work/report" "$work/truth" <<P
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:])
known = lambda d, own: sorted((o["path"], o["processes"], *(sum(n(s) for s in o["segments"] if s["segment"] != ".bss")
    for n in (lambda s: s["pages_mapped"], own, lambda s: s["pages_swapped"]))) for o in d["objects"] if o["kind"] in ("elf", "file"))
# a copy is one for each process there, also when both still have the one that fork left them
copies = lambda s: s["pages_mapped"] - sum(s["classes"][c] for c in ("file_shared", "file_alone", "image_shared", "image_alone"))
x, y = known(a, lambda s: s["pages_anonymous"]), known(b, copies)
print(x == y and len(x) > 3 and sum(o[3] for o in x) > 300 or [p for p in zip(x, y) if p[0] != p[1]])
P
}
# shellcheck disable=SC2086 # two PIDs
{
smaps --json $both; truth $both
equal "a tracer: approximate" "$found $(get "(r['schema'], r['method'], r['exact'], r['unreadable'], r['left_out'])")" "3 ('ldr-pages-smaps', 'smaps', False, 0, [])"
equal "a tracer: mapped, copied and swapped pages of every object as page tables tell" "$(agree)" True
equal "who shares what is null, not 0" "$(get "[r['totals'][k] for k in ('frames', 'frames_shared', 'page_copies_avoided', 'pages_private_relocation')]")" "[None, None, None, None]"
contains "a tracer: said" "$(cat "$work/err")" "approximate: page tables may not be read"
/usr/bin/python3 "$here/views_check.py" schema "$work/report" "$top/tools/views/ldr-pages-smaps.schema.json"
equal "sums add up: processes, objects, segments" "$(get "[all(sum(x[k] for x in r['processes']) == r['totals'][k] == sum(x[k] for x in r['objects']) == sum(s[k] for x in r['objects'] for s in x['segments'])
    for k in ('pages_mapped', 'pages_anonymous', 'pages_swapped', 'smaps_shared_pages', 'smaps_private_pages', 'smaps_proportional_kib'))]")" "[True]"

smaps --json --scope all $both; truth --scope all $both
equal "every mapping: likewise" "$(agree)" True
equal "every mapping: 300 copied pages of each" "$(get "[(p['pages_anonymous'], p['processes']) for p in r['objects'] if p['path'].endswith('/plain')]")" "[(600, 2)]"
equal "every mapping: the kernel's RSS" "$(get "[p['pages_mapped'] == p['rss_pages'] for p in r['processes']]")" "[True, True]"

smaps $both
equal "text: status" "$found" 3
contains "text: method" "$(cat "$work/report")" "method: smaps (/proc/PID/smaps), 1 reading, approximate"
equal "text: no word of shared frames" "$(grep -cE 'avoided|saved' "$work/report")" 0
smaps --why $both
equal "--why: no answer, status 4" "$found" 4
contains "--why: said" "$(cat "$work/err")" "has an answer only for the table and for --json"
smaps --record "$work/record" $both
equal "--record: nothing is recorded" "$found $([ -e "$work/record" ] || echo none)" "4 none"
hold setpriv --reuid 65533 --regid 65533 --clear-groups /usr/bin/python3 "$work/holder.py" "$work/plain"; await
smaps --json $answer $both
equal "beside a process whose page tables may be read: these alone, and the others left out" \
    "$found $(get "(r['schema'], r['method'], r['totals']['processes'], r['unreadable'])")" "3 ('ldr-pages', 'file-identity', 2, 2)"
contains "beside such: what can be done" "$(cat "$work/err")" "smaps of 2 of these can be read"
found=0; "${user[@]}" "$work/ldr" pages 1 >"$work/report" 2>"$work/err" || found=$?
equal "neither page tables nor smaps: status 4" "$found $(grep -c smaps "$work/err")" "4 0"

# A system without pagemap.
if command -v strace >/dev/null; then
    found=0; strace -f -o /dev/null -P pagemap -e trace=openat -e inject=openat:error=ENOENT "$ldr" pages --json $both >"$work/report" 2>"$work/err" || found=$?
    truth $both
    equal "no pagemap at all: from smaps" "$found $(get "(r['method'], r['vanished'], r['unreadable'])")" "3 ('smaps', 0, 0)"
    equal "no pagemap at all: as page tables tell" "$(agree)" True
else
    skip "no pagemap at all" "no strace"
fi
}
release
