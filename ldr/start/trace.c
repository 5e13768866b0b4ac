/* trace.c - the list that ldd prints: each object in load order with the name it was asked by, its path and address. */
#include "start.h"
#include "../arch/arch.h"

static void put_object(const struct object *object)
{
    char buf[8192];
    struct text t = text_on(buf, sizeof buf);
    const char *name = object->aliases.name, *path = object->path;
    bool linker = object->image.soname && str_equal(object->image.soname, "ld-linux-x86-64.so.2");
    if (linker) {
        /* We stand where the program names its linker; without such a name, where we were started from. */
        const char *interp = view_at(&session.program->view, session.program->image.interp_vaddr, session.program->image.interp_len);
        name = path = interp && session.program->image.interp_len ? interp : session.self_path;
    }
    /* The alias list begins with the soname; what was asked for may be a path. */
    for (const struct alias *alias = &object->aliases; alias && !linker; alias = alias->next)
        if (alias->name && str_equal(alias->name, path))
            name = path;
    text_char(&t, '\t');
    text_put(&t, name ? name : path);
    if (name && !str_equal(name, path)) {
        text_put(&t, " => ");
        text_put(&t, path);
    }
    text_put(&t, " (");
    text_hex_wide(&t, object->map_start);
    text_put(&t, ")\n");
    sys_write_all(1, buf, t.len);
}

static void put_missing(const struct object *object)
{
    char buf[4200];
    struct text t = text_on(buf, sizeof buf);
    text_char(&t, '\t');
    text_put(&t, object->aliases.name);
    text_put(&t, " => not found\n");
    sys_write_all(1, buf, t.len);
}

/* ---- ldd -d, -r and -u: every reference is looked up, nothing is stored ------------------------------------------------ */

static void put_undefined(struct report *report, const struct problem *problem)
{
    char buf[4200];
    struct text t = text_on(buf, sizeof buf);
    (void)report;
    if (problem->code != LDR_E_SYMBOL)
        return;
    text_put(&t, "undefined symbol: ");
    text_put(&t, problem->name);
    if (problem->wanted_by) {
        text_put(&t, ", version ");
        text_put(&t, problem->wanted_by);
    }
    text_put(&t, "\t(");
    text_put(&t, problem->object);
    text_put(&t, ")\n");
    sys_write_all(1, buf, t.len);
}

static void look_up_table(struct object *object, const struct rela_table *table, struct report *report)
{
    for (u64 i = 0; i < table->count; i++) {
        u32 symbol = (u32)ELF64_R_SYM(table->at[i].r_info);
        struct reloc_kind kind = arch_reloc_kind((u32)ELF64_R_TYPE(table->at[i].r_info));
        struct reference reference = { object, symbol, reference_classes(kind), report, NULL };
        struct binding found;
        if (symbol && find_reference(&reference, &found) == 0 && found.object != object)
            found.object->visited = true;
    }
}

static void look_up_everything(void)
{
    struct report report = { session.config.warn ? put_undefined : NULL };
    for (struct object *object = session.first; object; object = object->next)
        if (!object->is_vdso && !object->is_missing) {
            look_up_table(object, &object->image.rela, &report);
            /* ldd -d leaves functions to be bound later; -r sets LD_BIND_NOW. */
            if (session.config.bind_now || session.config.trace_unused)
                look_up_table(object, &object->image.plt, &report);
        }
}

static _Noreturn void trace_unused(void)
{
    bool any = false;
    look_up_everything();
    const struct object *program = session.program;
    for (u32 i = 0; i < program->needed_count; i++) {
        const struct object *needed = program->needed[i];
        if (needed->visited || needed->is_linker || needed->is_missing)
            continue;
        char buf[4200];
        struct text t = text_on(buf, sizeof buf);
        text_put(&t, any ? "\t" : "Unused direct dependencies:\n\t");
        text_put(&t, needed->path);
        text_char(&t, '\n');
        sys_write_all(1, buf, t.len);
        any = true;
    }
    sys_exit(any);
}

_Noreturn void trace_and_exit(void)
{
    if (!session.program->image.needed_count) {
        static const char text[] = "\tstatically linked\n";
        sys_write_all(1, text, sizeof text - 1);
        sys_exit(0);
    }
    if (session.config.trace_unused)
        trace_unused();
    /* Objects in load order; what an object needs and nobody has stands where it would have stood. */
    for (const struct object *object = session.first; object; object = object->next)
        if (object->is_missing)
            put_missing(object);
        else if (!object->is_program)
            put_object(object);
    if (session.config.warn)
        look_up_everything();
    sys_exit(0);
}
