/* hint.c - second looks after a failure: they may be slow and decide nothing. */
#include "hint.h"
#include "../ldr.h"
#include "names.h"
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_MAX = 4, NEAR_MAX = 3 };

static const char *base_of(const char *path) { return strrchr(path, '/') ? strrchr(path, '/') + 1 : path; }

/* Length up to and with ".so", or of the whole: what versions of one library have in common. */
static size_t stem_len(const char *name) {
    const char *so = strstr(name, ".so");
    return so ? (size_t)(so - name) + 3 : strlen(name);
}

static bool same_stem(const char *a, const char *b) { return stem_len(a) == stem_len(b) && strncmp(a, b, stem_len(a)) == 0; }

/* The cache's libraries, one after the other, each file once (entries of one library stand together). */
static bool next_library(const struct session *session, u32 *at, const char **soname, const struct library_file **file) {
    const char *path;
    while (session->cache.bytes && ldcache_next(&session->cache, at, soname, &path))
        if (catalog_file(session->catalog, path, file) == 0 && !(*file)->defect.code && !(*file)->foreign)
            return true;
    return false;
}

static void open_cache(const struct session *session) {
    struct search *search = (struct search *)&session->search;
    search->cache(search);
}

/* ---- libraries --------------------------------------------------------------------------------------------------------- */

/* Would the RUNPATH of another object have led there? RUNPATH serves its own object's needs only, unlike RPATH. */
static const struct node *by_runpath_of_others(const struct session *session, const struct request *request, char **where) {
    struct search *search = (struct search *)&session->search;
    for (const struct object *object = session->first; object; object = object->next) {
        if (!object->image.runpath || (request->by && object == &request->by->object))
            continue;
        for (const char *at = object->image.runpath;;) {
            size_t len = strcspn(at, ":");
            char dir[4096];
            struct text text = text_on(dir, sizeof dir);
            if (len && search_expand(search, at, len, object, &text)) {
                char *path = must_format("%s/%s", dir, request->name);
                if (catalog_exists(session->catalog, path)) {
                    *where = path;
                    return object_node(object);
                }
                free(path);
            }
            if (!at[len])
                break;
            at += len + 1;
        }
    }
    return NULL;
}

static char *in_usual_places(const struct session *session, const char *name) {
    static const char *const places[] = { "/usr/local/lib", "/usr/local/lib/x86_64-linux-gnu", "/usr/local/lib64", "/usr/lib64", "/opt/lib" };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *path = must_format("%s/%s", places[i], name);
        if (catalog_exists(session->catalog, path))
            return path;
        free(path);
    }
    return NULL;
}

static u32 other_versions(const struct session *session, const char *name, struct lines *evidence) {
    u32 at = 0, shown = 0;
    const char *soname, *path;
    open_cache(session);
    while (session->cache.bytes && ldcache_next(&session->cache, &at, &soname, &path))
        if (same_stem(soname, name) && strcmp(soname, name) != 0 && shown < SHOWN_MAX) {
            lines_add(evidence, "this machine has another version: %s (%s)", soname, path);
            shown++;
        }
    return shown;
}

/* A link that leads nowhere is there for `ls`, but not for open(2). */
static bool is_dangling(const struct session *session, const char *path, char *target, size_t room) {
    char *outside = must_format("%s%s", catalog_sysroot(session->catalog) ? catalog_sysroot(session->catalog) : "", path);
    ssize_t len = readlink(outside, target, room - 1);
    free(outside);
    target[len > 0 ? len : 0] = '\0';
    return len > 0;
}

/* Another version of the library, or the name without one, in a directory that was searched. */
static bool neighbour(const struct session *session, const char *tried, const char *name, struct lines *evidence) {
    const char *base = base_of(tried);
    char *dir = must_format("%.*s", base > tried ? (int)(base - tried) : 1, base > tried ? tried : ".");
    char *outside = must_format("%s%s", catalog_sysroot(session->catalog) ? catalog_sysroot(session->catalog) : "", dir);
    DIR *stream = opendir(outside);
    u32 shown = 0;
    for (const struct dirent *entry; stream && shown < 2 && (entry = readdir(stream));) {
        const struct library_file *file;
        char *path = must_format("%s%s", dir, entry->d_name);
        if (same_stem(entry->d_name, base_of(name)) && strcmp(entry->d_name, base_of(name)) != 0 && catalog_file(session->catalog, path, &file) == 0 && !file->defect.code) {
            lines_add(evidence, "%s is there, and calls itself %s", path, file->image.soname ? file->image.soname : "nothing (no soname)");
            shown++;
        }
        free(path);
    }
    if (stream)
        closedir(stream);
    free(dir);
    free(outside);
    return shown;
}

