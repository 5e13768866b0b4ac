#!/bin/sh
# sanitizers.sh - AddressSanitizer, LeakSanitizer, ThreadSanitizer and UndefinedBehaviorSanitizer of gcc (run-time in a
# shared library) and clang (linked in): clean programs stay silent, faulty ones are reported at the same place.
. "$(dirname "$0")/../real/lib.sh"
forms="interp namespace"
limit=200

work() {
    need gcc clang setarch
    cat >library.c <<'END'
#include <stdlib.h>
__thread char buffer[8];
__attribute__((noinline)) int library_read(char *p, int at) {
    return p[at];
}
__attribute__((noinline)) void *library_alloc(int n) {
    return malloc(n);
}
END
    cat >plugin.c <<'END'
#include <stdlib.h>
static char global[10];
__thread int plugin_tls = 4;
int plugin_act(int at) {
    plugin_tls++;
    return global[at] + plugin_tls;
}
END
    cat >program.c <<'END'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int library_read(char *p, int at); void *library_alloc(int n);
static int shared; static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; static void *lost;
static void *quiet(void *p) { pthread_mutex_lock(&lock); shared++; pthread_mutex_unlock(&lock); free(malloc(100)); return 0; }
static void *racy(void *p) {
    shared++;
    return 0;
}
static void two(void *(*f)(void *)) { pthread_t t[2]; for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, f, 0); for (int i = 0; i < 2; i++) pthread_join(t[i], 0); }
// Deep down, and written over afterwards: a pointer that happens to stay on the stack is no leak.
__attribute__((noinline)) static void forget(int depth) { if (depth) forget(depth - 1); else { lost = library_alloc(77); lost = 0; } }
__attribute__((noinline)) static void overwrite(void) { volatile char a[16384]; memset((char *)a, 0, sizeof a); }
int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "clean";
    void *plugin = dlopen("./plugin.so", RTLD_NOW);
    if (!plugin) { puts(dlerror()); return 1; }
    int (*act)(int) = (int (*)(int))dlsym(plugin, "plugin_act");
    char *p = library_alloc(20);
    memset(p, 1, 20);
    int r = library_read(p, 3) + act(2);
    two(quiet);
    if (!strcmp(what, "heap")) r += library_read(p, 20);
    if (!strcmp(what, "global")) r += act(12);
    if (!strcmp(what, "stack")) { char a[8]; memset(a, 0, 8); r += library_read(a, argc + 7); }
    free(p);
    if (!strcmp(what, "freed")) r += library_read(p, 1);
    if (!strcmp(what, "leak")) { forget(40); overwrite(); }
    if (!strcmp(what, "race")) two(racy);
    if (!strcmp(what, "overflow")) { volatile int big = 0x7fffffff; r += big + argc; }
    if (!strcmp(what, "shift")) { volatile int by = 40; r += 1 << by; }
    if (!strcmp(what, "null")) r += *(volatile int *)(long)(argc - 2);
    dlclose(plugin);
    printf("finished %s %d\n", what, r > 0);
    return 0;
}
END
    export ASAN_OPTIONS=detect_leaks=1:symbolize=1 TSAN_OPTIONS=exitcode=66 UBSAN_OPTIONS=print_stacktrace=1
    ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer || command -v llvm-symbolizer-14)
    export ASAN_SYMBOLIZER_PATH TSAN_SYMBOLIZER_PATH="$ASAN_SYMBOLIZER_PATH"
    # Threads are checked at fixed places, or kernels with many random bits upset that run-time.
    for compiler in gcc clang; do
        for kind in address leak thread undefined; do
            sanitize=-fsanitize=$kind
            [ $kind != address ] || sanitize="-fsanitize=address -fno-omit-frame-pointer"
            # shellcheck disable=SC2086 # options
            { $compiler -g -O0 $sanitize -fPIC -shared library.c -o liblibrary.so &&
                $compiler -g -O0 $sanitize -fPIC -shared plugin.c -o plugin.so &&
                $compiler -g -O0 $sanitize program.c -o program -L. -llibrary -Wl,-rpath,"$PWD" -Wl,--dynamic-linker="$interp"; } 2>&1 ||
                { echo "no $kind sanitizer for $compiler"; continue; }
            case $kind in
            address) cases="clean heap global stack freed leak null" ;;
            leak) cases="clean leak" ;;
            thread) cases="clean race" ;;
            undefined) cases="clean overflow shift null" ;;
            esac
            for case in $cases; do
                echo "== $compiler $kind $case"
                if [ $kind = thread ]; then setarch -R ./program $case >report 2>&1; else ./program $case >report 2>&1; fi
                status=$?
                grep -E '^ *#[0-9]|ERROR|WARNING|SUMMARY|runtime error|finished|located|is a wild|region|Read of|Write of' report
                echo "status $status"
            done
        done
    done
}

# What stands below main is the way from the linker's entry point; the C library shows it or does not. Whether the other thread of a race
# has finished by then is a race too.
tidy() {
    sed -e 's/0x[0-9a-f]*/ADDRESS/g' -e 's/==[0-9]*==/==N==/g' -e 's/\([pt]\)id=[0-9]*/\1id=N/g' -e 's/ T[0-9][0-9]*/ TN/'  \
        -e 's/\(Read\|Write\) of/Access of/' -e 's/ (BuildId: [0-9a-f]*)//' |
        grep -v -E '^  Thread TN .*(running|finished)\) created|__libc_start|_start|ld-linux-x86-64|ld-ldr|/linker\+|dl-[a-z]*\.c'
}
compare
