/* support.c - messages and memory for every part of the command. */
#include "ldr.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *command_name = "ldr";

void name_command(const char *name) { command_name = name; }

void make_printable(char *text) {
    for (unsigned char *at = (unsigned char *)text; *at; ) {
        size_t more = *at < 0x80 ? 0 : *at >= 0xc2 && *at < 0xe0 ? 1 : *at >= 0xe0 && *at < 0xf0 ? 2 : *at >= 0xf0 && *at < 0xf5 ? 3 : 9;
        bool good = more < 9 && *at >= 0x20 && *at != 0x7f;
        for (size_t i = 1; good && i <= more; i++)
            good = (at[i] & 0xc0) == 0x80;
        /* overlong forms, surrogates and C1 controls */
        good = good && !(*at == 0xe0 && at[1] < 0xa0) && !(*at == 0xed && at[1] >= 0xa0) && !(*at == 0xf0 && at[1] < 0x90) &&
               !(*at == 0xf4 && at[1] >= 0x90) && !(*at == 0xc2 && at[1] < 0xa0);
        if (good) {
            at += more + 1;
        } else {
            *at++ = '?';
        }
    }
}

/* One line whatever the names in it hold. */
void warn_ldr(const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;                  /* no memory: what was to be said, without its values */
    va_end(args);
    if (text)
        make_printable(text);
    fprintf(stderr, "%s: %s\n", command_name, text ? text : format);
    free(text);
}

/* One arena, grown once: the kernel gives a range of addresses, and memory 2 MiB at a time as it is touched. What does not fit into the
 * range, and single blocks above malloc's limit, are small pages as ever. */
void use_huge_heap(void) {
    const size_t range = (size_t)64 << 20, huge = (size_t)2 << 20;
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, (int)(2 * range));
    mallopt(M_TOP_PAD, (int)range);
    void *volatile grown = malloc(huge); /* more than is free now: the heap grows. volatile, or the compiler leaves the pair out */
    free(grown);
    mallopt(M_TOP_PAD, 1 << 20);
    uintptr_t end = (uintptr_t)sbrk(0) & -huge, start = end - range;
    if (end > range)
        madvise((void *)start, range, MADV_HUGEPAGE); /* where it cannot be had, things are only slower */
}

void *must_grow(void *block, size_t count, size_t size) {
    void *grown = reallocarray(block, count ? count : 1, size);
    if (!grown) {
        warn_ldr("no memory for %zu items of %zu bytes", count, size);
        exit(LDR_EXIT_FAILED);
    }
    return grown;
}

void *must_alloc(size_t count, size_t size) {
    void *block = calloc(count ? count : 1, size ? size : 1);
    if (!block) {
        warn_ldr("no memory for %zu items of %zu bytes", count, size);
        exit(LDR_EXIT_FAILED);
    }
    return block;
}

char *must_format(const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0) {
        warn_ldr("no memory for a message");
        exit(LDR_EXIT_FAILED);
    }
    return text;
}

/* Bytes of the UTF-8 character at text, 0 if there is none: no overlong form, no surrogate, nothing above U+10FFFF. */
static size_t utf8_len(const unsigned char *text) {
    static const struct { unsigned char first, last, second_low, second_high, len; } forms[] = {
        { 0x01, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
        { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
        { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].first || text[0] > forms[i].last)
            continue;
        for (size_t at = 1; at < forms[i].len; at++)
            if (text[at] < (at == 1 ? forms[i].second_low : 0x80) || text[at] > (at == 1 ? forms[i].second_high : 0xbf))
                return 0;
        return forms[i].len;
    }
    return 0;
}

char *text_utf8(const char *text) {
    char *copy = must_alloc(strlen(text) + 1, 4), *to = copy;
    for (size_t len; *text; text += len ? len : 1) {
        len = utf8_len((const unsigned char *)text);
        if (len)
            to = mempcpy(to, text, len);
        else
            to += sprintf(to, "\\x%02x", (unsigned char)*text);
    }
    return copy;
}
