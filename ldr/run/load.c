/* load.c - from a name to a mapped, digested object, and from an object to everything it needs.
 *
 * A file is the same object when device and inode agree, whatever name led to it. A candidate of another class or machine is passed
 * over (a 32-bit library in the same directory), any other defect ends the search: a broken library must be told, not skipped. */
#include "run.h"
#include "../arch/arch.h"
#include "../compat/shim.h"
#include "../debug/events.h"

#define HEAD_BYTES 1024u              /* ELF header and program headers of nearly every library */

/* What `try_candidate` needs besides the path; hangs off the session while one search runs. */
static struct {
    bool unloadable;
    struct object *result;
    enum found_by as;
    int last_errno;
    bool other_class;
    const char *name;
    bool only_loaded;                 /* RTLD_NOLOAD */
} attempt;

struct load_hooks load_hooks;

/* An open candidate: identity and the first bytes, read once. */
struct opened {
    int fd;
    struct stat st;
    long got;
    u8 head[HEAD_BYTES] __attribute__((aligned(8)));
};

/* What is wrong with the load commands is told about the name asked for, as the system's linker does; report_values by path else. */
static struct report renamed_outer;
static const char *renamed_to;

static void take_renamed(struct report *report, const struct problem *problem)
{
    (void)report;
    struct problem renamed = *problem;
    if (renamed_to && problem->code != LDR_E_LOAD_RANGE)
        renamed.object = renamed_to;
    report_problem(&renamed_outer, &renamed);
}

/* Reads what precedes mapping: header judged, program headers in the object's arena. */
static int read_headers(struct object *object, const struct opened *file)
{
    const char *path = object->image.path;
    const u8 *head = file->head;
    u64 file_len = (u64)file->st.st_size, got = (u64)file->got;
    if (file->got < 0)
        return report_errno(&session.report, LDR_E_READ, path, (int)-file->got);
    int err = image_check_header(head, got, path, &session.report);
    if (err)
        return err;
    const Elf64_Ehdr *eh = (const void *)head;
    u64 len = (u64)eh->e_phnum * sizeof(Elf64_Phdr), end;
    if (!eh->e_phnum)
        return report_values(&session.report, LDR_E_NO_LOAD, object->aliases.name ? object->aliases.name : path, 0, 1, 0);
    if (!add_u64(eh->e_phoff, len, &end) || end > file_len)
        return report_values(&session.report, LDR_E_PHDR_RANGE, path, eh->e_phoff, file_len, eh->e_phnum);
    /* Read from the first bytes of the file. Once mapped they are nearly always found in a segment, and no copy is kept. */
    const Elf64_Phdr *phdr = (const void *)(head + eh->e_phoff);
    if (end > got || eh->e_phoff % 8) {
        phdr = arena_alloc(object->arena, len);
        if (!phdr)
            return report_values(&session.report, LDR_E_NO_MEMORY, path, len, 0, 0);
    }
    if (end <= got && (const u8 *)phdr != head + eh->e_phoff)
        memcpy((void *)phdr, head + eh->e_phoff, len);
    else if (end > got && sys_pread(file->fd, (void *)phdr, len, eh->e_phoff) != (long)len)
        return report_values(&session.report, LDR_E_READ, path, eh->e_phoff, len, 0);
    object->image.type = eh->e_type;
    object->image.entry = eh->e_entry;
    renamed_outer = session.report;
    renamed_to = object->aliases.name;
    struct report renamed = { take_renamed };
    err = image_read_phdrs(&object->image, phdr, eh->e_phnum, file_len, object->arena, &renamed);
    u64 mapped = 0;                   /* where a segment holds them; PT_PHDR is only the file's claim */
    for (u32 i = 0; !err && i < object->image.plan.seg_count; i++) {
        const struct segment *seg = &object->image.plan.seg[i];
        u64 seg_file_end = seg->off + (seg->file_end - seg->vaddr);
        if ((seg->prot & PF_R) && seg->off <= eh->e_phoff && end <= seg_file_end && (seg->vaddr + (eh->e_phoff - seg->off)) % 8 == 0)
            mapped = seg->vaddr + (eh->e_phoff - seg->off);
    }
    object->image.phdr_vaddr = mapped;
    if (!err && !mapped && (const u8 *)phdr == head + eh->e_phoff) {
        Elf64_Phdr *copy = arena_alloc(object->arena, len);
        if (!copy)
            return report_values(&session.report, LDR_E_NO_MEMORY, path, len, 0, 0);
        object->image.phdr = memcpy(copy, phdr, len);
    }
    return err;
}

