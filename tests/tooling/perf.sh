#!/bin/sh
# perf.sh - perf record -g: samples of a program, a linked library and a plugin are attributed to their functions, and the
# call chains from the plugin go through the library up to main.
. "$(dirname "$0")/../real/lib.sh"
forms="interp namespace"
limit=90

work() {
    need perf gcc
    cat >one.c <<'END'
volatile unsigned long sink;
__attribute__((noinline)) void hot_library(long n) { for (long i = 0; i < n; i++) sink += i * i; }
__attribute__((noinline)) void through_library(void (*f)(long), long n) { f(n); sink++; }
END
    cat >plugin.c <<'END'
extern volatile unsigned long sink;
__attribute__((noinline)) void hot_plugin(long n) { for (long i = 0; i < n; i++) sink += i ^ n; }
END
    cat >main.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
void hot_library(long n); void through_library(void (*f)(long), long n); extern volatile unsigned long sink;
__attribute__((noinline)) void hot_program(long n) { for (long i = 0; i < n; i++) sink += i % 7; }
int main(void) {
    void *plugin = dlopen("./plugin.so", RTLD_NOW);
    if (!plugin) { puts(dlerror()); return 1; }
    for (int i = 0; i < 20; i++) {
        hot_program(5000000);
        hot_library(5000000);
        through_library((void (*)(long))dlsym(plugin, "hot_plugin"), 5000000);
    }
    return 0;
}
END
    flags="-g -O0 -fno-omit-frame-pointer"
    # shellcheck disable=SC2086 # options
    gcc $flags -fPIC -shared one.c -o libone.so && gcc $flags -fPIC -shared plugin.c -o plugin.so &&
        gcc $flags main.c -o main -L. -lone -Wl,-rpath,"$PWD" -Wl,--dynamic-linker="$interp" || exit 1
    perf record -q -e cpu-clock -F 499 -g -o data ./main 2>record.log || { tail -n 1 record.log; echo "no perf events here"; exit 77; }
    echo "== functions that matter"
    perf report -i data --no-children --stdio -q -g none --percent-limit 5 --sort dso,symbol 2>/dev/null |
        grep -vF '[k]' | # how long the kernel takes for what is a matter of the machine, not of who links
        sed -n 's/^ *[0-9.]*% *//p' | tr -s ' ' | sort
    echo "== chains"
    perf script -i data -F ip,sym,dso 2>/dev/null | awk '
        NF == 0 { if (chain ~ /hot_/) count[chain]++; chain = ""; done = 0; next }
        !done { chain = chain " " $2; if ($2 == "main") done = 1 }
        END { for (c in count) if (count[c] > 20) print c }' | sort
}
compare
