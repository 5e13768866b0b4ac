/* listing.c - who made pages private, for the page of --html: of the objects with most private copies the pages, and of each page the
 * relocations on it and the variables they and the writes lie in. A bounded part of what json.c tells of one object. */
#include "../json.h"
#include "../ldr.h"
#include "why.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* So much that a person looks through it, and the page stays small: some hundred kilobytes. SECONDS: no object is begun after these. */
enum { OBJECTS_LISTED = 8, PAGES_LISTED = 100, VARIABLES_LISTED = 12, MEMBERS_LISTED = 4, SYMBOLS_LISTED = 8, SECONDS = 10 };

static void put(struct json_object *to, const char *key, uint64_t value) {
    json_object_object_add(to, key, json_object_new_uint64(value));
}

static void put_text(struct json_object *to, const char *key, const char *value) { json_object_object_add(to, key, json_name(value)); }

/* ---- one page ---- */

/* A variable, or a part of a section, and what of it is on the page. */
struct share_of_page {
    uint32_t variable;
    uint32_t processes; /* that wrote it there */
    uint64_t relocations;
    enum why_value value;
    size_t first_piece, piece_count;
};

struct page_shares {
    struct share_of_page *list;
    size_t count;
};

static struct share_of_page *share_at(struct page_shares *shares, uint32_t variable) {
    /* pieces and relocations come by address, so it is mostly the last one */
    for (size_t i = shares->count; i-- > 0; )
        if (shares->list[i].variable == variable)
            return &shares->list[i];
    shares->list = must_grow(shares->list, shares->count + 1, sizeof *shares->list);
    shares->list[shares->count] = (struct share_of_page){ .variable = variable };
    return &shares->list[shares->count++];
}

static int compare_shares(const void *a, const void *b) {
    const struct share_of_page *x = a, *y = b;
    if (x->processes != y->processes)
        return x->processes > y->processes ? -1 : 1;
    if (x->relocations != y->relocations)
        return x->relocations > y->relocations ? -1 : 1;
    return x->variable < y->variable ? -1 : x->variable > y->variable;
}

static struct json_object *share_json(const struct story *story, const struct share_of_page *share) {
    static const char *const values[] = { [VALUE_SAME] = "same", [VALUE_SAME_PLACE] = "same_place", [VALUE_DIFFERENT] = "different" };
    const struct debuginfo_answer *answer = story->variables[share->variable].answer;
    struct json_object *object = json_object_new_object(), *members = json_object_new_array();
    bool nameless = answer->how == DEBUGINFO_SECTION && share->piece_count; /* a run of bytes, by its place in the section */
    char *name = must_format("%s%s", answer->name, nameless ? story->pieces[share->first_piece].answer->path : "");
    put_text(object, "name", name);
    free(name);
    put_text(object, "type", answer->type);
    put_text(object, "file", answer->file);
    put(object, "line", answer->line);
    put(object, "relocations", share->relocations);
    put(object, "processes_writing", share->processes);
    if (share->processes)
        put_text(object, "values", values[share->value]);
    for (size_t i = 0; i < share->piece_count && i < MEMBERS_LISTED && !nameless; i++)
        if (*story->pieces[share->first_piece + i].answer->path)
            json_object_array_add(members, json_name(story->pieces[share->first_piece + i].answer->path));
    json_object_object_add(object, "members", members);
    put(object, "members_left_out", share->piece_count > MEMBERS_LISTED && !nameless ? share->piece_count - MEMBERS_LISTED : 0);
    return object;
}

static const char *type_of(const struct place *place) {
    const char *type = place->kind == PLACE_DYNAMIC ? ".dynamic" : place->kind == PLACE_LAZY ? "lazy binding" : place_type_name(place->type);
    return type ? type : "of an unknown type";
}

struct asked { const char *symbol, *version; };

static int compare_asked(const void *a, const void *b) {
    const struct asked *x = a, *y = b;
    int order = strcmp(x->symbol, y->symbol);
    return order ? order : strcmp(x->version, y->version);
}

