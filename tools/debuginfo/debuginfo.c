/* debuginfo.c - from questions to answers: DWARF in the child, then symbols in the child, then sections here.
 *
 * What the child sends: one byte, whether something was in a .dwo file; for each answer its numbers (struct wire) and five strings with
 * their NUL. It is checked as any file is. */
#include "../ldr.h"
#include "parts.h"

#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct debuginfo {
    struct objfile file, debug, shared; /* elf NULL: there is none */
    const struct objfile *dwarf;        /* the one with .debug_info, NULL: none */
    const struct objfile *symbols;      /* the one with the symbol table, NULL: none */
    uint32_t symbol_type;
    struct debuginfo_section *sections;
    size_t section_count;
    enum debuginfo_how how;
    char *problem;
};

const char *debuginfo_how_name(enum debuginfo_how how) {
    static const char *const names[] = { "section", "symbol", "dwarf" };
    return names[how];
}

/* ---- opening ---- */

static int compare_sections(const void *a, const void *b) {
    const struct debuginfo_section *x = a, *y = b;
    return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

/* Linked files have some forty; a hostile one may have any number, and every address is looked for in all of them. */
enum { SECTIONS_MAX = 1000 };

static void read_sections(struct debuginfo *debuginfo) {
    for (Elf_Scn *section = NULL;
         debuginfo->file.elf && debuginfo->section_count < SECTIONS_MAX && (section = elf_nextscn(debuginfo->file.elf, section)); ) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_ALLOC) || header.sh_size == 0 ||
            header.sh_addr > UINT64_MAX - header.sh_size || (header.sh_flags & SHF_TLS && header.sh_type == SHT_NOBITS))
            continue;
        const char *name = elf_strptr(debuginfo->file.elf, debuginfo->file.names, header.sh_name);
        debuginfo->sections = must_grow(debuginfo->sections, debuginfo->section_count + 1, sizeof *debuginfo->sections);
        debuginfo->sections[debuginfo->section_count++] = (struct debuginfo_section){
            .name = must_format("%s", name ? name : "?"), .vaddr = header.sh_addr, .len = header.sh_size,
            .writable = header.sh_flags & SHF_WRITE, .executable = header.sh_flags & SHF_EXECINSTR,
            .has_bytes = header.sh_type != SHT_NOBITS,
            .fixed = (header.sh_type != SHT_PROGBITS && header.sh_type != SHT_NOBITS) || header.sh_flags & SHF_EXECINSTR ||
                     (name && (strncmp(name, ".got", 4) == 0 || strncmp(name, ".plt", 4) == 0)) };
        make_printable(debuginfo->sections[debuginfo->section_count - 1].name);
    }
    if (debuginfo->section_count > 1)
        qsort(debuginfo->sections, debuginfo->section_count, sizeof *debuginfo->sections, compare_sections);
}

static bool has_dwarf(const struct objfile *file) {
    return file->elf && (objfile_has(file, ".debug_info") || objfile_has(file, ".zdebug_info"));
}

struct debuginfo *debuginfo_open(const void *bytes, size_t len, const char *path) {
    struct debuginfo *debuginfo = must_alloc(1, sizeof *debuginfo);
    char *why = NULL;
    if (!objfile_open(&debuginfo->file, bytes, len, path)) {
        debuginfo->problem = must_format("%s is no 64-bit ELF file that can be read", path);
        return debuginfo;
    }
    read_sections(debuginfo);
    if (has_dwarf(&debuginfo->file))
        debuginfo->dwarf = &debuginfo->file;
    else if (find_debug_file(&debuginfo->file, &debuginfo->debug, &why) && has_dwarf(&debuginfo->debug))
        debuginfo->dwarf = &debuginfo->debug;
    const struct { const struct objfile *file; uint32_t type; } tables[] = {
        { &debuginfo->debug, SHT_SYMTAB }, { &debuginfo->file, SHT_SYMTAB }, { &debuginfo->file, SHT_DYNSYM } };
    for (size_t i = 0; i < sizeof tables / sizeof *tables && !debuginfo->symbols; i++)
        if (symtab_exists(tables[i].file, tables[i].type)) {
            debuginfo->symbols = tables[i].file;
            debuginfo->symbol_type = tables[i].type;
        }
    debuginfo->how = debuginfo->dwarf ? DEBUGINFO_DWARF : debuginfo->symbols ? DEBUGINFO_SYMBOL : DEBUGINFO_SECTION;
    if (debuginfo->dwarf)
        find_shared_file(debuginfo->dwarf, &debuginfo->shared, &why);
    if (debuginfo->how != DEBUGINFO_DWARF || (debuginfo->dwarf && !debuginfo->shared.elf && why && objfile_has(debuginfo->dwarf, ".gnu_debugaltlink")))
        debuginfo->problem = why;
    else
        free(why);
    return debuginfo;
}

