/* choice.c - which object is meant, and which part of it; then the report. */
#include "../ldr.h"
#include "why.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool why_parse(const char *word, struct why_choice *choice) {
    /* the last colon: paths may have others. Not one that a slash follows. */
    const char *colon = strrchr(word, ':');
    if (colon && (strchr(colon, '/') || !colon[1]))
        colon = NULL;
    size_t len = colon ? (size_t)(colon - word) : strlen(word);
    if (len == 0)
        return false;
    choice->object = must_format("%.*s", (int)len, word);
    if (!colon)
        return true;
    char *end;
    errno = 0;
    uint64_t page = strtoull(colon + 1, &end, 16);
    if (colon[1] == '0' && (colon[2] == 'x' || colon[2] == 'X') && !*end && !errno) {
        choice->one_page = true;
        choice->page = page & ~(PAGE_LEN - 1);
    } else {
        choice->section = must_format("%s", colon + 1);
    }
    return true;
}

void why_choice_free(struct why_choice *choice) {
    free(choice->object);
    free(choice->section);
    *choice = (struct why_choice){ 0 };
}

/* How well a path answers to the name: 0 not, 1 by the beginning of its last part (libcrypto), 2 by its last part, 3 as a whole. */
static int match(const char *path, const char *name) {
    const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
    size_t len = strlen(name);
    if (strcmp(path, name) == 0)
        return 3;
    if (strchr(name, '/'))
        return 0;
    if (strcmp(last, name) == 0)
        return 2;
    return strncmp(last, name, len) == 0 && (last[len] == '.' || last[len] == '-' || last[len] == ' ') ? 1 : 0;
}

static size_t owners_of(const struct snapshot *snapshot, size_t object) {
    size_t count = 0;
    for (size_t o = 0; o < snapshot->owner_count; o++)
        for (size_t r = 0; r < snapshot->owners[o].run_count; r++)
            if (snapshot->owners[o].runs[r].object == object) {
                count++;
                break;
            }
    return count;
}

/* The object; SIZE_MAX after a message. Of files that replaced each other under one path the one that most processes map. */
static size_t find_object(const struct snapshot *snapshot, const char *name, bool *others) {
    int best = 0;
    size_t found = SIZE_MAX, found_owners = 0;
    for (size_t i = 0; i < snapshot->object_count; i++) {
        int now = match(snapshot->objects[i].path, name);
        if (now == 0 || now < best)
            continue;
        size_t owners = owners_of(snapshot, i);
        if (now > best) {
            best = now;
            found = i;
            found_owners = owners;
            *others = false;
            continue;
        }
        if (strcmp(snapshot->objects[i].path, snapshot->objects[found].path) != 0) {
            warn_ldr("%s may be %s or %s: name it by its path", name, snapshot->objects[found].path, snapshot->objects[i].path);
            return SIZE_MAX;
        }
        *others = true;
        if (owners > found_owners) {
            found = i;
            found_owners = owners;
        }
    }
    if (found == SIZE_MAX)
        warn_ldr("no object called %s in the processes measured", name);
    return found;
}

struct wanted { bool all; uint64_t from, end; };

static bool is_wanted(const void *context, uint64_t page) {
    const struct wanted *wanted = context;
    return wanted->all || (page < wanted->end && page + (PAGE_LEN - 1) >= wanted->from);
}

/* Does a segment reach into the page at this address? */
static bool has_page(const struct shape *shape, uint64_t page) {
    uint64_t end;
    for (size_t i = 0; i < shape->load_count; i++)
        if (!__builtin_add_overflow(shape->loads[i].vaddr, shape->loads[i].memsz, &end) && page < end && shape->loads[i].vaddr < page + PAGE_LEN)
            return true;
    return false;
}

/* The part that was named; false after a message. */
static bool find_part(const struct object *object, const struct why_choice *choice, struct wanted *wanted) {
    *wanted = (struct wanted){ .all = !choice->one_page && !choice->section };
    if (choice->one_page) {
        wanted->from = choice->page;
        wanted->end = choice->page + PAGE_LEN;
        if (!object->shape.known || has_page(&object->shape, choice->page))
            return true;
        warn_ldr("%s has no page at 0x%" PRIx64 ": no segment reaches there", object->path, choice->page);
        return false;
    }
    if (!choice->section)
        return true;
    struct debuginfo *debuginfo = debuginfo_open(object->file, object->file ? object->file_len : 0, object->path);
    size_t count;
    bool found = false;
    const struct debuginfo_section *sections = debuginfo_sections(debuginfo, &count);
    for (size_t i = 0; i < count && !found; i++) {
        found = strcmp(sections[i].name, choice->section) == 0;
        wanted->from = sections[i].vaddr;
        wanted->end = sections[i].vaddr + sections[i].len;
    }
    if (!found)
        warn_ldr("%s has no section %s in memory", object->path, choice->section);
    debuginfo_close(debuginfo);
    return found;
}

int why_report(const struct collection *collection, const struct tally *tally, const struct why_choice *choice, bool complete) {
    const struct snapshot *snapshot = &collection->snapshot;
    bool others = false;
    size_t index = find_object(snapshot, choice->object, &others);
    if (index == SIZE_MAX)
        return LDR_EXIT_NO_TARGET;
    const struct object *object = &snapshot->objects[index];
    struct wanted wanted;
    if (!find_part(object, choice, &wanted))
        return LDR_EXIT_NO_TARGET;
    struct places places = { 0 };
    struct why_memory memory;
    struct story story;
    bool judged = object->file && places_read(object->file, object->file_len, object->path, &places);
    struct writers writers = { 0 };
    bool watched = choice->writers && writers_read(choice->writers, &writers);
    bool measured = !watched;
    for (size_t o = 0; o < snapshot->owner_count; o++)
        for (size_t i = 0; i < collection->names[o].pid_count; i++)
            measured |= collection->names[o].pids[i] == writers.pid;
    if (!measured)
        warn_ldr("%s: process %d is not among those measured", choice->writers, (int)writers.pid);
    complete = complete && measured && watched == (choice->writers != NULL);
    copies_read(collection, (uint32_t)index, judged ? &places : NULL, is_wanted, &wanted, watched ? &writers : NULL, &memory);
    story_make(&story, collection, tally, &memory);
    complete = complete && !others && judged && !memory.unreadable && !memory.changed;
    if (choice->json)
        story_json(&story, choice, object->path, complete);
    else
        story_text(&story, choice, object->path);
    if (others)
        warn_ldr("%s: other files of this name are mapped too; told is of the one that most processes map", object->path);
    if (!object->file)
        warn_ldr("%s could not be opened: nothing is known of its private pages", object->path);
    else if (!judged)
        warn_ldr("%s could not be read as the linker reads it: unknown cause for its changed pages", object->path);
    if (memory.unreadable)
        warn_ldr("%" PRIu64 " process%s whose memory may not be read (needs CAP_SYS_PTRACE, or their user)", memory.unreadable,
                 memory.unreadable == 1 ? "" : "es");
    if (memory.changed)
        warn_ldr("%" PRIu64 " private page%s changed before they were read", memory.changed, memory.changed == 1 ? "" : "s");
    if (*debuginfo_problem(story.debuginfo))
        warn_ldr("%s", debuginfo_problem(story.debuginfo));
    story_free(&story);
    copies_free(&memory);
    places_free(&places);
    writers_free(&writers);
    return complete ? LDR_EXIT_OK : LDR_EXIT_PARTIAL;
}
