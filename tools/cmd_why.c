/* cmd_why.c - `ldr why`: the story of one symbol in one program, or of the word at one address. */
#include "explain/place.h"
#include "explain/sections.h"
#include "explain/story.h"
#include "json.h"
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

struct why_place {
    struct session *session;
    const struct place *place;
    const struct process_view *process;            /* NULL: none */
    const struct why_options *chosen;
};

/* The story of the symbol whose address fills the word; false: none does. */
static bool story_of(const struct why_place *why, struct story *story) {
    const struct place *place = why->place;
    const char *symbol = place->found ? relocs_symbol_name(place->object, place->record.symbol) : NULL;
    if (!symbol)
        return false;
    const struct version *version = reference_version(place->object, place->record.symbol);
    *story = (struct story){ .source = why->chosen->source };
    why_story_symbol(story, why->session, symbol, version ? version->name : NULL);
    why_story_only(story, place->object, place->record.symbol, reference_classes(place->record.kind));
    return true;
}

static void print_place_json(const struct why_place *why, const struct story *story, bool *known) {
    struct json_object *root = place_json(why->session, why->place);
    bool judged = why->process && (why->place->found || why->place->reserved);
    json_object_object_add(root, "process", judged ? process_json(why->process, why->session, why->place) : NULL);
    json_object_object_add(root, "story", story ? why_story_object(story, known) : NULL);
    json_print(root);
}

static int why_of_place(const struct why_place *why) {
    const struct place *place = why->place;
    struct story story;
    bool told = story_of(why, &story), known = place->found || place->reserved;
    if (why->chosen->explain.json) {
        print_place_json(why, told ? &story : NULL, &known);
    } else {
        const char *symbol;
        char *text = place_text(place, &symbol), *now = why->process && known ? process_value(why->process, why->session, place) : NULL;
        fputs(text, stdout);
        if (now)
            fputs(now, stdout);
        if (told)
            known = why_story_text(&story, 1);
        free(text);
        free(now);
    }
    return told ? status_of(&story, known) : known ? LDR_EXIT_OK : LDR_EXIT_NO_TARGET;
}

/* Digits from the first character on: strtoull would take blanks and a sign too. */
static bool read_number(const char *word, u64 *value) {
    char *end;
    errno = 0;
    *value = strtoull(word, &end, 0);
    return *word >= '0' && *word <= '9' && !*end && !errno;
}

/* An address, or a section's name and an offset in it. */
static bool read_place(const struct object *object, const char *word, u64 *vaddr) {
    const char *plus = strrchr(word, '+');
    if (word[0] != '.')
        return read_number(word, vaddr);
    struct sections sections = sections_read(object_node(object)->file);
    size_t len = plus ? (size_t)(plus - word) : strlen(word);
    bool good = false;
    for (size_t i = 0; i < sections.count && !good; i++)
        if (strlen(sections.list[i].name) == len && strncmp(sections.list[i].name, word, len) == 0) {
            u64 offset = 0;
            good = (!plus || read_number(plus + 1, &offset)) && offset < sections.list[i].len;
            *vaddr = sections.list[i].addr + offset;
        }
    sections_free(&sections);
    return good;
}

static int why_of_address(struct session *session, const struct why_options *chosen) {
    const char *object_word = chosen->words[1], *word = chosen->words[2];
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
    return why_of_place(&(struct why_place){ session, &place, NULL, chosen });
}

/* The program that the process runs; false after one message. A file that is gone is told, not sought by its name. */
static bool program_of(pid_t pid, char *program, size_t room, int *status) {
    static const char gone[] = " (deleted)";
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    ssize_t len = readlink(link, program, room - 1);
    *status = LDR_EXIT_NO_TARGET;
    if (len <= 0) {
        warn_ldr("process %d: %s", (int)pid, strerror(errno));
        return false;
    }
    program[len] = '\0';
    size_t end = (size_t)len > sizeof gone - 1 ? (size_t)len - (sizeof gone - 1) : 0;
    if (strcmp(program + end, gone) != 0 || access(program, F_OK) == 0)
        return true;
    program[end] = '\0';
    warn_ldr("process %d runs %s, which was deleted or replaced since: its file is no longer there to be read", (int)pid, program);
    *status = LDR_EXIT_PARTIAL;
    return false;
}

