/* ld_debug.c - LD_DEBUG in the form of the system's linker (ld.so(8)), so that what people wrote for its output understands ours: a process
 * id of ten columns and a tab before every line, the same words in the same order. The namespace "[0]" is the only one there is.
 * A message is put together on the stack and written by one call, so lines of several threads do not mix. */
#include "ld_debug.h"

static COLD_DATA int out_fd;

struct lines {
    struct text text;
    bool inside;                      /* a line is begun: no process id before the next byte */
    char buf[1024];
};

static void flush(struct lines *lines)
{
    sys_write_all(out_fd, lines->buf, lines->text.len);
    lines->text = text_on(lines->buf, sizeof lines->buf);
}

static void begin(struct lines *lines)
{
    lines->text = text_on(lines->buf, sizeof lines->buf);
    lines->inside = false;
}

static void put_tag(struct lines *lines)
{
    char digits[24];
    struct text pid = text_on(digits, sizeof digits);
    text_dec(&pid, (u64)sys_getpid());
    for (size_t i = pid.len; i < 10; i++)
        text_char(&lines->text, ' ');
    text_put(&lines->text, digits);
    text_put(&lines->text, ":\t");
}

static void put(struct lines *lines, const char *s)
{
    for (; *s; s++) {
        if (lines->text.len + 32 > sizeof lines->buf)
            flush(lines);
        if (!lines->inside)
            put_tag(lines);
        text_char(&lines->text, *s);
        lines->inside = *s != '\n';
    }
}

static void put_dec(struct lines *lines, u64 value, size_t width)
{
    char digits[24];
    struct text text = text_on(digits, sizeof digits);
    text_dec(&text, value);
    for (size_t i = text.len; i < width; i++)
        put(lines, " ");
    put(lines, digits);
}

static void put_address(struct lines *lines, u64 value)
{
    char digits[24];
    struct text text = text_on(digits, sizeof digits);
    text_hex_wide(&text, value);
    put(lines, digits);
}

/* The system's linker shows itself by the name the program asks for, and so is the genuine one shown here. */
static const char *name_of(const struct object *object)
{
    const struct image *program = &session.program->image;
    bool linker = object->is_linker || object_is_system_linker(object);
    const char *interp = linker && program->interp_len ? view_at(&session.program->view, program->interp_vaddr, program->interp_len) : NULL;
    return interp ? interp : object_label(object);
}

static void put_file(struct lines *lines, const struct object *object)
{
    put(lines, name_of(object));
    put(lines, " [0]");
}

/* ---- which categories, and where to --------------------------------------------------------------------------------- */

static bool word_is(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(word, name, len) == 0;
}

static u32 category(const char *word, size_t len)
{
    u32 calls = WATCH_CALLS;
    if (word_is(word, len, "libs")) return WATCH_LIBS | calls;
    if (word_is(word, len, "reloc")) return WATCH_RELOC | calls;
    if (word_is(word, len, "files")) return WATCH_FILES | calls;
    if (word_is(word, len, "symbols")) return WATCH_SYMBOLS | calls;
    if (word_is(word, len, "bindings")) return WATCH_BINDINGS | calls;
    if (word_is(word, len, "versions")) return WATCH_VERSIONS | calls;
    if (word_is(word, len, "scopes")) return WATCH_SCOPES;
    if (word_is(word, len, "all"))
        return WATCH_LIBS | WATCH_RELOC | WATCH_FILES | WATCH_SYMBOLS | WATCH_BINDINGS | WATCH_VERSIONS | WATCH_SCOPES | calls;
    if (word_is(word, len, "statistics")) return WATCH_STATISTICS;
    if (word_is(word, len, "unused")) return WATCH_UNUSED;
    if (word_is(word, len, "cache")) return WATCH_CACHE;        /* not in `all`, whose lines are those of the system's linker */
    return word_is(word, len, "help") ? WATCH_HELP : 0;
}

