#!/usr/bin/env bash
# What could be won, and what images of the cache save: by construction (sharer.c; the same library as several files; processes with equal
# addresses and without), and against the oracle, which compares the bytes themselves.
# libpattern.so: 16 pages of code, 8 of constants, 4 of RELRO (a pointer on each), 8 of data.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
if [ "$(id -u)" != 0 ]; then
    skip "pages_won" "not root"
    exit 0
fi

export LDR_CACHE_DIR=$work/cache
mkdir -m 700 "$work/cache"
cp "$build/tests/tools/libpattern.so" "$build/tests/tools/sharer" "$build/tests/tools/opener" "$work"
cd "$work" || exit 1
library=$work/libpattern.so
python3() { /usr/bin/python3 "$@"; } # not a wrapper: it is started often
answers
get() { about report "$work/report" "$1"; }
pids=()
# up COMMAND...: one process more, up and waiting
up() {
    hold "$@"
    await
    # shellcheck disable=SC2206 # two numbers when it has a child
    pids+=($answer)
}
fixed=(setarch -R env LDR_CACHE=off "$ldr" run) # at the same addresses each time
# report NAME: of all that are up; the oracle must say the same
report() {
    local found=0
    "$ldr" pages --json "${pids[@]}" >report 2>err || found=$?
    equal "$1: status, stderr" "$found $(cat err)" "0 "
    python3 "$here/oracle.py" "${pids[@]}" >oracle && equal "$1: oracle" "$(python3 "$here/compare.py" report oracle)" ""
    equal "$1: adds up" "$(get "[k for k in ('pages_won_relocated', 'pages_won_duplicates', 'page_copies_avoided_images') if not
        r['totals'][k] == sum(o[k] for o in r['objects']) == sum(s[k] for o in r['objects'] for s in o['segments'])]")" "[]"
    equal "$1: savings, in pages and bytes" "$(get "[(k, s) for k, t in (('now', 'page_copies_avoided'), ('now_by_images', 'page_copies_avoided_images'),
        ('if_relocated_shared', 'pages_won_relocated'), ('if_duplicates_one', 'pages_won_duplicates')) for s in [r['savings'][k]]
        if (s['pages'], s['bytes']) != (r['totals'][t], r['totals'][t] * 4096)]")" "[]"
}
# won WHAT SEGMENT: of libpattern.so
won() { get "[x['pages_won_$1'] for x in o('/libpattern.so')['segments'] if x['segment'] == '$2']"; }
done_with() { release || echo "not ok a held program ended with status $?"; pids=(); }

# ---- relocated pages with equal content ----
for _ in 1 2 3; do up "${fixed[@]}" ./sharer "$library" code=0-3 relro=0-3 data=0-7 write=0-1; done
report "equal addresses"
# four pages of RELRO, three copies each of equal bytes; of what was written nothing is said
equal "equal addresses: RELRO" "$(won relocated RELRO)" "[8]"
equal "equal addresses: data" "$(won relocated data)" "[0]"
text=$("$ldr" pages --why "${pids[@]}")
contains "equal addresses: text" "$text" "could be won: $(get "r['totals']['pages_won_relocated']") pages, "
contains "equal addresses: text names objects" "$text" "if relocated pages with equal content were shared ("
contains "equal addresses: libpattern.so is named" "$text" "libpattern.so 8"
equal "equal addresses: column" "$("$ldr" pages --columns sharable --segments --top 0 "${pids[@]}" | awk '$1 == "libpattern.so" { on = 1 } on && $1 == "RELRO" { print $2; exit }')" 8
contains "without --why: what would tell" "$("$ldr" pages "${pids[@]}")" "--why tells what made them so, and what could be won"
contains "--why=OBJECT: text" "$("$ldr" pages --why=libpattern.so:.data.rel.ro "${pids[@]}")" "8 copies, 0.0 MiB, if relocated pages with equal content were shared"
"$ldr" pages --why=libpattern.so --json "${pids[@]}" >why
equal "--why=OBJECT: of each page, and in sum" "$(python3 -c 'import json; r = json.load(open("why"))
print([p["copies_won_relocated_shared"] for p in sorted(r["pages"], key=lambda p: p["vaddr"])], r["savings"]["copies_won_relocated_shared"])')" "[2, 2, 2, 2, 0, 0] 8"

