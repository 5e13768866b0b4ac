#include "scenario.h"
#include <spawn.h>
#include <sys/wait.h>
extern char **environ;
int main(void)
{
    char *args[] = { "./child", "argument", NULL };
    pid_t pid;
    int status;
    pid = vfork();
    if (pid == 0) {
        execv(args[0], args);
        _exit(99);
    }
    waitpid(pid, &status, 0);
    say("vfork %d", WEXITSTATUS(status));
    int spawned = posix_spawn(&pid, args[0], NULL, NULL, args, environ);
    waitpid(pid, &status, 0);
    say("spawned %d %d", spawned, WEXITSTATUS(status));
    say("none %d", posix_spawnp(&pid, "no-such-program-here", NULL, NULL, args, environ) != 0);
    char line[100] = "";
    FILE *pipe = popen("./child popen", "r");
    if (!fgets(line, sizeof line, pipe))
        say("nothing read");
    line[strcspn(line, "\n")] = 0;
    say("'%s' %d", line, WEXITSTATUS(pclose(pipe)));
    say("system %d", WEXITSTATUS(system("./child system")));
    pid = fork();
    if (pid == 0)
        execve(args[0], args, (char *[]){ "WORD=other", NULL });
    waitpid(pid, &status, 0);
    say("exec %d", WEXITSTATUS(status));
    return 0;
}
