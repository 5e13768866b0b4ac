/* record.c - the record of LDR_TRACE (include/ldr/trace.h): what was done, in the order it was done, as bytes in a shared mapping.
 *
 * No descriptor is kept, because a program may close any and use its number for something else: a new chunk opens the file again by its
 * absolute path. Blocks of a chunk are allocated before it is mapped, so that a full disk ends the record and not the program. No lock:
 * a chunk and the space in it are taken by atomic additions, which a signal handler, a second thread or a forked child may do at any
 * moment. */
#include "record.h"
#include "../../include/ldr/trace.h"

#define FIRST_CHUNK (64ul << 10)
#define LARGEST_CHUNK (1ul << 20)

static COLD_DATA char record_path[4096];
static COLD_DATA u64 record_dev, record_ino;
static COLD_DATA struct trace_file *record_file;
static COLD_DATA struct trace_chunk *record_chunk;
static COLD_DATA u64 record_chunk_len;
static COLD_DATA const struct object *last_closed;

/* ---- space ---------------------------------------------------------------------------------------------------------- */

static void give_up(void)
{
    __atomic_and_fetch(&session.watch, ~(u32)WATCH_RECORD, __ATOMIC_RELAXED);
}

/* Blocks on disk or in memory for the bytes, or an error: a hole would kill the program by SIGBUS when the disk is full. */
static int allocate(int fd, u64 off, u64 len)
{
    static const char zeros[TRACE_PAGE];
    int err = sys_fallocate(fd, off, len);
    if (err != -95 /* EOPNOTSUPP */)
        return err;
    for (u64 at = 0; at < len; at += sizeof zeros)
        if (sys_pwrite(fd, zeros, sizeof zeros, off + at) != (long)sizeof zeros)
            return -28;
    return 0;
}

static void *map_part(int fd, u64 off, u64 len)
{
    int err = allocate(fd, off, len);
    return err ? (void *)(long)err : sys_mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, off);
}

