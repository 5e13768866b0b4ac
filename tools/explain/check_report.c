/* check_report.c - findings as text and as JSON. The first line names the worst cause; schema in ldr-check(1). */
#include "../ldr.h"
#include "../json.h"
#include "check.h"
#include "plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCHEMA_VERSION = 1 };

static void print_severity(enum severity severity, bool colours) {
    if (colours)
        plain_colour(severity == SEVERITY_ERROR ? "1;31" : severity == SEVERITY_WARNING ? "1;33" : "1");
    fputs(severity_name(severity), stdout);
    if (colours)
        plain_colour("0");
}

static void print_indented(const char *text) {
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, "\n");
        printf("    %.*s\n", (int)len, at);
        at += len + (at[len] == '\n');
    }
}

static void print_programs(const struct finding *finding) {
    u32 kept = finding->program_count < PROGRAMS_KEPT ? finding->program_count : PROGRAMS_KEPT;
    if (kept == 1 && strcmp(finding->programs[0], finding->object) == 0)
        return;
    printf("    in:");
    for (u32 i = 0; i < kept && i < 3; i++)
        plain_printf(" %s", finding->programs[i]);
    if (finding->program_count > 3)
        printf(" and %u more", finding->program_count - 3);
    putchar('\n');
}

void check_text(struct findings *findings, const struct check_summary *summary, enum severity least) {
    size_t count;
    struct finding **sorted = findings_sorted(findings, &count);
    bool colours = isatty(1);         /* plain_output leaves the descriptor as it is */
    u64 hidden = 0;
    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = sorted[i];
        if (finding->severity < least) {
            hidden++;
            continue;
        }
        print_severity(finding->severity, colours);
        plain_printf(": %s: %s [%s]\n", finding->object, finding->message, rule_id(finding->rule));
        print_indented(finding->evidence);
        if (*finding->advice)
            plain_printf("    -> %s\n", finding->advice);
        print_programs(finding);
    }
    printf("%zu file%s: %llu error%s, %llu warning%s, %llu note%s%s\n", summary->files, summary->files == 1 ? "" : "s",
           (unsigned long long)summary->counts[SEVERITY_ERROR], summary->counts[SEVERITY_ERROR] == 1 ? "" : "s",
           (unsigned long long)summary->counts[SEVERITY_WARNING], summary->counts[SEVERITY_WARNING] == 1 ? "" : "s",
           (unsigned long long)summary->counts[SEVERITY_NOTE], summary->counts[SEVERITY_NOTE] == 1 ? "" : "s",
           hidden ? (least == SEVERITY_ERROR ? " (shown: errors; --level note shows all)" : " (notes: --level note)") : "");
}

static void put(struct json_object *to, const char *key, u64 value) { json_object_object_add(to, key, json_object_new_uint64(value)); }

static void put_text(struct json_object *to, const char *key, const char *value) { json_object_object_add(to, key, json_name(value)); }

static struct json_object *evidence_json(const char *text) {
    struct json_object *list = json_object_new_array();
    while (*text) {
        size_t len = strcspn(text, "\n");
        char *line = must_format("%.*s", (int)len, text);
        json_object_array_add(list, json_name(line));
        free(line);
        text += len + (text[len] == '\n');
    }
    return list;
}

static struct json_object *programs_json(const struct finding *finding) {
    struct json_object *list = json_object_new_array();
    for (u32 i = 0; i < finding->program_count && i < PROGRAMS_KEPT; i++)
        json_object_array_add(list, json_name(finding->programs[i]));
    return list;
}

void check_json(struct findings *findings, const struct check_summary *summary) {
    size_t count;
    struct finding **sorted = findings_sorted(findings, &count);
    struct json_object *root = json_object_new_object(), *list = json_object_new_array(), *totals = json_object_new_object();
    put_text(root, "schema", "ldr-check");
    put(root, "schema_version", SCHEMA_VERSION);
    put(totals, "files", summary->files);
    for (int severity = 0; severity < SEVERITIES; severity++)
        put(totals, severity_name((enum severity)severity), summary->counts[severity]);
    json_object_object_add(root, "totals", totals);
    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = sorted[i];
        struct json_object *one = json_object_new_object();
        put_text(one, "rule", rule_id(finding->rule));
        put_text(one, "severity", severity_name(finding->severity));
        put_text(one, "object", finding->object);
        put_text(one, "subject", finding->subject);
        put_text(one, "message", finding->message);
        json_object_object_add(one, "evidence", evidence_json(finding->evidence));
        put_text(one, "advice", finding->advice);
        put(one, "program_count", finding->program_count);
        json_object_object_add(one, "programs", programs_json(finding));
        json_object_array_add(list, one);
    }
    json_object_object_add(root, "findings", list);
    json_print(root);
}

