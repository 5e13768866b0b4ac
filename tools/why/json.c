/* json.c - the story for machines. The schema is in ldr(1). Pages are printed one by one: of a large library relocations alone
 * would make a tree of hundreds of megabytes. */
#include "../ldr.h"
#include "why.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { SCHEMA_VERSION = 1, STYLE = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE };

static void put(struct json_object *to, const char *key, uint64_t value) {
    json_object_object_add(to, key, json_object_new_uint64(value));
}

static void put_text(struct json_object *to, const char *key, const char *value) {
    char *text = must_format("%s", value); /* paths and symbols come from files and may hold anything */
    make_printable(text);
    json_object_object_add(to, key, json_object_new_string(text));
    free(text);
}

static void put_flag(struct json_object *to, const char *key, bool value) {
    json_object_object_add(to, key, json_object_new_boolean(value));
}

static void put_causes(struct json_object *to, const uint64_t causes[CAUSES]) {
    put(to, "copies_relocation", causes[CAUSE_RELOCATION]);
    put(to, "copies_relocation_and_write", causes[CAUSE_RELOCATION_AND_WRITE]);
    put(to, "copies_write", causes[CAUSE_WRITE]);
    put(to, "copies_identical", causes[CAUSE_IDENTICAL]);
    put(to, "copies_unknown", causes[CAUSE_UNKNOWN]);
}

static void put_spot(struct json_object *to, const char *key, const struct story *story, struct spot spot) {
    if (spot.object == NO_SPOT)
        return;
    struct json_object *place = json_object_new_object();
    put_text(place, "object", story->collection->snapshot.objects[spot.object].path);
    put(place, "vaddr", spot.vaddr);
    json_object_object_add(to, key, place);
}

static const char *value_name(enum why_value value) {
    static const char *const names[] = { "same", "same_place", "different" };
    return names[value];
}

static void put_names(struct json_object *to, const struct debuginfo_answer *answer) {
    put_text(to, "name", answer->name);
    put_text(to, "named_by", debuginfo_how_name(answer->how));
    if (*answer->type)
        put_text(to, "type", answer->type);
    if (*answer->file) {
        put_text(to, "file", answer->file);
        put(to, "line", answer->line);
    }
}

static struct json_object *sections_json(const struct story *story) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < story->section_count; i++) {
        const struct why_section *section = &story->sections[i];
        struct json_object *object = json_object_new_object();
        put_text(object, "section", section->section->name);
        put(object, "vaddr", section->section->vaddr);
        put(object, "bytes", section->section->len);
        put(object, "pages", section->pages);
        put(object, "pages_mapped", section->mapped);
        put(object, "copies", section->frames);
        put_causes(object, section->causes);
        put(object, "relocations", section->relocations);
        put(object, "copies_relocated_here", section->relocated_copies);
        put(object, "copies_written_here", section->written_copies);
        put(object, "bytes_written", section->written_bytes);
        json_object_array_add(list, object);
    }
    return list;
}

static struct json_object *variable_json(const struct story *story, const struct why_variable *variable) {
    struct json_object *object = json_object_new_object();
    put_names(object, variable->answer);
    put_text(object, "section", variable->section);
    put(object, "vaddr", variable->vaddr);
    put(object, "bytes", variable->len);
    put(object, "first_page", story->memory->pages[variable->first_page].vaddr);
    put(object, "last_page", story->memory->pages[variable->last_page].vaddr);
    put(object, "processes", variable->processes);
    put(object, "bytes_written", variable->bytes);
    if (variable->processes)
        put_text(object, "values", value_name(variable->value));
    put(object, "copies_written", variable->written_copies);
    put(object, "copies_written_alone", variable->alone_copies);
    put(object, "relocations", variable->relocations);
    put(object, "copies_relocated", variable->relocated_copies);
    return object;
}

static struct json_object *variables_json(const struct story *story) {
    struct json_object *list = json_object_new_array();
    size_t count, *order = variables_order(story, &count);
    for (size_t i = 0; i < count; i++)
        json_object_array_add(list, variable_json(story, &story->variables[order[i]]));
    free(order);
    return list;
}

