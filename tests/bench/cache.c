/* cache.c - the linker's cache of earlier starts, in a directory of the benchmark's own, in the state that a row shall be measured in. */
#define _GNU_SOURCE
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *directory;
static bool forgetting;

int cache_use(enum cache_state state, const char *parent)
{
    char *path = NULL;
    if (state == STATE_AS_IS)
        return 0;
    if (asprintf(&path, "%s/cache", parent) < 0 || (mkdir(path, 0700) && errno != EEXIST) || !(directory = realpath(path, NULL))) {
        fprintf(stderr, "bench: %s: %s\n", path ? path : parent, strerror(errno));
        return -1;
    }
    free(path);
    setenv("LDR_CACHE_DIR", directory, 1);
    setenv("LDR_CACHE", state == STATE_OFF ? "off" : "use", 1);
    command_environment_renew();
    forgetting = state == STATE_FIRST;
    return 0;
}

int cache_warm(char *const *argv)
{
    pid_t pid;
    int status = 0;
    setenv("LDR_CACHE", "now", 1);
    command_environment_renew();
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    int failure = posix_spawn(&pid, argv[0], &files, NULL, argv, command_environment());
    posix_spawn_file_actions_destroy(&files);
    if (!failure)
        waitpid(pid, &status, 0);
    setenv("LDR_CACHE", "use", 1);
    command_environment_renew();
    return failure ? -1 : 0;
}

void cache_forget(void)
{
    if (!forgetting)
        return;
    int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), lock = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    /* The run before may still be writing, in a process of its own. */
    flock(lock, LOCK_EX);
    DIR *entries = fdopendir(dup(dir));
    for (struct dirent *entry; entries && (entry = readdir(entries)) != NULL;)
        if (strcmp(entry->d_name, "lock") != 0 && entry->d_name[0] != '.')
            unlinkat(dir, entry->d_name, 0);
    if (entries)
        closedir(entries);
    close(lock);
    close(dir);
}