void debuginfo_close(struct debuginfo *debuginfo) {
    if (!debuginfo)
        return;
    objfile_close(&debuginfo->file);
    objfile_close(&debuginfo->debug);
    objfile_close(&debuginfo->shared);
    for (size_t i = 0; i < debuginfo->section_count; i++)
        free(debuginfo->sections[i].name);
    free(debuginfo->sections);
    free(debuginfo->problem);
    free(debuginfo);
}

const struct debuginfo_section *debuginfo_sections(const struct debuginfo *debuginfo, size_t *count) {
    *count = debuginfo->section_count;
    return debuginfo->sections;
}

const struct debuginfo_section *debuginfo_section_at(const struct debuginfo *debuginfo, uint64_t vaddr) {
    /* sections of hostile files may overlap: the last that begins before and holds it */
    for (size_t i = debuginfo->section_count; i-- > 0; )
        if (vaddr >= debuginfo->sections[i].vaddr && vaddr - debuginfo->sections[i].vaddr < debuginfo->sections[i].len)
            return &debuginfo->sections[i];
    return NULL;
}

enum debuginfo_how debuginfo_how(const struct debuginfo *debuginfo) { return debuginfo->how; }
const char *debuginfo_problem(const struct debuginfo *debuginfo) { return debuginfo->problem ? debuginfo->problem : ""; }
const char *debuginfo_source(const struct debuginfo *debuginfo) {
    const struct objfile *file = debuginfo->how == DEBUGINFO_DWARF ? debuginfo->dwarf
                               : debuginfo->how == DEBUGINFO_SYMBOL ? debuginfo->symbols : &debuginfo->file;
    return file->path ? file->path : "";
}

void debuginfo_limit(struct debuginfo *debuginfo, enum debuginfo_how how) {
    if (how < debuginfo->how)
        debuginfo->how = how;
}

/* ---- the child's side ---- */

struct wire {
    uint64_t question, vaddr, len, whole_vaddr, whole_len;
    uint32_t line, how;
};
enum { WIRE_STRINGS = 5 };

void outbox_put(struct outbox *outbox, const struct debuginfo_answer *answer) {
    struct wire wire = { answer->question, answer->vaddr, answer->len, answer->whole_vaddr, answer->whole_len, answer->line, answer->how };
    const char *const strings[WIRE_STRINGS] = { answer->name, answer->type, answer->path, answer->piece_type, answer->file };
    size_t len = sizeof wire;
    for (size_t i = 0; i < WIRE_STRINGS; i++)
        len += strlen(strings[i]) + 1;
    if (outbox->room - outbox->len < len) {
        while (outbox->room - outbox->len < len)
            outbox->room = outbox->room * 2 + 4096;
        outbox->bytes = must_grow(outbox->bytes, outbox->room, 1);
    }
    memcpy(outbox->bytes + outbox->len, &wire, sizeof wire);
    outbox->len += sizeof wire;
    for (size_t i = 0; i < WIRE_STRINGS; i++) {
        size_t string = strlen(strings[i]) + 1;
        memcpy(outbox->bytes + outbox->len, strings[i], string);
        outbox->len += string;
    }
}

size_t asked_from(const struct asked *asked, uint64_t vaddr) {
    uint64_t from = vaddr < DEBUGINFO_LEN_MAX ? 0 : vaddr - (DEBUGINFO_LEN_MAX - 1);
    size_t low = 0, high = asked->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (asked->questions[asked->order[middle]].vaddr < from)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < asked->count; low++) {
        const struct debuginfo_question *question = &asked->questions[asked->order[low]];
        if (question->vaddr >= vaddr || question->vaddr + question_len(question) > vaddr)
            break;
    }
    return low;
}

struct task {
    const struct debuginfo *debuginfo;
    const struct debuginfo_question *questions;
    size_t count;
    enum debuginfo_how how; /* the best to be tried */
    bool code;
};

static bool is_answered(const struct asked *asked, size_t index, uint32_t byte) { return asked->answered[index] >> byte & 1; }

static void answer_by_section(struct asked *asked, const struct debuginfo *debuginfo, size_t index, uint32_t from, uint32_t to) {
    const struct debuginfo_question *question = &asked->questions[index];
    uint64_t vaddr = question->vaddr + from;
    const struct debuginfo_section *section = debuginfo_section_at(debuginfo, vaddr);
    char path[32] = "";
    if (section)
        snprintf(path, sizeof path, "+0x%" PRIx64, vaddr - section->vaddr);
    outbox_put(asked->outbox, &(struct debuginfo_answer){
        .question = index, .how = DEBUGINFO_SECTION, .vaddr = vaddr, .len = to - from, .whole_vaddr = section ? section->vaddr : 0,
        .whole_len = section ? section->len : 0, .name = section ? section->name : "", .type = "", .path = path, .piece_type = "",
        .file = "" });
}

