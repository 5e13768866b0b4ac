/* finding.c - the set of findings of one run. */
#include "finding.h"
#include "../ldr.h"
#include "plain.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

struct entry {
    struct finding finding;
    struct entry *next;
};
struct findings {
    pthread_mutex_t lock;
    struct entry *buckets[BUCKETS];
    struct finding **sorted;
    size_t count;
};

const char *rule_id(enum check_rule rule) {
    static const char *const ids[] = {
#define ID(name, id, severity, text) id,
        CHECK_RULES(ID)
#undef ID
    };
    return ids[rule];
}

const char *rule_text(enum check_rule rule) {
    static const char *const texts[] = {
#define TEXT(name, id, severity, text) text,
        CHECK_RULES(TEXT)
#undef TEXT
    };
    return texts[rule];
}

enum severity rule_severity(enum check_rule rule) {
    static const enum severity severities[] = {
#define SEVERITY(name, id, severity, text) SEVERITY_##severity,
        CHECK_RULES(SEVERITY)
#undef SEVERITY
    };
    return severities[rule];
}

const char *severity_name(enum severity severity) {
    return severity == SEVERITY_ERROR ? "error" : severity == SEVERITY_WARNING ? "warning" : "note";
}

struct findings *findings_new(void) {
    struct findings *findings = must_alloc(1, sizeof *findings);
    pthread_mutex_init(&findings->lock, NULL);
    return findings;
}

static u32 hash(enum check_rule rule, const char *object, const char *subject) {
    u32 h = 5381 + (u32)rule;
    for (const char *at = object; *at; at++)
        h = h * 33 + (unsigned char)*at;
    for (const char *at = subject; *at; at++)
        h = h * 33 + (unsigned char)*at;
    return h % BUCKETS;
}

static struct finding *known(struct findings *findings, u32 bucket, enum check_rule rule, const char *object, const char *subject) {
    for (struct entry *entry = findings->buckets[bucket]; entry; entry = entry->next)
        if (entry->finding.rule == rule && strcmp(entry->finding.object, object) == 0 && strcmp(entry->finding.subject, subject) == 0)
            return &entry->finding;
    return NULL;
}

static void note_program(struct finding *finding, const char *root) {
    u32 kept = finding->program_count < PROGRAMS_KEPT ? finding->program_count : PROGRAMS_KEPT;
    for (u32 i = 0; i < kept; i++)
        if (strcmp(finding->programs[i], root) == 0)
            return;
    if (finding->program_count < PROGRAMS_KEPT)
        finding->programs[finding->program_count] = must_format("%s", root);
    finding->program_count++;
}

bool findings_known(struct findings *findings, enum check_rule rule, const char *root, const char *object, const char *subject) {
    pthread_mutex_lock(&findings->lock);
    struct finding *finding = known(findings, hash(rule, object, subject), rule, object, subject);
    if (finding)
        note_program(finding, root);
    pthread_mutex_unlock(&findings->lock);
    return finding != NULL;
}

void findings_add(struct findings *findings, enum check_rule rule, enum severity severity, const char *root, const char *object,
                  const char *subject, char *message, char *evidence, char *advice) {
    u32 bucket = hash(rule, object, subject);
    pthread_mutex_lock(&findings->lock);
    struct finding *finding = known(findings, bucket, rule, object, subject);
    if (!finding) {
        struct entry *entry = must_alloc(1, sizeof *entry);
        finding = &entry->finding;
        *finding = (struct finding){ .rule = rule, .severity = severity, .object = must_format("%s", object), .subject = must_format("%s", subject),
                                     .message = message, .evidence = evidence ? evidence : must_format("%s", ""),
                                     .advice = advice ? advice : must_format("%s", "") };
        entry->next = findings->buckets[bucket];
        findings->buckets[bucket] = entry;
        findings->count++;
    } else {
        /* Worse in one program than in another: the worse counts. */
        if (severity > finding->severity)
            finding->severity = severity;
        free(message);
        free(evidence);
        free(advice);
    }
    note_program(finding, root);
    pthread_mutex_unlock(&findings->lock);
}

static int compare_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* What was asked about comes before what it only needs. */
static bool is_about_root(const struct finding *finding) {
    for (u32 i = 0; i < finding->program_count && i < PROGRAMS_KEPT; i++)
        if (strcmp(finding->programs[i], finding->object) == 0)
            return true;
    return false;
}

static int compare(const void *a, const void *b) {
    const struct finding *x = *(struct finding *const *)a, *y = *(struct finding *const *)b;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    if (is_about_root(x) != is_about_root(y))
        return is_about_root(x) ? -1 : 1;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    int order = strcmp(x->object, y->object);
    return order ? order : strcmp(x->subject, y->subject);
}

struct finding **findings_sorted(struct findings *findings, size_t *count) {
    free(findings->sorted);
    findings->sorted = must_alloc(findings->count, sizeof *findings->sorted);
    *count = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry *entry = findings->buckets[i]; entry; entry = entry->next) {
            struct finding *finding = &entry->finding;
            u32 kept = finding->program_count < PROGRAMS_KEPT ? finding->program_count : PROGRAMS_KEPT;
            qsort(finding->programs, kept, sizeof *finding->programs, compare_text);
            findings->sorted[(*count)++] = finding;
        }
    qsort(findings->sorted, *count, sizeof *findings->sorted, compare);
    return findings->sorted;
}

void lines_add(struct lines *lines, const char *format, ...) {
    va_list args;
    char *line = NULL;
    va_start(args, format);
    int len = vasprintf(&line, format, args);
    va_end(args);
    if (len < 0) {
        warn_ldr("no memory for a message");
        exit(LDR_EXIT_FAILED);
    }
    lines->text = must_grow(lines->text, lines->len + (size_t)len + 2, 1);
    memcpy(lines->text + lines->len, plain_line(line), (size_t)len);
    lines->len += (size_t)len;
    lines->text[lines->len++] = '\n';
    lines->text[lines->len] = '\0';
    free(line);
}
