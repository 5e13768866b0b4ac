/* mappings.c - /proc/PID/maps by tools/host/proc.c. */
#include "mappings.h"
#include "../host/proc.h"
#include "../ldr.h"

#include <stdlib.h>
#include <unistd.h>

struct mapping *mappings_read(pid_t pid, size_t *count) {
    struct text text = { 0 };
    struct map_line line;
    struct mapping *list = NULL;
    int proc = proc_open(pid);
    size_t room = 0;
    *count = 0;
    if (proc >= 0 && proc_read(proc, "maps", &text) == 0) {
        list = must_alloc(room = 64, sizeof *list);
        for (char *at = text.bytes; map_next(&at, &line);) {
            if (!line.ino)
                continue;
            if (*count == room)
                list = must_grow(list, room *= 2, sizeof *list);
            list[(*count)++] = (struct mapping){ line.start, line.end, line.off, line.dev, line.ino, must_format("%s", line.path) };
        }
    }
    if (proc >= 0)
        close(proc);
    text_free(&text);
    return list;
}

void mappings_free(struct mapping *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(list[i].path);
    free(list);
}
