/* mem.c - the four memory functions GCC may call on its own, and two string functions.
 * String instructions: the runtime is built without vector registers, so that a lazily bound call or a TLS access never
 * has vector state of ours to disturb; with ERMS, rep movsb is as fast as vector code from a few hundred bytes up. */
#include "base.h"

#ifdef LDR_FREESTANDING

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    if (len < 128) {                  /* starting a string instruction costs more than this loop */
        u8 *a = to;
        const u8 *b = from;
        for (; len >= 8; len -= 8, a += 8, b += 8)
            __builtin_memcpy(a, b, 8);
        for (; len; len--) {
            *a++ = *b++;
            __asm__ volatile("" : : : "memory");
        }
        return to;
    }
    void *at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(len) : : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    if ((u64)to - (u64)from >= len)
        return memcpy(to, from, len);
    char *a = (char *)to + len;
    const char *b = (const char *)from + len;
    while (len--) {
        *--a = *--b;
        __asm__ volatile("" : : : "memory");  /* keep GCC from turning the loop into a call of memmove */
    }
    return to;
}

void *memset(void *to, int byte, size_t len)
{
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(len) : "a"(byte) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const u8 *x = a, *y = b;
    for (; len >= 8; len -= 8, x += 8, y += 8) {
        u64 v, w;
        __builtin_memcpy(&v, x, 8);
        __builtin_memcpy(&w, y, 8);
        if (v != w)
            break;
    }
    for (; len; len--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

size_t strlen(const char *s)
{
    const char *at = s;
    while (*at) {
        at++;
        __asm__ volatile("" : "+r"(at));      /* not a call of strlen */
    }
    return (size_t)(at - s);
}

int strcmp(const char *a, const char *b)
{
    for (; *a && *a == *b; a++, b++)
        ;
    return (u8)*a - (u8)*b;
}

#endif
