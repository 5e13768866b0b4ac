/* story.c - from written bytes and relocated places to variables: one question for each run of bytes, one call for all of them. */
#include "../ldr.h"
#include "why.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAGE_BYTES = CAUSE_WORDS * 8 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- questions ---- */

struct questions {
    struct debuginfo_question *list;
    uint32_t *page; /* of each */
    size_t count, room;
    size_t written; /* the first so many are about written bytes, the others about places, in the places' order */
};

static void add_question(struct questions *questions, uint64_t vaddr, uint32_t len, size_t page) {
    if (questions->count == questions->room) {
        questions->room = questions->room * 2 + 1024;
        questions->list = must_grow(questions->list, questions->room, sizeof *questions->list);
        questions->page = must_grow(questions->page, questions->room, sizeof *questions->page);
    }
    questions->page[questions->count] = (uint32_t)page;
    questions->list[questions->count++] = (struct debuginfo_question){ .vaddr = vaddr, .len = len };
}

/* For each word of a page the bytes of it that differ in any copy. */
static void written_bytes(const struct why_page *page, uint8_t any[CAUSE_WORDS]) {
    memset(any, 0, CAUSE_WORDS);
    for (size_t c = 0; c < page->copy_count; c++) {
        const uint8_t *mask = page->copies[c].masks;
        for (size_t group = 0; mask && group < CAUSE_WORDS / 64; group++)
            for (uint64_t left = page->copies[c].written[group]; left; left &= left - 1)
                any[group * 64 + (size_t)__builtin_ctzll(left)] |= *mask++;
    }
}

/* One question for each word: in halves, because a value is written as a whole though only some of its bytes may differ (a
 * pointer's high bytes are mostly zero), and nothing smaller can be told apart where only a symbol or section is known. What is
 * asked for and turns out not to be written is left out later. */
static void ask_about_writes(struct questions *questions, const struct why_memory *memory) {
    uint8_t any[CAUSE_WORDS];
    for (size_t p = 0; p < memory->page_count; p++) {
        written_bytes(&memory->pages[p], any);
        for (uint32_t word = 0; word < CAUSE_WORDS; word++) {
            uint64_t vaddr = memory->pages[p].vaddr + word * 8;
            bool low = any[word] & 0x0f, high = any[word] & 0xf0;
            if (low || high)
                add_question(questions, low ? vaddr : vaddr + 4, low && high ? 8 : 4, p);
        }
    }
    questions->written = questions->count;
}

static size_t page_index(const struct why_memory *memory, uint64_t vaddr) {
    uint64_t page = vaddr & ~(PAGE_LEN - 1);
    size_t low = 0, high = memory->page_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memory->pages[middle].vaddr < page)
            low = middle + 1;
        else
            high = middle;
    }
    return low < memory->page_count && memory->pages[low].vaddr == page ? low : SIZE_MAX;
}

static void ask_about_places(struct questions *questions, struct story *story) {
    const struct place_list *places = &story->places;
    story->relocations = must_alloc(places->count, sizeof *story->relocations);
    for (size_t i = 0, page = SIZE_MAX; i < places->count; i++) {
        const struct place *place = &places->list[i];
        if (page == SIZE_MAX || story->memory->pages[page].vaddr != (place->vaddr & ~(PAGE_LEN - 1)))
            page = page_index(story->memory, place->vaddr);
        if (page == SIZE_MAX)
            continue; /* on a page that nobody has a copy of */
        story->relocations[story->relocation_count++] = (struct why_relocation){ .place = place, .page = (uint32_t)page,
                                                                                 .variable = UINT32_MAX, .spot = { NO_SPOT, 0 } };
        add_question(questions, place->vaddr, place->len < 8 ? place->len : 8, page);
    }
}

/* ---- variables ---- */

/* What an answer is part of. Of a section nothing smaller is known: then what was written is one run of bytes, by its address,
 * and all places of the section are one. */
struct key { enum debuginfo_how how; uint64_t vaddr, len; const char *name; };

static struct key key_of(const struct debuginfo_answer *answer, bool written) {
    if (answer->how == DEBUGINFO_SECTION && written)
        return (struct key){ answer->how, answer->vaddr, answer->len, answer->name };
    return (struct key){ answer->how, answer->whole_vaddr, answer->whole_len, answer->name };
}

struct keyed { struct key key; const struct debuginfo_answer *answer; size_t answer_index; bool written; };