u32 ld_debug_categories(const char *words)
{
    u32 all = 0;
    while (*words) {
        size_t len = 0;
        while (words[len] && words[len] != ' ' && words[len] != ',' && words[len] != ':')
            len++;
        u32 bits = category(words, len);
        if (len && !bits) {
            char buf[256];
            struct text t = text_on(buf, sizeof buf);
            text_put(&t, "warning: debug option `");
            text_putn(&t, words, len < 128 ? len : 128);
            text_put(&t, "' unknown; try LD_DEBUG=help\n");
            sys_write_all(2, buf, t.len);
        }
        all |= bits;
        words += words[len] ? len + 1 : len;
    }
    return all;
}

_Noreturn void ld_debug_help(void)
{
    static const char help[] =
        "Valid options for the LD_DEBUG environment variable are:\n\n"
        "  libs        display library search paths\n"
        "  reloc       display relocation processing\n"
        "  files       display progress for input file\n"
        "  symbols     display symbol table processing\n"
        "  bindings    display information about symbol binding\n"
        "  versions    display version dependencies\n"
        "  scopes      display scope information\n"
        "  all         all previous options combined\n"
        "  statistics  display relocation statistics\n"
        "  unused      determined unused DSOs\n"
        "  cache       display what came from the cache of ld-ldr.so, and why not\n"
        "  help        display this help message and exit\n\n"
        "To direct the debugging output into a file instead of standard output\n"
        "a filename can be specified using the LD_DEBUG_OUTPUT environment variable.\n";
    sys_write_all(1, help, sizeof help - 1);
    sys_exit(0);
}

void ld_debug_begin(void)
{
    out_fd = 2;
    if (!session.config.debug_output)
        return;
    char path[4096];
    struct text t = text_on(path, sizeof path);
    text_put(&t, session.config.debug_output);
    text_char(&t, '.');
    text_dec(&t, (u64)sys_getpid());
    out_fd = t.cut ? -36 : sys_open_append(path);
    if (out_fd < 0)
        out_fd = 1;                   /* as the system's linker */
}

/* ---- libs, files ---------------------------------------------------------------------------------------------------- */

void ld_debug_text(const char *format, const char *first, const char *second)
{
    struct lines lines;
    begin(&lines);
    for (const char *s = format; *s; s++) {
        char one[2] = { *s, 0 };
        if (s[0] != '%') {
            put(&lines, one);
        } else if (s[1] == 's') {
            put(&lines, first ? first : "");
            first = second;
            s++;
        }
    }
    flush(&lines);
}

void ld_debug_wanted(const char *name, const struct object *loader, bool opened)
{
    struct lines lines;
    begin(&lines);
    put(&lines, "\nfile=");
    put(&lines, name);
    put(&lines, opened ? " [0];  dynamically loaded by " : " [0];  needed by ");
    put_file(&lines, loader);
    put(&lines, "\n");
    flush(&lines);
}

void ld_debug_searching(const char *name)
{
    ld_debug_text("find library=%s [0]; searching\n", name, NULL);
}

/* A list of directories is one line however long: it is written as it comes. One search runs at a time, under the load lock. */
static COLD_DATA struct lines list_line;
static COLD_DATA bool list_any;

void ld_debug_watch_search(struct search *search, enum search_step step, const char *path, enum found_by rule, const struct object *owner)
{
    (void)search;
    switch (step) {
    case SEARCH_LIST:
        begin(&list_line);
        list_any = false;
        return;
    case SEARCH_LIST_DIR:
        put(&list_line, list_any ? ":" : " search path=");
        put(&list_line, path);
        list_any = true;
        return;
    case SEARCH_LIST_END:
        if (!list_any)
            return;                   /* every directory of it is known not to exist */
        put(&list_line, "\t\t(");
        put(&list_line, rule == FOUND_DEFAULT ? "system search path" : found_by_text(rule));
        if (rule == FOUND_RPATH || rule == FOUND_RUNPATH) {
            put(&list_line, " from file ");
            put(&list_line, name_of(owner));
        }
        put(&list_line, ")\n");
        flush(&list_line);
        return;
    case SEARCH_CACHE:
        ld_debug_text(" search cache=%s\n", "/etc/ld.so.cache", NULL);
        return;
    case SEARCH_CANDIDATE:
        ld_debug_text("  trying file=%s\n", path, NULL);
        return;
    }
}

