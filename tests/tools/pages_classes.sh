#!/usr/bin/env bash
# `ldr pages --scope all`: every page in one class. By construction (mapper has so many pages of each class as asked for and no
# others), and for a dozen real programs against an oracle that counts from the kernel's page flags and checks itself against
# the kernel's own RSS of every single mapping.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$(id -u)" != 0 ]; then
    skip "classes of pages" "not root"
    exit 0
fi
cp "$build/tests/tools/mapper" "$work"
answers
get() { about report "$work/report" "$1"; }

# What is switched on for one check is put back, whatever happens. One run at a time on a machine, or what one puts back is what
# another switched on.
exec 7>"${TMPDIR:-/tmp}/ldr-kernel-settings.lock"
flock -w 200 7 || echo "not ok the kernel's settings are in another run's hands for 200 s"
settings=()
setting() { # FILE VALUE: false when the kernel has no such setting or does not take it
    [ -w "$1" ] || return 1
    local before
    before=$(cat "$1")
    [ "$before" = "$2" ] && return 0
    settings+=("$1 $before")
    echo "$2" >"$1" 2>/dev/null && [ "$(cat "$1")" = "$2" ]
}
swap_file=
restore() {
    local i
    if [ -n "$swap_file" ]; then swapoff "$swap_file"; fi
    cleanup
    for ((i = ${#settings[@]} - 1; i >= 0; i--)); do echo "${settings[i]#* }" >"${settings[i]%% *}"; done
}
trap restore EXIT

pids=
map_pages() { hold "$work/mapper" "$@"; await; pids="$pids $answer"; }
# report: all mappings of $pids
report() {
    local status=0
    # shellcheck disable=SC2086 # a list of PIDs
    "$ldr" pages --scope all --json $pids >"$work/report" 2>"$work/report.err" || status=$?
    [ "$status" = 0 ] || { echo "not ok status $status of ldr pages"; sed 's/^/    /' "$work/report.err"; }
}
# oracle NAME: the report must be what the oracle finds
oracle() {
    # shellcheck disable=SC2086
    equal "$1: oracle" "$(python3 "$here/oracle_all.py" "$work/report" $pids 2>&1 | sed 's/^checked .*/same/')" same
}
# classes NAME PROCESS EXPECTED: all classes but the stack and the program's own unwritten pages
classes() {
    equal "$1" "$(get "' '.join(f'{k}={v}' for k, v in r['processes'][$2]['classes'].items() if v and k not in ('stack', 'file_alone', 'file_shared'))")" "$3"
}
# of_all NAME EXPECTED: the classes of all processes, the same left out; of the stack nothing at all, not even what is inherited
of_all() {
    equal "$1" "$(get "(lambda c: ' '.join(f'{k}={v}' for k in r['totals']['classes'] for v in [c[k]] if v and k not in ('file_alone', 'file_shared')))(sum((__import__('collections').Counter(s['classes']) for o in r['objects'] for s in o['segments'] if s['segment'] != 'stack'), __import__('collections').Counter()))")" "$2"
}
done_with() { release || echo "not ok a held program ended with status $?"; pids=; }

# Not every kernel maps the zero page where memory without a file is only read: some give it a frame of its own at once.
zero_page=$(python3 -c '
import ctypes, mmap, struct
memory = mmap.mmap(-1, 8192, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory[0], memory[4096]
with open("/proc/self/pagemap", "rb") as f:
    f.seek(ctypes.addressof(ctypes.c_char.from_buffer(memory)) // 4096 * 8)
    a, b = struct.unpack("<2Q", f.read(16))
print("yes" if a == b else "no")')
[ "$zero_page" = yes ] || skip "the zero page" "this kernel gives memory that is only read frames of its own"
# here_with WITH WITHOUT: what is expected, with a zero page and without
here_with() { [ "$zero_page" = yes ] && echo "$1" || echo "$2"; }

# One process, one page or more of each. bss: one page more, where its few variables are. data: 8 pages of the block and one
# with a variable that the memory file's step writes; the first page of the block and both private pages of the memory
# file are written with what they hold.
map_pages anon=5 zero=3 heap=4 bss=6 data=3 shared=7 memfd=3 private=2
pids="$pids $$"
report
classes "each kind of memory" "[p['name'] for p in r['processes']].index('mapper')" \
    "$(here_with "shared_memory_alone=10 private_write=3 private_identical=3 bss=7 heap=4 anonymous=5 zero=3" \
        "shared_memory_alone=10 private_write=3 private_identical=3 bss=7 heap=4 anonymous=8")"
equal "fork and exec: nothing inherited" "$(get "r['totals']['classes']['fork_shared']")" 0
equal "kinds of objects" "$(get "sorted(o['kind'] + ':' + o['path'].replace(' (deleted)', '') for o in r['objects'] if o['kind'] in ('shared', 'anonymous'))")" \
    "['anonymous:[anonymous]', 'shared:/dev/zero', 'shared:/memfd:mapper']"
pids=${answer}
oracle "each kind of memory" >/dev/null
report
oracle "each kind of memory"
equal "each kind of memory: RSS" "$(get "sum(v for k, v in r['processes'][0]['classes'].items() if k != 'zero') == r['processes'][0]['rss_pages']")" True
text=$("$ldr" pages --scope all "$pids")
contains "text: classes add up to RSS" "$text" "= RSS $(get "r['processes'][0]['rss_pages']")"
done_with

# The child inherits 5 + 3 + 2 pages (of .data one of the block and the variable) and what of the stack nobody wrote since; both
# write their variables in .bss after the fork. It has the memory made to be shared as well, but no page of it in its page table
# before it touches one; nor does fork copy the page table of memory that was only read (the zero page). A second report must find what the first found: reading a page must not unshare it.
map_pages anon=5 data=1 heap=3 shared=7 memfd=2 zero=1 fork anon=2
report
of_all "fork: both processes" "$(here_with "shared_memory_alone=9 fork_shared=20 bss=2 anonymous=2 zero=1" "shared_memory_alone=9 fork_shared=22 bss=2 anonymous=2")"
equal "fork: anonymous memory of the child alone" "$(get "r['processes'][1]['classes']['anonymous']")" 2
oracle fork
cp "$work/report" "$work/first"
report
equal "fork: reporting changes nothing" "$(get "r['totals']['classes'] == __import__('json').load(open('$work/first'))['totals']['classes']")" True
done_with

# Markers in the page table are no pages, and what the kernel puts there itself is resident.
if echo | "$work/mapper" guard=1 >/dev/null; then
    map_pages guard=5 anon=2
    report
    classes "guard region: no page, nothing in swap" 0 "bss=1 anonymous=2"
    oracle "guard region"
    done_with
else
    skip "guard region" "this kernel has none (before 6.13)"
fi
if echo | "$work/mapper" protect=1 >/dev/null; then
    map_pages protect=7 anon=2
    report
    classes "protected by userfaultfd and not touched: no page" 0 "bss=1 anonymous=2"
    oracle "protected by userfaultfd"
    done_with
else
    skip "protected by userfaultfd" "not in this kernel"
fi
if echo | "$work/mapper" ring=128 aio >/dev/null; then
    map_pages ring=128 aio anon=2
    report
    equal "rings: resident, the kernel's, and nothing of a device" "$(get "[r['totals']['classes'][k] for k in ('device', 'anonymous')] + [r['totals']['classes']['inserted'] >= 3]")" "[0, 2, True]"
    equal "rings: RSS" "$(get "sum(v for k, v in r['processes'][0]['classes'].items() if k != 'zero') == r['processes'][0]['rss_pages']")" True
    oracle rings
    done_with
else
    skip rings "no io_uring or AIO here"
fi

map_pages sparse=20
report
classes "20 pages in 20 GiB" 0 "bss=1 anonymous=20"
oracle "20 pages in 20 GiB"
done_with

if ! grep -q '\[never\]' /sys/kernel/mm/transparent_hugepage/enabled; then
    map_pages huge=2 huge-zero=1 anon=1
    report
    classes "transparent huge pages" 0 "$(here_with "bss=1 anonymous=1 huge=1024 zero=512" "bss=1 anonymous=1 huge=1536")"
    oracle "transparent huge pages"
    done_with
    map_pages huge=1 fork
    report
    of_all "a huge page after fork" "fork_shared=1024 bss=2"
    oracle "a huge page after fork"
    done_with
else
    skip "transparent huge pages" "switched off here"
fi

if setting /proc/sys/vm/nr_hugepages $(($(cat /proc/sys/vm/nr_hugepages) + 2)); then
    map_pages hugetlb=2 anon=1
    report
    classes "hugetlb" 0 "bss=1 anonymous=1 hugetlb=1024"
    equal "hugetlb: not in RSS" "$(get "sum(r['processes'][0]['classes'].values()) - 1024 == r['processes'][0]['rss_pages']")" True
    oracle hugetlb
    done_with
else
    skip hugetlb "no huge pages to be had"
fi

if setting /sys/kernel/mm/ksm/run 1 && setting /sys/kernel/mm/ksm/sleep_millisecs 10; then
    map_pages merge=8
    map_pages merge=6 anon=1
    report
    classes "KSM: one process" 0 "ksm=8 bss=1"
    classes "KSM: another" 1 "ksm=6 bss=1 anonymous=1"
    oracle KSM
    done_with
    hold setpriv --reuid 65534 --regid 65534 --clear-groups "$work/mapper" merge=8
    await
    pids=$answer
    found=0
    # shellcheck disable=SC2086
    setpriv --reuid 65534 --regid 65534 --clear-groups "$ldr" pages --scope all --json $pids >"$work/report" 2>"$work/report.err" || found=$?
    equal "KSM: without privilege the merged pages cannot be told, and that is said" \
        "$found $(get "(r['exact'], r['merged_unknown'], r['totals']['classes']['ksm'], r['totals']['classes']['fork_shared'])")" "3 (False, True, 0, 8)"
    done_with
else
    skip KSM "not in this kernel"
fi

swap_file=$work/swap
if head -c 64M /dev/zero >"$swap_file" && chmod 600 "$swap_file" && mkswap "$swap_file" >/dev/null 2>&1 && swapon "$swap_file" 2>/dev/null; then
    map_pages swap=6 anon=2
    report
    classes "swapped" 0 "bss=1 anonymous=2 swapped=6"
    equal "swapped: VmSwap" "$(get "r['processes'][0]['swap_pages']")" 6
    oracle swapped
    done_with
    map_pages swap=4 fork swap=3
    report
    equal "swapped before fork: shared slots" "$(get "[(p['classes']['swapped_shared'], p['classes']['swapped']) for p in r['processes']]")" "[(4, 0), (4, 3)]"
    oracle "swapped before fork"
    done_with

    # Without frame numbers slots have no names, and a marker looks like a page in swap: said, where the process has such.
    as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    user_report() { # NAME STATUS: all mappings of $pids as an ordinary user
        local status=0
        # shellcheck disable=SC2086
        "${as[@]}" "$ldr" pages --scope all --json $pids >"$work/report" 2>"$work/report.err" || status=$?
        equal "$1" "$status" "$2"
    }
    user_pages() { hold "${as[@]}" "$work/mapper" "$@"; await; pids="$pids $answer"; }
    user_pages swap=4
    user_report "swapped, ordinary user, one process: exact" 0
    equal "swapped, ordinary user: its pages" "$(get "(r['totals']['classes']['swapped'], r['swap_unnamed'])")" "(4, 0)"
    user_pages swap=3
    user_report "swapped, ordinary user, two processes: not exact" 3
    equal "swapped, ordinary user: why" "$(get "(r['totals']['classes']['swapped'], r['exact'], r['swap_unnamed'])")" "(7, False, 7)"
    contains "swapped, ordinary user: said" "$(cat "$work/report.err")" "only frame numbers could tell"
    done_with
    if echo | "${as[@]}" "$work/mapper" protect=1 >/dev/null; then
        user_pages protect=5
        user_report "only markers, ordinary user: exact" 0
        equal "only markers, ordinary user: none is a page" "$(get "(r['totals']['classes']['swapped'], r['markers'])")" "(0, 0)"
        user_pages protect=5 swap=2
        pids=${answer}
        user_report "markers beside swapped pages, ordinary user: not exact" 3
        equal "markers beside swapped pages: why" "$(get "(r['exact'], r['markers'])")" "(False, 5)"
        done_with
    fi
else
    skip swapped "no swap file possible here"
    rm -f "$swap_file"
    swap_file=
fi

# A kernel without PAGEMAP_SCAN (before 6.7): the same pages, huge ones by their place.
if command -v strace >/dev/null; then
    map_pages anon=700 sparse=3 heap=4 huge=1 shared=5 zero=2
    report
    cp "$work/report" "$work/scan"
    # shellcheck disable=SC2086
    strace -f -o "$work/trace" -e trace=ioctl -e inject=ioctl:error=ENOTTY "$ldr" pages --scope all --json $pids >"$work/report" 2>"$work/report.err"
    equal "no PAGEMAP_SCAN: it was asked for and refused" "$(grep -q 'ENOTTY.*INJECTED' "$work/trace" && echo yes)" yes
    classes "no PAGEMAP_SCAN: classes" 0 "$(here_with "shared_memory_alone=5 bss=1 heap=4 anonymous=1215 zero=2" "shared_memory_alone=5 bss=1 heap=4 anonymous=1217")"
    equal "no PAGEMAP_SCAN: all else is the same" \
        "$(get "[k for k in r['totals'] if k != 'classes' and 'faults' not in k and r['totals'][k] != __import__('json').load(open('$work/scan'))['totals'][k]]")" "[]"
    done_with
else
    skip "no PAGEMAP_SCAN" "no strace"
fi

# A file with more program headers than the kernel would execute is data like any other, whatever it begins with; and one that is cut
# to nothing under those who map it has no page left, nor ends it the report.
python3 - "$work/headers" <<'EOF'
import struct, sys
count = 2000
head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0)
table = b"".join(struct.pack("<IIQQQQQQ", 1, 6, i * 4096, i * 4096, 0, 4096, 8192, 4096) for i in range(count))
open(sys.argv[1], "wb").write((head + table).ljust(40 * 4096, b"\0"))
EOF
map_pages file="$work/headers" file-write=3
report
equal "2,000 program headers: a data file" "$(get "[(o['kind'], o['pages_mapped'], o['pages_private_write']) for o in r['objects'] if o['path'].endswith('headers')]")" "[('file', 40, 3)]"
: >"$work/headers"
report
equal "a file cut to nothing: no page of it, and the sums hold" \
    "$(get "(sum(o['pages_mapped'] for o in r['objects'] if o['path'].endswith('headers')), sum(r['processes'][0]['classes'].values()) == r['processes'][0]['rss_pages'])")" "(0, True)"
done_with

# As many mappings as a process may have (100,000 where the limit can be raised).
many=$(($(cat /proc/sys/vm/max_map_count) - 530))
setting /proc/sys/vm/max_map_count 100500 && many=100000
map_pages many=$many
report
classes "$many mappings" 0 "bss=1 anonymous=$many"
done_with

# A program mapped at as many places: linear too. By the processor's time, which does not depend on what else runs: a tenth of a second
# where looking through all earlier places takes eighteen.
map_pages places=60000
found=0; (ulimit -t 6; "$ldr" pages --json "$answer" >"$work/report") || found=$?
equal "60,000 places of one file" "$found $(get "r['totals']['pages_mapped'] >= 28000")" "0 True"
done_with

# PR_SET_DUMPABLE 0 hides a process from its own user, not from root.
as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
hold "${as[@]}" "$work/mapper" anon=3 hidden
await
pids=$answer
report
classes "not dumpable: root" 0 "bss=1 anonymous=3"
found=0
"${as[@]}" "$ldr" pages --scope all "$pids" >"$work/out" 2>"$work/err" || found=$?
equal "not dumpable: its user" "$found" 4
contains "not dumpable: said" "$(cat "$work/err")" "CAP_SYS_ADMIN"
done_with

# An ordinary user sees the same classes of its own processes, by file identity; the partner of a fork has no name.
tmpfs=$(echo | "${as[@]}" "$work/mapper" tmpfs=1 | sed 's/ready.*/tmpfs=4/') # in the system's mount of /dev/shm
[ "$tmpfs" = tmpfs=4 ] || { skip "a deleted file of tmpfs" "no /dev/shm"; tmpfs=shared=4; }
hold "${as[@]}" "$work/mapper" anon=5 zero=3 heap=4 bss=6 data=3 shared=7 memfd=3 private=2 "$tmpfs"
await
pids=$answer
report
cp "$work/report" "$work/root"
"${as[@]}" "$ldr" pages --scope all --json "$pids" >"$work/report" 2>"$work/err"
equal "ordinary user: the classes root gets, but for copies of a file without a name" \
    "$(get "{k: (v, n) for (k, v), n in zip(__import__('json').load(open('$work/root'))['totals']['classes'].items(), r['totals']['classes'].values()) if v != n}")" \
    "{'private_identical': (3, 1), 'private_unknown': (0, 2)}"
equal "ordinary user: shared memory, deleted or not" "$(get "r['totals']['classes']['shared_memory_alone']")" 14
done_with

# Two overlay mounts over one folder: other device numbers, the same frames.
mkdir "$work"/lower "$work"/{a,b} "$work"/{a,b}/{upper,work,merged}
cp "$work/mapper" "$work/lower"
overlay() {
    # shellcheck disable=SC2016
    hold unshare -m sh -c 'mount -t overlay -o lowerdir="$1/lower,upperdir=$1/$2/upper,workdir=$1/$2/work" none "$1/$2/merged" 2>&1 && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$1/$2/merged/mapper" anon=1' sh "$work" "$1"
    if read -r -t 10 word answer <&8 && [ "$word" = ready ]; then pids="$pids $answer"; else return 1; fi
}
if overlay a && overlay b; then
    report
    equal "overlay: two objects" "$(get "sum(o['path'].endswith('mapper') for o in r['objects'])")" 2
    equal "overlay: their file pages are shared" "$(get "[p['classes']['file_alone'] for p in r['processes']]")" "[0, 0]"
    cp "$work/report" "$work/root"
    found=0
    # shellcheck disable=SC2086
    "${as[@]}" "$ldr" pages --scope all --json $pids >"$work/report" 2>"$work/report.err" || found=$?
    equal "overlay, ordinary user: not exact, and no duplicate claimed" \
        "$found $(get "(r['exact'], r['identity_unsure'], r['savings']['if_duplicates_one']['pages'])")" "3 (False, 2, 0)"
    contains "overlay, ordinary user: said" "$(cat "$work/report.err")" "2 objects with the inode and content of another"
    cp "$work/root" "$work/report"
    equal "overlay: one file under two names is no duplicate" "$(get "(r['savings']['if_duplicates_one']['pages'], [len(x['files']) for x in r['savings']['if_duplicates_one']['sets']])")" "(0, [2])"
    done_with
else
    skip overlay "no overlay mounts here: $word ${answer:-}"
    release
    pids=
fi

# Another file at the same path with the same inode number, on a file system mounted over the first.
mkdir "$work/covered"
head -c 20480 "$work/mapper" >"$work/other"
# shellcheck disable=SC2016
hold unshare -m bash -c 'cd "$1" && mount -t tmpfs one covered && cp mapper covered/file && first=$(stat -c %i covered/file) && chmod 755 covered || exit
    setpriv --reuid 65534 --regid 65534 --clear-groups ./mapper file=covered/file file-write=2 <&0 >went &
    for _ in $(seq 100); do [ -s went ] && break; sleep 0.05; done
    mount -t tmpfs two covered && cp other covered/file && [ "$(stat -c %i covered/file)" = "$first" ] && cat went && exec cat' - "$work"
if read -r -t 20 word answer <&8 && [ "$word" = ready ]; then
    pids=$answer
    found=0; "${as[@]}" "$ldr" pages --json --scope all "$pids" >"$work/report" 2>"$work/report.err" || found=$?
    equal "a file covered by another mount is not taken for the other" \
        "$found $(get "[(o['kind'], o['pages_private_unknown'], o['pages_private_write'] + o['pages_private_identical']) for o in r['objects'] if o['path'].endswith('covered/file')]")" "3 [('shared', 2, 0)]"
    report
    equal "a file covered by another mount: root reads the very file" "$(get "[(o['pages_private_unknown'], o['kind']) for o in r['objects'] if o['path'].endswith('covered/file')]")" "[(0, 'elf')]"
    done_with
else
    skip "a file covered by another mount" "no mounts here, or other inode numbers: ${word:-} ${answer:-}"
    release
    pids=
fi

# Real programs, every mapping, every number. Stopped, so that two readers one after the other see the same.
for starter in "$ldr run" ""; do
    # shellcheck disable=SC2206 # one word or two or none
    starter=($starter)
    # shellcheck disable=SC2016
    hold "${starter[@]}" /usr/bin/perl -e 'use POSIX; use Socket; $| = 1; print "ready $$\n"; <STDIN>' && await && pids="$pids $answer"
    hold "${starter[@]}" /usr/bin/python3 -c 'import ssl, sqlite3, ctypes, os, sys; os.fork() or sys.stdin.read(); print("ready", os.getpid(), flush=True); sys.stdin.read()' &&
        await && pids="$pids $answer $(pgrep -P "$answer")"
    hold "${starter[@]}" /bin/bash -c 'echo ready $$; while read -r line; do :; done' && await && pids="$pids $answer"
    hold "${starter[@]}" /usr/bin/awk 'BEGIN { print "ready", PROCINFO["pid"]; fflush(); getline }' && await && pids="$pids $!"
    hold "${starter[@]}" /usr/bin/gdb -q -batch -ex 'echo ready 0\n' -ex 'shell cat' && await && pids="$pids $!"
done
hold /usr/bin/node -e 'console.log("ready", process.pid); process.stdin.resume()' && await && pids="$pids $answer"
sleep 0.3
# shellcheck disable=SC2086
kill -STOP $pids
sleep 0.1
report
equal "real programs: a dozen and more" "$(get "r['totals']['processes'] >= 12")" True
oracle "real programs"
cp "$work/report" "$work/all"
# shellcheck disable=SC2086
"$ldr" pages --json $pids >"$work/report"
equal "real programs: scope elf is the part that the objects of kind elf are" \
    "$(get "[k for k in ('pages_mapped', 'page_copies_avoided') if r['totals'][k] != sum(s[k] for o in __import__('json').load(open('$work/all'))['objects'] if o['kind'] == 'elf' for s in o['segments'] if s['segment'] != '.bss')]")" "[]"
# shellcheck disable=SC2086
kill -CONT $pids
done_with
