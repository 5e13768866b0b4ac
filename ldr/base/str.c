/* str.c - the few string questions the linker asks. */
#include "base.h"

bool str_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool str_starts(const char *s, const char *prefix)
{
    while (*prefix)
        if (*s++ != *prefix++)
            return false;
    return true;
}

const char *str_chr(const char *s, char c)
{
    for (; *s; s++)
        if (*s == c)
            return s;
    return c == 0 ? s : NULL;
}

const char *str_rchr(const char *s, char c)
{
    const char *last = NULL;
    for (; *s; s++)
        if (*s == c)
            last = s;
    return last;
}

const char *str_base(const char *path)
{
    const char *slash = str_rchr(path, '/');
    return slash ? slash + 1 : path;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

bool str_u64(const char *s, u64 *value)
{
    u64 base = 10, v = 0;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    } else if (s[0] == '0' && s[1]) {
        base = 8;
        s++;
    }
    if (!*s)
        return false;
    for (; *s; s++) {
        u64 digit = (u64)digit_of(*s);
        if (digit >= base || !mul_u64(v, base, &v) || !add_u64(v, digit, &v))
            return false;
    }
    *value = v;
    return true;
}

bool str_near(const char *a, const char *b, u32 edits)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    if (!*a && !*b)
        return true;
    if (!edits)
        return false;
    edits--;
    return (*a && str_near(a + 1, b, edits)) || (*b && str_near(a, b + 1, edits)) || (*a && *b && str_near(a + 1, b + 1, edits)) ||
           (*a && *b && a[0] == b[1] && a[1] == b[0] && str_near(a + 2, b + 2, edits));
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Past leading zeros; *len: how many digits follow. */
static const char *number_at(const char *s, size_t *len)
{
    while (*s == '0' && is_digit(s[1]))
        s++;
    for (*len = 0; is_digit(s[*len]);)
        ++*len;
    return s;
}

int str_compare_numbered(const char *a, const char *b)
{
    for (;;) {
        if (is_digit(*a) && is_digit(*b)) {
            size_t m, n;
            a = number_at(a, &m);
            b = number_at(b, &n);
            if (m != n)
                return m < n ? -1 : 1;
        }
        if (*a != *b || !*a)
            return (int)(u8)*a - (int)(u8)*b;
        a++;
        b++;
    }
}
