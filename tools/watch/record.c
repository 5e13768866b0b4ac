/* record.c - page faults of one program by perf events: the tracepoints that tell reading from writing where they may be used (root, and
 * tracefs), else the software event, of the kernel's faults too where that is allowed (CAP_PERFMON, or perf_event_paranoid up to 1), else
 * of the program's own, which everybody may see (up to 2). What is less than all is said, and written into the record.
 *
 * One ring for each CPU, because an event that new threads inherit cannot have one for all. The program is stopped at a pipe
 * until all events are open, and they count from its execve on. */
#include "../host/forward.h"
#include "../host/life.h"
#include "../ldr.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RING_PAGES = 64, PAGE = 4096, DRAIN_MS = 50, RECORD_MAX = 8192 /* a path and its numbers fit */ };

struct ring {
    int fds[2]; /* the second's samples go into the first's ring; -1: none */
    struct perf_event_mmap_page *head;
};

struct watcher {
    struct ring *rings;
    size_t ring_count;
    enum watch_seen seen;
    pid_t pid;
    FILE *out;
    uint64_t lost;
    const char *refused; /* what failed, when something did */
};

static int open_event(struct perf_event_attr *attr, pid_t pid, int cpu) {
    return (int)syscall(SYS_perf_event_open, attr, pid, cpu, -1, (unsigned long)PERF_FLAG_FD_CLOEXEC);
}

#define TRACEFS "/sys/kernel/tracing"
static const char *const trace_folders[] = { TRACEFS, "/sys/kernel/debug/tracing" };

/* Number of a tracepoint; 0 and errno when it may not be read. */
static uint64_t tracepoint_id(const char *name) {
    unsigned long long id = 0;
    int error = ENOENT;
    for (size_t i = 0; i < 2 && !id; i++) {
        char *path = must_format("%s/events/exceptions/%s/id", trace_folders[i], name);
        FILE *file = fopen(path, "re");
        if (file && fscanf(file, "%llu", &id) != 1)
            id = 0;
        if (!file && errno != ENOENT)
            error = errno; /* it is there for others */
        if (file)
            fclose(file);
        free(path);
    }
    errno = error;
    return id;
}

/* Why tracepoints could not be used; ERROR is of their numbers, or of opening them. */
static char *missing_tracepoints(bool found, int error) {
    struct statfs fs;
    if (found)
        return must_format("the page-fault tracepoints may not be used (%s; needs CAP_PERFMON)", strerror(error));
    if (error != ENOENT)
        return must_format("the tracepoints in " TRACEFS " may not be read (%s; root may)", strerror(error));
    for (size_t i = 0; i < 2; i++)
        if (statfs(trace_folders[i], &fs) == 0 && fs.f_type == TRACEFS_MAGIC)
            return must_format("the kernel has no page-fault tracepoints");
    return must_format("tracefs is not mounted (mount -t tracefs none " TRACEFS ")");
}

static bool open_ring(struct watcher *watcher, struct ring *ring, int cpu, const uint64_t ids[2]) {
    struct perf_event_attr attr = { .size = sizeof attr, .sample_period = 1, .disabled = 1, .enable_on_exec = 1, .inherit = 1,
                                    .watermark = 1, .wakeup_watermark = RING_PAGES * PAGE / 4,
                                    /* what comes and goes at an address, with times: the first event alone tells */
                                    .mmap = 1, .mmap_data = 1, .comm = 1, .comm_exec = 1, .sample_id_all = 1 };
    ring->fds[0] = ring->fds[1] = -1;
    if (watcher->seen == SEEN_WRITES) {
        attr.type = PERF_TYPE_TRACEPOINT;
        attr.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW;
        for (int i = 0; i < 2; i++) {
            attr.config = ids[i];
            attr.mmap = attr.mmap_data = attr.comm = attr.comm_exec = i == 0;
            ring->fds[i] = open_event(&attr, watcher->pid, cpu);
            if (ring->fds[i] < 0) {
                watcher->refused = "perf_event_open";
                return false;
            }
        }
    } else {
        attr.type = PERF_TYPE_SOFTWARE;
        attr.config = PERF_COUNT_SW_PAGE_FAULTS;
        attr.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR;
        attr.exclude_kernel = watcher->seen == SEEN_USER_FAULTS;
        ring->fds[0] = open_event(&attr, watcher->pid, cpu);
        if (ring->fds[0] < 0) {
            watcher->refused = "perf_event_open";
            return false;
        }
    }
    watcher->refused = "mapping its ring (see perf_event_mlock_kb)";
    void *at = mmap(NULL, (1 + RING_PAGES) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fds[0], 0);
    if (at == MAP_FAILED)
        return false;
    ring->head = at;
    return ring->fds[1] < 0 || ioctl(ring->fds[1], PERF_EVENT_IOC_SET_OUTPUT, ring->fds[0]) == 0;
}

