/* cmd_why.c - `ldr why`: the story of one symbol in one program, or of the word at one address. */
#include "explain/place.h"
#include "explain/sections.h"
#include "explain/story.h"
#include "ldr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct why_options {
    struct explain_options explain;
    const char *words[3];             /* PROGRAM SYMBOL, PROGRAM OBJECT ADDRESS, or ADDRESS with --pid */
    int word_count;
    pid_t pid;                        /* 0: none */
    bool all, source;
};

enum { KEY_PID = 256, KEY_SOURCE };

static const struct argp_option options[] = {
    { "all", 'a', NULL, 0, "Every object that refers to the symbol (without: 8)", 0 },
    { "source", KEY_SOURCE, NULL, 0, "Also source file and line of definitions, and the variables that refer to them, from debug information", 0 },
    { "pid", KEY_PID, "PID", 0, "ADDRESS is one of this process; also tell what is there now", 0 },
    { 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct why_options *why = state->input;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &why->explain; return 0;
    case 'a': why->all = true; return 0;
    case KEY_SOURCE: why->source = true; return 0;
    case KEY_PID:
        why->pid = (pid_t)strtol(arg, &end, 10);
        if (*end || why->pid <= 0)
            argp_error(state, "--pid needs a process id, not '%s'", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (why->word_count == 3)
            argp_error(state, "too many words: %s", arg);
        why->words[why->word_count++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (why->pid ? why->word_count != 1 : why->word_count < 2)
            argp_error(state, why->pid ? "one address is needed" : "a program and a symbol are needed, or a program, an object and an address");
        if (!*why->words[why->word_count - 1])
            argp_error(state, "an empty word names nothing");
        if (why->explain.json && (why->pid || why->word_count == 3))
            argp_error(state, "--json is for symbols");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int status_of(const struct story *story, bool known) {
    int status = known ? LDR_EXIT_OK : LDR_EXIT_NO_TARGET;
    for (const struct story_reference *reference = story->references; reference && known && !story->link_time.object; reference = reference->next)
        if (reference->result == REFERENCE_UNDEFINED || reference->result < 0)
            status = LDR_EXIT_PARTIAL;
    return status;
}

/* ---- a symbol ----------------------------------------------------------------------------------------------------------- */

static int why_of_symbol(struct session *session, const struct why_options *chosen, const char *word) {
    char *name = must_format("%s", word), *version = strchr(name + 1, '@');
    u32 others = 0;
    if (version) {
        *version++ = '\0';
        version += *version == '@';
    }
    /* A name as people write it: "Pool<int>::count", "greet(int)". */
    char *mangled = strpbrk(word, "(:") ? names_mangled(session, word, &others) : NULL;
    if (mangled) {
        free(name);
        name = mangled;
        version = NULL;
        if (others)
            warn_ldr("%u other symbols read as %s; this is about %s", others, word, name);
    }
    struct story story = { .source = chosen->source };
    why_story_symbol(&story, session, name, version && *version ? version : NULL);
    bool known = chosen->explain.json ? why_story_json(&story) : why_story_text(&story, chosen->all ? UINT32_MAX : 8);
    int status = status_of(&story, known);
    free(name);
    return status;
}

/* ---- an address --------------------------------------------------------------------------------------------------------- */

static int why_of_place(struct session *session, const struct place *place, const struct process_view *process, bool source) {
    const char *symbol;
    char *text = place_text(place, &symbol), *now = process && place->found ? process_value(process, session, place) : NULL;
    fputs(text, stdout);
    if (now)
        fputs(now, stdout);
    free(text);
    free(now);
    if (!place->found || !symbol)
        return place->found ? LDR_EXIT_OK : LDR_EXIT_NO_TARGET;
    const struct version *version = reference_version(place->object, place->record.symbol);
    struct story story = { .source = source };
    why_story_symbol(&story, session, symbol, version ? version->name : NULL);
    why_story_only(&story, place->object, place->record.symbol, reference_classes(place->record.kind));
    return status_of(&story, why_story_text(&story, 1));
}

/* An address, or a section's name and an offset in it. */
static bool read_place(const struct object *object, const char *word, u64 *vaddr) {
    char *end;
    const char *plus = strrchr(word, '+');
    if (word[0] != '.') {
        *vaddr = strtoull(word, &end, 0);
        return *word && !*end;
    }
    struct sections sections = sections_read(object_node(object)->file);
    size_t len = plus ? (size_t)(plus - word) : strlen(word);
    bool good = false;
    for (size_t i = 0; i < sections.count && !good; i++)
        if (strlen(sections.list[i].name) == len && strncmp(sections.list[i].name, word, len) == 0) {
            u64 offset = plus ? strtoull(plus + 1, &end, 0) : 0;
            good = (!plus || (plus[1] && !*end)) && offset < sections.list[i].len;
            *vaddr = sections.list[i].addr + offset;
        }
    sections_free(&sections);
    return good;
}

static int why_of_address(struct session *session, const char *object_word, const char *word, bool source) {
    u64 vaddr;
    struct object *object = place_object(session, object_word);
    if (!object) {
        warn_ldr("%s loads no %s", node_path(session->program), object_word);
        return LDR_EXIT_NO_TARGET;
    }
    if (!read_place(object, word, &vaddr)) {
        warn_ldr("%s has no '%s': an address, or a section and an offset in it (.got+0x18)", object_word, word);
        return LDR_EXIT_USAGE;
    }
    struct place place = place_find(object, vaddr);
    return why_of_place(session, &place, NULL, source);
}

static int why_of_process(struct why_options *chosen) {
    char link[64], program[4096], *end;
    u64 addr = strtoull(chosen->words[0], &end, 0), vaddr = 0;
    if (*end) {
        warn_ldr("'%s' is no address", chosen->words[0]);
        return LDR_EXIT_USAGE;
    }
    snprintf(link, sizeof link, "/proc/%d/exe", (int)chosen->pid);
    ssize_t len = readlink(link, program, sizeof program - 1);
    if (len <= 0) {
        warn_ldr("process %d: %s", (int)chosen->pid, strerror(errno));
        return LDR_EXIT_NO_TARGET;
    }
    program[len] = '\0';
    struct session session;
    struct process_view process;
    chosen->explain.environment = process_environment(chosen->pid);
    explain_begin(&session, &chosen->explain, program);
    session_load(&session);
    session_place(&session, true);
    int status = LDR_EXIT_NO_TARGET;
    if (node_is_linker(session.program)) {
        warn_ldr("process %d was started by naming its linker: name the program instead (ldr why PROGRAM OBJECT ADDRESS)", (int)chosen->pid);
    } else if (process_open(&process, &session, chosen->pid)) {
        struct object *object = process_locate(&process, &session, addr, &vaddr);
        if (object) {
            struct place place = place_find(object, vaddr);
            status = why_of_place(&session, &place, &process, chosen->source);
        } else {
            warn_ldr("%#llx is in no object that process %d loads at its start", (unsigned long long)addr, (int)chosen->pid);
        }
        process_close(&process);
    }
    session_end(&session);
    return status;
}

int cmd_why(int argc, char **argv) {
    static const struct argp_child children[] = EXPLAIN_CHILDREN;
    static const struct argp argp = {
        options, parse_option, "PROGRAM SYMBOL[@VERSION]\nPROGRAM OBJECT ADDRESS|SECTION[+OFFSET]\n--pid PID ADDRESS",
        "Tell which definition references to SYMBOL bind to and why: who refers to it, which objects are asked in which order, what each "
        "has, why it lost, who answers.\v"
        "The first line is the result, the second the cause. Nothing is executed: the linker's own lookup runs over the files. SYMBOL is "
        "a name of the symbol table, or a C++ name as it reads, with or without parameters. Libraries that the program opens while it runs are not known here; "
        "give such a library as PROGRAM to see it alone.\n"
        "\n"
        "With an OBJECT (the program or a library) and a link-time ADDRESS in it: what fills the word there, or what the PLT entry there "
        "jumps to. With --pid ADDRESS is one of that process, and what is there now is told beside what the linker stores.\n"
        "\n"
        "Exit status: 0 it binds (or was bound by the link editor), 1 ldr failed, 2 usage, 3 it is undefined, 4 no such program or symbol.\n"
        "\n"
        "Examples:\n"
        "  ldr why gdb malloc\n"
        "  ldr why --preload libjemalloc.so.2 python3.11 malloc\n"
        "  ldr why ./server memcpy@GLIBC_2.14\n"
        "  ldr why ./server 'Pool<int>::count'\n"
        "  ldr why gdb libc.so.6 .got+0x18\n"
        "  ldr why --pid 4711 0x55d0c1e42018\n",
        children, NULL, NULL,
    };
    struct why_options chosen = { 0 };
    argp_err_exit_status = LDR_EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &chosen) != 0)
        return LDR_EXIT_USAGE;
    if (chosen.pid)
        return why_of_process(&chosen);
    struct session session;
    explain_begin(&session, &chosen.explain, chosen.words[0]);
    session_load(&session);
    session_place(&session, false);
    int status = chosen.word_count == 3 ? why_of_address(&session, chosen.words[1], chosen.words[2], chosen.source) : why_of_symbol(&session, &chosen, chosen.words[1]);
    session_end(&session);
    return status;
}
