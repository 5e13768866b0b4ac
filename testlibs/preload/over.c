#include "scenario.h"
PRINT_LIFE(NAME)
int puts(const char *text)
{
    int (*next)(const char *) = must_sym(RTLD_NEXT, "puts");
    char line[100];
    snprintf(line, sizeof line, "%s(%s)", NAME, text);
    return next(line);
}
