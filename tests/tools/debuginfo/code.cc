/* code.cc - functions in several pieces, inside of functions, and without debug information of their own: every instruction must have its line. */
#include "code.h"
#include <cstdio>
#include <cstdlib>

int table[100];
__attribute__((cold, noinline)) void report(const char *text) { fprintf(stderr, "%s\n", text); }

__attribute__((noinline)) int two_pieces(int n, const int *more) {
    int sum = 0;
    for (int i = 0; i < n; i++) sum += table[i] * i;
    if (__builtin_expect(sum == 12345, 0)) { report("odd"); report("more"); abort(); }
    return sum + *more;
}

namespace outer {
template <class function_type> __attribute__((noinline)) int run(const function_type &function) { return function(3) + 1; }
namespace { __attribute__((noinline)) int hidden(int a) { return a + table[a & 7]; } }
}

int nested(int n) {
    struct local {
        int value;
        __attribute__((noinline)) int get(int a) const { return table[a] + value; }
    };
    if (n > 5) {
        auto inner = [n](int a) { local l{a}; return l.get(n) + outer::hidden(a); };
        return outer::run(inner);
    }
    return from_header(n);
}
