/* json.h - what comes from files and processes (names, paths, arguments: bytes) as JSON, which is UTF-8. */
#ifndef LDR_JSON_H
#define LDR_JSON_H

#include <json-c/json.h>

/* json_name - BYTES as a JSON text, bytes that belong to no character as \xNN (text_utf8); NULL: null */
struct json_object *json_name(const char *bytes);
/* json_print - a document for people and programs on stdout, one line at its end; puts it */
void json_print(struct json_object *root);

#endif
