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

static bool loaded(const char *name)
{
    return load_only_loaded(name, NULL) != NULL;
}

static void put_missing(const struct object *object)
{
    u32 at = 0;
    u64 off;
    while (image_next_dyn(&object->image, &at, DT_NEEDED, &off)) {
        const char *name = image_string(&object->image, off);
        bool told = false;
        if (!name || loaded(name))
            continue;
        for (const struct object *o = session.first; o != object && !told; o = o->next) {
            u32 k = 0;
            u64 other;
            while (!told && image_next_dyn(&o->image, &k, DT_NEEDED, &other))
                told = str_equal(image_string(&o->image, other), name);
        }
        if (told)
            continue;
        char buf[4200];
        struct text t = text_on(buf, sizeof buf);
        text_char(&t, '\t');
        text_put(&t, name);
        text_put(&t, " => not found\n");
        sys_write_all(1, buf, t.len);
    }
}

_Noreturn void trace_and_exit(int worst)
{
    (void)worst;
    if (!session.program->image.dyn_vaddr) {
        static const char text[] = "\tstatically linked\n";
        sys_write_all(1, text, sizeof text - 1);
        sys_exit(0);
    }
    /* Objects in load order; what an object needs and nobody has comes where it would have stood. */
    for (const struct object *object = session.first; object; object = object->next) {
        if (!object->is_program && !object->is_self)
            put_object(object);
        put_missing(object);
    }
    sys_exit(0);
}
