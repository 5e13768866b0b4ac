#include "scenario.h"
namespace {
struct Noisy {
    int uses = 0;
    Noisy() { say("born in %s", NAME); }
    ~Noisy() { say("dies in %s after %d", NAME, uses); }
};
}
static thread_local Noisy noisy;
extern "C" void use() { noisy.uses++; }
