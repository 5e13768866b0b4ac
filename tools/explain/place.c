/* place.c - the relocation of one address. PLT entries are read as code: endbr64 or bnd aside they are one jump through the GOT (x86-64
 * psABI "Procedure Linkage Table"). */
#include "place.h"
#include "../ldr.h"
#include "names.h"
#include "sections.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool covers(const struct reloc_record *record, void *arg) {
    struct place *place = arg;
    u64 width = record->kind.width ? record->kind.width : 8;
    const struct image *image = &place->object->image;
    if (record->kind.class == RELOC_COPY && record->symbol < image->sym_limit && image->symtab[record->symbol].st_size)
        width = image->symtab[record->symbol].st_size;
    if (place->vaddr - record->place >= width)
        return true;
    place->record = *record;
    place->found = true;
    return false;
}

enum { PLT_ENTRY = 16 };

/* The GOT word that the PLT entry around `vaddr` jumps through; 0: that is no PLT entry. Entries have 16 bytes, or 8 (.plt.got), and the
 * jump may stand behind an endbr64: the last jump that begins at or before the address counts, else the next. */
static u64 word_of_plt(const struct object *object, u64 vaddr) {
    u64 start = align_down(vaddr, PLT_ENTRY), word = 0;
    const u8 *code = view_at(&object->view, start, PLT_ENTRY);
    for (u32 at = 0; code && at + 6 <= PLT_ENTRY && (!word || start + at <= vaddr); at++)
        if (code[at] == 0xff && code[at + 1] == 0x25) {
            i64 distance = (int)((u32)code[at + 2] | (u32)code[at + 3] << 8 | (u32)code[at + 4] << 16 | (u32)code[at + 5] << 24);
            word = start + at + 6 + (u64)distance;
        }
    return word;
}

static bool is_executable(const struct object *object, u64 vaddr) {
    const struct plan *plan = &object->image.plan;
    for (u32 i = 0; i < plan->seg_count; i++)
        if (vaddr >= plan->seg[i].vaddr && vaddr < plan->seg[i].mem_end)
            return plan->seg[i].prot & PF_X;
    return false;
}

struct place place_find(struct object *object, u64 vaddr) {
    struct place place = { .object = object, .vaddr = vaddr };
    relocs_each(object, covers, &place);
    u64 word = !place.found && is_executable(object, vaddr) ? word_of_plt(object, vaddr) : 0;
    if (word) {
        struct place behind = { .object = object, .vaddr = word };
        relocs_each(object, covers, &behind);
        if (behind.found)
            place = (struct place){ .object = object, .vaddr = vaddr, .in_plt = true, .found = true, .record = behind.record };
    }
    return place;
}

struct object *place_object(const struct session *session, const char *word) {
    for (struct object *object = session->first; object; object = object->next) {
        const char *path = node_path(object_node(object)), *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
        if (!object->is_missing && (object_answers_to(object, word) || strcmp(path, word) == 0 || strcmp(base, word) == 0))
            return object;
    }
    return NULL;
}

/* "0x1234 in .text", with the symbol around it where the dynamic symbol table has one. */
static char *address_text(const struct object *object, u64 vaddr) {
    const struct image *image = &object->image;
    u64 count = image->symtab ? image_symbol_count(image) : 0;
    for (u64 i = 1; i < count; i++) {
        const Elf64_Sym *sym = &image->symtab[i];
        const char *name = sym->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(sym->st_info) != STT_TLS ? image_string(image, sym->st_name) : NULL;
        if (name && (vaddr == sym->st_value || vaddr - sym->st_value < sym->st_size)) {
            char *readable = names_readable(name), *text = must_format("%s + %#llx (%s%s%#llx)", node_path(object_node(object)), (unsigned long long)vaddr, readable,
                                                                      vaddr == sym->st_value ? ", offset " : " + ", (unsigned long long)(vaddr - sym->st_value));
            free(readable);
            return text;
        }
    }
    struct sections sections = sections_read(object_node(object)->file);
    const struct section *section = sections_at(&sections, vaddr);
    char *text = section ? must_format("%s + %#llx (in %s)", node_path(object_node(object)), (unsigned long long)vaddr, section->name)
                         : must_format("%s + %#llx", node_path(object_node(object)), (unsigned long long)vaddr);
    sections_free(&sections);
    return text;
}

