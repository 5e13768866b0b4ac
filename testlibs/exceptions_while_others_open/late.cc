#include "scenario.h"
#include <stdexcept>
extern "C" int caught_inside(int n)
{
    try { if (n >= 0) throw std::runtime_error("inside"); } catch (const std::exception &) { return n; }
    return -1;
}
