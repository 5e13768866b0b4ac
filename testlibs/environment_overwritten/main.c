#include "scenario.h"
#include <string.h>

extern char **environ;

int main(int argc, char **argv)
{
    char *first = argv[0], *end = first;
    for (int i = 0; i < argc; i++)
        if (argv[i] == end)
            end += strlen(end) + 1;
    for (char **e = environ; *e; e++)
        if (*e == end)
            end += strlen(end) + 1;
    say("more than the arguments: %s", end - first > 40 ? "yes" : "no");
    memset(first, 'x', (size_t)(end - first - 1));
    const char *(*word)(void) = must_sym(must_open("libword.so", RTLD_NOW), "word");
    say("%s", word());
    return 0;
}
