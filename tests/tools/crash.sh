#!/usr/bin/env bash
# crash.sh - `ldr run --crash-report`: programs that die in known ways, each with its cause in the first three lines, its object, symbol and
# source line; and programs that do not die, which must not notice.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
ours=${LDR_LDSO:-$build/ld-ldr.so}
if [ "$ours" = /lib64/ld-linux-x86-64.so.2 ]; then skip "ldr run --crash-report" "the system's linker stands in for ours"; exit 0; fi
here=$(realpath "$here")
cp "$here"/crash/* "$work" && cd "$work" || exit 1
# shellcheck source=crash/build.sh
. ./build.sh
# shellcheck disable=SC2016 # for the linker
mkdir bad && gcc -g -O1 -shared -fPIC -DBAD_CONSTRUCTOR -o bad/libused.so library.c
g++ -g -O1 -w -o shapes shapes.cc
ulimit -S -c 0

line() { grep -n "LINE $1 \|LINE $1\$" "$2" | cut -d: -f1; }
# die CASE KIND WORDS SOURCE [SYMBOL...]: the kind for programs, words of the cause for people, the line of the comment, what the report must name
die() {
    local case=$1 kind=$2 words=$3 source=$4 program=./cases status=0 plain=0 head part
    shift 4
    case $case in constructor | virtual | throw | thrown | noexcept) program=./shapes ;; esac
    [ "$case" = constructor ] && program=./cases
    rm -f report report.json
    "$ldr" run "$program" "$case" >plain.out 2>plain.err &
    { "$ldr" run --crash-report=report --crash-report-json report.json "$program" "$case" >watched.out 2>watched.err; } 2>/dev/null || status=$?
    { wait $!; } 2>/dev/null || plain=$?
    equal "$case: status" "$status" "$plain"
    equal "$case: output" "$(cat watched.out watched.err)" "$(cat plain.out plain.err)"
    head=$(head -3 report 2>/dev/null)
    contains "$case: cause" "$head" "$words"
    [ "$case" = overwritten ] || contains "$case: object" "$(cat report)" " ${program#./} + 0x" # of that nothing leads to any object
    equal "$case: kind" "$(sed -n 's/^  "kind": "\(.*\)",$/\1/p' report.json)" "$kind"
    [ -n "$source" ] && contains "$case: source line" "$(head -6 report)" "$source:$(line "$case" "$source")"
    for part in "$@"; do contains "$case: names $part" "$(cat report)" "$part"; done
}
die null null-pointer "read from address 0x30: a null pointer with an offset of 48 bytes" cases.c read_null "SEGV_MAPERR" "[rax + 0x30]"
die relro relro-write "wrote to a RELRO page" cases.c "names[1] in cases" ".data.rel.ro" "cases.c:$(grep -n 'names\[\] =' cases.c | cut -d: -f1)" "RELRO page, r--"
die code code-write "wrote to a code page: read_null" cases.c "r-x" "section .text"
die readable permission-changed "read from a page that could not be read then" cases.c read_forbidden "its permission was changed since" r--
die vector constant-write "wrote to constants (read-only data): constants" cases.c store_vector
die mapped not-mapped "where nothing was mapped then" cases.c write_unmapped "came there since"
die constant constant-write "wrote to constants (read-only data): constants[1]" cases.c ".rodata"
die nx jump-to-data "jumped to a page that is not executable (NX): buffer" "" "cases.c:$(line nx cases.c)" "section .data" "jump_to_data"
die nullcall null-function "called a null function pointer" "" "cases.c:$(line nullcall cases.c)" "call_null()"
die weak weak-undefined "called not_there, a weak symbol that nothing defines" "" "cases.c:$(line weak cases.c)" "binds to nothing"
die clobber got-overwritten "the GOT slot of from_library in cases, which was overwritten" "" "cases.c:$(line clobber cases.c)" "binds to $work/libused.so" "something wrote it later"
CLOBBER=0x4141414141414141 die clobber got-overwritten "the GOT slot of from_library in cases, which was overwritten: it holds 0x4141414141414141" "" "non-canonical"
die stack stack-overflow "endless or too deep recursion of recurse()" cases.c "stack of the first thread"
die stackhandler stack-overflow "endless or too deep recursion of recurse()" "" "cases.c:$(line stack cases.c)"
die threadstack stack-overflow "the stack of thread" "" "recursion of recurse()" "without any permission"
die bus file-truncated "a page that its file no longer has" cases.c "has 100 bytes, the page begins at byte 8192" "BUS_ADRERR"
die heap heap-overrun "just past the end of the heap: running over a block leads there" "" "came from    overrun()" "cases.c:$(line heap cases.c)" "0 bytes above [heap]"
die unmap not-mapped "where nothing is mapped" cases.c "munmap"
LD_LIBRARY_PATH=. die dlclose unloaded-library "called into libplugin.so, which dlclose has unloaded: plugin_function" "" "plugin.c:" "cases.c:$(line dlclose cases.c)"
die fpe division-by-zero "divided an integer by zero" cases.c "idiv" "divide"
die intmin division-overflow "whose quotient does not fit" cases.c
die ill trap-instruction "executed ud2" cases.c "0f 0b"
die assert assertion "an assertion failed: " cases.c "n > 2 &&" "fail_assert"
die abort abort "the program called abort()" cases.c "call_abort"
die free library-abort "the C library ended the program: free(): " cases.c "free_twice"
die overwritten return-overwritten "returned to 0x414141414141, which is no code: a return address on the stack was overwritten" ""
die overwrittenall return-overwritten "returned to 0x4141414141414141, which is no code" cases.c "ret"
die shellcode jump-to-data "jumped to a page that is not executable (NX)" "" "cases.c:$(line shellcode cases.c)" "stack of the first thread"
die strlen null-pointer "read from address 0: a null pointer" "" "came from    strlen_null() in cases at cases.c:$(line strlen cases.c)"
die smash stack-smashing "stack smashing: smash() wrote beyond a local array" "" "cases.c:$(line smash cases.c)"
POINTER=0 die pointer null-function "called a null function pointer" "" "cases.c:$(line pointer cases.c)"
for case in register memory stackcall pointer; do
    POINTER=0x1234567800 die $case jump-unmapped "jumped to 0x1234567800, where nothing is mapped" "" "cases.c:$(line $case cases.c)"
done
die large stack-overflow "the stack of the first thread overflowed" cases.c "KiB below them" "ulimit -s" "main at cases.c"
die downwards stack-overflow "the stack of the first thread overflowed" cases.c "KiB below them" "main at cases.c"
die largethread stack-overflow "the stack of thread" cases.c "KiB below them" "large_thread"
die noncanonical non-canonical "wrote to 0x1234567890abcdef, which is no address" cases.c
die callnoncanonical jump-non-canonical "jumped to 0x4141414141414141, which is no address" cases.c "call rax"
die thread null-pointer "a null pointer" "" "cases.c:$(line null cases.c)" "cases.c:$(line thread cases.c)" " worker"
die raise null-pointer "the program's own handler ran and raised SIGSEGV again" "" "cases.c:$(line null cases.c)"
die raisealt null-pointer "the program's own handler ran and raised SIGSEGV again" "" "cases.c:$(line null cases.c)"
die again null-pointer "a null pointer" "" "cases.c:$(line null cases.c)"
die ignored null-pointer "a null pointer" "" "cases.c:$(line null cases.c)"
die kill raised "the program raised SIGSEGV itself" ""
die killabort raised "the program raised SIGABRT itself, not by abort()" "" "main"
die raiseabort raised "the program raised SIGABRT itself, not by abort()" "" "main"
die virtual null-pointer "read from address 0: a null pointer" shapes.cc "shapes::pool<shapes::shape>::total(int)"
die throw uncaught-exception "std::terminate(): an exception (std::runtime_error) that nothing catches" shapes.cc
die thrown uncaught-exception "an exception (std::out_of_range) that nothing catches" "" "came from    shapes::check(std::vector" "shapes.cc:$(line thrown shapes.cc)"
die noexcept uncaught-exception "an exception (shapes::own<int>) that nothing catches" shapes.cc
die main null-pointer "wrote to address 0" cases.c
equal "main itself: who called it is not told" "$(grep -c 'came from' report)" 0

# shellcheck disable=SC2016 # for the linker
gcc -g -O1 -w -o constructed cases.c bad/libused.so -Wl,-rpath,'$ORIGIN/bad' -pthread
{ "$ldr" run --crash-report=report ./constructed >/dev/null; } 2>/dev/null
contains "constructor: cause" "$(head -1 report)" "wrote to address 0: a null pointer, in a constructor of libused.so"
contains "constructor: source line" "$(head -3 report)" "library.c:$(line constructor library.c)"

(trap '' ALRM; exec "$ldr" run --crash-report=report --crash-report-json report.json sleep 60) &
target=$!
until [ "$(cat /proc/$target/comm 2>/dev/null)" != ldr ] && grep -q 'TracerPid:.[1-9]' /proc/$target/status; do sleep 0.05; done
tracer=$(sed -n 's/^TracerPid:.//p' /proc/$target/status)
for _ in $(seq 100); do ignored=$((0x$(sed -n 's/^SigIgn:.//p' "/proc/$tracer/status") >> 13 & 1)); [ $ignored = 0 ] && break; sleep 0.05; done
equal "the limit of a report's time holds where SIGALRM is ignored" "$ignored" 0
{ kill -SEGV $target; wait $target; } 2>/dev/null
equal "sent from outside: status" $? 139
contains "sent from outside: by whom" "$(head -1 report)" "process $$ sent it SIGSEGV (kill); no instruction failed"

# At a fixed address, without a linker, and on the system's linker by execve.
gcc -g -O1 -w -no-pie -o fixed cases.c -L. -lused -Wl,-rpath,"$work" -pthread
gcc -g -O1 -w -static -Wl,--unresolved-symbols=ignore-all -o alone cases.c library.c -pthread 2>/dev/null
for program in fixed alone; do
    { "$ldr" run --crash-report=report ./$program relro >/dev/null; } 2>/dev/null
    contains "$program: cause and object" "$(head -1 report)" "names[1] in $program"
    contains "$program: source line" "$(sed -n 2p report)" "cases.c:$(line relro cases.c)"
done
{ "$ldr" run --crash-report=report python3 -c 'import ctypes; ctypes.string_at(0)'; } 2>/dev/null
contains "python3: a null pointer that ctypes hands to strlen" "$(head -1 report)" "read from address 0: a null pointer"
if unshare -pf true 2>/dev/null; then
    text=$({ unshare -pf "$ldr" run --crash-report ./cases recover; } 2>&1)
    equal "process 1 of a namespace: it runs" $? 7
    contains "process 1 of a namespace: it is said" "$text" "no crash report, the program cannot be watched: it is process 1"
else
    skip "process 1 of a namespace" "unshare -p is not permitted"
fi
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    { setpriv --reuid=65534 --regid=65534 --clear-groups env LDR_CACHE=off "$ldr" run --crash-report ./cases relro >user.out 2>user.err; } 2>/dev/null
    contains "an ordinary user" "$(cat user.err)" "names[1] in cases"
fi

gcc -g -gsplit-dwarf -O1 -w -o dwo cases.c -L. -lused -Wl,-rpath,"$work" -pthread
{ "$ldr" run --crash-report=report --crash-report-json report.json ./dwo null >/dev/null; } 2>/dev/null
contains "split DWARF: source line" "$(head -2 report)" "cases.c:$(line null cases.c)"
contains "split DWARF: said" "$(cat report)" "note: $work/dwo has split DWARF: what the compiler put into .dwo files (types, variables, local functions) is not read"
contains "split DWARF: in JSON" "$(tr -d '\n' <report.json)" '"notes": [    "'"$work/dwo has split DWARF"
contains "hot and cold halves: source line" "$({ gcc -g -O2 -o hot -x c - <<<'void f(void) __attribute__((cold, noinline)); void f(void) { __asm__ volatile(""); } __attribute__((noipa)) int work(int n, int *p) { if (n == 77) { f(); f(); __builtin_abort(); } return n + *p; } int main(int c, char **v) { return work(c, c > 1 ? 0 : &c); }' && "$ldr" run --crash-report ./hot x; } 2>&1 | sed -n 2p)" "work (<stdin>:1)"

# Without debug information, and without any symbol: the object, the offset in it, and the way down to the start by .eh_frame.
strip -o stripped cases
{ "$ldr" run --crash-report=report ./stripped null >/dev/null; } 2>/dev/null
# the line that loads the member: what objdump has at the start of the function and a little behind
from=$((0x$(nm cases | awk '$3 == "read_null" { print $1 }')))
contains "stripped: cause" "$(head -1 report)" "a null pointer with an offset of 48 bytes"
offset=$(sed -n '2s/.* stripped + \(0x[0-9a-f]*\).*/\1/p' report)
equal "stripped: object and offset, in read_null" "$((offset >= from && offset < from + 16))" 1
contains "stripped: the way to the start" "$(sed -n '/^backtrace/,/^$/p' report)" "__libc_start"
equal "stripped: frames down to _start" "$(sed -n '/^backtrace/,/^$/p' report | grep -c '0x.* stripped + 0x')" 3