int load_adopted(struct object *object)
{
    if (object->image.phdr_vaddr) {
        const void *mapped = view_at(&object->view, object->image.phdr_vaddr, object->image.phnum * sizeof(Elf64_Phdr));
        if (mapped)
            object->image.phdr = mapped;
    }
    int err = image_read_dynamic(&object->image, &object->view, &session.report);
    if (!err)
        err = image_read_versions(&object->image, &object->view, object->arena, &session.report);
    if (!err && object->image.soname && !object_add_alias(object, object->image.soname))
        err = report_values(&session.report, LDR_E_NO_MEMORY, object->image.path, 0, 0, 0);
    object->no_delete |= (object->image.flags_1 & DF_1_NODELETE) != 0;
    if (object->image.flags_1 & DF_1_NODELETE)
        object->no_delete_why = "DF_1_NODELETE";
    return err;
}

static u32 cpu_level(struct search *search)
{
    static u32 level;
    (void)search;
    if (!level)
        level = arch_cpu_level();
    return level;
}

int check_isa(const struct object *object)
{
    return object_runs_on(object, cpu_level, NULL) ? 0 : report_errno(&session.report, LDR_E_ISA_LEVEL, object_label(object), 0);
}

static void discard(struct object *object)
{
    if (load_hooks.discarded)
        load_hooks.discarded(object);
    unmap_object(object);
    object_free(object);
}

/* Maps and digests an open file as a new object. NULL: *err tells; class and machine mismatches come back unreported. */
static struct object *make_object(const struct opened *file, const char *path, int *err, bool unloadable, bool program)
{
    struct object *object = object_new(unloadable);
    if (!object) {
        *err = -LDR_E_NO_MEMORY;
        return NULL;
    }
    object->path = object->image.path = arena_dup(object->arena, path);
    object->real_path = object->path;
    object->dev = file->st.st_dev;
    object->ino = file->st.st_ino;
    object->is_program = program;
    if (!program && attempt.name)
        object_add_alias(object, attempt.name);
    *err = object->path ? read_headers(object, file) : -LDR_E_NO_MEMORY;
    if (!*err && load_hooks.place) {
        u64 place = load_hooks.place(object, &file->st);
        object->place = object->image.type == ET_EXEC ? 0 : place;
    }
    if (!*err)
        *err = map_file(object, file->fd, (u64)file->st.st_size);
    if (!*err)
        *err = load_adopted(object);
    if (!*err && !program)
        *err = candidate_check_library(object, session.started, &session.report);
    if (*err) {
        discard(object);
        return NULL;
    }
    return object;
}

static void quiet_take(struct report *report, const struct problem *problem)
{
    (void)report;
    (void)problem;
}

/* open_file - 0 with file->fd open, or negative errno. A directory comes back as -EISDIR. */
static int open_file(struct opened *file, const char *path)
{
    file->fd = sys_open_read(path);
    if (file->fd < 0)
        return file->fd;
    int err = sys_fstat(file->fd, &file->st);
    if (!err && (file->st.st_mode & 0170000) == 0040000)
        err = -21;
    if (err)
        sys_close(file->fd);
    return err;
}

static void read_head(struct opened *file)
{
    file->got = sys_pread(file->fd, file->head, sizeof file->head, 0);
}

/* A candidate found open: 1 taken, 0 not ours, negative: broken and reported. */
static int take_candidate(struct opened *file, const char *path, enum found_by rule)
{
    int err;
    attempt.result = object_by_file(session.first, file->st.st_dev, file->st.st_ino);
    if (attempt.result)
        return 1;
    if (attempt.only_loaded)
        return -LDR_E_OPEN;           /* the file that would be taken is not loaded */
    if (attempt.as == FOUND_PRELOAD && session.config.secure && !(file->st.st_mode & 04000)) {
        attempt.last_errno = 2;       /* into a set-uid program only libraries marked set-uid themselves */
        return 0;
    }
    read_head(file);
    if (file->got > 0 && candidate_is_foreign(file->head, (u64)file->got, &attempt.other_class)) {
        attempt.last_errno = 2;
        if (rule == FOUND_NAME && attempt.other_class)
            return report_values(&session.report, LDR_E_CLASS, path, ELFCLASS32, ELFCLASS64, EI_CLASS);
        return 0;
    }
    struct object *object = make_object(file, path, &err, attempt.unloadable, false);
    if (!object)
        return err;
    if (candidate_is_ldr(object)) {
        /* We stand in the genuine linker's place: the search must lead on to the genuine file. */
        discard(object);
        return 0;
    }
    object->found_by = candidate_found_by(object, rule, attempt.as == FOUND_PRELOAD || attempt.as == FOUND_TRUSTED_PRELOAD);
    attempt.result = object;
    return 1;
}

static int try_candidate(struct search *search, const char *path, enum found_by rule, const struct object *rule_owner)
{
    struct opened file;
    (void)search;
    (void)rule_owner;
    int err = open_file(&file, path);
    event_candidate(path, rule, err);
    if (err == -21)
        return report_errno(&session.report, LDR_E_READ, path, 21);
    if (err) {
        attempt.last_errno = -err;
        return candidate_after_error(-err, rule);
    }
    int got = take_candidate(&file, path, rule);
    sys_close(file.fd);
    return got;
}

