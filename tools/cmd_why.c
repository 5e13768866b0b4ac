/* cmd_why.c - `ldr why`: the story of one symbol in one program. */
#include "explain/why.h"
#include "ldr.h"

#include <stdlib.h>
#include <string.h>

struct why_options {
    struct explain_options explain;
    const char *program, *symbol;
    bool all;
};

static const struct argp_option options[] = {
    { "all", 'a', NULL, 0, "Every object that refers to the symbol (without: 8)", 0 },
    { 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct why_options *why = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &why->explain; return 0;
    case 'a': why->all = true; return 0;
    case ARGP_KEY_ARG:
        if (!why->program)
            why->program = arg;
        else if (!why->symbol)
            why->symbol = arg;
        else
            argp_error(state, "one symbol at a time: %s or %s?", why->symbol, arg);
        return 0;
    case ARGP_KEY_END:
        if (!why->symbol || !*why->symbol)
            argp_error(state, "a program and a symbol are needed");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int cmd_why(int argc, char **argv) {
    static const struct argp_child children[] = EXPLAIN_CHILDREN;
    static const struct argp argp = {
        options, parse_option, "PROGRAM SYMBOL[@VERSION]",
        "Tell which definition references to SYMBOL bind to and why: who refers to it, which objects are asked in which order, what each "
        "has, why it lost, who answers.\v"
        "The first line is the result, the second the cause. Nothing is executed: the linker's own lookup runs over the files. Names are "
        "those of the symbol table (C++: mangled, as nm shows them). Libraries that the program opens while it runs are not known here; "
        "give such a library as PROGRAM to see it alone.\n"
        "\n"
        "Exit status: 0 it binds, 1 ldr failed, 2 usage, 3 it is undefined, 4 no such program or symbol.\n"
        "\n"
        "Examples:\n"
        "  ldr why gdb malloc\n"
        "  ldr why --preload libjemalloc.so.2 python3.11 malloc\n"
        "  ldr why ./server memcpy@GLIBC_2.14\n",
        children, NULL, NULL,
    };
    struct why_options chosen = { 0 };
    if (argp_parse(&argp, argc, argv, 0, NULL, &chosen) != 0)
        return LDR_EXIT_USAGE;
    char *name = must_format("%s", chosen.symbol), *version = strchr(name + 1, '@');
    if (version) {
        *version++ = '\0';
        version += *version == '@';
    }
    struct session session;
    explain_begin(&session, &chosen.explain, chosen.program);
    session_load(&session);
    session_place(&session, false);
    struct why why;
    why_symbol(&why, &session, name, version && *version ? version : NULL);
    bool known = chosen.explain.json ? why_json(&why) : why_text(&why, chosen.all ? UINT32_MAX : 8);
    int status = !known ? LDR_EXIT_NO_TARGET : LDR_EXIT_OK;
    for (const struct why_reference *reference = why.references; reference && known; reference = reference->next)
        if (reference->result == REFERENCE_UNDEFINED || reference->result < 0)
            status = LDR_EXIT_PARTIAL;
    session_end(&session);
    free(name);
    return status;
}
