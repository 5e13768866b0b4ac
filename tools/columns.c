/* columns.c - the columns of the text report. */
#include "columns.h"
#include "ldr.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(field) COLUMN_COUNT, offsetof(struct counts, field)

const struct column columns[COLUMNS] = {
    { "procs", "procs", "address spaces with pages there", COLUMN_PROCESSES, 0 },
    { "mapped", "mapped", "page-table entries of pages in memory", COUNT(pages) },
    { "frames", "frames", "distinct physical pages", COUNT(frames) },
    { "shared", "shared", "of these: two or more processes have it", COUNT(shared) },
    { "copies", "copies", "of the shared: inherited by fork or merged by KSM", COUNT(shared_copies) },
    { "alone", "alone", "of frames: page of a file that one process has", COUNT(alone) },
    { "private", "private", "of frames: one process's own copy", COUNT(private_copies) },
    { "reloc", "reloc", "of the private: relocation only", COUNT(causes[CAUSE_RELOCATION]) },
    { "reloc+write", "reloc+write", "of the private: relocation and a later write", COUNT(causes[CAUSE_RELOCATION_AND_WRITE]) },
    { "write", "write", "of the private: write only", COUNT(causes[CAUSE_WRITE]) },
    { "identical", "identical", "of the private: no byte differs from the file", COUNT(causes[CAUSE_IDENTICAL]) },
    { "unknown", "unknown", "of the private: cause unknown", COUNT(causes[CAUSE_UNKNOWN]) },
    { "memory", "memory", "of frames: one process's memory without a file (--scope all)", COUNT(memory) },
    { "avoided", "avoided", "pages that found their frame in place: copies avoided", COUNT(avoided) },
    { "again", "again", "pages whose frame the same process maps elsewhere already", COUNT(again) },
    { "swapped", "swapped", "pages in swap", COUNT(swapped) },
    { "images", "images", "of the mapped: in images of the linker's cache, relocated once for all", COUNT(images) },
    { "sharable", "sharable", "of reloc: copies that one for all would save, the content being equal", COUNT(won_relocated) },
    { "twice", "twice", "file pages that another file of the same build-id holds too", COUNT(won_duplicates) },
    { "share", "shared", "shared frames in percent of frames, rounded down", COLUMN_SHARE, 0 },
};

size_t column_find(const char *name, size_t len) {
    size_t i = 0;
    while (i < COLUMNS && (strlen(columns[i].name) != len || memcmp(columns[i].name, name, len) != 0))
        i++;
    return i;
}

char *columns_parse(const char *list, struct column_choice *choice) {
    choice->count = 0;
    for (const char *word = list;; word += strcspn(word, ",") + 1) {
        size_t len = strcspn(word, ","), column = column_find(word, len);
        if (column == COLUMNS)
            return must_format("there is no column '%.*s'", (int)len, word);
        for (size_t i = 0; i < choice->count; i++)
            if (choice->list[i] == column)
                return must_format("column '%.*s' is there twice", (int)len, word);
        choice->list[choice->count++] = column;
        if (!word[len])
            return NULL;
    }
}

void columns_default(struct column_choice *choice, bool by_cause, bool unknown, bool memory) {
    char *list = must_format("procs,mapped,frames,shared,alone,%s%s%s,avoided,share",
                             by_cause ? "reloc,reloc+write,write,identical" : "private", by_cause && unknown ? ",unknown" : "",
                             memory ? ",memory" : "");
    free(columns_parse(list, choice)); /* its words are columns */
    free(list);
}

bool column_is_cause(size_t index) {
    size_t first = offsetof(struct counts, causes), offset = columns[index].offset;
    return columns[index].kind == COLUMN_COUNT && ((offset >= first && offset < first + sizeof((struct counts *)0)->causes) ||
                                                   offset == offsetof(struct counts, won_relocated));
}