static struct json_object *savings_json(const struct story *story) {
    const struct why_savings *savings = &story->savings;
    struct json_object *object = json_object_new_object(), *names = json_object_new_array();
    put(object, "pages", savings->pages);
    put(object, "copies", savings->frames);
    put(object, "copies_needed", savings->cost);
    put(object, "copies_won", savings->frames - savings->cost);
    put(object, "bytes_moved", savings->bytes);
    for (size_t i = 0; i < savings->variable_count; i++) {
        const struct why_variable *variable = &story->variables[savings->variables[i]];
        struct json_object *name = json_object_new_object();
        put_text(name, "name", variable->answer->name);
        put(name, "vaddr", variable->vaddr);
        json_object_array_add(names, name);
    }
    json_object_object_add(object, "variables", names);
    put(object, "copies_won_relocated_shared", story->shared_won_sum);
    return object;
}

static void put_hex(struct json_object *to, const char *key, uint64_t value) {
    char text[32];
    snprintf(text, sizeof text, "0x%" PRIx64, value);
    put_text(to, key, text);
}

static struct json_object *piece_json(const struct story *story, const struct why_piece *piece) {
    struct json_object *object = json_object_new_object();
    put_names(object, piece->answer);
    put(object, "vaddr", piece->answer->vaddr);
    put(object, "bytes", piece->answer->len);
    put_text(object, "path", piece->answer->path);
    if (*piece->answer->piece_type)
        put_text(object, "piece_type", piece->answer->piece_type);
    put(object, "processes", piece->processes);
    put(object, "bytes_written", piece->bytes);
    put_text(object, "values", value_name(piece->value));
    if (piece->has_value) {
        put_hex(object, "linked", piece->linked);
        put_hex(object, "now", piece->now);
        put_spot(object, "linked_place", story, piece->linked_spot);
        put_spot(object, "now_place", story, piece->now_spot);
    }
    return object;
}

static struct json_object *relocation_json(const struct story *story, const struct why_relocation *relocation) {
    static const char *const kinds[] = { "relocation", "dynamic", "lazy" };
    const struct place *place = relocation->place;
    struct json_object *object = json_object_new_object();
    put(object, "vaddr", place->vaddr);
    put_text(object, "kind", kinds[place->kind]);
    put(object, "bytes", place->len);
    if (place->kind == PLACE_RELOCATION) {
        const char *type = place_type_name(place->type);
        put_text(object, "type", type ? type : "");
        put_text(object, "table", place->relr ? "DT_RELR" : place->plt ? "DT_JMPREL" : "DT_RELA");
        put_text(object, "symbol", place->symbol);
        put_text(object, "version", place->version);
        put(object, "addend", place->addend);
    }
    if (relocation->answer) {
        put_text(object, "variable", relocation->answer->name);
        put_text(object, "path", relocation->answer->path);
        put_text(object, "named_by", debuginfo_how_name(relocation->answer->how));
        if (*relocation->answer->file) {
            put_text(object, "file", relocation->answer->file);
            put(object, "line", relocation->answer->line);
        }
    }
    if (relocation->bound) {
        put_flag(object, "bound_alike", !relocation->spots_vary);
        put_spot(object, "bound", story, relocation->spot);
        if (relocation->target) {
            put_text(object, "bound_symbol", relocation->target);
            put_text(object, "bound_offset", relocation->target_path);
        }
    }
    return object;
}

static const char *writer_kind_name(char kind) {
    switch (kind) {
    case 'w': return "write";
    case 'k': return "system_call";
    case 'f': return "last_fault";
    case 'K': return "last_fault_system_call";
    case '?': return "unseen";
    default: return "none";
    }
}

static struct json_object *writers_json(const struct story *story, size_t page) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < story->writer_count; i++) {
        const struct why_writer *writer = &story->writers[i];
        if (writer->page != page)
            continue;
        struct json_object *object = json_object_new_object();
        put_text(object, "kind", writer_kind_name(writer->kind));
        put(object, "copies", writer->copies);
        put_spot(object, "instruction", story, writer->spot);
        if (writer->answer) {
            put_text(object, "function", writer->answer->name);
            if (*writer->answer->file) {
                put_text(object, "file", writer->answer->file);
                put(object, "line", writer->answer->line);
            }
        }
        json_object_array_add(list, object);
    }
    return list;
}

