#!/bin/sh
# exceptions.sh - C++ across libraries: exceptions thrown in one library and caught in another (linked, and loaded by
# dlopen), types compared over RTLD_LOCAL, thread_local destructors, inline statics, cancellation, backtraces, unloading.
. "$(dirname "$0")/lib.sh"
forms="namespace command interp"

work() {
    need g++
    cat >common.h <<'END'
#include <cstdio>
#include <stdexcept>
#include <string>
struct Trouble : std::runtime_error { int code; Trouble(const std::string &w, int c) : std::runtime_error(w), code(c) {} virtual ~Trouble(); };
struct Noisy { const char *name; explicit Noisy(const char *n) : name(n) { std::printf("+%s\n", n); } ~Noisy() { std::printf("-%s\n", name); } };
void thrower(int n); void passer(int n, void (*f)(int));
inline int &shared_static() { static int n = 0; return n; }
template <class T> struct Holder { static T value; }; template <class T> T Holder<T>::value = T();
END
    cat >thrower.cc <<'END'
#include "common.h"
Trouble::~Trouble() {}
static Noisy constructed("thrower library"); thread_local Noisy *per_thread;
void thrower(int n) { Noisy local("in thrower"); shared_static()++; Holder<int>::value += 10; if (n < 0) throw n; if (n == 0) throw Trouble("from the thrower", 42); throw std::out_of_range("n " + std::to_string(n)); }
END
    cat >passer.cc <<'END'
#include "common.h"
static Noisy constructed("passer library");
void passer(int n, void (*f)(int)) { Noisy local("in passer"); shared_static()++; Holder<int>::value++; try { f(n); } catch (const Trouble &t) { std::printf("passer saw %d\n", t.code); throw; } }
END
    cat >plugin.cc <<'END'
#include "common.h"
#include <typeinfo>
static Noisy constructed("plugin"); thread_local Noisy in_thread("plugin thread");
extern "C" void plugin(int n) { (void)in_thread.name; shared_static() += 100; passer(n, thrower); }
extern "C" const std::type_info *plugin_type() { return &typeid(Trouble); }
extern "C" void plugin_own() { struct Own {}; throw Own(); }
END
    cat >main.cc <<'END'
#include "common.h"
#include <cxxabi.h>
#include <dlfcn.h>
#include <exception>
#include <execinfo.h>
#include <future>
#include <pthread.h>
#include <thread>
#include <typeinfo>
#include <unistd.h>
static Noisy constructed("program");
typedef void (*action)(int);
static void attempt(action f, int n) {
    try { f(n); } catch (const Trouble &t) { std::printf("trouble %d %s\n", t.code, t.what()); } catch (const std::exception &e) { std::printf("other %s\n", e.what()); } catch (int i) { std::printf("int %d\n", i); }
}
static void over(int n) { passer(n, thrower); }
static void *cancelled(void *) { Noisy guard("cancelled thread"); for (;;) pause(); return 0; }
static int frames(int n) { if (n) return frames(n - 1) + 0 * n; void *at[64]; return backtrace(at, 64); }
int main(int, char **argv) {
    for (int n = -1; n < 2; n++) attempt(over, n);
    std::string path = std::string(argv[1]) + "/plugin.so";
    for (int flags : { RTLD_NOW | RTLD_LOCAL, RTLD_LAZY | RTLD_GLOBAL }) {
        void *handle = dlopen(path.c_str(), flags); if (!handle) { std::puts(dlerror()); return 1; }
        std::thread([&] { attempt((action)dlsym(handle, "plugin"), 0); }).join();
        auto type = ((const std::type_info *(*)())dlsym(handle, "plugin_type"))();
        std::printf("same type %d\n", *type == typeid(Trouble));
        try { ((void (*)())dlsym(handle, "plugin_own"))(); } catch (...) { std::printf("%s\n", abi::__cxa_current_exception_type()->name()); }
        std::printf("closed %d\n", dlclose(handle));
    }
    auto future = std::async(std::launch::async, [] { thrower(0); });
    try { future.get(); } catch (const Trouble &t) { std::printf("over a future %d\n", t.code); }
    std::exception_ptr kept; try { thrower(5); } catch (...) { kept = std::current_exception(); }
    std::thread([&] { try { std::rethrow_exception(kept); } catch (const std::out_of_range &e) { std::printf("rethrown %s\n", e.what()); } }).join();
    pthread_t thread; pthread_create(&thread, 0, cancelled, 0); usleep(20000); pthread_cancel(thread); void *result; pthread_join(thread, &result);
    std::printf("cancelled %d\n", result == PTHREAD_CANCELED);
    std::printf("statics %d %d, frames %d\n", shared_static(), Holder<int>::value, frames(10) > 11);
    int caught = 0; std::thread many[4]; for (auto &t : many) t = std::thread([&] { for (int i = 0; i < 2000; i++) try { throw Trouble("x", i); } catch (Trouble &) { __atomic_fetch_add(&caught, 1, __ATOMIC_RELAXED); } });
    for (auto &t : many) t.join();
    std::printf("caught %d\n", caught);
    std::set_terminate([] { std::puts("terminate"); std::fflush(stdout); _exit(9); });
    std::fflush(stdout);
    if (argv[2]) [] () noexcept { thrower(0); }();
    return 0;
}
END
    link="-O1 -g -fPIC -Wl,--dynamic-linker=$interp"
    # shellcheck disable=SC2086 # options
    g++ $link -shared thrower.cc -o libthrower.so && g++ $link -shared passer.cc -o libpasser.so &&
        g++ $link -shared plugin.cc -o plugin.so -L. -lpasser -lthrower -Wl,-rpath,"$PWD" &&
        g++ $link main.cc -o main -L. -lpasser -lthrower -Wl,-rpath,"$PWD" || exit 1
    PATH=.:$PATH
    run main "$PWD"
    echo "status $?"
    run main "$PWD" terminate | tail -n 3
    LD_BIND_NOW=1 run main "$PWD" | cksum
    g++ $link -static-libgcc main.cc -o main2 -L. -lpasser -lthrower -Wl,-rpath,"$PWD" && run main2 "$PWD" | cksum
}
compare
