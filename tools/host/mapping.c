/* mapping.c - see mapping.h. The handler lays a page of zeros where the file's is gone, and the access is made again: readers check what
 * they read anyway, because any file may hold anything. */
#include "mapping.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static struct mapping *all;

static void on_bus_error(int number, siginfo_t *info, void *context) {
    const uintptr_t at = (uintptr_t)info->si_addr;
    (void)context;
    for (struct mapping *mapping = all; mapping; mapping = mapping->next)
        if (at - (uintptr_t)mapping->bytes < mapping->len &&
            mmap((void *)(at & ~(uintptr_t)(PAGE - 1)), PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
            mapping->cut = true;
            return;
        }
    signal(number, SIG_DFL);          /* not ours: it comes again */
}

bool mapping_open(struct mapping *mapping, const char *path, struct stat *st) {
    *mapping = (struct mapping){ 0 };
    /* looked at before it is opened: opening a device can do something */
    if (stat(path, st) != 0 || !S_ISREG(st->st_mode))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    void *bytes = MAP_FAILED;
    if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_size > 0)
        bytes = mmap(NULL, (size_t)st->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0)
        close(fd);
    if (bytes == MAP_FAILED)
        return false;
    struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };
    if (!all)
        sigaction(SIGBUS, &action, NULL);
    *mapping = (struct mapping){ bytes, (size_t)st->st_size, false, all };
    all = mapping;
    return true;
}

void mapping_close(struct mapping *mapping) {
    if (!mapping->bytes)
        return;
    for (struct mapping **at = &all; *at; at = &(*at)->next)
        if (*at == mapping) {
            *at = mapping->next;
            break;
        }
    munmap((void *)(uintptr_t)mapping->bytes, mapping->len);
    mapping->bytes = NULL;
}
