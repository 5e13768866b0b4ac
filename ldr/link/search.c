/* search.c - where a library is looked for, in the order of ld.so(8):
 *   a name with a slash is a path;
 *   else RPATH of the loader, of its loader, ... and of the program, unless the loader has a RUNPATH;
 *   LD_LIBRARY_PATH; the loader's RUNPATH; /etc/ld.so.cache; the default directories (both unless DF_1_NODEFLIB).
 * Every directory is first looked at for glibc-hwcaps subdirectories of this CPU's level. A directory that does not exist is asked for
 * once per session, not once per library. */
#include "link.h"

const char *found_by_text(enum found_by rule)
{
    switch (rule) {
    case FOUND_PROGRAM: return "program";
    case FOUND_PRELOAD:
    case FOUND_TRUSTED_PRELOAD: return "preload";
    case FOUND_NAME: return "path";
    case FOUND_RPATH: return "RPATH";
    case FOUND_LIBRARY_PATH: return "LD_LIBRARY_PATH";
    case FOUND_RUNPATH: return "RUNPATH";
    case FOUND_CACHE: return "ld.so.cache";
    case FOUND_DEFAULT: return "default directory";
    case FOUND_KERNEL: return "kernel";
    case FOUND_SELF: return "linker";
    case FOUND_INTERPRETER: return "the program's linker";
    }
    return "";
}

/* Debian's multiarch order; the plain directories last. */
const char *search_default_dir(u32 i)
{
    switch (i) {
    case 0: return "/lib/x86_64-linux-gnu";
    case 1: return "/usr/lib/x86_64-linux-gnu";
    case 2: return "/lib";
    case 3: return "/usr/lib";
    default: return NULL;
    }
}

static struct search_dir *dir_known(struct search *search, const char *path, size_t len)
{
    for (struct search_dir *dir = search->dirs; dir; dir = dir->next)
        if (dir->len == len && memcmp(dir->path, path, len) == 0)
            return dir;
    struct search_dir *dir = arena_zalloc(search->arena, sizeof *dir);
    if (!dir || !(dir->path = arena_dupn(search->arena, path, len)))
        return NULL;
    dir->len = (u32)len;
    if (!len || path[0] != '/')
        dir->state = DIR_PRESENT;     /* as glibc: a relative directory is not asked after, only tried */
    dir->next = search->dirs;
    search->dirs = dir;
    return dir;
}

/* Offers dir/name if the directory exists. */
NOINLINE static int try_in(struct search *search, const char *dir_path, size_t dir_len, const char *name, enum found_by rule,
                  const struct object *owner)
{
    while (dir_len > 1 && dir_path[dir_len - 1] == '/')
        dir_len--;
    struct search_dir *dir = dir_known(search, dir_path, dir_len);
    if (UNLIKELY(search->listing)) {
        if (dir && dir->state != DIR_MISSING)
            search->watch(search, SEARCH_LIST_DIR, dir->path, rule, owner);
        return 0;
    }
    bool missing = dir && dir->state == DIR_MISSING;
    if (dir && dir->state == DIR_UNKNOWN && search->dir_present)
        dir->state = search->dir_present(search, dir_len ? dir->path : ".") ? DIR_PRESENT : DIR_MISSING;
    if (missing || (dir && dir->state == DIR_MISSING && !search->watch))
        return 0;
    char candidate[4096];
    struct text path = text_on(candidate, sizeof candidate);
    text_putn(&path, dir_path, dir_len);
    if (dir_len && !(dir_len == 1 && dir_path[0] == '/'))
        text_char(&path, '/');
    text_put(&path, name);
    if (path.cut && search->too_long)
        search->too_long(search);
    if (search->watch && !path.cut)
        search->watch(search, SEARCH_CANDIDATE, candidate, rule, owner);
    if (dir && dir->state == DIR_MISSING)
        return 0;
    return path.cut ? 0 : search->try(search, candidate, rule, owner);
}

