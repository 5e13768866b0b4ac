/* plain.c - stdout behind a filter. */
#include "plain.h"

#include <stdio.h>
#include <string.h>

static FILE *terminal;

/* Length of an SGR sequence (ESC [ digits ; digits m) at `at`; 0: it is none. */
static size_t colour_len(const char *at, size_t len) {
    size_t used = 2;
    if (len < 3 || at[0] != '\033' || at[1] != '[')
        return 0;
    while (used < len && used < 8 && strchr("0123456789;", at[used]) && at[used])
        used++;
    return used < len && at[used] == 'm' ? used + 1 : 0;
}

static ssize_t write_plain(void *cookie, const char *bytes, size_t len) {
    (void)cookie;
    for (size_t at = 0; at < len;) {
        size_t run = colour_len(bytes + at, len - at);
        while (at + run < len && ((unsigned char)bytes[at + run] >= ' ' || bytes[at + run] == '\n' || bytes[at + run] == '\t') && bytes[at + run] != 127)
            run++;
        if (run ? fwrite(bytes + at, 1, run, terminal) != run : putc('?', terminal) == EOF)
            return -1;
        at += run ? run : 1;
    }
    return fflush(terminal) == 0 ? (ssize_t)len : -1;
}

void plain_output(void) {
    FILE *filter = terminal ? NULL : fopencookie(NULL, "w", (cookie_io_functions_t){ .write = write_plain });
    if (!filter)
        return;
    terminal = stdout;
    stdout = filter;
}
