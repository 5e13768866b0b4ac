/* support.c - messages and memory for every part of the command. */
#include "ldr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *command_name = "ldr";

void name_command(const char *name) { command_name = name; }

void warn_ldr(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", command_name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
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
