/* nearest.c - no record has this start's key: in what does it differ from the starts of this program that were recorded? Of these the one
 * with the fewest differences is named, and its first difference told in words.
 *
 * Reads every record of the directory, so it is done only when somebody asked (LD_DEBUG=cache, LDR_TRACE, LDR_CACHE=require). */
#include "cache_private.h"

#define RECORDS_MOST 4096u            /* looked at */
#define VALUE_SHOWN 80u               /* bytes of a value */
#define VARIABLES_MOST 1024u

struct words { const u8 *at; u64 len; };       /* a text of a key; len ~0: absent */
struct key_parts {                    /* a key, each part found and inside it */
    struct key_head head;
    struct words notes, aux, text[KEY_TEXTS], env;     /* env: the rest, one text behind the other */
};

static bool take(struct words *rest, u64 len, struct words *out)
{
    if (rest->len < len)
        return false;
    *out = (struct words){ rest->at, len };
    rest->at += len;
    rest->len -= len;
    return true;
}

static bool take_text(struct words *rest, struct words *out)
{
    struct words word;
    u64 len;
    if (!take(rest, sizeof len, &word))
        return false;
    memcpy(&len, word.at, sizeof len);
    if (len != ~0ull)
        return take(rest, len, out);
    *out = (struct words){ NULL, ~0ull };
    return true;
}

static bool key_split(const void *bytes, u64 len, struct key_parts *parts)
{
    struct words rest = { bytes, len }, head;
    u64 aux_len;
    if (!take(&rest, sizeof parts->head, &head))
        return false;
    memcpy(&parts->head, head.at, sizeof parts->head);
    if (!take(&rest, parts->head.notes_len, &parts->notes) || !mul_u64(parts->head.aux_count, 16, &aux_len) || !take(&rest, aux_len, &parts->aux))
        return false;
    for (u32 i = 0; i < KEY_TEXTS; i++)
        if (!take_text(&rest, &parts->text[i]))
            return false;
    parts->env = rest;
    return true;
}

static bool same(const struct words *a, const struct words *b)
{
    return a->len == b->len && (!a->at || !b->at ? a->at == b->at : memcmp(a->at, b->at, a->len) == 0);
}

/* ---- in words -------------------------------------------------------------------------------------------------------- */

/* Each difference is counted, the first is told. */
struct difference { u32 count; struct text *text; };

static struct text *first(struct difference *d)
{
    return d->count++ ? NULL : d->text;
}

static void put_value(struct text *t, const struct words *value)
{
    if (value->len == ~0ull) {
        text_put(t, "not set");
        return;
    }
    text_char(t, '"');
    text_putn(t, (const char *)value->at, value->len < VALUE_SHOWN ? value->len : VALUE_SHOWN);
    text_put(t, value->len > VALUE_SHOWN ? "...\"" : "\"");
}

static void put_change(struct text *t, const char *what, const struct words *now, const struct words *was)
{
    if (!t)
        return;
    text_put(t, what);
    text_put(t, " is ");
    put_value(t, now);
    text_put(t, ", was ");
    put_value(t, was);
}

static const char *text_name(u32 which)
{
    switch ((enum key_text)which) {
    case KEY_PATH: return "the program's path";
    case KEY_DIR: return "the current directory (it counts where a path is relative)";
    case KEY_PLATFORM: return "AT_PLATFORM";
    case KEY_LIBRARY_PATH: return "the library path";
    case KEY_PRELOAD_ENV: return "LD_PRELOAD";
    case KEY_PRELOAD_OPTION: return "--preload";
    case KEY_INHIBIT_RPATH: return "--inhibit-rpath";
    case KEY_HWCAPS_PREPEND: return "--glibc-hwcaps-prepend";
    case KEY_HWCAPS_MASK: return "--glibc-hwcaps-mask";
    case KEY_ORIGIN_PATH: return "LD_ORIGIN_PATH";
    case KEY_GENUINE_LINKER: return "LDR_GENUINE_LDSO";
    default: return "a setting";
    }
}

