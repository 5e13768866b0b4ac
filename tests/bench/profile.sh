#!/bin/sh
# profile.sh ROW [ldr|system [RUNS]] - where one row of the benchmark spends its time under one linker.
#
# Run after `make bench ROWS=ROW RUNS=3` (or a whole bench), from the top of the tree, as root or with
# perf_event_paranoid <= 0. LINKER names another linker as ours. What is printed, all of it per run:
#   1. exact: wall, cpu, faults (the benchmark's own clock), and system calls by count where strace is installed
#   2. the cpu time split: user by object, page faults by kind, system calls by name (exit_group: the tear-down of
#      the address space); they add up to the whole
#   3. functions by their own time, user and kernel apart (perf symbol tables: libc6-dbg gives the system's names)
#   4. page faults by the code that took them: by time, and counted exactly
#   5. the mappings with private pages when the program's entry point is reached
# build/bench/profile/ROW.SIDE.data keeps the samples: `perf report -i` reads them, `perf report -g caller` for paths.
#
# How: perf record of the cpu clock, 5,000 samples a second, over RUNS runs (default: enough for about 2 s). Samples
# cost time themselves, so shares are taken from them and multiplied by the exact time of unsampled runs. The clock and
# not cycles, because virtual machines often have no counters; its price is that code with interrupts off is charged to
# the instruction that turns them on again.
set -eu
row=${1:?usage: profile.sh ROW [ldr|system [RUNS]]}
side=${2:-ldr}
linker=${LINKER:-build/ld-ldr.so}
bench=build/bench/bench
out=build/bench/profile
case $side in ldr|system) ;; *) echo "profile: $side: expected ldr or system" >&2; exit 2 ;; esac
mkdir -p "$out"
data=$out/$row.$side.data
command=$($bench -o "$linker" -1 "$side" -p "$row")
# `bench -1` prints: wall us, cpu us, minor faults (medians)
measure() { $bench -o "$linker" -1 "$side" -n "$1" "$row"; }
runs=${3:-$(measure 3 | awk '{ n = int(2e6 / $2); print n < 20 ? 20 : n }')}
exact=$(measure $((runs < 50 ? runs : 50)))
cpu=$(echo "$exact" | awk '{ print $2 }')
run="$bench -o $linker -1 $side -n $runs $row"
echo "== $row under $side: $command"
echo "$exact" | awk '{ printf "   exact, per run: wall %.0f us, cpu %.0f us, %d minor faults\n", $1, $2, $3 }'
if command -v strace >/dev/null; then
    # shellcheck disable=SC2086
    strace -f -c -U calls,name -o "$out/calls" $command >/dev/null 2>&1 || true
    echo "   system calls: $(awk '$1 + 0 && $2 != "total"' "$out/calls" | sort -k1,1nr |
        awk '{ list = list sep $1 " " $2; sep = ", "; all += $1 } END { print all ": " list }')"
fi

# The benchmark's own samples are told by its process: a child keeps its name for a while, but never its number.
# shellcheck disable=SC2086
perf record -q -F 5000 -e cpu-clock -g -o "$data" sh -c 'echo $$ >"$0"; exec "$@"' "$out/pid" $run >/dev/null 2>"$out/record.log" ||
    { cat "$out/record.log" >&2; exit 1; }