/* The cause, if one shows; evidence and advice of it. NULL: none. */
static char *library_cause(const struct session *session, const struct request *request, struct lines *evidence) {
    const struct node *by = request->by;
    char target[4096], *where = NULL;
    for (const struct attempt *attempt = request->attempts; attempt; attempt = attempt->next) {
        if (attempt->outcome == ATTEMPT_BROKEN)
            return must_format("Replace %s: the search stops at it.", attempt->path);
        if (attempt->outcome == ATTEMPT_FOREIGN) {
            lines_add(evidence, "%s is %s", attempt->path, attempt->other_class ? "a 32-bit library" : "for another machine");
            return must_format("Install the library for x86-64.");
        }
        if (attempt->outcome == ATTEMPT_ERRNO && attempt->error == EACCES) {
            lines_add(evidence, "%s: %s", attempt->path, errno_text(attempt->error));
            return must_format("Make %s readable.", attempt->path);
        }
        if (attempt->outcome == ATTEMPT_ERRNO && is_dangling(session, attempt->path, target, sizeof target)) {
            lines_add(evidence, "%s is a symbolic link to %s, which does not exist", attempt->path, target);
            return must_format("Install what the link leads to, or run ldconfig to renew it.");
        }
    }
    if (strchr(request->name, '/') && request->list)
        return must_format("Correct the path in %s, or take it out%s.", request->list, *request->name == '/' ? "" : ": it counts from the directory where the program is started");
    if (strchr(request->name, '/')) {
        lines_add(evidence, "the need is a path, so no directory is searched: the library had no soname when %s was linked with it", node_path(by));
        return must_format("Link the library with -soname, then its users anew.");
    }
    const struct node *other = by_runpath_of_others(session, request, &where);
    if (other) {
        lines_add(evidence, "%s exists: the RUNPATH of %s leads there, but RUNPATH counts for the needs of its own object only", where, node_path(other));
        return must_format("Give %s a RUNPATH of its own, or link %s with --disable-new-dtags (RPATH, which is inherited).", by ? node_path(by) : "the preload",
                           node_path(other));
    }
    if (by && (by->object.image.flags_1 & DF_1_NODEFLIB)) {
        lines_add(evidence, "%s is linked with -z nodefaultlib: neither the default directories nor their part of the cache are searched", node_path(by));
        return must_format("Link it without -z nodefaultlib, or name the directory in its RUNPATH.");
    }
    if ((where = in_usual_places(session, request->name))) {
        lines_add(evidence, "%s exists, but no list of directories leads there and the cache does not know it", where);
        return must_format("Run ldconfig, or set LD_LIBRARY_PATH=%.*s.", (int)(base_of(where) - where - 1), where);
    }
    for (const struct attempt *attempt = request->attempts; attempt; attempt = attempt->next)
        if (attempt->outcome == ATTEMPT_ERRNO && neighbour(session, attempt->path, request->name, evidence))
            return must_format("Install the version that is needed, or link anew: a library is looked for by its soname.");
    if (other_versions(session, request->name, evidence))
        return must_format("Install the version that is needed; another major version is another library.");
    return NULL;
}

char *hint_library(const struct session *session, const struct request *request, struct lines *evidence) {
    char *advice = library_cause(session, request, evidence);
    for (const struct attempt *attempt = request->attempts; attempt; attempt = attempt->next) {
        char *text = attempt_text(attempt);
        if (text)
            lines_add(evidence, "%s", text);
        free(text);
    }
    if (!advice && request->list)
        advice = must_format("Name %s by its path in %s, name its directory in LD_LIBRARY_PATH, or take it out.", request->name, request->list);
    return advice ? advice : must_format("Install the library %s, or name its directory in a RUNPATH or in LD_LIBRARY_PATH.", request->name);
}

/* ---- symbols ----------------------------------------------------------------------------------------------------------- */

