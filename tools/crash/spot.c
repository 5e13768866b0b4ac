/* spot.c - what lies at an address, in words: object, segment and section, symbol and source line, kind of page and its permission. */
#include "crash.h"
#include "../debuginfo/debuginfo.h"
#include "../explain/sections.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

const char *page_class_name(enum page_class class) {
    static const char *const names[] = {
        [PAGE_NOTHING] = "not mapped", [PAGE_UNLOADED] = "unloaded", [PAGE_HOLE] = "hole", [PAGE_CODE] = "code", [PAGE_CONSTANTS] = "constants",
        [PAGE_RELRO] = "RELRO", [PAGE_DATA] = "data", [PAGE_BSS] = "bss", [PAGE_HEAP] = "heap", [PAGE_STACK] = "stack", [PAGE_NO_ACCESS] = "no access",
        [PAGE_ANONYMOUS] = "anonymous", [PAGE_FILE] = "file", [PAGE_KERNEL] = "kernel", [PAGE_NON_CANONICAL] = "non-canonical",
    };
    return names[class];
}

static enum page_class class_in_file(const struct library_file *file, u64 vaddr) {
    const struct image *image = &file->image;
    if (vaddr - image->relro_vaddr < image->relro_len)
        return PAGE_RELRO;
    for (u32 i = 0; i < image->plan.seg_count; i++) {
        const struct segment *segment = &image->plan.seg[i];
        if (vaddr < align_down(segment->vaddr, LDR_PAGE) || vaddr >= align_up(segment->mem_end, LDR_PAGE))
            continue;
        return segment->prot & PF_X ? PAGE_CODE : !(segment->prot & PF_W) ? PAGE_CONSTANTS : vaddr < segment->file_end ? PAGE_DATA : PAGE_BSS;
    }
    return PAGE_HOLE;
}

static enum page_class class_of(const struct space *space, const struct spot *spot) {
    const struct crash_map *map = spot->map;
    if ((spot->addr + 0x800000000000ull) >> 48)
        return PAGE_NON_CANONICAL;
    if (spot->object && spot->object->file)
        return class_in_file(spot->object->file, spot->vaddr);
    if (spot->unloaded)
        return PAGE_UNLOADED;
    if (!map)
        return PAGE_NOTHING;
    if (strcmp(map->path, "[heap]") == 0)
        return PAGE_HEAP;
    if (strcmp(map->path, "[stack]") == 0 || (map->write && space->sp >= map->start && space->sp < map->end))
        return PAGE_STACK;
    if (map->path[0] == '[' && strncmp(map->path, "[anon", 5) != 0)
        return PAGE_KERNEL;
    if (!map->read && !map->write && !map->exec)
        return PAGE_NO_ACCESS;
    return map->ino ? PAGE_FILE : PAGE_ANONYMOUS;
}

static void ask(struct spot *spot, bool is_code) {
    const struct crash_object *object = spot->object;
    struct debuginfo_question question = { .vaddr = spot->vaddr, .len = 1 };
    struct debuginfo_answers answers = { 0 };
    struct debuginfo *debuginfo = debuginfo_open(object->bytes, object->len, object->file && object->file->real_path ? object->file->real_path : object->path);
    const struct debuginfo_section *section = debuginfo_section_at(debuginfo, spot->vaddr);
    spot->section = must_format("%s", section ? section->name : "");
    (is_code || spot->class == PAGE_CODE ? debuginfo_ask_code : debuginfo_ask)(debuginfo, &question, 1, &answers);
    const struct debuginfo_answer *answer = answers.count ? &answers.list[0] : NULL;
    if (answer && answer->how != DEBUGINFO_SECTION) {
        spot->symbol = must_format("%s%s", answer->name, answer->path);
        spot->symbol_start = answer->whole_vaddr;
        if (answer->how == DEBUGINFO_DWARF && *answer->file)
            spot->source = must_format("%s:%u", answer->file, answer->line);
    }
    debuginfo_answers_free(&answers);
    debuginfo_close(debuginfo);
}

struct spot spot_of_frame(const struct space *space, const struct frame *frame) {
    struct spot spot = { .addr = frame->pc, .map = space_map(space, frame->pc), .object = frame->object, .vaddr = frame->vaddr, .symbol_start = frame->start };
    spot.class = class_of(space, &spot);
    struct debuginfo *debuginfo = spot.object ? debuginfo_open(spot.object->bytes, spot.object->len, spot.object->path) : NULL;
    const struct debuginfo_section *section = debuginfo ? debuginfo_section_at(debuginfo, spot.vaddr) : NULL;
    spot.section = must_format("%s", section ? section->name : "");
    spot.symbol = must_format("%s%s", frame->function, frame->offset);
    spot.source = frame->line ? must_format("%s:%u", frame->file, frame->line) : must_format("%s", "");
    debuginfo_close(debuginfo);
    return spot;
}

