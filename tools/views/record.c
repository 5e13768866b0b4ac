/* record.c - recordings: reports one after the other in a file, each on a line of its own that begins with '{'.
 *
 * A reader looks for lines that begin with '{', which nothing inside a report does (--json indents what it nests). So a
 * file of pretty-printed reports is a recording too, only the reports asked for are parsed, and one that was cut short
 * (disk full, power lost) spoils no other.
 */
#include "views.h"
#include "../ldr.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_LEN = 1 << 16, DEPTH_MAX = 16 };
static const int64_t report_len_max = 256 << 20; /* bytes; a parsed report takes some ten times its text */
static const int64_t pipe_len_max = INT64_C(1) << 30;

/* ---- append ---- */

/* The file's end decides whether a newline is missing before what is added; its beginning whether it is a recording. */
static bool may_append(int fd, const char *path, bool *newline) {
    char first, last;
    struct stat st;
    *newline = false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return true;
    if (pread(fd, &first, 1, 0) != 1 || pread(fd, &last, 1, st.st_size - 1) != 1) {
        warn_ldr("%s: %s", path, strerror(errno));
        return false;
    }
    if (first != '{') {
        warn_ldr("%s: no recording (its first byte is 0x%02x, expected '{'); nothing added", path, (unsigned char)first);
        return false;
    }
    *newline = last != '\n';
    return true;
}