static struct trace_chunk *new_chunk(u64 need, struct trace_chunk *outgrown)
{
    u64 len = record_chunk_len;
    while (len < need + sizeof(struct trace_chunk))
        len *= 2;
    struct stat st;
    int fd = sys_open_record(record_path, false);
    if (fd < 0)
        return NULL;
    /* After chroot, or once the file was replaced, the name leads to another one. */
    if (sys_fstat(fd, &st) != 0 || st.st_dev != record_dev || st.st_ino != record_ino) {
        sys_close(fd);
        return NULL;
    }
    u64 off = __atomic_fetch_add(&record_file->end, len, __ATOMIC_RELAXED);
    struct trace_chunk *chunk = off % TRACE_PAGE || off > 1ull << 46 ? (void *)-22l : map_part(fd, off, len);
    sys_close(fd);
    if (sys_failed(chunk))
        return NULL;
    chunk->pid = (u32)sys_getpid();
    chunk->len = len;
    chunk->used = sizeof *chunk;
    __atomic_store_n(&chunk->magic, TRACE_CHUNK_MAGIC, __ATOMIC_RELEASE);
    record_chunk_len = len < LARGEST_CHUNK ? len * 2 : LARGEST_CHUNK;
    /* Another thread may have been quicker: this chunk then stays empty. */
    if (__atomic_compare_exchange_n(&record_chunk, &outgrown, chunk, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return chunk;
    sys_munmap(chunk, len);
    return outgrown;
}

/* ---- who writes ----------------------------------------------------------------------------------------------------- */

/* Two system calls an event would be most of what a constructor's costs. The kernel clears this page in a forked child, so what stands
 * there is true; only a child of vfork(2), which shares it until it executes something, is told as its parent. */
struct writer { u32 pid, main_tid; };
static COLD_DATA struct writer *writer;

static void writer_begin(void)
{
    struct writer *page = sys_mmap(NULL, LDR_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!sys_failed(page) && sys_madvise(page, LDR_PAGE, MADV_WIPEONFORK) == 0)
        writer = page;
}

static u32 remembered(u32 *number, int (*ask)(void))
{
    if (!*number)
        *number = (u32)ask();
    return *number;
}

static void put_writer(struct trace_event *event, const struct trace_chunk *chunk)
{
    if (!session.started) {           /* while there is one thread, nobody forks */
        event->pid = event->tid = chunk->pid;
        return;
    }
    event->pid = writer ? remembered(&writer->pid, sys_getpid) : (u32)sys_getpid();
    event->tid = writer && tls_thread_pointer() == session.main_tp ? remembered(&writer->main_tid, sys_gettid) : (u32)sys_gettid();
}

/* Room for one event, its head filled but for the type; NULL: there is none, and the record has ended. */
static struct trace_event *event_begin(u64 payload, u32 flag)
{
    u64 len = align_up(sizeof(struct trace_event) + payload, 8);
    struct trace_chunk *chunk = __atomic_load_n(&record_chunk, __ATOMIC_ACQUIRE);
    for (u32 tries = 0; tries < 4; tries++) {
        u64 at = chunk ? __atomic_fetch_add(&chunk->used, len, __ATOMIC_RELAXED) : 0;
        if (chunk && at <= chunk->len && len <= chunk->len - at) {
            struct trace_event *event = (struct trace_event *)((char *)chunk + at);
            event->len = (u32)len;
            event->flag = (u16)flag;
            put_writer(event, chunk);
            event->time = events_clock_();
            return event;
        }
        chunk = new_chunk(len, chunk);
        if (!chunk)
            break;
    }
    give_up();
    return NULL;
}

static void event_end(struct trace_event *event, enum trace_type type)
{
    __atomic_store_n(&event->type, (u16)type, __ATOMIC_RELEASE);
}

static u64 text_len(const char *text)
{
    u64 len = text ? strlen(text) : 0;
    return (len < TRACE_NAMES ? len : TRACE_NAMES - 1) + 1;
}

static char *put_text(char *at, const char *text)
{
    u64 len = text_len(text);
    memcpy(at, text ? text : "", len - 1);
    at[len - 1] = 0;
    return at + len;
}

/* An event of a fixed part and at most two texts. */
static void put(enum trace_type type, u32 flag, const void *fixed, u64 len, const char *first, const char *second)
{
    u64 more = (first ? text_len(first) : 0) + (second ? text_len(second) : 0);
    struct trace_event *event = event_begin(len + more, flag);
    if (!event)
        return;
    memcpy(event + 1, fixed, len);
    char *at = (char *)(event + 1) + len;
    if (first)
        at = put_text(at, first);
    if (second)
        put_text(at, second);
    event_end(event, type);
}

static u64 id_of(const struct object *object)
{
    return (u64)object;
}

/* ---- the process ---------------------------------------------------------------------------------------------------- */

static void refuse(const char *path, const char *why)
{
    char buf[4400];
    struct text t = text_on(buf, sizeof buf);
    text_put(&t, "ld-ldr.so: LDR_TRACE=");
    text_put(&t, path);
    text_put(&t, ": ");
    text_put(&t, why);
    text_put(&t, "; nothing is recorded\n");
    sys_write_all(2, buf, t.len);
}

static void put_process(u64 began, u64 nanoseconds)
{
    const struct kernel_facts *k = &session.kernel;
    struct trace_process process = { .nanoseconds = nanoseconds, .parent = (u32)sys_getppid(), .way = session.way };
    sys_clock(0, &process.wall);
    u64 more = 0;
    int count = 0;
    for (; count < k->argc && count < 64 && more < TRACE_NAMES; count++)
        more += text_len(k->argv[count]);
    struct trace_event *event = event_begin(sizeof process + more, (u32)count);
    if (!event)
        return;
    event->time = began;              /* what making the file cost is part of the run */
    memcpy(event + 1, &process, sizeof process);
    char *at = (char *)(event + 1) + sizeof process;
    for (int i = 0; i < count; i++)
        at = put_text(at, k->argv[i]);
    event_end(event, TRACE_PROCESS);
}

/* A file that is something else must not be touched: empty, a record, or the page that another process is filling at this moment. */
static bool may_be_record(int fd, u64 len)
{
    struct trace_file head;
    if (len < TRACE_PAGE)
        return len == 0;
    if (sys_pread(fd, &head, sizeof head, 0) != (long)sizeof head)
        return false;
    return head.magic == TRACE_MAGIC || (!head.magic && !head.version && len == TRACE_PAGE);
}

bool record_begin(const char *path)
{
    u64 nanoseconds, began = events_clock_();
    sys_clock(1, &nanoseconds);
    struct text absolute = text_on(record_path, sizeof record_path);
    char here[4096];
    struct stat st;
    if (path[0] != '/') {
        if (sys_getcwd(here, sizeof here) <= 0)
            here[0] = 0;
        text_put(&absolute, here);
        text_char(&absolute, '/');
    }
    text_put(&absolute, path);
    if (absolute.cut)
        return refuse(path, "the name is too long"), false;
    int fd = sys_open_record(record_path, true);
    if (fd < 0)
        return refuse(path, errno_text(-fd)), false;
    int err = sys_fstat(fd, &st);
    if (!err && ((st.st_mode & 0170000) != 0100000 || !may_be_record(fd, (u64)st.st_size)))
        err = -22;
    /* Whoever writes the first page makes the file; others that begin at this moment find it whole, or end to end zero, which is the
     * same after both have written. */
    struct trace_file *file = err ? (void *)(long)err : map_part(fd, 0, TRACE_PAGE);
    sys_close(fd);
    if (sys_failed(file))
        return refuse(path, err == -22 ? "there is a file that is no record" : errno_text(sys_error_of(file))), false;
    u64 fresh = 0;
    __atomic_compare_exchange_n(&file->end, &fresh, TRACE_PAGE, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    if (fresh == 0 && !file->magic) {
        file->version = TRACE_VERSION;
        file->page = TRACE_PAGE;
        __atomic_store_n(&file->magic, TRACE_MAGIC, __ATOMIC_RELEASE);
    }
    for (u32 wait = 0; !__atomic_load_n(&file->magic, __ATOMIC_ACQUIRE) && wait < 1000000; wait++)
        __builtin_ia32_pause();
    if (file->magic != TRACE_MAGIC || file->version != TRACE_VERSION || file->end % TRACE_PAGE) {
        sys_munmap(file, TRACE_PAGE);
        return refuse(path, "there is a file that is no record of this version"), false;
    }
    record_dev = st.st_dev;
    record_ino = st.st_ino;
    record_file = file;
    record_chunk_len = FIRST_CHUNK;
    writer_begin();
    put_process(began, nanoseconds);
    if (record_chunk)
        record_phase(PHASE_LOAD, began + 1);        /* behind the PROCESS event in the order of time */
    return record_chunk != NULL;
}

/* Functions of ours that libc calls in the genuine linker's place are bound to by address. */
static void put_self(void)
{
    struct trace_object fixed = { .object = 1, .bias = session.self.start, .start = session.self.start, .end = session.self.end,
                                  .rule = FOUND_SELF };
    put(TRACE_OBJECT, TRACE_IS_SELF, &fixed, sizeof fixed, session.self_path, "");
}

void record_phase(enum phase phase, u64 now)
{
    struct trace_phase fixed = { 0 };
    struct sys_usage usage;
    sys_clock(1, &fixed.nanoseconds);
    if (sys_getrusage(&usage) == 0) {
        fixed.minor_faults = (u64)usage.minor_faults;
        fixed.major_faults = (u64)usage.major_faults;
        fixed.user_us = (u64)(usage.user_s * 1000000 + usage.user_us);
        fixed.system_us = (u64)(usage.system_s * 1000000 + usage.system_us);
    }
    if (phase == PHASE_LINK)
        put_self();
    /* Now that the layout of thread storage is known, once for all that start together. */
    if (phase == PHASE_RELOCATE)
        for (u64 id = 1; id <= session.module_count; id++)
            if (session.module[id].object)
                record_tls_module(session.module[id].object);
    struct trace_event *event = event_begin(sizeof fixed, phase);
    if (!event)
        return;
    event->time = now;
    memcpy(event + 1, &fixed, sizeof fixed);
    event_end(event, TRACE_PHASE);
}

/* ---- loading -------------------------------------------------------------------------------------------------------- */

void record_wanted(const char *name, const struct object *loader, bool opened)
{
    struct trace_wanted fixed = { id_of(loader) };
    put(TRACE_WANTED, opened, &fixed, sizeof fixed, name, NULL);
}

void record_candidate(const char *path, enum found_by rule, int err)
{
    struct trace_candidate fixed = { -err, rule };
    put(TRACE_CANDIDATE, 0, &fixed, sizeof fixed, path, NULL);
}

void record_directory(const char *path, bool present)
{
    put(TRACE_DIRECTORY, present, NULL, 0, path, NULL);
}

void record_found(const struct object *object, int err)
{
    struct trace_found fixed = { id_of(object), err, 0 };
    put(TRACE_FOUND, 0, &fixed, sizeof fixed, NULL, NULL);
}

void record_object(const struct object *object)
{
    const struct plan *plan = &object->image.plan;
    const char *path = object->path && *object->path ? object->path : object->real_path ? object->real_path : object_label(object);
    const char *name = object->aliases.name ? object->aliases.name : "";
    struct trace_object fixed = { .object = id_of(object), .bias = object->bias, .start = object->map_start, .end = object->map_end,
                                  .dev = object->dev, .ino = object->ino, .loader = id_of(object->loader), .rule = object->found_by,
                                  .segments = plan->seg_count };
    const u8 *build_id = image_note(&object->image, &object->view, "GNU", 3, &fixed.build_id_len);
    fixed.build_id_len = !build_id ? 0 : fixed.build_id_len < sizeof fixed.build_id ? fixed.build_id_len : sizeof fixed.build_id;
    if (build_id)
        memcpy(fixed.build_id, build_id, fixed.build_id_len);
    u64 len = sizeof fixed + plan->seg_count * sizeof(struct trace_segment) + text_len(path) + text_len(name);
    struct trace_event *event = event_begin(len, (object->is_program ? TRACE_IS_PROGRAM : 0) | (object->is_vdso ? TRACE_IS_VDSO : 0) |
                                                 (object->shared ? TRACE_IS_SHARED : 0));
    if (!event)
        return;
    memcpy(event + 1, &fixed, sizeof fixed);
    struct trace_segment *segment = (struct trace_segment *)((char *)(event + 1) + sizeof fixed);
    for (u32 i = 0; i < plan->seg_count; i++) {
        const struct segment *seg = &plan->seg[i];
        segment[i] = (struct trace_segment){ object->bias + seg->vaddr, seg->mem_end - seg->vaddr, seg->off, seg->prot, 0 };
    }
    put_text(put_text((char *)&segment[plan->seg_count], path), name);
    event_end(event, TRACE_OBJECT);
}

/* ---- relocation ----------------------------------------------------------------------------------------------------- */

/* The words of entries first..end, all told as differences of 32 bits from the first where they fit (a library's references lead to
 * libraries near it), which halves what is written. Places outside writable memory are told as 0. */
void record_values(const struct object *object, enum reloc_table which, u64 first, u64 end)
{
    const struct image *image = &object->image;
    const struct rela_table *table = which == TABLE_PLT ? &image->plt : &image->rela;
    const u64 lo = image->writable_lo, len = image->writable_hi - lo;
    if (session.config.record_no_values || image->writable_hi < lo || len < 8)
        return;
#define WORD(i) (LIKELY(table->at[i].r_offset - lo <= len - 8) ? *(const u64 *)(object->bias + table->at[i].r_offset) : 0)
    while (first < end) {
        u64 count = end - first < RECORD_SLICE ? end - first : RECORD_SLICE, done;
        struct trace_event *event = event_begin(sizeof(struct trace_values) + count * 4, TRACE_NARROW);
        if (!event)
            return;
        struct trace_values *fixed = (struct trace_values *)(event + 1);
        u32 *narrow = (u32 *)(fixed + 1);
        const u64 base = WORD(first);
        for (done = 0; done < count; done++) {
            /* Entries are sorted by symbol, so their places are anywhere. */
            __builtin_prefetch((const void *)(object->bias + table->at[first + done + (first + done + 24 < end ? 24 : 0)].r_offset));
            u64 word = WORD(first + done), more = word - base;
            if (UNLIKELY(!word))
                narrow[done] = TRACE_NARROW_ZERO;
            else if (LIKELY((u64)(i64)(int)(u32)more == more && (u32)more != TRACE_NARROW_ZERO))
                narrow[done] = (u32)more;
            else
                break;
        }
        if (done < count && done < count / 2) {        /* far from each other: half as many in full */
            u64 *wide = (u64 *)(fixed + 1);
            event->flag = 0;
            for (done = 0; done < count / 2; done++)
                wide[done] = WORD(first + done);
        }
        *fixed = (struct trace_values){ id_of(object), first, base, which, (u32)done };
        event_end(event, TRACE_VALUES);
        first += done;
    }
#undef WORD
}

/* A lazily bound slot holds the address of its own PLT entry until the first call: its binding is told then. */
static void put_bound_slots(const struct object *object)
{
    const struct image *image = &object->image;
    const struct rela_table *table = &image->plt;
    u64 sealed = align_down(image->relro_vaddr, LDR_PAGE), sealed_len = align_down(image->relro_vaddr + image->relro_len, LDR_PAGE) - sealed;
    u64 first = 0;
    for (u64 i = 0; i < table->count; i++)
        if (table->at[i].r_offset - sealed >= sealed_len) {
            record_values(object, TABLE_PLT, first, i);
            first = i + 1;
        }
    record_values(object, TABLE_PLT, first, table->count);
}

void record_relocated(const struct object *object, bool lazy, u64 since)
{
    const struct image *image = &object->image;
    u64 relative = image->rela_relative < image->rela.count ? image->rela_relative : image->rela.count;
    struct trace_relocated fixed = { id_of(object), since, relative, image->relr.count, image->rela.count - relative, image->plt.count };
    put(TRACE_RELOCATED, lazy, &fixed, sizeof fixed, NULL, NULL);
    if (lazy)
        put_bound_slots(object);
}

void record_stored(const struct object *object, u32 symbol, const struct binding *found, u64 place, u64 value, u32 type)
{
    struct trace_stored fixed = { .object = id_of(object), .definer = found ? id_of(found->object) : 0, .place = object->bias + place,
                                  .value = value, .definition = found ? found->symbol->st_value : 0, .symbol = symbol, .kind = type };
    put(TRACE_STORED, 0, &fixed, sizeof fixed, NULL, NULL);
}

void record_lazy(const struct object *object, u64 index, const struct binding *found, u64 value, u64 since)
{
    struct trace_lazy fixed = { id_of(object), found ? id_of(found->object) : 0, index, value, since, found ? found->symbol->st_value : 0 };
    put(TRACE_LAZY, 0, &fixed, sizeof fixed, NULL, NULL);
}

void record_protected(const struct object *object, u64 start, u64 len)
{
    struct trace_protected fixed = { id_of(object), start, len };
    put(TRACE_PROTECTED, 0, &fixed, sizeof fixed, NULL, NULL);
}

/* ---- constructors, dlopen, dlclose, cache, TLS ----------------------------------------------------------------------------- */

void record_call(const struct object *object, enum call_kind kind, u64 function, bool returned)
{
    struct trace_call fixed = { id_of(object), function };
    put(returned ? TRACE_RETURN : TRACE_CALL, kind, &fixed, sizeof fixed, NULL, NULL);
}

void record_opening(const char *name, int mode, const struct object *caller)
{
    struct trace_opening fixed = { id_of(caller) };
    put(TRACE_OPENING, (u32)mode, &fixed, sizeof fixed, name, NULL);
}

void record_opened(const char *name, const struct object *object)
{
    struct trace_opened fixed = { id_of(object) };
    put(TRACE_OPENED, 0, &fixed, sizeof fixed, name, NULL);
}

void record_closing(const struct object *object)
{
    struct trace_closing fixed = { id_of(object), object->open_count };
    const char *why = object->open_count ? "opened more often than closed" : object->at_start ? "loaded at start-up"
                      : object->no_delete ? (object->no_delete_why ? object->no_delete_why : "marked no-delete") : "";
    last_closed = *why ? NULL : object;
    put(TRACE_CLOSING, 0, &fixed, sizeof fixed, why, NULL);
}

static bool holds(struct object *const *list, u32 count, const struct object *object)
{
    for (u32 i = 0; i < count; i++)
        if (list[i] == object)
            return true;
    return false;
}

/* Called when everything in use is marked: if the object just closed is, then by whom? */
void record_kept(void)
{
    const struct object *object = last_closed;
    last_closed = NULL;
    if (!object || !object->visited)
        return;
    struct trace_kept fixed = { id_of(object), 0 };
    const char *how = "its thread_local destructors are still to run";
    for (const struct object *user = session.first; user && !fixed.by; user = user->next) {
        if (!user->visited || user == object)
            continue;
        const char *found = holds(user->needed, user->needed_count, object) ? "needed by"
                            : holds(user->filtee, user->filtee_count, object) ? "filtee of"
                            : holds(user->bound_to, user->bound_count, object) ? "bound to by" : NULL;
        if (found) {
            how = found;
            fixed.by = id_of(user);
        }
    }
    put(TRACE_KEPT, 0, &fixed, sizeof fixed, how, NULL);
}

void record_error(const char *text)
{
    put(TRACE_ERROR, 0, NULL, 0, text, NULL);
}

void record_unload(const struct object *object)
{
    struct trace_unloaded fixed = { id_of(object) };
    put(TRACE_UNLOADED, 0, &fixed, sizeof fixed, NULL, NULL);
}

void record_cache(enum cache_news news, const char *text)
{
    put(TRACE_CACHE, news, NULL, 0, text, NULL);
}

void record_cached(const struct object *object, enum cache_part part, const char *text, u64 pages, u64 read_only)
{
    struct trace_cached fixed = { id_of(object), pages, read_only };
    put(TRACE_CACHED, part, &fixed, sizeof fixed, text, NULL);
}

void record_tls_module(const struct object *object)
{
    const struct image *image = &object->image;
    struct trace_tls_module fixed = { id_of(object), object->tls_module, image->tls_memsz, image->tls_align, object->tls_offset };
    put(TRACE_TLS_MODULE, 0, &fixed, sizeof fixed, NULL, NULL);
}

void record_tls_block(u64 module, u64 size)
{
    struct trace_tls_block fixed = { module, size };
    put(TRACE_TLS_BLOCK, 0, &fixed, sizeof fixed, NULL, NULL);
}
