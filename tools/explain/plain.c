/* plain.c - stdout behind a filter. */
#include "plain.h"
#include "../ldr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *terminal;

/* Between two writes. A NUL, which no name can hold, announces a colour; a character of several bytes may come in two parts. */
static struct {
    enum { IN_TEXT, AFTER_NUL, IN_COLOUR } place;
    unsigned left;                    /* bytes that the character still has */
    bool after_c2;                    /* its first byte was 0xc2, held back: U+0080 to U+009F begin so */
} filter;

static bool is_control(unsigned char byte) { return (byte < ' ' && byte != '\n' && byte != '\t') || byte == 127; }

static unsigned bytes_behind(unsigned char byte) { return byte >= 0xf0 && byte < 0xf8 ? 3 : byte >= 0xe0 ? 2 : 1; }

static void filter_byte(unsigned char byte) {
    if (filter.place != IN_TEXT) {
        putc_unlocked(byte, terminal);
        filter.place = filter.place == AFTER_NUL || byte != 'm' ? IN_COLOUR : IN_TEXT;
        return;
    }
    if (filter.after_c2) {
        filter.after_c2 = false;
        if (byte >= 0x80 && byte < 0xa0) {
            putc_unlocked('?', terminal);
            filter.left = 0;
            return;
        }
        putc_unlocked(0xc2, terminal);
    }
    if (!byte) {
        filter.place = AFTER_NUL;
    } else if (byte == 0xc2) {
        filter.after_c2 = true;
        filter.left = 1;
    } else if (byte >= 0xc0 && byte < 0xf8) {
        filter.left = bytes_behind(byte);
        putc_unlocked(byte, terminal);
    } else if (byte >= 0x80) {
        putc_unlocked(filter.left ? byte : '?', terminal);
        filter.left -= filter.left != 0;
    } else {
        filter.left = 0;
        putc_unlocked(is_control(byte) ? '?' : byte, terminal);
    }
}

static ssize_t write_plain(void *cookie, const char *bytes, size_t len) {
    (void)cookie;
    for (size_t at = 0; at < len;) {
        size_t run = 0;               /* ordinary characters, which is all there is as a rule */
        while (filter.place == IN_TEXT && !filter.after_c2 && at + run < len && (unsigned char)bytes[at + run] < 127 && bytes[at + run] && !is_control((unsigned char)bytes[at + run]))
            run++;
        if (run && fwrite(bytes + at, 1, run, terminal) != run)
            return -1;
        if (run)
            filter.left = 0;
        else
            filter_byte((unsigned char)bytes[at]);
        at += run ? run : 1;
    }
    return fflush(terminal) == 0 ? (ssize_t)len : -1;
}

void plain_output(void) {
    FILE *filtered = terminal ? NULL : fopencookie(NULL, "w", (cookie_io_functions_t){ .write = write_plain });
    if (!filtered)
        return;
    terminal = stdout;
    stdout = filtered;
}

void plain_colour(const char *digits) {
    putchar('\0');
    printf("\033[%sm", digits);
}

static void replace_line_ends(char *text, size_t len) {
    for (char *at = text; (at = memchr(at, '\n', (size_t)(text + len - at)));)
        *at++ = '?';
}

char *plain_line(char *text) {
    replace_line_ends(text, strlen(text));
    return text;
}

static size_t line_ends_before(const char *end, size_t len) {
    size_t count = 0;
    while (count < len && end[-1 - (long)count] == '\n')
        count++;
    return count;
}

void plain_printf(const char *format, ...) {
    char room[1024], *text = room;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(room, sizeof room, format, args);
    if (len >= (int)sizeof room) {
        text = must_alloc((size_t)len + 1, 1);
        vsnprintf(text, (size_t)len + 1, format, again);
    }
    va_end(again);
    va_end(args);
    if (len < 0)
        return;
    size_t own = strlen(format), first = strspn(format, "\n"), last = line_ends_before(format + own, own - first);
    if ((size_t)len >= first + last)
        replace_line_ends(text + first, (size_t)len - first - last);
    fwrite(text, 1, (size_t)len, stdout);
    if (text != room)
        free(text);
}
