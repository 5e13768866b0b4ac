/* whereis [-c] FILE ADDRESS[:LEN]... - what tools/debuginfo says of these addresses (hexadecimal, of the file), one JSON object a
 * line, after a first line about the source. With -c they are instructions. '-' for the addresses: read from stdin, one a line. */
#include "../../../tools/debuginfo/debuginfo.h"
#include "../../../tools/ldr.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void put_text(struct json_object *to, const char *key, const char *text) {
    json_object_object_add(to, key, json_object_new_string(text));
}

static void put(struct json_object *to, const char *key, uint64_t number) {
    json_object_object_add(to, key, json_object_new_uint64(number));
}

static void print(struct json_object *object) {
    puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
}

int main(int argc, char **argv) {
    bool code = argc > 1 && strcmp(argv[1], "-c") == 0;
    int first = code ? 2 : 1;
    struct stat st;
    if (argc <= first)
        return 2;
    int fd = open(argv[first], O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size == 0)
        return 2;
    const void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    struct debuginfo *debuginfo = debuginfo_open(bytes, (size_t)st.st_size, argv[first]);
    struct debuginfo_question *questions = NULL;
    size_t count = 0;
    char line[128];
    bool from_input = argc > first + 1 && strcmp(argv[first + 1], "-") == 0;
    for (int i = first + 1; from_input ? fgets(line, sizeof line, stdin) != NULL : i < argc; i++) {
        char *end;
        const char *text = from_input ? line : argv[i];
        questions = must_grow(questions, count + 1, sizeof *questions);
        questions[count] = (struct debuginfo_question){ .vaddr = strtoull(text, &end, 16), .len = 1 };
        if (*end == ':')
            questions[count].len = (uint32_t)strtoul(end + 1, NULL, 0);
        count++;
    }
    struct debuginfo_answers answers;
    (code ? debuginfo_ask_code : debuginfo_ask)(debuginfo, questions, count, &answers);
    struct json_object *head = json_object_new_object();
    put_text(head, "how", debuginfo_how_name(debuginfo_how(debuginfo)));
    put_text(head, "source", debuginfo_source(debuginfo));
    put_text(head, "problem", debuginfo_problem(debuginfo));
    print(head);
    for (size_t i = 0; i < answers.count; i++) {
        const struct debuginfo_answer *answer = &answers.list[i];
        struct json_object *object = json_object_new_object();
        put(object, "question", answer->question);
        put_text(object, "how", debuginfo_how_name(answer->how));
        put(object, "vaddr", answer->vaddr);
        put(object, "len", answer->len);
        put(object, "whole_vaddr", answer->whole_vaddr);
        put(object, "whole_len", answer->whole_len);
        put_text(object, "name", answer->name);
        put_text(object, "type", answer->type);
        put_text(object, "path", answer->path);
        put_text(object, "piece_type", answer->piece_type);
        put_text(object, "file", answer->file);
        put(object, "line", answer->line);
        print(object);
    }
    debuginfo_answers_free(&answers);
    debuginfo_close(debuginfo);
    free(questions);
    return 0;
}
