/* opener LIBRARY [FUNCTION [fork]]: loads the library, calls FUNCTION() of it if given, has a child if asked to, says "ready PID" and
 * waits, as the child does, for the end of its input. */
#include <dlfcn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    if (!library) {
        fprintf(stderr, "opener: %s\n", argc > 1 ? dlerror() : "no library");
        return 1;
    }
    if (argc > 2) {
        void (*function)(void) = (void (*)(void))dlsym(library, argv[2]);
        if (!function) {
            fprintf(stderr, "opener: %s\n", dlerror());
            return 1;
        }
        function();
    }
    pid_t child = argc > 3 ? fork() : -1;
    if (child == 0) {
        char end;
        while (read(STDIN_FILENO, &end, 1) > 0)
            ;
        _exit(0);
    }
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    char end;
    while (read(STDIN_FILENO, &end, 1) > 0)
        ;
    if (child > 0)
        waitpid(child, NULL, 0);
    return 0;
}