/* The pages, each printed when it is made. */
static void print_pages(const struct story *story) {
    const struct why_memory *memory = story->memory;
    size_t *order = pages_order(story);
    /* where each page's pieces and relocations begin: both are by address */
    size_t *first_piece = must_alloc(memory->page_count + 1, sizeof *first_piece);
    size_t *first_relocation = must_alloc(memory->page_count + 1, sizeof *first_relocation);
    for (size_t p = 0, piece = 0, relocation = 0; p <= memory->page_count; p++) {
        while (piece < story->piece_count && story->pieces[piece].page < p)
            piece++;
        while (relocation < story->relocation_count && story->relocations[relocation].page < p)
            relocation++;
        first_piece[p] = piece;
        first_relocation[p] = relocation;
    }
    for (size_t i = 0; i < memory->page_count; i++) {
        const struct why_page *page = &memory->pages[order[i]];
        struct json_object *object = json_object_new_object(), *pieces = json_object_new_array(), *relocations = json_object_new_array();
        put(object, "vaddr", page->vaddr);
        put(object, "pages_mapped", page->mapped);
        put(object, "processes", page->processes);
        put(object, "copies", page->frames);
        put_causes(object, page->causes);
        put(object, "copies_won", story->won[order[i]]);
        put(object, "copies_won_relocated_shared", story->shared_won[order[i]]);
        for (size_t k = first_piece[order[i]]; k < first_piece[order[i] + 1]; k++)
            json_object_array_add(pieces, piece_json(story, &story->pieces[k]));
        for (size_t k = first_relocation[order[i]]; k < first_relocation[order[i] + 1]; k++)
            json_object_array_add(relocations, relocation_json(story, &story->relocations[k]));
        if (story->writer_count)
            json_object_object_add(object, "writers", writers_json(story, order[i]));
        json_object_object_add(object, "written", pieces);
        json_object_object_add(object, "relocations", relocations);
        printf("%s%s", i ? ",\n" : "\n", json_object_to_json_string_ext(object, STYLE));
        json_object_put(object);
    }
    free(first_piece);
    free(first_relocation);
    free(order);
}

void story_json(const struct story *story, const struct why_choice *choice, const char *path, bool exact) {
    const struct snapshot *snapshot = &story->collection->snapshot;
    const struct object *file = &snapshot->objects[story->memory->object];
    struct json_object *root = json_object_new_object(), *names = json_object_new_object(), *totals = json_object_new_object();
    char device[32];
    story_targets((struct story *)(uintptr_t)story);
    snprintf(device, sizeof device, "%02x:%02x", major(file->dev), minor(file->dev));
    put_text(root, "schema", "ldr-pages-why");
    put(root, "schema_version", SCHEMA_VERSION);
    put_text(root, "object", path);
    put_text(root, "device", device);
    put(root, "inode", file->ino);
    if (choice->section)
        put_text(root, "section", choice->section);
    if (choice->one_page)
        put(root, "page", choice->page);
    put_text(root, "method", snapshot->method == METHOD_FRAMES ? "pfn" : "file-identity");
    put_flag(root, "exact", exact);
    put(root, "page_bytes", PAGE_LEN);
    put(root, "unreadable", story->memory->unreadable);
    put(root, "changed", story->memory->changed);
    put_flag(root, "judged", !story->memory->refused);
    put_flag(root, "relocations_cut", story->places.cut);
    put_text(names, "by", debuginfo_how_name(debuginfo_how(story->debuginfo)));
    put_text(names, "source", debuginfo_source(story->debuginfo));
    put_text(names, "problem", debuginfo_problem(story->debuginfo));
    json_object_object_add(root, "names", names);
    put(totals, "processes_measured", snapshot->owner_count);
    put(totals, "processes", story->memory->processes);
    put(totals, "pages_mapped", story->memory->mapped_count);
    put(totals, "pages", story->memory->page_count);
    put(totals, "copies", story->frames);
    put_causes(totals, story->causes);
    put(totals, "copies_shared", story->shared_frames);
    put(totals, "relocations", story->relocation_count);
    json_object_object_add(root, "totals", totals);
    json_object_object_add(root, "savings", savings_json(story));
    json_object_object_add(root, "sections", sections_json(story));
    json_object_object_add(root, "variables", variables_json(story));
    const char *text = json_object_to_json_string_ext(root, STYLE);
    /* the root's closing bracket comes behind the pages */
    size_t len = strlen(text);
    while (len && text[len - 1] != '}')
        len--;
    while (len && (text[len - 1] == '}' || text[len - 1] == '\n' || text[len - 1] == ' ')) {
        bool end = text[len - 1] == '}';
        len--;
        if (end)
            break;
    }
    while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
        len--;
    printf("%.*s,\n  \"pages\": [", (int)len, text);
    print_pages(story);
    printf("\n  ]\n}\n");
    json_object_put(root);
}