struct spot spot_find(const struct space *space, u64 addr, bool is_code) {
    struct spot spot = { .addr = addr, .map = space_map(space, addr), .object = space_object(space, addr) };
    if (spot.object) {
        spot.vaddr = addr - spot.object->bias;
    } else if (!spot.map) {
        /* the newest first: addresses are used again */
        u64 count = space->unloaded.count, kept = count < UNLOADED_MAX ? count : UNLOADED_MAX;
        for (u64 i = 1; i <= kept && !spot.unloaded; i++) {
            const struct unloaded_object *unloaded = &space->unloaded.object[(count - i) % UNLOADED_MAX];
            if (addr >= unloaded->start && addr < unloaded->end)
                spot.unloaded = unloaded;
        }
        if (spot.unloaded)
            spot.vaddr = addr - spot.unloaded->bias;
    }
    spot.class = class_of(space, &spot);
    if (spot.object && spot.object->bytes)
        ask(&spot, is_code);
    else if (spot.unloaded) {
        /* the file may still tell what was there */
        const struct library_file *file;
        struct crash_object was = { .path = spot.unloaded->path };
        if (catalog_file(space->catalog, was.path, &file) == 0 && spot.vaddr < file->image.plan.hi_page) {
            was.file = file;
            was.bytes = file->bytes;
            was.len = file->len;
            spot.object = &was;
            ask(&spot, is_code);
            spot.object = NULL;
        }
    }
    spot.section = spot.section ? spot.section : must_format("%s", "");
    spot.symbol = spot.symbol ? spot.symbol : must_format("%s", "");
    spot.source = spot.source ? spot.source : must_format("%s", "");
    return spot;
}

void spot_free(struct spot *spot) {
    free(spot->section);
    free(spot->symbol);
    free(spot->source);
    *spot = (struct spot){ 0 };
}

static char *neighbour(const struct space *space, const struct crash_map *map) {
    const struct crash_object *object = map ? space_object(space, map->start) : NULL;
    return must_format("%s", object ? base_name(object->path) : map && *map->path ? base_name(map->path) : "anonymous memory");
}

static char *gap_text(const struct space *space, u64 addr) {
    const struct crash_map *below = space_below(space, addr), *above = space_above(space, addr);
    char *low = below ? neighbour(space, below) : NULL, *high = above ? neighbour(space, above) : NULL, *text;
    if (below && above)
        text = must_format("nothing is mapped there: %#llx bytes above %s, %#llx below %s", (unsigned long long)(addr - below->end), low,
                           (unsigned long long)(above->start - addr), high);
    else
        text = must_format("nothing is mapped there");
    free(low);
    free(high);
    return text;
}

char *spot_text(const struct space *space, const struct spot *spot) {
    char rights[8] = "", *text;
    if (spot->map)
        snprintf(rights, sizeof rights, "%c%c%c", spot->map->read ? 'r' : '-', spot->map->write ? 'w' : '-', spot->map->exec ? 'x' : '-');
    const char *path = spot->object ? spot->object->path : spot->unloaded ? spot->unloaded->path : NULL;
    switch (spot->class) {
    case PAGE_NON_CANONICAL: return must_format("no address at all: bits 47 to 63 are not equal (non-canonical)");
    case PAGE_NOTHING: return gap_text(space, spot->addr);
    case PAGE_HEAP: case PAGE_STACK: case PAGE_KERNEL: case PAGE_FILE: case PAGE_ANONYMOUS: case PAGE_NO_ACCESS:
        if (!path) {
            const char *what = spot->class == PAGE_HEAP ? "heap" : spot->class == PAGE_STACK ? (strcmp(spot->map->path, "[stack]") == 0 ? "stack of the first thread" : "stack of the thread") :
                               spot->class == PAGE_NO_ACCESS ? "memory without any permission (a guard, or reserved)" :
                               spot->class == PAGE_ANONYMOUS ? "anonymous memory" : spot->map->path;
            return must_format("%s, %s, %#llx bytes into a mapping of %#llx", what, rights, (unsigned long long)(spot->addr - spot->map->start),
                               (unsigned long long)(spot->map->end - spot->map->start));
        }
        break;
    default: break;
    }
    text = must_format("%s + %#llx%s%s%s%s%s%s%s, %s%s%s%s", base_name(path), (unsigned long long)spot->vaddr, *spot->symbol ? ": " : "", spot->symbol,
                       *spot->source ? " (" : "", spot->source, *spot->source ? ")" : "", *spot->section ? ", section " : "", spot->section,
                       spot->class == PAGE_UNLOADED ? "unloaded by dlclose" : spot->class == PAGE_HOLE ? "between its segments" : page_class_name(spot->class),
                       spot->class == PAGE_UNLOADED || spot->class == PAGE_HOLE ? "" : " page", *rights ? ", " : "", rights);
    return text;
}