# Two threads crash together: one report, and it is on what the status tells.
bad=
for _ in $(seq 12); do
    text=$({ "$ldr" run --crash-report ./cases together >/dev/null; } 2>&1)
    case $?,$(head -1 <<<"$text") in
    139,*'died of SIGSEGV: read from address 0x30'* | 132,*'died of SIGILL: executed ud2'*) ;;
    *) bad+="$text" ;;
    esac
    [ "$(grep -c 'died of\|no crash report' <<<"$text")" = 1 ] || bad+="$text"
done
equal "two threads that crash together" "$bad" ""

# A report takes longer than the tenth of a second after which the first thread would end the program well.
die survivor null-pointer "a null pointer" "" "cases.c:$(line null cases.c)" "cases.c:$(line thread cases.c)" " worker"
text=$({ "$ldr" run --crash-report=/dev/full ./cases null >/dev/null; } 2>&1)
contains "a full disk is said" "$text" "/dev/full: No space left on device; the report follows"
contains "a full disk: the report follows" "$text" "died of SIGSEGV"

# Of a thousand threads most have no stop at their start. One that has lived a while is watched; a young one is, or it is said that it was not.
die oldthread null-pointer "a null pointer" "" "cases.c:$(line null cases.c)" "cases.c:$(line thread cases.c)" " worker"
text=$({ "$ldr" run --crash-report ./cases youngthread >/dev/null; } 2>&1)
equal "a young thread of many: status" "$?" 139
equal "a young thread of many: a report or why there is none" "$(grep -c 'died of SIGSEGV: read from address 0x30\|no crash report on SIGSEGV: .* --every-thread does' <<<"$text")" 1
text=$({ "$ldr" run --crash-report --every-thread ./cases youngthread >/dev/null; } 2>&1)
contains "a young thread of many, --every-thread" "$text" "died of SIGSEGV: read from address 0x30"
text=$({ "$ldr" run --crash-report --stats ./cases youngthread >/dev/null; } 2>&1)
contains "a young thread of many, with --stats" "$text" "SIGSEGV: "
# That the watcher comes before the new program has died is a race, which it seldom loses.
text=$({ for _ in 1 2 3; do "$ldr" run --crash-report ./cases becomingthread >/dev/null; sleep 0.1; done; } 2>&1)
contains "execve by a young thread: the new program is watched" "$text" "died of SIGSEGV: read from address 0x30"
printf '6.15\n%s\n' "$(uname -r)" | sort -V -C && equal "execve by a young thread: a report or why there is none" "$(grep -c 'died of SIGSEGV: read from address 0x30\|no crash report on SIGSEGV' <<<"$text")" 3
text=$({ timeout -s KILL 20 "$ldr" run --crash-report ./cases becoming >/dev/null; } 2>&1)
contains "execve amid threads that are looked for, 8 times" "$text" "died of SIGSEGV: read from address 0x30"
text=$("$ldr" run --crash-report ./cases chain)
equal "threads that make one another in a row are not stopped either ($(tail -1 <<<"$text"))" "$(awk '/ of 1000 stopped/ { print $1 < 300 }' <<<"$text")" 1
# Of many signals that handlers get, few are stops; when the thread has been quiet for a while each is one again.
text=$("$ldr" run --crash-report ./cases storm)
equal "signals that are handled are not all stopped at ($(tail -1 <<<"$text"))" "$(awk '/ of 20000 stopped/ { print $1 < 5000 }' <<<"$text")" 1
text=$("$ldr" run --crash-report --every-thread ./cases storm)
equal "--every-thread: each is ($(tail -1 <<<"$text"))" "$(awk '/ of 20000 stopped/ { print ($1 >= 20000) }' <<<"$text")" 1
text=$({ "$ldr" run --crash-report ./cases stormquiet >/dev/null; } 2>&1)
contains "many signals, and after a while the last" "$text" "died of SIGSEGV: read from address 0x30"
text=$({ "$ldr" run --crash-report ./cases stormnull >/dev/null; sleep 0.5; } 2>&1)
printf '6.15\n%s\n' "$(uname -r)" | sort -V -C && equal "many signals, and the last at once in the only thread: a report or why there is none" "$(grep -c 'died of SIGSEGV: read from address 0x30\|no crash report on SIGSEGV: .* --every-thread watches' <<<"$text")" 1
text=$({ "$ldr" run --crash-report ./cases stormthread >/dev/null; } 2>&1)
equal "many signals, and the last at once: status" "$?" 139
equal "many signals, and the last at once: a report or why there is none" "$(grep -c 'died of SIGSEGV: read from address 0x30\|no crash report on SIGSEGV: .* --every-thread watches' <<<"$text")" 1
# Others get so many signals that each is left alone again and again; who gets its first one, which kills, is not.
for case in stormfirst stormfirst stormothers; do
    die $case null-pointer "a null pointer" "" "cases.c:$(line null cases.c)" " worker"