/* The subdirectories of before glibc-hwcaps, which 2.36 still searches: tls and platform, nested, then the directory itself. */
NOINLINE static int try_legacy(struct search *search, const char *dir, size_t dir_len, const char *name, enum found_by rule, const struct object *owner)
{
    static const char forms[] = "tls/x86_64/x86_64\0tls/x86_64\0tls\0x86_64/x86_64\0x86_64\0";
    for (const char *form = forms; *form; form += strlen(form) + 1) {
        char sub[4096];
        struct text path = text_on(sub, sizeof sub);
        text_putn(&path, dir, dir_len);
        if (dir_len)
            text_char(&path, '/');
        size_t top = path.len + (form[0] == 't' ? 3 : 6);
        text_put(&path, form);
        if (path.cut)
            break;
        /* tls or x86_64 itself is asked after first: usually neither exists, and then nothing below is tried. */
        struct search_dir *outer = search->watch ? NULL : dir_known(search, sub, top);
        if (outer && sub[0] != '/')
            outer->state = search->dir_present && search->dir_present(search, outer->path) ? DIR_PRESENT : DIR_MISSING;
        if (outer && outer->state == DIR_UNKNOWN && search->dir_present)
            outer->state = search->dir_present(search, outer->path) ? DIR_PRESENT : DIR_MISSING;
        if (outer && outer->state == DIR_MISSING)
            continue;
        int got = try_in(search, sub, path.len, name, rule, owner);
        if (got)
            return got;
    }
    return try_in(search, dir, dir_len, name, rule, owner);
}

/* Offers dir/glibc-hwcaps/<level>/name for the levels of this machine, then dir/name. */
NOINLINE static int try_dir(struct search *search, const char *dir, size_t dir_len, const char *name, enum found_by rule, const struct object *owner)
{
    char sub[4096];
    struct text root = text_on(sub, sizeof sub);
    text_putn(&root, dir, dir_len);
    text_put(&root, dir_len ? "/glibc-hwcaps" : "glibc-hwcaps");
    struct search_dir *hwcaps = root.cut ? NULL : dir_known(search, sub, root.len);
    if (hwcaps && hwcaps->state == DIR_UNKNOWN && search->dir_present && !search->watch)
        hwcaps->state = search->dir_present(search, hwcaps->path) ? DIR_PRESENT : DIR_MISSING;
    if (hwcaps && (hwcaps->state == DIR_PRESENT || search->watch)) {
        const struct config *config = search->config;
        size_t root_len = root.len;
        for (const char *at = config->hwcaps_prepend; at && *at;) {
            const char *end = str_chr(at, ':');
            root = text_on(sub, sizeof sub);
            text_putn(&root, hwcaps->path, root_len);
            text_char(&root, '/');
            text_putn(&root, at, end ? (size_t)(end - at) : strlen(at));
            int got = root.cut ? 0 : try_in(search, sub, root.len, name, rule, owner);
            if (got)
                return got;
            at = end ? end + 1 : NULL;
        }
        u32 level = search->cpu_level ? search->cpu_level(search) : 1;
        for (; level >= 2; level--) {
            char word[] = "x86-64-v0";
            word[8] = (char)('0' + level);
            if (config->hwcaps_mask) {
                bool allowed = false;
                for (const char *at = config->hwcaps_mask; at && !allowed; at = str_chr(at, ':') ? str_chr(at, ':') + 1 : NULL)
                    allowed = str_starts(at, word) && (at[9] == 0 || at[9] == ':');
                if (!allowed)
                    continue;
            }
            root = text_on(sub, sizeof sub);
            text_putn(&root, hwcaps->path, root_len);
            text_char(&root, '/');
            text_put(&root, word);
            int got = root.cut ? 0 : try_in(search, sub, root.len, name, rule, owner);
            if (got)
                return got;
        }
    }
    return try_legacy(search, dir, dir_len, name, rule, owner);
}

static bool name_ends(char c)
{
    return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_');
}

/* Length of the token NAME at `at` (after '$'), with or without braces; 0 when it is something else. */
static size_t token(const char *at, const char *end, const char *name)
{
    size_t len = strlen(name);
    bool braced = at < end && *at == '{';
    const char *word = at + braced;
    if ((size_t)(end - word) < len || memcmp(word, name, len) != 0)
        return 0;
    if (braced)
        return word + len < end && word[len] == '}' ? len + 2 : 0;
    return word + len == end || name_ends(word[len]) ? len : 0;
}

