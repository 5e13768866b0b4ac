/* arena.c - bump allocation in chunks; freed as a whole by whoever owns the chunks. */
#include "base.h"

#define ARENA_ALIGN 8ul

void *arena_alloc(struct arena *arena, size_t len)
{
    u64 need;
    if (!add_u64(len, ARENA_ALIGN - 1, &need))
        return NULL;
    need &= ~(ARENA_ALIGN - 1);
    if ((size_t)(arena->end - arena->next) < need) {
        size_t got = 0;
        char *chunk = arena->more ? arena->more(arena, need, &got) : NULL;
        if (!chunk)
            return NULL;
        arena->next = chunk;
        arena->end = chunk + got;
        arena->total += got;
    }
    void *at = arena->next;
    arena->next += need;
    return at;
}

void *arena_zalloc(struct arena *arena, size_t len)
{
    void *at = arena_alloc(arena, len);
    return at && !arena->zeroed ? memset(at, 0, len) : at;
}

char *arena_dupn(struct arena *arena, const char *s, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (copy) {
        memcpy(copy, s, len);
        copy[len] = 0;
    }
    return copy;
}

char *arena_dup(struct arena *arena, const char *s)
{
    return arena_dupn(arena, s, strlen(s));
}
