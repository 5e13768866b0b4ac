#!/bin/sh
# gdb.sh - a debugging session: libraries listed, breakpoints before and in a library loaded later, thread-local variables
# in two threads, stepping through lazy binding, backtraces out of constructors, load and unload events, a crash and its
# core file, a process attached to. In command and namespace form gdb itself runs on our linker as well.
. "$(dirname "$0")/../real/lib.sh"
. "$(dirname "$0")/project.sh"
forms="interp namespace command"
limit=120

debug() {
    echo "== $1"
    shift
    DEBUGINFOD_URLS='' run gdb -q -nx -batch -ex 'set confirm off' -ex 'set pagination off' -ex 'set width 0' \
        -ex 'set breakpoint pending on' -ex 'set print thread-events off' "$@" 2>&1
    echo "status $?"
}

work() {
    need gdb gcc
    build_project || exit 1
    debug libraries ./main -ex 'break main' -ex run -ex 'info sharedlibrary' -ex 'break plugin_function' -ex continue \
        -ex 'info sharedlibrary' -ex bt -ex finish -ex 'info symbol one_function' -ex 'info symbol plugin_data' \
        -ex 'info symbol printf' -ex 'print plugin_data' -ex 'print one_data' -ex 'print one_function(5)' \
        -ex 'info line plugin_function'
    debug threads ./main -ex 'break meet' -ex run -ex up -ex 'info threads' -ex 'thread apply all -q print main_tls' \
        -ex 'thread apply all -q print one_tls' -ex 'thread apply all -q print plugin_tls' \
        -ex 'thread apply all -q print &main_tls == 0' -ex 'print errno' -ex 'thread 2' -ex 'bt -full 3' -ex 'frame function worker' \
        -ex 'print (long)by'
    debug stepping ./main -ex 'break main' -ex run -ex step -ex 'bt 2' -ex next -ex next -ex finish -ex 'tbreak session.c:31' -ex continue \
        -ex step -ex 'bt 1' -ex finish -ex 'tbreak one_twice' -ex continue -ex next -ex step -ex 'bt 3' -ex 'next' -ex 'step' -ex 'bt 4'
    debug constructors ./main -ex 'break one_start' -ex 'break plugin_start' -ex run -ex 'bt 1' -ex continue -ex 'bt 1' -ex 'bt -1' \
        -ex 'watch plugin_data' -ex 'info watchpoints' -ex 'delete' -ex continue
    debug events ./main -ex 'catch load plugin' -ex 'catch unload plugin' -ex run -ex 'info sharedlibrary plugin' -ex continue -ex continue
    debug crash ./main -ex 'run crash' -ex bt -ex 'info sharedlibrary' -ex 'generate-core-file core.it' -ex kill
    debug core ./main core.it -ex bt -ex 'info sharedlibrary' -ex 'print one_data' -ex 'print main_tls' -ex 'info threads'
    cat >sleeper.c <<'END'
#include <dlfcn.h>
#include <unistd.h>
int main(void) { int ready[1] = { 0 }; void *p = dlopen("./plugin.so", RTLD_NOW); if (!p) return 1; write(1, "up\n", 3); for (;;) { ready[0]++; usleep(1000); } }
END
    gcc -g sleeper.c -o sleeper -L. -Wl,--no-as-needed -lone -Wl,-rpath,"$PWD" -Wl,--dynamic-linker="$interp" || exit 1
    ./sleeper >started &
    sleeper=$!
    trap 'kill $sleeper 2>/dev/null' EXIT
    wait_for grep -q up started
    debug attached -p $sleeper -ex 'info sharedlibrary' -ex 'print plugin_data' -ex 'break usleep' -ex continue -ex 'up' -ex detach
}

# Addresses, process ids and folders differ; so do the linkers' own files and frames (the point of the exercise).
tidy() {
    sed -e 's/0x[0-9a-f]\{5,\}/ADDRESS/g' -e 's/LWP [0-9]*/LWP N/g' -e 's/process [0-9]*/process N/g' \
        -e 's/^#[0-9]* *ADDRESS in main/#N ADDRESS in main/' -e 's/Saved corefile.*/Saved corefile/'  |
        grep -v -E 'ld-linux-x86-64|ld-ldr|dl_debug_state|dl-debug.c' |
        grep -v -x -E 'ADDRESS in \?\? \(\)|[0-9]+\s*\{' | grep -v '^$' |
        grep -v -E 'Using host libthread_db|Thread debugging using|^warning: |auto-load|\[New LWP|No such file or directory\.$' |
        sed -e 's/  *\((\*)\)\?  */ /g'
}
compare
