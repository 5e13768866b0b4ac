/* steady.c - mappings whose lost pages are replaced in the handler of SIGBUS. It decides nothing and takes no lock: readers go on with zeros,
 * which they must bear from a hostile file anyway. */
#include "steady.h"
#include "../ldr.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

struct steady {
    u8 *at;
    u64 room;                         /* whole pages of the file, and one more */
    u64 len;
    bool lost;
    struct steady *older;
};
static struct steady *all;            /* only ever grows at its head: the handler may walk it at any time */
static struct sigaction before;

static void on_bus_error(int number, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno;
    u8 *page = (u8 *)((uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1));
    for (struct steady *steady = __atomic_load_n(&all, __ATOMIC_ACQUIRE); steady; steady = steady->older) {
        if (page < steady->at || page >= steady->at + steady->room)
            continue;
        if (mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            break;
        if ((u64)(page - steady->at) < steady->len)
            __atomic_store_n(&steady->lost, true, __ATOMIC_RELAXED);
        errno = saved;
        return;
    }
    sigaction(number, &before, NULL); /* not ours: it comes again when we return */
    errno = saved;
}

static void catch_bus_errors(void) {
    struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &before);
}

struct steady *steady_map(int fd, u64 len) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    u64 room = ((len - 1) / PAGE + 2) * PAGE;
    if (len > UINT64_MAX / 2) {
        errno = EFBIG;
        return NULL;
    }
    pthread_once(&once, catch_bus_errors);
    u8 *at = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (at == MAP_FAILED)
        return NULL;
    struct steady *steady = must_alloc(1, sizeof *steady);
    *steady = (struct steady){ .at = at, .room = room, .len = len, .older = __atomic_load_n(&all, __ATOMIC_RELAXED) };
    while (!__atomic_compare_exchange_n(&all, &steady->older, steady, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
    return steady;
}

u8 *steady_at(const struct steady *steady) { return steady->at; }

bool steady_lost(const struct steady *steady) { return __atomic_load_n(&steady->lost, __ATOMIC_RELAXED); }
