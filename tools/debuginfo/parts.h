/* parts.h - what the files of this folder share. Everything below debuginfo.c and child.c runs in the child process; a function
 * that says "may end the process" is one that trusts a library with hostile bytes. */
#ifndef LDR_DEBUGINFO_PARTS_H
#define LDR_DEBUGINFO_PARTS_H

#include "child.h"
#include "debuginfo.h"

#include <libdwarf/dwarf.h>
#include <libdwarf/libdwarf.h>
#include <libelf.h>

/* ---- objfile.c: one ELF file in memory, by libelf ---- */

struct objfile {
    const void *bytes;
    size_t len;
    Elf *elf;
    size_t names; /* index of the section with the section names */
    char *path;   /* owned */
    bool mapped;  /* bytes are ours to unmap */
};

/* objfile_open - false when it is not a 64-bit little-endian ELF file; BYTES stay the caller's */
bool objfile_open(struct objfile *file, const void *bytes, size_t len, const char *path);
/* objfile_map - opens a regular file by path */
bool objfile_map(struct objfile *file, const char *path);
void objfile_close(struct objfile *file);
/* Contents of the first section of that name, NULL if none or with no bytes. */
Elf_Data *objfile_section(const struct objfile *file, const char *name);
bool objfile_has(const struct objfile *file, const char *name);

enum { BUILD_ID_MAX = 64 };
/* Bytes of the build-id, 0 without one. */
size_t objfile_build_id(const struct objfile *file, uint8_t id[BUILD_ID_MAX]);

/* ---- find.c: the separate debug file ---- */

/* find_debug_file - opens the debug file that belongs to FILE; false if there is none. WHY gets a sentence when one was there but
 * does not belong to it (another CRC); malloc'd, or NULL. */
bool find_debug_file(const struct objfile *file, struct objfile *debug, char **why);
/* find_shared_file - the file that .gnu_debugaltlink names (dwz keeps there what several files have in common) */
bool find_shared_file(const struct objfile *file, struct objfile *shared, char **why);

/* ---- symtab.c ---- */

struct symbol {
    uint64_t vaddr, len;
    const char *name; /* in the file's bytes */
    uint8_t rank;     /* the lower the better among those of one address */
};
struct symtab {
    struct symbol *list; /* by address, then rank */
    uint64_t *reach;     /* highest end of the symbols up to this one */
    size_t count;
};
/* symtab_read - the definitions of the section of that type (SHT_SYMTAB or SHT_DYNSYM); false when there are none */
bool symtab_read(const struct objfile *file, uint32_t type, struct symtab *symtab);
bool symtab_exists(const struct objfile *file, uint32_t type);
/* symtab_at - the best symbol that covers vaddr, or one of no length exactly there; NULL if none */
const struct symbol *symtab_at(const struct symtab *symtab, uint64_t vaddr, const char *prefer);
void symtab_free(struct symtab *symtab);
/* demangle.c: demangle - demangle_as of a function or variable with its parameters */
char *demangle(const char *name);

/* ---- session.c: libdwarf over libelf ---- */

struct typed { char signature[8]; uint64_t off; bool info; }; /* a type in a unit of its own */
struct session {
    Dwarf_Debug dbg, shared; /* shared: of the dwz file, NULL if none */
    struct interface *interfaces[2];
    Dwarf_Off *units; /* the unit DIEs of .debug_info */
    size_t unit_count, next_unit;
    struct typed *types; /* by signature */
    size_t type_count;
    struct type_cache *cache; /* types.c's */
    const struct symtab *symbols; /* NULL: none */
    bool split;        /* a unit that mattered has its contents in a .dwo file */
    bool packed;       /* a section is compressed and could not be unpacked */
    uint64_t unit_low; /* the unit at hand: its address, 0 without one */
    bool cplusplus; /* the unit at hand: "struct" in front of a tag is left out */
};

bool session_start(struct session *session, const struct objfile *file, const struct objfile *shared);

