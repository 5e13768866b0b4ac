/* PT_NOTE: the two notes that anybody asks for, and one that never is there. */
#include "fuzz.h"

static void judge(struct subject *subject)
{
    static const struct { const char *name; u32 type; } asked[] = { { "GNU", 3 }, { "GNU", 5 }, { "GNU", 1 }, { "ldr", 1 }, { "", 0 } };
    for (u32 i = 0; i < ARRAY_COUNT(asked); i++) {
        u32 len = 0;
        const u8 *at = image_note(&subject->object.image, &subject->object.view, asked[i].name, asked[i].type, &len);
        touch(at, at ? len : 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    each_subject(data, size, judge);
    return 0;
}
