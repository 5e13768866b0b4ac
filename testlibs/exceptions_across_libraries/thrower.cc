#include "scenario.h"
#include "error.h"
extern "C" void
#ifdef LATE
throw_late
#else
throw_problem
#endif
(int kind)
{
    if (kind == 0) throw Problem("problem");
    if (kind == 1) throw 42;
    throw std::logic_error("logic");
}
