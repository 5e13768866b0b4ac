/* finding.h - what `ldr check` found: each with a rule, the object it is about, evidence and what to do. Found again in another program it
 * is the same finding, seen once more. */
#ifndef LDR_EXPLAIN_FINDING_H
#define LDR_EXPLAIN_FINDING_H

#include "../../ldr/base/base.h"

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITIES };

#define CHECK_RULES(X) \
    X(MALFORMED,       "malformed-file",      ERROR,   "the linker refuses the file") \
    X(CHANGED,         "file-changed",        WARNING, "the file was written to while it was read") \
    X(NO_INTERPRETER,  "missing-interpreter", ERROR,   "the linker that the program names does not exist") \
    X(MISSING_LIBRARY, "missing-library",     ERROR,   "a needed library is not found") \
    X(MISSING_PRELOAD, "missing-preload",     WARNING, "an object to be preloaded is not found, and left out") \
    X(MISSING_VERSION, "missing-version",     ERROR,   "a library lacks a symbol version that is needed of it") \
    X(NO_VERSIONS,     "no-versions",         WARNING, "versions are needed of a library that has none: any definition of a name answers") \
    X(MISSING_SYMBOL,  "missing-symbol",      ERROR,   "a symbol that nobody defines") \
    X(UNRESOLVED,      "unresolved-symbol",   NOTE,    "a library leaves symbols to whoever loads it") \
    X(CPU_LEVEL,       "cpu-level",           ERROR,   "code for a newer CPU than this one") \
    X(RELR_MARKER,     "relr-marker",         ERROR,   "packed relative relocations without the version that demands support for them") \
    X(WRITE_EXEC,      "write-exec",          ERROR,   "a segment both writable and executable") \
    X(TEXTREL,         "text-relocation",     WARNING, "relocations in read-only segments") \
    X(EXEC_STACK,      "executable-stack",    WARNING, "asks for an executable stack") \
    X(RUNPATH_WRITABLE,"runpath-writable",    WARNING, "a library directory that anyone can write to") \
    X(RUNPATH_RELATIVE,"runpath-relative",    WARNING, "a library directory relative to the current directory") \
    X(RUNPATH_MISSING, "runpath-missing",     NOTE,    "a library directory that does not exist") \
    X(COPY_SIZE,       "copy-size",           WARNING, "a copied variable has another size in the library") \
    X(COPY_PROTECTED,  "copy-protected",      WARNING, "a copied variable that the library itself addresses directly") \
    X(COPY_CONSTANT,   "copy-constant",       NOTE,    "a copied constant that the library itself addresses directly") \
    X(IFUNC_ORDER,     "ifunc-order",         WARNING, "an indirect function is asked for before its library is relocated") \
    X(DUPLICATE,       "duplicate-library",   WARNING, "two versions of one library in one process") \
    X(CLASH,           "symbol-clash",        WARNING, "a library's own symbol is taken by another object") \
    X(INTERPOSED,      "symbol-interposed",   NOTE,    "a symbol of several objects, answered by the first") \
    X(ODR,             "odr-size",            WARNING, "one C++ entity with different sizes in two objects") \
    X(UNDERLINKED,     "underlinked",         NOTE,    "uses a library that it does not need") \
    X(UNUSED,          "unused-needed",       NOTE,    "needs a library that it does not use") \
    X(STATIC_TLS,      "static-tls",          NOTE,    "a library that takes static thread storage when opened late") \
    X(THREAD_STORAGE,  "thread-storage",      NOTE,    "how much thread storage a program's libraries take") \
    X(NO_RELRO,        "no-relro",            NOTE,    "the GOT stays writable") \
    X(NO_PIE,          "no-pie",              NOTE,    "a program at a fixed address")

enum check_rule {
#define RULE_(name, id, severity, text) RULE_##name,
    CHECK_RULES(RULE_)
#undef RULE_
    RULES
};
const char *rule_id(enum check_rule rule);
const char *rule_text(enum check_rule rule);
enum severity rule_severity(enum check_rule rule);
const char *severity_name(enum severity severity);

enum { PROGRAMS_KEPT = 8 };
struct finding {
    enum check_rule rule;
    enum severity severity;
    char *object;                     /* path of the file it is about */
    char *subject;                    /* what of it: a library, symbol, directory; "" */
    char *message;                    /* one sentence */
    char *evidence;                   /* lines, each ended by \n; "" */
    char *advice;                     /* one sentence */
    char *programs[PROGRAMS_KEPT];    /* roots in which it was seen */
    u32 program_count;
};
struct findings;                      /* a set; several threads may add */
struct findings *findings_new(void);
/* findings_add - takes message, evidence and advice (malloc'd; evidence and advice may be NULL); copies the others. */
void findings_add(struct findings *findings, enum check_rule rule, enum severity severity, const char *root, const char *object,
                  const char *subject, char *message, char *evidence, char *advice);
/* findings_known - whether it was found before (in another root); notes the root if so. Saves the work of the evidence. */
bool findings_known(struct findings *findings, enum check_rule rule, const char *root, const char *object, const char *subject);
/* findings_sorted - worst first, what was asked about before what it needs, then by rule, object and subject; valid until the next add. */
struct finding **findings_sorted(struct findings *findings, size_t *count);

/* lines: evidence as it grows; a line end inside of a line (names may hold any) becomes "?" */
struct lines { char *text; size_t len; };
void lines_add(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