static int compare_keyed(const void *a, const void *b) {
    const struct keyed *x = a, *y = b;
    if (x->key.vaddr != y->key.vaddr)
        return x->key.vaddr < y->key.vaddr ? -1 : 1;
    if (x->key.len != y->key.len)
        return x->key.len < y->key.len ? -1 : 1;
    if (x->key.how != y->key.how)
        return x->key.how < y->key.how ? -1 : 1;
    int order = strcmp(x->key.name, y->key.name);
    if (order)
        return order;
    return x->answer_index < y->answer_index ? -1 : x->answer_index > y->answer_index;
}

static bool same_key(const struct key *a, const struct key *b) {
    return a->vaddr == b->vaddr && a->len == b->len && a->how == b->how && strcmp(a->name, b->name) == 0;
}

/* One variable for each key; VARIABLE_OF by answer. */
static void make_variables(struct story *story, const struct questions *questions, uint32_t *variable_of) {
    const struct debuginfo_answers *answers = &story->answers;
    struct keyed *keyed = must_alloc(answers->count, sizeof *keyed);
    for (size_t i = 0; i < answers->count; i++) {
        const struct debuginfo_answer *answer = &answers->list[i];
        bool written = answer->question < questions->written;
        keyed[i] = (struct keyed){ key_of(answer, written), answer, i, written };
    }
    if (answers->count > 1)
        qsort(keyed, answers->count, sizeof *keyed, compare_keyed);
    story->variables = must_alloc(answers->count, sizeof *story->variables);
    for (size_t i = 0; i < answers->count; i++) {
        if (i == 0 || !same_key(&keyed[i].key, &keyed[i - 1].key)) {
            const struct debuginfo_section *section = debuginfo_section_at(story->debuginfo, keyed[i].answer->vaddr);
            story->variables[story->variable_count++] = (struct why_variable){
                .answer = keyed[i].answer, .vaddr = keyed[i].key.vaddr,
                .len = keyed[i].key.how == DEBUGINFO_SECTION ? 0 : keyed[i].key.len, .section = section ? section->name : "",
                .first_page = UINT32_MAX };
        }
        variable_of[keyed[i].answer_index] = (uint32_t)(story->variable_count - 1);
        struct why_variable *variable = &story->variables[story->variable_count - 1];
        uint32_t page = questions->page[keyed[i].answer->question];
        if (page < variable->first_page)
            variable->first_page = page;
        if (page > variable->last_page)
            variable->last_page = page;
    }
    free(keyed);
}

/* ---- pieces ---- */

static int compare_pieces(const void *a, const void *b) {
    const struct why_piece *x = a, *y = b;
    if (x->answer->vaddr != y->answer->vaddr)
        return x->answer->vaddr < y->answer->vaddr ? -1 : 1;
    if (x->answer->len != y->answer->len)
        return x->answer->len < y->answer->len ? -1 : 1;
    return x->page < y->page ? -1 : x->page > y->page;
}

/* The written answers, each piece once although several questions may have met it. */
static void make_pieces(struct story *story, const struct questions *questions, const uint32_t *variable_of) {
    const struct debuginfo_answers *answers = &story->answers;
    story->pieces = must_alloc(answers->count, sizeof *story->pieces);
    for (size_t i = 0; i < answers->count; i++)
        if (answers->list[i].question < questions->written)
            story->pieces[story->piece_count++] = (struct why_piece){
                .answer = &answers->list[i], .variable = variable_of[i], .page = questions->page[answers->list[i].question] };
    if (story->piece_count > 1)
        qsort(story->pieces, story->piece_count, sizeof *story->pieces, compare_pieces);
    size_t kept = 0;
    for (size_t i = 0; i < story->piece_count; i++)
        if (kept == 0 || story->pieces[kept - 1].answer->vaddr != story->pieces[i].answer->vaddr ||
            story->pieces[kept - 1].answer->len != story->pieces[i].answer->len ||
            story->pieces[kept - 1].variable != story->pieces[i].variable)
            story->pieces[kept++] = story->pieces[i];
    story->piece_count = kept;
}

enum { NO_PIECE = UINT32_MAX };

