/* key.c - everything outside the record that decides how a program starts, as bytes. Two starts with equal keys whose witnesses agree
 * are the same start. The record's name is a hash of the key; the key itself stands in the record and is compared. */
#include "cache_private.h"
#include "../base/base.h"

extern const Elf64_Ehdr __ehdr_start;

static struct text key;

static void put_bytes(const void *bytes, size_t len) { text_putn(&key, bytes, len); }
static void put_word(u64 word) { put_bytes(&word, sizeof word); }
static void put_text(const char *text)         /* absent and empty differ */
{
    put_word(text ? strlen(text) : ~0ull);
    if (text)
        put_bytes(text, strlen(text));
}

/* Which build of the loader writes or reads: structures in records are its own. */
static void put_loader(void)
{
    const Elf64_Phdr *phdr = (const Elf64_Phdr *)((u64)&__ehdr_start + __ehdr_start.e_phoff);
    for (u16 i = 0; i < __ehdr_start.e_phnum; i++)
        if (phdr[i].p_type == PT_NOTE)
            put_bytes((const void *)((u64)&__ehdr_start + phdr[i].p_vaddr), phdr[i].p_memsz);
}

/* Returns how many pairs. In the system's stores users do not differ. */
static u64 put_auxv(void)
{
    u64 count = 0;
    for (const Elf64_auxv_t *a = session.kernel.auxv; a->a_type != AT_NULL; a++)
        switch (a->a_type) {
        case AT_SYSINFO_EHDR:         /* with or without: emulators and recorders take it away */
            put_word(a->a_type);
            put_word(a->a_un.a_val != 0);
            count++;
            break;
        case AT_UID: case AT_EUID:
            if (cache.store != STORE_USER)
                break;
            put_word(a->a_type);
            put_word(a->a_un.a_val);
            count++;
            break;
        case AT_HWCAP: case AT_HWCAP2: case AT_PAGESZ: case AT_CLKTCK: case 51 /* AT_MINSIGSTKSZ */: case 27: case 28:
            put_word(a->a_type);
            put_word(a->a_un.a_val);
            count++;
        }
    return count;
}

/* In the order of enum key_text, from KEY_PLATFORM on. */
static void put_settings(void)
{
    const struct config *c = &session.config;
    put_text(session.kernel.platform);
    put_text(c->library_path);
    put_text(c->preload_env);
    put_text(c->preload_option);
    put_text(c->inhibit_rpath);
    put_text(c->hwcaps_prepend);
    put_text(c->hwcaps_mask);
    put_text(c->origin_path);
    put_text(c->genuine_linker);
}

/* What the linker reads, but for what is told of a start, which changes nothing; and what the tunables parser reads: GLIBC_TUNABLES and the
 * older MALLOC_ names. */
static bool counts(const char *entry)
{
    if (str_starts(entry, "LD_"))
        return !str_starts(entry, "LD_DEBUG=") && !str_starts(entry, "LD_DEBUG_OUTPUT=");
    return str_starts(entry, "GLIBC_TUNABLES=") || str_starts(entry, "MALLOC_");
}

static void put_environment(void)
{
    for (char **e = session.kernel.envp; *e; e++)
        if (counts(*e))
            put_text(*e);
}

static bool has_relative(const char *list)
{
    for (const char *at = list; at; at++) {
        if (*at != '/' && *at != '$')
            return true;              /* an empty element is the current directory */
        while (*at && *at != ':' && *at != ';')
            at++;
        if (!*at)
            break;
    }
    return false;
}

NOINLINE static long put_current_dir(void)
{
    char cwd[4096];
    long len = sys_getcwd(cwd, sizeof cwd);
    if (len >= 1)
        put_text(cwd);
    return len;
}

/* Boot, loader, processor, tunables: relocated pages hang on them, whichever program it is. */
static void make_seed(const struct key_head *head)
{
    u64 tuned = 0;
    for (char **e = session.kernel.envp; *e; e++)
        for (const char *c = str_starts(*e, "GLIBC_TUNABLES=") ? *e : ""; *c; c++)
            tuned = (tuned ^ (u8)*c) * 0x100000001b3ull;
    cache.seed[0] = cache_sum(key.buf + sizeof *head, key.len - sizeof *head) ^ tuned;
    cache.seed[1] = cache_sum(head->boot, sizeof head->boot) + tuned * 31 + key.len;
}

static void put_digits(struct text *to, u64 of, u32 count)
{
    for (u32 i = 0; i < count; i++)
        text_char(to, "0123456789abcdef"[of >> 4 * i & 15]);
}

void key_mark(struct text *to, const void *path, u64 len, const struct file_identity *program)
{
    const u64 file[2] = { program->dev, program->ino };
    put_digits(to, cache_sum(path, len), 4);
    put_digits(to, cache_sum(file, sizeof file), 4);
}

bool key_make(const char *path, const struct stat *st, char *buf, u64 room)
{
    struct key_head *head = (struct key_head *)buf;
    key = text_on(buf, room);
    memset(head, 0, sizeof *head);
    key.len = sizeof *head;
    memcpy(head->boot, cache.boot, sizeof head->boot);
    head->way = session.way;
    head->origin_by_file = session.origin_by_file;
    head->bind_now = session.config.bind_now;
    head->inhibit_cache = session.config.inhibit_cache;
    head->store = cache.store;
    identity_of(st, &head->program);
    put_loader();
    head->notes_len = key.len - sizeof *head;
    head->aux_count = put_auxv();
    make_seed(head);
    put_text(path);
    /* $ORIGIN of a relative path, and what a relative search path means, hang on the current directory. */
    bool relative = !path || path[0] != '/' || has_relative(session.config.library_path);
    if (!relative)
        put_text(NULL);
    else if (put_current_dir() < 1)
        return false;
    put_settings();
    put_environment();
    if (key.cut)
        return false;
    cache.key = (const u8 *)buf;
    cache.key_len = (u32)key.len;
    u64 first = cache_sum(buf, key.len), second = cache_sum(buf, key.len & ~7ull) * 31 ^ first >> 7;
    struct text name = text_on(cache.record_name, sizeof cache.record_name);
    text_put(&name, "r-");
    key_mark(&name, path ? path : "", path ? strlen(path) : 0, &head->program);
    put_digits(&name, first, 16);
    put_digits(&name, second, 8);
    return !name.cut;
}
