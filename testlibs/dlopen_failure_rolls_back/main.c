#include "scenario.h"
static int count(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)info, (void)size;
    return ++*(int *)data, 0;
}
static int objects(void)
{
    int n = 0;
    dl_iterate_phdr(count, &n);
    return n;
}
int main(int argc, char **argv)
{
    (void)argc;
    int before = objects();
    void *handle = dlopen(argv[1], RTLD_NOW);
    const char *error = dlerror();
    say("%s", handle ? "opened" : error);
    say("%d %d %d", is_mapped("libneeds_"), is_mapped("libpresent"), objects() - before);
    say("%s", dlerror() ? "error still there" : "cleared");
    handle = dlopen("libpresent.so", RTLD_NOW);
    say("%d %d", handle != NULL, objects() - before);
    return 0;
}
