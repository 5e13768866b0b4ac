#!/usr/bin/env bash
# run_stats.sh - `ldr run --stats`: sums that add up, pages as a program made for it touched them, statuses, signals, stopping, threads,
# and what is told on request while the program runs on.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LDR_CACHE=off
ours=${LDR_LDSO:-$build/ld-ldr.so}
if [ "$ours" = /lib64/ld-linux-x86-64.so.2 ]; then skip "ldr run --stats" "the system's linker stands in for ours"; exit 0; fi
cd "$work" || exit 1

cat >pages.c <<'C'
/* 400 pages of data that are written only as told, and 400 of .bss */
__attribute__((aligned(4096))) char data[400 * 4096] = { 1 };
__attribute__((aligned(4096))) char zero[400 * 4096];
C
cat >main.c <<'C'
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
extern char data[], zero[];
static void *thread(void *arg) { return arg; }
static volatile int signals;
static void count(int number) { (void)number; signals++; }
/* For each line of its input 100 pages more, and a child that writes all others and stays. Any signal, and any call a signal cut short, shows in the end. */
static void serve(int pages) {
    char line;
    struct sigaction action = { .sa_handler = count };
    for (int i = 1; i < 32; i++) if (i != SIGCHLD) sigaction(i, &action, 0); /* its child may end first */
    for (;;) {
        puts("ready"); fflush(stdout);
        long got = read(0, &line, 1);
        if (got != 1) { printf("%ld %d\n", got, signals); fflush(stdout); _exit(6); }
        for (int end = pages + 100; pages < end; pages++) data[pages * 4096 + 4096 * 2] = 5;
        if (fork() == 0) { for (int i = 0; i < 390; i++) data[i * 4096 + 4096 * 2] = 6; puts("forked"); fflush(stdout); while (read(0, &line, 1) > 0); _exit(0); }
    }
}
int main(int argc, char **argv) {
    int pages = argc > 1 ? atoi(argv[1]) : 0, zeros = argc > 2 ? atoi(argv[2]) : 0;
    const char *end = argc > 3 ? argv[3] : "return";
    for (int i = 0; i < pages; i++) data[i * 4096 + 4096 * 2] = 5;
    for (int i = 0; i < zeros; i++) zero[i * 4096] = 5;
    if (strcmp(end, "thread") == 0) { pthread_t t; pthread_create(&t, 0, thread, 0); pthread_join(t, 0); }
    if (strcmp(end, "abort") == 0) { signal(SIGABRT, SIG_DFL); abort(); }
    if (strcmp(end, "_exit") == 0) _exit(9);
    if (strcmp(end, "stop") == 0) { raise(SIGSTOP); _exit(4); }
    if (strcmp(end, "usr1") == 0) { raise(SIGUSR1); }
    if (strcmp(end, "reserve") == 0) return mmap(0, 1ul << 44, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED;
    if (strcmp(end, "serve") == 0) serve(pages);
    return 3;
}
C
gcc -O1 -shared -fPIC -o libpages.so pages.c
# -fPIC: else the data is copied into the program
# shellcheck disable=SC2016 # for the linker
gcc -O1 -fPIC -o main main.c -L. -lpages -Wl,-rpath,'$ORIGIN' -pthread
stats() { "$ldr" run --stats-json "$1.json" ./main "${@:2}" 2>/dev/null; echo $?; }
answers
field() { about stats . "$1"; }

equal "the exit status is the program's" "$(stats few 10 10)" 3
equal "the same with more pages" "$(stats many 110 310)" 3
equal "100 more pages of data written: 100 more private copies" "$(field 'part("many", "libpages.so")["pages_private"] - part("few", "libpages.so")["pages_private"]')" 100
equal "300 more pages of .bss and 100 of data: present" "$(field 'part("many", "libpages.so")["pages_present"] - part("few", "libpages.so")["pages_present"] in range(300, 401)')" True
equal "faults of the phases and of before add up to the process's" "$(field '[n for n in ("few", "many") if get(n)["minor_faults"] != get(n)["before_minor_faults"] + sum(p["minor_faults"] for p in get(n)["phases"])]')" "[]"
equal "more faults for more pages, while running" "$(field '(lambda f: f("many") - f("few") >= 300)(lambda n: next(p for p in get(n)["phases"] if p["phase"] == "running")["minor_faults"])')" True
equal "times add up to the wall time within 5 %" "$(field '[n for n in ("few", "many") if abs(get(n)["before_ns"] + get(n)["after_ns"] + sum(p["duration_ns"] for p in get(n)["phases"]) - get(n)["wall_ns"]) > get(n)["wall_ns"] / 20]')" "[]"
equal "libpages.so is mapped as readelf says" "$(field 'part("few", "libpages.so")["pages_mapped"] >= 800')" True
equal "all phases are there" "$(field '[p["phase"] for p in get("few")["phases"]]')" "['load', 'link', 'relocate', 'protect', 'constructors', 'running', 'finish']"
equal "_exit" "$(stats exit 5 5 _exit) $(field 'get("exit")["pages_known"]')" "9 True"
equal "a signal" "$(stats abort 5 5 abort) $(field 'get("abort")["pages_known"]')" "134 True"
equal "a signal that ends it by default" "$(stats usr1 5 5 usr1)" 138
equal "threads" "$(stats thread 5 5 thread) $(field 'get("thread")["pages_known"]')" "3 True"

"$ldr" run --stats-json stop.json ./main 1 1 stop & pid=$!
for _ in $(seq 100); do
    child=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
    child=${child%% *}
    state=$([ -n "$child" ] && awk '{ sub(/.*\) /, ""); print $1 }' "/proc/$child/stat" 2>/dev/null)
    case $state in T | t) break ;; esac
    sleep 0.05
