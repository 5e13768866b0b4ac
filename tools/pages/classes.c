/* classes.c - names of the classes, and which of them the kernel counts as resident. */
#include "pages.h"

static const struct { const char *key, *title; } names[CLASSES] = {
    [CLASS_FILE_SHARED] = { "file_shared", "file page, shared" },
    [CLASS_FILE_ALONE] = { "file_alone", "file page, one process" },
    [CLASS_IMAGE_SHARED] = { "image_shared", "shared image, several processes" },
    [CLASS_IMAGE_ALONE] = { "image_alone", "shared image, one process" },
    [CLASS_SHARED_MEMORY_SHARED] = { "shared_memory_shared", "shared memory, shared" },
    [CLASS_SHARED_MEMORY_ALONE] = { "shared_memory_alone", "shared memory, one process" },
    [CLASS_FORK_SHARED] = { "fork_shared", "inherited by fork, shared" },
    [CLASS_MERGED] = { "ksm", "merged by KSM" },
    [CLASS_PRIVATE_RELOCATION] = { "private_relocation", "private copy: relocation" },
    [CLASS_PRIVATE_RELOCATION_AND_WRITE] = { "private_relocation_and_write", "private copy: relocation, write" },
    [CLASS_PRIVATE_WRITE] = { "private_write", "private copy: write" },
    [CLASS_PRIVATE_IDENTICAL] = { "private_identical", "private copy: identical" },
    [CLASS_PRIVATE_UNKNOWN] = { "private_unknown", "private copy: unknown cause" },
    [CLASS_BSS] = { "bss", ".bss" },
    [CLASS_HEAP] = { "heap", "heap" },
    [CLASS_STACK] = { "stack", "stack" },
    [CLASS_ANONYMOUS] = { "anonymous", "other anonymous" },
    [CLASS_HUGE] = { "huge", "transparent huge page" },
    [CLASS_SWAPPED] = { "swapped", "swapped" },
    [CLASS_SWAPPED_SHARED] = { "swapped_shared", "swapped, shared slot" },
    [CLASS_VDSO] = { "vdso", "vDSO" },
    [CLASS_INSERTED] = { "inserted", "kernel's, mapped (rings)" },
    [CLASS_ZERO] = { "zero", "zero page" },
    [CLASS_HUGETLB] = { "hugetlb", "hugetlb" },
    [CLASS_DEVICE] = { "device", "device" },
};

const char *class_key(enum page_class class) { return class < CLASSES ? names[class].key : "absent"; }
const char *class_title(enum page_class class) { return class < CLASSES ? names[class].title : "not in memory"; }

bool class_is_swapped(enum page_class class) { return class == CLASS_SWAPPED || class == CLASS_SWAPPED_SHARED; }

bool class_is_resident(enum page_class class) { return class < CLASS_ZERO && !class_is_swapped(class); }