static bool write_all(int fd, const char *bytes, size_t len) {
    while (len) {
        ssize_t wrote = write(fd, bytes, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        bytes += wrote;
        len -= (size_t)wrote;
    }
    return true;
}

bool record_append(const char *path, struct json_object *document) {
    struct stat st;
    /* a pipe or a terminal cannot be read back */
    bool regular = stat(path, &st) != 0 || S_ISREG(st.st_mode), newline;
    int fd = open(path, (regular ? O_RDWR : O_WRONLY) | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        warn_ldr("%s: %s", path, strerror(errno));
        return false;
    }
    /* two recorders of one file take turns: a report may be too long for one write */
    flock(fd, LOCK_EX);
    bool good = may_append(fd, path, &newline);
    if (good) {
        const char *line = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        good = (!newline || write_all(fd, "\n", 1)) && write_all(fd, line, strlen(line)) && write_all(fd, "\n", 1);
        if (!good)
            warn_ldr("%s: %s", path, strerror(errno));
    }
    if (close(fd) != 0 && good) {
        warn_ldr("%s: %s", path, strerror(errno));
        good = false;
    }
    return good;
}

/* ---- read ---- */

/* A pipe cannot be read twice: its bytes go into a file without a name. Returns its descriptor or -1. */
static int keep_pipe(int pipe, const char *path) {
    FILE *file = tmpfile();
    int fd = file ? dup(fileno(file)) : -1;
    if (file)
        fclose(file);
    char *block = must_alloc(1, BLOCK_LEN);
    int64_t len = 0;
    ssize_t got = -1;
    while (fd >= 0 && (got = read(pipe, block, BLOCK_LEN)) > 0) {
        if ((len += got) > pipe_len_max) {
            warn_ldr("%s: more than %" PRId64 " bytes from a pipe; put them into a file", path, pipe_len_max);
            close(fd);
            fd = -1;
        } else if (!write_all(fd, block, (size_t)got)) {
            got = -1;
            break;
        }
    }
    free(block);
    if (got < 0) {
        warn_ldr("%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    return fd;
}

static void add_start(struct recording *recording, size_t *room, int64_t start) {
    if (recording->count + 2 > *room)
        recording->starts = must_grow(recording->starts, *room = *room * 2 + 64, sizeof *recording->starts);
    recording->starts[recording->count++] = start;
}

static bool find_starts(struct recording *recording) {
    char *block = must_alloc(1, BLOCK_LEN);
    int64_t at = 0;
    size_t room = 0;
    bool line_begins = true;
    ssize_t got;
    while ((got = pread(recording->fd, block, BLOCK_LEN, at)) > 0) {
        for (const char *line = block, *end = block + got; line < end; ) {
            if (line_begins && *line == '{')
                add_start(recording, &room, at + (line - block));
            const char *newline = memchr(line, '\n', (size_t)(end - line));
            line_begins = newline != NULL;
            line = newline ? newline + 1 : end;
        }
        at += got;
    }
    int error = errno;
    free(block);
    if (got < 0) {
        warn_ldr("%s: %s", recording->path, strerror(error));
        return false;
    }
    if (recording->count)
        recording->starts[recording->count] = at;
    return true;
}

bool recording_open(struct recording *recording, const char *path) {
    *recording = (struct recording){ .path = must_format("%s", path) };
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE) {
        int kept = keep_pipe(fd, path);
        close(fd);
        recording->fd = kept;
    } else {
        if (fd < 0)
            warn_ldr("%s: %s", path, strerror(errno));
        recording->fd = fd;
    }
    if (recording->fd >= 0 && find_starts(recording))
        return true;
    recording_close(recording);
    return false;
}

void recording_close(struct recording *recording) {
    if (recording->fd >= 0)
        close(recording->fd);
    free(recording->starts);
    free(recording->path);
    *recording = (struct recording){ .fd = -1 };
}

/* Report INDEX, or NULL and *error what is wrong with it. */
static struct json_object *read_report(const struct recording *recording, size_t index, char **error) {
    int64_t start = recording->starts[index], len = recording->starts[index + 1] - start;
    if (len > report_len_max) {
        *error = must_format("it has %" PRId64 " bytes, expected at most %" PRId64, len, report_len_max);
        return NULL;
    }
    char *text = must_alloc((size_t)len, 1);
    for (int64_t at = 0; at < len; ) {
        ssize_t got = pread(recording->fd, text + at, (size_t)(len - at), start + at);
        if (got <= 0) {
            *error = must_format("%s", got < 0 ? strerror(errno) : "the file became shorter while it was read");
            free(text);
            return NULL;
        }
        at += got;
    }
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
    struct json_object *document = NULL;
    *error = NULL;
    if (!tokener) {
        *error = must_format("no memory to parse it");
    } else {
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS | JSON_TOKENER_VALIDATE_UTF8);
        document = json_tokener_parse_ex(tokener, text, (int)len);
        enum json_tokener_error code = json_tokener_get_error(tokener);
        size_t end = json_tokener_get_parse_end(tokener);
        while (code == json_tokener_success && end < (size_t)len && strchr(" \t\r\n", text[end]) && text[end])
            end++;
        if (code != json_tokener_success)
            *error = must_format("%s at its byte %zu", code == json_tokener_continue ? "it ends too early," : json_tokener_error_desc(code), end);
        else if (end < (size_t)len)
            *error = must_format("byte 0x%02x follows it where a line break was expected", (unsigned char)text[end]);
        else
            *error = document_check(document);
    }
    if (*error) {
        json_object_put(document);
        document = NULL;
    }
    json_tokener_free(tokener);
    free(text);
    return document;
}

struct json_object *recording_read(const struct recording *recording, long number, bool *broken) {
    if (recording->count == 0) {
        warn_ldr("%s: no report in it (no line begins with '{')", recording->path);
        return NULL;
    }
    /* not -number: LONG_MIN has no opposite */
    uint64_t back = number < 0 ? (uint64_t)-(number + 1) : 0;
    if (number == 0 || (number > 0 && (uint64_t)number > recording->count) || back >= recording->count) {
        warn_ldr("%s: no report %ld, it has %zu", recording->path, number, recording->count);
        return NULL;
    }
    size_t index = number > 0 ? (size_t)number - 1 : recording->count - 1 - (size_t)back;
    char *error;
    struct json_object *document = read_report(recording, index, &error);
    if (!document)
        warn_ldr("%s: report %zu of %zu is broken: %s", recording->path, index + 1, recording->count, error);
    free(error);
    /* only a recording that was cut short: anything else wrong with it is not passed over */
    if (!document && number == -1 && index > 0) {
        document = read_report(recording, index - 1, &error);
        if (document)
            warn_ldr("%s: report %zu is taken", recording->path, index);
        else
            warn_ldr("%s: report %zu is broken too: %s", recording->path, index, error);
        free(error);
        *broken = document != NULL;
    }
    return document;
}
