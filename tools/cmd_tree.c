/* cmd_tree.c - `ldr tree`: what a program needs, where each library is found and by which rule, without running it. */
#include "explain/tree.h"
#include "ldr.h"

struct tree_options {
    struct explain_options explain;
    const char *program, *why_needed;
    bool unused, tried, list;
};

enum { KEY_WHY_NEEDED = 256, KEY_UNUSED, KEY_TRIED };

static const struct argp_option options[] = {
    { "why-needed", KEY_WHY_NEEDED, "LIB", 0, "The chains of needs that pull LIB in", 0 },
    { "unused", 'u', NULL, 0, "Mark needs to which nothing binds", 0 },
    { "tried", 't', NULL, 0, "Also what was tried before each library was found", 0 },
    { "list", 'l', NULL, 0, "A list in load order instead of a tree", 0 },
    { 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct tree_options *tree = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &tree->explain; return 0;
    case KEY_WHY_NEEDED: tree->why_needed = arg; return 0;
    case 'u': tree->unused = true; return 0;
    case 't': case KEY_TRIED: tree->tried = true; return 0;
    case 'l': tree->list = true; return 0;
    case ARGP_KEY_ARG:
        if (tree->program)
            argp_error(state, "one program at a time: %s or %s?", tree->program, arg);
        tree->program = arg;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "no program named"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int cmd_tree(int argc, char **argv) {
    static const struct argp_child children[] = EXPLAIN_CHILDREN;
    static const struct argp argp = {
        options, parse_option, "PROGRAM",
        "Show the libraries that PROGRAM needs: who needs each, where it is found and by which rule, what was tried before.\v"
        "The answer is the linker's: its own search runs over the files, nothing is executed. PROGRAM may be a library too. "
        "Each library stands where the linker first meets it, breadth first; later needs are folded behind 'and:'.\n"
        "\n"
        "Exit status: 0 everything found, 1 ldr failed, 2 usage, 3 something is not found, 4 no such program.\n"
        "\n"
        "Examples:\n"
        "  ldr tree openssl\n"
        "  ldr tree --why-needed libtinfo.so.6 gdb\n"
        "  ldr tree --unused ./server\n"
        "  ldr tree --sysroot /mnt/target --tried /usr/bin/app\n",
        children, NULL, NULL,
    };
    struct tree_options tree = { 0 };
    argp_err_exit_status = LDR_EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &tree) != 0)
        return LDR_EXIT_USAGE;
    struct session session;
    explain_begin(&session, &tree.explain, tree.program);
    session_load(&session);
    session_place(&session, tree.unused);
    struct usage usage = { 0 };
    if (tree.unused)
        usage = usage_count(&session);
    struct tree_report report = { &session, tree.unused ? &usage : NULL, tree.tried, tree.list, 0, 0 };
    int status = LDR_EXIT_OK;
    if (tree.why_needed) {
        if (!(tree.explain.json ? tree_why_needed_json : tree_why_needed)(&report, tree.why_needed)) {
            warn_ldr("%s needs no %s", tree.program, tree.why_needed);
            status = LDR_EXIT_NO_TARGET;
        }
    } else {
        if (tree.explain.json)
            tree_json(&report);
        else
            tree_text(&report);
        status = report.missing ? LDR_EXIT_PARTIAL : LDR_EXIT_OK;
    }
    usage_free(&usage, &session);
    return explain_end(&session, status);
}
