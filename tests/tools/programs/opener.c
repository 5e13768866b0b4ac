/* opener LIBRARY [FUNCTION]: loads the library, calls FUNCTION() of it if given, says "ready PID" and waits for the end of its input. */
#include <dlfcn.h>
#include <stdio.h>
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
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    char end;
    while (read(STDIN_FILENO, &end, 1) > 0)
        ;
    return 0;
}
