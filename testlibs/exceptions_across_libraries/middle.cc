#include "scenario.h"
#include "error.h"
extern "C" void throw_problem(int);
struct Guard { ~Guard() { say("unwound"); } };
extern "C" void through(int kind)
{
    Guard guard;
    try { throw_problem(kind); } catch (const std::logic_error &e) { say("middle: %s", e.what()); throw; }
}