/* What DWARF left open: symbols, then sections, for the bytes FROM..TO of a question. */
static void complete(struct asked *asked, const struct debuginfo *debuginfo, const struct symtab *symtab, size_t index,
                     uint32_t from, uint32_t to, bool code) {
    const struct debuginfo_question *question = &asked->questions[index];
    for (uint32_t byte = from, next; byte < to; byte = next) {
        uint64_t vaddr = question->vaddr + byte;
        const struct symbol *symbol = symtab ? symtab_at(symtab, vaddr, question->prefer) : NULL;
        if (!symbol) {
            for (next = byte + 1; next < to && !(symtab && symtab_at(symtab, question->vaddr + next, NULL)); next++)
                ;
            answer_by_section(asked, debuginfo, index, byte, next);
            continue;
        }
        uint64_t end = symbol->vaddr + symbol->len;
        next = end <= vaddr ? byte + 1 : end - question->vaddr < to ? (uint32_t)(end - question->vaddr) : to;
        if (code)
            next = to;
        char path[32] = "", *whole = demangle(symbol->name);
        if (vaddr != symbol->vaddr)
            snprintf(path, sizeof path, "+0x%" PRIx64, vaddr - symbol->vaddr);
        outbox_put(asked->outbox, &(struct debuginfo_answer){
            .question = index, .how = DEBUGINFO_SYMBOL, .vaddr = vaddr, .len = next - byte, .whole_vaddr = symbol->vaddr,
            .whole_len = symbol->len, .name = whole ? whole : symbol->name, .type = "", .path = path, .piece_type = "", .file = "" });
        free(whole);
    }
}

