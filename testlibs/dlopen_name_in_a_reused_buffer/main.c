#include "scenario.h"
#include <sys/mman.h>
int main(int argc, char **argv)
{
    (void)argc;
    char *name = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(name, argv[1]);
    void *handle = must_open(name, RTLD_NOW);
    strcpy(name, "libnothere.so");
    say("libnothere.so %s", dlopen("libnothere.so", RTLD_NOW) ? "opened" : "refused");
    munmap(name, 4096);
    say("same again %d", dlopen(argv[1], RTLD_NOW) == handle);
    say("libnothere.so %s", dlopen("libnothere.so", RTLD_NOW) ? "opened" : "refused");
    must_open("liblater.so", RTLD_NOW);
    return 0;
}
