#include "scenario.h"
int main(int argc, char **argv)
{
    int len = atoi(argv[1]);
    char *name = malloc((size_t)len + 1);
    memset(name, 'x', (size_t)len);
    name[len] = 0;
    if (argc > 2)
        for (int i = 0; i < len; i += 100)
            name[i] = '/';
    void *handle = dlopen(name, RTLD_NOW);
    const char *error = handle ? "opened" : dlerror();
    say("%.20s ... %s", error, error + strlen(error) - 45);
    return 0;
}
