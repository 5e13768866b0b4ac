/* fmt.c - bounded text building; see struct text. */
#include "base.h"

struct text text_on(char *buf, size_t cap)
{
    struct text t = { .buf = buf, .cap = cap };
    if (cap)
        buf[0] = 0;
    return t;
}

void text_putn(struct text *t, const char *s, size_t len)
{
    size_t room = t->cap > t->len ? t->cap - t->len - 1 : 0;
    if (len > room) {
        len = room;
        t->cut = true;
    }
    memcpy(t->buf + t->len, s, len);
    t->len += len;
    if (t->cap)
        t->buf[t->len] = 0;
}

void text_put(struct text *t, const char *s)
{
    text_putn(t, s, strlen(s));
}

void text_char(struct text *t, char c)
{
    text_putn(t, &c, 1);
}

void text_dec(struct text *t, u64 value)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    text_putn(t, digits + at, sizeof digits - at);
}

static void put_hex(struct text *t, u64 value, int width)
{
    text_put(t, "0x");
    for (int shift = 60; shift >= 0; shift -= 4)
        if (shift == 0 || shift < width * 4 || value >> shift)
            text_char(t, "0123456789abcdef"[value >> shift & 15]);
}

void text_hex(struct text *t, u64 value)
{
    put_hex(t, value, 1);
}

void text_hex_wide(struct text *t, u64 value)
{
    put_hex(t, value, 16);
}
