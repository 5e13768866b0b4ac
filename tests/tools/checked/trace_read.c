/* trace_read.c FORM FILE - what `ldr trace --read` does, to be built with sanitizers: 0 shown, 1 no record. */
#include "../../../tools/ldr.h"
#include "../../../tools/trace/trace.h"

#include <string.h>

int main(int argc, char **argv) {
    const struct story_filter filter = { .kinds = (1u << STORY_KINDS) - 1 };
    struct record record;
    struct trace_model model;
    if (argc != 3)
        return LDR_EXIT_USAGE;
    if (!record_read(argv[2], &record)) {
        record_free(&record);
        return LDR_EXIT_FAILED;
    }
    model_make(&record, &filter, &model);
    if (strcmp(argv[1], "json") == 0)
        trace_json(&model, &filter, stdout);
    else if (strcmp(argv[1], "viewer") == 0)
        trace_viewer(&model, &filter, stdout);
    else
        trace_text(&model, &filter, NULL, stdout);
    model_free(&model);
    record_free(&record);
    return LDR_EXIT_OK;
}
