/* source.c - questions to tools/debuginfo. */
#include "source.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

static struct debuginfo *open_debuginfo(const struct node *node) {
    return debuginfo_open(node->file->bytes, node->file->len, node->file->real_path ? node->file->real_path : node->file->path);
}

char *source_word_text(const struct debuginfo_answer *answer) {
    if (answer->how != DEBUGINFO_DWARF || !*answer->file)
        return must_format("%s%s", answer->name, answer->path);
    return must_format("%s:%u, %s%s%s%s", answer->file, answer->line, *answer->type ? answer->type : "variable", *answer->type ? " of " : " ", answer->name, answer->path);
}

char *source_definition(const struct node *node, u64 vaddr, bool is_code, char **why) {
    struct debuginfo_answers answers = { 0 };
    struct debuginfo_question question = { .vaddr = vaddr, .len = 1 };
    char *text = NULL;
    *why = NULL;
    if (!node->file) {
        *why = must_format("there is no file");
        return NULL;
    }
    struct debuginfo *debuginfo = open_debuginfo(node);
    (is_code ? debuginfo_ask_code : debuginfo_ask)(debuginfo, &question, 1, &answers);
    const struct debuginfo_answer *answer = answers.count ? &answers.list[0] : NULL;
    if (answer && answer->how == DEBUGINFO_DWARF && *answer->file)
        text = is_code ? must_format("%s:%u", answer->file, answer->line) : source_word_text(answer);
    else
        *why = *debuginfo_problem(debuginfo) ? must_format("%s", debuginfo_problem(debuginfo))
                                             : must_format("%s has no debug information of it", node_path(node));
    debuginfo_answers_free(&answers);
    debuginfo_close(debuginfo);
    return text;
}

struct source_words source_words(const struct node *node, const u64 *places, size_t count) {
    struct source_words words = { .count = count };
    if (!node->file || !count)
        return words;
    struct debuginfo_question *questions = must_alloc(count, sizeof *questions);
    for (size_t i = 0; i < count; i++)
        questions[i] = (struct debuginfo_question){ .vaddr = places[i], .len = 1 };
    words.debuginfo = open_debuginfo(node);
    words.first = must_alloc(count, sizeof *words.first);
    debuginfo_ask(words.debuginfo, questions, count, &words.answers);
    for (size_t i = words.answers.count; i-- > 0;)
        words.first[words.answers.list[i].question] = i;
    free(questions);
    return words;
}

const struct debuginfo_answer *source_word(const struct source_words *words, size_t number) {
    if (!words->first || number >= words->count || !words->answers.count)
        return NULL;
    const struct debuginfo_answer *answer = &words->answers.list[words->first[number]];
    const struct debuginfo_section *section = debuginfo_section_at(words->debuginfo, answer->vaddr);
    return answer->question != number || answer->how == DEBUGINFO_SECTION || (section && section->fixed) ? NULL : answer;
}

const char *source_words_problem(const struct source_words *words) {
    const char *problem = words->debuginfo ? debuginfo_problem(words->debuginfo) : "";
    return *problem ? problem : NULL;
}

void source_words_free(struct source_words *words) {
    free(words->first);
    debuginfo_answers_free(&words->answers);
    if (words->debuginfo)
        debuginfo_close(words->debuginfo);
    *words = (struct source_words){ 0 };
}
