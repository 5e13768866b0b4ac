/* demangle.c - C++ names as people write them, as long as they are of a size that people read.
 *
 * A mangled name may refer to its own parts, so that each argument doubles what the one before stands for: 300 bytes then stand for more
 * than any memory holds. libiberty writes the readable name piece by piece and holds no memory meanwhile, so it can be left in between. */
#include "debuginfo.h"
#include "parts.h"
#include "../ldr.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { READABLE_MAX = 64 << 10 };     /* bytes; what templates make of templates in real programs has some thousands */

/* On the heap: what is on the stack and was changed since setjmp is lost. */
struct readable { char *text; size_t len, room; jmp_buf too_long; };

static void add_piece(const char *piece, size_t len, void *to) {
    struct readable *readable = to;
    if (len > READABLE_MAX - readable->len)
        longjmp(readable->too_long, 1);
    if (readable->room - readable->len <= len)
        readable->text = must_grow(readable->text, readable->room = readable->room * 2 + len + 1, 1);
    memcpy(readable->text + readable->len, piece, len);
    readable->text[readable->len += len] = '\0';
}

char *demangle_as(const char *mangled, int options) {
    struct readable *readable = must_alloc(1, sizeof *readable);
    char *text = NULL;
    if (setjmp(readable->too_long) == 0 && cplus_demangle_v3_callback(mangled, options, add_piece, readable)) {
        text = readable->text;
        readable->text = NULL;
    }
    free(readable->text);
    free(readable);
    return text;
}

char *demangle(const char *name) { return name[0] == '_' && name[1] == 'Z' ? demangle_as(name, DMGL_PARAMS | DMGL_ANSI) : NULL; }
