/* message.c - the words. First line as the system's linker prints it, for scripts and search engines; further lines carry the values. */
#include "message.h"
#include "hint.h"
#include "../debug/events.h"

static void put_object(struct text *t, const struct problem *problem)
{
    if (problem->object && *problem->object) {
        text_put(t, problem->object);
        text_put(t, ": ");
    }
}

void message_put(struct text *t, const struct problem *problem)
{
    put_object(t, problem);
    switch (problem->code) {
    case LDR_E_SYMBOL:
        text_put(t, "undefined symbol: ");
        text_put(t, problem->name);
        if (problem->wanted_by) {
            text_put(t, ", version ");
            text_put(t, problem->wanted_by);
        }
        break;
    case LDR_E_VERSION_MISSING:
        text_put(t, "version `");
        text_put(t, problem->name);
        text_put(t, "' not found (required by ");
        text_put(t, problem->wanted_by);
        text_char(t, ')');
        break;
    case LDR_E_CLASS:
        text_put(t, problem->found == ELFCLASS32 ? "wrong ELF class: ELFCLASS32" : "invalid ELF header");
        break;
    case LDR_E_MACHINE:               /* the system's linker passes such a file over and then finds nothing */
        text_put(t, "cannot open shared object file: No such file or directory");
        break;
    case LDR_E_RELOC_TYPE:
        text_put(t, "unexpected reloc type ");
        text_hex(t, problem->found);
        break;
    case LDR_E_RELOC_OVERFLOW:
        text_put(t, "Symbol `");
        text_put(t, problem->name ? problem->name : "");
        text_put(t, problem->expected == 4 ? "' causes overflow in R_X86_64_32 or PC32 relocation" : "' causes overflow in relocation");
        break;
    default:
        text_put(t, ldr_error_text(problem->code));
    }
    if (problem->sys_errno) {
        text_put(t, ": ");
        text_put(t, errno_text(problem->sys_errno));
    }
}

/* ---- what was tried for a missing library: the search once more, with a `try` that only writes down ------------------- */

static struct text *tried;

static int note_candidate(struct search *search, const char *path, enum found_by rule, const struct object *owner)
{
    (void)search;
    text_put(tried, "  tried ");
    text_put(tried, path);
    int access = sys_access(path, 4);
    if (access != -2) {
        text_put(tried, ": ");
        text_put(tried, access ? errno_text(-access) : "not a library for this machine");
    }
    text_put(tried, " (");
    text_put(tried, found_by_text(rule));
    if (owner && rule != FOUND_LIBRARY_PATH) {
        text_put(tried, " of ");
        text_put(tried, object_label(owner));
    }
    text_put(tried, ")\n");
    return 0;
}

/* Machine-dependent subdirectories that do not exist are the rule, not news. */
static bool is_subdirectory(const char *path)
{
    const char *name = str_base(path);
    return str_equal(name, "glibc-hwcaps") || str_equal(name, "tls") || str_equal(name, "x86_64");
}

static void put_tried(struct text *t, const struct problem *problem)
{
    struct search again = session.search;
    struct object *loader = session.program;
    for (struct object *object = session.first; object; object = object->next)
        if (problem->wanted_by && str_equal(object_label(object), problem->wanted_by))
            loader = object;
    if (!loader)
        return;
    again.try = note_candidate;
    tried = t;
    search_library(&again, problem->object, loader);
    for (struct search_dir *dir = again.dirs; dir; dir = dir->next)
        if (dir->state == DIR_MISSING && !is_subdirectory(dir->path)) {
            text_put(t, "  no such directory: ");
            text_put(t, dir->path);
            text_char(t, '\n');
        }
}

void message_put_detail(struct text *t, const struct problem *problem)
{
    if (problem->code == LDR_E_OPEN) {
        if (problem->wanted_by) {
            text_put(t, "  needed by ");
            text_put(t, problem->wanted_by);
            text_char(t, '\n');
        }
        put_tried(t, problem);
        return;
    }
    if (!problem->has_values)
        return;
    text_put(t, "  ");
    text_put(t, ldr_error_field(problem->code));
    text_put(t, ": found ");
    text_hex(t, problem->found);
    text_put(t, ", expected ");
    text_hex(t, problem->expected);
    if (problem->place) {
        text_put(t, ", at ");
        text_hex(t, problem->place);
    }
    text_char(t, '\n');
    if (problem->code == LDR_E_STATIC_TLS) {
        text_put(t, "  static TLS is held by:");
        for (u64 id = 1; id <= session.module_count; id++) {
            const struct object *holder = session.module[id].object;
            if (!holder || !holder->tls_offset)
                continue;
            text_char(t, ' ');
            text_put(t, str_base(object_label(holder)));
            text_char(t, '=');
            text_dec(t, holder->image.tls_memsz);
        }
        text_put(t, " bytes\n");
    }
}

