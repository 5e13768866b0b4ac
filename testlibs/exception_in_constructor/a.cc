#include "scenario.h"
#include <stdexcept>
#include <string>
struct Global {
    Global() { try { std::string("x").at(5); } catch (const std::out_of_range &) { say("caught in constructor"); } }
    ~Global() { try { throw 1; } catch (int) { say("caught in destructor"); } }
};
static Global global;