void ld_debug_mapped(const struct object *object)
{
    const struct image *image = &object->image;
    struct lines lines;
    u64 end = 0;
    for (u32 i = 0; i < image->plan.seg_count; i++)
        end = image->plan.seg[i].mem_end > end ? image->plan.seg[i].mem_end : end;
    begin(&lines);
    put(&lines, "file=");
    put(&lines, object->aliases.name ? object->aliases.name : name_of(object));
    put(&lines, " [0];  generating link map\n  dynamic: ");
    put_address(&lines, object->bias + image->dyn_vaddr);
    put(&lines, "  base: ");
    put_address(&lines, object->bias);
    put(&lines, "   size: ");
    put_address(&lines, object->bias + end - object->map_start);
    put(&lines, "\n    entry: ");
    put_address(&lines, object->bias + image->entry);
    put(&lines, "  phdr: ");
    put_address(&lines, image->phdr_vaddr ? object->bias + image->phdr_vaddr : (u64)image->phdr);
    put(&lines, "  phnum: ");
    put_dec(&lines, image->phnum, 18);
    put(&lines, "\n\n");
    flush(&lines);
}

void ld_debug_opened(const struct object *object)
{
    struct lines lines;
    begin(&lines);
    put(&lines, "opening file=");
    put_file(&lines, object);
    put(&lines, "; direct_opencount=");
    put_dec(&lines, object->open_count, 0);
    put(&lines, "\n\n");
    flush(&lines);
}

void ld_debug_closing(const struct object *object)
{
    struct lines lines;
    begin(&lines);
    put(&lines, "\nclosing file=");
    put(&lines, name_of(object));
    put(&lines, "; direct_opencount=");
    put_dec(&lines, object->open_count, 0);
    put(&lines, "\n");
    flush(&lines);
}

void ld_debug_unload(const struct object *object)
{
    ld_debug_text("\nfile=%s [0];  destroying link map\n", name_of(object), NULL);
}

/* ---- versions, scopes, symbols, bindings, reloc --------------------------------------------------------------------- */

void ld_debug_version(const struct object *object, const struct object *from, const char *version)
{
    struct lines lines;
    begin(&lines);
    put(&lines, "checking for version `");
    put(&lines, version);
    put(&lines, "' in file ");
    put_file(&lines, from);
    put(&lines, " required by file ");
    put_file(&lines, object);
    put(&lines, "\n");
    flush(&lines);
}

void ld_debug_scopes(const struct object *object, u32 from)
{
    struct lines lines;
    begin(&lines);
    put(&lines, "object=");
    put_file(&lines, object);
    put(&lines, "\n");
    for (u32 i = from; i < object->scope_count && object != session.linker; i++) {
        put(&lines, " scope ");
        put_dec(&lines, i, 0);
        put(&lines, ":");
        for (u32 k = 0; k < object->scope[i]->count; k++) {
            put(&lines, " ");
            put(&lines, name_of(object->scope[i]->object[k]));
        }
        put(&lines, "\n");
    }
    /* Nothing is looked up for the genuine linker any more. */
    if (!object->scope_count || object == session.linker)
        put(&lines, " no scope\n");
    put(&lines, "\n");
    flush(&lines);
}

void ld_debug_relocating(const struct object *object, bool lazy)
{
    ld_debug_text("\nrelocation processing: %s%s\n", name_of(object), lazy ? " (lazy)" : "");
}

void ld_debug_lookup(const struct symbol_want *want, const struct object *object)
{
    struct lines lines;
    begin(&lines);
    put(&lines, "symbol=");
    put(&lines, want->name);
    put(&lines, ";  lookup in file=");
    put_file(&lines, object);
    put(&lines, "\n");
    flush(&lines);
}

void ld_debug_bound(const struct reference *reference, const struct symbol_want *want, const struct binding *found)
{
    struct lines lines;
    const struct image *image = &reference->object->image;
    const struct version *version = want ? want->version : reference_version(reference->object, reference->symbol);
    const char *name = want ? want->name : image_string(image, image->symtab[reference->symbol].st_name);
    bool protected = found->object == reference->object && ELF64_ST_VISIBILITY(found->symbol->st_other) == STV_PROTECTED;
    begin(&lines);
    put(&lines, "binding file ");
    put_file(&lines, reference->object);
    put(&lines, " to ");
    put_file(&lines, found->object);
    put(&lines, protected ? ": protected symbol `" : ": normal symbol `");
    put(&lines, name ? name : "");
    put(&lines, "'");
    if (version) {
        put(&lines, " [");
        put(&lines, version->name);
        put(&lines, "]");
    }
    put(&lines, "\n");
    flush(&lines);
}

