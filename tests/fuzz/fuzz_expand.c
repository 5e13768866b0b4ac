/* $ORIGIN, $LIB, $PLATFORM in one path; the first byte chooses the process: secure or not, origin known or not, room. */
#include "fuzz.h"

static const char *origin(struct search *search, const struct object *object)
{
    (void)search;
    (void)object;
    return "/opt/app/lib";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    u8 mode = data[0];
    struct config config = { .secure = mode & 1, .platform = mode & 2 ? "haswell" : NULL };
    struct search search = { .config = &config, .origin = mode & 4 ? origin : NULL };
    size_t cap = mode & 8 ? 4096 : 1 + (mode >> 4);
    char *from = malloc(size), *room = malloc(cap);       /* ended, as every string of the linker is */
    memcpy(from, data + 1, size - 1);
    from[size - 1] = 0;
    struct text out = text_on(room, cap);
    size_t len = strlen(from);
    if (search_expand(&search, from, len, NULL, &out))
        MUST(!out.cut);
    MUST(out.len < cap && room[out.len] == 0);
    free(from);
    free(room);
    return 0;
}
