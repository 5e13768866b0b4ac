/* cache.c - one start and the cache: is there a record, may one be made, and the steps of start/main.c that differ then. */
#include "cache_private.h"
#include "../debug/events.h"

#define LOCK_EXCLUSIVE 2
#define LOCK_EXCLUSIVE_NOW 6          /* LOCK_EX | LOCK_NB */

struct cache cache;

bool cache_is_warm(void) { return cache.state == CACHE_WARM; }
bool cache_is_making(void) { return cache.state == CACHE_MAKE; }

void cache_spoil_by(const char *why, const char *what)
{
    if (cache.state != CACHE_MAKE || cache.spoilt)
        return;
    cache.spoilt = why;
    cache_miss(why, what);
}

void cache_spoil(const char *why)
{
    cache_spoil_by(why, "");
}

/* Valgrind learns what an object is from its data mapped from its own file, and counts on relocation being seen. Its own way of asking
 * (valgrind.h, a sequence that does nothing on a processor). */
static bool under_valgrind(void)
{
    u64 ask[6] = { 0x1001 }, answer = 0;
    u64 *at = ask;
    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi; xchgq %%rbx, %%rbx"
                     : "+d"(answer) : "a"(at) : "cc", "memory");
    return answer != 0;
}

/* "system-warm", "secure-check": `ldr cache --system` and `--secure` name the store before the word. */
static enum store_kind asked_store(void)
{
    const char *asks = session.config.cache;
    return asks && str_starts(asks, "system-") ? STORE_SYSTEM : asks && str_starts(asks, "secure-") ? STORE_SECURE : STORE_USER;
}

bool cache_asked(const char *word)
{
    const char *asks = session.config.cache;
    return asks && str_equal(asks + (asked_store() == STORE_USER ? 0 : strlen("system-")), word);
}

bool cache_is_asked_why(void) { return WATCHED(WATCH_CACHE | WATCH_RECORD) || cache_asked("require"); }

/* A word that is none of these is taken for `off`: who writes "0", "no" or "OFF" means that. */
static bool is_known_word(void)
{
    static const char words[][8] = { "", "off", "use", "now", "require", "verify", "warm", "check" };
    for (u32 i = 0; i < sizeof words / sizeof words[0]; i++)
        if (cache_asked(words[i]))
            return true;
    return !session.config.cache;
}

/* The one switch that no environment turns back. */
#define NO_CACHE "/etc/ld-ldr.so.nocache"

/* Settings under which no start is made from a record, and none recorded; NULL: it may be. */
static const char *why_unused(void)
{
    const struct config *c = &session.config;
    return c->trace ? "the start only lists" : cache_asked("off") ? "LDR_CACHE=off" :
           !is_known_word() ? "LDR_CACHE has no such word" : sys_access(NO_CACHE, 0) == 0 ? NO_CACHE " is there" :
           !age_limit() ? "LDR_CACHE_MAX_AGE is no length of time" :
           session.watch & WATCH_STEPS ? "LD_DEBUG asks for steps that a start from a record leaves out" : c->audit ? "LD_AUDIT is set" :
           c->bind_not ? "LD_BIND_NOT is set" : c->dynamic_weak ? "LD_DYNAMIC_WEAK is set" : c->verbose ? "LD_VERBOSE is set" :
           c->show_auxv ? "LD_SHOW_AUXV is set" : session.kernel.page != LDR_PAGE ? "pages are not of 4 KiB" : under_valgrind() ? "it runs under valgrind" : NULL;
}

void cache_close(void)
{
    if (cache.lock >= 0)
        sys_close(cache.lock);
    if (cache.dir >= 0)
        sys_close(cache.dir);
    cache.lock = cache.dir = -1;
}

void cache_end(void)
{
    cache_close();
    witness_unwatch();
    session.bind_ahead = false;
    scratch_free(&cache.scratch);
    cache.state = CACHE_OFF;
}

/* No record will be made of this start: the first reason counts. */
static void end_unmade(const char *why)
{
    if (WATCHED(WATCH_CACHE | WATCH_RECORD)) {
        cache_miss(cache.spoilt ? cache.spoilt : why, "");
        event_cache(CACHE_NOT_MADE, cache.miss);
    }
    cache_end();
}

void cache_drop(void)
{
    if (cache.state == CACHE_MAKE)
        end_unmade("nothing to link: the program is static");
    gate_close();
}

/* LDR_CACHE=warm and =check (`ldr cache warm`, `ldr cache verify`) are starts that end before any code of the program or its libraries'
 * constructors runs. Status 0: the record is there, or holds; 1: it is not, and why. */