void ld_debug_calling(const struct object *object, enum call_kind kind)
{
    const char *name = object->is_program && kind != CALL_PREINIT_ARRAY ? object->path : name_of(object);
    switch (kind) {
    case CALL_PREINIT_ARRAY: ld_debug_text("\ncalling preinit: %s\n\n", name, NULL); return;
    case CALL_INIT:
    case CALL_INIT_ARRAY: ld_debug_text("\ncalling init: %s\n\n", name, NULL); return;
    default: ld_debug_text("\ncalling fini: %s [0]\n\n", name, NULL);
    }
}

/* ---- cache ---------------------------------------------------------------------------------------------------------- */

void ld_debug_cache(enum cache_news news, const char *text)
{
    switch (news) {
    case CACHE_HIT: ld_debug_text("cache: hit, record=%s\n", text, NULL); return;
    case CACHE_MISS: ld_debug_text("cache: miss: %s\n", text, NULL); return;
    case CACHE_MADE: ld_debug_text("cache: made, record=%s\n", text, NULL); return;
    case CACHE_NOT_MADE: ld_debug_text("cache: no record is made: %s\n", text, NULL);
    }
}

void ld_debug_cached(const struct object *object, enum cache_part part, const char *text, u64 pages, u64 read_only)
{
    struct lines lines;
    begin(&lines);
    put(&lines, "cache: file=");
    put_file(&lines, object);
    if (part == CACHE_RELOCATED || part == CACHE_BY_KERNEL) {
        put(&lines, part == CACHE_RELOCATED ? ";  relocated at each start: " : ";  mapped by the kernel");
        put(&lines, text);
    } else {
        put(&lines, part == CACHE_NEW_IMAGE ? ";  new image in pack=" : ";  image in pack=");
        put(&lines, text);
        put(&lines, "  pages: ");
        put_dec(&lines, pages, 0);
        put(&lines, "  read-only: ");
        put_dec(&lines, read_only, 0);
    }
    put(&lines, "\n");
    flush(&lines);
}

/* ---- statistics ----------------------------------------------------------------------------------------------------- */

static void put_share(struct lines *lines, u64 part, u64 whole)
{
    u64 tenths = whole ? (part > ~0ull / 2000 ? part / (whole / 1000 ? whole / 1000 : 1) : part * 1000 / whole) : 0;
    put_dec(lines, part, 0);
    put(lines, " cycles (");
    put_dec(lines, tenths / 10, 0);
    put(lines, ".");
    put_dec(lines, tenths % 10, 0);
    put(lines, "%)\n");
}

void ld_debug_statistics(const struct ld_debug_counts *counts)
{
    struct lines lines;
    begin(&lines);
    put(&lines, "\nruntime linker statistics:\n  total startup time in dynamic loader: ");
    put_dec(&lines, counts->total, 0);
    put(&lines, " cycles\n            time needed for relocation: ");
    put_share(&lines, counts->relocation, counts->total);
    put(&lines, "                 number of relocations: ");
    put_dec(&lines, counts->symbolic, 0);
    put(&lines, "\n      number of relocations from cache: ");
    put_dec(&lines, counts->repeated, 0);
    put(&lines, "\n        number of relative relocations: ");
    put_dec(&lines, counts->relative, 0);
    put(&lines, "\n           time needed to load objects: ");
    put_share(&lines, counts->load, counts->total);
    flush(&lines);
}

void ld_debug_final(const struct ld_debug_counts *counts)
{
    struct lines lines;
    begin(&lines);
    put(&lines, "\nruntime linker statistics:\n           final number of relocations: ");
    put_dec(&lines, counts->symbolic, 0);
    put(&lines, "\nfinal number of relocations from cache: ");
    put_dec(&lines, counts->repeated, 0);
    put(&lines, "\n");
    flush(&lines);
}
