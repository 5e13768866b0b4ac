#!/usr/bin/env bash
# ld_debug.sh - LD_DEBUG tells what the system's linker tells: the same bindings, searches, order of constructors, for real programs and
# programs made for it; LD_DEBUG_OUTPUT, help, words not known, and silence in a set-user-ID program.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LDR_CACHE=off
system=/lib64/ld-linux-x86-64.so.2
ours=${LDR_LDSO:-$build/ld-ldr.so}
if [ "$ours" = "$system" ]; then skip "LD_DEBUG" "the system's linker stands in for ours"; exit 0; fi

oracle=$(realpath "$here")/ld_debug.py
compare() { timeout 100 python3 "$oracle" "$system" "$ours" "$@"; }
compare /bin/true
compare /bin/ls /
compare /bin/bash -c ':'
compare /usr/bin/env
compare "$(readlink -f /usr/bin/perl)" -MPOSIX -e 'print 1'
compare "$(readlink -f /usr/bin/gcc)" --version
compare "$(readlink -f /usr/bin/g++)" --version
compare /usr/bin/tar --version
compare /usr/bin/make --version
compare /usr/bin/find / -maxdepth 0
compare /usr/bin/apt-get --version
if [ -x /usr/bin/python3 ]; then compare "$(readlink -f /usr/bin/python3)" -c 'import ssl, sqlite3, ctypes'; else skip "python3" "not installed"; fi

# Every kind of path list: RPATH, RUNPATH with $ORIGIN, LD_LIBRARY_PATH, directories that do not exist, a library opened and closed.
cd "$work" || exit 1
mkdir -p lib run
cat >needed.c <<'C'
int needed(void) { return 1; }
C
cat >plugin.c <<'C'
int needed(void);
int plugin(void) { return needed(); }
C
cat >main.c <<'C'
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        void *handle = dlopen(argv[i], RTLD_NOW);
        if (handle) {
            printf("%p\n", dlsym(handle, "plugin"));
            dlclose(handle);
        }
    }
    return 0;
}
C
gcc -shared -fPIC -o lib/libneeded.so needed.c
# shellcheck disable=SC2016 # for the linker, not the shell
gcc -shared -fPIC -o run/libplugin.so plugin.c -Llib -lneeded -Wl,--enable-new-dtags,-rpath,'/nonexistent:$ORIGIN/../lib'
# shellcheck disable=SC2016
gcc -o main main.c -Wl,--disable-new-dtags,-rpath,'$ORIGIN/nowhere:$ORIGIN/run'
compare "$work/main" libplugin.so libz.so.1 libmissing.so
LD_LIBRARY_PATH=/nonexistent:$work/run:$work/lib:/tmp compare "$work/main" libplugin.so

# statistics: the same count of relocations. Cycles differ.
relocations() { LD_BIND_NOW=1 LD_DEBUG=statistics "$1" /bin/ls / 2>&1 >/dev/null | sed -n 's/.*number of relative relocations: //p'; }
equal "statistics count the relative relocations of /bin/ls" "$(relocations "$ours")" "$(relocations "$system")"

equal "LD_DEBUG=help, but for the category that is ours alone" "$(LD_DEBUG=help "$ours" /bin/true | grep -v '^  cache  ')" "$(LD_DEBUG=help "$system" /bin/true)"
equal "an unknown word" "$(LD_DEBUG=nonsense "$ours" /bin/true 2>&1)" "$(LD_DEBUG=nonsense "$system" /bin/true 2>&1)"
equal "several words by comma, colon and blank" "$(LD_DEBUG='x,y:z w' "$ours" /bin/true 2>&1)" "$(LD_DEBUG='x,y:z w' "$system" /bin/true 2>&1)"
lines=$(LD_DEBUG=files LD_DEBUG_OUTPUT=$work/where "$ours" /bin/true 2>&1; cat "$work"/where.* | wc -l)
equal "LD_DEBUG_OUTPUT takes the lines into one file with the process id" "$([ "$lines" -gt 5 ] && find "$work" -name 'where.*' | wc -l)" 1
equal "a file that cannot be made: standard output" \
    "$(LD_DEBUG=files LD_DEBUG_OUTPUT=/nonexistent/x "$ours" /bin/true 2>/dev/null | grep -c 'generating link map')" \
    "$(LD_DEBUG=files LD_DEBUG_OUTPUT=/nonexistent/x "$system" /bin/true 2>/dev/null | grep -c 'generating link map')"
equal "output of the program stays its own" "$(LD_DEBUG=all "$ours" /bin/echo hello 2>/dev/null)" hello

# A set-user-ID program with our linker as PT_INTERP must not tell, nor make files.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    mkdir -p "$work/open"; chmod 777 "$work/open"
    printf 'int main(void) { return 0; }\n' >suid.c
    cp "$ours" "$work/linker.so"; chmod 755 "$work/linker.so"
    gcc -o suid suid.c -Wl,--dynamic-linker="$work/linker.so"
    plain=$(setpriv --reuid=65534 --regid=65534 --clear-groups env LD_DEBUG=all "$work/suid" 2>&1 | wc -l)
    chmod u+s suid
    told=$(setpriv --reuid=65534 --regid=65534 --clear-groups env LD_DEBUG=all LD_DEBUG_OUTPUT="$work/open/out" LDR_TRACE="$work/open/record" \
        "$work/suid" 2>&1 | wc -l)
    equal "the same program tells without the bit" "$([ "$plain" -gt 50 ] && echo yes)" yes
    if grep -q nosuid <(findmnt -no OPTIONS --target "$work"); then skip "set-user-ID" "the file system is mounted nosuid"
    else equal "a set-user-ID program tells nothing and makes no file" "$told $(find "$work/open" -type f | wc -l)" "0 0"; fi
else
    skip "set-user-ID program" "needs root and setpriv"
fi
