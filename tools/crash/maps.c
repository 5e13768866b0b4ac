/* maps.c - see maps.h. */
#include "maps.h"
#include "../host/proc.h"
#include "../ldr.h"

#include <elf.h>
#include <unistd.h>

char *process_file(pid_t thread, const char *name) {
    struct text text = { 0 };
    int proc = proc_open(thread);
    bool good = proc >= 0 && proc_read(proc, name, &text) == 0;
    char *copy = must_format("%s", good ? text.bytes : "");
    if (proc >= 0)
        close(proc);
    text_free(&text);
    return copy;
}

struct crash_map *maps_read(pid_t thread, size_t *count) {
    struct text text = { 0 };
    struct crash_map *maps = NULL;
    size_t room = 0;
    int proc = proc_open(thread);
    bool good = proc >= 0 && proc_read(proc, "maps", &text) == 0;
    char *cursor = text.bytes;
    struct map_line line;
    *count = 0;
    while (good && map_next(&cursor, &line)) {
        if (*count == room)
            maps = must_grow(maps, room = room * 2 + 64, sizeof *maps);
        maps[(*count)++] = (struct crash_map){ .start = line.start, .end = line.end, .off = line.off, .ino = line.ino, .read = line.access & PF_R,
                                               .write = line.access & PF_W, .exec = line.access & PF_X, .path = must_format("%s", line.path) };
    }
    if (proc >= 0)
        close(proc);
    text_free(&text);
    return maps;
}