done
bad=
for _ in 1 2 3; do
    text=$({ "$ldr" run --crash-report ./cases waiting >/dev/null; } 2>&1)
    [[ $text = *'died of SIGABRT: the program called abort()'* || $text = *'no crash report on SIGABRT: '* ]] || bad+=$text
done
equal "threads that wait where they handled what another one dies of: no report on them" "$bad" ""
mkdir -m 700 recorded
LDR_CACHE_DIR=$work/recorded LDR_CACHE=now "$ldr" run --crash-report /bin/true
equal "a watched start is recorded for the next ones" "$(LDR_CACHE_DIR=$work/recorded LDR_CACHE=require "$ldr" run /bin/true 2>&1)" ""
mkfifo late
{ sleep 3 && timeout 10 cat late >late.report; } &
reader=$!
text=$({ "$ldr" run --crash-report=late ./cases manynull >/dev/null; } 2>&1)
wait $reader
equal "many threads, a report that waits for its reader: nothing on standard error" "$(grep -v 'Segmentation fault' <<<"$text")" ""
contains "many threads, a report that waits for its reader" "$(cat late.report)" "died of SIGSEGV"
rm -f late
# Who may trace descendants only may not seize a thread later: asked of a filter that answers as Yama scope 1 does.
text=$(timeout -s KILL 20 python3 "$here/crash_yama.py" "$ldr" run --crash-report ./cases oldthread 2>&1 >/dev/null)
case $? in
    77) skip "as under Yama scope 1" "$text" ;;
    *) contains "as under Yama scope 1: a thread of many" "$text" "died of SIGSEGV: read from address 0x30" ;;
