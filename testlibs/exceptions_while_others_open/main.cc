#include "scenario.h"
#include <atomic>
#include <stdexcept>
#include <thread>
static std::atomic<bool> stop;
static std::atomic<long> caught, bad;
static void deep(int n) { if (n == 0) throw std::runtime_error("deep"); deep(n - 1); asm volatile(""); }
int main()
{
    std::thread throwers[2], openers[2];
    for (auto &t : throwers) t = std::thread([] {
        for (int i = 0; i < 3000; i++) try { deep(i % 20); bad++; } catch (const std::runtime_error &) { caught++; }
    });
    for (auto &t : openers) t = std::thread([] {
        for (int i = 0; i < 100 || !stop; i++) {
            void *late = must_open("./liblate.so", RTLD_NOW);
            bad += ((int (*)(int))must_sym(late, "caught_inside"))(i) != i;
            dlclose(late);
        }
    });
    for (auto &t : throwers) t.join();
    stop = true;
    for (auto &t : openers) t.join();
    say("%ld %ld", caught.load(), bad.load());
}
