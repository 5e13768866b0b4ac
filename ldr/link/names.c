/* names.c - which of the objects loaded so far is meant? By a name it was asked for or calls itself, or by the file it is. */
#include "link.h"

bool object_answers_to(const struct object *object, const char *name)
{
    for (const struct alias *alias = &object->aliases; alias; alias = alias->next)
        if (alias->name && str_equal(alias->name, name))
            return true;
    return false;
}

struct object *object_by_name(struct object *first, const char *name)
{
    bool has_slash = str_chr(name, '/') != NULL;
    for (struct object *object = first; object; object = object->next) {
        if (object->is_vdso)
            continue;
        if (object_answers_to(object, name))
            return object;
        if (has_slash && object->path && *object->path && str_equal(object->path, name))
            return object;
    }
    return NULL;
}

struct object *object_by_file(struct object *first, u64 dev, u64 ino)
{
    for (struct object *object = first; object; object = object->next)
        if (object->ino == ino && object->dev == dev && ino)
            return object;
    return NULL;
}
