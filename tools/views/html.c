/* html.c - a report as one page: the template with style, program and document put where it says @STYLE@, @SCRIPT@, @REPORT@.
 *
 * The document goes into a script element of type application/json. There the only dangerous character is '<', which could
 * end the element or begin a comment: it is written as \u003c, which JSON reads as the same. (It occurs only inside strings.)
 */
#include "views.h"

#include <json-c/json.h>
#include <string.h>

extern const char page_html[], page_css[], page_js[]; /* template.S */

static void put_report(FILE *out, struct json_object *document) {
    const char *text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    for (const char *less; (less = strchr(text, '<')); text = less + 1) {
        fwrite(text, 1, (size_t)(less - text), out);
        fputs("\\u003c", out);
    }
    fputs(text, out);
}

void html_write(FILE *out, struct json_object *document) {
    static const struct { const char *mark, *text; } parts[] = {
        { "@STYLE@", page_css }, { "@SCRIPT@", page_js }, { "@REPORT@", NULL } };
    const char *at = page_html;
    for (;;) {
        size_t next = sizeof parts / sizeof parts[0];
        const char *mark = NULL;
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            const char *found = strstr(at, parts[i].mark);
            if (found && (!mark || found < mark)) {
                mark = found;
                next = i;
            }
        }
        if (!mark)
            break;
        fwrite(at, 1, (size_t)(mark - at), out);
        if (parts[next].text)
            fputs(parts[next].text, out);
        else
            put_report(out, document);
        at = mark + strlen(parts[next].mark);
    }
    fputs(at, out);
}
