#!/usr/bin/env bash
# Mangled names of a few hundred bytes that stand for more than any memory holds: each part of them is named twice in the next. Whoever
# demangles them must leave them as they are, within a moment.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# 40 times a pair of the pair before; "S_" is std::pair, "S0_" the first one of ints
pairs=$(python3 -c 'd = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
print("St4pairIiiE" + "".join(f"S_IS{d[i // 36] if i > 35 else str()}{d[i % 36]}_S{d[i // 36] if i > 35 else str()}{d[i % 36]}_E" for i in range(40)))')
cd "$work" || exit 1
build() { gcc -x c - -o "$@" 2>"$work/gcc.err" || { echo "not ok $1 is compiled"; sed 's/^/    /' "$work/gcc.err"; exit 1; }; }
build libhas.so -shared -fPIC <<<"int has(void) __asm__(\"_Z1f$pairs\"); int has(void) { return 0; }"
build libother.so -shared -fPIC -Wl,-soname,libhas.so <<<'int other;'
build needs -L. -lhas -Wl,-rpath,"$work/nowhere" <<<"int has(void) __asm__(\"_Z1f$pairs\"); int main(void) { return has(); }" -xnone libhas.so
build short -L. -Wl,--unresolved-symbols=ignore-all <<<'int f(int) __asm__("_Z1fSt4pairIiiES_IS0_S0_E"); int main(void) { return f(0); }'
mkdir nowhere

asked() { found=0; timeout 20 "$ldr" "$@" >"$work/out" 2>"$work/err" || found=$?; } 2>/dev/null
asked check needs
equal "check: an answer within a moment" "$found" 6
asked why needs "_Z1f$pairs"
contains "why: an answer within a moment" "$found $(cat "$work/out")" "_Z1fSt4pair"
cp libother.so nowhere/libhas.so
asked check needs
contains "check: the name that nobody defines, as it is" "$found $(cat "$work/out")" "_Z1fSt4pair"
asked why short _Z1fSt4pairIiiES_IS0_S0_E
contains "a name of ordinary size is readable as ever" "$(cat "$work/out")" "f(std::pair<int, int>, std::pair<std::pair<int, int>, std::pair<int, int> >)"

# The name of the type of an exception is the program's memory, where anything may stand.
cat >thrower.cc <<X
#include <cstdlib>
#include <exception>
#include <sys/mman.h>
#include <typeinfo>
struct Boom { int a; };
char names[3][1000] = { "Fv${pairs}E", "7\033[2Jboo", "7\xff\xfezzzzz" };
int main(int count, char **) {
    char *type = (char *)&typeid(Boom);
    mprotect((void *)((long)type & -4096), 8192, PROT_READ | PROT_WRITE);
    *(const char **)(type + 8) = names[count - 1];
    std::set_terminate(abort); // the usual one writes the name itself
    throw Boom();
}
X
g++ -o thrower thrower.cc || exit 1
died() { # ARGUMENTS...; $report on one line: what it died of
    asked run --crash-report ./thrower "$@"
    report=$(grep -a 'died of' "$work/err")
}
died
equal "an exception whose type's name is too long: the program's death is reported within a moment" "$found" 134
contains "an exception whose type's name is too long: without it" "$report" "ended by std::terminate(): an exception that nothing catches"
died 1
contains "a name with a terminal's commands in it: none comes through" "$(cat -v <<<"$report")" "an exception ("
equal "a name with a terminal's commands in it: no escape" "$(grep -ac $'\033' "$work/err")" 0
died 1 2
equal "a name that is no text: the report is" "$(iconv -f UTF-8 -t UTF-8 "$work/err" >/dev/null && echo text)" text
