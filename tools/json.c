/* json.c - names as JSON texts, and how documents are printed. */
#include "json.h"
#include "ldr.h"

#include <stdio.h>
#include <stdlib.h>

struct json_object *json_name(const char *bytes) {
    if (!bytes)
        return NULL;
    char *text = text_utf8(bytes);
    struct json_object *string = json_object_new_string(text);
    free(text);
    return string;
}

void json_print(struct json_object *root) {
    puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
}
