/* root.c - from the words a user typed to the first file of a session. */
#include "root.h"
#include "../ldr.h"
#include "plain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum { KEY_SYSROOT = 500, KEY_JSON, KEY_NO_CACHE, KEY_NO_ENV, SCRIPTS_MAX = 5 };

static const struct argp_option options[] = {
    { "sysroot", KEY_SYSROOT, "DIR", 0, "Files are those below DIR, as if it were /; LD_* variables of this shell do not count", 2 },
    { "library-path", 'L', "PATH", 0, "Search PATH instead of LD_LIBRARY_PATH", 2 },
    { "preload", 'p', "LIST", 0, "As if the objects of LIST (separated by ':' or blanks) were preloaded", 2 },
    { "no-env", KEY_NO_ENV, NULL, 0, "As if started with an empty environment: LD_LIBRARY_PATH, LD_PRELOAD do not count", 2 },
    { "inhibit-cache", KEY_NO_CACHE, NULL, 0, "Do not look into /etc/ld.so.cache", 2 },
    { "json", KEY_JSON, NULL, 0, "JSON instead of text", 1 },
    { 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct explain_options *explain = state->input;
    switch (key) {
    case KEY_SYSROOT: explain->sysroot = arg; return 0;
    case 'L': explain->library_path = arg; return 0;
    case 'p': explain->preload = arg; return 0;
    case KEY_NO_ENV: explain->no_environment = true; return 0;
    case KEY_NO_CACHE: explain->inhibit_cache = true; return 0;
    case KEY_JSON: explain->json = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp explain_argp = { options, parse_option, NULL, NULL, NULL, NULL, NULL };

struct catalog *explain_catalog(const struct explain_options *explain) {
    struct catalog *catalog = catalog_open(explain->sysroot);
    if (!catalog)
        warn_ldr("--sysroot %s: %s", explain->sysroot, strerror(errno));
    return catalog;
}

struct session_options explain_session_options(const struct explain_options *explain, struct catalog *catalog) {
    return (struct session_options){ .catalog = catalog, .library_path = explain->library_path, .preload = explain->preload,
                                     .environment = explain->sysroot || explain->no_environment ? NULL : explain->environment ? explain->environment : environ,
                                     .inhibit_cache = explain->inhibit_cache };
}

/* The first of a list of directories that has a regular file of that name; malloc'd, or NULL. */
static char *in_path(struct catalog *catalog, const char *list, const char *name) {
    const struct library_file *file;
    for (const char *at = list; *at;) {
        size_t len = strcspn(at, ":");
        char *path = len ? must_format("%.*s/%s", (int)len, at, name) : must_format("./%s", name);
        if (catalog_file(catalog, path, &file) == 0)
            return path;
        free(path);
        at += len + (at[len] == ':');
    }
    return NULL;
}

static char *library_named(struct catalog *catalog, const char *name) {
    const struct library_file *file;
    for (u32 i = 0; search_default_dir(i); i++) {
        char *path = must_format("%s/%s", search_default_dir(i), name);
        if (catalog_file(catalog, path, &file) == 0)
            return path;
        free(path);
    }
    return NULL;
}

static char *find(struct catalog *catalog, const char *word) {
    const struct library_file *file;
    if (strchr(word, '/'))
        return catalog_inside(catalog, word);
    const char *path = catalog_sysroot(catalog) ? NULL : getenv("PATH");
    char *found = in_path(catalog, path ? path : "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", word);
    if (!found)
        found = library_named(catalog, word);
    if (!found && catalog_file(catalog, word, &file) == 0)
        found = must_format("./%s", word);
    if (!found)
        warn_ldr("%s: no such program in PATH, no such library in the default directories, no such file here", word);
    return found;
}

/* The interpreter of a #! line (execve(2), "Interpreter scripts"); malloc'd, NULL when the file is no script. */
static char *interpreter_of(const struct library_file *file) {
    if (file->len < 3 || memcmp(file->bytes, "#!", 2) != 0)
        return NULL;
    const char *at = (const char *)file->bytes + 2, *end = (const char *)file->bytes + (file->len < 256 ? file->len : 256);
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    const char *stop = at;
    while (stop < end && *stop && *stop != ' ' && *stop != '\t' && *stop != '\n')
        stop++;
    return stop > at ? must_format("%.*s", (int)(stop - at), at) : NULL;
}

char *explain_root(struct catalog *catalog, const char *word) {
    char *path = find(catalog, word), *interpreter = NULL;
    const struct library_file *file;
    for (int i = 0; path && i < SCRIPTS_MAX; i++, path = interpreter) {
        if (catalog_file(catalog, path, &file) != 0 || !(interpreter = interpreter_of(file)))
            break;
        warn_ldr("%s is a script: this is about its interpreter, %s", path, interpreter);
        free(path);
    }
    return path;
}

char *explain_failure(int error, const struct defect *defect) {
    if (error > 0)
        return must_format("%s", error == EINVAL ? "not a regular file" : strerror(error));
    return defect_text(defect);
}

static void tell_changed(const struct library_file *file, void *arg) {
    warn_ldr("%s was written to while it was read: ask again", file->path);
    *(bool *)arg = true;
}

int explain_end(struct session *session, int status) {
    bool changed = false;
    catalog_changed(session->catalog, tell_changed, &changed);
    session_end(session);
    return changed ? LDR_EXIT_PARTIAL : status;
}

void explain_begin(struct session *session, const struct explain_options *explain, const char *word) {
    struct catalog *catalog = explain_catalog(explain);
    char *path = catalog ? explain_root(catalog, word) : NULL;
    if (!path)
        exit(LDR_EXIT_NO_TARGET);
    if (!explain->json)
        plain_output();
    struct session_options chosen = explain_session_options(explain, catalog);
    struct defect defect;
    int error = session_begin(session, &chosen, path, &defect);
    if (error) {
        warn_ldr("%s: %s", path, explain_failure(error, &defect));
        exit(explain_end(session, LDR_EXIT_NO_TARGET));
    }
}

bool utf8_output(void) {
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

char *size_text(u64 bytes) {
    if (bytes < 1024)
        return must_format("%llu B", (unsigned long long)bytes);
    if (bytes < 1024 * 1024)
        return must_format("%.0f KiB", (double)bytes / 1024);
    return must_format("%.1f MiB", (double)bytes / (1024 * 1024));
}