static void close_rings(struct watcher *watcher) {
    for (size_t i = 0; i < watcher->ring_count; i++) {
        struct ring *ring = &watcher->rings[i];
        if (ring->head)
            munmap(ring->head, (1 + RING_PAGES) * PAGE);
        for (int k = 0; k < 2; k++)
            if (ring->fds[k] >= 0)
                close(ring->fds[k]);
    }
    free(watcher->rings);
    watcher->rings = NULL;
    watcher->ring_count = 0;
}

static bool open_rings_of(struct watcher *watcher, enum watch_seen seen, const uint64_t ids[2]) {
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    watcher->seen = seen;
    watcher->rings = must_alloc((size_t)cpus, sizeof *watcher->rings);
    bool good = true;
    for (long cpu = 0; cpu < cpus && good; cpu++) {
        struct ring *ring = &watcher->rings[watcher->ring_count++];
        good = open_ring(watcher, ring, (int)cpu, ids);
        if (!good && (errno == ENODEV || errno == ENXIO)) { /* a CPU that is not there */
            good = true;
            watcher->ring_count--;
        }
    }
    if (good && watcher->ring_count)
        return true;
    int error = errno;
    close_rings(watcher);
    errno = error;
    return false;
}

static int paranoid(void) {
    int value = -1;
    FILE *file = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
    if (file && fscanf(file, "%d", &value) != 1)
        value = -1;
    if (file)
        fclose(file);
    return value;
}

/* As much as may be seen; what is less than all is said. Nothing: false after a message. */
static bool open_rings(struct watcher *watcher) {
    const uint64_t ids[2] = { tracepoint_id("page_fault_user"), tracepoint_id("page_fault_kernel") };
    bool found = ids[0] && ids[1];
    if (found && open_rings_of(watcher, SEEN_WRITES, ids))
        return true;
    char *missing = missing_tracepoints(found, errno);
    bool some = open_rings_of(watcher, SEEN_FAULTS, ids);
    if (some)
        warn_ldr("%s: recorded are faults, not whether they wrote, so the last of a page counts", missing);
    else if ((some = open_rings_of(watcher, SEEN_USER_FAULTS, ids)))
        warn_ldr("%s: recorded are the program's own faults, not whether they wrote, so the last of a page counts; what the kernel writes for it "
                 "in system calls is not seen (perf_event_paranoid is %d; needs CAP_PERFMON, or at most 1)", missing, paranoid());
    else if (errno == EACCES || errno == EPERM)
        warn_ldr("page faults cannot be watched, and the program was not started: %s: %s (perf_event_paranoid is %d; needs CAP_PERFMON, or at most 2)",
                 watcher->refused, strerror(errno), paranoid());
    else
        warn_ldr("page faults cannot be watched, and the program was not started: %s: %s", watcher->refused, strerror(errno));
    free(missing);
    return some;
}

const char *watch_seen_name(enum watch_seen seen) {
    static const char *const names[] = { [SEEN_USER_FAULTS] = "user-faults", [SEEN_FAULTS] = "faults", [SEEN_WRITES] = "writes" };
    return names[seen];
}

struct sample_raw { uint64_t common, address, instruction, error; };

static void take_sample(struct watcher *watcher, const uint8_t *at, size_t len) {
    uint64_t instruction = 0, time, address;
    uint32_t ids[2];
    char kind = 'f';
    if (watcher->seen != SEEN_WRITES) {
        if (len < 32)
            return;
        memcpy(&instruction, at, 8);
        memcpy(ids, at + 8, 8);
        memcpy(&time, at + 16, 8);
        memcpy(&address, at + 24, 8);
    } else {
        struct sample_raw raw;
        if (len < 20 + sizeof raw)
            return;
        memcpy(ids, at, 8);
        memcpy(&time, at + 8, 8);
        memcpy(&raw, at + 20, sizeof raw);
        if (!(raw.error & 2)) /* bit 1 of the CPU's error code: a write */
            return;
        instruction = raw.instruction;
        address = raw.address;
        kind = instruction >> 63 ? 'k' : 'w';
    }
    if ((pid_t)ids[0] == watcher->pid) /* not a process it forked */
        fprintf(watcher->out, "%" PRIu64 " %" PRIx64 " %" PRIx64 " %c\n", time, address, instruction, kind);
}

