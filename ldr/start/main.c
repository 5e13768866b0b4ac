/* main.c - start-up from the kernel's entry to the program's, as a list of steps (ARCHITECTURE.md, "The life of a process").
 * The only file that knows everyone. Returns the address to jump to; start.S goes there. */
#include "start.h"
#include "../api/message.h"
#include "../cache/cache.h"
#include "../compat/shim.h"
#include "../debug/events.h"
#include "../debug/r_debug.h"

struct session session;
u8 ldr_no_finish;                     /* read by start.S */

void _start(void);
u64 ldr_start(u64 *stack);
void ldr_finish(void);

void ldr_finish(void)
{
    init_finish_all();
}

static void read_environment(void)
{
    struct kernel_facts *k = &session.kernel;
    session.config.secure = k->secure != 0;
    session.config.platform = k->platform;
    for (char **entry = k->envp; *entry; entry++)
        config_take_env(&session.config, *entry);
    if (session.config.secure)
        kernel_remove_unsecure_env(k);
}

/* A program may write over its arguments and environment (to change its title) and open libraries afterwards. What LDR_CACHE said is asked
 * then too. */
static void keep_settings(void)
{
    struct config *c = &session.config;
    const char **kept[] = { &c->library_path, &c->inhibit_rpath, &c->hwcaps_prepend, &c->hwcaps_mask, &c->origin_path, &c->genuine_linker, &c->cache, &c->cache_max_age };
    for (u32 i = 0; i < ARRAY_COUNT(kept); i++)
        if (*kept[i])
            *kept[i] = arena_dup(&session.permanent, *kept[i]);
}

static struct object *adopt(const char *path, const Elf64_Phdr *phdr, u16 phnum, u64 bias, u16 type)
{
    struct object *object = object_new(false);
    if (!object)
        sys_exit(127);
    object->path = object->image.path = object->real_path = path;
    object->image.type = type;
    if (map_adopt(object, phdr, phnum, bias) != 0)
        message_end(127);
    return object;
}

static void adopt_vdso(void)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)session.kernel.sysinfo_ehdr;
    if (!eh)
        return;
    const Elf64_Phdr *phdr = (const Elf64_Phdr *)((u64)eh + eh->e_phoff);
    u64 bias = 0;
    for (u16 i = 0; i < eh->e_phnum; i++)
        if (phdr[i].p_type == PT_LOAD)
            bias = (u64)eh - phdr[i].p_vaddr + phdr[i].p_offset;
    session.vdso = adopt("linux-vdso.so.1", phdr, eh->e_phnum, bias, ET_DYN);
    session.vdso->is_vdso = true;
    session.vdso->found_by = FOUND_KERNEL;
    if (load_adopted(session.vdso) != 0)
        sys_exit(127);
    session.vdso->state = OBJECT_INITIALISED;
    object_list_add(session.vdso);
    event_mapped(session.vdso);
}

/* The program as the kernel mapped it. Its bias shows in where its own program headers lie. */
static void adopt_program(void)
{
    const struct kernel_facts *k = &session.kernel;
    const Elf64_Phdr *phdr = (const Elf64_Phdr *)k->phdr;
    u64 bias = 0;
    for (u64 i = 0; i < k->phnum; i++)
        if (phdr[i].p_type == PT_PHDR)
            bias = k->phdr - phdr[i].p_vaddr;
    session.program = adopt("", phdr, (u16)k->phnum, bias, bias ? ET_DYN : ET_EXEC);
    session.program->image.path = k->execfn ? k->execfn : "program";
    session.program->real_path = k->execfn;
    session.program->is_program = true;
    session.program->image.entry = k->entry - bias;
    if (load_adopted(session.program) != 0)
        message_end(127);
    object_list_add(session.program);
    event_mapped(session.program);
    struct stat st;
    if (sys_stat("/proc/self/exe", &st) == 0)
        cache_look(k->execfn, -1, &st);
}

static int take_program(struct search *search, const char *path, enum found_by rule, const struct object *owner)
{
    (void)search;
    (void)owner;
    if (rule != FOUND_NAME && sys_access(path, 4) == -2 /* ENOENT */)
        return 0;
    return load_program(path) == 0 ? 1 : -1;
}