# three more: two under the system's linker, at addresses of their own but equal ones, one at random ones
for _ in 1 2; do up setarch -R ./sharer "$library" relro=0-3; done
up env LDR_CACHE=off "$ldr" run ./sharer "$library" relro=0-3
report "two contents, and one alone"
equal "two contents, and one alone: RELRO, 4 * (2 + 1)" "$(won relocated RELRO)" "[12]"
done_with

for _ in 1 2 3; do up env LDR_CACHE=off "$ldr" run ./sharer "$library" relro=0-3; done
report "random addresses"
equal "random addresses: RELRO" "$(won relocated RELRO)" "[0]"
contains "random addresses: said" "$("$ldr" pages --why "${pids[@]}")" "could be won: nothing by sharing relocated pages: no two processes"
done_with

# what fork left shared is one copy already; a second process at the same addresses has another
up "${fixed[@]}" ./sharer "$library" relro=0-3 fork
report "fork: shared already"
equal "fork: shared already" "$(won relocated RELRO)" "[0]"
done_with

# the user's own memory, and file identity instead of frame numbers: the same sums
user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
for _ in 1 2; do up "${user[@]}" "${fixed[@]}" ./sharer "$library" relro=0-3; done
report "ordinary user, seen by root"
cp report root
"${user[@]}" "$ldr" pages --json "${pids[@]}" >report 2>err
equal "ordinary user: the same savings" "$(get "r['method'], r['savings'] == __import__('json').load(open('root'))['savings'], r['savings']['if_relocated_shared']['pages'] >= 4")" \
    "('file-identity', True, True)"
caps=+perfmon,+dac_read_search
limited=(setpriv --reuid 65533 --regid 65533 --clear-groups "--inh-caps=$caps" "--ambient-caps=$caps")
if "${limited[@]}" head -c 8 "/proc/${pids[0]}/pagemap" >/dev/null 2>&1; then
    found=0; "${limited[@]}" "$ldr" pages --why "${pids[@]}" >out 2>err || found=$?
    equal "no memory to read: status" "$found" 3
    contains "no memory to read: said" "$(cat err)" "ldr pages: 2 processes whose memory may not be read (needs CAP_SYS_PTRACE"
    equal "no memory to read: nothing is claimed to be won" "$(grep -c 'could be won' out)" 0
else
    skip "no memory to read" "CAP_PERFMON does not open page tables here"
fi
done_with