static const struct debuginfo_question *sorted; /* for qsort, in a process that does one thing */
static int compare_questions(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    if (sorted[x].vaddr != sorted[y].vaddr)
        return sorted[x].vaddr < sorted[y].vaddr ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* The first byte of what the child sends: what it could not read. */
enum { GAP_SPLIT = 1, GAP_PACKED = 2 };

static void answer_all(void *argument, struct outbox *outbox) {
    const struct task *task = argument;
    bool split = false, packed = false;
    outbox->bytes = must_alloc(outbox->room = 4096, 1);
    outbox->len = 1;
    struct asked asked = { .questions = task->questions, .count = task->count, .outbox = outbox };
    asked.order = must_alloc(task->count, sizeof *asked.order);
    asked.answered = must_alloc(task->count, sizeof *asked.answered);
    for (size_t i = 0; i < task->count; i++)
        asked.order[i] = i;
    sorted = task->questions;
    if (task->count > 1)
        qsort(asked.order, task->count, sizeof *asked.order, compare_questions);
    struct session session = { 0 };
    struct symtab symtab;
    bool symbols = task->how >= DEBUGINFO_SYMBOL && task->debuginfo->symbols &&
                   symtab_read(task->debuginfo->symbols, task->debuginfo->symbol_type, &symtab);
    bool dwarf = task->how == DEBUGINFO_DWARF && session_start(&session, task->debuginfo->dwarf, &task->debuginfo->shared);
    packed = session.packed;
    if (dwarf) {
        session.symbols = symbols ? &symtab : NULL;
        (task->code ? functions_answer : variables_answer)(&session, &asked);
        split = session.split && task->code;
    }
    for (size_t i = 0; i < task->count; i++) {
        uint32_t len = question_len(&task->questions[i]);
        for (uint32_t byte = 0, end; byte < len; byte = end) {
            for (end = byte; end < len && !is_answered(&asked, i, end); end++)
                ;
            split |= end > byte && dwarf && session.split;
            if (end > byte)
                complete(&asked, task->debuginfo, symbols ? &symtab : NULL, i, byte, end, task->code);
            else
                end++;
        }
    }
    if (symbols)
        symtab_free(&symtab);
    outbox->bytes[0] = (char)((split ? GAP_SPLIT : 0) | (packed ? GAP_PACKED : 0));
    free(asked.order);
    free(asked.answered);
}

/* ---- the parent's side ---- */

static bool take_string(char *bytes, size_t len, size_t *at, const char **string) {
    char *end = memchr(bytes + *at, '\0', len - *at);
    if (!end)
        return false;
    make_printable(bytes + *at);
    *string = bytes + *at;
    *at = (size_t)(end - bytes) + 1;
    return true;
}

static int compare_answers(const void *a, const void *b) {
    const struct debuginfo_answer *x = a, *y = b;
    if (x->question != y->question)
        return x->question < y->question ? -1 : 1;
    return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

/* Takes BYTES. False when it is not what an honest child sends. */
static bool decode(char *bytes, size_t len, const struct task *task, struct debuginfo_answers *answers, int *gaps) {
    size_t room = 0;
    *answers = (struct debuginfo_answers){ .text = bytes };
    *gaps = len ? *bytes : 0;
    for (size_t at = 1; at < len; ) {
        struct wire wire;
        struct debuginfo_answer answer = { 0 };
        if (len - at < sizeof wire)
            goto refuse;
        memcpy(&wire, bytes + at, sizeof wire);
        at += sizeof wire;
        if (wire.question >= task->count || wire.how > DEBUGINFO_DWARF || wire.len == 0 ||
            wire.vaddr > UINT64_MAX - (wire.len - 1))
            goto refuse;
        const struct debuginfo_question *question = &task->questions[wire.question];
        /* a piece that touches nothing of its question */
        if (wire.vaddr > question->vaddr + (question_len(question) - 1) || wire.vaddr + (wire.len - 1) < question->vaddr)
            goto refuse;
        const char *strings[WIRE_STRINGS];
        for (size_t i = 0; i < WIRE_STRINGS; i++)
            if (!take_string(bytes, len, &at, &strings[i]))
                goto refuse;
        answer = (struct debuginfo_answer){ wire.question, wire.how, wire.vaddr, wire.len, wire.whole_vaddr, wire.whole_len,
                                            strings[0], strings[1], strings[2], strings[3], strings[4], wire.line };
        if (answers->count == room)
            answers->list = must_grow(answers->list, room = room * 2 + 64, sizeof *answers->list);
        answers->list[answers->count++] = answer;
    }
    if (answers->count > 1)
        qsort(answers->list, answers->count, sizeof *answers->list, compare_answers);
    /* every question is answered */
    size_t next = 0;
    for (size_t i = 0; i < answers->count; i++) {
        if (answers->list[i].question > next)
            goto refuse;
        if (answers->list[i].question == next)
            next++;
    }
    if (next == task->count)
        return true;
refuse:
    debuginfo_answers_free(answers);
    return false;
}

static void ask(struct debuginfo *debuginfo, const struct debuginfo_question *questions, size_t count,
                struct debuginfo_answers *answers, bool code) {
    struct task task = { debuginfo, questions, count, debuginfo->how, code };
    *answers = (struct debuginfo_answers){ 0 };
    if (count == 0)
        return;
    for (;; task.how--) {
        char *bytes, *why;
        size_t len;
        int gaps;
        if (task.how == DEBUGINFO_SECTION) { /* nothing of the file is read: no child */
            struct outbox outbox = { 0 };
            answer_all(&task, &outbox);
            bytes = outbox.bytes;
            len = outbox.len;
            why = NULL;
        } else {
            why = child_run(answer_all, &task, &bytes, &len);
        }
        if (!why && decode(bytes, len, &task, answers, &gaps)) {
            if (gaps && !debuginfo->problem)
                debuginfo->problem = must_format(gaps & GAP_PACKED ? "%s has compressed debug sections that cannot be unpacked: damaged, or not by zlib"
                                                                   : "%s has split DWARF: what the compiler put into .dwo files (types, variables, local functions) is not read",
                                                 debuginfo_source(debuginfo));
            return;
        }
        if (task.how == DEBUGINFO_SECTION) /* cannot be: it was answered here */
            return;
        free(debuginfo->problem);
        debuginfo->problem = must_format("%s of %s cannot be read: %s", task.how == DEBUGINFO_DWARF ? "debug information" : "symbols",
                                         debuginfo_source(debuginfo), why ? why : "its answer contradicts itself");
        debuginfo->how = task.how - 1;
        free(why);
    }
}

void debuginfo_ask(struct debuginfo *debuginfo, const struct debuginfo_question *questions, size_t count,
                   struct debuginfo_answers *answers) {
    ask(debuginfo, questions, count, answers, false);
}

void debuginfo_ask_code(struct debuginfo *debuginfo, const struct debuginfo_question *questions, size_t count,
                        struct debuginfo_answers *answers) {
    ask(debuginfo, questions, count, answers, true);
}

void debuginfo_answers_free(struct debuginfo_answers *answers) {
    free(answers->list);
    free(answers->text);
    *answers = (struct debuginfo_answers){ 0 };
}
