/* session.c - the caller that ldr/link expects: opens files, looks at directories, keeps the list of objects, and writes down what the
 * search tried. run/load.c is the other one; what is decided stands in neither. */
#include "session.h"
#include "../ldr.h"
#include "unique.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct block {
    struct block *older;
    char bytes[];
};

static void *more_memory(struct arena *arena, size_t need, size_t *got) {
    size_t room = need > 65536 ? need : 65536;
    struct block *block = must_alloc(1, sizeof *block + room);
    block->older = arena->chunks;
    arena->chunks = block;
    *got = room;
    return block->bytes;
}

struct keeping_report {
    struct report report;
    struct defect *defect;
    const char *object;
};

static void keep_first(struct report *report, const struct problem *problem) {
    struct defect *defect = ((struct keeping_report *)report)->defect;
    if (!defect->code)
        ((struct keeping_report *)report)->object = problem->object;
    if (!defect->code)
        *defect = (struct defect){ problem->code, problem->found, problem->expected, problem->place, problem->has_values };
}

char *defect_text(const struct defect *defect) {
    if (!defect->has_values)
        return must_format("%s", ldr_error_text(defect->code));
    char place[40] = "";
    if (defect->place)
        snprintf(place, sizeof place, ", at %#llx", (unsigned long long)defect->place);
    return must_format("%s (%s: found %#llx, expected %#llx%s)", ldr_error_text(defect->code), ldr_error_field(defect->code),
                       (unsigned long long)defect->found, (unsigned long long)defect->expected, place);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------------- */

static struct node *node_of_file(struct session *session, const struct library_file *file, const char *path) {
    struct node *node = arena_zalloc(&session->arena, sizeof *node);
    struct object *object = &node->object;
    node->file = file;
    object->arena = &session->arena;
    object->path = object->real_path = arena_dup(&session->arena, path);
    object->image = file->image;
    object->view = file->view;
    object->dev = file->dev;
    object->ino = file->ino;
    object->at_start = true;
    object->state = OBJECT_MAPPED;
    return node;
}

/* Where the hash of a name stands, or would. */
static u32 *name_place(const struct session *session, u32 hash) {
    u32 at = hash & (session->name_room - 1);
    while (session->names[at] && session->names[at] != hash)
        at = (at + 1) & (session->name_room - 1);
    return &session->names[at];
}

static u32 name_hash(const char *name) {
    u32 hash = gnu_hash_of(name);
    return hash ? hash : 1;
}

static void note_name(struct session *session, const char *name) {
    if (session->name_count * 2 >= session->name_room) {
        u32 *old = session->names, room = session->name_room;
        session->name_room = room ? room * 2 : 256;
        session->names = must_alloc(session->name_room, sizeof *session->names);
        for (u32 i = 0; i < room; i++)
            if (old[i])
                *name_place(session, old[i]) = old[i];
        free(old);
    }
    u32 hash = name_hash(name), *place = name_place(session, hash);
    session->name_count += !*place;
    *place = hash;
}

/* The linker's rule, object_by_name, walks the list; a name that nobody has, as most are when they are first asked for, need not be
 * looked for: a file may need thousands. */
static struct object *loaded_as(const struct session *session, const char *name) {
    return session->name_room && *name_place(session, name_hash(name)) ? object_by_name(session->first, name) : NULL;
}

static void add_alias(struct session *session, struct object *object, const char *name) {
    note_name(session, name);
    if (object_answers_to(object, name))
        return;
    if (!object->aliases.name) {
        object->aliases.name = arena_dup(&session->arena, name);
        return;
    }
    struct alias *alias = arena_zalloc(&session->arena, sizeof *alias);
    alias->name = arena_dup(&session->arena, name);
    alias->next = object->aliases.next;
    object->aliases.next = alias;
}

static void list_add(struct session *session, struct object *object) {
    object->prev = session->last;
    if (session->last)
        session->last->next = object;
    else
        session->first = object;
    session->last = object;
    if (object->path && *object->path)
        note_name(session, object->path);
    object_node(object)->number = session->count++;
}

const char *node_path(const struct node *node) {
    return node->object.path && *node->object.path ? node->object.path : node->object.real_path;
}

const char *node_name(const struct node *node) { return node->object.aliases.name ? node->object.aliases.name : node_path(node); }

bool node_is_linker(const struct node *node) {
    return object_is_system_linker(&node->object);
}

/* ---- what the search asks ---------------------------------------------------------------------------------------------- */

static struct attempt *note_attempt(struct session *session, const char *path, enum attempt_outcome outcome) {
    struct attempt *attempt = arena_zalloc(&session->arena, sizeof *attempt);
    *attempt = (struct attempt){ .path = arena_dup(&session->arena, path), .outcome = outcome };
    if (session->last_attempt)
        session->last_attempt->next = attempt;
    else if (session->current)
        session->current->attempts = attempt;
    session->last_attempt = attempt;
    return attempt;
}

static bool dir_present(struct search *search, const char *path) {
    struct session *session = (struct session *)search;
    bool present = catalog_is_dir(session->catalog, path);
    if (!present)
        note_attempt(session, path, ATTEMPT_NO_DIRECTORY);
    return present;
}

static void too_long(struct search *search) { note_attempt((struct session *)search, "", ATTEMPT_TOO_LONG); }

static const struct ldcache *open_cache(struct search *search) {
    struct session *session = (struct session *)search;
    const struct library_file *file;
    if (!session->cache_tried) {
        session->cache_tried = true;
        if (catalog_file(session->catalog, "/etc/ld.so.cache", &file) == 0 && file->len)
            ldcache_read(&session->cache, file->bytes, file->len);
    }
    return session->cache.bytes ? &session->cache : NULL;
}

static u32 cpu_level(struct search *search) {
    (void)search;
    return arch_cpu_level();
}

/* As object_origin in run/object.c has it: the program by /proc/self/exe (links resolved) when the kernel starts it by PT_INTERP, all
 * others by the path they were found at, untidied. */
static const char *origin_of(struct search *search, const struct object *asked) {
    struct session *session = (struct session *)search;
    struct object *object = (struct object *)asked;
    if (!object)
        return NULL;
    if (object->origin)
        return object->origin;
    const struct node *node = object_node(object);
    char *whole = NULL;
    if (object->is_program && session->config.origin_path)
        whole = must_format("%s/x", session->config.origin_path);
    else if (object->is_program && object->image.interp_len && node->file->real_path)
        whole = must_format("%s", node->file->real_path);
    else if (object->real_path[0] == '/' || catalog_sysroot(session->catalog))
        whole = must_format("%s%s", object->real_path[0] == '/' ? "" : "/", object->real_path);
    else {
        char *cwd = getcwd(NULL, 0);
        if (!cwd)
            return NULL;
        whole = must_format("%s/%s", cwd, object->real_path);
        free(cwd);
    }
    const char *slash = strrchr(whole, '/');
    object->origin = arena_dupn(&session->arena, whole, slash > whole ? (size_t)(slash - whole) : 1);
    free(whole);
    return object->origin;
}

/* A candidate found open: 1 taken, 0 not ours, negative: broken. The order of questions is run/load.c's. */
static int take_candidate(struct session *session, const struct library_file *file, struct attempt *attempt) {
    struct object *loaded = object_by_file(session->first, file->dev, file->ino);
    if (loaded) {
        attempt->outcome = ATTEMPT_SAME_FILE;
        session->candidate = object_node(loaded);
        return 1;
    }
    if (session->as_preload && !session->trusted_preload && session->config.secure && !(file->mode & S_ISUID)) {
        attempt->outcome = ATTEMPT_NOT_SETUID;
        return 0;
    }
    if (file->foreign) {
        attempt->outcome = ATTEMPT_FOREIGN;
        attempt->other_class = file->other_class;
        return attempt->rule == FOUND_NAME && file->other_class ? -LDR_E_CLASS : 0;
    }
    attempt->outcome = ATTEMPT_BROKEN;
    attempt->defect = file->defect;
    if (file->defect.code)
        return -file->defect.code;
    struct node *node = node_of_file(session, file, attempt->path);
    struct keeping_report keeping = { { keep_first }, &attempt->defect, NULL };
    add_alias(session, &node->object, session->current->name);
    if (file->image.soname)
        add_alias(session, &node->object, file->image.soname);
    int err = candidate_check_library(&node->object, false, &keeping.report);
    if (err)
        return err;
    if (candidate_is_ldr(&node->object)) {
        attempt->outcome = ATTEMPT_OURSELVES;
        return 0;
    }
    attempt->outcome = ATTEMPT_TAKEN;
    node->object.found_by = candidate_found_by(&node->object, attempt->rule, session->as_preload);
    session->candidate = node;
    return 1;
}

static int try_candidate(struct search *search, const char *path, enum found_by rule, const struct object *owner) {
    struct session *session = (struct session *)search;
    const struct library_file *file = NULL;
    int error = catalog_file(session->catalog, path, &file);
    struct attempt *attempt = note_attempt(session, path, error ? ATTEMPT_ERRNO : ATTEMPT_TAKEN);
    attempt->rule = rule;
    attempt->owner = owner;
    attempt->error = error;
    if (error == EISDIR || error == EINVAL) {
        attempt->outcome = ATTEMPT_BROKEN;
        attempt->defect = (struct defect){ .code = LDR_E_READ };
        return -LDR_E_READ;
    }
    return error ? candidate_after_error(error, rule) : take_candidate(session, file, attempt);
}

/* ---- loading ----------------------------------------------------------------------------------------------------------- */

/* What stands for a library that was not found: later requests for the name meet it, as in the list that ldd prints. */
static struct node *stand_in(struct session *session, const char *name) {
    struct node *node = arena_zalloc(&session->arena, sizeof *node);
    struct object *object = &node->object;
    object->arena = &session->arena;
    object->path = object->real_path = arena_dup(&session->arena, name);
    object->image.path = object->path;
    object->aliases.name = object->path;
    object->is_missing = true;
    object->state = OBJECT_FINISHED;
    for (const struct attempt *attempt = session->current->attempts; attempt; attempt = attempt->next)
        if (attempt->outcome == ATTEMPT_BROKEN) {
            node->defect = attempt->defect;
            node->defect_path = attempt->path;
        }
    return node;
}

static struct request *new_request(struct session *session, const char *name, struct node *by, enum request_kind kind) {
    struct request *request = arena_zalloc(&session->arena, sizeof *request);
    *request = (struct request){ .name = arena_dup(&session->arena, name), .by = by, .kind = kind };
    if (session->last_request)
        session->last_request->next = request;
    else
        session->requests = request;
    session->last_request = request;
    if (by && by->last_request)
        by->last_request->next_of_by = request;
    else if (by)
        by->requests = request;
    if (by)
        by->last_request = request;
    return request;
}

/* As load_library in run/load.c. */
static struct node *answer(struct session *session, const char *name, struct node *by, enum request_kind kind) {
    struct request *request = new_request(session, name, by, kind);
    struct object *loaded = loaded_as(session, name);
    if (loaded) {
        request->known = true;
        return request->result = object_node(loaded);
    }
    session->current = request;
    session->last_attempt = NULL;
    session->candidate = NULL;
    session->as_preload = kind == REQUEST_PRELOAD;
    int got = 0;
    if (!(session->config.secure && strchr(name, '/') && strchr(name, '$'))) {
        /* Anew for every request: which directories were passed over belongs to its story. The catalog remembers the answers. */
        session->search.dirs = NULL;
        session->search.program = &session->program->object;
        got = search_library(&session->search, name, by ? &by->object : &session->program->object);
    }
    struct node *node = got == 1 ? session->candidate : NULL;
    if (!node && kind != REQUEST_AUXILIARY)
        node = stand_in(session, name);
    request->result = node;
    if (node && !node->object.prev && session->first != &node->object) {
        node->object.loader = by ? &by->object : NULL;
        node->found_by = request;
        list_add(session, &node->object);
    }
    if (node)
        add_alias(session, &node->object, name);
    session->current = NULL;
    return node;
}

struct loader {
    struct graph_loader graph;
    struct session *session;
};

static struct object *load_needed(struct graph_loader *graph, const char *name, struct object *by, i64 tag) {
    enum request_kind kind = tag == DT_NEEDED ? REQUEST_NEEDED : tag == DT_FILTER ? REQUEST_FILTER : REQUEST_AUXILIARY;
    struct node *node = answer(((struct loader *)graph)->session, name, object_node(by), kind);
    return node ? &node->object : NULL;
}

/* As preload_list in start/main.c. */
static void preload(struct session *session, const char *list, const char *from, bool colons, bool trusted) {
    const char *word;
    size_t len;
    session->trusted_preload = trusted;
    while (list && (word = config_next_word(&list, colons, &len))) {
        char *name = arena_dupn(&session->arena, word, len);
        if (session->config.secure && !trusted && strchr(name, '/'))
            continue;
        struct node *node = answer(session, name, NULL, REQUEST_PRELOAD);
        session->last_request->list = from;
        if (node && node != session->program && !node->object.is_missing)
            node->object.found_by = FOUND_PRELOAD;
    }
}

static void preload_file(struct session *session) {
    const struct library_file *file;
    if (catalog_file(session->catalog, "/etc/ld.so.preload", &file) != 0 || !file->len || file->len >= 1 << 20)
        return;
    char *text = arena_zalloc(&session->arena, file->len + 1);
    memcpy(text, file->bytes, file->len);
    for (u64 i = 0; i < file->len; i++)
        if (text[i] == '#')           /* comment to the end of the line */
            while (i < file->len && text[i] != '\n')
                text[i++] = ' ';
    preload(session, text, "/etc/ld.so.preload", true, true);
}

int session_begin(struct session *session, const struct session_options *options, const char *path, struct defect *defect) {
    const struct library_file *file;
    *session = (struct session){ .catalog = options->catalog, .arena = { .more = more_memory, .zeroed = true } };
    *defect = (struct defect){ 0 };
    session->search = (struct search){ .config = &session->config, .arena = &session->arena, .try = try_candidate, .dir_present = dir_present,
                                       .too_long = too_long, .cache = open_cache, .cpu_level = cpu_level, .origin = origin_of };
    int error = catalog_file(session->catalog, path, &file);
    if (error)
        return error;
    *defect = file->defect;
    if (defect->code)
        return -defect->code;
    bool setuid = (file->mode & S_ISUID) && file->owner != geteuid();
    session->config.secure = setuid;
    for (char **entry = options->environment; entry && *entry; entry++)
        config_take_env(&session->config, *entry);
    if (options->library_path)
        session->config.library_path = *options->library_path ? options->library_path : NULL;
    session->config.preload_option = options->preload;
    session->config.inhibit_cache = options->inhibit_cache;
    session->program = node_of_file(session, file, path);
    struct object *program = &session->program->object;
    program->path = "";
    program->is_program = true;
    program->found_by = FOUND_PROGRAM;
    if (program->image.soname)
        add_alias(session, program, program->image.soname);
    list_add(session, program);
    return 0;
}

void session_load(struct session *session) {
    struct keeping_report keeping = { { keep_first }, &session->load_defect, NULL };
    struct loader loader = { { load_needed, &keeping.report }, session };
    if (!session_is_static(session)) { /* the linker hands over to it before it preloads anything */
        preload(session, session->config.preload_env, "LD_PRELOAD", true, false);
        preload(session, session->config.preload_option, "--preload", true, false);
        preload_file(session);
    }
    session->trusted_preload = false;
    graph_load(session->first, &loader.graph);
    session->load_defect_path = keeping.object;
}

static void *must_have(void *at) {
    if (!at) {
        warn_ldr("no memory");
        exit(LDR_EXIT_FAILED);
    }
    return at;
}

/* As init_order_build in run/init.c and place_everything in start/main.c. */
/* Modules are numbered in load order and their blocks placed in that order (tls_add_module, tls_start_main_thread in run/tls.c). What a library
 * would get in somebody else's process is not known. */
static void place_thread_storage(struct session *session) {
    struct tls_layout layout = { 0 };
    u64 modules = 0;
    for (struct object *object = session->first; object && !session_is_library(session); object = object->next) {
        const struct image *image = &object->image;
        if (!image->tls_memsz)
            continue;
        if (!tls_place(&layout, image->tls_memsz, image->tls_align, image->tls_vaddr, &object->tls_offset))
            return;                   /* of an absurd size: the start ends here, and no number is known from here on */
        object->tls_module = ++modules;
    }
}

void session_place(struct session *session, bool references) {
    struct object *root = &session->program->object;
    struct object **found = must_have(arena_alloc(&session->arena, (session->count + 1ul) * sizeof *found));
    struct object **work = must_have(arena_alloc(&session->arena, 4ul * (session->count + 1ul) * sizeof *work));
    u32 preloads = 0;
    for (struct object *object = root->next; object; object = object->next)
        if (object->found_by == FOUND_PRELOAD)
            work[preloads++] = object;
    u32 count = graph_closure(root, work, preloads, found);
    struct object **closure = must_have(arena_alloc(&session->arena, 2ul * count * sizeof *closure));
    memcpy(closure, found, count * sizeof *closure);
    root->closure = session->global = (struct scope){ .object = closure, .count = count, .room = count };
    graph_sort(found, count, true, false, work);
    memcpy(closure + count, found, count * sizeof *closure);
    root->init_order = closure + count;
    session->global_list[0] = &session->global;
    for (u32 i = 0; i < count; i++) {
        closure[i]->in_global = true;
        object_node(closure[i])->closure_number = i + 1;
    }
    for (struct object *object = session->first; object; object = object->next) {
        object->scope = session->global_list;
        object->scope_count = 1;
        if (!object->image.symbolic || object->is_program)
            continue;
        const struct scope **scopes = must_have(arena_alloc(&session->arena, 2 * sizeof *scopes));
        struct object **alone = must_have(arena_alloc(&session->arena, sizeof *alone));
        alone[0] = object;
        object->symbolic_scope = (struct scope){ .object = alone, .count = 1, .room = 1 };
        scopes[0] = &object->symbolic_scope;
        scopes[1] = &session->global;
        object->scope = scopes;
        object->scope_count = 2;
    }
    place_thread_storage(session);
    u64 wanted = 0;
    for (struct object *object = session->first; object && references; object = object->next)
        wanted += object->image.rela.count - object->image.rela_relative + object->image.plt.count;
    if (wanted && !session->config.dynamic_weak && index_worthwhile(&session->global, wanted) &&
        index_build(&session->index_memory, &session->global, &session->arena))
        session->index = &session->index_memory;
}

void session_end(struct session *session) {
    for (struct block *block = session->arena.chunks, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    session->arena.chunks = NULL;
    free(session->names);
    uniques_free(session->uniques);
}

/* The same question as in start/main.c: would a linker be of use? */
bool session_is_static(const struct session *session) {
    const struct image *image = &session->program->object.image;
    u32 at = 0;
    u64 needed;
    return !image->dyn_vaddr || (!image->interp_len && (image->flags_1 & DF_1_PIE) && !image_next_dyn(image, &at, DT_NEEDED, &needed));
}

bool session_is_library(const struct session *session) {
    const struct image *image = &session->program->object.image;
    return !image->interp_len && image->type == ET_DYN && !(image->flags_1 & DF_1_PIE);
}

const char *session_interpreter(const struct session *session) {
    const struct object *program = &session->program->object;
    u64 len = program->image.interp_len;
    const char *text = len ? view_at(&program->view, program->image.interp_vaddr, len) : NULL;
    return text && memchr(text, 0, len) ? text : NULL;
}

/* As resolve in run/relocate.c: find, then settle. */
int session_bind(const struct session *session, struct object *object, u32 symbol, struct reloc_kind kind, struct symbol_want *want,
                 struct binding *out) {
    int got = session_find(session, object, symbol, kind, want, out);
    if (got != 0 || !want->name || ELF64_ST_BIND(out->symbol->st_info) != STB_GNU_UNIQUE || (want->classes & CLASS_COPY))
        return got;
    if (!session->uniques)            /* a memo: the session means the same with and without it */
        ((struct session *)session)->uniques = uniques_build(session);
    *out = uniques_binding(session->uniques, out);
    return 0;
}