# ---- files that are there twice ----
mkdir twice thrice changed hard
cp "$library" twice/; cp "$library" thrice/; cp "$library" changed/; ln "$library" hard/
equal "the library has a build-id" "$(readelf -n "$library" | grep -c 'Build ID')" 1
start=$((16#$(readelf -sW "$library" | awk '$8 == "pattern_code" { print $2; exit }')))
printf '\x90' | dd of=changed/libpattern.so bs=1 seek=$((start + 100)) conv=notrunc 2>dd.err
up ./sharer "$work/hard/libpattern.so" code=0-15 # read first, as a rule; the file has its shorter name all the same
up env LDR_CACHE=off "$ldr" run ./sharer "$library" code=0-15 const=0-7
up env LDR_CACHE=off "$ldr" run ./sharer "$work/twice/libpattern.so" code=4-9 data=2-3
report "the same file twice"
# pages 4 to 9 of code stand in two files; a hard link is no second file; the constants and data of one are not mapped of the other
equal "the same file twice: pages, of the one less mapped" "$(get "[(x['path'].split('/')[-2], x['pages_won_duplicates']) for x in r['objects'] if x['pages_won_duplicates']]")" "[('twice', 6)]"
equal "the same file twice: named" "$(get "[(s['pages'], s['bytes'], [(f['path'].split('/')[-2], f['processes']) for f in s['files']]) for s in r['savings']['if_duplicates_one']['sets']]")" \
    "[(6, 24576, [('$(basename "$work")', 2), ('twice', 1)])]"
equal "the same file twice: build-id" "$(get "{f['build_id'] for s in r['savings']['if_duplicates_one']['sets'] for f in s['files']}")" \
    "{'$(readelf -n "$library" | sed -n 's/.*Build ID: //p')'}"
text=$("$ldr" pages "${pids[@]}")
contains "the same file twice: text" "$text" "could be won: 6 pages, 0.0 MiB, if files of the same build-id were one file"
contains "the same file twice: text names them" "$text" "  6 of $work/libpattern.so, $work/twice/libpattern.so"
up ./sharer "$work/thrice/libpattern.so" code=8-11
up ./sharer "$work/changed/libpattern.so" code=0-1
report "the same file three times, and one that differs"
# 4-7 in two files, 8 and 9 in three, 10 and 11 in two; of the changed file page 0 is another, page 1 the same
equal "three times, and one that differs: code" "$(get "sorted((x['path'].split('/')[-2], x['pages_won_duplicates']) for x in r['objects'] if x['pages_won_duplicates'])")" \
    "[('changed', 1), ('thrice', 4), ('twice', 6)]"
done_with

# ---- names that lead nowhere here: of a mount namespace of somebody's own, and one that was removed ----
ln "$library" gone
up ./sharer "$work/gone" code=0-3
up ./sharer "$library" code=0-3
rm gone
# shellcheck disable=SC2016 # for the shell in the namespace
up unshare -m sh -c 'mount -t tmpfs none /mnt && touch /mnt/a && mount --bind "$0" /mnt/a && exec ./sharer /mnt/a code=0-3' "$library"
up ./sharer "$library" code=0-3
report "names that lead nowhere here"
equal "names that lead nowhere here: the one that does is told" "$(get "[x['path'] for x in r['objects'] if x['path'].split()[0].split('/')[-1] in ('libpattern.so', 'gone', 'a')]")" "['$library']"
done_with

gcc -O1 -shared -fPIC -Wl,-z,now,-z,relro,-z,separate-code,--build-id=none -o twice/libpattern.so "$here/pattern.c"
cp twice/libpattern.so thrice/
for folder in twice thrice; do up ./sharer "$work/$folder/libpattern.so" code=0-3; done
report "no build-id"
equal "no build-id: nothing is said of these" "$(get "[f['path'] for s in r['savings']['if_duplicates_one']['sets'] for f in s['files'] if 'pattern' in f['path']]")" "[]"
done_with

# ---- images: pages of the cache are pages of their objects ----
printf 'int one, *table[2000] = { [0 ... 1999] = &one }; int main(void) { return one; }\n' >big.c
gcc -O1 -shared -fPIC -Wl,-z,now -Dmain=big -o libbig.so big.c
printf '#include <stdio.h>\n#include <unistd.h>\nint big(void); int main(void) { char c; big(); printf("ready %%d\\n", (int)getpid()); fflush(stdout); while (read(0, &c, 1) > 0) ; return 0; }\n' >warm.c
gcc -O1 -o warm warm.c -L. -lbig -Wl,-rpath,"$work"
sleep 0.1 # younger files are not recorded
"$ldr" cache warm "$work/warm" >out 2>&1 || cat out
for _ in 1 2 3; do up env LDR_CACHE=require "$ldr" run "$work/warm"; done
report "images"
equal "images: of libbig.so, no file of the cache is an object" "$(get "(o('libbig.so')['pages_from_images'] >= 12, [x['path'] for x in r['objects'] if '/cache/' in x['path']])")" "(True, [])"
equal "images: all are RELRO or data, and have their classes" "$(get "[(x['path'], s['segment']) for x in r['objects'] for s in x['segments']
    if s['pages_from_images'] != s['classes']['image_shared'] + s['classes']['image_alone'] or s['pages_from_images'] and s['segment'] not in ('RELRO', 'data')]")" "[]"
# the table is 16,000 bytes of pointers, private in each of three processes otherwise
equal "images: the table's pages are there once" "$(get "(lambda s: (s['page_copies_avoided_images'] >= 6, 3 * (s['pages_from_images'] - s['page_copies_avoided_images']) == s['pages_from_images']))(
    [s for s in o('libbig.so')['segments'] if s['segment'] == 'data'][0])")" "(True, True)"
contains "images: text" "$("$ldr" pages "${pids[@]}")" "shared images (relocated once, for all): $(get "format(r['totals']['pages_from_images'], ',')") mapped pages of RELRO and data"
contains "images: page table" "$("$ldr" pages --pages libbig.so "${pids[@]}")" "shared image, several processes"
"$ldr" pages --json --map "${pids[@]}" >report
equal "images: page map" "$(get "sum(n * k for x in r['objects'] for s in x['segments'] for c, k, n, _ in s['map'] if c.startswith('image')) == r['totals']['pages_from_images']")" True
# the program's own .dynamic holds a pointer of this process (DT_DEBUG), so its image's page is written: nothing that can be moved
"$ldr" pages --why=warm --json "${pids[@]}" >report
equal "images: .dynamic is no variable that could be moved" "$(get "('.dynamic' in [v['section'] for v in r['variables']], [v['name'] for v in r['savings']['variables'] if v['name'].startswith('.')])")" "(True, [])"
"$ldr" pages --record before.jsonl "${pids[@]}"
done_with
for _ in 1 2 3; do up env LDR_CACHE=off "$ldr" run ./warm; done
"$ldr" pages --record after.jsonl "${pids[@]}"
contains "images: diff shows them" "$("$ldr" pages diff before.jsonl after.jsonl | tr -s ' ' | grep '^object')" " images"
done_with

# ---- an ordinary user: copies that fork left shared are no copies to be won, whoever the others are ----
printf '#include <stdio.h>\n#include <unistd.h>\nint one, *table[1000] = { [0 ... 999] = &one };\nint main(void) { fork(); fork(); char c; printf("ready %%d\\n", (int)getpid()); fflush(stdout); while (read(0, &c, 1) > 0) ; return 0; }\n' >forked.c
gcc -O1 -o forked forked.c
as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
hold "${as[@]}" ./forked
pids=()
for _ in 1 2 3 4; do await; pids+=("$answer"); done
"$ldr" pages --json "${pids[@]}" >report
root_won=$(get "r['totals']['pages_won_relocated']")
found=0; "${as[@]}" "$ldr" pages --json "${pids[@]}" >report 2>err || found=$?
equal "forked, ordinary user: no more to be won than root finds" "$found $(get "(r['totals']['pages_won_relocated'] <= $root_won, r['totals']['pages_private_unresolved'] > 0)")" "3 (True, True)"
release

# ---- files as long as they like: memory goes with what is mapped of them ----
cp libpattern.so long-a.so && cp libpattern.so long-b.so
if truncate -s 1T long-a.so long-b.so 2>/dev/null; then
    hold /usr/bin/python3 -c 'import mmap, os, sys
files = [open(name, "rb") for name in ("long-a.so", "long-b.so")]
maps = [mmap.mmap(f.fileno(), 16 << 12, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ) for f in files]
[m[i << 12] for m in maps for i in range(16)]
print("ready", os.getpid(), flush=True); sys.stdin.read()'
    await
    found=0; (ulimit -d 1000000; timeout 20 "$ldr" pages --json "$answer" >report 2>err) || found=$?
    equal "files of a terabyte: counted in little memory" "$found $(get "r['savings']['if_duplicates_one']['pages']")" "0 16"
    done_with
else
    skip "files of a terabyte" "this file system has none"
fi
rm -f long-a.so long-b.so
