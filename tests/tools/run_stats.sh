#!/usr/bin/env bash
# run_stats.sh - `ldr run --stats`: sums that add up, pages as a program made for it touched them, statuses, signals, stopping, threads.
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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
extern char data[], zero[];
static void *thread(void *arg) { return arg; }
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
    return 3;
}
C
gcc -O1 -shared -fPIC -o libpages.so pages.c
# -fPIC: else the data is copied into the program
# shellcheck disable=SC2016 # for the linker
gcc -O1 -fPIC -o main main.c -L. -lpages -Wl,-rpath,'$ORIGIN' -pthread
stats() { "$ldr" run --stats-json "$1.json" ./main "${@:2}" 2>/dev/null; echo $?; }
field() { python3 -c '
import json, sys
get = lambda n: json.load(open(n + ".json"))
part = lambda n, e: next(o for o in get(n)["objects"] if o["path"] and o["path"].endswith(e))
print(eval(sys.argv[1]))' "$1"; }

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

text=$("$ldr" run --stats ./main 10 10 2>&1)
contains "text names the phases" "$text" "relocate  "
contains "text names the object" "$text" "libpages.so"
equal "a program not found" "$("$ldr" run --stats nonexistent-program 2>/dev/null; echo $?)" 127
env=$("$ldr" run --stats /usr/bin/env sleep 0 2>&1)
contains "execve of a program on another linker is said" "$env" "it became another program by execve"
equal "its pages are those of the new program" "$(grep -c '^sleep ' <<<"$env")" 1
