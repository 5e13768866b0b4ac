/* base.h - contract of floor 0: types, checked arithmetic, strings, formatting, arenas, reports.
 * No system call, no writable global. Included by everything. */
#ifndef LDR_BASE_H
#define LDR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../include/ldr/error.h"

#ifdef LDR_FREESTANDING
/* Declarations too: an extern that might be elsewhere is reached through a GOT word, which would have to be relocated. */
#pragma GCC visibility push(hidden)
#endif

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

#define LDR_PAGE 4096ul               /* x86-64 has one base page size */
#define LDR_HUGE_PAGE (2ul << 20)
#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#ifdef LDR_FREESTANDING
#define COLD_DATA __attribute__((section(".bss.cold")))       /* hardly ever touched: away from the page everybody needs */
#else
#define COLD_DATA
#endif
#define NOINLINE __attribute__((noinline))                    /* its large frame must not become its caller's */
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Checked arithmetic for every size or address that a file supplies: false on overflow. */
static inline bool add_u64(u64 a, u64 b, u64 *sum) { return !__builtin_add_overflow(a, b, sum); }
static inline bool mul_u64(u64 a, u64 b, u64 *product) { return !__builtin_mul_overflow(a, b, product); }
static inline u64 align_down(u64 value, u64 align) { return value & ~(align - 1); }
static inline u64 align_up(u64 value, u64 align) { return (value + align - 1) & ~(align - 1); }
static inline bool is_power_of_two(u64 value) { return value != 0 && (value & (value - 1)) == 0; }

/* mem.c: what the compiler itself calls; the hosted build takes the C library's. */
void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

/* str.c */
bool str_equal(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);
const char *str_chr(const char *s, char c);            /* NULL when absent */
const char *str_rchr(const char *s, char c);
const char *str_base(const char *path);                /* after the last '/', or path */
bool str_u64(const char *s, u64 *value);               /* decimal, 0x hex or 0 octal; whole string */
/* str_near - whether `edits` insertions, deletions, replacements or exchanges of neighbours make a into b; for 1 or 2, the time grows as 5^edits */
bool str_near(const char *a, const char *b, u32 edits);
/* str_compare_numbered - order in which runs of digits count as numbers: "2.4" before "2.36" */
int str_compare_numbered(const char *a, const char *b);

/* fmt.c: bounded text without libc. The buffer is always ended; text past the end is dropped and `cut` set. */
struct text {
    char *buf;
    size_t len, cap;
    bool cut;
};
struct text text_on(char *buf, size_t cap);
void text_put(struct text *t, const char *s);
void text_putn(struct text *t, const char *s, size_t len);
void text_char(struct text *t, char c);
void text_dec(struct text *t, u64 value);
void text_hex(struct text *t, u64 value);              /* 0x... without leading zeros */
void text_hex_wide(struct text *t, u64 value);         /* 0x and 16 digits, as ldd prints addresses */

/* arena.c: memory that is freed all at once. `more` supplies a further chunk of at least `need` bytes, or NULL. */
struct arena {
    char *next, *end;
    void *(*more)(struct arena *arena, size_t need, size_t *got);
    void *chunks;                     /* newest chunk; owned by whoever supplies `more` */
    size_t total;                     /* bytes handed over by `more` so far */
    bool zeroed;                      /* `more` gives zeroed memory: arena_zalloc need not touch it */
};
void *arena_alloc(struct arena *arena, size_t len);    /* zeroed only if arena->zeroed; 8-byte aligned; NULL: no memory */
void *arena_zalloc(struct arena *arena, size_t len);
char *arena_dup(struct arena *arena, const char *s);
char *arena_dupn(struct arena *arena, const char *s, size_t len);

/* report.c: readers say what is wrong here and let the caller decide what follows. Strings are borrowed for the call. */
struct problem {
    int code;                         /* enum ldr_error */
    const char *object;               /* file or object judged */
    const char *name;                 /* symbol, version or library concerned, or NULL */
    const char *wanted_by;            /* object that asked for `name`, or NULL */
    u64 found, expected, place;       /* as the field needs; valid when has_values */
    bool has_values;
    int sys_errno;                    /* positive errno of the failed system call, or 0 */
};
struct report {
    void (*take)(struct report *report, const struct problem *problem);
};
int report_problem(struct report *report, const struct problem *problem);          /* returns -problem->code */
int report_values(struct report *report, int code, const char *object, u64 found, u64 expected, u64 place);
int report_errno(struct report *report, int code, const char *object, int sys_errno);

/* Name of an errno as strerror gives it in the C locale ("No such file or directory"); "Unknown error" for rare ones. */
const char *errno_text(int sys_errno);

#endif
