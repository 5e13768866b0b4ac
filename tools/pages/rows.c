/* rows.c - a row of a tally for each segment that an object can have. */
#include "pages.h"
#include "../ldr.h"

#include <stdlib.h>

static const enum segment_kind first_kind[] = {
    [OBJECT_ELF] = SEGMENT_CODE, [OBJECT_FILE] = SEGMENT_FILE, [OBJECT_SHARED] = SEGMENT_SHARED, [OBJECT_ANONYMOUS] = SEGMENT_HEAP,
    [OBJECT_VDSO] = SEGMENT_VDSO, [OBJECT_HUGETLB] = SEGMENT_HUGETLB, [OBJECT_DEVICE] = SEGMENT_DEVICE, [OBJECT_IMAGES] = SEGMENT_IMAGES, SEGMENT_KINDS,
};

struct row *tally_row(const struct tally *tally, uint32_t object, enum segment_kind kind) {
    uint32_t first = tally->first_row[object];
    size_t at = first + kind - tally->rows[first].kind;
    return kind >= tally->rows[first].kind && at < tally->first_row[object + 1] ? &tally->rows[at] : NULL;
}

void rows_make(struct tally *tally, const struct snapshot *snapshot) {
    tally->first_row = must_alloc(snapshot->object_count + 1, sizeof *tally->first_row);
    uint32_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        count = 0;
        for (uint32_t o = 0; o < snapshot->object_count; o++) {
            enum object_kind kind = snapshot->objects[o].kind;
            tally->first_row[o] = count;
            for (enum segment_kind k = first_kind[kind]; k < first_kind[kind + 1]; k++, count++)
                if (pass)
                    tally->rows[count] = (struct row){ .object = o, .kind = k };
        }
        tally->first_row[snapshot->object_count] = count;
        if (count >= FRAME_ROWS_MAX) {
            warn_ldr("%zu mapped files are more than can be counted (%d)", snapshot->object_count, FRAME_ROWS_MAX / SEGMENT_KINDS);
            exit(LDR_EXIT_FAILED);
        }
        if (!pass)
            tally->rows = must_alloc(count, sizeof *tally->rows);
    }
}
