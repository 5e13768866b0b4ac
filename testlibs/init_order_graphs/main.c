#include "scenario.h"
int main(int argc, char **argv)
{
    void *handles[8];
    say("main");
    for (int i = 1; i < argc; i++)
        handles[i] = must_open(argv[i], RTLD_NOW);
    for (int i = 1; i < argc; i++) {
        say("close %s", file_name(argv[i]));
        dlclose(handles[i]);
    }
    say("end");
    return 0;
}
