/* debuginfo.h - what is at this address of an ELF file: which variable and member, of which type, declared on which line?
 *
 * Answers come from the best that there is: DWARF (in the file, or in its separate debug file, found by build-id or by
 * .gnu_debuglink with its CRC), else the symbol table (.symtab of the debug file or of the file, else .dynsym), else the section
 * and the offset in it. Every answer says which.
 *
 * Nothing is read before the first question, and types, members and lines only of what is asked for. Debug information is the most
 * intricate input there is, of files that anybody may have written, read by libraries that were not made for that; so it is read in
 * a child process that can do nothing but compute and write its answers into a pipe (child.c). When that fails, the next best
 * answer is given, and debuginfo_problem says why.
 *
 * Addresses are those of the file (vaddr), lengths bytes.
 */
#ifndef LDR_DEBUGINFO_H
#define LDR_DEBUGINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debuginfo;

/* One section that is part of the program in memory. */
struct debuginfo_section {
    char *name;
    uint64_t vaddr, len;
    bool writable, executable, has_bytes; /* has_bytes: false for .bss */
    bool fixed; /* code, or a table of the link editor's (.dynamic, GOT, PLT, arrays of constructors): no variables that could stand elsewhere */
};

enum debuginfo_how {
    DEBUGINFO_SECTION, /* only the section is known; name is "" outside of every section too */
    DEBUGINFO_SYMBOL,
    DEBUGINFO_DWARF,
};
const char *debuginfo_how_name(enum debuginfo_how how); /* "section", "symbol", "dwarf" */

struct debuginfo_question {
    uint64_t vaddr;
    uint32_t len;       /* 1..DEBUGINFO_LEN_MAX; a longer one counts as that long */
    const char *prefer; /* among several symbols of one address, the one of this name (not demangled); NULL: any */
};
enum { DEBUGINFO_LEN_MAX = 64 };

/* One piece of what a question asked for: the smallest member, element or variable that holds its first byte. */
struct debuginfo_answer {
    size_t question;      /* index */
    enum debuginfo_how how;
    uint64_t vaddr, len;  /* the piece, whole: it may begin before the question and end after it */
    uint64_t whole_vaddr, whole_len; /* the variable or symbol it is part of */
    const char *name;     /* of the variable with namespaces, or function for one inside a function; the symbol, demangled;
                             the section */
    const char *type;     /* of the variable as C text; "" when not known */
    const char *path;     /* from the variable to the piece: ".tp_methods[3].ml_meth"; "+0x18" in a symbol or section; "" */
    const char *piece_type; /* of the piece; "" when not known */
    const char *file;     /* of the declaration, as the compiler had it; "" when not known */
    uint32_t line;        /* 0: not known */
};

struct debuginfo_answers {
    struct debuginfo_answer *list; /* by question, then by address */
    size_t count;
    char *text; /* what the strings point into */
};
void debuginfo_answers_free(struct debuginfo_answers *answers);

/* debuginfo_open - looks for the debug information of one file
 *   in      bytes, len   the whole file; must stay until debuginfo_close
 *           path         where it is: separate debug files are looked for beside it
 *   returns never NULL; a file that cannot be read as ELF has no sections and answers nothing else */
struct debuginfo *debuginfo_open(const void *bytes, size_t len, const char *path);
void debuginfo_close(struct debuginfo *debuginfo);

/* Sections in memory, ascending by address, thread-local .tbss left out. */
const struct debuginfo_section *debuginfo_sections(const struct debuginfo *debuginfo, size_t *count);
/* debuginfo_section_at - the section that holds vaddr, or NULL */
const struct debuginfo_section *debuginfo_section_at(const struct debuginfo *debuginfo, uint64_t vaddr);

/* The best kind of answer to be had, and the file it comes from. After a question that failed it is the next best. */
enum debuginfo_how debuginfo_how(const struct debuginfo *debuginfo);
const char *debuginfo_source(const struct debuginfo *debuginfo);
/* Why it is no better: "" when it is DWARF or when no debug information was found; else one sentence. After a question: also what DWARF lacked. */
const char *debuginfo_problem(const struct debuginfo *debuginfo);

/* debuginfo_limit - no better answers than this from here on: who wants only symbols spares himself the debug information */
void debuginfo_limit(struct debuginfo *debuginfo, enum debuginfo_how how);

/* debuginfo_ask - answers all questions about variables at once; one walk over the debug information for all of them
 *   out     answers   at least one for each question; owned by the caller */
void debuginfo_ask(struct debuginfo *debuginfo, const struct debuginfo_question *questions, size_t count,
                   struct debuginfo_answers *answers);

/* debuginfo_ask_code - the same for instructions: name is the function, file and line those of the instruction, type "" */
void debuginfo_ask_code(struct debuginfo *debuginfo, const struct debuginfo_question *questions, size_t count,
                        struct debuginfo_answers *answers);

/* demangle_as - a C++ name as people write it, malloc'd; NULL: it is none, or stands for more than people read. Options: libiberty's DMGL_ */
char *demangle_as(const char *mangled, int options);

#endif
