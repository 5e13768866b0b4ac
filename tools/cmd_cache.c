/* cmd_cache.c - `ldr cache`: what the linker keeps of earlier starts, and whether it is right.
 *
 *   list     what is there, from the files alone
 *   verify   every record: the linker makes the start again and compares
 *   warm     records made ahead
 *   clear    all of it away
 */
#include "cache/replay.h"
#include "cache/report.h"
#include "host/ldso.h"
#include "host/program.h"
#include "ldr.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOCK_SECONDS = 10 };

struct cache_options {
    const char *what;                 /* list, verify, warm, clear */
    char **names;                     /* what follows it */
    size_t name_count, top;
    bool json;
    enum store_kind store;
    const char *max_age;              /* NULL: not given */
};

enum { OPTION_SYSTEM = 0x100, OPTION_SECURE, OPTION_MAX_AGE };

static const struct argp_option options[] = {
    { "json", 'j', NULL, 0, "Print JSON", 0 },
    { "top", 'n', "N", 0, "List the N starts and images with most pages; 0 lists all (default 10)", 0 },
    { "system", OPTION_SYSTEM, NULL, 0, "The system's store, for everybody's starts (" SYSTEM_CACHE "); only root fills it", 0 },
    { "secure", OPTION_SECURE, NULL, 0, "The system's store for set-user-ID root programs (" SECURE_CACHE "), readable by root alone", 0 },
    { "max-age", OPTION_MAX_AGE, "TIME", 0, "warm: as LDR_CACHE_MAX_AGE=TIME (seconds, or with m, h, d), also for starts that do not have it set", 0 },
    { 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct cache_options *cache = state->input;
    char *end;
    switch (key) {
    case 'j': cache->json = true; return 0;
    case 'n':
        errno = 0;
        cache->top = strtoul(arg, &end, 10);
        if (*end || end == arg || *arg == '-' || errno)
            argp_error(state, "--top=%s: a number is expected", arg);
        return 0;
    case OPTION_SYSTEM: cache->store = STORE_SYSTEM; return 0;
    case OPTION_SECURE: cache->store = STORE_SECURE; return 0;
    case OPTION_MAX_AGE:
        cache->max_age = arg;
        if (!cache_seconds(arg))
            argp_error(state, "--max-age=%s: a time like 3600, 90m, 12h or 7d is expected", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (!cache->what) {
            cache->what = arg;
            return 0;
        }
        cache->names = must_grow(cache->names, cache->name_count + 1, sizeof *cache->names);
        cache->names[cache->name_count++] = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options, parse_option, "[list]\nverify [PROGRAM...]\nwarm PROGRAM...\nclear",
    "What ld-ldr.so keeps of earlier starts: records of how programs start, and images of relocated pages.\v"
    "Without a word, or with `list`: each program's records, the images, and which records are stale. "
    "`verify` has the linker make every recorded start again, up to where the program would begin, and compare it byte by byte "
    "with the record and its images. `warm` makes records ahead, for `ldr run PROGRAM` and, where PROGRAM's own interpreter is "
    "ld-ldr.so, for PROGRAM itself; nothing of PROGRAM runs. `clear` removes everything; programs that run are not disturbed, and "
    "the next starts draw new addresses.\n"
    "\n"
    "The directory is LDR_CACHE_DIR, or else ldr-cache in XDG_RUNTIME_DIR, /run/user/UID, (root) /run, ~/.cache. With --system and --secure it is "
    "one of the system's, which starts ask after the user's own, and set-user-ID root programs alone.\n"
    "\n"
    "Exit status: 0 done; 1 ldr failed, or verify found a difference; 2 usage; 3 something could not be read, verified or made, or is damaged; "
    "4 no cache directory.\n"
    "\n"
    "Examples:\n"
    "  ldr cache warm clang lld python3\n"
    "  ldr cache --system warm --max-age=7d clang\n"
    "  ldr cache --json | jq '.starts[] | select(.state != \"valid\")'\n"
    "  ldr session ldr cache verify          records of programs that a session started\n",
    NULL, NULL, NULL,
};

static int list(struct cache_dir *store, const struct cache_options *cache) {
    cache_find_use(store);
    if (cache->json)
        cache_report_json(store);
    else
        cache_report_text(store, cache->top);
    size_t damaged = 0;
    for (size_t i = 0; i < store->start_count; i++)
        damaged += store->starts[i].state == START_DAMAGED;
    return damaged || (store->catalog_why && store->start_count) ? LDR_EXIT_PARTIAL : LDR_EXIT_OK;
}

/* ---- verify ---------------------------------------------------------------------------------------------------------- */

static bool is_named(const struct start *start, const struct cache_options *cache) {
    const char *path = start->key_known ? start->key.text[KEY_PATH] : start->name, *base = strrchr(path, '/');
    for (size_t i = 0; i < cache->name_count; i++)
        if (strcmp(cache->names[i], path) == 0 || (base && strcmp(cache->names[i], base + 1) == 0) || strcmp(cache->names[i], start->name) == 0)
            return true;
    return cache->name_count == 0;
}

/* What comparing starts leaves out: first pages of packs, and images that none of these starts uses. */
static void look_at_packs(struct cache_dir *store, const struct cache_options *cache, struct verdicts *verdicts) {
    verdicts->packs = must_alloc(store->pack_count, sizeof *verdicts->packs);
    for (size_t i = 0; i < store->pack_count; i++) {
        char *why = is_opened(&store->packs[i]) ? opened_damage(store, &store->packs[i]) : pack_first_page(store, &store->packs[i]);
        if (why)
            verdicts->packs[verdicts->pack_count++] = why;
    }
    cache_join(store, true);
    for (size_t i = 0; i < store->image_count; i++) {
        const struct cached_image *image = &store->images[i];
        bool asked = !cache->name_count, made_again = false;
        for (size_t k = 0; k < image->start_count; k++) {
            enum verdict_kind result = verdicts->list[image->starts[k]].result;
            asked |= result != VERDICT_NOT_ASKED;
            made_again |= result <= VERDICT_DIFFERS || (result == VERDICT_NOT_ASKED && store->starts[image->starts[k]].state == START_VALID);
        }
        verdicts->images_left += asked && !made_again && image->pages && !image->opened_path;
    }
}

static int verify(struct cache_dir *store, const struct cache_options *cache) {
    struct verdicts verdicts = { .count = store->start_count, .list = must_alloc(store->start_count, sizeof *verdicts.list) };
    for (size_t i = 0; i < store->start_count; i++) {
        const struct start *start = &store->starts[i];
        struct verdict *verdict = &verdicts.list[i];
        if (!is_named(start, cache)) {
            verdict->result = VERDICT_NOT_ASKED;
        } else if (start->state != START_VALID) {
            verdict->result = start->state == START_STALE ? VERDICT_STALE : VERDICT_CANNOT;
            verdict->why = must_format("%s", start->why);
        } else {
            enum replay got = replay_start(store, &start->key, "check", &verdict->why);
            verdict->result = got == REPLAY_DONE ? VERDICT_HOLDS : got == REPLAY_DIFFERS ? VERDICT_DIFFERS : VERDICT_CANNOT;
        }
        verdicts.of[verdict->result]++;
    }
    look_at_packs(store, cache, &verdicts);
    if (cache->json)
        cache_verdicts_json(store, &verdicts);
    else
        cache_verdicts_text(store, &verdicts);
    for (size_t i = 0; i < verdicts.count; i++)
        free(verdicts.list[i].why);
    for (size_t i = 0; i < verdicts.pack_count; i++)
        free(verdicts.packs[i]);
    free(verdicts.packs);
    free(verdicts.list);
    if (verdicts.of[VERDICT_DIFFERS] || verdicts.pack_count)
        return LDR_EXIT_FAILED;
    bool nothing = cache->name_count && verdicts.of[VERDICT_NOT_ASKED] == verdicts.count;
    if (nothing)
        warn_ldr("no record of %s", cache->names[0]);
    return verdicts.of[VERDICT_CANNOT] || nothing ? LDR_EXIT_PARTIAL : LDR_EXIT_OK;
}

/* ---- warm ------------------------------------------------------------------------------------------------------------ */

/* A relative path means another file in another directory, and so another start. */
static char *absolute(char *path) {
    char *dir = path[0] == '/' ? NULL : getcwd(NULL, 0);
    return dir ? must_format("%s/%s", dir, strncmp(path, "./", 2) == 0 ? path + 2 : path) : path;
}

static char *find_script(const char *name) {
    char *path;
    return program_find(name, &path) == 0 ? path : NULL;
}

/* For set-user-ID programs only starts by the kernel count. */
static bool warm_one(const struct cache_dir *store, char *name) {
    char *words[2] = { name, NULL }, *path, **args, *why = NULL;
    if (program_resolve(words, &path, &args) != 0)
        return false;                 /* it has said why */
    struct start_key key = { .head = { .way = 1, .origin_by_file = 1 } };
    key.text[KEY_PATH] = path;
    bool only_kernel = store->kind == STORE_SECURE, good = only_kernel || replay_start(store, &key, "warm", &why) == REPLAY_DONE;
    if (!good)
        warn_ldr("%s: no record: %s", path, why);
    free(why);
    why = NULL;
    key.text[KEY_PATH] = absolute(path);
    bool by_kernel = good && replay_by_kernel(store, AT_FDCWD, path, &why);
    if (only_kernel && !by_kernel) {
        warn_ldr("%s: no record: %s", path, why);
        good = false;
    }
    if (by_kernel) {
        key.head.way = 0;
        good = replay_start(store, &key, "warm", &why) == REPLAY_DONE;
        if (!good)
            warn_ldr("%s, started by the kernel: no record: %s", path, why);
        char *script = args[0] == name ? NULL : find_script(name);
        if (script) {                 /* the kernel names its start by its own path */
            free(why);
            why = NULL;
            key.text[KEY_PATH] = absolute(script);
            bool too = replay_start(store, &key, "warm", &why) == REPLAY_DONE;
            if (!too)
                warn_ldr("%s, started by the kernel: no record: %s", script, why);
            good = good && too;
        }
    }
    free(why);
    return good;
}

static int warm(const struct cache_dir *store, const struct cache_options *cache) {
    size_t made = 0;
    for (size_t i = 0; i < cache->name_count; i++)
        made += warm_one(store, cache->names[i]);
    return made == cache->name_count ? LDR_EXIT_OK : LDR_EXIT_PARTIAL;
}

/* ---- clear ----------------------------------------------------------------------------------------------------------- */

/* Records first: one that is cut off in the middle of this leaves nothing that names what is gone. The lock stays, makers hold it. */
static int clear(const struct cache_dir *store) {
    static const char *const kinds[] = { "r-", "catalog", "l-", "p-", "t-" };
    int lock = cache_lock(store, LOCK_SECONDS);
    if (lock < 0)
        return LDR_EXIT_FAILED;
    bool good = true;
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)
        good &= cache_remove(store, kinds[kind]);
    close(lock);
    return good ? LDR_EXIT_OK : LDR_EXIT_PARTIAL;
}

int cmd_cache(int argc, char **argv) {
    struct cache_options cache = { .top = 10 };
    struct cache_dir store;
    argp_err_exit_status = LDR_EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &cache) != 0)
        return LDR_EXIT_USAGE;
    const char *what = cache.what ? cache.what : "list";
    bool wants_names = strcmp(what, "warm") == 0, may_names = wants_names || strcmp(what, "verify") == 0;
    if (!may_names && strcmp(what, "list") != 0 && strcmp(what, "clear") != 0) {
        warn_ldr("'%s': expected list, verify, warm or clear", what);
        return LDR_EXIT_USAGE;
    }
    if ((wants_names && !cache.name_count) || (!may_names && cache.name_count)) {
        warn_ldr(wants_names ? "warm: no program named" : "%s takes no names, found '%s'", what, cache.name_count ? cache.names[0] : "");
        return LDR_EXIT_USAGE;
    }
    if (wants_names && cache.store != STORE_USER && geteuid() != 0) {
        warn_ldr("warm: only root fills the system's stores");
        return LDR_EXIT_FAILED;
    }
    if (cache.max_age && setenv("LDR_CACHE_MAX_AGE", cache.max_age, 1) != 0)
        return LDR_EXIT_FAILED;
    int status = cache_open(&store, cache.store, wants_names);
    if (status)
        return status;
    bool clears = strcmp(what, "clear") == 0;
    if (!clears && !store.loader) {
        free(find_ldso());            /* which says where it was looked for: without it nothing can be said of a record */
        cache_close(&store);
        return LDR_EXIT_FAILED;
    }
    status = wants_names ? warm(&store, &cache) : may_names ? verify(&store, &cache) : clears ? clear(&store) : list(&store, &cache);
    cache_close(&store);
    free(cache.names);
    return status;
}