char *place_text(const struct place *place, const char **symbol) {
    const struct reloc_record *record = &place->record;
    const char *path = node_path(object_node(place->object)), *type = arch_reloc_name(record->type);
    struct sections sections = sections_read(object_node(place->object)->file);
    const struct section *section = sections_at(&sections, place->vaddr);
    char *where = must_format("%s + %#llx%s%s", path, (unsigned long long)place->vaddr, section ? " in " : "", section ? section->name : ""), *text;
    sections_free(&sections);
    type = type ? type : "a relocation of unknown type";
    *symbol = place->found ? relocs_symbol_name(place->object, record->symbol) : NULL;
    const char *name = *symbol ? *symbol : "its own object, without a symbol";
    if (!place->found) {
        text = must_format("%s: the linker stores nothing here\n  no relocation of %s covers the address\n", where, path);
    } else if (record->kind.class == RELOC_RELATIVE || record->kind.class == RELOC_IRELATIVE) {
        char *target = address_text(place->object, (u64)record->addend);
        text = must_format("%s holds %s %s\n  %s: the object's own load address is added, nothing is looked up\n", where,
                           record->kind.class == RELOC_RELATIVE ? "the address" : "what is chosen at start by the function at", target, type);
        free(target);
    } else if (place->in_plt) {
        text = must_format("%s is the PLT entry of %s\n  it jumps through the word at %#llx, filled by %s\n", where, name, (unsigned long long)record->place, type);
    } else {
        text = must_format("%s is filled by %s of %s\n", where, type, name);
    }
    free(where);
    return text;
}

/* ---- a running process ------------------------------------------------------------------------------------------------- */

