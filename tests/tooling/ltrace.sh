#!/bin/sh
# ltrace.sh - library calls of a program linked the old way (lazy, no IBT), followed by breakpoints in its PLT, which
# ltrace finds through the list of objects that the linker publishes.
. "$(dirname "$0")/../real/lib.sh"
forms="interp namespace"

work() {
    need ltrace gcc
    cat >main.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int one_function(int n);
int main(void) {
    char *p = malloc(24);
    strcpy(p, "traced");
    puts(p);
    int r = one_function(strlen(p)) + abs(atoi("41"));
    free(p);
    return r;
}
END
    echo 'int one_function(int n) { return n + 1; }' >one.c
    gcc -fPIC -shared -fcf-protection=none one.c -o libone.so &&
        gcc -O0 -fno-builtin -no-pie -fcf-protection=none -Wl,-z,lazy main.c -o main -L. -lone -Wl,-rpath,"$PWD" -Wl,--dynamic-linker="$interp" || exit 1
    timeout 20 ltrace -o trace ./main
    echo "status $?"
    cat trace
    timeout 20 ltrace -c ./main 2>&1 | awk '{ print $NF }' | sort
}
tidy() { sed 's/0x[0-9a-f]*/ADDRESS/g' | tr -s ' '; }
compare
