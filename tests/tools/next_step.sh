#!/usr/bin/env bash
# next_step.sh - an error of ld-ldr.so begins with the system linker's line and ends with a command; typed as it stands, the command
# names the cause. What the loaded objects have instead stands between them.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LDR_CACHE=off
ours=${LDR_LDSO:-$build/ld-ldr.so} system=/lib64/ld-linux-x86-64.so.2
if [ "$ours" = $system ]; then skip "next step" "the system's linker stands in for ours"; exit 0; fi
mkdir "$work/bin" "$work/a dir" && ln -s "$ldr" "$work/bin/ldr"
PATH=$work/bin:$PATH
cd "$work/a dir" || exit 1
cat >g.c <<'C'
int greet(void) { return 1; }
int salute(void) { return 2; }
C
cat >m.c <<'C'
int greet(void), salute(void);
int (*at_start)(void) = greet;
int main(int argc, char **argv) { return argc > 1 ? salute() : at_start(); }
C
cat >g.map <<'C'
G_2.4 { global: greet; local: *; };
G_2.36 { global: salute; } G_2.4;
C
lib() { gcc -shared -fPIC -Wl,-soname,libg.so -o libg.so g.c "$@"; } # FLAGS...
lib -Wl,--version-script=g.map
# shellcheck disable=SC2016 # for the linker
gcc -o "it's m" m.c -L. -lg -Wl,-rpath,'$ORIGIN'
lib && gcc -o plain m.c -L. -lg -Wl,-z,lazy

fails() { # NAME STATUS WORD...: the error of ours, its first line against the system's
    local name=$1 status=$2 theirs
    shift 2
    theirs=$("$system" "$@" 2>&1 | grep -v 'no version information')
    said=$("$ours" "$@" 2>&1)
    equal "$name: status" $? "$status"
    equal "$name: the first line is the system's" "$(grep -v 'no version information' <<<"$said" | head -1)" "$(head -1 <<<"$theirs")"
    step=$(tail -1 <<<"$said" | sed -n 's/^  next: //p')
}
typed() { # NAME PART: the command of the last line
    contains "$1: the command that it ends with names the cause" "$(sh -c "$step" 2>&1 | head -4)" "$2"
}

lib -Dgreet=greeet
fails "a name nearly the same" 127 "./it's m"
contains "it is suggested" "$said" "libg.so defines greeet, which is nearly the same name"
equal "its command" "$step" "ldr why './it'\\''s m' greet@G_2.4"
typed "a name nearly the same" "greet@G_2.4 is undefined"
lib -Dgreet=unlike
fails "no such name" 127 "./it's m"
equal "nothing is suggested" "$(grep -c defines <<<"$said")" 0
typed "no such name" "is undefined"

# Of two libraries the one that should have it has it in another version.
sed 's/G_2.4/G_2.5/' g.map >later.map
gcc -shared -fPIC -Wl,-soname,libh.so -Wl,--version-script=later.map -o libh.so g.c
printf 'G_2.4 { global: nothing; local: *; };\nG_2.36 { global: salute; } G_2.4;\n' >none.map
lib -Wl,--version-script=none.map -Dgreet=nothing
fails "the same name in another version" 127 --preload ./libh.so "./it's m"
contains "it is told" "$said" "./libh.so defines it as version G_2.5"
equal "the options of this start are the command's too" "$step" "ldr why -p ./libh.so './it'\\''s m' greet@G_2.4"
typed "the same name in another version" "greet@G_2.4 is undefined"

printf 'G_2.9 { global: greet; local: *; };\nG_2.12 { global: salute; } G_2.9;\n' >other.map
lib -Wl,--version-script=other.map
fails "a version that is missing" 1 "./it's m"
contains "the newest of its family, by number" "$said" "the newest it has is G_2.12"
equal "one command for two missing versions" "$(grep -c 'next:' <<<"$said")" 1
typed "a version that is missing" "is not in"

rm libg.so
fails "a missing library" 127 --library-path "/no where:/x" "./it's m"
equal "its command, to be typed as it is" "$step" "ldr check -L '/no where:/x' './it'\\''s m'"
typed "a missing library" "libg.so is not found"
echo 'no library' >libg.so
fails "a broken library" 127 --library-path . ./plain
typed "a broken library" "libg.so"
equal "a program by its bare name" "$("$ours" not-a-program-here 2>&1 | tail -1)" "  next: ldr run not-a-program-here (it looks in PATH)"
equal "a path that is not there: nothing more to tell" "$("$ours" ./nothing 2>&1 | wc -l)" 1

