/* report_table.c - the page table of one object, process by process, page by page: `ldr pages --pages OBJECT`. */
#include "ldr.h"
#include "json.h"
#include "report.h"
#include "views/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The schema is documented in ldr-pages(1); a change of meaning raises its version. */
enum { SCHEMA_VERSION = 1 };

enum { OWNERS_SHOWN = 6 }; /* in text; JSON has them all */

/* One page, or several that follow each other and are not in memory. */
struct entry {
    uint64_t addr, pages, file_page;
    const struct run *run;
    uint64_t word;
    enum page_class class;
    uint32_t *owners; /* indices of processes, ascending; owned by the view */
    uint32_t owner_count;
};

struct view {
    const struct report *report;
    struct frame_cursor cursor;
    uint32_t *owners; /* room for all */
};

static bool is_called(const struct object *object, const char *name) {
    const char *slash = strrchr(object->path, '/'), *last = slash ? slash + 1 : object->path;
    size_t len = strlen(name);
    return strcmp(object->path, name) == 0 || strcmp(last, name) == 0 ||
           (strncmp(last, name, len) == 0 && strcmp(last + len, " (deleted)") == 0);
}

static struct entry entry_at(struct view *view, uint32_t owner, const struct run *run, size_t i) {
    const struct snapshot *snapshot = &view->report->collection->snapshot;
    const struct tally *tally = view->report->tally;
    struct entry entry = { .addr = run->addr + ((uint64_t)i << PAGE_SHIFT), .pages = 1, .file_page = run->file_page + i, .run = run,
                           .word = word_get(&snapshot->owners[owner], snapshot->method, run->word + i), .owners = view->owners };
    uint32_t set = 0, size = 1;
    entry.class = page_class_of(tally, snapshot, owner, run, i, &view->cursor, &set, &size);
    const struct owner_set *sets = class_is_swapped(entry.class) ? tally->slots.sets.list : tally->frames.sets.list;
    if (set) {
        entry.owner_count = size;
        for (uint32_t at = size; at > 0; set = sets[set].parent)
            entry.owners[--at] = sets[set].owner;
    } else if (entry.class != CLASS_ABSENT) {
        entry.owner_count = 1;
        entry.owners[0] = owner;
    }
    return entry;
}

/* Calls show for every page of the object that the owner maps, absent ones taken together. */
static void walk(struct view *view, uint32_t owner, uint32_t object, void (*show)(const struct view *, const struct entry *, void *), void *to) {
    const struct owner *pages = &view->report->collection->snapshot.owners[owner];
    for (size_t r = 0; r < pages->run_count; r++) {
        const struct run *run = &pages->runs[r];
        if (run->object != object)
            continue;
        struct entry absent = { 0 };
        for (size_t i = 0; i <= run->pages; i++) {
            struct entry entry = { 0 };
            if (i < run->pages)
                entry = entry_at(view, owner, run, i);
            if (i < run->pages && entry.class == CLASS_ABSENT) {
                if (!absent.pages)
                    absent = entry;
                else
                    absent.pages++;
                continue;
            }
            if (absent.pages)
                show(view, &absent, to);
            absent.pages = 0;
            if (i < run->pages)
                show(view, &entry, to);
        }
    }
}

static const char *state_of(const struct entry *entry) {
    return entry->class == CLASS_ABSENT ? "absent" : class_is_swapped(entry->class) ? "swapped" : "present";
}

static const char *access_text(const struct run *run, char text[4]) {
    text[0] = run->access & ACCESS_READ ? 'r' : '-';
    text[1] = run->access & ACCESS_WRITE ? 'w' : '-';
    text[2] = run->access & ACCESS_EXEC ? 'x' : '-';
    text[3] = '\0';
    return text;
}

static pid_t pid_of(const struct view *view, uint32_t owner) { return view->report->collection->names[owner].pids[0]; }

/* ---- text ---- */

static void print_entry(const struct view *view, const struct entry *entry, void *to) {
    char pages[48], access[4], frame[32] = "-";
    (void)to;
    if (entry->pages > 1)
        snprintf(pages, sizeof pages, "%" PRIx64 "-%" PRIx64, entry->file_page, entry->file_page + entry->pages - 1);
    else
        snprintf(pages, sizeof pages, "%" PRIx64, entry->file_page);
    if (class_is_swapped(entry->class))
        snprintf(frame, sizeof frame, "%" PRIx64 ":%" PRIx64, entry->word & 31, (entry->word & PM_FRAME) >> 5);
    else if (entry->word & PM_FRAME)
        snprintf(frame, sizeof frame, "%" PRIx64, entry->word & PM_FRAME);
    printf("%12" PRIx64 "  %-9s  %9s  %-6s  %-7s  %9s", entry->addr, segment_name(entry->run->kind), pages, access_text(entry->run, access),
           state_of(entry), frame);
    if (entry->class != CLASS_ABSENT) {
        printf("  %-30s  %" PRIu32 ":", class_title(entry->class), entry->owner_count);
        for (uint32_t i = 0; i < entry->owner_count && i < OWNERS_SHOWN; i++)
            printf(" %d", (int)pid_of(view, entry->owners[i]));
        if (entry->owner_count > OWNERS_SHOWN)
            printf(" ...");
    }
    putchar('\n');
}

