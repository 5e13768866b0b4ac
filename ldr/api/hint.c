/* hint.c - second looks before the process ends: slow is allowed, deciding is not. What only other files can tell (which library of this
 * machine has the symbol, where a missing library lies) is left to the command named in the last line, which has time to read them. */
#include "hint.h"

enum { NEAR_MAX = 3, NEAR_SYMBOLS = 4, NEAR_TWO_EDITS = 6 };

/* ---- symbols --------------------------------------------------------------------------------------------------------- */

static bool is_offered(const struct image *image, const Elf64_Sym *sym)
{
    u32 bind = ELF64_ST_BIND(sym->st_info), visibility = ELF64_ST_VISIBILITY(sym->st_other);
    return sym->st_shndx != SHN_UNDEF && sym->st_name < image->strtab_len && bind != STB_LOCAL && visibility != STV_HIDDEN && visibility != STV_INTERNAL;
}

static const struct version *version_of(const struct image *image, u64 index)
{
    u32 number = image->versym ? image->versym[index] & 0x7fff : 0;
    return number > 1 && number < image->version_count && image->version[number].name ? &image->version[number] : NULL;
}

static void put_definition(struct text *t, const struct object *object, const char *before, u64 index, const char *after)
{
    const struct version *version = version_of(&object->image, index);
    text_put(t, "  ");
    text_put(t, object_label(object));
    text_put(t, " defines ");
    text_put(t, before);
    if (version) {
        text_put(t, *after ? ", version " : " as version ");
        text_put(t, version->name);
    } else if (!*after) {
        text_put(t, " without a version");
    }
    text_put(t, after);
    text_char(t, '\n');
}

static u32 put_same(struct text *t, const char *name)
{
    u32 shown = 0;
    for (const struct object *object = session.first; object; object = object->next) {
        const struct image *image = &object->image;
        for (u64 i = 1, count = image_symbol_count(image); i < count && shown < NEAR_MAX; i++)
            if (is_offered(image, &image->symtab[i]) && str_equal(image->strtab + image->symtab[i].st_name, name)) {
                put_definition(t, object, "it", i, "");
                shown++;
            }
    }
    return shown;
}

static u32 put_near(struct text *t, const char *name, u32 edits)
{
    u32 shown = 0;
    for (const struct object *object = session.first; object; object = object->next) {
        const struct image *image = &object->image;
        for (u64 i = 1, count = image_symbol_count(image); i < count && shown < NEAR_MAX; i++)
            if (is_offered(image, &image->symtab[i]) && str_near(image->strtab + image->symtab[i].st_name, name, edits)) {
                put_definition(t, object, image->strtab + image->symtab[i].st_name, i, ", which is nearly the same name");
                shown++;
            }
    }
    return shown;
}

/* A program may miss thousands of symbols, and each look compares with every name there is. */
static void put_symbol(struct text *t, const char *name)
{
    static COLD_DATA u32 looked;
    if (looked++ >= NEAR_SYMBOLS || put_same(t, name) || put_near(t, name, 1) || strlen(name) < NEAR_TWO_EDITS)
        return;
    put_near(t, name, 2);
}

static void put_newest(struct text *t, const struct problem *problem)
{
    const struct object *object = session.first;
    while (object && (!object->path || !str_equal(object->path, problem->object)))
        object = object->next;
    const char *newest = object ? version_newest(&object->image, problem->name) : NULL;
    if (!newest)
        return;
    text_put(t, "  the newest it has is ");
    text_put(t, newest);
    text_char(t, '\n');
}

void hint_put(struct text *text, const struct problem *problem)
{
    if (problem->code == LDR_E_SYMBOL && problem->name)
        put_symbol(text, problem->name);
    if (problem->code == LDR_E_VERSION_MISSING && problem->name && problem->object)
        put_newest(text, problem);
}

/* ---- the next step --------------------------------------------------------------------------------------------------- */

/* For a shell to read: quoted where a character could mean something to it. */
static void put_word(struct text *t, const char *word)
{
    bool plain = *word != 0;
    for (const char *at = word; *at && plain; at++)
        plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || str_chr("/._-+:,@%=", *at);
    if (!plain)
        text_char(t, '\'');
    for (; *word; word++)
        if (*word == '\'')
            text_put(t, "'\\''");
        else
            text_char(t, *word);
    if (!plain)
        text_char(t, '\'');
}

static void put_option(struct text *t, const char *option, const char *value)
{
    if (!value)
        return;
    text_put(t, option);
    put_word(t, value);
}

/* What a shell's next command has not got by itself: paths that were options of ours, or stood in front of the command only. */
static void put_options(struct text *t)
{
    const struct config *config = &session.config;
    put_option(t, " -L ", config->library_path);
    put_option(t, " -p ", config->preload_option ? config->preload_option : config->preload_env);
    if (config->inhibit_cache)
        text_put(t, " --inhibit-cache");
}

/* What the program opens itself is not known to whoever reads the program's file. */
static const struct object *opened_later(const struct problem *problem)
{
    for (const struct object *object = session.first; object && problem->object; object = object->next)
        if (str_equal(object_label(object), problem->object) && !object->at_start && !object->is_program && object->path && *object->path)
            return object;
    return NULL;
}

void hint_put_step(struct text *text, const struct problem *problem)
{
    char buf[4096];
    bool why = problem->code == LDR_E_SYMBOL && problem->name;
    const struct kernel_facts *k = &session.kernel;
    const char *program = session.program ? session.program->real_path : session.way == START_COMMAND ? k->argv[0] : k->execfn;
    const struct object *opened = why ? opened_later(problem) : NULL;
    program = opened ? opened->path : program;
    if (problem->code == LDR_E_LAYOUT) {
        text_put(text, "  next: see LIMITS in ld-ldr.so(8); the system's linker runs the program\n");
        return;
    }
    if (!program || !*program || (!session.program && problem->sys_errno && str_chr(program, '/')))
        return;                       /* a file that cannot be opened has nothing to tell */
    struct text t = text_on(buf, sizeof buf);
    if (session.program) {
        text_put(&t, why ? "ldr why" : "ldr check");
        put_options(&t);
    } else {
        text_put(&t, problem->code == LDR_E_OPEN ? "ldr run" : "ldr check");
    }
    text_char(&t, ' ');
    put_word(&t, program);
    if (why) {
        char symbol[2048];
        struct text s = text_on(symbol, sizeof symbol);
        text_put(&s, problem->name);
        if (problem->wanted_by) {
            text_char(&s, '@');
            text_put(&s, problem->wanted_by);
        }
        text_char(&t, ' ');
        put_word(&t, symbol);
        t.cut |= s.cut;
    }
    if (t.cut)
        return;                       /* half a command is none */
    text_put(text, "  next: ");
    text_put(text, buf);
    text_put(text, !session.program && problem->code == LDR_E_OPEN ? " (it looks in PATH)\n" : "\n");
}
