#include "scenario.h"
static char arena[64 << 20] __attribute__((aligned(16)));
static size_t used;
int malloc_calls, free_calls;
void *malloc(size_t size)
{
    size_t at = __atomic_fetch_add(&used, (size + 31) & ~15ul, __ATOMIC_SEQ_CST);
    malloc_calls++;
    if (at + size + 32 > sizeof arena)
        return NULL;
    *(size_t *)(arena + at) = size;
    return arena + at + 16;
}
void free(void *block) { if (block) free_calls++; }
void *calloc(size_t n, size_t size) { return malloc(n * size); }
void *realloc(void *old, size_t size)
{
    void *fresh = malloc(size);
    if (old && fresh) {
        size_t had = ((size_t *)old)[-2];
        memcpy(fresh, old, had < size ? had : size);
    }
    return fresh;
}
void *memalign(size_t align, size_t size)
{
    char *block = malloc(size + align);
    return block + (align - (unsigned long)block % align) % align;
}
void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }
int posix_memalign(void **out, size_t align, size_t size) { return (*out = memalign(align, size)) == NULL; }
