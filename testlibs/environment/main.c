#include "scenario.h"
#include <sys/wait.h>
extern char **environ;
const char *ask(const char *);
int main(void)
{
    static char put[] = "WORD=put";
    say("%s", getenv("FROM_LIBRARY"));
    putenv(put);
    say("%s", ask("WORD"));
    setenv("NEW", "new", 1);
    fflush(stdout);
    say("child: %d", WEXITSTATUS(system("echo $WORD $NEW; exit 4")));
    unsetenv("NEW");
    say("%s", ask("NEW"));
    clearenv();
    say("%s", ask("WORD"));
    char *fresh[] = { "WORD=fresh", NULL };
    environ = fresh;
    say("%s", ask("WORD"));
    return 0;
}
