/* versions.c - does every version that an object needs exist? The needs of one object, one after the other, each with its verdict
 * (LSB "Symbol Versioning"; what the system's linker says and what it lets pass). */
#include "link.h"

enum version_verdict version_next(struct version_check *check, const struct object *object, struct object *first)
{
    struct version_need *need = &check->need;
    const char *file = need->file;
    if (!check->begun) {
        check->begun = true;
        check->walk = image_version_needs(&object->image);
    }
    if (!image_next_version_need(&object->image, &object->view, &check->walk, need))
        return VERSION_END;
    check->new_file = need->file != file;
    if (check->new_file) {            /* needs of one file stand together */
        check->from = object_by_name(first, need->file);
        check->needs_libc |= str_equal(need->file, "libc.so.6");
    }
    if (object->image.relr.count)
        check->has_relr_marker |= str_equal(need->name, "GLIBC_ABI_DT_RELR");
    /* A library without versions answers any reference; one that is missing altogether has been told. */
    if (!check->from || !check->from->image.verdef_count || image_defines_version(&check->from->image, need->name, need->hash))
        return VERSION_FOUND;
    return need->weak ? VERSION_MISSING_WEAK : VERSION_MISSING;
}

bool version_relr_unmarked(const struct version_check *check, const struct object *object)
{
    return object->image.relr.count && check->needs_libc && !check->has_relr_marker;
}

static size_t family_len(const char *version)
{
    size_t len = 0;
    while (version[len] && !(version[len] >= '0' && version[len] <= '9'))
        len++;
    return len;
}

const char *version_newest(const struct image *image, const char *like)
{
    const char *newest = NULL;
    size_t family = family_len(like);
    for (u32 i = 0; i < image->version_count; i++) {
        const struct version *one = &image->version[i];
        if (one->name && !one->needed && one->name[family_len(one->name)] && family_len(one->name) == family && memcmp(one->name, like, family) == 0 &&
            (!newest || str_compare_numbered(one->name, newest) > 0))
            newest = one->name;
    }
    return newest;
}
