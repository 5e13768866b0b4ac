/* tree.c - what a session loaded, as a tree for people. An object stands where it was first asked for, in the linker's own order (breadth
 * first); later needs of it are folded into one line of whoever has them. */
#include "tree.h"
#include "../ldr.h"
#include "plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *attempt_outcome_name(enum attempt_outcome outcome) {
    switch (outcome) {
    case ATTEMPT_TAKEN: return "taken";
    case ATTEMPT_SAME_FILE: return "same-file";
    case ATTEMPT_ERRNO: return "error";
    case ATTEMPT_NO_DIRECTORY: return "no-directory";
    case ATTEMPT_FOREIGN: return "foreign";
    case ATTEMPT_NOT_SETUID: return "not-setuid";
    case ATTEMPT_OURSELVES: return "ld-ldr.so";
    case ATTEMPT_BROKEN: return "broken";
    case ATTEMPT_TOO_LONG: return "too-long";
    }
    return "";
}

/* Machine-dependent subdirectories that do not exist are the rule, not news. */
static bool is_subdirectory(const char *path) {
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    return strcmp(name, "glibc-hwcaps") == 0 || strcmp(name, "tls") == 0 || strcmp(name, "x86_64") == 0;
}

static char *rule_text(enum found_by rule, const struct object *owner) {
    if (owner && (rule == FOUND_RPATH || rule == FOUND_RUNPATH))
        return must_format("%s of %s", found_by_text(rule), node_path(object_node(owner)));
    return must_format("%s", found_by_text(rule));
}

char *attempt_text(const struct attempt *attempt) {
    char *rule = rule_text(attempt->rule, attempt->owner), *text = NULL, *why;
    switch (attempt->outcome) {
    case ATTEMPT_TAKEN:
    case ATTEMPT_SAME_FILE: break;
    case ATTEMPT_ERRNO: text = must_format("tried %s: %s (%s)", attempt->path, errno_text(attempt->error), rule); break;
    case ATTEMPT_NO_DIRECTORY: text = is_subdirectory(attempt->path) ? NULL : must_format("no such directory: %s", attempt->path); break;
    case ATTEMPT_FOREIGN:
        text = must_format("passed over %s: %s (%s)", attempt->path, attempt->other_class ? "a 32-bit library" : "a library for another machine", rule);
        break;
    case ATTEMPT_NOT_SETUID: text = must_format("passed over %s: not set-user-ID, as a preload of this program must be", attempt->path); break;
    case ATTEMPT_OURSELVES: text = must_format("passed over %s: it is ld-ldr.so itself (%s)", attempt->path, rule); break;
    case ATTEMPT_BROKEN:
        why = defect_text(&attempt->defect);
        text = must_format("stopped at %s: %s (%s)", attempt->path, why, rule);
        free(why);
        break;
    case ATTEMPT_TOO_LONG: text = must_format("a candidate's path was too long"); break;
    }
    free(rule);
    return text;
}

const char *shown_path(const struct session *session, const struct node *node) {
    const char *interpreter = session_interpreter(session);
    return node_is_linker(node) && interpreter ? interpreter : node_path(node);
}

char *found_text(const struct node *node) {
    const struct attempt *taken = node->found_by ? node->found_by->attempts : NULL;
    while (taken && taken->outcome != ATTEMPT_TAKEN)
        taken = taken->next;
    char *rule = rule_text(node->object.found_by, taken ? taken->owner : NULL);
    const char *level = taken ? strstr(taken->path, "/glibc-hwcaps/") : NULL;
    if (!level)
        return rule;
    level += strlen("/glibc-hwcaps/");
    char *text = must_format("%s, for CPU level %.*s", rule, (int)strcspn(level, "/"), level);
    free(rule);
    return text;
}

/* ---- the tree ---------------------------------------------------------------------------------------------------------- */

struct printer {
    struct tree_report *report;
    bool utf8;
    char prefix[4096];
};

static size_t indent(struct printer *printer, const char *by) {
    size_t len = strlen(printer->prefix);
    if (len + strlen(by) < sizeof printer->prefix)
        strcpy(printer->prefix + len, by);
    return len;
}

static void print_attempts(const struct printer *printer, const struct request *request) {
    for (const struct attempt *attempt = request ? request->attempts : NULL; attempt; attempt = attempt->next) {
        char *text = attempt_text(attempt);
        if (text)
            plain_printf("%s    %s\n", printer->prefix, text);
        free(text);
    }
}

static const char *kind_text(enum request_kind kind) {
    return kind == REQUEST_FILTER ? " [filter]" : kind == REQUEST_AUXILIARY ? " [auxiliary filter]" : "";
}

/* Whether a need is shown as a line of its own under `by`: the one that brought the object. */
static bool is_first(const struct request *request) { return request->result && request->result->found_by == request; }

static bool is_unused(const struct tree_report *report, const struct request *request) {
    const struct node *to = request->result;
    return report->usage && request->kind == REQUEST_NEEDED && to && !to->object.is_missing && !node_is_linker(to) && request->by &&
           !usage_of(report->usage, request->by, to);
}

static void print_node_line(struct printer *printer, const struct request *request, const char *lead) {
    struct tree_report *report = printer->report;
    const struct node *node = request->result;
    if (node->object.is_missing) {
        report->missing++;
        plain_printf("%s%s%s => not found%s\n", printer->prefix, lead, request->name, kind_text(request->kind));
        return;
    }
    char *found = found_text(node), *size = size_text(node->file->len);
    const char *path = shown_path(report->session, node);
    plain_printf("%s%s%s%s%s (%s, %s)%s%s\n", printer->prefix, lead, request->name, strcmp(request->name, path) == 0 ? "" : " => ",
           strcmp(request->name, path) == 0 ? "" : path, found, size, kind_text(request->kind),
           is_unused(report, request) ? " [unused: nothing binds to it from here]" : "");
    report->unused += is_unused(report, request);
    free(found);
    free(size);
}