esac
text=$("$ldr" run --every-thread ./cases threads 2>&1)
equal "--every-thread alone: a usage error" "$?" 125

# Nobody dies, or of other things: no report, the same to see.
alive() {
    local name=$1 status=0 plain=0
    shift
    rm -f report
    { "$ldr" run "$@" >plain.out 2>plain.err </dev/null; } 2>/dev/null || plain=$?
    { "$ldr" run --crash-report=report "$@" >watched.out 2>watched.err </dev/null; } 2>/dev/null || status=$?
    equal "$name: status" "$status" "$plain"
    equal "$name: output" "$(cat watched.out watched.err)" "$(cat plain.out plain.err)"
    equal "$name: no report" "$(ls report 2>/dev/null)" ""
}
alive "a handler that recovers" ./cases recover
equal "the handler did recover" "$(grep -c recovered watched.out)" 3
alive "an ignored SIGABRT" ./cases ignoredabort
alive "SIGTERM" ./cases term
alive "a child that dies" ./cases child
alive "python3" python3 -c 'import json, ssl, threading; t = [threading.Thread(target=print, args=(i,)) for i in range(3)]; [(x.start(), x.join()) for x in t]; print(json.dumps({"a": 1}))'
alive "python3: no child but its own, no descriptor but three" python3 -c 'import os
try: print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError: print("no child")
print(sorted(os.listdir("/proc/self/fd"))[:3], len(os.listdir("/proc/self/fd")), os.getpgrp() == os.getpgid(os.getppid()))'
alive "a pipeline of a shell" sh -c 'seq 1000 | sort -r | head -3; exit 9'
alive "the environment" env
alive "perl" perl -e 'local $SIG{ALRM} = sub { print "alarm\n"; exit 4 }; alarm 1; sleep 5'
alive "a process made by clone without SIGCHLD" ./cases clone
alive "execve" sh -c 'exec ls /usr/lib/os-release'
if command -v java >/dev/null; then
    cat >Null.java <<'J'
