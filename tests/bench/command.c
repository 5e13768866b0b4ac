/* command.c - the surroundings of a measured command: environment, cpu, and its text for messages. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* A caller's LD_LIBRARY_PATH, locale or huge environment would be measured too (search paths, locale
 * archives, bytes on the stack), so every run gets the same few words. LDR_* passes: it is how one
 * measures a setting of our linker. */
static bool environment_changed;

void command_environment_renew(void)
{
    environment_changed = true;
}

char **command_environment(void)
{
    enum { MAX = 64 };
    static char *list[MAX + 1];
    if (list[0] && !environment_changed)
        return list;
    environment_changed = false;
    size_t count = 0;
    list[count++] = "PATH=/usr/bin:/bin";
    list[count++] = "HOME=/";
    list[count++] = "LC_ALL=C";
    for (char **entry = environ; *entry && count < MAX; entry++)
        if (!strncmp(*entry, "LDR_", 4))
            list[count++] = *entry;
    list[count] = NULL;
    return list;
}

const char *command_text(char *const *argv)
{
    static char text[1024];
    size_t used = 0;
    text[0] = '\0';
    for (; *argv && used < sizeof text; argv++) {
        int wrote = snprintf(text + used, sizeof text - used, used ? " %s" : "%s", *argv);
        if (wrote < 0)
            break;
        used += (size_t)wrote;
    }
    return text;
}

int pin_to_cpu(int cpu)
{
    cpu_set_t set;
    if (cpu < 0) {
        /* The last one: interrupts and small daemons tend to live on the first. */
        if (sched_getaffinity(0, sizeof set, &set))
            return -errno;
        for (int i = 0; i < CPU_SETSIZE; i++)
            if (CPU_ISSET(i, &set))
                cpu = i;
    }
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) ? -errno : cpu;
}

enum { RUN_LIMIT_S = 60 };
static volatile pid_t limited;

static void kill_limited(int signal)
{
    (void)signal;
    if (limited > 0)
        kill(limited, SIGKILL);
}

void limit_run(pid_t pid)
{
    limited = pid;
    signal(SIGALRM, kill_limited);
    alarm(pid ? RUN_LIMIT_S : 0);
}
