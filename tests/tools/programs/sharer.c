/* sharer.c - keeps chosen pages of libpattern.so in memory, exactly, so that page counts are known by construction.
 *
 *   sharer LIBRARY [STEP...]      does the steps, prints "ready PID [PID of its child]", waits for the end of its input
 *
 *   code=A-B const=A-B relro=A-B data=A-B   these pages of the block are mapped and read
 *   write=A-B     these pages of the data block are written
 *   twice=A-B     these pages of the code block are mapped a second time, elsewhere, and read
 *   fork          a child: the same pages, all read again (fork does not copy page-table entries it can do without)
 *   fork-write=A-B  as fork, and the child writes these pages of the data block
 *   vm            a child with the same address space (CLONE_VM)
 *   churn         gives the written pages back and writes them again, without end: they never keep their frames
 *
 * Everything else of the library is unmapped: reading one page of a file makes the kernel map its neighbours too, but
 * never beyond the mapping.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

struct block {
    const char *name, *symbol;
    size_t pages;
    volatile char *start;
    size_t first, last; /* kept; last < first: none */
};
static struct block blocks[] = {
    { "code", "pattern_code", 16, NULL, 1, 0 },
    { "const", "pattern_const", 8, NULL, 1, 0 },
    { "relro", "pattern_relro", 4, NULL, 1, 0 },
    { "data", "pattern_data", 8, NULL, 1, 0 },
};
enum { BLOCKS = sizeof blocks / sizeof blocks[0] };
static struct block twice = { "twice", NULL, 16, NULL, 1, 0 };

static void must(bool good, const char *what) {
    if (!good) {
        perror(what);
        _exit(2);
    }
}

static bool range_of(const char *word, const char *name, size_t *first, size_t *last) {
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && word[length] == '=' && sscanf(word + length + 1, "%zu-%zu", first, last) == 2;
}

static void read_pages(const struct block *block) {
    for (size_t i = block->first; i <= block->last && block->last >= block->first; i++)
        (void)block->start[i * PAGE];
}

static void read_all(void) {
    for (size_t i = 0; i < BLOCKS; i++)
        read_pages(&blocks[i]);
    if (twice.start)
        read_pages(&twice);
}

static void write_pages(size_t first, size_t last) {
    for (size_t i = first; i <= last; i++)
        blocks[3].start[i * PAGE] = 2;
}

/* Unmaps every page of the library that no block keeps. */
static int unmap_rest(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    (void)data;
    if (!strstr(info->dlpi_name, "libpattern"))
        return 0;
    /* copied first: the program headers lie in the pages that go */
    ElfW(Phdr) headers[16];
    int count = info->dlpi_phnum < 16 ? info->dlpi_phnum : 16;
    memcpy(headers, info->dlpi_phdr, (size_t)count * sizeof headers[0]);
    uintptr_t bias = info->dlpi_addr;
    for (int i = 0; i < count; i++) {
        if (headers[i].p_type != PT_LOAD)
            continue;
        uintptr_t start = (bias + headers[i].p_vaddr) & -(uintptr_t)PAGE;
        uintptr_t end = (bias + headers[i].p_vaddr + headers[i].p_memsz + PAGE - 1) & -(uintptr_t)PAGE;
        for (uintptr_t page = start; page < end; page += PAGE) {
            bool keep = false;
            for (size_t b = 0; b < BLOCKS; b++) {
                uintptr_t from = (uintptr_t)blocks[b].start;
                keep |= blocks[b].last >= blocks[b].first && page >= from + blocks[b].first * PAGE && page <= from + blocks[b].last * PAGE;
            }
            if (!keep)
                must(munmap((void *)page, PAGE) == 0, "munmap");
        }
    }
    return 1;
}

static int wait_forever(void *unused) {
    (void)unused;
    for (;;)
        pause();
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 2)
        return 2;
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    for (size_t i = 0; i < BLOCKS; i++)
        must((blocks[i].start = dlsym(library, blocks[i].symbol)) != NULL, blocks[i].symbol);

    size_t write_first = 1, write_last = 0, child_first = 1, child_last = 0;
    bool forks = false, shares_memory = false, churns = false;
    for (int a = 2; a < argc; a++) {
        bool known = false;
        for (size_t i = 0; i < BLOCKS; i++)
            known |= range_of(argv[a], blocks[i].name, &blocks[i].first, &blocks[i].last);
        known |= range_of(argv[a], "write", &write_first, &write_last);
        known |= range_of(argv[a], "twice", &twice.first, &twice.last);
        if (range_of(argv[a], "fork-write", &child_first, &child_last) || strcmp(argv[a], "fork") == 0)
            known = forks = true;
        if (strcmp(argv[a], "vm") == 0)
            known = shares_memory = true;
        if (strcmp(argv[a], "churn") == 0)
            known = churns = true;
        must(known, argv[a]);
    }
    /* the file offset of the code block, from the mapping that holds it */
    if (twice.last >= twice.first) {
        Dl_info info;
        must(dladdr((void *)blocks[0].start, &info) != 0, "dladdr");
        int fd = open(argv[1], O_RDONLY);
        must(fd >= 0, argv[1]);
        /* -z separate-code: for the code segment the file offset is the address in the file */
        off_t offset = (const char *)blocks[0].start - (const char *)info.dli_fbase + (off_t)(twice.first * PAGE);
        size_t length = (twice.last - twice.first + 1) * PAGE;
        char *again = mmap(NULL, length, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, offset);
        must(again != MAP_FAILED, "mmap");
        must(*again == (char)0xc3, "the code block is not at this file offset");
        twice.start = again - twice.first * PAGE;
        close(fd);
    }
    dl_iterate_phdr(unmap_rest, NULL);
    read_all();
    if (write_last >= write_first)
        write_pages(write_first, write_last);

    int ready[2];
    must(pipe(ready) == 0, "pipe");
    pid_t child = 0;
    if (forks) {
        must((child = fork()) >= 0, "fork");
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            read_all();
            if (child_last >= child_first)
                write_pages(child_first, child_last);
            must(write(ready[1], "c", 1) == 1, "write");
            wait_forever(NULL);
        }
        char c;
        must(read(ready[0], &c, 1) == 1, "read");
        read_all();
    } else if (shares_memory) {
        char *stack = malloc(65536);
        must(stack != NULL, "malloc");
        must((child = clone(wait_forever, stack + 65536, CLONE_VM | SIGCHLD, NULL)) > 0, "clone");
    }
    char line[64];
    int length = child ? snprintf(line, sizeof line, "ready %d %d\n", (int)getpid(), (int)child)
                       : snprintf(line, sizeof line, "ready %d\n", (int)getpid());
    must(write(1, line, (size_t)length) == length, "write");
    struct pollfd input = { .fd = 0, .events = POLLIN };
    while (churns && poll(&input, 1, 0) == 0) {
        madvise((void *)(blocks[3].start + write_first * PAGE), (write_last - write_first + 1) * PAGE, MADV_DONTNEED);
        write_pages(write_first, write_last);
    }
    while (read(0, line, sizeof line) > 0)
        ;
    if (child) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    /* no destructors: most of the library is gone */
    _exit(0);
}