/* The program's name, from --argv0, to the end of where its path stands: name and arguments lie in one piece then, as the kernel lays them, and
 * who changes its title writes there. Returns where it is; the path, argv[0] until the program is found, stands elsewhere then. Where there is no room
 * nothing is done. */
static char *place_name(struct kernel_facts *k, const char *name)
{
    char *path = k->argv[0];
    u64 path_len = strlen(path) + 1, len = strlen(name) + 1;
    u64 room = path_len + (name + len == path ? len : 0);
    const char *copy = len <= room ? arena_dup(&session.permanent, path) : NULL;
    if (!copy)
        return (char *)name;
    k->argv[0] = (char *)copy;
    memmove(path + path_len - len, name, len);
    k->execfn_argv0 = path + path_len - len;
    return path + path_len - len;
}

/* Command mode: everything the kernel would have done for PT_INTERP. */
static void map_program(const struct options *options)
{
    struct kernel_facts *k = &session.kernel;
    kernel_drop_arguments(k, options->used);
    k->execfn_argv0 = k->argv[0];
    /* Where all of our own words stay to be seen, the path stays too: tools look for it there. */
    char *name = !options->argv0 ? NULL : options->proc_exe && exe_may_be_taken() ? place_name(k, options->argv0) : (char *)options->argv0;
    const char *path = k->argv[0];
    kernel_set_auxv(k, AT_EXECFN, (u64)path);
    if (options->what == DO_VERIFY)
        session.report = (struct report){ 0 };
    struct search as_program = session.search;
    as_program.try = take_program;
    int got = search_library(&as_program, path, NULL);
    if (got != 1 && options->what == DO_VERIFY)
        sys_exit(1);
    if (got == 0)
        report_errno(&session.report, LDR_E_OPEN, path, 0);
    if (got != 1)
        message_end(127);
    struct object *program = session.program;
    program->path = "";
    u64 phdr = program->image.phdr_vaddr ? program->bias + program->image.phdr_vaddr : (u64)program->image.phdr;
    kernel_set_auxv(k, AT_PHDR, phdr);
    kernel_set_auxv(k, AT_PHNUM, program->image.phnum);
    kernel_set_auxv(k, AT_ENTRY, program->bias + program->image.entry);
    k->entry = program->bias + program->image.entry;
    if (name)
        k->argv[0] = name;
}

static int preload_problem;

static void note_preload_problem(struct report *report, const struct problem *problem)
{
    (void)report;
    preload_problem = preload_problem ? preload_problem : problem->code;
}

/* `trusted`: written by root (/etc/ld.so.preload), not by whoever starts a set-uid program. */
NOINLINE static void preload_list(const char *list, const char *from, bool colons, bool trusted)
{
    const char *word;
    size_t len;
    while (list && (word = config_next_word(&list, colons, &len))) {
        char *name = arena_dupn(&session.permanent, word, len);
        if (!name)
            return;
        /* Under AT_SECURE only plain names, which the trusted directories must hold. */
        struct report outer = session.report;
        session.report = (struct report){ note_preload_problem };
        preload_problem = 0;
        struct object *object = session.config.secure && !trusted && str_chr(name, '/') ? session.program
                                : load_library(name, session.program, trusted ? FOUND_TRUSTED_PRELOAD : FOUND_PRELOAD, false, false);
        session.report = outer;
        if (!object) {
            char buf[4400];
            struct text t = text_on(buf, sizeof buf);
            text_put(&t, "ERROR: ld.so: object '");
            text_put(&t, name);
            text_put(&t, "' from ");
            text_put(&t, from);
            text_put(&t, " cannot be preloaded (");
            text_put(&t, preload_problem ? ldr_error_text(preload_problem) : ldr_error_text(LDR_E_OPEN));
            text_put(&t, "): ignored.\n");
            message_warn(buf);
        } else if (object != session.program) {
            object->found_by = FOUND_PRELOAD;
        }
    }
}

static void preload_file(void)
{
    struct stat st;
    int fd = sys_open_read("/etc/ld.so.preload");
    if (fd < 0)
        return;
    if (sys_fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size < 1 << 20) {
        char *text = arena_zalloc(&session.permanent, (u64)st.st_size + 1);
        long got = text ? sys_read(fd, text, (size_t)st.st_size) : 0;
        for (long i = 0; i < got; i++)
            if (text[i] == '#')       /* comment to the end of the line */
                while (i < got && text[i] != '\n')
                    text[i++] = ' ';
        if (got > 0)
            preload_list(text, "/etc/ld.so.preload", true, true);
    }
    sys_close(fd);
}