/* ---- SARIF 2.1.0 (OASIS): what code scanners of CI services read ------------------------------------------------------- */

static struct json_object *message_json(const char *text) {
    struct json_object *message = json_object_new_object();
    put_text(message, "text", text);
    return message;
}

/* RFC 3986: what is no unreserved character, and no '/', is escaped. */
static char *uri_of(const char *path) {
    char *uri = must_alloc(strlen(path) * 3 + 8, 1), *to = uri;
    if (path[0] == '/')
        to += sprintf(to, "file://");
    for (const unsigned char *at = (const unsigned char *)path; *at; at++)
        if ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || strchr("-._~/+", *at))
            *to++ = (char)*at;
        else
            to += sprintf(to, "%%%02X", *at);
    *to = '\0';
    return uri;
}

static struct json_object *rules_json(void) {
    struct json_object *rules = json_object_new_array();
    for (int rule = 0; rule < RULES; rule++) {
        struct json_object *one = json_object_new_object(), *configuration = json_object_new_object();
        put_text(one, "id", rule_id((enum check_rule)rule));
        json_object_object_add(one, "shortDescription", message_json(rule_text((enum check_rule)rule)));
        put_text(configuration, "level", severity_name(rule_severity((enum check_rule)rule)));
        json_object_object_add(one, "defaultConfiguration", configuration);
        json_object_array_add(rules, one);
    }
    return rules;
}

static struct json_object *result_json(const struct finding *finding) {
    struct json_object *result = json_object_new_object(), *locations = json_object_new_array(), *location = json_object_new_object();
    struct json_object *physical = json_object_new_object(), *artifact = json_object_new_object(), *fingerprints = json_object_new_object();
    char *uri = uri_of(finding->object), *text = must_format("%s%s%s%s%s", finding->message, *finding->evidence ? "\n" : "", finding->evidence,
                                                             *finding->advice ? "\n" : "", finding->advice);
    char *print = must_format("%s:%s:%s", rule_id(finding->rule), finding->object, finding->subject);
    put_text(result, "ruleId", rule_id(finding->rule));
    put(result, "ruleIndex", finding->rule);
    put_text(result, "level", severity_name(finding->severity));
    json_object_object_add(result, "message", message_json(text));
    put_text(artifact, "uri", uri);
    json_object_object_add(physical, "artifactLocation", artifact);
    json_object_object_add(location, "physicalLocation", physical);
    json_object_array_add(locations, location);
    json_object_object_add(result, "locations", locations);
    put_text(fingerprints, "ldrFinding/v1", print);
    json_object_object_add(result, "partialFingerprints", fingerprints);
    free(uri);
    free(text);
    free(print);
    return result;
}

void check_sarif(struct findings *findings) {
    size_t count;
    struct finding **sorted = findings_sorted(findings, &count);
    struct json_object *root = json_object_new_object(), *runs = json_object_new_array(), *run = json_object_new_object();
    struct json_object *tool = json_object_new_object(), *driver = json_object_new_object(), *results = json_object_new_array();
    put_text(root, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    put_text(root, "version", "2.1.0");
    put_text(driver, "name", "ldr check");
    put_text(driver, "version", LDR_VERSION);
    json_object_object_add(driver, "rules", rules_json());
    json_object_object_add(tool, "driver", driver);
    json_object_object_add(run, "tool", tool);
    for (size_t i = 0; i < count; i++)
        json_object_array_add(results, result_json(sorted[i]));
    json_object_object_add(run, "results", results);
    json_object_array_add(runs, run);
    json_object_object_add(root, "runs", runs);
    json_print(root);
}