/* Which piece each byte of a page belongs to. The next page's search goes on from *first. */
static void map_page(const struct story *story, const struct why_page *page, size_t *first, uint32_t *piece_at) {
    for (size_t i = 0; i < PAGE_BYTES; i++)
        piece_at[i] = NO_PIECE;
    while (*first < story->piece_count && story->pieces[*first].answer->vaddr + story->pieces[*first].answer->len <= page->vaddr)
        ++*first;
    for (size_t i = *first; i < story->piece_count; i++) {
        const struct debuginfo_answer *answer = story->pieces[i].answer;
        if (answer->vaddr >= page->vaddr + PAGE_BYTES)
            break;
        uint64_t from = answer->vaddr < page->vaddr ? page->vaddr : answer->vaddr, end = answer->vaddr + answer->len;
        for (uint64_t at = from; at < end && at < page->vaddr + PAGE_BYTES; at++)
            piece_at[at - page->vaddr] = (uint32_t)i;
    }
}

struct marks {
    uint64_t *pieces, *variables; /* owners that wrote each, a row of bits; */
    size_t row;                   /* of so many words */
    uint32_t *last_copy;          /* by variable: the copy it was met in last, + 1 */
    uint32_t copy;
};

static void mark(uint64_t *bits, size_t row, uint32_t which, uint32_t owner) { bits[which * row + owner / 64] |= UINT64_C(1) << owner % 64; }

static uint32_t marked(const uint64_t *bits, size_t row, uint32_t which) {
    uint32_t count = 0;
    for (size_t i = 0; i < row; i++)
        count += (uint32_t)__builtin_popcountll(bits[which * row + i]);
    return count;
}

static void look_at_copy(struct story *story, struct marks *marks, const struct why_copy *copy, const uint32_t *piece_at) {
    const uint8_t *mask = copy->masks;
    uint32_t met = 0, last_met = NO_PIECE;
    marks->copy++;
    for (size_t group = 0; mask && group < CAUSE_WORDS / 64; group++)
        for (uint64_t left = copy->written[group]; left; left &= left - 1, mask++) {
            size_t word = group * 64 + (size_t)__builtin_ctzll(left);
            uint32_t last = NO_PIECE;
            for (unsigned bits = *mask; bits; bits &= bits - 1) {
                uint32_t piece = piece_at[word * 8 + (unsigned)__builtin_ctz(bits)];
                if (piece == NO_PIECE || piece == last)
                    continue;
                last = piece;
                uint32_t variable = story->pieces[piece].variable;
                mark(marks->pieces, marks->row, piece, copy->owner);
                if (marks->last_copy[variable] == marks->copy)
                    continue;
                marks->last_copy[variable] = marks->copy;
                mark(marks->variables, marks->row, variable, copy->owner);
                story->variables[variable].written_copies += copy->counts;
                met++;
                last_met = variable;
            }
        }
    if (met == 1 && copy->cause == CAUSE_WRITE)
        story->variables[last_met].alone_copies += copy->counts;
}

/* The bytes of the word at VADDR that are the piece's, one bit each. */
static unsigned piece_bytes(const struct debuginfo_answer *answer, uint64_t vaddr) {
    unsigned bytes = 0;
    for (unsigned i = 0; i < 8; i++)
        bytes |= (unsigned)(vaddr + i >= answer->vaddr && vaddr + i - answer->vaddr < answer->len) << i;
    return bytes;
}

/* Is it the same in all copies? From the words it lies in. */
static void judge_values(struct story *story, const struct why_page *page, const uint8_t any[CAUSE_WORDS], const uint32_t *piece_at) {
    for (size_t word = 0; word < CAUSE_WORDS; word++) {
        if (!any[word])
            continue;
        const struct why_word *known = &page->words[word];
        for (unsigned byte = 0; byte < 8; byte++) {
            uint32_t index = piece_at[word * 8 + byte];
            if (!(any[word] >> byte & 1) || index == NO_PIECE)
                continue;
            struct why_piece *piece = &story->pieces[index];
            const struct debuginfo_answer *answer = piece->answer;
            uint64_t vaddr = page->vaddr + word * 8;
            bool whole = answer->vaddr <= vaddr && answer->vaddr + answer->len >= vaddr + 8;
            piece->bytes++;
            /* any byte of the piece: those that are as the linker left them differ too where the linker's value does */
            if (known->vary & piece_bytes(answer, vaddr)) {
                enum why_value value = whole && !known->spots_vary ? VALUE_SAME_PLACE : VALUE_DIFFERENT;
                if (value > piece->value)
                    piece->value = value;
            }
            if (answer->vaddr >= vaddr && answer->vaddr + answer->len <= vaddr + 8) {
                unsigned shift = (unsigned)(answer->vaddr - vaddr) * 8;
                uint64_t bits = answer->len == 8 ? UINT64_MAX : (UINT64_C(1) << answer->len * 8) - 1;
                piece->has_value = true;
                piece->now = known->value >> shift & bits;
                piece->linked = known->linked >> shift & bits;
                piece->now_spot = piece->linked_spot = (struct spot){ NO_SPOT, 0 };
                if (answer->len == 8) {
                    piece->now_spot = known->spot;
                    piece->linked_spot = known->linked_spot;
                }
            }
        }
    }
}