/* ---- printing -------------------------------------------------------------------------------------------------------- */

/* The first one printed: what follows is often a consequence, and one next step is enough. Its texts are the objects' own. */
static COLD_DATA struct problem first_problem;

static void remember(const struct problem *problem)
{
    if (!first_problem.code)
        first_problem = *problem;
}

/* Each line of the suggestions an error of its own: a record is read with less of the situation at hand than a message. */
static void tell_hints(char *at)
{
    while (*at) {
        char *end = (char *)str_chr(at, '\n');
        while (*at == ' ')
            at++;
        if (!end) {
            event_error(at);
            return;
        }
        *end = 0;
        event_error(at);
        *end = '\n';
        at = end + 1;
    }
}

static void print(const char *occasion, const struct problem *problem)
{
    char buf[8192];
    struct text t = text_on(buf, sizeof buf);
    text_put(&t, session.kernel.argv && session.kernel.argv[0] ? session.kernel.argv[0] : "ld-ldr.so");
    text_put(&t, ": ");
    text_put(&t, occasion);
    message_put(&t, problem);
    event_error(buf);
    text_char(&t, '\n');
    message_put_detail(&t, problem);
    u64 told = t.len;
    hint_put(&t, problem);
    tell_hints(buf + told);
    sys_write_all(2, buf, t.len);
    remember(problem);
}

_Noreturn void message_end(int status)
{
    char buf[4200];
    struct text t = text_on(buf, sizeof buf);
    if (first_problem.code)
        hint_put_step(&t, &first_problem);
    sys_write_all(2, buf, t.len);
    sys_exit(status);
}

static bool is_lookup(int code)
{
    return code == LDR_E_SYMBOL || code == LDR_E_RELOC_OVERFLOW;
}

static void print_at_start(struct report *report, const struct problem *problem)
{
    (void)report;
    if (problem->code == LDR_E_ISA_LEVEL) {
        char buf[1024];
        struct text t = text_on(buf, sizeof buf);
        message_put(&t, problem);
        event_error(buf);
        text_char(&t, '\n');
        sys_write_all(2, buf, t.len);
        remember(problem);
        return;
    }
    if (problem->code == LDR_E_NOT_COPYABLE) {
        char occasion[512];
        struct text t = text_on(occasion, sizeof occasion);
        text_put(&t, problem->name);
        text_put(&t, ": ");
        print(occasion, problem);
        return;
    }
    print(is_lookup(problem->code) ? "symbol lookup error: " : problem->code == LDR_E_VERSION_MISSING ? ""
          : "error while loading shared libraries: ", problem);
}

struct report message_start_report(void)
{
    return (struct report){ print_at_start };
}

static void print_and_die(struct report *report, const struct problem *problem)
{
    (void)report;
    print("symbol lookup error: ", problem);
    message_end(127);
}

struct report message_fatal_lookup_report(void)
{
    return (struct report){ print_and_die };
}

_Noreturn void message_die_lookup(const struct object *object, const char *what)
{
    message_die(object_label(object), what);
}

_Noreturn void message_die(const char *what, const char *detail)
{
    char buf[2048];
    struct text t = text_on(buf, sizeof buf);
    text_put(&t, session.kernel.argv && session.kernel.argv[0] ? session.kernel.argv[0] : "ld-ldr.so");
    text_put(&t, ": error while loading shared libraries: ");
    text_put(&t, what);
    if (detail) {
        text_put(&t, ": ");
        text_put(&t, detail);
    }
    text_char(&t, '\n');
    sys_write_all(2, buf, t.len);
    sys_exit(127);
}

void message_warn(const char *what)
{
    start_warning(what, strlen(what));
}