class Null { static String s; public static void main(String[] a) throws Exception {
    int caught = 0; for (int i = 0; i < 50000; i++) { try { caught += s.length(); } catch (NullPointerException e) { caught++; } }
    Thread t = new Thread(() -> System.out.println("thread")); t.start(); t.join(); System.out.println(caught); } }
J
    javac Null.java
    alive "java, which lives of SIGSEGV" java -XX:-UseSuperWord -Xshare:auto -cp . Null
else
    skip "java" "not installed"
fi
rm -f report report.json
{ "$ldr" run --crash-report=report sh -c 'exec ./cases null' >/dev/null; } 2>/dev/null
contains "after execve the report is of the new program" "$(head -2 report)" "cases.c:$(line null cases.c)"

text=$({ "$ldr" run --crash-report ./cases null; } 2>&1)
contains "without FILE: on standard error" "$text" "died of SIGSEGV"
text=$({ "$ldr" run --crash-report=/nonexistent/report ./cases null; } 2>&1)
contains "a file that cannot be written is said" "$text" "/nonexistent/report: No such file"
contains "and the report follows" "$text" "died of SIGSEGV"
text=$("$ldr" run --crash-report report.txt ./cases null 2>&1)
contains "FILE as a word of its own: said" "$text" "report.txt was taken for the program; a file for the report is given as --crash-report=FILE"
{ "$ldr" run --crash-report=report ./cases null <&- >&- 2>&-; } 2>/dev/null
equal "without standard descriptors: status" "$?" 139
contains "without standard descriptors: report" "$(cat report)" "a null pointer with an offset"
text=$({ "$ldr" run --crash-report --stats ./cases null; } 2>&1)
contains "with --stats: the report" "$text" "a null pointer with an offset"
contains "with --stats: the phases" "$text" "relocate  "
text=$("$ldr" run --crash-report --watch-writes w ./cases 2>&1)
equal "with --watch-writes: a usage error" "$?" 125
text=$({ "$ldr" run --crash-report "$ldr" run --crash-report ./cases recover; } 2>&1)
equal "where ptrace is refused the program runs" "$?" 7
contains "and it is said" "$text" "no crash report, the program cannot be watched: Operation not permitted"
mkdir -m 700 foreign
for option in --crash-report --crash-report\ --stats; do
    # shellcheck disable=SC2086 # two words
    equal "under another tracer, $option: runs" "$(LDR_CACHE_DIR=$work/foreign LDR_CACHE=now "$ldr" run --crash-report "$ldr" run $option echo --watched 2>/dev/null)" "--watched"