done
case ${state:-} in T | t) echo "ok a stopped program stays stopped" ;; *) echo "not ok a stopped program stays stopped: state ${state:-none}" ;; esac
kill -CONT "$child"
wait $pid
equal "and goes on when continued" $? 4

"$ldr" run --stats sh -c 'echo up; exec sleep 50' >up 2>err & pid=$!
until [ -s up ]; do sleep 0.05; done
record=$(tr '\0' '\n' <"/proc/$(cat /proc/$pid/task/$pid/children | tr -d ' ')/environ" | sed -n 's/^LDR_TRACE=//p')
equal "a record is there while it runs" "$([ -e "$record" ] && echo yes)" yes
{ kill $pid; wait $pid; } 2>/dev/null
equal "SIGTERM ends the program, and its status is told" $? 143
contains "and its phases" "$(cat err)" "running"
equal "no record is left" "$([ -e "$record" ] || echo gone)" gone
"$ldr" run --stats sh -c 'sleep 0.2; exit 5' 2>&1 | true
equal "nobody reads the report: the status is the program's" "${PIPESTATUS[0]}" 5

equal "16 TiB reserved: the look takes no minutes" "$(timeout 20 "$ldr" run --stats-json reserve.json ./main 0 0 reserve; echo $?) $(field 'get("reserve")["objects"][-1]["pages_mapped"] >> 32')" "0 1"

