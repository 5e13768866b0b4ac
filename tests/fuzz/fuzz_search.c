/* search_library with every list under the input's control: name, RPATH, RUNPATH, LD_LIBRARY_PATH, --inhibit-rpath, hwcaps. The input is
 * one byte of choices and then strings ended by 0. Also config_take_env, which is where such lists come from. */
#include "fuzz.h"

static u32 tried;

static int try(struct search *search, const char *path, enum found_by rule, const struct object *owner)
{
    (void)owner;
    MUST(strlen(path) < 4096 && found_by_text(rule)[0]);
    return ++tried > 2000 ? -1 : 0;
}

static bool present(struct search *search, const char *path)
{
    (void)search;
    return strlen(path) % 3 != 0;
}

static const char *origin(struct search *search, const struct object *object)
{
    (void)search;
    return object && object->path[0] == 'p' ? NULL : "/opt/app";
}

static u32 level(struct search *search)
{
    (void)search;
    return 3;
}

/* The next string of the input, in a block of its own. */
static char *next_string(const u8 **data, size_t *size)
{
    size_t len = 0;
    while (len < *size && (*data)[len])
        len++;
    char *copy = malloc(len + 1);
    memcpy(copy, *data, len);
    copy[len] = 0;
    *data += len < *size ? len + 1 : len;
    *size -= len < *size ? len + 1 : len;
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    u8 mode = *data++;
    size--;
    char *s[8];
    for (u32 i = 0; i < 8; i++)
        s[i] = next_string(&data, &size);
    struct arena arena;
    fuzz_arena(&arena);
    struct config config = { .secure = mode & 1, .hwcaps_mask = mode & 2 ? s[6] : NULL, .hwcaps_prepend = mode & 4 ? s[7] : NULL };
    config_take_env(&config, s[3]);
    if (!config.library_path)
        config.library_path = *s[4] ? s[4] : NULL;
    config.inhibit_rpath = mode & 8 ? s[5] : NULL;
    struct object program = { .path = "", .image.rpath = s[1] };
    struct object loader = { .path = "plugin.so", .loader = &program, .image.rpath = s[1], .image.runpath = mode & 16 ? s[2] : NULL,
                             .image.flags_1 = mode & 32 ? DF_1_NODEFLIB : 0 };
    struct search search = { .config = &config, .arena = &arena, .program = &program, .try = try, .dir_present = mode & 64 ? present : NULL,
                             .origin = origin, .cpu_level = level };
    tried = 0;
    search_library(&search, s[0], mode & 128 ? &loader : NULL);
    fuzz_arena_free(&arena);
    for (u32 i = 0; i < 8; i++)
        free(s[i]);
    return 0;
}