bool search_expand(struct search *search, const char *from, size_t len, const struct object *owner, struct text *out)
{
    const char *end = from + len;
    for (const char *at = from; at < end; at++) {
        size_t used;
        if (*at != '$') {
            text_char(out, *at);
        } else if ((used = token(at + 1, end, "ORIGIN"))) {
            /* Under AT_SECURE an origin may be chosen by whoever made a hard link: only as the whole element, and only when it
             * leads into a trusted directory, which the caller checks. */
            if (search->config->secure && !(at == from && (at + 1 + used == end || at[1 + used] == '/')))
                return false;
            const char *origin = search->origin ? search->origin(search, owner) : NULL;
            if (!origin)
                return false;
            text_put(out, origin);
            at += used;
        } else if ((used = token(at + 1, end, "LIB"))) {
            text_put(out, "lib/x86_64-linux-gnu");
            at += used;
        } else if ((used = token(at + 1, end, "PLATFORM"))) {
            text_put(out, search->config->platform ? search->config->platform : "x86_64");
            at += used;
        } else {
            text_char(out, '$');
        }
    }
    return !out->cut;
}

/* "." and ".." are resolved by text: a path that only begins like a trusted directory must not lead out of it. */
static size_t normalise(char *path, size_t len)
{
    size_t to = 0;
    for (size_t at = 0; at < len;) {
        while (at < len && path[at] == '/')
            at++;
        size_t end = at;
        while (end < len && path[end] != '/')
            end++;
        if (end - at == 2 && path[at] == '.' && path[at + 1] == '.') {
            while (to && path[--to] != '/')
                ;
        } else if (end > at && !(end - at == 1 && path[at] == '.')) {
            path[to++] = '/';
            for (; at < end; at++)
                path[to++] = path[at];
        }
        at = end;
    }
    return to;
}

static bool trusted_dir(char *path, size_t len)
{
    if (!len || path[0] != '/')
        return false;
    len = normalise(path, len);
    for (u32 i = 0; search_default_dir(i); i++) {
        const char *dir = search_default_dir(i);
        size_t n = strlen(dir);
        if (len >= n && memcmp(path, dir, n) == 0 && (len == n || path[n] == '/'))
            return true;
    }
    return false;
}

/* The object is exempt from its RPATH/RUNPATH by --inhibit-rpath (list of names, colon or space). */
static bool rpath_inhibited(const struct config *config, const struct object *object)
{
    const char *list = config->inhibit_rpath;
    if (!list)
        return false;
    if (!*list)
        return true;
    const char *name = object->path;
    size_t len = strlen(name);
    for (const char *at = list; *at;) {
        if (str_starts(at, name) && (at[len] == ':' || at[len] == ' ' || at[len] == 0))
            return true;
        while (*at && *at != ':' && *at != ' ')
            at++;
        if (*at)
            at++;
    }
    return false;
}

/* The directories of a list, told before any is tried. */
#define TELL_LIST(search, call, rule, owner)                          \
    do {                                                              \
        if ((search)->watch && !(search)->listing) {                  \
            (search)->watch(search, SEARCH_LIST, NULL, rule, owner);  \
            (search)->listing = true;                                 \
            (void)(call);                                             \
            (search)->listing = false;                                \
            (search)->watch(search, SEARCH_LIST_END, NULL, rule, owner); \
        }                                                             \
    } while (0)

/* Each element of a path list. `separators`: ":" or ":;" for LD_LIBRARY_PATH. An empty element is the current directory. */
NOINLINE static int try_list(struct search *search, const char *list, bool semicolons, const char *name, enum found_by rule,
                    const struct object *owner)
{
    TELL_LIST(search, try_list(search, list, semicolons, name, rule, owner), rule, owner);
    for (const char *at = list;;) {
        const char *end = at;
        while (*end && *end != ':' && !(semicolons && *end == ';'))
            end++;
        char expanded[4096];
        struct text dir = text_on(expanded, sizeof expanded);
        if (search_expand(search, at, (size_t)(end - at), owner, &dir)) {
            bool dynamic = search->config->secure && at < end && *at == '$';
            char judged[4096];
            memcpy(judged, expanded, dynamic ? dir.len : 0);
            if (!dynamic || trusted_dir(judged, dir.len)) {
                int got = try_dir(search, expanded, dir.len, name, rule, owner);
                if (got)
                    return got == SEARCH_ABANDON_LIST ? 0 : got;
            }
        }
        if (!*end)
            return 0;
        at = end + 1;
    }
}

