#include "scenario.h"
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        must_open(argv[i], RTLD_NOW);
    return argc > 9;
}