struct lost {
    struct lines *evidence;
    const struct object *object;
    const struct version *version;
    u32 count;
    enum symbol_verdict verdict;
    char *advice_object, *advice_version;
};

static void tell_lost(const struct definition *definition, void *arg) {
    struct lost *lost = arg;
    if (definition->verdict == SYMBOL_REFUSED_UNDEFINED || definition->verdict == SYMBOL_OTHER_NAME || definition->verdict == SYMBOL_ANSWERS)
        return;
    if (lost->count++ < SHOWN_MAX)
        lines_add(lost->evidence, "%s defines it%s%s: %s", node_path(object_node(lost->object)), definition->version ? " as version " : "",
                  definition->version ? definition->version->name : "", verdict_text(definition->verdict));
    if (lost->verdict == SYMBOL_OTHER_NAME) {
        lost->verdict = definition->verdict;
        lost->advice_object = must_format("%s", node_path(object_node(lost->object)));
        lost->advice_version = definition->version ? must_format("%s", definition->version->name) : NULL;
    }
}

/* The name inside a C++ mangled one: "_Z3foov" is declared where "foo" is wanted, and the reverse. */
static bool is_other_language(const char *name, const char *other) {
    const char *plain = strncmp(name, "_Z", 2) == 0 ? other : name, *mangled = plain == name ? other : name;
    if (strncmp(mangled, "_Z", 2) != 0 || strncmp(plain, "_Z", 2) == 0 || strlen(plain) < 2)
        return false;
    char *number;
    unsigned long len = strtoul(mangled + 2, &number, 10);
    return number != mangled + 2 && len == strlen(plain) && strncmp(number, plain, len) == 0;
}

static u32 near_within(const struct session *session, const char *name, u32 limit, struct lines *evidence) {
    u32 shown = 0;
    for (const struct object *object = session->first; object && shown < NEAR_MAX; object = object->next) {
        const struct image *image = &object->image;
        u64 count = image->symtab ? image_symbol_count(image) : 0;
        for (u64 i = 1; i < count && shown < NEAR_MAX; i++) {
            const Elf64_Sym *sym = &image->symtab[i];
            const char *have = sym->st_shndx != SHN_UNDEF && !symbol_binds_locally(sym) ? image_string(image, sym->st_name) : NULL;
            if (!have || strcmp(have, name) == 0)
                continue;
            bool language = is_other_language(name, have);
            if (language || str_near(name, have, limit)) {
                char *readable = names_readable(have);
                lines_add(evidence, "%s defines %s%s", node_path(object_node(object)), readable,
                          language ? ": the same name in the other language (C against C++: extern \"C\" is missing on one side)" : ", which is nearly the same name");
                free(readable);
                shown++;
            }
        }
    }
    return shown;
}

static u32 near_names(const struct session *session, const char *name, struct lines *evidence) {
    u32 shown = near_within(session, name, 1, evidence);
    return shown || strlen(name) < 6 ? shown : near_within(session, name, 2, evidence);
}

static const struct library_file *providers(const struct session *session, const char *name, const struct version *version, struct lines *evidence) {
    const struct library_file *file, *first = NULL;
    struct symbol_want want = names_want(name, version);
    const char *soname;
    u32 at = 0, shown = 0;
    open_cache(session);
    while (next_library(session, &at, &soname, &file)) {
        if (object_by_file(session->first, file->dev, file->ino) || !image_find_symbol(&file->image, &want) || file == first)
            continue;
        if (shown++ < SHOWN_MAX)
            lines_add(evidence, "this machine's %s defines it, but nothing here needs that library", soname);
        first = first ? first : file;
    }
    if (shown > SHOWN_MAX)
        lines_add(evidence, "... and %u more", shown - SHOWN_MAX);
    return first;
}

/* A library next to one that is opened, which its opener may open too; a directory of thousands is one that the cache knows as well. */
static char *beside(const struct session *session, const struct symbol_want *want) {
    enum { LOOKED_AT = 256 };
    const char *path = node_path(session->program), *root = catalog_sysroot(session->catalog);
    char *dir = must_format("%.*s", (int)(base_of(path) - path), path), *outside = must_format("%s%s", root ? root : "", *dir ? dir : "."), *found = NULL;
    DIR *stream = opendir(outside);
    u32 looked = 0;
    for (const struct dirent *entry; stream && !found && looked < LOOKED_AT && (entry = readdir(stream));) {
        const struct library_file *file;
        if (!strstr(entry->d_name, ".so"))
            continue;
        looked++;
        char *name = must_format("%s%s", dir, entry->d_name);
        if (catalog_file(session->catalog, name, &file) == 0 && !file->defect.code && !file->foreign && !object_by_file(session->first, file->dev, file->ino) &&
            image_find_symbol(&file->image, want))
            found = name;
        else
            free(name);
    }
    if (stream)
        closedir(stream);
    free(dir);
    free(outside);
    return found;
}