/* Pieces that were asked for with their neighbours. */
static void drop_unwritten(struct story *story) {
    size_t kept = 0;
    for (size_t i = 0; i < story->piece_count; i++)
        if (story->pieces[i].processes)
            story->pieces[kept++] = story->pieces[i];
    story->piece_count = kept;
}

static void look_at_pages(struct story *story) {
    const struct why_memory *memory = story->memory;
    uint32_t *piece_at = must_alloc(PAGE_BYTES, sizeof *piece_at);
    struct marks marks = { .row = story->collection->snapshot.owner_count / 64 + 1 };
    marks.pieces = must_alloc(story->piece_count * marks.row, sizeof *marks.pieces);
    marks.variables = must_alloc(story->variable_count * marks.row, sizeof *marks.variables);
    marks.last_copy = must_alloc(story->variable_count, sizeof *marks.last_copy);
    size_t first = 0;
    for (size_t p = 0; p < memory->page_count; p++) {
        const struct why_page *page = &memory->pages[p];
        uint8_t any[CAUSE_WORDS];
        map_page(story, page, &first, piece_at);
        for (size_t c = 0; c < page->copy_count; c++)
            look_at_copy(story, &marks, &page->copies[c], piece_at);
        written_bytes(page, any);
        if (page->words)
            judge_values(story, page, any, piece_at);
    }
    for (size_t i = 0; i < story->piece_count; i++) {
        struct why_piece *piece = &story->pieces[i];
        struct why_variable *variable = &story->variables[piece->variable];
        piece->processes = marked(marks.pieces, marks.row, (uint32_t)i);
        variable->bytes += piece->bytes;
        if (piece->value > variable->value)
            variable->value = piece->value;
    }
    for (size_t i = 0; i < story->variable_count; i++)
        story->variables[i].processes = marked(marks.variables, marks.row, (uint32_t)i);
    drop_unwritten(story);
    free(marks.pieces);
    free(marks.variables);
    free(marks.last_copy);
    free(piece_at);
}

/* ---- relocations ---- */

static bool word_bit(const uint64_t bits[CAUSE_WORDS / 64], size_t word) { return bits[word / 64] >> word % 64 & 1; }

static void name_relocations(struct story *story, const struct questions *questions, const uint32_t *variable_of) {
    const struct debuginfo_answers *answers = &story->answers;
    size_t answer = 0;
    for (size_t i = 0; i < story->relocation_count; i++) {
        struct why_relocation *relocation = &story->relocations[i];
        while (answer < answers->count && answers->list[answer].question < questions->written + i)
            answer++;
        if (answer < answers->count && answers->list[answer].question == questions->written + i) {
            relocation->answer = &answers->list[answer];
            relocation->variable = variable_of[answer];
            story->variables[relocation->variable].relocations++;
        }
        const struct why_page *page = &story->memory->pages[relocation->page];
        size_t word = (relocation->place->vaddr - page->vaddr) / 8;
        if (relocation->place->kind == PLACE_RELOCATION && !relocation->place->relative && relocation->place->vaddr % 8 == 0 &&
            page->words && page->words[word].copies) {
            relocation->bound = true;
            relocation->spot = page->words[word].spot;
            relocation->spots_vary = page->words[word].spots_vary;
        }
    }
    /* copies that a variable's relocations took effect in: each once */
    uint32_t *last = must_alloc(story->variable_count, sizeof *last), copy_number = 0;
    for (size_t i = 0, end; i < story->relocation_count; i = end) {
        const struct why_page *page = &story->memory->pages[story->relocations[i].page];
        for (end = i; end < story->relocation_count && story->relocations[end].page == story->relocations[i].page; end++)
            ;
        for (size_t c = 0; c < page->copy_count; c++) {
            copy_number++;
            if (!page->copies[c].counts)
                continue;
            for (size_t r = i; r < end; r++) {
                uint32_t variable = story->relocations[r].variable;
                if (variable == UINT32_MAX || last[variable] == copy_number ||
                    !word_bit(page->copies[c].relocated, (story->relocations[r].place->vaddr - page->vaddr) / 8))
                    continue;
                last[variable] = copy_number;
                story->variables[variable].relocated_copies++;
            }
        }
    }
    free(last);
}