static const char *aux_name(u64 type)
{
    switch (type) {
    case AT_SYSINFO_EHDR: return "whether there is a vDSO (AT_SYSINFO_EHDR)";
    case AT_HWCAP: return "the processor (AT_HWCAP)";
    case AT_HWCAP2: return "the processor (AT_HWCAP2)";
    case AT_PAGESZ: return "AT_PAGESZ";
    case AT_CLKTCK: return "AT_CLKTCK";
    case AT_UID: return "the user (AT_UID)";
    case AT_EUID: return "the user (AT_EUID)";
    case 51: return "the processor (AT_MINSIGSTKSZ)";
    case 27: case 28: return "the processor (AT_RSEQ)";
    default: return "an entry of the auxiliary vector";
    }
}

static void aux_pair(const struct words *aux, u64 i, u64 pair[2])
{
    memcpy(pair, aux->at + 16 * i, 16);
}

static bool aux_find(const struct words *aux, u64 type, u64 *value)
{
    u64 pair[2];
    for (u64 i = 0; i < aux->len / 16; i++) {
        aux_pair(aux, i, pair);
        if (pair[0] == type) {
            *value = pair[1];
            return true;
        }
    }
    return false;
}

static void compare_aux(struct difference *d, const struct words *now, const struct words *was)
{
    u64 pair[2], value = 0;
    for (u64 i = 0; i < now->len / 16; i++) {
        aux_pair(now, i, pair);
        bool known = aux_find(was, pair[0], &value);
        if (known && value == pair[1])
            continue;
        struct text *t = first(d);
        if (!t)
            continue;
        text_put(t, aux_name(pair[0]));
        text_put(t, " is ");
        text_hex(t, pair[1]);
        text_put(t, known ? ", was " : ", was not there");
        if (known)
            text_hex(t, value);
    }
    for (u64 i = 0; i < was->len / 16; i++) {
        aux_pair(was, i, pair);
        struct text *t = aux_find(now, pair[0], &value) ? NULL : first(d);
        if (t) {
            text_put(t, aux_name(pair[0]));
            text_put(t, " is not there, and was");
        }
    }
}

/* NAME=VALUE cut at the first '='. */
static void cut_variable(const struct words *entry, struct words *name, struct words *value)
{
    u64 len = 0;
    while (len < entry->len && entry->at[len] != '=')
        len++;
    *name = (struct words){ entry->at, len };
    *value = len < entry->len ? (struct words){ entry->at + len + 1, entry->len - len - 1 } : (struct words){ entry->at + len, 0 };
}

static struct words find_variable(struct words env, const struct words *name)
{
    struct words entry, other, value;
    for (u32 i = 0; i < VARIABLES_MOST && env.len && take_text(&env, &entry); i++)
        if (entry.at && (cut_variable(&entry, &other, &value), same(&other, name)))
            return value;
    return (struct words){ NULL, ~0ull };
}

/* `turned`: the other way round, for what the other has not; what both have was compared before. */
static void compare_env(struct difference *d, struct words env, const struct words *other, bool turned)
{
    struct words entry, name, value;
    for (u32 i = 0; i < VARIABLES_MOST && env.len && take_text(&env, &entry); i++) {
        if (!entry.at)
            continue;
        cut_variable(&entry, &name, &value);
        struct words there = find_variable(*other, &name);
        if (same(&value, &there) || (turned && there.at))
            continue;
        struct text *t = first(d);
        if (!t)
            continue;
        text_put(t, "the variable ");
        text_putn(t, (const char *)name.at, name.len < VALUE_SHOWN ? name.len : VALUE_SHOWN);
        put_change(t, "", turned ? &there : &value, turned ? &value : &there);
    }
}

static void compare_flag(struct difference *d, const char *what, u64 now, u64 was, const char *set, const char *unset)
{
    struct text *t = now == was ? NULL : first(d);
    if (!t)
        return;
    text_put(t, what);
    text_put(t, now ? set : unset);
    text_put(t, ", was ");
    text_put(t, was ? set : unset);
}

static void compare_program(struct difference *d, const struct file_identity *now, const struct file_identity *was)
{
    struct text *t = memcmp(now, was, sizeof *now) == 0 ? NULL : first(d);
    if (!t)
        return;
    text_put(t, "the program's file is ");
    tell_difference(t, was, now);
}