/* Of a library that a program opens: what the program loads counts too, but not what it opened RTLD_LOCAL, as dlopen(3) does unless told otherwise. */
static char *opened_apart(const struct session *session, const char *name, const struct symbol_want *want, struct lines *evidence) {
    const char *path = node_path(session->program);
    char *other = beside(session, want), *advice;
    if (other)
        lines_add(evidence, "%s beside it defines it, but %s does not need that library: opened RTLD_LOCAL, dlopen's default, it is not in the scope of %s", other, path, path);
    else
        lines_add(evidence, "whoever opens %s may have it in the program or its libraries, or opened RTLD_GLOBAL; what was opened RTLD_LOCAL, dlopen's default, is not searched", path);
    advice = other ? must_format("Link %s with %s, or open that one with RTLD_GLOBAL before.", path, other)
                   : must_format("Link %s with the library that defines %s, or open that one with RTLD_GLOBAL before.", path, name);
    free(other);
    return advice;
}

char *hint_symbol(const struct session *session, const char *name, const struct version *version, struct lines *evidence) {
    struct symbol_want want = names_want(name, version);
    struct lost lost = { .evidence = evidence, .version = version };
    for (const struct object *object = session->first; object; object = object->next) {
        lost.object = object;
        names_each(object, name, &want, tell_lost, &lost);
    }
    if (lost.verdict == SYMBOL_REFUSED_VERSION && version)
        return must_format("%s has it as %s@%s, %s@%s is asked for: run with the library that the user was linked with, or link anew.", lost.advice_object,
                           name, lost.advice_version ? lost.advice_version : "", name, version->name);
    if (lost.verdict == SYMBOL_REFUSED_VISIBILITY || lost.verdict == SYMBOL_REFUSED_BINDING)
        return must_format("Give %s default visibility in %s, or do not use it from outside.", name, lost.advice_object);
    for (const struct object *object = session->first; object; object = object->next) {
        struct full_symbol full;
        if (names_full(object_node(object), name, &full)) {
            lines_add(evidence, "%s has it, but %s: not in its dynamic symbol table", node_path(object_node(object)), full.how);
            if (object->is_program)
                return must_format("Link %s with -rdynamic, or with --export-dynamic-symbol=%s.", node_path(object_node(object)), name);
            return must_format("Export %s from %s: default visibility, and named in its version script if it has one.", name, node_path(object_node(object)));
        }
    }
    if (near_names(session, name, evidence))
        return must_format("Compile both sides against the same declaration.");
    const struct library_file *provider = providers(session, name, version, evidence);
    if (provider)
        return must_format("Link with %s, or preload it.", provider->image.soname ? provider->image.soname : provider->path);
    if (session_is_library(session))
        return opened_apart(session, name, &want, evidence);
    return must_format("Link with the library that defines %s, or install the version of it that does.", name);
}

/* ---- versions ---------------------------------------------------------------------------------------------------------- */

char *hint_version(const struct session *session, const char *name, const char *version, struct lines *evidence) {
    const struct library_file *file;
    const struct object *present = object_by_name(session->first, name);
    const char *soname, *have = present ? version_newest(&present->image, version) : NULL;
    u32 at = 0;
    if (have)
        lines_add(evidence, "the newest it has is %s", have);
    open_cache(session);
    while (next_library(session, &at, &soname, &file))
        if (same_stem(soname, base_of(name)) && !object_by_file(session->first, file->dev, file->ino) &&
            image_defines_version(&file->image, version, sysv_hash_of(version))) {
            lines_add(evidence, "this machine's %s has it", file->path);
            return must_format("Use %s: its directory first in LD_LIBRARY_PATH, or in the RUNPATH.", file->path);
        }
    return must_format("Run where %s is new enough, or build on the oldest system that shall run it.", base_of(name));
}