static void print_repeats(struct printer *printer, const struct node *node) {
    bool any = false;
    for (const struct request *request = node->requests; request; request = request->next_of_by) {
        if (is_first(request))
            continue;
        if (!any)
            plain_printf("%s%s", printer->prefix, printer->utf8 ? "└─ and: " : "`- and: ");
        plain_printf("%s%s%s%s", any ? ", " : "", request->name, request->result && request->result->object.is_missing ? " (not found)" : "",
               is_unused(printer->report, request) ? " [unused]" : "");
        printer->report->unused += is_unused(printer->report, request);
        any = true;
    }
    if (any)
        putchar('\n');
}

/* Depth is bounded by the number of libraries, and that by the 4 KiB of indentation that fit: deeper levels are printed flat. */
static void print_needs(struct printer *printer, const struct node *node, u32 depth) {
    bool repeats = false;
    u32 left = 0;
    for (const struct request *request = node->requests; request; request = request->next_of_by) {
        left += is_first(request);
        repeats |= !is_first(request);
    }
    for (const struct request *request = node->requests; request; request = request->next_of_by) {
        if (!is_first(request))
            continue;
        bool last = --left == 0 && !repeats;
        print_node_line(printer, request, printer->utf8 ? (last ? "└─ " : "├─ ") : (last ? "`- " : "|- "));
        size_t outer = indent(printer, last ? "   " : printer->utf8 ? "│  " : "|  ");
        if (request->result->object.is_missing || printer->report->tried)
            print_attempts(printer, request);
        if (depth < 1000)
            print_needs(printer, request->result, depth + 1);
        printer->prefix[outer] = '\0';
    }
    if (repeats)
        print_repeats(printer, node);
}

static void print_program(const struct session *session) {
    const struct node *program = session->program;
    const char *interpreter = session_interpreter(session);
    char *size = size_text(program->file->len);
    plain_printf("%s (%s%s%s%s)\n", node_path(program), size, interpreter ? ", linker " : "", interpreter ? interpreter : "",
           session->config.secure ? ", set-user-ID: LD_LIBRARY_PATH is ignored" : "");
    free(size);
}

static void print_list(struct printer *printer) {
    for (const struct object *object = printer->report->session->first; object; object = object->next) {
        const struct node *node = object_node(object);
        if (node->found_by) {
            char number[16];
            snprintf(number, sizeof number, "%3u ", node->number);
            print_node_line(printer, node->found_by, number);
        }
        if (node->found_by && (object->is_missing || printer->report->tried))
            print_attempts(printer, node->found_by);
    }
}

static void print_totals(const struct tree_report *report) {
    u64 bytes = 0;
    u32 libraries = 0;
    for (const struct object *object = report->session->first->next; object; object = object->next)
        if (!object->is_missing) {
            libraries++;
            bytes += object_node(object)->file->len;
        }
    char *size = size_text(bytes);
    plain_printf("%u %s, %s", libraries, libraries == 1 ? "library" : "libraries", size);
    if (report->missing)
        plain_printf("; %u NOT FOUND", report->missing);
    if (report->usage)
        plain_printf("; %u unused need%s", report->unused, report->unused == 1 ? "" : "s");
    putchar('\n');
    free(size);
}

void tree_text(struct tree_report *report) {
    struct printer printer = { .report = report, .utf8 = utf8_output() };
    const struct session *session = report->session;
    print_program(session);
    if (session_is_static(session)) {
        puts("statically linked");
        return;
    }
    if (report->list) {
        print_list(&printer);
    } else {
        for (const struct request *request = session->requests; request; request = request->next)
            if (request->kind == REQUEST_PRELOAD && is_first(request)) {
                print_node_line(&printer, request, printer.utf8 ? "├─ " : "|- ");
                size_t outer = indent(&printer, printer.utf8 ? "│  " : "|  ");
                if (request->result->object.is_missing || report->tried)
                    print_attempts(&printer, request);
                print_needs(&printer, request->result, 0);
                printer.prefix[outer] = '\0';
            }
        print_needs(&printer, session->program, 0);
    }
    print_totals(report);
}

/* ---- chains ------------------------------------------------------------------------------------------------------------ */

static void print_chain(const struct session *session, const struct request *request) {
    plain_printf("  %s", request->name);
    u32 steps = 0;
    for (const struct node *by = request->by; by && steps++ <= session->count; by = by->found_by ? by->found_by->by : NULL)
        plain_printf(" <- %s", by->found_by ? node_name(by) : node_path(by));
    if (!request->by)
        plain_printf(" <- preload");
    putchar('\n');
}

bool tree_is_meant(const struct node *node, const char *name) {
    const char *path = node_path(node), *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    return object_answers_to(&node->object, name) || strcmp(path, name) == 0 || strcmp(base, name) == 0;
}

bool tree_why_needed(const struct tree_report *report, const char *name) {
    bool any = false;
    for (const struct object *object = report->session->first; object; object = object->next) {
        const struct node *node = object_node(object);
        if (!tree_is_meant(node, name))
            continue;
        any = true;
        plain_printf("%s%s\n", shown_path(report->session, node), object->is_missing ? " (not found)" : "");
        if (object->is_program)
            puts("  is the program itself");
        for (const struct request *request = report->session->requests; request; request = request->next)
            if (request->result == node)
                print_chain(report->session, request);
    }
    return any;
}
