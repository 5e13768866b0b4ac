#include "scenario.h"
#include <sys/wait.h>
static void forked(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(3);
    int status;
    waitpid(pid, &status, 0);
    say("forked %d", WEXITSTATUS(status));
}
int main(void)
{
    void *a = must_open("./liba.so", RTLD_NOW);
    ((void (*)(void))must_sym(a, "install"))();
    forked();
    dlclose(a);
    say("closed %d", is_mapped("/liba.so"));
    forked();
    return 0;
}