static void compare(struct difference *d, const struct key_parts *now, const struct key_parts *was)
{
    if (!same(&now->notes, &was->notes) && first(d))
        text_put(d->text, "it was made by another build of ld-ldr.so");
    if (memcmp(now->head.boot, was->head.boot, sizeof now->head.boot) != 0 && first(d))
        text_put(d->text, "it was made before the last boot");
    compare_program(d, &now->head.program, &was->head.program);
    if (!same(&now->text[KEY_PATH], &was->text[KEY_PATH]))
        put_change(first(d), text_name(KEY_PATH), &now->text[KEY_PATH], &was->text[KEY_PATH]);
    compare_flag(d, "the program was entered by ", now->head.way, was->head.way, "command", "the kernel (PT_INTERP)");
    compare_flag(d, "--proc-exe is ", now->head.origin_by_file, was->head.origin_by_file, "given", "not given");
    compare_flag(d, "--inhibit-cache is ", now->head.inhibit_cache, was->head.inhibit_cache, "given", "not given");
    compare_env(d, now->env, &was->env, false);
    compare_env(d, was->env, &now->env, true);
    compare_aux(d, &now->aux, &was->aux);
    for (u32 i = KEY_PATH + 1; i < KEY_TEXTS; i++)
        if (!same(&now->text[i], &was->text[i]))
            put_change(first(d), text_name(i), &now->text[i], &was->text[i]);
    if (!d->count && first(d))
        text_put(d->text, "the order of the environment's variables");
}

/* ---- over the directory ---------------------------------------------------------------------------------------------- */

static COLD_DATA struct key_parts here;
static COLD_DATA u32 looked_at, fewest;
static COLD_DATA char nearest_name[48], nearest_text[300];
static COLD_DATA char mark[9];        /* of this program, in the names of its records */

static void look_at(const char *name)
{
    u64 len, end;
    struct key_parts there;
    if (name[0] != 'r' || name[1] != '-' || strlen(name) < 10 || (memcmp(name + 2, mark, 4) != 0 && memcmp(name + 6, mark + 4, 4) != 0) ||
        looked_at++ >= RECORDS_MOST)
        return;
    const struct record_head *head = store_map(cache.dir, name, &len);
    if (!head)
        return;
    if (len >= sizeof *head && head->magic == RECORD_MAGIC && add_u64(head->key, head->key_len, &end) && end <= len &&
        key_split((const u8 *)head + head->key, head->key_len, &there) &&
        (same(&here.text[KEY_PATH], &there.text[KEY_PATH]) ||
         (here.head.program.ino == there.head.program.ino && here.head.program.dev == there.head.program.dev))) {
        char buf[sizeof nearest_text];
        struct text t = text_on(buf, sizeof buf);
        struct difference d = { 0, &t };
        compare(&d, &here, &there);
        if (!fewest || d.count < fewest) {
            fewest = d.count;
            memcpy(nearest_text, buf, sizeof buf);
            struct text found = text_on(nearest_name, sizeof nearest_name);
            text_put(&found, name);
        }
    }
    sys_munmap((void *)head, len);
}

NOINLINE bool nearest_tell(void)
{
    looked_at = fewest = 0;
    if (cache.miss[0] || !key_split(cache.key, cache.key_len, &here))
        return false;
    struct text marked = text_on(mark, sizeof mark);
    const struct words *path = &here.text[KEY_PATH];
    key_mark(&marked, path->at, path->len == ~0ull ? 0 : path->len, &here.head.program);
    cache.quiet = READ_QUIETLY;
    store_each(look_at);
    cache.quiet = 0;
    if (!fewest)
        return cache_miss("no start of this program is recorded", "");
    struct text t = text_on(cache.miss, sizeof cache.miss);
    text_put(&t, "no record of this start; of ");
    text_put(&t, nearest_name);
    text_put(&t, ", the nearest of this program, ");
    text_dec(&t, fewest);
    text_put(&t, fewest == 1 ? " thing differs: " : " things differ, first: ");
    text_put(&t, nearest_text);
    return false;
}
