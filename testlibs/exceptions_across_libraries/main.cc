#include "scenario.h"
#include "error.h"
extern "C" void through(int);
static void attempt(void (*call)(int), int kind)
{
    try { call(kind); }
    catch (const Problem &p) { say("Problem %s %d", p.what(), p.code); }
    catch (int i) { say("int %d", i); }
    catch (const std::exception &e) { say("exception %s", e.what()); }
}
int main()
{
    for (int kind = 0; kind < 3; kind++) attempt(through, kind);
    for (int round = 0; round < 2; round++) {
        void *late = must_open("./liblate.so", RTLD_NOW);
        attempt((void (*)(int))must_sym(late, "throw_late"), round);
        dlclose(late);
    }
    try { dlopen("./libnone.so", RTLD_NOW) ?: throw Problem(strstr(dlerror(), "libnone") ? "no libnone" : "?"); }
    catch (const Problem &p) { say("%s", p.what()); }
}