done
equal "a start under another tracer is not recorded" "$({ LDR_CACHE_DIR=$work/foreign LDR_CACHE=require "$ldr" run echo; } 2>&1 | grep -c 'no start of this program is recorded')" 1

# Killed while the watcher begins: it ends too. A copy of the command, so that no other run's watcher is counted.
cp "$ldr" killed-ldr
equal "starts that are killed leave no watcher" "$(LDR_LDSO=${LDR_LDSO:-$build/ld-ldr.so} python3 - "$PWD/killed-ldr" <<'P'
import os, random, signal, sys, time
command = sys.argv[1]
null = os.open("/dev/null", os.O_RDWR)
files = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
for i in range(200):
    pid = os.posix_spawn(command, [command, "run", "--crash-report", "sleep", "0.3"], os.environ, file_actions=files)
    until = time.perf_counter() + random.uniform(0.0005, 0.006)
    while time.perf_counter() < until:
        pass
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
def left():
    found = 0
    for name in os.listdir("/proc"):
        try:
            found += name.isdigit() and os.readlink(f"/proc/{name}/exe") == command
        except OSError:
            pass
    return found
end = time.time() + 20
while left() and time.time() < end:
    time.sleep(0.1)
print(left())
P
)" 0
text=$(timeout 20 python3 -c '
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
os.execv(sys.argv[1], sys.argv[1:])' "$ldr" run --crash-report python3 -c '
import os
try: os.wait()
except ChildProcessError: print("no child")' 2>&1)
contains "a subreaper inherits no watcher" "$text" "no child"
contains "and it is said" "$text" "no crash report, the program cannot be watched: it is a subreaper"

kinds=$(grep -oE 'set\(crash, ([a-z]+ \? )?"[a-z-]+"( : "[a-z-]+")?' "$here/../../tools/crash/cause.c" | grep -oE '"[a-z-]+"' | tr -d '"' | sort -u)
plain=$(sed 's/\\-/-/g' "$here/../../tools/ldr-crash-report.7")
equal "every kind is in the manual" "$(for kind in $kinds; do grep -qw -- "$kind" <<<"$plain" || echo "$kind"; done)" ""
{ "$ldr" run --crash-report-json report.json ./cases clobber >/dev/null; } 2>/dev/null
equal "every member is in the manual" "$(python3 - report.json "$here/../../tools/ldr-crash-report.7" <<'P'
import json, re, sys
page = open(sys.argv[2]).read().replace("\\-", "-")
def names(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if key != "registers": yield from names(inner)
    if isinstance(value, list):
        for inner in value: yield from names(inner)
print(" ".join(sorted({n for n in names(json.load(open(sys.argv[1]))) if not re.search(rf"\b{n}\b", page)})))
P
)" ""