static bool is_dry(void) { return cache_asked("warm") || cache_asked("check"); }

static _Noreturn void end_dry(int status)
{
    const char *why = cache.miss[0] ? cache.miss : cache.spoilt ? cache.spoilt : "no record could be written";
    if (status) {
        sys_write_all(2, why, strlen(why));
        sys_write_all(2, "\n", 1);
    }
    sys_exit(status);
}

void cache_end_dry(const char *why)
{
    if (!is_dry())
        return;
    cache_miss(why, "");
    end_dry(1);
}

/* The value of one line of /proc/self/status, as text; "" when there is none. */
static const char *status_line(const char *status, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = status; at; at = str_chr(at, '\n')) {
        at += *at == '\n';
        if (str_starts(at, name))
            return at + len;
        if (!*at)
            break;
    }
    return "";
}

/* Making does what a plain start does not: it writes files, has another process, asks one processor. Where that could kill the program
 * or be noticed, nothing is made. */
NOINLINE bool cache_may_make(void)
{
    char status[2048];
    u64 limit[2];
    int fd = sys_open_read("/proc/self/status");
    long len = fd < 0 ? -1 : sys_read(fd, status, sizeof status - 1);
    if (fd >= 0)
        sys_close(fd);
    if (len <= 0)
        return cache_miss("/proc/self/status cannot be read", "");
    status[len] = 0;
    if (status_line(status, "TracerPid:\t")[0] != '0' && !session.config.watched)
        return cache_miss("a debugger is attached", "");
    if (status_line(status, "Seccomp:\t")[0] != '0')
        return cache_miss("system calls are filtered", "");
    /* SIGXFSZ would end whoever writes more. */
    if (sys_call(__NR_prlimit64, 0, 1 /* RLIMIT_FSIZE */, 0, (long)limit, 0, 0) != 0 || limit[0] != ~0ull)
        return cache_miss("the size of files is limited", "");
    const char *why = store_refuses_makers(cache.dir);
    return !why || cache_miss(why, "");
}

bool cache_take_lock(void)
{
    cache.lock = sys_openat(cache.dir, "lock", O_RDWR | O_CREAT, 0600);
    if (cache.lock < 0)
        return cache_miss("the directory's lock cannot be opened, it may not be writable", "");
    int err = (int)sys_flock(cache.lock, cache_asked("warm") || cache_asked("now") ? LOCK_EXCLUSIVE : LOCK_EXCLUSIVE_NOW);
    if (err != 0)
        return cache_miss(err == -11 /* EAGAIN */ ? "somebody else is making a record" : "the directory's lock cannot be had, or a signal ended the wait for it", "");
    /* Two descriptors more than without a cache: not where they are short. */
    u64 limit[2];
    return (sys_call(__NR_prlimit64, 0, 7 /* RLIMIT_NOFILE */, 0, (long)limit, 0, 0) == 0 && (u64)cache.lock + 8 <= limit[0]) ||
           cache_miss("too few descriptors", "");
}

/* One maker at a time; who comes second starts as if there were no cache, or waits where a record must be there when it begins. */
static bool begin_making(const char *program, const struct stat *st)
{
    if (cache.store != STORE_USER && !cache.record && !is_dry())
        return cache_miss("only `ldr cache warm` fills the system's stores", "");
    if (!cache_may_make())
        return false;
    cache.scratch = (struct arena){ .more = scratch_more, .zeroed = true };
    if (!cache.record && !cache_take_lock())
        return false;
    u8 *key = arena_alloc(&cache.scratch, cache.key_len);
    if (!key || !(cache.catalog = catalog_read(cache.record)))
        return false;
    cache.key = memcpy(key, cache.key, cache.key_len);
    if (!gate_open(cache.catalog->head.base))
        return false;
    if (is_dry() && (!is_for_all(st) || !become_nobody(program))) {
        gate_close();
        return false;
    }
    cache.state = CACHE_MAKE;
    witness_watch();
    session.bind_ahead = true;
    return true;
}

static bool begin_warm(const struct record_head *record, int program_fd)
{
    if (!gate_open(record->gate))
        return cache_miss("place of the gate taken", "");
    if (!attach_all(record, cache.dir, program_fd)) {
        gate_close();
        return false;
    }
    cache.record = record;
    cache.state = CACHE_WARM;
    if (program_fd >= 0)
        session.program = cache.object[0];
    return true;
}