static bool dir_present(struct search *search, const char *path)
{
    struct stat st;
    (void)search;
    bool present = sys_stat(path, &st) == 0 && (st.st_mode & 0170000) == 0040000;
    event_directory(path, present);
    if (present)
        return true;
    attempt.last_errno = 2;
    return false;
}

static void too_long(struct search *search)
{
    (void)search;
    attempt.last_errno = 36;          /* ENAMETOOLONG */
}

static const struct ldcache *open_cache(struct search *search)
{
    struct stat st;
    (void)search;
    /* A program that opens libraries later must see what ldconfig did meanwhile. Nothing points into the old cache between searches. */
    if (session.started && session.cache_tried && sys_stat("/etc/ld.so.cache", &st) == 0 &&
        (st.st_ino != session.cache_ino || st.st_mtime != session.cache_mtime)) {
        if (session.cache.bytes)
            sys_munmap((void *)session.cache.bytes, session.cache.len);
        session.cache = (struct ldcache){ 0 };
        session.cache_tried = false;
    }
    if (!session.cache_tried) {
        session.cache_tried = true;
        int fd = sys_open_read("/etc/ld.so.cache");
        if (fd < 0)
            return NULL;
        if (sys_fstat(fd, &st) == 0 && st.st_size > 0) {
            session.cache_ino = st.st_ino;
            session.cache_mtime = st.st_mtime;
            void *bytes = sys_mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
            if (!sys_failed(bytes) && !ldcache_read(&session.cache, bytes, (u64)st.st_size))
                sys_munmap(bytes, (size_t)st.st_size);
        }
        sys_close(fd);
    }
    return session.cache.bytes ? &session.cache : NULL;
}

static const char *origin_for(struct search *search, const struct object *object)
{
    (void)search;
    return object ? object_origin((struct object *)object) : NULL;
}

void load_search_init(void)
{
    session.search = (struct search){ .config = &session.config, .arena = &session.permanent, .try = try_candidate,
                                      .dir_present = dir_present, .too_long = too_long, .cache = open_cache, .cpu_level = cpu_level, .origin = origin_for };
}

struct object *load_only_loaded(const char *name, struct object *loader)
{
    (void)loader;
    return object_by_name(session.first, name);
}

/* The genuine linker when every ordinary place shows ourselves (a bind mount over it). */
static const char *genuine_place(u32 i)
{
    switch (i) {
    case 0: return session.config.genuine_linker ? session.config.genuine_linker : genuine_place(1);
    case 1: return "/run/ldr/genuine/ld-linux-x86-64.so.2";
    case 2: return "/usr/lib/ldr/genuine/ld-linux-x86-64.so.2";
    default: return NULL;
    }
}

struct object *load_library(const char *name, struct object *loader, enum found_by as, bool unloadable, bool quiet)
{
    struct object *object = load_only_loaded(name, loader);
    if (object)
        return object;
    if (session.config.secure && str_chr(name, '/') && str_chr(name, '$')) {
        report_errno(&session.report, LDR_E_DST_SECURE, name, 0);
        return NULL;
    }
    event_wanted(name, loader, loader && loader->state >= OBJECT_RELOCATED);
    /* A search may recurse (a filter's filtee), so its state is kept on the stack of this call. */
    __typeof__(attempt) outer = attempt;
    struct report loud = session.report;
    if (quiet)
        session.report = (struct report){ quiet_take };
    attempt = (__typeof__(attempt)){ .unloadable = unloadable, .as = as, .name = name };
    session.search.program = session.program;
    int got = search_library(&session.search, name, loader);
    for (u32 i = 0; got == 0 && str_equal(str_base(name), "ld-linux-x86-64.so.2") && genuine_place(i); i++)
        got = try_candidate(&session.search, genuine_place(i), FOUND_DEFAULT, NULL);
    object = got == 1 ? attempt.result : NULL;
    const int last_errno = got == 0 ? attempt.last_errno : 0;
    if (got == 0) {
        struct problem problem = { .code = attempt.other_class ? LDR_E_CLASS : LDR_E_OPEN, .object = name,
                                   .wanted_by = loader ? object_label(loader) : NULL,
                                   .sys_errno = attempt.other_class ? 0 : attempt.last_errno,
                                   .found = ELFCLASS32, .expected = ELFCLASS64, .has_values = attempt.other_class };
        report_problem(&session.report, &problem);
    }
    attempt = outer;
    session.report = loud;
    if (!object)
        event_found(name, NULL, last_errno);
    if (!object)
        return NULL;
    if (object->state == OBJECT_MAPPED && !object->prev && session.first != object) {
        object->loader = loader;
        object_list_add(object);
        event_mapped(object);
    }
    event_found(name, object, 0);
    /* The name asked for is remembered: asking again must not search again. */
    object_add_alias(object, name);
    return object;
}

