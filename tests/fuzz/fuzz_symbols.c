/* Dynamic section, string and symbol tables, both hash tables, and the index over a scope of two readings of the same file. */
#include "fuzz.h"

static void ask(const struct image *image, const char *name)
{
    struct symbol_want want = { .name = name };
    want.gnu = gnu_hash_len(name, &want.len);
    const Elf64_Sym *sym = image_find_symbol(image, &want);
    if (sym) {
        MUST(sym >= image->symtab && (u64)(sym - image->symtab) < image->sym_limit);
        MUST(strcmp(image_string(image, sym->st_name), name) == 0);
    }
    want.classes = CLASS_PLT;
    want.newest = true;
    image_find_symbol(image, &want);
}

static void ask_index(struct subject *subject, const struct image *image, u64 count)
{
    struct object *list[] = { &subject->object, &subject->object };
    struct scope scope = { list, 2, 2 };
    struct symbol_index index;
    struct binding binding;
    if (!index_build(&index, &scope, &subject->arena))
        return;
    for (u64 i = 0; i < count; i++) {
        const char *name = image_string(image, image->symtab[i].st_name);
        if (!name)
            continue;
        struct symbol_want want = { .name = name };
        want.gnu = gnu_hash_len(name, &want.len);
        if (index_find(&index, &want, NULL, &binding) == INDEX_FOUND)
            MUST(strcmp(image_string(image, binding.symbol->st_name), name) == 0);
        lookup_reference(&subject->object, &image->symtab[i], &want, NULL, &index, &binding);
    }
}

static void judge(struct subject *subject)
{
    struct image *image = &subject->object.image;
    if (image_read_dynamic(image, &subject->object.view, &fuzz_report))
        return;
    if (image->strtab)
        MUST(image->strtab_len && image->strtab[image->strtab_len - 1] == 0);
    u32 at = 0;
    u64 value;
    while (image_next_dyn(image, &at, DT_NEEDED, &value)) {
        const char *name = image_string(image, value);
        touch(name, name ? strlen(name) + 1 : 0);
    }
    u64 count = image_symbol_count(image);
    if (!image->symtab) {
        MUST(image->sym_limit == 0);
        return;
    }
    MUST(count <= image->sym_limit);
    if (count > 64)
        count = 64;
    touch(image->symtab, count * sizeof *image->symtab);
    ask(image, "");
    ask(image, "puts");
    for (u64 i = 0; i < count; i++) {
        const char *name = image_string(image, image->symtab[i].st_name);
        if (name && strlen(name) < 256)
            ask(image, name);
    }
    ask_index(subject, image, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    each_subject(data, size, judge);
    return 0;
}