void story_targets(struct story *story) {
    const struct snapshot *snapshot = &story->collection->snapshot;
    if (story->targets)
        return;
    story->targets = must_alloc(snapshot->object_count, sizeof *story->targets);
    for (size_t o = 0; o < snapshot->object_count; o++) {
        struct debuginfo_question *questions = NULL;
        size_t *which = NULL, count = 0, room = 0;
        for (size_t i = 0; i < story->relocation_count; i++) {
            const struct why_relocation *relocation = &story->relocations[i];
            if (!relocation->bound || relocation->spots_vary || relocation->spot.object != o)
                continue;
            if (count == room) {
                room = room * 2 + 256;
                questions = must_grow(questions, room, sizeof *questions);
                which = must_grow(which, room, sizeof *which);
            }
            which[count] = i;
            questions[count++] = (struct debuginfo_question){ relocation->spot.vaddr, 1, relocation->place->symbol };
        }
        if (count && snapshot->objects[o].file) {
            struct debuginfo *info = debuginfo_open(snapshot->objects[o].file, snapshot->objects[o].file_len, snapshot->objects[o].path);
            debuginfo_limit(info, DEBUGINFO_SYMBOL);
            debuginfo_ask(info, questions, count, &story->targets[o]);
            for (size_t a = 0; a < story->targets[o].count; a++) {
                const struct debuginfo_answer *answer = &story->targets[o].list[a];
                story->relocations[which[answer->question]].target = answer->name;
                story->relocations[which[answer->question]].target_path = answer->path;
            }
            debuginfo_close(info);
        }
        free(questions);
        free(which);
    }
}

/* ---- all ---- */

void story_make(struct story *story, const struct collection *collection, const struct tally *tally, const struct why_memory *memory) {
    const struct object *object = &collection->snapshot.objects[memory->object];
    *story = (struct story){ .collection = collection, .memory = memory };
    double start = now();
    story->debuginfo = debuginfo_open(object->file, object->file ? object->file_len : 0, object->path);
    if (object->file && !memory->refused)
        places_list(object->file, object->file_len, object->path, &story->places);
    struct questions questions = { 0 };
    ask_about_writes(&questions, memory);
    ask_about_places(&questions, story);
    debuginfo_ask(story->debuginfo, questions.list, questions.count, &story->answers);
    story->named_s = now() - start;
    uint32_t *variable_of = must_alloc(story->answers.count, sizeof *variable_of);
    make_variables(story, &questions, variable_of);
    make_pieces(story, &questions, variable_of);
    look_at_pages(story);
    name_relocations(story, &questions, variable_of);
    for (size_t p = 0; p < memory->page_count; p++) {
        const struct why_page *page = &memory->pages[p];
        story->frames += page->frames;
        for (size_t cause = 0; cause < CAUSES; cause++)
            story->causes[cause] += page->causes[cause];
        for (size_t c = 0; c < page->copy_count; c++)
            story->shared_frames += page->copies[c].counts && page->copies[c].shared;
    }
    story_sections(story);
    story_savings(story);
    story_shared(story, tally);
    story_writers(story);
    free(variable_of);
    free(questions.list);
    free(questions.page);
}

void story_free(struct story *story) {
    for (size_t o = 0; story->targets && o < story->collection->snapshot.object_count; o++)
        debuginfo_answers_free(&story->targets[o]);
    free(story->targets);
    for (size_t o = 0; story->writer_answers && o < story->collection->snapshot.object_count; o++)
        debuginfo_answers_free(&story->writer_answers[o]);
    free(story->writer_answers);
    free(story->writers);
    debuginfo_answers_free(&story->answers);
    debuginfo_close(story->debuginfo);
    free(story->places.list);
    free(story->pieces);
    free(story->variables);
    free(story->sections);
    free(story->relocations);
    free(story->savings.variables);
    free(story->won);
    free(story->shared_won);
    *story = (struct story){ 0 };
}
