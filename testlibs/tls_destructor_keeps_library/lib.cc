#include "scenario.h"
struct Noisy {
    ~Noisy() { say("thread's object dies"); }
};
static thread_local Noisy noisy;
extern "C" void use() { (void)&noisy; say("used"); }
PRINT_LIFE("late")