static void print_object(struct view *view, uint32_t index) {
    const struct snapshot *snapshot = &view->report->collection->snapshot;
    char *path = object_name(view->report, index, true);
    printf("%s\n", path);
    free(path);
    for (uint32_t o = 0; o < snapshot->owner_count; o++) {
        bool any = false;
        for (size_t r = 0; r < snapshot->owners[o].run_count && !any; r++)
            any = snapshot->owners[o].runs[r].object == index;
        if (!any)
            continue;
        char *name = clean_text(view->report->collection->names[o].name);
        printf("\n%s, PID %d\n%12s  %-9s  %9s  %-6s  %-7s  %9s  %-30s  %s\n", name, (int)pid_of(view, o), "address", "segment",
               "file page", "access", "state", "frame", "class", "owners");
        free(name);
        walk(view, o, index, print_entry, NULL);
    }
    putchar('\n');
}

/* ---- JSON ---- */

static void put(struct json_object *to, const char *key, struct json_object *value) { json_object_object_add(to, key, value); }

static void add_entry(const struct view *view, const struct entry *entry, void *to) {
    struct json_object *page = json_object_new_object();
    char access[4];
    put(page, "address", json_object_new_uint64(entry->addr));
    put(page, "pages", json_object_new_uint64(entry->pages));
    put(page, "segment", json_object_new_string(segment_name(entry->run->kind)));
    put(page, "file_page", json_object_new_uint64(entry->file_page));
    put(page, "access", json_object_new_string(access_text(entry->run, access)));
    put(page, "state", json_object_new_string(state_of(entry)));
    put(page, "class", json_object_new_string(class_key(entry->class)));
    /* null: not in memory, or no privilege to see it */
    bool known = (entry->word & PM_FRAME) && !class_is_swapped(entry->class);
    put(page, "frame", known ? json_object_new_uint64(entry->word & PM_FRAME) : NULL);
    struct json_object *owners = json_object_new_array();
    for (uint32_t i = 0; i < entry->owner_count; i++)
        json_object_array_add(owners, json_object_new_int(pid_of(view, entry->owners[i])));
    put(page, "owners", owners);
    json_object_array_add(to, page);
}

static struct json_object *object_json(struct view *view, uint32_t index) {
    const struct collection *collection = view->report->collection;
    struct json_object *object = json_object_new_object(), *processes = json_object_new_array();
    put(object, "path", json_name(collection->snapshot.objects[index].path));
    for (uint32_t o = 0; o < collection->snapshot.owner_count; o++) {
        struct json_object *pages = json_object_new_array();
        walk(view, o, index, add_entry, pages);
        if (json_object_array_length(pages) == 0) {
            json_object_put(pages);
            continue;
        }
        struct json_object *process = json_object_new_object();
        put(process, "pid", json_object_new_int(pid_of(view, o)));
        put(process, "name", json_name(collection->names[o].name));
        put(process, "pages", pages);
        json_object_array_add(processes, process);
    }
    put(object, "processes", processes);
    return object;
}

bool report_table(const struct report *report, const char *name, bool json) {
    const struct snapshot *snapshot = &report->collection->snapshot;
    struct view view = { .report = report, .owners = must_alloc(snapshot->owner_count, sizeof *view.owners) };
    struct json_object *objects = json ? json_object_new_array() : NULL;
    bool any = false;
    for (uint32_t i = 0; i < snapshot->object_count; i++) {
        if (!is_called(&snapshot->objects[i], name))
            continue;
        any = true;
        if (json)
            json_object_array_add(objects, object_json(&view, i));
        else
            print_object(&view, i);
    }
    if (json) {
        struct json_object *root = json_object_new_object();
        put(root, "schema", json_object_new_string("ldr-page-table"));
        put(root, "schema_version", json_object_new_int(SCHEMA_VERSION));
        put(root, "method", json_object_new_string(method_name(snapshot->method)));
        put(root, "exact", json_object_new_boolean(report->exact));
        put(root, "page_bytes", json_object_new_uint64(PAGE_LEN));
        put(root, "objects", objects);
        puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
        json_object_put(root);
    }
    free(view.owners);
    return any;
}
