/* PT_NOTE: the notes and properties that the linker and the tools ask for, and one that never is there. */
#include "fuzz.h"

static void judge(struct subject *subject)
{
    static const struct { const char *name; u32 type; } asked[] = { { "GNU", 3 }, { "GNU", 5 }, { "GNU", 1 }, { "ldr", 1 }, { "", 0 } };
    for (u32 i = 0; i < ARRAY_COUNT(asked); i++) {
        u32 len = 0;
        const u8 *at = image_note(&subject->object.image, &subject->object.view, asked[i].name, asked[i].type, &len);
        touch(at, at ? len : 0);
    }
    image_property(&subject->object.image, &subject->object.view, PROPERTY_1_NEEDED);
    image_property(&subject->object.image, &subject->object.view, PROPERTY_X86_ISA_1_NEEDED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    each_subject(data, size, judge);
    return 0;
}
