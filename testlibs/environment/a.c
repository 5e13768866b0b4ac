#include "scenario.h"
__attribute__((constructor)) static void begin(void)
{
    say("constructor: %s", getenv("WORD") ? getenv("WORD") : "unset");
    setenv("FROM_LIBRARY", "set in constructor", 1);
}
const char *ask(const char *name) { const char *value = getenv(name); return value ? value : "unset"; }