static void refuse_audit(void)
{
    char buf[4400];
    struct text t = text_on(buf, sizeof buf);
    if (!session.config.audit)
        return;
    text_put(&t, "ERROR: ld.so: object '");
    text_put(&t, session.config.audit);
    text_put(&t, "' cannot be loaded as audit interface: auditing is not supported yet; ignored.\n");
    message_warn(buf);
}

static int load_everything(void)
{
    if (cache_is_warm())
        return cache_list_objects();
    refuse_audit();
    preload_list(session.config.preload_env, "LD_PRELOAD", true, false);
    preload_list(session.config.preload_option, "--preload", true, false);
    preload_file();
    return load_graph(session.first, false);
}

static int check_all_versions(void)
{
    int worst = 0;
    if (cache_is_warm())
        return 0;                     /* of these very files it was found good */
    for (struct object *object = session.first; object; object = object->next) {
        int err = check_isa(object);
        err = err ? err : check_versions(object, true);
        worst = err ? err : worst;
    }
    return worst;
}

static int place_everything(void)
{
    int err = cache_is_warm() ? cache_take_order() : init_order_build(session.program, &session.permanent);
    const struct scope *closure = &session.program->closure;
    for (u32 i = 0; i < closure->count && !err; i++) {
        if (!scope_add(&session.global, closure->object[i], &session.permanent))
            err = -LDR_E_NO_MEMORY;
        closure->object[i]->in_global = true;
    }
    for (struct object *object = session.first; object && !err; object = object->next) {
        if (!object_add_scope(object, &session.global, false))
            err = -LDR_E_NO_MEMORY;
        if (object->image.symbolic && !object->is_program &&
            (!scope_add(&object->symbolic_scope, object, object->arena) || !object_add_scope(object, &object->symbolic_scope, true)))
            err = -LDR_E_NO_MEMORY;
        if (!err)
            err = tls_add_module(object);
    }
    return err;
}

/* Both files are the record's when the start is made from one: what was found in them then still stands. */
static int recognise(void)
{
    u32 len;
    const void *facts = cache_facts(&len);
    shim_recall(facts, len);
    int err = shim_recognise();
    if (!err && cache_is_making()) {
        facts = shim_facts(&len);
        cache_keep_facts(facts, len);
    }
    return err;
}

static int relocate_linker_alone(void)
{
    return relocate_object(session.linker, BIND_NOW);
}

/* The genuine linker first, by its own definitions only: its IRELATIVE computes the CPU features that everybody's resolvers read. */
static int relocate_linker(void)
{
    struct object *linker = session.linker;
    if (!linker)
        return 0;
    if (linker->state >= OBJECT_RELOCATED) {
        linker->is_linker = true;
        return 0;
    }
    struct object *alone[1] = { linker };
    struct scope own = { .object = alone, .count = 1, .room = 1 };
    const struct scope *scopes[1] = { &own }, **outer = linker->scope;
    u32 count = linker->scope_count;
    linker->scope = scopes;
    linker->scope_count = 1;
    int err = cache_on_one_processor(relocate_linker_alone);
    linker->scope = outer;
    linker->scope_count = count;
    linker->is_linker = true;
    if (cache_is_making())
        shim_forget_processor();
    cache_snapshot_linker();
    return err;
}

static int relocate_everything(void)
{
    enum bind_when when = session.config.bind_now ? BIND_NOW : BIND_LAZY;
    const struct scope *closure = &session.program->closure;
    relocate_prepare(&session.global, session.config.bind_now);
    int worst = session.libc ? relocate_object(session.libc, when) : 0;      /* resolvers in libc serve all others */
    for (u32 i = closure->count; i-- > 0;) {
        int err = relocate_object(session.program->init_order[i], when);
        worst = err ? err : worst;
    }
    relocate_done();
    return worst;
}

static int protect_everything(void)
{
    int err = 0;
    for (struct object *object = session.first; object && !err; object = object->next)
        if (object->state == OBJECT_RELOCATED)
            err = protect_relro(object);
    return err;
}

