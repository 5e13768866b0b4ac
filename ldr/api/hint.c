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

static const struct object *object_named(const char *label)
{
    const struct object *object = label ? session.first : NULL;
    while (object && !str_equal(object_label(object), label))
        object = object->next;
    return object;
}

static bool in_list(const struct scope *scope, const struct object *object)
{
    for (u32 i = 0; i < scope->count; i++)
        if (scope->object[i] == object)
            return true;
    return false;
}

/* Whether a reference of this object ever looks there: what only RTLD_LOCAL roots brought is loaded, and asked by nobody else. */
static bool is_asked(const struct object *referrer, const struct object *object)
{
    for (u32 i = 0; referrer && i < referrer->scope_count; i++)
        if (in_list(referrer->scope[i], object))
            return true;
    return !referrer || !referrer->scope_count;
}

/* The one whose dlopen brought it; NULL: its root cannot be told. */
static const struct object *root_of(const struct object *object)
{
    if (object->open_count)
        return object;
    for (const struct object *root = session.first; root; root = root->next)
        if (root->open_count && in_list(&root->closure, object))
            return root;
    return NULL;
}

static void put_unasked(struct text *t, const struct object *referrer, const struct object *object)
{
    const struct object *root = root_of(object);
    bool opening = !root || root->state < OBJECT_INITIALISED;       /* RTLD_GLOBAL counts from the end of dlopen on */
    text_put(t, "  ");
    text_put(t, object_label(object));
    text_put(t, opening ? " defines it, but is still being opened" : " defines it, but was opened RTLD_LOCAL");
    if (root && root != object) {
        text_put(t, " (with ");
        text_put(t, object_label(root));
        text_char(t, ')');
    }
    text_put(t, ", so it is not in the scope of ");
    text_put(t, object_label(referrer));
    text_char(t, '\n');
}

/* Present in the dynamic symbol table, and for no one else all the same. A name that is not there at all only `ldr why` can find. */
static void put_kept(struct text *t, const struct object *object, const Elf64_Sym *sym)
{
    text_put(t, "  ");
    text_put(t, object_label(object));
    text_put(t, " has it, but ");
    text_put(t, ELF64_ST_BIND(sym->st_info) == STB_LOCAL ? "local" : "hidden");
    text_put(t, ": for its own use only\n");
}

static u32 put_same(struct text *t, const struct object *referrer, const char *name)
{
    u32 shown = 0;
    for (const struct object *object = session.first; object; object = object->next) {
        const struct image *image = &object->image;
        for (u64 i = 1, count = image_symbol_count(image); i < count && shown < NEAR_MAX; i++) {
            const Elf64_Sym *sym = &image->symtab[i];
            if (sym->st_shndx == SHN_UNDEF || sym->st_name >= image->strtab_len || !str_equal(image->strtab + sym->st_name, name))
                continue;
            if (!is_offered(image, sym))
                put_kept(t, object, sym);
            else if (is_asked(referrer, object))
                put_definition(t, object, "it", i, "");
            else
                put_unasked(t, referrer, object);
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
static void put_symbol(struct text *t, const struct object *referrer, const char *name)
{
    static COLD_DATA u32 looked;
    if (looked++ >= NEAR_SYMBOLS || put_same(t, referrer, name) || put_near(t, name, 1) || strlen(name) < NEAR_TWO_EDITS)
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
        put_symbol(text, object_named(problem->object), problem->name);
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

/* Whether an object that is loaded defines the name and is not asked: what no file of the referrer can tell, only this run. */
static bool is_left_out(const struct object *referrer, const char *name)
{
    for (const struct object *object = session.first; object; object = object->next) {
        const struct image *image = &object->image;
        for (u64 i = 1, count = is_asked(referrer, object) ? 0 : image_symbol_count(image); i < count; i++)
            if (is_offered(image, &image->symtab[i]) && str_equal(image->strtab + image->symtab[i].st_name, name))
                return true;
    }
    return false;
}

/* The run again, told with what was opened how. What were options of ours are variables there; the environment is still the shell's. */
static void put_trace(struct text *text, const char *program)
{
    const struct kernel_facts *k = &session.kernel;
    const struct config *config = &session.config;
    bool command = session.way == START_COMMAND;
    char buf[4096];
    struct text t = text_on(buf, sizeof buf);
    if (config->secure || config->inhibit_cache || (config->preload_option && config->preload_env))
        return;
    put_option(&t, "LD_LIBRARY_PATH=", command ? config->library_path : NULL);
    text_put(&t, t.len ? " " : "");
    put_option(&t, "LD_PRELOAD=", config->preload_option);
    text_put(&t, config->preload_option ? " " : "");
    text_put(&t, "ldr trace -e dlopen,error ");
    put_word(&t, program);
    for (int i = 1; i < k->argc && k->argv[i]; i++) {
        text_char(&t, ' ');
        put_word(&t, k->argv[i]);
    }
    if (t.cut)
        return;                       /* half a command is none */
    text_put(text, "  next: ");
    text_put(text, buf);
    text_char(text, '\n');
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
    if (why && program && is_left_out(object_named(problem->object), problem->name)) {
        put_trace(text, program);
        return;
    }
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