# At a first call, in the program and in what it has opened; dlerror has the line of the system's linker only.
lib -Dsalute=salut
fails "a function missing at its first call" 127 --library-path . ./plain x
contains "and then too" "$said" "libg.so defines salut, which is nearly the same name"
equal "its command" "$step" "ldr why -L . ./plain salute"
typed "a function missing at its first call" "salute"
cat >plugin.c <<'C'
int absent(void);
int call(void) { return absent(); }
C
cat >host.c <<'C'
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv) {
    void *plugin = dlopen("./plugin.so", argc > 1 ? RTLD_NOW : RTLD_LAZY);
    if (!plugin) return puts(dlerror()), 3;
    return ((int (*)(void))dlsym(plugin, "call"))();
}
C
gcc -shared -fPIC -Wl,-z,lazy -o plugin.so plugin.c && gcc -o host host.c
fails "a function missing in a library opened" 127 ./host
equal "the library is asked about, not the program" "$step" "ldr why ./plugin.so absent"
equal "dlerror" "$("$ours" ./host now 2>&1)" "$("$system" ./host now 2>&1)"

# A library that is loaded and defines it, opened RTLD_LOCAL: no file tells, only the run does.
cat >other.c <<'C'
int absent(void) { return 0; }
C
cat >apart.c <<'C'
#include <dlfcn.h>
int main(int argc, char **argv) {
    dlopen(argc > 1 ? argv[1] : "./other.so", RTLD_NOW | (argc > 2 ? RTLD_GLOBAL : RTLD_LOCAL));
    void *plugin = dlopen("./plugin.so", RTLD_LAZY);
    return ((int (*)(void))dlsym(plugin, "call"))();
}
C
gcc -shared -fPIC -o other.so other.c && gcc -o apart apart.c && : >none.c
gcc -shared -fPIC -Wl,-soname,bringer.so -Wl,--no-as-needed -o bringer.so none.c ./other.so
fails "defined by what was opened RTLD_LOCAL" 127 ./apart ./other.so
contains "why it does not count" "$said" "  ./other.so defines it, but was opened RTLD_LOCAL, so it is not in the scope of ./plugin.so"
equal "its command is the run again" "$step" "ldr trace -e dlopen,error ./apart ./other.so"
again=$(sh -c "$step" 2>&1)
contains "which tells how each was opened" "$again" "./other.so NOW|LOCAL by apart"
contains "and the cause" "$(grep ' error ' <<<"$again")" "./other.so defines it, but was opened RTLD_LOCAL"
fails "opened by a need of such a library" 127 --library-path '/no where' ./apart ./bringer.so
contains "it is named" "$said" "./other.so defines it, but was opened RTLD_LOCAL (with ./bringer.so), so"
equal "options are variables there" "$step" "LD_LIBRARY_PATH='/no where' ldr trace -e dlopen,error ./apart ./bringer.so"
"$ours" ./apart ./other.so global
equal "opened RTLD_GLOBAL it answers" $? 0
# As the system's linker searches: the constructor of a library opened RTLD_GLOBAL runs before it is global.
cat >early.c <<'C'
#include <dlfcn.h>
#include <stdlib.h>
int absent(void) { return 0; }
__attribute__((constructor)) static void early(void) { exit(((int (*)(void))dlsym(dlopen("./plugin.so", RTLD_LAZY), "call"))()); }
C
gcc -shared -fPIC -Wl,-soname,early.so -o early.so early.c
fails "defined by what is still being opened" 127 ./apart ./early.so global
contains "that is said, not RTLD_LOCAL" "$said" "./early.so defines it, but is still being opened, so it is not in the scope of ./plugin.so"
# In the dynamic symbol table, and hidden all the same: no link editor of today writes that, the linker refuses it.
gcc -shared -fPIC -Wl,-soname,libg.so -o libg.so g.c
python3 - libg.so greet <<'P'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
off, = struct.unpack_from("<Q", data, 0x28)
count, = struct.unpack_from("<H", data, 0x3c)
heads = [struct.unpack_from("<IIQQQQIIQQ", data, off + 64 * i) for i in range(count)]
sym = next(h for h in heads if h[1] == 11)
names = heads[sym[6]][4]
for at in range(sym[4], sym[4] + sym[5], 24):
    name = names + struct.unpack_from("<I", data, at)[0]
    if data[name:data.index(0, name)] == sys.argv[2].encode():
        data[at + 5] = 2
open(sys.argv[1], "wb").write(data)
P
fails "a symbol that is there and hidden" 127 --library-path . ./plain
contains "it is told" "$said" "libg.so has it, but hidden: for its own use only"
# Thousands of names to compare, thousands of times: the looks are counted.
seq 3000 | sed 's/.*/int very_long_name_of_a_function_&(void);/' >many.c
{ echo 'int (*all[])(void) = {'; seq 3000 | sed 's/.*/very_long_name_of_a_function_&,/'; echo '}; int main(void) { return !all[1]; }'; } >>many.c
seq 3000 | sed 's/.*/int very_long_name_of_a_function_&(void) { return 1; }/' >manylib.c
gcc -O0 -shared -fPIC -o libmany.so manylib.c && gcc -o many many.c -L. -lmany
sed 's/function_/functio_/' manylib.c >fewlib.c && gcc -O0 -shared -fPIC -o libmany.so fewlib.c
start=$EPOCHREALTIME
lines=$("$ours" --library-path . ./many 2>&1 | wc -l)
us=$((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}))
equal "3,000 missing names: each told, four looked for" "$((lines > 3000 && lines < 3030))" 1
equal "in a second ($us us)" "$((us < 1000000))" 1