struct object *load_without_mapping(const char *name, struct object *loader)
{
    struct object *object = load_only_loaded(name, loader);
    if (object)
        return object;
    attempt = (__typeof__(attempt)){ .name = name, .only_loaded = true };
    session.search.program = session.program;
    int got = search_library(&session.search, name, loader);
    if (got == 0) {
        /* No such file is an error even so; one that is only not loaded is the answer NULL. */
        struct problem problem = { .code = LDR_E_OPEN, .object = name, .sys_errno = attempt.last_errno };
        report_problem(&session.report, &problem);
    }
    return got == 1 ? attempt.result : NULL;
}

void load_publish(struct object *first)
{
    shim_lock_write();
    for (struct object *object = first; object; object = object->next)
        shim_object_added(object);
    find_table_update();
    shim_unlock_write();
}

/* ldd lists what is missing in its place and goes on. */
static struct object *stand_in(const char *name)
{
    struct object *object = object_new(false);
    if (object && object_add_alias(object, name)) {
        object->path = object->aliases.name;
        object->is_missing = true;
        object->state = OBJECT_FINISHED;
        object_list_add(object);
    }
    return object;
}

struct needs_loader {
    struct graph_loader graph;
    bool unloadable;                  /* what it brings may go again */
};

static struct object *load_needed(struct graph_loader *loader, const char *name, struct object *wanted_by, i64 tag)
{
    bool unloadable = ((const struct needs_loader *)loader)->unloadable;
    struct object *needed = load_library(name, wanted_by, FOUND_NAME, unloadable, tag == DT_AUXILIARY || session.config.trace_missing);
    return !needed && tag == DT_NEEDED && session.config.trace_missing ? stand_in(name) : needed;
}

int load_graph(struct object *first, bool unloadable)
{
    struct needs_loader loader = { { load_needed, &session.report }, unloadable };
    return graph_load(first, &loader.graph);
}

static void warn_version(const struct object *object, const char *before, const char *version, const char *after)
{
    char buf[2048];
    struct text t = text_on(buf, sizeof buf);
    text_put(&t, session.kernel.argv[0] ? session.kernel.argv[0] : "ld-ldr.so");
    text_put(&t, ": ");
    text_put(&t, before);
    text_put(&t, version);
    text_put(&t, after);
    text_put(&t, " (required by ");
    text_put(&t, object_label(object));
    text_put(&t, ")\n");
    start_warning(buf, t.len);
}

static int check_version(struct object *object, const struct object *from, const struct version_need *need, bool warn)
{
    char lead[1200];
    struct text t = text_on(lead, sizeof lead);
    if (!need->weak) {
        struct problem problem = { .code = LDR_E_VERSION_MISSING, .object = from->path, .name = need->name,
                                   .wanted_by = object_label(object) };
        return report_problem(&session.report, &problem);
    }
    if (warn) {
        text_put(&t, from->path);
        text_put(&t, ": weak version `");
        warn_version(object, lead, need->name, "' not found");
    }
    return 0;
}

int check_versions(struct object *object, bool warn)
{
    struct version_check check = { 0 };
    enum version_verdict verdict;
    int worst = 0;
    while ((verdict = version_next(&check, object, session.first)) != VERSION_END) {
        if (check.new_file && warn && check.from && !check.from->image.verdef_count)
            warn_version(object, check.from->path, ": no version information available", "");
        if (check.from)
            event_version(object, check.from, check.need.name);
        if (verdict == VERSION_FOUND)
            continue;
        int err = check_version(object, check.from, &check.need, warn);
        worst = err ? err : worst;
    }
    if (!worst && version_relr_unmarked(&check, object))
        worst = report_errno(&session.report, LDR_E_RELR_MARKER, object_label(object), 0);
    return worst;
}

struct object *load_opened(int fd, const struct stat *st, const char *path)
{
    struct opened file = { .fd = fd, .st = *st };
    int err;
    read_head(&file);
    return make_object(&file, path, &err, false, false);
}

int load_program(const char *path)
{
    struct opened file;
    int err = open_file(&file, path);
    if (err)
        return report_errno(&session.report, err == -21 ? LDR_E_READ : LDR_E_OPEN, path, -err);
    if (!load_hooks.program || !load_hooks.program(path, file.fd, &file.st)) {
        read_head(&file);
        session.program = make_object(&file, path, &err, false, true);
    }
    if (session.program) {
        object_list_add(session.program);
        event_mapped(session.program);
    }
    sys_close(file.fd);
    return session.program ? 0 : err;
}
