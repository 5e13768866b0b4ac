/* scenario.h - what scenario sources share: printing that works in constructors, and a line per event.
 * No addresses, no process ids: the text must be the same under every linker. */
#ifndef SCENARIO_H
#define SCENARIO_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <dlfcn.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* say - print one line at once: through no buffer, so that order across libraries, constructors and a crash is real. */
__attribute__((unused, format(printf, 1, 2))) static void say(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (len > (int)sizeof line - 2)
        len = (int)sizeof line - 2;
    line[len++] = '\n';
    if (write(1, line, (size_t)len) < 0)
        _exit(99);
}

/* raw_say - the same with no call into libc: for resolvers and code that runs before libc is relocated. */
__attribute__((unused, always_inline)) static inline void raw_say(const char *text, unsigned long len)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(1L), "D"(1L), "S"(text), "d"(len) : "rcx", "r11", "memory");
}

/* file_name - the part of a path after the last slash: link-map names without the machine's directories. */
__attribute__((unused)) static const char *file_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "(null)";
}

/* is_mapped - whether some line of /proc/self/maps names the file. */
__attribute__((unused)) static int is_mapped(const char *name)
{
    char line[4096];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        found |= strstr(line, name) != NULL;
    if (maps)
        fclose(maps);
    return found;
}

/* page_rights - the rwxp column of the mapping that holds the address, or "none". */
__attribute__((unused)) static const char *page_rights(const void *address)
{
    static __thread char rights[8];
    unsigned long low, high, at = (unsigned long)address;
    char line[4096];
    strcpy(rights, "none");
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) {
        char seen[8];
        if (sscanf(line, "%lx-%lx %4s", &low, &high, seen) == 3 && low <= at && at < high)
            strcpy(rights, seen);
    }
    if (maps)
        fclose(maps);
    return rights;
}

/* must_open, must_sym - dlopen and dlsym that end the program with dlerror's text. */
__attribute__((unused)) static void *must_open(const char *name, int flags)
{
    void *handle = dlopen(name, flags);
    if (!handle) {
        say("dlopen %s: %s", name, dlerror());
        exit(98);
    }
    return handle;
}

__attribute__((unused)) static void *must_sym(void *handle, const char *name)
{
    dlerror();
    void *address = dlsym(handle, name);
    if (!address) {
        say("dlsym %s: %s", name, dlerror());
        exit(97);
    }
    return address;
}

/* Lines for the start and end of an object: PRINT_LIFE("a") in a library's source. */
#define PRINT_LIFE(name)                                                         \
    __attribute__((constructor)) static void life_begins(void) { say("+" name); } \
    __attribute__((destructor)) static void life_ends(void) { say("-" name); }
#endif
