/* heap.c - memory of our own, never the program's malloc: the program may replace malloc, and malloc may need us.
 *
 * Blocks of power-of-two sizes from 64 KiB chunks; larger ones straight from the kernel. A block carries its size in the 16 bytes in
 * front. Taking and giving back a block are single stores to the list head, so a fork in the middle of one leaves the child a sound
 * heap; the lock is the tls lock, which libc resets in the child. */
#include "run.h"
#include "../compat/shim.h"

#define SMALLEST 6u                   /* 64 bytes */
#define LARGEST 15u                   /* 32 KiB */
#define CHUNK (64ul << 10)

struct block { u64 size_class; struct block *next; };

static struct block *free_lists[LARGEST - SMALLEST + 1];
static char *chunk_next, *chunk_end;

static void *map_memory(size_t len)
{
    void *at = sys_mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return sys_failed(at) ? NULL : at;
}

void *heap_alloc(size_t len)
{
    u64 need;
    if (!add_u64(len, sizeof(struct block), &need))
        return NULL;
    if (need > 1ul << LARGEST) {
        if (!add_u64(need, LDR_PAGE - 1, &need))
            return NULL;
        need = align_down(need, LDR_PAGE);
        struct block *large = map_memory(need);
        if (!large)
            return NULL;
        large->size_class = need;
        return large + 1;
    }
    u32 class = SMALLEST;
    while (1ul << class < need)
        class++;
    shim_lock_tls();
    struct block *block = free_lists[class - SMALLEST];
    if (block) {
        free_lists[class - SMALLEST] = block->next;
        shim_unlock_tls();
        memset(block, 0, 1ul << class);
    } else {
        if ((size_t)(chunk_end - chunk_next) < 1ul << class) {
            char *chunk = map_memory(CHUNK);
            if (!chunk) {
                shim_unlock_tls();
                return NULL;
            }
            chunk_next = chunk;
            chunk_end = chunk + CHUNK;
        }
        block = (struct block *)chunk_next;
        chunk_next += 1ul << class;
        shim_unlock_tls();
    }
    block->size_class = class;
    return block + 1;
}

void heap_free(void *at)
{
    if (!at)
        return;
    struct block *block = (struct block *)at - 1;
    if (block->size_class > LARGEST) {
        sys_munmap(block, block->size_class);
        return;
    }
    shim_lock_tls();
    block->next = free_lists[block->size_class - SMALLEST];
    free_lists[block->size_class - SMALLEST] = block;
    shim_unlock_tls();
}

/* Start-up memory begins in .bss, beside data that is written anyway, so that a small program needs no further page or call. */
static char first_chunk[24 << 10] __attribute__((aligned(16), section(".bss.start_memory")));

void *permanent_more(struct arena *arena, size_t need, size_t *got)
{
    if (!arena->total && need <= sizeof first_chunk) {
        *got = sizeof first_chunk;
        return first_chunk;
    }
    size_t len = align_up(need > 128ul << 10 ? need : 128ul << 10, LDR_PAGE);
    *got = len;
    return map_memory(len);
}

/* Descriptors of objects that will all be made: their pages at once, for a fault on each costs several times as much. */
#define RESERVE_LEAST (64ul << 10)

void reserve_objects(u64 count)
{
    u64 len = align_down(count * (LINK_MAP_ROOM + sizeof(struct object)), LDR_PAGE);
    if (len < RESERVE_LEAST)
        return;
    char *at = sys_mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (sys_failed(at))
        return;
    session.permanent.next = at;
    session.permanent.end = at + len;
    session.permanent.total += len;
}

struct owned_chunk { struct owned_chunk *next; char *start; u64 len; u64 unused; };

void *object_arena_more(struct arena *arena, size_t need, size_t *got)
{
    size_t len = need + sizeof(struct owned_chunk) < 1000 ? 1008 : need + sizeof(struct owned_chunk);
    struct owned_chunk *chunk = heap_alloc(len);
    if (!chunk)
        return NULL;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    *got = len - sizeof *chunk;
    return chunk + 1;
}

void object_arena_free(struct arena *arena)
{
    struct owned_chunk *chunk = arena->chunks;
    arena->chunks = NULL;
    arena->next = arena->end = NULL;
    while (chunk) {
        struct owned_chunk *next = chunk->next;
        heap_free(chunk);
        chunk = next;
    }
}

/* From half a huge page on, the memory starts at one and is made of them: one fault and one TLB entry for what is read at random. The
 * chunk's header stands in the page before, or a table of exactly 2 MiB would touch a second huge page. Always zero: straight from
 * the kernel. */
void *scratch_more(struct arena *arena, size_t need, size_t *got)
{
    bool huge = need >= LDR_HUGE_PAGE / 4;
    size_t room = huge ? align_up(need, LDR_HUGE_PAGE) : align_up(need + sizeof(struct owned_chunk), 256ul << 10);
    size_t len = huge ? room + LDR_HUGE_PAGE : room;
    char *start = map_memory(len);
    if (!start)
        return NULL;
    char *at = huge ? (char *)align_up((u64)start + LDR_PAGE, LDR_HUGE_PAGE) : start + sizeof(struct owned_chunk);
    *got = (size_t)(start + len - at) < room ? (size_t)(start + len - at) : room;
    if (huge)
        sys_madvise(at, *got, 14 /* MADV_HUGEPAGE */);
    struct owned_chunk *chunk = (struct owned_chunk *)at - 1;
    *chunk = (struct owned_chunk){ .next = arena->chunks, .start = start, .len = len };
    arena->chunks = chunk;
    return at;
}

void scratch_free(struct arena *arena)
{
    struct owned_chunk *chunk = arena->chunks;
    arena->chunks = NULL;
    arena->next = arena->end = NULL;
    while (chunk) {
        struct owned_chunk *next = chunk->next;
        sys_munmap(chunk->start, chunk->len);
        chunk = next;
    }
}
