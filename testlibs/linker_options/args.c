#include "scenario.h"
int main(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        say("%s", argv[i]);
    return 0;
}