/* How many of each type, and the symbols that are asked for, each once. */
static void put_relocations(struct json_object *to, const struct story *story, size_t first, size_t end) {
    struct json_object *types = json_object_new_array(), *symbols = json_object_new_array();
    const char *seen[16];
    uint64_t counts[16], named = 0;
    size_t type_count = 0, asked_count = 0;
    struct asked *asked = must_alloc(end - first + 1, sizeof *asked);
    for (size_t i = first; i < end; i++) {
        const struct place *place = story->relocations[i].place;
        const char *type = type_of(place);
        size_t t = 0;
        while (t < type_count && strcmp(seen[t], type) != 0)
            t++;
        if (t == type_count && type_count < sizeof seen / sizeof *seen) {
            seen[type_count] = type;
            counts[type_count++] = 0;
        }
        if (t < type_count)
            counts[t]++;
        if (place->kind == PLACE_RELOCATION && *place->symbol)
            asked[asked_count++] = (struct asked){ place->symbol, place->version };
    }
    qsort(asked, asked_count, sizeof *asked, compare_asked);
    for (size_t i = 0; i < asked_count; i++) {
        if ((i && compare_asked(&asked[i - 1], &asked[i]) == 0) || named++ >= SYMBOLS_LISTED)
            continue;
        char *symbol = must_format("%s%s%s", asked[i].symbol, *asked[i].version ? "@" : "", asked[i].version);
        json_object_array_add(symbols, json_name(symbol));
        free(symbol);
    }
    free(asked);
    for (size_t t = 0; t < type_count; t++) {
        struct json_object *type = json_object_new_object();
        put_text(type, "type", seen[t]);
        put(type, "count", counts[t]);
        json_object_array_add(types, type);
    }
    put(to, "relocations", end - first);
    json_object_object_add(to, "types", types);
    json_object_object_add(to, "symbols", symbols);
    put(to, "symbols_left_out", named > SYMBOLS_LISTED ? named - SYMBOLS_LISTED : 0);
}

static void put_sections(struct json_object *to, const struct story *story, uint64_t page) {
    struct json_object *names = json_object_new_array();
    size_t count;
    const struct debuginfo_section *sections = debuginfo_sections(story->debuginfo, &count);
    for (size_t i = 0; i < count; i++)
        if (sections[i].len && sections[i].vaddr - page < PAGE_LEN) /* begins on it */
            json_object_array_add(names, json_name(sections[i].name));
        else if (sections[i].vaddr < page && page - sections[i].vaddr < sections[i].len)
            json_object_array_add(names, json_name(sections[i].name));
    json_object_object_add(to, "sections", names);
}

/* What is by address in pieces and relocations, of one page: from FIRST on, END behind the last. */
struct span { size_t first, end; };

static struct json_object *page_json(const struct story *story, size_t index, struct span pieces, struct span relocations) {
    const struct why_page *page = &story->memory->pages[index];
    struct json_object *object = json_object_new_object(), *variables = json_object_new_array();
    struct page_shares shares = { 0 };
    char vaddr[32];
    snprintf(vaddr, sizeof vaddr, "0x%" PRIx64, page->vaddr);
    put_text(object, "vaddr", vaddr); /* text: an address is no count */
    put_sections(object, story, page->vaddr);
    put(object, "processes", page->processes);
    put(object, "copies", page->frames);
    put(object, "copies_relocation", page->causes[CAUSE_RELOCATION]);
    put(object, "copies_relocation_and_write", page->causes[CAUSE_RELOCATION_AND_WRITE]);
    put(object, "copies_write", page->causes[CAUSE_WRITE]);
    put(object, "copies_identical", page->causes[CAUSE_IDENTICAL]);
    put(object, "copies_unknown", page->causes[CAUSE_UNKNOWN]);
    for (size_t i = pieces.first; i < pieces.end; i++) {
        const struct why_piece *piece = &story->pieces[i];
        struct share_of_page *share = share_at(&shares, piece->variable);
        if (!share->piece_count++)
            share->first_piece = i;
        share->processes = piece->processes > share->processes ? piece->processes : share->processes;
        share->value = piece->value > share->value ? piece->value : share->value;
    }
    for (size_t i = relocations.first; i < relocations.end; i++)
        if (story->relocations[i].variable != UINT32_MAX)
            share_at(&shares, story->relocations[i].variable)->relocations++;
    put_relocations(object, story, relocations.first, relocations.end);
    if (shares.count)
        qsort(shares.list, shares.count, sizeof *shares.list, compare_shares);
    for (size_t i = 0; i < shares.count && i < VARIABLES_LISTED; i++)
        json_object_array_add(variables, share_json(story, &shares.list[i]));
    json_object_object_add(object, "variables", variables);
    put(object, "variables_left_out", shares.count > VARIABLES_LISTED ? shares.count - VARIABLES_LISTED : 0);
    free(shares.list);
    return object;
}