# On request: SIGUSR1 to ldr. What the file held before is replaced at once, by a whole report.
asked() {
    rm -f now.json
    kill -USR1 "$pid"
    for _ in $(seq 200); do [ -s now.json ] && break; sleep 0.05; done
    cp now.json "$1.json"
}
mkfifo in out
"$ldr" run --stats --stats-json now.json ./main 10 10 serve <in >out 2>err & pid=$!
exec 6>in 7<out
up() { local words=() word; for _ in $1; do read -r -t 30 word <&7; words+=("$word"); done; equal "the program that serves says $1" "$(printf '%s\n' "${words[@]}" | sort | tr '\n' ' ')" "$1 "; }
up ready
child=$(tr -d ' ' <"/proc/$pid/task/$pid/children")
asked one
echo -n x >&6
up "forked ready"
asked two
for _ in $(seq 50); do kill -USR1 "$pid"; done
asked three
equal "on request: it runs" "$(field '[get(n)["running"] for n in ("one", "two", "three")]') $(field '[get("one")[k] for k in ("pid", "pages_known", "after_ns")]')" "[True, True, True] [$child, True, 0]"
equal "100 pages written between two requests, a child's own not counted" "$(field 'part("two", "libpages.so")["pages_private"] - part("one", "libpages.so")["pages_private"]')" 100
equal "nothing written: nothing more" "$(field 'part("three", "libpages.so")["pages_private"] - part("two", "libpages.so")["pages_private"]')" 0
equal "so far: faults add up" "$(field '[n for n in ("one", "two", "three") if get(n)["minor_faults"] != get(n)["before_minor_faults"] + sum(p["minor_faults"] for p in get(n)["phases"])]')" "[]"
equal "so far: times add up" "$(field '[n for n in ("one", "two", "three") if abs(get(n)["before_ns"] + sum(p["duration_ns"] for p in get(n)["phases"]) - get(n)["wall_ns"]) > get(n)["wall_ns"] / 20]')" "[]"
equal "so far: the phase it is in is the last" "$(field 'get("one")["phases"][-1]["phase"]')" running
exec 6>&-
read -r -t 30 line <&7
equal "the program got no signal, no call was cut short" "$line" "0 0"
{ wait $pid; } 2>/dev/null
equal "and its status is told" $? 6
exec 7<&-
equal "the end replaces what was told meanwhile" "$(field '[get("now")["running"], part("now", "libpages.so")["pages_private"] - part("three", "libpages.so")["pages_private"]]')" "[False, 0]"
contains "as text: so far" "$(cat err)" " so far, "
contains "as text: now" "$(cat err)" "object, pages of 4 KiB now"
equal "as text: one report at the end" "$(grep -c 'pages of 4 KiB at the end' err)" 1

cat >asker.sh <<'S'
"$LDR" run --stats sh -c 'exit 5' 2>/dev/null & pid=$!
until [ -s "/proc/$pid/task/$pid/children" ]; do kill -0 $pid 2>/dev/null || break; done
while kill -USR1 $pid 2>/dev/null; do :; done
wait $pid; echo $?
S
equal "asked without pause until it has ended: the status is the program's" "$(for _ in 1 2 3 4 5; do bash asker.sh 2>/dev/null; done | sort -u)" 5
signals_of() { "$@" grep -E '^(SigBlk|SigIgn|SigCgt)' /proc/self/status 2>/dev/null; }
equal "the program's mask and dispositions are those without" "$(signals_of "$ldr" run --stats)" "$(signals_of "$ldr" run)"
contains "--stats and --watch-writes exclude each other" "$("$ldr" run --stats --watch-writes w.txt ./main 2>&1)" "cannot be given together"

text=$("$ldr" run --stats ./main 10 10 2>&1)
contains "text names the phases" "$text" "relocate  "
contains "text names the object" "$text" "libpages.so"
equal "a program not found" "$("$ldr" run --stats nonexistent-program 2>/dev/null; echo $?)" 127
env=$("$ldr" run --stats /usr/bin/env sleep 0 2>&1)
contains "execve of a program on another linker is said" "$env" "it became another program by execve"
equal "its pages are those of the new program" "$(grep -c '^sleep ' <<<"$env")" 1

# A file that may be written in a folder that may not; a file with two names.
mkdir -p locked; echo old >locked/stats.json; echo old >name.json; ln name.json other.json
chmod 755 . locked; chmod 666 locked/stats.json
if [ "$(id -u)" = 0 ]; then
    LDR_CACHE=off setpriv --reuid 65534 --regid 65534 --clear-groups "$ldr" run --stats-json locked/stats.json /bin/true 2>err
    equal "a file in a folder that may not be written to is written" "$(head -c 1 locked/stats.json)$(cat err)" "{"
else
    skip "a file in a folder that may not be written to" "needs root"
fi
"$ldr" run --stats-json name.json /bin/true
equal "both names of a file have it" "$(head -c 1 name.json)$(cmp name.json other.json 2>&1)" "{"
ignoring() { python3 -c 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])' "$@" 2>/dev/null; echo $?; }
equal "SIGCHLD ignored: the program's status" "$(ignoring "$ldr" run --stats sh -c 'exit 3') $(ignoring "$ldr" trace -- sh -c 'exit 3' | tail -1)" "3 3"
ignored=$(python3 -c 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])' "$ldr" run --stats sed -n 's/^SigIgn:[^0-9a-f]*//p' /proc/self/status 2>/dev/null)
equal "SIGCHLD ignored: the program finds it ignored" "$((0x${ignored:-0} >> 16 & 1))" 1
