#!/bin/sh
# strace.sh - strace -k: the stack of a system call made in a library loaded late, in a constructor and in a thread; and
# glibc's own backtrace() in the same places.
. "$(dirname "$0")/../real/lib.sh"
forms="interp namespace"

work() {
    need strace gcc
    cat >plugin.c <<'END'
#define _GNU_SOURCE
#include <execinfo.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
void show(const char *where) {
    void *at[60];
    int n = backtrace(at, 60), main_at = -1;
    char **names = backtrace_symbols(at, n);
    for (int i = 0; i < n; i++) if (strstr(names[i], "main_function") || strstr(names[i], "thread_function")) main_at = i;
    printf("%s: the backtrace %s its caller\n", where, main_at > 0 ? "reaches" : "does not reach");
    fflush(stdout);
    free(names);
}
__attribute__((constructor)) static void plugin_start(void) { syscall(SYS_getppid, 1); show("constructor"); }
__attribute__((destructor)) static void plugin_end(void) { syscall(SYS_getppid, 4); show("destructor"); }
__attribute__((noinline)) int plugin_inner(int n) { long r = syscall(SYS_getppid, n); show("function"); return r > 0; }
__attribute__((noinline)) int plugin_function(int n) { return plugin_inner(n) + 1; }
END
    cat >main.c <<'END'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
static int (*late)(int);
__attribute__((noinline)) void *thread_function(void *p) { late(3); return 0; }
__attribute__((noinline)) int main_function(void) {
    void *plugin = dlopen("./plugin.so", RTLD_LAZY);
    if (!plugin) { puts(dlerror()); return 1; }
    late = (int (*)(int))dlsym(plugin, "plugin_function");
    int r = late(2);
    pthread_t thread;
    pthread_create(&thread, 0, thread_function, 0);
    pthread_join(thread, 0);
    dlclose(plugin);
    return r < 0;
}
int main(void) { return main_function() + 0; }
END
    gcc -g -O1 -fno-optimize-sibling-calls -fPIC -shared plugin.c -o plugin.so &&
        gcc -g -O1 -fno-optimize-sibling-calls -rdynamic main.c -o main -Wl,--dynamic-linker="$interp" || exit 1
    strace -f -k -e trace=getppid -e signal=none -o trace ./main
    echo "status $?"
    sed -e 's/^[0-9]* //' -e 's/ \[0x[0-9a-f]*\]//' trace
}

# A stack is compared by the functions of the program and the plugin; between them stand the linkers' own.
tidy() { sed -e 's/\(getppid([^)]*)\).*/\1/' -e 's/+0x[0-9a-f]*//g' | grep -E '^status|getppid|backtrace|/main\(|/plugin.so\(|exited'; }
compare
