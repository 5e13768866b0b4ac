/* causer.c - makes pages of libcauses.so private in known ways.
 *
 *   causer LIBRARY [write]   loads it, with "write" does every write, unmaps all other pages of the library (its GOT, its
 *                            .dynamic, the page of its .bss: how many of these differ depends on the link editor), prints
 *                            "ready PID" and waits for the end of its input
 */
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static struct block { const char *symbol; size_t pages; volatile char *start; } blocks[] = {
    { "causes_table", 3, NULL }, { "causes_mixed", 2, NULL }, { "causes_kept", 3, NULL }, { "causes_moved", 1, NULL },
    { "causes_reset", 1, NULL }, { "causes_symbolic", 1, NULL }, { "causes_plain", 4, NULL }, { "causes_same", 2, NULL },
    { "causes_idle", 2, NULL },
};
enum { BLOCKS = sizeof blocks / sizeof blocks[0] };
enum { TABLE, MIXED, KEPT, MOVED, RESET, SYMBOLIC, PLAIN, SAME, IDLE };

static void must(bool good, const char *what) {
    if (!good) {
        perror(what);
        _exit(2);
    }
}

static volatile long *word(int block, size_t page, size_t index) {
    return (volatile long *)(blocks[block].start + page * PAGE) + index;
}

static void write_all(void) {
    for (size_t i = 0; i < 2; i++)
        *word(MIXED, i, 1) = 8;
    *word(MOVED, 0, 0) += 8;
    *word(RESET, 0, 0) = 0;
    *word(SYMBOLIC, 0, 0) += 8;
    for (size_t i = 0; i < 4; i++)
        *word(PLAIN, i, 511) = 9;
    for (size_t i = 0; i < 2; i++) {
        volatile long *same = word(SAME, i, 0);
        *same = *same;
    }
}

static int unmap_rest(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    (void)data;
    if (!strstr(info->dlpi_name, "libcauses"))
        return 0;
    /* copied first: the program headers lie in the pages that go */
    ElfW(Phdr) headers[16];
    int count = info->dlpi_phnum < 16 ? info->dlpi_phnum : 16;
    memcpy(headers, info->dlpi_phdr, (size_t)count * sizeof headers[0]);
    uintptr_t bias = info->dlpi_addr;
    for (int i = 0; i < count; i++) {
        if (headers[i].p_type != PT_LOAD)
            continue;
        uintptr_t page = (bias + headers[i].p_vaddr) & -(uintptr_t)PAGE;
        for (uintptr_t end = bias + headers[i].p_vaddr + headers[i].p_memsz; page < end; page += PAGE) {
            bool keep = false;
            for (size_t b = 0; b < BLOCKS; b++)
                keep |= page - (uintptr_t)blocks[b].start < blocks[b].pages * PAGE;
            if (!keep)
                must(munmap((void *)page, PAGE) == 0, "munmap");
        }
    }
    return 1;
}

int main(int argc, char **argv) {
    must(argc >= 2, "usage: causer LIBRARY [write]");
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    for (size_t i = 0; i < BLOCKS; i++)
        must((blocks[i].start = dlsym(library, blocks[i].symbol)) != NULL, blocks[i].symbol);
    if (argc > 2)
        write_all();
    dl_iterate_phdr(unmap_rest, NULL);
    (void)*word(IDLE, 0, 0);
    (void)*word(IDLE, 1, 0);
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    char line[64];
    while (read(0, line, sizeof line) > 0)
        ;
    /* no destructors: most of the library is gone */
    _exit(0);
}