/* This start uses no cache: LDR_CACHE=require and the starts that are to end early end here. */
static bool use_none(const char *why)
{
    cache_end_dry(why);
    cache_close();
    if (cache_is_asked_why()) {
        cache_miss(why, "");
        event_cache(CACHE_MISS, cache.miss);
    }
    if (cache_asked("require") && !session.config.trace) {
        report_errno(&session.report, LDR_E_CACHE, cache.miss, 0);
        sys_exit(127);
    }
    return false;
}

#define KEY_ROOM 2048u

static bool read_key(const char *path, const struct stat *st, char *key)
{
    static bool booted;
    booted = booted || store_read_boot(cache.boot);
    return (booted && key_make(path, st, key, KEY_ROOM)) || cache_miss("its key is too long, or there is no boot id", "");
}

/* One store. True: warm. Otherwise its directory is open or cache.dir negative, and cache.record is set when it shall be verified. */
static bool look_in(enum store_kind store, const char *path, int fd, const struct stat *st, char *key)
{
    cache.store = store;
    cache.dir = store_open(store == STORE_USER || (store == asked_store() && cache_asked("warm")));
    if (cache.dir < 0)
        return cache_miss(store == STORE_USER ? "no directory for records that is this user's and group's alone" : "no directory of the system for records", "");
    if (!read_key(path, st, key)) {
        cache_close();
        return false;
    }
    const struct record_head *record = record_read(cache.dir, path);
    if (record && (cache_asked("verify") || cache_asked("check")))
        cache.record = record;
    /* Whoever warms sets the limit of age anew. */
    else if (record && !(cache_asked("warm") && record->max_age != age_to_record()) && begin_warm(record, fd))
        return true;
    else if (record)
        sys_munmap((void *)record, record->size);
    return false;
}

/* The system's store, when `own` (negative: none), the user's, does not hold; a record is made in the user's. */
static bool look_in_system(int own, const char *path, int fd, const struct stat *st, char *key)
{
    bool warm = look_in(STORE_SYSTEM, path, fd, st, key), looked = cache.dir >= 0;
    if (!warm && !cache.record) {
        cache_close();
        cache.dir = own;
        cache.store = STORE_USER;
        if (own >= 0 && looked && !read_key(path, st, key))
            cache_close();
    } else {
        if (own >= 0)
            sys_close(own);
        cache.dir_name = NULL;        /* what dlopen brings has its places in the user's store: not beside these */
    }
    return warm;
}

static bool look_everywhere(const char *path, int fd, const struct stat *st, char *key)
{
    if (asked_store() != STORE_USER)
        return look_in(asked_store(), path, fd, st, key);
    if (session.config.secure)
        return store_user() == 0 && look_in(STORE_SECURE, path, fd, st, key);
    if (is_plain_user()) {
        if (look_in(STORE_USER, path, fd, st, key))
            return true;
        if (cache.record || is_dry())
            return false;
    }
    return look_in_system(cache.dir, path, fd, st, key);
}

NOINLINE bool cache_look(const char *path, int fd, const struct stat *st)
{
    char key[KEY_ROOM] __attribute__((aligned(8)));
    cache.lock = cache.dir = -1;
    if (asked_store() == STORE_SECURE && is_dry())
        session.config.secure = true; /* all of it goes by the rules of a set-user-ID program, and ends before that would run */
    if (fd < 0) {
        struct file_identity program;
        identity_of(st, &program);
        session.program->file_hash = identity_hash(&program);
    }
    const char *unused = why_unused();
    if (unused || !path || (asked_store() == STORE_SECURE && (!is_dry() || session.way != START_INTERPRETER)))
        return use_none(unused ? unused : path ? "only a start by the kernel is made as a set-user-ID program's" : "the program has no path");
    if (look_everywhere(path, fd, st, key)) {
        if (cache_asked("warm"))
            end_dry(0);
        cache_close();
        return true;
    }
    if (cache.dir < 0)
        return use_none("no store for a process with these privileges");
    if (!cache.record && (cache_asked("require") || cache_asked("check")))
        return use_none("no record");
    event_cache(CACHE_MISS, cache.miss);
    cache.miss[0] = 0;                /* from here on it is told why nothing can be made */
    /* A start that is measured may be warm, but makes nothing: it shall differ from others as little as possible. */
    const char *why = WATCHED(WATCH_RECORD) ? "the start is traced (LDR_TRACE)" : WATCHED(WATCH_STATISTICS) ? "the start is measured (LD_DEBUG=statistics)" : NULL;
    if (why || !begin_making(path, st)) {
        why = why ? why : "no place for objects";
        cache_end_dry(why);
        end_unmade(why);
    }
    return false;
}