/* One DIE and the reader it belongs to. Not given back one by one in long walks but by die_drop. */
struct die {
    Dwarf_Debug dbg;
    Dwarf_Die at; /* NULL: none */
    bool info;    /* .debug_info, not .debug_types */
};
/* session_next_unit - the next compilation unit of .debug_info; at NULL after the last, and then begins anew */
struct die session_next_unit(struct session *session);
/* unit_is_split - the unit is only the skeleton of one (-gsplit-dwarf): lines, and the name of the file with all else */
bool unit_is_split(struct die unit);
void die_drop(struct die *die);
struct die die_child(struct die parent);
struct die die_next(struct die die); /* drops the one it is given */
/* die_target - where an attribute leads, as a number that names the DIE; die_by_key makes it one */
bool die_target(const struct session *session, struct die die, Dwarf_Half attribute, uint64_t *key);
uint64_t die_key(const struct session *session, struct die die);
struct die die_by_key(const struct session *session, uint64_t key);
struct die die_follow(const struct session *session, struct die die, Dwarf_Half attribute);
Dwarf_Half die_tag(struct die die);
const char *die_text(struct die die, Dwarf_Half attribute); /* NULL if none */
/* die_text_of - the same, or that of what the DIE is a copy or the definition of */
const char *die_text_of(const struct session *session, struct die die, Dwarf_Half attribute);
bool die_has(struct die die, Dwarf_Half attribute);
bool die_number(struct die die, Dwarf_Half attribute, uint64_t *value);
bool die_address(struct die die, uint64_t *vaddr); /* DW_AT_location is one fixed address */
uint64_t die_offset(struct die die);

/* ---- ranges.c ---- */

struct ranges {
    struct range { uint64_t low, high; } *list; /* high: behind it. Used again for the next DIE; the caller's to free */
    size_t count, room;
};
/* die_ranges - where its code lies, the entry in the first as compilers write it; false: it has none, or they cannot be read */
bool die_ranges(const struct session *session, struct die die, struct ranges *ranges);

/* ---- text that grows up to a limit ---- */

enum { WORDS_MAX = 1024 };
struct words {
    char text[WORDS_MAX]; /* always a string; what does not fit is cut, with "..." */
    size_t len;
};
void words_add(struct words *words, const char *text);
void words_number(struct words *words, const char *before, uint64_t number, const char *behind);

/* ---- types.c ---- */

/* A type as it was read: each DIE once, whatever leads to it. Types live as long as the process. */
struct type;
/* type_of - the type that DW_AT_type of the DIE names; NULL: none (void), or it cannot be read */
const struct type *type_of(struct session *session, struct die die);
/* type_len - bytes of a variable of this type; 0 when not known */
uint64_t type_len(struct session *session, const struct type *type);
/* type_words - the type as C text, without a declarator */
void type_words(struct session *session, const struct type *type, struct words *words);
/* type_piece - the smallest named part of TYPE at byte AT: its place and length from the start of TYPE, the path to it, its type */
struct piece {
    uint64_t at, len;
    struct words path, type;
};
void type_piece(struct session *session, const struct type *type, uint64_t at, struct piece *piece);

/* ---- lines.c ---- */

struct unit_files; /* file names of one compilation unit */
struct unit_files *unit_files_read(struct die unit);
void unit_files_free(struct unit_files *files);
/* unit_file - name for an index of DW_AT_decl_file, "" when there is none */
void unit_file(const struct unit_files *files, uint64_t index, struct words *name);
/* unit_lines - for each address of the list (ascending) that the unit's line table covers, TELL is called once
 *   open    the table has not said a file up to this row, and libdwarf takes 0; in DWARF 5 it is 1 (6.2.2) */
void unit_lines(struct die unit, const uint64_t *vaddrs, size_t count,
                void (*tell)(void *to, size_t index, const char *file, uint32_t line, bool open), void *to);

/* ---- answers on their way from the child ---- */

void outbox_put(struct outbox *outbox, const struct debuginfo_answer *answer);

/* The questions of one call and what became of them. */
struct asked {
    const struct debuginfo_question *questions;
    size_t count;
    size_t *order;      /* indices by ascending vaddr */
    uint64_t *answered; /* by index: bit i: byte i of the question is answered */
    struct outbox *outbox;
};
static inline uint32_t question_len(const struct debuginfo_question *question) {
    uint64_t left = UINT64_MAX - question->vaddr; /* to the end of the address space, and at least its last byte */
    uint32_t len = question->len < 1 ? 1 : question->len > DEBUGINFO_LEN_MAX ? DEBUGINFO_LEN_MAX : question->len;
    return len <= left ? len : left < 1 ? 1 : (uint32_t)left;
}
/* asked_from - position in the order of the first question that may reach beyond vaddr */
size_t asked_from(const struct asked *asked, uint64_t vaddr);

/* variables.c, functions.c: answer from DWARF what they can */
void variables_answer(struct session *session, struct asked *asked);
void functions_answer(struct session *session, struct asked *asked);

#endif