/* ---- one object ---- */

static bool every_page(const void *context, uint64_t page) {
    (void)context;
    (void)page;
    return true;
}

static struct json_object *pages_json(const struct story *story) {
    const struct why_memory *memory = story->memory;
    struct json_object *list = json_object_new_array();
    struct span *pieces = must_alloc(memory->page_count + 1, sizeof *pieces), *relocations = must_alloc(memory->page_count + 1, sizeof *relocations);
    for (size_t p = 0, piece = 0, relocation = 0; p < memory->page_count; p++) {
        pieces[p].first = piece;
        relocations[p].first = relocation;
        while (piece < story->piece_count && story->pieces[piece].page <= p)
            piece++;
        while (relocation < story->relocation_count && story->relocations[relocation].page <= p)
            relocation++;
        pieces[p].end = piece;
        relocations[p].end = relocation;
    }
    size_t *order = pages_order(story);
    for (size_t i = 0; i < memory->page_count && i < PAGES_LISTED; i++)
        json_object_array_add(list, page_json(story, order[i], pieces[order[i]], relocations[order[i]]));
    free(order);
    free(pieces);
    free(relocations);
    return list;
}

static struct json_object *object_json(const struct collection *collection, const struct tally *tally, size_t index) {
    const struct object *file = &collection->snapshot.objects[index];
    struct json_object *object = json_object_new_object(), *names = json_object_new_object();
    struct places places = { 0 };
    struct why_memory memory;
    struct story story;
    bool judged = file->file && places_read(file->file, file->file_len, file->path, &places);
    copies_read(collection, (uint32_t)index, judged ? &places : NULL, every_page, NULL, NULL, &memory);
    story_make(&story, collection, tally, &memory);
    put_text(object, "path", file->path);
    put(object, "copies", story.frames);
    put(object, "pages_private", memory.page_count);
    put_text(names, "by", debuginfo_how_name(debuginfo_how(story.debuginfo)));
    put_text(names, "source", debuginfo_source(story.debuginfo));
    put_text(names, "problem", debuginfo_problem(story.debuginfo));
    json_object_object_add(object, "names", names);
    json_object_object_add(object, "pages", pages_json(&story));
    story_free(&story);
    copies_free(&memory);
    places_free(&places);
    return object;
}

/* ---- all ---- */

struct private_object { size_t index; uint64_t copies; };

static int compare_private(const void *a, const void *b) {
    const struct private_object *x = a, *y = b;
    if (x->copies != y->copies)
        return x->copies > y->copies ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct json_object *why_listing(const struct collection *collection, const struct tally *tally) {
    const struct snapshot *snapshot = &collection->snapshot;
    struct private_object *list = must_alloc(snapshot->object_count + 1, sizeof *list);
    size_t count = 0, listed = 0;
    for (size_t i = 0; i < snapshot->object_count; i++)
        if (tally->objects[i].private_copies && snapshot->objects[i].kind == OBJECT_ELF)
            list[count++] = (struct private_object){ i, tally->objects[i].private_copies };
    qsort(list, count, sizeof *list, compare_private);
    struct json_object *listing = json_object_new_object(), *objects = json_object_new_array();
    double end = seconds() + SECONDS;
    while (listed < count && listed < OBJECTS_LISTED && seconds() < end)
        json_object_array_add(objects, object_json(collection, tally, list[listed++].index));
    json_object_object_add(listing, "objects", objects);
    put(listing, "objects_left_out", count - listed);
    put(listing, "objects_most", OBJECTS_LISTED);
    put(listing, "pages_most", PAGES_LISTED);
    free(list);
    return listing;
}
