# project.sh - sourced by the scripts here: build_project makes, in the current folder, a program with a linked library
# and a plugin for dlopen, each with a constructor, thread-local data and a function to stop in.

build_project() {
    cat >one.c <<'END'
#include <stdio.h>
__thread int one_tls = 11;
int one_data = 1;
__attribute__((constructor)) static void one_start(void) { one_data++; }
__attribute__((noinline)) int one_function(int n) {
    one_tls += n;
    return one_tls + one_data;
}
int one_twice(int n, int (*f)(int)) {
    int r = f(n);
    return r + f(n);
}
END
    cat >plugin.c <<'END'
int one_function(int n);
__thread int plugin_tls = 33;
int plugin_data = 3;
__attribute__((constructor)) static void plugin_start(void) {
    plugin_data++;
}
__attribute__((noinline)) int plugin_function(int n) {
    plugin_tls += n;
    return one_function(n) + plugin_tls;
}
END
    cat >session.c <<'END'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int one_function(int n); int one_twice(int n, int (*f)(int)); extern __thread int one_tls;
__thread int main_tls = 22;
static pthread_barrier_t ready, done;
static int (*late)(int);
void meet(void) { }
static void *worker(void *by) {
    main_tls += (int)(long)by;
    one_tls += (int)(long)by;
    late((int)(long)by);
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&done);
    return 0;
}
int main(int argc, char **argv) {
    int r = one_function(1);
    void *plugin = dlopen("./plugin.so", RTLD_LAZY);
    if (!plugin) { puts(dlerror()); return 1; }
    late = (int (*)(int))dlsym(plugin, "plugin_function");
    r += late(2);
    pthread_t thread;
    pthread_barrier_init(&ready, 0, 2);
    pthread_barrier_init(&done, 0, 2);
    pthread_create(&thread, 0, worker, (void *)100);
    pthread_barrier_wait(&ready);
    usleep(100000); // the worker has time to reach its next barrier
    meet();
    pthread_barrier_wait(&done);
    pthread_join(thread, 0);
    r += one_twice(3, late);
    dlclose(plugin);
    printf("result %d\n", r);
    fflush(stdout);
    if (argc > 1 && !strcmp(argv[1], "crash")) *(volatile int *)0 = r;
    return 0;
}
END
    # Lazy binding on purpose: a debugger has to step through the resolver.
    gcc -g -O0 -fPIC -shared one.c -o libone.so -Wl,-soname,libone.so -Wl,-z,lazy &&
        gcc -g -O0 -fPIC -shared plugin.c -o plugin.so -Wl,-z,lazy &&
        gcc -g -O0 session.c -o main -L. -lone -lpthread -Wl,-z,lazy -Wl,-rpath,"$PWD" -Wl,--dynamic-linker="$interp"
}
