/* json.c - names as JSON texts. */
#include "json.h"
#include "ldr.h"

#include <stdlib.h>

struct json_object *json_name(const char *bytes) {
    if (!bytes)
        return NULL;
    char *text = text_utf8(bytes);
    struct json_object *string = json_object_new_string(text);
    free(text);
    return string;
}
