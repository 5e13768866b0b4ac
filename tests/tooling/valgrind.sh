#!/bin/sh
# valgrind.sh - memcheck: a clean program reports nothing (neither does the linker: start-up, dlopen, threads, exit), a
# faulty one the same errors at the same lines, in the program, a linked and a loaded library; helgrind sees one race.
. "$(dirname "$0")/../real/lib.sh"
. "$(dirname "$0")/project.sh"
forms="interp namespace"
limit=150

work() {
    need valgrind gcc
    build_project || exit 1
    check() { valgrind --error-exitcode=7 --num-callers=12 "$@" 2>&1; echo "status $?"; }
    check --leak-check=full ./main
    cat >bad_library.c <<'END'
#include <stdlib.h>
#include <string.h>
char *library_leak(int n) { char *p = malloc(n); memset(p, 'x', n); return p; }
int library_read(char *p, int at) {
    return p[at];
}
END
    cat >bad.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
char *library_leak(int n); int library_read(char *p, int at);
__thread char *thread_kept;
int main(void) {
    library_leak(100);
    thread_kept = library_leak(50);
    char *p = malloc(10);
    int r = library_read(p, 12);
    free(p);
    r += library_read(p, 3);
    void *plugin = dlopen("./bad_plugin.so", RTLD_NOW);
    if (!plugin) { puts(dlerror()); return 1; }
    int (*late_read)(char *, int) = (int (*)(char *, int))dlsym(plugin, "plugin_read");
    char *q = calloc(1, 5);
    r += late_read(q, -1);
    int undefined[4];
    if (undefined[2] > 3) r++; else r--;
    char *s = strdup("12345");
    free(q);
    free(q);
    s = strchr(s, 0);
    r += s[1];
    dlclose(plugin);
    return r & 0;
}
END
    echo 'int plugin_read(char *p, int at) { return p[at]; }' >bad_plugin.c
    gcc -g -O0 -fPIC -shared bad_library.c -o libbad.so && gcc -g -O0 -fPIC -shared bad_plugin.c -o bad_plugin.so &&
        gcc -g -O0 bad.c -o bad -L. -lbad -Wl,-rpath,"$PWD" -Wl,--dynamic-linker="$interp" || exit 1
    check --leak-check=full --keep-debuginfo=yes ./bad
    cat >race.c <<'END'
#include <pthread.h>
static int shared; static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; static int guarded;
static void *work(void *p) {
    shared++;
    pthread_mutex_lock(&lock); guarded++; pthread_mutex_unlock(&lock);
    return 0;
}
int main(void) { pthread_t t[2]; for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, work, 0); for (int i = 0; i < 2; i++) pthread_join(t[i], 0); return guarded - 2; }
END
    gcc -g -O0 race.c -o race -Wl,--dynamic-linker="$interp" && valgrind --tool=helgrind --error-exitcode=7 ./race 2>&1 | grep -E 'data race|at 0x|SUMMARY' | head -n 8
    valgrind --tool=massif --massif-out-file=massif.out ./main 2>&1 | grep -v '=='
    grep -c snapshot= massif.out >/dev/null && echo massif
}

# The system's linker takes thread-local blocks and records of dlopen from the program's malloc, ours does not: totals and
# what stays reachable are left out. Leaks and errors are not.
tidy() {
    sed -e 's/^==[0-9]*== *//' -e 's/0x[0-9A-Fa-f]*/ADDRESS/g' -e 's/Command: .*/Command/' -e 's/loss record .*/loss record/' |
        grep -v -E 'ld-linux-x86-64|ld-ldr|\((dl-|rtld)[a-z-]*\.[ch]|total heap usage|in use at exit|still reachable|Reachable blocks|To see them, rerun' | grep -v '^$'
}
compare