/* A mapping or an execve. The last 16 bytes of such records are process, thread and time (sample_id). */
static void take_change(struct watcher *watcher, const struct perf_event_header *header, const uint8_t *at, size_t len) {
    uint32_t pid;
    uint64_t time, place[2] = { 0, 0 };
    bool exec = header->type == PERF_RECORD_COMM;
    if (len < 8 + 16 + sizeof place || (exec && !(header->misc & PERF_RECORD_MISC_COMM_EXEC)))
        return;
    memcpy(&pid, at, sizeof pid);
    memcpy(&time, at + len - 8, sizeof time);
    if (!exec)
        memcpy(place, at + 8, sizeof place);
    if ((pid_t)pid == watcher->pid)
        fprintf(watcher->out, "%" PRIu64 " %" PRIx64 " %" PRIx64 " %c\n", time, place[0], place[1], exec ? 'x' : 'm');
}

static void drain(struct watcher *watcher, struct ring *ring) {
    const uint8_t *data = (const uint8_t *)ring->head + PAGE;
    size_t size = RING_PAGES * PAGE;
    uint64_t end = __atomic_load_n(&ring->head->data_head, __ATOMIC_ACQUIRE), at = ring->head->data_tail;
    while (end - at >= sizeof(struct perf_event_header)) {
        uint8_t record[RECORD_MAX];
        struct perf_event_header header;
        for (size_t i = 0; i < sizeof header; i++)
            ((uint8_t *)&header)[i] = data[(at + i) % size];
        if (header.size < sizeof header || header.size > end - at)
            break;
        size_t len = header.size - sizeof header;
        for (size_t i = 0; i < len && i < sizeof record; i++)
            record[i] = data[(at + sizeof header + i) % size];
        if (header.type == PERF_RECORD_SAMPLE) {
            take_sample(watcher, record, len < sizeof record ? len : sizeof record);
        } else if ((header.type == PERF_RECORD_MMAP || header.type == PERF_RECORD_COMM) && len <= sizeof record) {
            take_change(watcher, &header, record, len);
        } else if (header.type == PERF_RECORD_LOST && len >= 16) {
            uint64_t lost;
            memcpy(&lost, record + 8, sizeof lost);
            watcher->lost += lost;
        }
        at += header.size;
    }
    __atomic_store_n(&ring->head->data_tail, at, __ATOMIC_RELEASE);
}

static void drain_all(struct watcher *watcher) {
    for (size_t i = 0; i < watcher->ring_count; i++)
        drain(watcher, &watcher->rings[i]);
    fflush(watcher->out);
}

int watch_run(const char *file, const char *program, char **args) {
    struct watcher watcher = { .out = fopen(file, "we") };
    int gate[2];
    if (!watcher.out || pipe2(gate, O_CLOEXEC) != 0) {
        warn_ldr("%s: cannot be written: %s", file, strerror(errno));
        return LDR_EXIT_OWN;
    }
    pid_t child = forward_fork(0);
    if (child == 0) {
        char go;
        close(gate[1]);
        if (read(gate[0], &go, 1) != 1)
            _exit(LDR_EXIT_OWN);
        execv(program, args);
        warn_ldr("%s: cannot be executed: %s", program, strerror(errno));
        _exit(LDR_EXIT_OWN);
    }
    close(gate[0]);
    watcher.pid = child;
    if (child < 0)
        warn_ldr("fork: %s", strerror(errno));
    if (child < 0 || !open_rings(&watcher)) {
        close(gate[1]); /* the child ends */
        if (child > 0)
            waitpid(child, NULL, 0);
        fclose(watcher.out);
        return LDR_EXIT_OWN;
    }
    fprintf(watcher.out, "ldr-writes 1 %d %" PRIu64 " %s\n", (int)child, life_number(child, LIFE_START), watch_seen_name(watcher.seen));
    fflush(watcher.out);
    if (write(gate[1], "g", 1) != 1)
        warn_ldr("the program could not be started: %s", strerror(errno));
    close(gate[1]);
    int status = 0;
    pid_t ended;
    struct pollfd *ready = must_alloc(watcher.ring_count + 1, sizeof *ready);
    int end = (int)syscall(SYS_pidfd_open, child, 0); /* -1 before Linux 5.3: poll leaves it out, and the end is seen a moment later */
    for (size_t i = 0; i < watcher.ring_count; i++)
        ready[i] = (struct pollfd){ .fd = watcher.rings[i].fds[0], .events = POLLIN };
    ready[watcher.ring_count] = (struct pollfd){ .fd = end, .events = POLLIN };
    while ((ended = waitpid(child, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
        poll(ready, watcher.ring_count + 1, DRAIN_MS);
        drain_all(&watcher);
    }
    forward_end();
    drain_all(&watcher);
    free(ready);
    if (end >= 0)
        close(end);
    if (watcher.lost)
        warn_ldr("%" PRIu64 " faults came too fast and are not in %s", watcher.lost, file);
    close_rings(&watcher);
    fclose(watcher.out);
    if (WIFSIGNALED(status)) { /* end as it did */
        struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}
