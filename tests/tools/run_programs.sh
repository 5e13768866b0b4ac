#!/usr/bin/env bash
# `ldr run`: what it starts is what execve would start, with the same arguments, environment and status.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1

# same NAME COMMAND...: output and status natively and through ldr run (standard error apart: messages differ)
same() {
    local name=$1 native through native_status=0 through_status=0
    shift
    native=$("$@" 2>/dev/null </dev/null) || native_status=$?
    through=$("$ldr" run "$@" 2>/dev/null </dev/null) || through_status=$?
    equal "$name: output" "$through" "$native"
    equal "$name: status" "$through_status" "$native_status"
}
# refused NAME STATUS PART PROGRAM...
refused() {
    local name=$1 status=$2 part=$3 text found=0
    shift 3
    text=$("$ldr" run "$@" 2>&1 </dev/null) || found=$?
    equal "$name: status" "$found" "$status"
    contains "$name: message" "$text" "$part"
}
script() { # script NAME FIRST-LINE [BODY]
    printf '%s\n%s\n' "$2" "${3:-}" >"$1"
    chmod +x "$1"
}

# shellcheck disable=SC2016 # expanded by the programs under test
{
same "by PATH" echo one "two  three" ""
same "by path" /bin/echo x
same "status" sh -c 'exit 42'
same "argv[0] as typed, by PATH" sh -c 'echo "$0"; tr "\0" "\n" </proc/self/cmdline | tail -n 1' word
same "argv[0] of a shell" bash -c 'echo $BASH_ARGV0 $0'
same "options after the program are the program's" echo --help --argv0 -x --
same "double dash in arguments" sh -c 'echo "$@"' x -- -y
same "environment" env -i A=1 /usr/bin/env
same "killed by a signal" sh -c 'kill -TERM $$'
if unshare -m true 2>/dev/null; then
    equal "without /proc the linker beside ldr is found" "$(unshare -m sh -c 'mount -t tmpfs none /proc && exec env -u LDR_LDSO "$0" run echo here' "$ldr")" here
else
    skip "without /proc" "no mount namespace is to be had"
fi
# Where the kernel lets /proc/self/exe be exchanged; a title that is set is written from argv[0] on, over arguments and environment.
if [ "$("$ldr" run readlink /proc/self/exe)" = "$(readlink -f "$(command -v readlink)")" ]; then
    shown='open(my $f, "<", "/proc/self/cmdline"); $_ = <$f>; tr/\0/|/; print'
    same "the arguments that ps shows, by PATH" perl -e "$shown" word
    same "the arguments that ps shows, by path" /usr/bin/perl -e "$shown" word
    contains "the arguments that ps shows: a longer name" "$("$ldr" run --argv0 "$(printf '%099d' 7)" perl -e "$shown" word)" "$(printf '%099d' 7)|-e|open"
    same "a title that is set" perl -e "\$0 = 'a title that is much longer than the name of the program was'; $shown"
    printf 'int only_here(void) { return 3; }\n' >here.c
    printf 'int only_here(void); int main(void) { return only_here(); }\n' >calls.c
    gcc -g -shared -fPIC -o libhere.so here.c && gcc -g -o calls calls.c -L. -lhere -Wl,-rpath,"$work"
    text=$(DEBUGINFOD_URLS='' gdb -q -nx -batch -ex 'set breakpoint pending on' -ex 'break only_here' -ex 'catch load libhere' -ex run -ex continue -ex 'info symbol only_here' \
        --args "$ldr" run ./calls 2>&1 </dev/null)
    contains "gdb: a library is seen to be loaded" "$text" "Inferior loaded $work/libhere.so"
    contains "gdb: a breakpoint in it, set before the program ran" "$text" "Breakpoint 1, only_here"
    # A breakpoint of the kernel's in our code, as perf and bpftrace set them: FILE OFFSET COMMAND...
    cat >probe.c <<'END'
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
    struct perf_event_attr probe = { .size = sizeof probe, .type = atoi(argv[1]), .uprobe_path = (unsigned long)argv[2], .sample_period = 1 };
    probe.probe_offset = strtoul(argv[3], 0, 16);
    return syscall(SYS_perf_event_open, &probe, 0, -1, -1, 0) < 0 ? 99 : execv(argv[4], argv + 4);
}
END
    type=$(cat /sys/bus/event_source/devices/uprobe/type 2>/dev/null)
    linker=$(readlink -f "${LDR_LDSO:-$build/ld-ldr.so}")
    gcc -w -o probe probe.c
    ./probe "${type:-0}" "$linker" "$(nm "$linker" | awk '$3 == "_dl_debug_state" { print $1 }')" "$ldr" run sh -c 'exit 7'
    status=$?
    if [ $status = 99 ]; then skip "a uprobe in the linker" "the kernel sets none"; else equal "a uprobe in the linker" $status 7; fi
