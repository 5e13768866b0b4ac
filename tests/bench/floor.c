/* floor.c - what the kernel alone takes for a start from images: FLOOR PROGRAM does with each library that PROGRAM names (its DT_NEEDED,
 * found beside it) what no linker can leave out, and nothing else. It links nothing and runs nothing of theirs.
 *
 *   open, fstat, close          the file must be known to be the same
 *   one mapping a segment       constants, code, RELRO, data: their access differs, so none can be saved
 *
 * No page of them is touched: the programs of these rows call no function of their libraries.
 *
 * `make bench-floor` puts it beside the system's linker as any other: no linker that maps libraries from their own files can be below
 * that ratio. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096ul
#define DOWN(x) ((x) & ~(PAGE - 1))
#define UP(x) DOWN((x) + PAGE - 1)

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static char *map(char *at, size_t len, int prot, int fd, off_t off)
{
    char *got = mmap(at, len, prot, MAP_PRIVATE | (at ? MAP_FIXED : 0), fd, off);
    if (got == MAP_FAILED)
        fail("mmap");
    return got;
}

/* `head`: the file's first page, known beforehand as a record would know it. */
static void lay(const char *path, const char *head)
{
    const Elf64_Ehdr *ehdr = (const void *)head;
    const Elf64_Phdr *ph = (const void *)(head + ehdr->e_phoff);
    unsigned long span = 0, relro_end = 0;
    for (int i = 0; i < ehdr->e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD)
            span = UP(ph[i].p_vaddr + ph[i].p_memsz);
        if (ph[i].p_type == PT_GNU_RELRO)
            relro_end = DOWN(ph[i].p_vaddr + ph[i].p_memsz);
    }
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st))
        fail(path);
    char *base = map(NULL, span, PROT_READ, fd, 0);
    for (int i = 0; i < ehdr->e_phnum; i++) {
        unsigned long start = DOWN(ph[i].p_vaddr), end = UP(ph[i].p_vaddr + ph[i].p_filesz), off = DOWN(ph[i].p_offset);
        if (ph[i].p_type != PT_LOAD)
            continue;
        if (ph[i].p_flags & PF_X)
            map(base + start, end - start, PROT_READ | PROT_EXEC, fd, (off_t)off);
        if (!(ph[i].p_flags & PF_W))
            continue;
        if (relro_end > start) {
            map(base + start, relro_end - start, PROT_READ, fd, (off_t)off);
            off += relro_end - start;
            start = relro_end;
        }
        if (end > start)
            map(base + start, end - start, PROT_READ | PROT_WRITE, fd, (off_t)off);
    }
    close(fd);
}

/* The names of DT_NEEDED and the head of each file, in a list beside the program that the first run makes: one file to map, as a record. */
struct entry { char name[56]; char head[1024]; };

static int make_list(const char *program, const char *list)
{
    char command[512], line[256];
    snprintf(command, sizeof command, "readelf -dW '%s' | sed -n 's/.*NEEDED.*\\[\\(libg[^]]*\\|libmillion.so\\)\\]/\\1/p'", program);
    FILE *names = popen(command, "r"), *out = fopen(list, "w");
    const char *slash = strrchr(program, '/');
    if (!names || !out)
        fail(list);
    while (fgets(line, sizeof line, names)) {
        struct entry entry = { 0 };
        line[strcspn(line, "\n")] = 0;
        snprintf(entry.name, sizeof entry.name, "%.55s", line);
        char path[512];
        snprintf(path, sizeof path, "%.*s/%s", (int)(slash - program), program, entry.name);
        int fd = open(path, O_RDONLY);
        if (fd < 0 || read(fd, entry.head, sizeof entry.head) < (ssize_t)sizeof entry.head || fwrite(&entry, sizeof entry, 1, out) != 1)
            fail(path);
        close(fd);
    }
    pclose(names);
    return fclose(out);
}

int main(int argc, char **argv)
{
    char list[512], path[512];
    const char *slash = argc > 1 ? strrchr(argv[1], '/') : NULL;
    if (!slash || snprintf(list, sizeof list, "%s.floor", argv[1]) >= (int)sizeof list) {
        fputs("usage: floor DIR/PROGRAM\n", stderr);
        return 2;
    }
    int fd = open(list, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (make_list(argv[1], list) || (fd = open(list, O_RDONLY | O_CLOEXEC)) < 0))
        fail(list);
    struct stat st;
    if (fstat(fd, &st))
        fail(list);
    const struct entry *entry = (const void *)map(NULL, (size_t)st.st_size, PROT_READ, fd, 0);
    close(fd);
    for (size_t i = 0; i < (size_t)st.st_size / sizeof *entry; i++) {
        snprintf(path, sizeof path, "%.*s/%s", (int)(slash - argv[1]), argv[1], entry[i].name);
        lay(path, entry[i].head);
    }
    return 0;
}