static u64 hand_over_static(void)
{
    cache_end_dry("nothing to link: the program is static");
    cache_drop();
    ldr_no_finish = 1;
    return session.kernel.entry;
}

static void must(int err)
{
    if (!err)
        return;
    event_phase(PHASE_END);
    message_end(err == -LDR_E_VERSION_MISSING ? 1 : 127);
}

static bool stack_must_execute(void)
{
    for (const struct object *object = session.first; object; object = object->next)
        if ((object->image.stack_flags & PF_X) && !object->is_vdso)
            return true;
    return false;
}

u64 ldr_start(u64 *stack)
{
    bootstrap_relocate();
    session.permanent.more = permanent_more;
    session.permanent.zeroed = true;
    session.report = message_start_report();
    kernel_read(stack, &session.kernel);
    session.way = session.kernel.entry == (u64)_start ? START_COMMAND : START_INTERPRETER;
    read_environment();
    if (session.config.debug || session.config.record)
        events_begin();
    if (session.config.show_auxv)
        auxv_show(session.kernel.auxv);
    load_search_init();
    bootstrap_describe(&session.self, &session.self_eh_frame_hdr);

    load_hooks = (struct load_hooks){ .place = cache_place, .take = late_take, .discarded = late_discarded, .opened = late_opened };
    struct options options = { 0 };
    if (session.way == START_COMMAND) {
        session.self_path = session.kernel.execfn ? session.kernel.execfn : "ld-ldr.so";
        options_read(&options);
    }
    keep_settings();
    if (session.way == START_COMMAND) {
        session.origin_by_file = options.proc_exe;
        if (options.what == DO_RUN)
            load_hooks.program = cache_look;
        map_program(&options);
    } else {
        adopt_program();
        const struct image *program = &session.program->image;
        const char *interp = view_at(&session.program->view, program->interp_vaddr, program->interp_len);
        session.self_path = interp ? interp : "ld-ldr.so";
    }
    if (options.proc_exe && session.way == START_COMMAND)
        exe_take(session.program->real_path);
    struct object *program = session.program;
    /* A program that needs libraries is linked even without PT_INTERP: only the kernel would have asked for that. */
    u32 at = 0;
    u64 needed;
    /* A linker by itself, the system's or another of ours, starts by itself. */
    bool is_linker = object_is_system_linker(program) && !program->image.interp_len;
    bool is_static = !program->image.dyn_vaddr || is_linker || (!program->image.interp_len && (program->image.flags_1 & DF_1_PIE) &&
                                                   !image_next_dyn(&program->image, &at, DT_NEEDED, &needed));
    if (options.what == DO_VERIFY)
        sys_exit(!program->image.dyn_vaddr ? 1 : program->image.interp_len ? 0 : 2);
    if (options.what == DO_LIST)
        session.config.trace = true, session.config.trace_missing = false;
    if (is_static && !session.config.trace)
        return hand_over_static();

    adopt_vdso();
    int err = load_everything();
    must(err);
    if (session.config.trace && (session.config.warn || session.config.trace_unused))
        must(place_everything());
    if (session.config.trace)
        trace_and_exit();
    event_phase(PHASE_LINK);
    must(check_all_versions());
    must(recognise());
    must(place_everything());
    must(tls_start_main_thread(shim_thread_size()));
    if (cache_is_warm())
        must(cache_check_tls());
    load_publish(session.first);
    event_scopes(NULL, 0, session.first);
    event_phase(PHASE_RELOCATE);
    must(relocate_linker());
    bind_learn_vector_state();
    gate_fill();
    shim_fill();
    shim_main_thread();
    shim_publish_modules();
    debug_start(shim_debug_interface());       /* announced only when consistent: libthread_db would look at threads half made */
    must(relocate_everything());
    tls_copy_images(session.main_tp);
    if (stack_must_execute())
        must(make_stack_executable());
    event_phase(PHASE_PROTECT);
    cache_make();
    must(protect_everything());
    must(shim_early_init());
    debug_announce(DEBUG_CONSISTENT);
    session.started = true;
    event_phase(PHASE_CONSTRUCTORS);
    init_run(program);
    event_phase(PHASE_RUNNING);
    return session.kernel.entry;
}