bool process_open(struct process_view *view, const struct session *session, pid_t pid) {
    char name[64], line[4352];
    snprintf(name, sizeof name, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(name, "re");
    *view = (struct process_view){ .pid = pid, .bias = must_alloc(session->count, sizeof *view->bias) };
    memset(view->bias, 0xff, session->count * sizeof *view->bias);
    if (!maps) {
        warn_ldr("process %d: its mappings cannot be read", (int)pid);
        return false;
    }
    while (fgets(line, sizeof line, maps)) {
        unsigned long long start, end, off, ino;
        unsigned major_number, minor_number;
        if (sscanf(line, "%llx-%llx %*s %llx %x:%x %llu", &start, &end, &off, &major_number, &minor_number, &ino) != 6 || !ino)
            continue;
        for (const struct object *object = session->first; object; object = object->next)
            if (object->ino == ino && view->bias[object_node(object)->number] == ~0ull && object->image.plan.seg_count &&
                align_down(object->image.plan.seg[0].off, LDR_PAGE) == off)
                view->bias[object_node(object)->number] = start - object->image.plan.lo_page;
    }
    fclose(maps);
    return true;
}

void process_close(struct process_view *view) { free(view->bias); }

struct object *process_locate(const struct process_view *view, const struct session *session, u64 addr, u64 *vaddr) {
    for (struct object *object = session->first; object; object = object->next) {
        u64 bias = view->bias[object_node(object)->number];
        if (bias != ~0ull && addr - bias >= object->image.plan.lo_page && addr - bias < object->image.plan.hi_page) {
            *vaddr = addr - bias;
            return object;
        }
    }
    return NULL;
}

static char *word_text(const struct process_view *view, const struct session *session, u64 word) {
    u64 vaddr = 0;
    struct object *object = process_locate(view, session, word, &vaddr);
    return object ? address_text(object, vaddr) : must_format("%#llx, in none of the objects loaded at start", (unsigned long long)word);
}

/* What the linker stores; false: the type makes something else of it than an address. */
static bool foretold(const struct process_view *view, const struct session *session, const struct place *place, u64 *value, bool *chosen) {
    const struct reloc_record *record = &place->record;
    struct symbol_want want;
    struct binding found;
    *chosen = false;
    if (record->kind.class == RELOC_RELATIVE) {
        *value = view->bias[object_node(place->object)->number] + (u64)record->addend;
        return true;
    }
    if (record->kind.class != RELOC_SYMBOL || record->kind.width != 8 || !record->symbol)
        return false;
    if (session_bind(session, place->object, record->symbol, record->kind, &want, &found) != 0) {
        *value = (u64)record->addend;
        return true;
    }
    *chosen = ELF64_ST_TYPE(found.symbol->st_info) == STT_GNU_IFUNC;
    u64 bias = view->bias[object_node(found.object)->number];
    *value = (found.symbol->st_shndx == SHN_ABS ? 0 : bias) + found.symbol->st_value + (u64)record->addend;
    return bias != ~0ull;
}

struct judgement process_judge(const struct process_view *view, const struct session *session, const struct place *place) {
    struct judgement judged = { .state = WORD_UNREADABLE };
    char name[64];
    u64 vaddr = 0, bias = view->bias[object_node(place->object)->number];
    bool chosen;
    snprintf(name, sizeof name, "/proc/%d/mem", (int)view->pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    bool read = fd >= 0 && bias != ~0ull && pread(fd, &judged.word, sizeof judged.word, (off_t)(bias + place->record.place)) == (ssize_t)sizeof judged.word;
    if (fd >= 0)
        close(fd);
    if (!read)
        return judged;
    if (!foretold(view, session, place, &judged.stored, &chosen))
        judged.state = WORD_NOT_FORETOLD;
    else if (judged.word == judged.stored)
        judged.state = WORD_AS_STORED;
    else if (relocs_lazy(place->object, &place->record) && process_locate(view, session, judged.word, &vaddr) == place->object && is_executable(place->object, vaddr))
        judged.state = WORD_NOT_CALLED_YET;
    else
        judged.state = chosen ? WORD_CHOSEN : WORD_CHANGED;
    return judged;
}

char *process_value(const struct process_view *view, const struct session *session, const struct place *place) {
    struct judgement judged = process_judge(view, session, place);
    char *now = word_text(view, session, judged.word), *text = NULL;
    switch (judged.state) {
    case WORD_UNREADABLE: text = must_format("  there now: cannot be read (process %d)\n", (int)view->pid); break;
    case WORD_NOT_FORETOLD: text = must_format("  there now: %#llx\n", (unsigned long long)judged.word); break;
    case WORD_AS_STORED: text = must_format("  there now: %s, as the linker stores it\n", now); break;
    case WORD_NOT_CALLED_YET: text = must_format("  there now: %s: its own PLT, for it was not called yet\n", now); break;
    case WORD_CHOSEN: text = must_format("  there now: %s, chosen by the symbol's resolver\n", now); break;
    case WORD_CHANGED: text = must_format("  there now: %s: not what the linker stores; something wrote it later\n", now); break;
    }
    free(now);
    return text;
}

char **process_environment(pid_t pid) {
    char name[64], *entry = NULL;
    size_t room = 0, count = 0;
    char **list = must_alloc(1, sizeof *list);
    snprintf(name, sizeof name, "/proc/%d/environ", (int)pid);
    FILE *file = fopen(name, "re");
    while (file && getdelim(&entry, &room, 0, file) > 0) {
        list = must_grow(list, count + 2, sizeof *list);
        list[count++] = must_format("%s", entry);
        list[count] = NULL;
    }
    if (file)
        fclose(file);
    free(entry);
    return list;
}