void cache_make(void)
{
    if (cache.state != CACHE_MAKE) {
        cache_end_dry("nothing could be made");
        return;
    }
    if (is_dry() && !become_root())
        cache_spoil("the rights of root did not come back");
    if (session.warned)
        cache_spoil("a warning was printed");
    for (const struct object *object = session.first; object; object = object->next)
        if (object->place && object->map_start != object->place)
            cache_spoil_by("the place of an object was taken: ", object_label(object));
    if (cache.record && !cache.spoilt && verify_all(cache.record) != 0)
        sys_exit(127);
    bool made = false;
    /* A process beside could not tell anybody what became of it. */
    bool beside = false, here = is_dry() || cache_asked("now") || WATCHED(WATCH_CACHE);
    if (!cache.record && !cache.spoilt && (here || (beside = make_beside() != BESIDE_HERE) == false))
        made = make_all();
    if (is_dry())
        end_dry(cache.spoilt || (!made && !cache.record));
    if (made || beside || (cache.record && !cache.spoilt))
        cache_end();
    else
        end_unmade("it could not be written");
}

u64 cache_place(struct object *object, const struct stat *st)
{
    if (session.started)
        return late_place(object, st);
    if (cache.state != CACHE_MAKE)
        return 0;
    if (is_dry() && !is_for_all(st))
        end_dry(1);
    struct met *met = arena_alloc(&cache.scratch, sizeof *met);
    if (!met) {
        cache_spoil("no memory");
        return 0;
    }
    identity_of(st, &met->file);
    object->file_hash = identity_hash(&met->file);
    met->next = cache.met;
    cache.met = met;
    cache.met_count++;
    return catalog_place(cache.catalog, st, &object->image.plan);
}

/* What cpuid says differs from processor to processor (their own numbers, among others), and the genuine linker keeps it: computed on
 * one and the same, its image is the same for all programs. A process that shares our memory and is waited for does it there: the
 * affinity of this one must not be touched, not even to be restored, because the kernel remembers that it was set. */
#define CPU_WORDS 128u

static void move_to_lowest(void)
{
    u64 cpus[CPU_WORDS] = { 0 };
    long len = sys_call(__NR_sched_getaffinity, 0, sizeof cpus, (long)cpus, 0, 0, 0);
    memset(cpus, 0, sizeof cpus);
    /* The lowest that there is, also where this process was told to run on others: taskset must not make another image. */
    for (long cpu = 0; cpu < len * 8; cpu++) {
        cpus[cpu / 64] = 1ull << cpu % 64;
        if (sys_call(__NR_sched_setaffinity, 0, len, (long)cpus, 0, 0, 0) == 0)
            return;
        cpus[cpu / 64] = 0;
    }
}

NOINLINE int cache_on_one_processor(int (*work)(void))
{
    volatile int result = 0;
    if (cache.state != CACHE_MAKE)
        return work();
    long helper = sys_call(__NR_clone, 0x4100 /* CLONE_VM | CLONE_VFORK */, 0, 0, 0, 0, 0);
    if (helper == 0) {
        move_to_lowest();
        result = work();
        sys_exit(0);
    }
    if (helper < 0) {
        cache_spoil("no process could be made");
        return work();
    }
    int status = 0;
    sys_call(__NR_wait4, helper, (long)&status, 0x40000000 /* __WALL */, 0, 0, 0);
    if (status)
        cache_spoil("asking the processor failed");
    return result;
}

void cache_keep_facts(const void *facts, u32 len)
{
    cache.facts = facts;
    cache.facts_len = facts ? len : 0;
}

const void *cache_facts(u32 *len)
{
    const struct record_head *record = cache.state == CACHE_WARM ? cache.record : NULL;
    *len = record ? record->facts_len : 0;
    return *len ? (const char *)record + record->facts : NULL;
}

void cache_snapshot_linker(void)
{
    const struct object *linker = session.linker;
    if (cache.state != CACHE_MAKE || !linker)
        return;
    const struct plan *plan = &linker->image.plan;
    u64 lo = ~0ull, hi = 0;
    for (u32 i = 0; i < plan->seg_count; i++)
        if (plan->seg[i].prot & PF_W) {
            u64 start = align_down(plan->seg[i].vaddr, LDR_PAGE), end = align_up(plan->seg[i].mem_end, LDR_PAGE);
            lo = start < lo ? start : lo;
            hi = end > hi ? end : hi;
        }
    u8 *copy = hi > lo && hi - lo < 1ul << 20 ? arena_alloc(&cache.scratch, hi - lo) : NULL;
    if (copy) {
        cache.linker_copy = memcpy(copy, (const void *)(linker->bias + lo), hi - lo);
        cache.linker_copy_vaddr = lo;
        cache.linker_copy_len = hi - lo;
    }
}
