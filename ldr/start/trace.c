/* trace.c - the list that ldd prints: each object in load order with the name it was asked by, its path and address. */
#include "start.h"

static void put_object(const struct object *object)
{
    char buf[8192];
    struct text t = text_on(buf, sizeof buf);
    const char *name = object->aliases.name, *path = object->path;
    if (object->is_linker && session.program->image.interp_len) {
        const char *interp = view_at(&session.program->view, session.program->image.interp_vaddr, session.program->image.interp_len);
        if (interp)
            name = path = interp;
    }
    /* The alias list begins with the soname; what was asked for may be a path. */
    for (const struct alias *alias = &object->aliases; alias && !object->is_linker; alias = alias->next)
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

_Noreturn void trace_and_exit(void)
{
    if (!session.program->image.dyn_vaddr) {
        static const char text[] = "\tstatically linked\n";
        sys_write_all(1, text, sizeof text - 1);
        sys_exit(0);
    }
    /* Objects in load order; what an object needs and nobody has stands where it would have stood. */
    for (const struct object *object = session.first; object; object = object->next)
        if (object->is_missing)
            put_missing(object);
        else if (!object->is_program && !object->is_self)
            put_object(object);
    sys_exit(0);
}
