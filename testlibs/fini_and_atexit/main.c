#include "scenario.h"
static void first(void) { say("atexit first"); }
static void second(void) { say("atexit second"); }
static void on_end(int status, void *word) { say("on_exit %d %s", status, (char *)word); }
PRINT_LIFE("main")
int main(int argc, char **argv)
{
    (void)argv;
    atexit(first);
    void *late = must_open("liblate.so", RTLD_NOW);
    atexit(second);
    on_exit(on_end, "word");
    if (argc > 1) {
        dlclose(late);
        say("closed");
    }
    exit(5);
}
