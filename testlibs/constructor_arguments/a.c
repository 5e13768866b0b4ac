#include "scenario.h"
extern char **environ;
__attribute__((constructor)) static void begin(int argc, char **argv, char **envp)
{
    const char *word = "missing";
    for (char **e = envp; *e; e++)
        if (strncmp(*e, "WORD=", 5) == 0)
            word = *e;
    say("%d %s %s %s %d", argc, argv[argc - 1], argv[argc] ? "unterminated" : "terminated", word, envp == environ);
}
