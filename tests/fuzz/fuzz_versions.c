/* DT_VERDEF, DT_VERNEED, DT_VERSYM, and lookups that ask for a version. */
#include "fuzz.h"

static void judge(struct subject *subject)
{
    struct image *image = &subject->object.image;
    struct view *view = &subject->object.view;
    if (image_read_dynamic(image, view, &fuzz_report) || image_read_versions(image, view, &subject->arena, &fuzz_report))
        return;
    for (u32 i = 0; i < image->version_count; i++) {
        const struct version *v = &image->version[i];
        touch(v->name, v->name ? strlen(v->name) + 1 : 0);
    }
    struct version_walk walk = image_version_needs(image);
    struct version_need need;
    for (u32 steps = 0; steps < 100 && image_next_version_need(image, view, &walk, &need); steps++) {
        touch(need.file, strlen(need.file) + 1);
        image_defines_version(image, need.name, need.hash);
    }
    u64 count = image_symbol_count(image);
    if (image->versym)
        touch(image->versym, count * sizeof *image->versym);
    for (u64 i = 0; i < count && i < 32; i++) {
        const char *name = image_string(image, image->symtab[i].st_name);
        if (!name)
            continue;
        struct symbol_want want = { .name = name };
        want.gnu = gnu_hash_len(name, &want.len);
        for (u32 v = 0; v < image->version_count && v < 16; v++) {
            want.version = &image->version[v];
            if (want.version->name)
                image_find_symbol(image, &want);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    each_subject(data, size, judge);
    return 0;
}