static int try_rpaths(struct search *search, const char *name, const struct object *loader)
{
    bool did_program = false;
    for (const struct object *o = loader; o; o = o->loader) {
        if (o->image.rpath && !o->image.runpath && *o->image.rpath && !rpath_inhibited(search->config, o)) {
            int got = try_list(search, o->image.rpath, false, name, FOUND_RPATH, o);
            if (got)
                return got;
        }
        did_program |= o == search->program;
    }
    const struct object *program = search->program;
    if (!did_program && program && program->image.rpath && !program->image.runpath && *program->image.rpath &&
        !rpath_inhibited(search->config, program))
        return try_list(search, program->image.rpath, false, name, FOUND_RPATH, program);
    return 0;
}

/* Whether a cached path is directly in one of the default directories (then `-z nodeflib` refuses it). */
static bool in_default_dir(const char *path)
{
    size_t len = (size_t)(str_base(path) - path);
    for (u32 i = 0; search_default_dir(i); i++) {
        const char *dir = search_default_dir(i);
        if (strlen(dir) + 1 == len && memcmp(dir, path, len - 1) == 0)
            return true;
    }
    return false;
}

NOINLINE static int try_expanded(struct search *search, const char *name, const struct object *loader)
{
    char expanded[4096];
    struct text path = text_on(expanded, sizeof expanded);
    return search_expand(search, name, strlen(name), loader, &path) ? search->try(search, expanded, FOUND_NAME, NULL) : 0;
}

static int try_defaults(struct search *search, const char *name)
{
    TELL_LIST(search, try_defaults(search, name), FOUND_DEFAULT, NULL);
    for (u32 i = 0; search_default_dir(i); i++) {
        const char *dir = search_default_dir(i);
        int got = try_dir(search, dir, strlen(dir), name, FOUND_DEFAULT, NULL);
        if (got)
            return got == SEARCH_ABANDON_LIST ? 0 : got;
    }
    return 0;
}

int search_library(struct search *search, const char *name, const struct object *loader)
{
    int got;
    if (str_chr(name, '/'))
        return str_chr(name, '$') ? try_expanded(search, name, loader) : search->try(search, name, FOUND_NAME, NULL);
    const struct object *paths_of = loader ? loader : search->program;
    bool has_runpath = paths_of && paths_of->image.runpath;
    if (!has_runpath && (got = try_rpaths(search, name, paths_of)))
        return got;
    if (search->config->library_path && (got = try_list(search, search->config->library_path, true, name, FOUND_LIBRARY_PATH, search->program)))
        return got;
    if (has_runpath && *paths_of->image.runpath && !rpath_inhibited(search->config, paths_of) &&
        (got = try_list(search, paths_of->image.runpath, false, name, FOUND_RUNPATH, paths_of)))
        return got;
    bool no_default = paths_of && (paths_of->image.flags_1 & DF_1_NODEFLIB);
    const struct ldcache *cache = search->config->inhibit_cache || !search->cache ? NULL : search->cache(search);
    if (search->watch && !search->config->inhibit_cache)
        search->watch(search, SEARCH_CACHE, NULL, FOUND_CACHE, NULL);
    if (cache) {
        const char *path = ldcache_find(cache, name, search);
        if (search->watch && path)
            search->watch(search, SEARCH_CANDIDATE, path, FOUND_CACHE, NULL);
        if (path && !(no_default && in_default_dir(path)) && (got = search->try(search, path, FOUND_CACHE, NULL)))
            return got;
    }
    if (no_default)
        return 0;
    return try_defaults(search, name);
}