# Samples to lines `TABLE count key`, then sorted and printed as shares and microseconds per run.
perf script -i "$data" -F pid,ip,sym,dso 2>/dev/null | awk -v starter="$(cat "$out/pid")" '
    function is_fault(name) { return name ~ /exc_page_fault/ }
    function fault_kind(    i) {
        for (i = 1; i <= frames && dso[i] == "kernel"; i++) {
            if (sym[i] ~ /wp_page_copy|do_wp_page/) return "copy-on-write of a page already mapped"
            if (sym[i] ~ /do_read_fault|do_fault_around|filemap_map_pages/) return "file page read, with its neighbours"
            # Compilers fold do_cow_fault and do_read_fault into do_fault: what is left there is the copy.
            if (sym[i] ~ /do_cow_fault|^do_fault/) return "copy-on-write of a file page not mapped before"
            if (sym[i] ~ /do_anonymous_page/) return "zero-filled"
        }
        return "entry, exit, search for the mapping"
    }
    function call_kind(name) {
        if (name ~ /mmap_pgoff/) return "call mmap"
        if (name ~ /^(exit_to_user|syscall_exit|syscall_enter|syscall_trace|__rcu)/) return "kernel, other"
        sub(/^(__x64_sys_|__do_sys_|__se_sys_|ksys_|do_)/, "", name)
        return "call " name
    }
    # One sample: its pid, then its frames, innermost first, then an empty line.
    function end_sample(    i, kind, self) {
        if (!frames || pid == starter) { frames = 0; return }
        all++
        self = sym[1] "  [" dso[1] "]"
        kind = dso[1] == "kernel" ? "kernel, other" : "user, " dso[1]
        # The outermost frame that says what the kernel was asked for.
        for (i = 1; i <= frames && dso[i] == "kernel"; i++) {
            if (is_fault(sym[i])) kind = "fault"
            # Named by what the system call dispatcher called: __x64_sys_read, or ksys_read where that jumped on.
            else if (sym[i] ~ /^(do_syscall_64|x64_sys_call)$/ && i > 1 && kind !~ /^call/) kind = call_kind(sym[i - 1])
            else if (sym[i] ~ /^ret_from_fork|^schedule_tail/) kind = "start of the process"
        }
        if (kind == "fault") {
            taker[i <= frames ? sym[i] "  [" dso[i] "]" : "unknown"]++
            kind = "page fault: " fault_kind()
        }
        time[kind]++
        if (dso[1] == "kernel") kernel[self]++; else user[self]++
        frames = 0
    }
    /^$/ { end_sample(); next }
    NF == 1 && frames == 0 { pid = $1; next }
    {
        frames++
        where = $NF; gsub(/[()]/, "", where)
        n = split(where, part, "/"); dso[frames] = where ~ /kernel/ ? "kernel" : part[n]
        sym[frames] = NF > 2 ? $2 : "unknown"; sub(/\+0x[0-9a-f]+$/, "", sym[frames])
    }
    END {
        end_sample()
        print 0 "\t" all "\tall"
        for (key in time) print 1 "\t" time[key] "\t" key
        for (key in user) print 2 "\t" user[key] "\t" key
        for (key in kernel) print 3 "\t" kernel[key] "\t" key
        for (key in taker) print 4 "\t" taker[key] "\t" key
    }' | sort -t "$(printf '\t')" -k1,1n -k2,2nr | awk -F '\t' -v cpu="$cpu" -v runs="$runs" '
    BEGIN { split("what the time went to|user functions, own time|kernel functions, own time|who took the page faults, time in them", title, "|") }
    $1 == 0 { all = $2; printf "   samples: %d, over %d runs\n", all, runs; next }
    $1 != table { table = $1; shown = 0; printf "\n-- %s\n", title[table] }
    shown++ < 24 && $2 >= all * 0.003 { printf "   %5.1f %%  %9.1f us  %s\n", 100 * $2 / all, cpu * $2 / all, $3 }'

# Faults counted one by one: what each hit, and the code that touched it.
# shellcheck disable=SC2086
perf record -q -e page-faults -c 1 -d -o "$data.faults" sh -c 'echo $$ >"$0"; exec "$@"' "$out/pid" \
    "$bench" -o "$linker" -1 "$side" -n 1 "$row" >/dev/null 2>"$out/record.log" || { cat "$out/record.log" >&2; exit 1; }
# Fields are told apart by the parentheses round each object: code is the last, what it hit the one before.
perf script -i "$data.faults" -F pid,addr,ip,sym,dso 2>/dev/null | awk -v starter="$(cat "$out/pid")" '
    $1 != starter {
        n = split($0, part, /[()]/)
        hit = part[2]; sub(/.*\//, "", hit)
        code = part[n - 1]; sub(/.*\//, "", code); if (code ~ /kernel/) code = "kernel"
        name = part[n - 2]; sub(/^ *[0-9a-f]+ /, "", name); sub(/ $/, "", name)
        printf "%-28s in %s  [%s]\n", hit, name, code
    }' | sort | uniq -c | sort -k1,1nr | awk '
    BEGIN { print "\n-- page faults of one run, counted: what they hit, in which function" }
    { all += $1; if (NR <= 20) print "  " $0 } END { print "   " all " in all" }'

echo
echo "-- private pages at the program's entry, by mapping"
$bench -o "$linker" -1 "$side" -P "$row"
