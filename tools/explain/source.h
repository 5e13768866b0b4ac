/* source.h - where in the source an address of an object was written, from its debug information. Reads the whole of it: only for what a
 * person asked for. */
#ifndef LDR_EXPLAIN_SOURCE_H
#define LDR_EXPLAIN_SOURCE_H

#include "../debuginfo/debuginfo.h"
#include "session.h"

/* source_definition - where code or a variable was written: "file.c:12", "file.c:3, int [4] of table"; malloc'd. NULL: no debug information
 * tells; *why is then a malloc'd sentence. */
char *source_definition(const struct node *node, u64 vaddr, bool is_code, char **why);

/* The variables around many words of one object, found in one walk. */
struct source_words {
    struct debuginfo *debuginfo;
    struct debuginfo_answers answers;
    size_t *first;                    /* by question: its answer */
    size_t count;
};
/* source_words - of `count` link-time addresses; tables of the link editor's (GOT, arrays of constructors) have no variables. */
struct source_words source_words(const struct node *node, const u64 *places, size_t count);
/* source_word - the answer for one of them; NULL: there is no variable. Without DWARF it is a symbol and an offset. */
const struct debuginfo_answer *source_word(const struct source_words *words, size_t number);
/* source_word_text - "file.c:3, struct method [2] of methods[1].call", "methods+0x18"; malloc'd */
char *source_word_text(const struct debuginfo_answer *answer);
/* source_words_problem - why debug information that there is, or was, gives less than it should; NULL: nothing wrong */
const char *source_words_problem(const struct source_words *words);
void source_words_free(struct source_words *words);

#endif
