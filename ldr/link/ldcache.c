/* ldcache.c - reading /etc/ld.so.cache ("glibc-ld.so.cache1.1", written by ldconfig; format as in glibc's dl-cache.h).
 *
 *   0   "glibc-ld.so.cache" "1.1"                                  20 bytes
 *  20   u32 entries, u32 string bytes, u8 flags (2: little endian), 3 pad, u32 extension offset, 3 x u32 unused     -> 48
 *  48   entries x { i32 flags; u32 soname; u32 path; u32 osversion; u64 hwcap }   offsets from the file's start
 *       sorted downwards by soname (numbers inside names compare as numbers), best hwcap first
 *  ext  u32 magic 0xeaa42174, u32 sections, then { u32 tag; u32 flags; u32 off; u32 len }; tag 1: glibc-hwcaps names, u32 offsets
 *
 * An entry for a glibc-hwcaps subdirectory has bit 62 of hwcap set and the index of the subdirectory's name in the low half. */
#include "link.h"

#define CACHE_MAGIC "glibc-ld.so.cache1.1"
#define CACHE_HEAD 48u
#define ENTRY_SIZE 24u
#define FLAG_X86_64 0x0303
#define EXTENSION_MAGIC 0xeaa42174u
#define HWCAP_EXTENSION (1ull << 62)

static u32 word_at(const struct ldcache *cache, u64 off)
{
    u32 word = 0;
    if (off + 4 <= cache->len)
        memcpy(&word, cache->bytes + off, 4);
    return word;
}

/* A string of the string table, which ends with 0; "" when outside. */
static const char *string_at(const struct ldcache *cache, u64 off)
{
    return off >= cache->strings && off < cache->strings_end ? (const char *)cache->bytes + off : "";
}

bool ldcache_read(struct ldcache *cache, const u8 *bytes, u64 len)
{
    if (len < CACHE_HEAD || memcmp(bytes, CACHE_MAGIC, sizeof CACHE_MAGIC - 1) != 0)
        return false;
    *cache = (struct ldcache){ .bytes = bytes, .len = len };
    u32 entries = word_at(cache, 20);
    u8 flags = bytes[28];
    if ((flags & 3) != 2 && (flags & 3) != 0)
        return false;
    u64 strings = CACHE_HEAD + (u64)entries * ENTRY_SIZE, strings_end = strings + word_at(cache, 24);
    if (strings_end > len || strings_end == strings || bytes[strings_end - 1] != 0)
        return false;
    cache->strings = strings;
    cache->strings_end = strings_end;
    cache->entry_count = entries;
    u32 extension = word_at(cache, 32);
    if (extension && word_at(cache, extension) == EXTENSION_MAGIC) {
        u32 sections = word_at(cache, extension + 4ull);
        for (u32 i = 0; i < sections && i < 64; i++) {
            u64 at = extension + 8ull + 16ull * i;
            if (word_at(cache, at) == 1 && (u64)word_at(cache, at + 8) + word_at(cache, at + 12) <= len) {
                cache->hwcaps_offset = word_at(cache, at + 8);
                cache->hwcaps_count = word_at(cache, at + 12) / 4;
            }
        }
    }
    return true;
}

/* ldconfig's order of names: runs of digits compare as numbers. */
static int compare_names(const char *a, const char *b)
{
    while (*a) {
        bool digit_a = *a >= '0' && *a <= '9', digit_b = *b >= '0' && *b <= '9';
        if (digit_a && digit_b) {
            u64 x = 0, y = 0;
            while (*a >= '0' && *a <= '9')
                x = x * 10 + (u64)(*a++ - '0');
            while (*b >= '0' && *b <= '9')
                y = y * 10 + (u64)(*b++ - '0');
            if (x != y)
                return x < y ? -1 : 1;
        } else if (digit_a) {
            return 1;
        } else if (digit_b) {
            return -1;
        } else if (*a != *b) {
            return (u8)*a - (u8)*b;
        } else {
            a++;
            b++;
        }
    }
    return -(int)(u8)*b;
}

static bool in_list(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; at; at = str_chr(at, ':') ? str_chr(at, ':') + 1 : NULL)
        if (str_starts(at, name) && (at[len] == ':' || at[len] == 0))
            return true;
    return false;
}

/* Rank of a glibc-hwcaps subdirectory: higher is better, 0: not for this machine or masked out. */
static u32 hwcaps_rank(const char *name, struct search *search)
{
    const struct config *config = search->config;
    if (config->hwcaps_prepend && in_list(config->hwcaps_prepend, name))
        return 100;
    if (config->hwcaps_mask && !in_list(config->hwcaps_mask, name))
        return 0;
    if (!str_starts(name, "x86-64-v") || name[8] < '2' || name[8] > '4' || name[9])
        return 0;
    u32 level = (u32)(name[8] - '0');
    return search->cpu_level && search->cpu_level(search) >= level ? level : 0;
}

const char *ldcache_find(const struct ldcache *cache, const char *soname, struct search *search)
{
    u32 lo = 0, hi = cache->entry_count;
    while (lo < hi) {                 /* downwards: first entry whose name is <= soname */
        u32 mid = lo + (hi - lo) / 2;
        if (compare_names(string_at(cache, word_at(cache, CACHE_HEAD + ENTRY_SIZE * (u64)mid + 4)), soname) > 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    const char *best = NULL;
    u32 best_rank = 0;
    for (u32 i = lo; i < cache->entry_count; i++) {
        u64 entry = CACHE_HEAD + ENTRY_SIZE * (u64)i;
        if (!str_equal(string_at(cache, word_at(cache, entry + 4)), soname))
            break;
        u64 hwcap = word_at(cache, entry + 16) | (u64)word_at(cache, entry + 20) << 32;
        if (word_at(cache, entry) != FLAG_X86_64)
            continue;
        u32 rank = 1;                 /* the plain directory; legacy hwcap bits are not ours to honour */
        if (hwcap & HWCAP_EXTENSION) {
            u32 index = (u32)hwcap;
            rank = index < cache->hwcaps_count
                       ? hwcaps_rank(string_at(cache, word_at(cache, cache->hwcaps_offset + 4ull * index)), search) : 0;
        } else if (hwcap) {
            continue;
        }
        if (rank > best_rank) {
            best_rank = rank;
            best = string_at(cache, word_at(cache, entry + 8));
        }
    }
    return best;
}

bool ldcache_next(const struct ldcache *cache, u32 *at, const char **soname, const char **path)
{
    while (*at < cache->entry_count) {
        u64 entry = CACHE_HEAD + ENTRY_SIZE * (u64)(*at)++;
        if (word_at(cache, entry) != FLAG_X86_64)
            continue;
        *soname = string_at(cache, word_at(cache, entry + 4));
        *path = string_at(cache, word_at(cache, entry + 8));
        return true;
    }
    return false;
}