/* Every file of the start that the process has mapped and that is no longer at its path; whether there is one. */
static bool tell_rewritten(const struct process_view *process, const struct session *session) {
    bool contents = false;
    for (const struct object *object = session->first; object; object = object->next) {
        enum rewritten how = process_rewritten(process, object_node(object));
        if (how != REWRITTEN_NOT)
            warn_ldr("%s: %s after process %d started; what is told of it is of what it holds now", node_path(object_node(object)),
                     how == REWRITTEN_CONTENTS ? "was written to" : "was changed (written to, or only its owner, mode or links)", (int)process->pid);
        contents |= how == REWRITTEN_CONTENTS;
    }
    return contents;
}

static bool tell_stale(const struct process_view *process) {
    for (u32 i = 0; i < process->stale_count; i++) {
        const struct stale_mapping *stale = &process->stale[i];
        bool told = false;
        for (u32 k = 0; k < i; k++)
            told |= process->stale[k].node == stale->node;
        if (!told)
            warn_ldr("%s: process %d has mapped %s; what is told of it is of the file that is there now", node_path(stale->node), (int)process->pid,
                     stale->deleted ? "a file that was deleted or replaced since" : "another file of that name");
    }
    return process->stale_count != 0;
}

static int why_in_process(struct session *session, const struct process_view *process, const struct why_options *chosen, u64 addr) {
    u64 vaddr;
    struct object *object = process_locate(process, session, addr, &vaddr);
    const struct stale_mapping *stale = process_stale(process, addr);
    bool partial = tell_rewritten(process, session);
    partial |= tell_stale(process);
    if (stale) {
        warn_ldr("%#llx is in that %s: its file is no longer there to be read", (unsigned long long)addr, node_path(stale->node));
        return LDR_EXIT_PARTIAL;
    }
    if (!object) {
        char *later = process_opened_later(process, session, addr, &vaddr);
        if (later && strchr(later, '\''))
            warn_ldr("%#llx is in no object that process %d loads at its start; it is in %s + %#llx, opened later", (unsigned long long)addr, (int)process->pid, later,
                     (unsigned long long)vaddr);
        else if (later)
            warn_ldr("%#llx is in no object that process %d loads at its start; it is in %s + %#llx, opened later: ldr why '%s' '%s' %#llx tells what that library alone fills it with",
                     (unsigned long long)addr, (int)process->pid, later, (unsigned long long)vaddr, later, later, (unsigned long long)vaddr);
        else
            warn_ldr("%#llx is in no object that process %d loads at its start", (unsigned long long)addr, (int)process->pid);
        free(later);
        return partial ? LDR_EXIT_PARTIAL : LDR_EXIT_NO_TARGET;
    }
    struct place place = place_find(object, vaddr);
    int status = why_of_place(&(struct why_place){ session, &place, process, chosen });
    return status == LDR_EXIT_OK && partial ? LDR_EXIT_PARTIAL : status;
}

static int why_of_process(struct why_options *chosen) {
    char program[4096];
    u64 addr;
    int status;
    if (!read_number(chosen->words[0], &addr)) {
        warn_ldr("'%s' is no address", chosen->words[0]);
        return LDR_EXIT_USAGE;
    }
    if (!program_of(chosen->pid, program, sizeof program, &status))
        return status;
    struct session session;
    struct process_view process;
    chosen->explain.environment = process_environment(chosen->pid);
    explain_begin(&session, &chosen->explain, program);
    session_load(&session);
    session_place(&session, true);
    status = LDR_EXIT_NO_TARGET;
    if (node_is_linker(session.program)) {
        warn_ldr("process %d was started by naming its linker: name the program instead (ldr why PROGRAM OBJECT ADDRESS)", (int)chosen->pid);
    } else if (process_open(&process, &session, chosen->pid)) {
        status = why_in_process(&session, &process, chosen, addr);
        process_close(&process);
    }
    return explain_end(&session, status);
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
        "Exit status: 0 it binds (or was bound by the link editor), 1 ldr failed, 2 usage, 3 it is undefined or a file of the process is gone, 4 no such program or symbol.\n"
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
    int status = chosen.word_count == 3 ? why_of_address(&session, &chosen) : why_of_symbol(&session, &chosen, chosen.words[1]);
    return explain_end(&session, status);
}
