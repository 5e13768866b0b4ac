#include "scenario.h"
#include <sys/wait.h>
static void forked(int *in_child)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(in_child && *in_child ? 4 : 3);
    int status;
    waitpid(pid, &status, 0);
    say("forked %d", WEXITSTATUS(status));
}
int main(void)
{
    void *a = must_open("./liba.so", RTLD_NOW);
    ((void (*)(void))must_sym(a, "install"))();
    forked(must_sym(a, "in_child"));
    dlclose(a);
    say("closed %d", is_mapped("/liba.so"));
    forked(NULL);
    return 0;
}