else
    skip "the arguments that ps shows, and gdb" "/proc/self/exe may not be exchanged here"
fi
equal "--argv0" "$("$ldr" run --argv0 -bash bash -c 'shopt login_shell')" "$(printf 'login_shell    \ton')"
equal "double dash before the program" "$("$ldr" run -- echo -x)" "-x"
equal "standard input" "$(echo text | "$ldr" run cat)" text
}

# shellcheck disable=SC2016
{
script plain '#!/bin/sh' 'echo "$0|$*"; exit 3'
script options '#!/bin/sh -e' 'echo before; false; echo after'
script blanks '#!  	/bin/echo   a b  	'
script perl '#!/usr/bin/perl -w' 'print "$0 @ARGV\n"; exit 5;'
script env '#!/usr/bin/env perl' 'print "$0 @ARGV\n";'
}
same "script" ./plain a "b c"
same "script with an option" ./options
same "script, blanks around one argument" ./blanks c
same "script of perl" ./perl x y
same "script through env" ./env x
mkdir folder && cp plain folder/inpath
PATH=$work/folder:$PATH same "script found in PATH" inpath z
PATH=:/bin same "an empty part of PATH is the current folder" plain
mkdir -- -dash && cp plain -- -dash/-prog
equal "a path that begins with a dash" "$("$ldr" run -- -dash/-prog q)" "./-dash/-prog|q"

# The kernel starts five scripts that name each other and refuses six.
script s1 '#!/bin/echo'
for i in 2 3 4 5 6 7; do script "s$i" "#!$work/s$((i - 1))"; done
for i in 2 5; do same "$i nested scripts" "./s$i" arg; done
for i in 6 7; do
    refused "$i nested scripts" 126 "Too many levels of symbolic links" "./s$i"
    found=0; env "./s$i" >/dev/null 2>&1 || found=$?
    equal "$i nested scripts: the kernel refuses too" "$found" 126
done
script self "#!$work/self"
refused "a script that names itself" 126 "Too many levels" ./self
long=$(printf 'x%.0s' {1..300})
script longline "#!/$long"
refused "an interpreter longer than the kernel reads" 126 "256 bytes" ./longline
script longarg "#!/bin/echo $long"
same "an argument longer than the kernel reads is cut" ./longarg

refused "not found in PATH" 127 "no-such: not found in PATH" no-such
refused "not found by path" 127 "./no-such: No such file" ./no-such
refused "below a file" 127 "/etc/passwd/x: Not a directory" /etc/passwd/x
refused "empty name" 127 "not found" ""
refused "a folder" 126 "/etc: Is a directory" /etc
echo text >plainfile && refused "not executable" 126 "./plainfile: Permission denied" ./plainfile
PATH=$work refused "not executable, in PATH" 126 "$work/plainfile: Permission denied" plainfile
chmod +x plainfile && refused "neither ELF nor script" 126 "Exec format error" ./plainfile
: >empty && chmod +x empty && refused "empty file" 126 "Exec format error" ./empty
script nointerp '#!/no/such/interpreter'
refused "interpreter missing" 127 "interpreter /no/such/interpreter: No such file" ./nointerp
script noname '#!   '
refused "no interpreter named" 126 "names no interpreter" ./noname
script notexec "#!$work/text" && echo x >text
refused "interpreter not executable" 126 "$work/text: Permission denied" ./notexec
head -c 100 /bin/true >truncated && chmod +x truncated
found=0; "$ldr" run ./truncated >/dev/null 2>&1 || found=$?
equal "truncated ELF file: the linker refuses, no crash" "$((found > 0 && found < 128))" 1
if [ "$(id -u)" = 0 ]; then
    cp /bin/true setuid && chown 65534 setuid && chmod 4755 setuid
    contains "set-user-ID is said to be lost" "$("$ldr" run ./setuid 2>&1)" "set-user-ID: it runs here without"
else
    skip "set-user-ID is said to be lost" "not root"
fi
