#!/bin/sh
# compile.sh - gcc and clang build a C and C++ project with make: a static and two shared libraries, thread-local data,
# libc through its linker script (which names /lib64/ld-linux-x86-64.so.2 as a library, so ours is linked against), every
# linker of the machine, LTO, static-pie. The files must be the same byte for byte, and run the same.
. "$(dirname "$0")/lib.sh"
limit=300

work() {
    need gcc g++ clang make readelf
    cat >counter.h <<'END'
#ifdef __cplusplus
extern "C" {
#endif
extern __thread int counter; int count(int by); const char *label(void); double mean(const double *v, int n);
#ifdef __cplusplus
}
#endif
END
    cat >counter.c <<'END'
#include "counter.h"
#include <pthread.h>
__thread int counter = 3; static __thread char name[16] = "counter"; static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
int count(int by) { pthread_mutex_lock(&lock); counter += by; pthread_mutex_unlock(&lock); return counter; }
const char *label(void) { return name; }
END
    cat >mean.c <<'END'
#include "counter.h"
#include <math.h>
double mean(const double *v, int n) { double s = 0; for (int i = 0; i < n; i++) s += sqrt(v[i]); return s / n; }
END
    cat >shapes.cc <<'END'
#include "shapes.h"
#include <stdexcept>
#include <string>
Shape::~Shape() {}
struct Square : Shape { double side; explicit Square(double s) : side(s) { if (s < 0) throw std::invalid_argument("side " + std::to_string(s)); } double area() const override { return side * side; } };
std::unique_ptr<Shape> make_square(double side) { return std::make_unique<Square>(side); }
thread_local int made = 0;
END
    cat >shapes.h <<'END'
#include <memory>
struct Shape { virtual ~Shape(); virtual double area() const = 0; };
std::unique_ptr<Shape> make_square(double side);
extern thread_local int made;
END
    cat >main.cc <<'END'
#include "counter.h"
#include "shapes.h"
#include <algorithm>
#include <iostream>
#include <map>
#include <thread>
#include <vector>
int main(int argc, char **argv) {
    std::map<std::string, int> words; for (int i = 0; i < argc; i++) words[i ? argv[i] : "program"]++;
    std::vector<std::thread> threads; std::vector<int> seen(4);
    for (int t = 0; t < 4; t++) threads.emplace_back([t, &seen] { for (int i = 0; i < 100; i++) count(t); made = t; seen[t] = counter + made; });
    for (auto &t : threads) t.join();
    for (int s : seen) std::cout << s << ' ';
    double v[] = { 1, 4, 9 }; std::cout << counter << ' ' << label() << ' ' << mean(v, 3) << ' ' << words.size() << '\n';
    try { std::cout << make_square(3)->area() << '\n'; make_square(-1); } catch (const std::exception &e) { std::cout << "caught " << e.what() << '\n'; }
    return counter;
}
END
    cat >Makefile <<'END'
all: project project-static
libmean.a: mean.o
	$(AR) rcs $@ $^
libcounter.so: counter.o
	$(CC) -shared -Wl,-z,defs -Wl,-soname,libcounter.so $(LINK) -o $@ $^ -lpthread
libshapes.so: shapes.o
	$(CXX) -shared -Wl,-z,defs -Wl,-soname,libshapes.so $(LINK) -o $@ $^
project: main.o libmean.a libcounter.so libshapes.so
	$(CXX) $(LINK) -o $@ main.o -L. -lcounter -lshapes -lmean -lm -Wl,-rpath,'$$ORIGIN'
project-static: main.o mean.o counter.o shapes.o
	$(CXX) $(LINK) -static-pie -o $@ $^ -lm
%.o: %.c counter.h
	$(CC) -O2 -g -fPIC $(CFLAGS) -c -o $@ $<
%.o: %.cc counter.h shapes.h
	$(CXX) -O2 -g -fPIC -std=c++17 $(CFLAGS) -c -o $@ $<
END
    cp -r . ../copy
    build() {
        echo "== $*"
        rm -f ./*.o ./*.so ./*.a project project-static
        make -j2 -s "$@" 2>&1 || return 0
        cksum libmean.a libcounter.so libshapes.so project project-static
        readelf -dW libcounter.so project | sed -n 's/.*(\(NEEDED\|SONAME\|RUNPATH\|FLAGS.*\)) */\1 /p'
        readelf -VW libcounter.so | grep -o 'Name: GLIBC[^ ]*'
        ./project a b a
        echo "status $?"
        ./project-static a
        echo "status $?"
    }
    build CC=gcc CXX=g++
    build CC=clang CXX=clang++
    build CC=gcc CXX=g++ LINK='-Wl,-z,now -Wl,-z,relro -Wl,--hash-style=both' CFLAGS=-mtls-dialect=gnu2
    ! command -v ld.gold >/dev/null || build CC=gcc CXX=g++ LINK=-fuse-ld=gold project
    ! command -v ld.lld >/dev/null || build CC=clang CXX=clang++ LINK=-fuse-ld=lld
    build CC=gcc CXX=g++ CFLAGS='-flto -frandom-seed=1 -fno-fat-lto-objects' LINK=-flto AR=gcc-ar
    printf '%s\n' '#include <stdio.h>' 'int main(void) { puts("one step"); return 6; }' >one.c
    gcc one.c -o one && ./one
    echo "status $?"
    gcc -no-pie -pg one.c -o one && ./one && test -s gmon.out
    echo 'int main(void) { return undefined(); }' >bad.c
    gcc -w bad.c -o bad 2>&1 | grep -o 'undefined reference.*'
    gcc -w -c bad.c -o bad.o && ld bad.o -o bad -dynamic-linker /lib64/ld-linux-x86-64.so.2 -lc 2>&1 | grep -c undefined
    ldd project | sed 's/ (0x[0-9a-f]*)//' | sort
    gcc -print-file-name=libc.so | xargs cat | grep GROUP
    echo 'int tls(void *); extern __thread int v; int f(void) { return v; }' >gd.c
    gcc -shared -fPIC gd.c -o gd.so && readelf -dW gd.so | grep -o 'NEEDED.*'
}
compare
