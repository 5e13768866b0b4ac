/* source.c - one question to tools/debuginfo. */
#include "source.h"
#include "../debuginfo/debuginfo.h"
#include "../ldr.h"

#include <string.h>

char *source_of(const struct node *node, u64 vaddr, bool is_code) {
    struct debuginfo_answers answers = { 0 };
    struct debuginfo_question question = { .vaddr = vaddr, .len = 1 };
    char *text = NULL;
    if (!node->file)
        return NULL;
    struct debuginfo *debuginfo = debuginfo_open(node->file->bytes, node->file->len, node->file->real_path ? node->file->real_path : node->file->path);
    (is_code ? debuginfo_ask_code : debuginfo_ask)(debuginfo, &question, 1, &answers);
    const struct debuginfo_answer *answer = answers.count ? &answers.list[0] : NULL;
    if (answer && answer->how == DEBUGINFO_DWARF && *answer->file)
        text = is_code ? must_format("%s:%u", answer->file, answer->line)
                       : must_format("%s:%u, %s%s%s%s", answer->file, answer->line, *answer->type ? answer->type : "variable", *answer->type ? " of " : " ", answer->name, answer->path);
    else if (answer && !is_code && answer->how == DEBUGINFO_SYMBOL)
        text = must_format("%s%s", answer->name, answer->path);
    debuginfo_answers_free(&answers);
    debuginfo_close(debuginfo);
    return text;
}
