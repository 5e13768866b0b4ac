/* ldso.c - finds ld-ldr.so: by variable, beside the binary, or where it was installed. */
#include "ldso.h"
#include "../ldr.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef LDR_PREFIX
#define LDR_PREFIX "/usr/local"
#endif

/* NULL with errno set when PATH is no executable regular file. */
static char *usable(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        return NULL;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EACCES;
        return NULL;
    }
    if (access(path, R_OK | X_OK) != 0)
        return NULL;
    return realpath(path, NULL);
}

/* The file of this process; by the name it was executed by where there is no /proc. NULL: not known. */
static char *own_file(void) {
    char exe[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (length > 0)
        return must_format("%.*s", (int)length, exe);
    const char *name = (const char *)getauxval(AT_EXECFN);
    return name ? realpath(name, NULL) : NULL;
}

static char *find(bool quiet) {
    const char *chosen = secure_getenv("LDR_LDSO");
    if (chosen && *chosen) {
        char *path = usable(chosen);
        if (!path && !quiet)
            warn_ldr("LDR_LDSO=%s: %s", chosen, strerror(errno));
        return path;
    }
    char *tried[3] = { NULL };
    int count = 0;
    char *exe = own_file(), *slash = exe ? strrchr(exe, '/') : NULL;
    if (slash) {
        *slash = '\0';
        tried[count++] = must_format("%s/ld-ldr.so", exe);
        tried[count++] = must_format("%s/../lib/ldr/ld-ldr.so", exe);
    }
    free(exe);
    tried[count++] = must_format("%s/lib/ldr/ld-ldr.so", LDR_PREFIX);
    char *found = NULL;
    for (int i = 0; i < count && !found; i++)
        found = usable(tried[i]);
    if (!found && !quiet) {
        warn_ldr("cannot find ld-ldr.so (set LDR_LDSO to its path); tried:");
        for (int i = 0; i < count; i++) {
            free(usable(tried[i])); /* again, for this path's own errno */
            fprintf(stderr, "    %s: %s\n", tried[i], strerror(errno));
        }
    }
    for (int i = 0; i < count; i++)
        free(tried[i]);
    return found;
}

char *find_ldso(void) { return find(false); }
char *find_ldso_quietly(void) { return find(true); }
