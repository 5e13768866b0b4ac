#!/bin/sh
# openmp.sh - OpenMP programs of gcc (libgomp) and clang (libomp): parallel loops, reductions, tasks, thread-private data,
# nested regions; the libraries are also loaded late, by dlopen.
. "$(dirname "$0")/lib.sh"
forms="namespace command interp"

work() {
    need gcc clang
    cat >loops.c <<'END'
#include <omp.h>
#include <stdio.h>
#include <math.h>
static int mine; 
#pragma omp threadprivate(mine)
static long fib(int n) {
    if (n < 2) return n;
    long a, b;
    #pragma omp task shared(a) if (n > 15)
    a = fib(n - 1);
    b = fib(n - 2);
    #pragma omp taskwait
    return a + b;
}
int run(void) {
    double sum = 0; int threads = 0; long f = 0, nested = 0; static double v[100000];
    #pragma omp parallel for reduction(+ : sum) schedule(dynamic, 100)
    for (int i = 0; i < 100000; i++) { v[i] = sqrt(i); sum += i % 7; }
    #pragma omp parallel
    { mine = omp_get_thread_num() + 1;
      #pragma omp single
      { threads = omp_get_num_threads(); f = fib(22); }
      #pragma omp critical
      nested += mine; }
    #pragma omp parallel num_threads(3)
    #pragma omp parallel num_threads(2)
    #pragma omp atomic
    nested += 100;
    #pragma omp simd
    for (int i = 0; i < 100000; i++) v[i] *= 2;
    printf("sum %.0f threads %d fib %ld nested %ld v %.3f\n", sum, threads, f, nested, v[99999]);
    return 0;
}
END
    echo 'int run(void); int main(void) { return run(); }' >main.c
    cat >late.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv) { void *h = dlopen(argv[1], RTLD_NOW); if (!h) { puts(dlerror()); return 1; } return ((int (*)(void))dlsym(h, "run"))(); }
END
    export OMP_NUM_THREADS=4 OMP_MAX_ACTIVE_LEVELS=2 OMP_DYNAMIC=false
    PATH=.:$PATH
    gcc -Wl,--dynamic-linker="$interp" late.c -o late || exit 1
    for compiler in gcc clang; do
        $compiler -O2 -fopenmp -Wl,--dynamic-linker="$interp" main.c loops.c -lm -o "$compiler-main" &&
            $compiler -O2 -fopenmp -fPIC -shared loops.c -lm -o "$compiler-loops.so" || { echo "no OpenMP for $compiler"; exit 77; }
        run "$compiler-main"
        run late "./$compiler-loops.so"
    done
    run late "./clang-loops.so" && OMP_PROC_BIND=true OMP_DISPLAY_ENV=true run gcc-main 2>&1 | grep -E 'OPENMP|fib'
}
compare
