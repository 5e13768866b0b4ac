/* mem.c: the freestanding memory functions, under other names, against the C library's. */
#include "elfgen.h"

#define LDR_FREESTANDING
#define memcpy our_memcpy
#define memmove our_memmove
#define memset our_memset
#define memcmp our_memcmp
#define strlen our_strlen
#define strcmp our_strcmp
void *our_memcpy(void *restrict to, const void *restrict from, size_t len);
void *our_memmove(void *to, const void *from, size_t len);
void *our_memset(void *to, int byte, size_t len);
int our_memcmp(const void *a, const void *b, size_t len);
size_t our_strlen(const char *s);
int our_strcmp(const char *a, const char *b);
#include "../../ldr/base/mem.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp

static int sign(int x) { return (x > 0) - (x < 0); }

static void copies_and_fills_are_the_librarys(void **state)
{
    (void)state;
    u8 from[96], a[96], b[96];
    for (u32 i = 0; i < sizeof from; i++)
        from[i] = (u8)(i * 37 + 1);
    for (u32 off = 0; off < 9; off++)
        for (u32 to = 0; to < 9; to++)
            for (u32 len = 0; len < 64; len++) {
                memcpy(a, from, sizeof a), memcpy(b, from, sizeof b);
                assert_ptr_equal(our_memcpy(a + to, from + off, len), a + to);
                memcpy(b + to, from + off, len);
                assert_memory_equal(a, b, sizeof a);
                assert_ptr_equal(our_memmove(a + to, a + off, len), a + to);
                memmove(b + to, b + off, len);
                assert_memory_equal(a, b, sizeof a);
                assert_ptr_equal(our_memset(a + to, 0x1ab, len), a + to);
                memset(b + to, 0x1ab, len);
                assert_memory_equal(a, b, sizeof a);
            }
}

static void comparisons_have_the_librarys_sign(void **state)
{
    (void)state;
    u8 a[32], b[32];
    for (u32 len = 0; len < 32; len++)
        for (u32 at = 0; at < 32; at++) {
            memset(a, 7, sizeof a), memset(b, 7, sizeof b);
            b[at] = (u8)(at % 2 ? 0x80 : 3);
            assert_int_equal(sign(our_memcmp(a, b, len)), sign(memcmp(a, b, len)));
        }
    assert_int_equal(sign(our_strcmp("a", "b")), -1);
    assert_int_equal(sign(our_strcmp("ab", "a")), 1);
    assert_int_equal(sign(our_strcmp("\x80", "a")), 1);
    assert_int_equal(our_strcmp("", ""), 0);
    assert_int_equal(our_strlen(""), 0);
    assert_int_equal(our_strlen("abc"), 3);
}

int main(void)
{
    TEST(copies_and_fills_are_the_librarys);
    TEST(comparisons_have_the_librarys_sign);
    return tests_run("mem");
}
