/* read.c - the record's bytes as events in the order of time. The file may still be written to, be cut short, or be no record at all:
 * every length is checked before it is believed, and what follows a length that cannot be is left out of its chunk and counted. */
#include "trace.h"

#include "../ldr.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t fixed_len(unsigned type) {
    switch (type) {
    case TRACE_PROCESS: return sizeof(struct trace_process);
    case TRACE_PHASE: return sizeof(struct trace_phase);
    case TRACE_WANTED: return sizeof(struct trace_wanted);
    case TRACE_CANDIDATE: return sizeof(struct trace_candidate);
    case TRACE_DIRECTORY: return 0;
    case TRACE_FOUND: return sizeof(struct trace_found);
    case TRACE_OBJECT: return sizeof(struct trace_object);
    case TRACE_RELOCATED: return sizeof(struct trace_relocated);
    case TRACE_VALUES: return sizeof(struct trace_values);
    case TRACE_STORED: return sizeof(struct trace_stored);
    case TRACE_LAZY: return sizeof(struct trace_lazy);
    case TRACE_PROTECTED: return sizeof(struct trace_protected);
    case TRACE_CALL:
    case TRACE_RETURN: return sizeof(struct trace_call);
    case TRACE_OPENING: return sizeof(struct trace_opening);
    case TRACE_OPENED: return sizeof(struct trace_opened);
    case TRACE_CLOSING: return sizeof(struct trace_closing);
    case TRACE_KEPT: return sizeof(struct trace_kept);
    case TRACE_UNLOADED: return sizeof(struct trace_unloaded);
    case TRACE_TLS_MODULE: return sizeof(struct trace_tls_module);
    case TRACE_TLS_BLOCK: return sizeof(struct trace_tls_block);
    case TRACE_CACHE: return 0;
    case TRACE_CACHED: return sizeof(struct trace_cached);
    case TRACE_ERROR: return 0;
    default: return SIZE_MAX;
    }
}

/* Whether all that the event's fixed part counts lies inside it. */
static bool is_whole(const struct trace_event *event) {
    size_t fixed = fixed_len(event->type), room = event->len - sizeof *event;
    if (fixed > room)
        return false;
    if (event->type == TRACE_OBJECT) {
        const struct trace_object *object = (const void *)(event + 1);
        return object->segments <= (room - fixed) / sizeof(struct trace_segment) && object->build_id_len <= sizeof object->build_id;
    }
    if (event->type == TRACE_VALUES)
        return ((const struct trace_values *)(const void *)(event + 1))->count <= (room - fixed) / (event->flag == TRACE_NARROW ? 4 : 8);
    return true;
}

const char *record_text(const struct trace_event *event, size_t *at) {
    size_t len = event->len - sizeof *event;
    const char *bytes = (const char *)(event + 1);
    if (*at >= len)
        return NULL;
    const char *end = memchr(bytes + *at, 0, len - *at);
    if (!end)
        return NULL;
    const char *text = bytes + *at;
    *at = (size_t)(end - bytes) + 1;
    return text;
}

const char *record_argument(const struct trace_event *event, unsigned *i, size_t *at) {
    return (*i)++ < event->flag ? record_text(event, at) : NULL;
}

static void add(struct record *record, size_t *room, const struct trace_event *event, uint32_t maker) {
    if (record->count == *room)
        record->events = must_grow(record->events, *room = *room * 2 + 1024, sizeof *record->events);
    record->events[record->count++] = (struct raw_event){ event, maker };
}

static void read_chunk(struct record *record, size_t *room, const struct trace_chunk *chunk, size_t len) {
    const char *bytes = (const char *)chunk;
    size_t used = chunk->used < len ? chunk->used : len;
    for (size_t at = sizeof *chunk; at + sizeof(struct trace_event) <= used;) {
        const struct trace_event *event = (const void *)(bytes + at);
        if (event->len == 0)
            return;               /* the writer took the place and was killed, or the last event did not fit */
        if (event->len < sizeof *event || event->len % 8 || event->len > used - at) {
            record->lost++;
            return;
        }
        if (event->type == 0)
            record->unfinished++;
        else if (is_whole(event))
            add(record, room, event, chunk->pid);
        else
            record->lost++;
        at += event->len;
    }
}

static int by_time(const void *a, const void *b) {
    const struct trace_event *x = ((const struct raw_event *)a)->event, *y = ((const struct raw_event *)b)->event;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x < y ? -1 : x > y;
}

static bool read_bytes(int fd, const char *path, char *to, size_t len, size_t *done) {
    for (*done = 0; *done < len;) {
        ssize_t got = pread(fd, to + *done, len - *done, (off_t)*done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            warn_ldr("%s: %s", path, strerror(errno));
        if (got <= 0)
            return got == 0;          /* it is shorter by now */
        *done += (size_t)got;
    }
    return true;
}

static bool is_record(const struct trace_file *head, size_t len, const char *path) {
    bool known = len >= TRACE_PAGE && head->magic == TRACE_MAGIC;
    if (!known)
        warn_ldr("%s: not a record of ld-ldr.so (LDR_TRACE, ldr trace --record)", path);
    else if (head->version != TRACE_VERSION || head->page != TRACE_PAGE)
        warn_ldr("%s: a record of version %" PRIu32 ", this ldr reads version %u", path, head->version, TRACE_VERSION);
    return known && head->version == TRACE_VERSION && head->page == TRACE_PAGE;
}

/* Its head first: what is no record may be larger than memory. */
static bool slurp(int fd, const char *path, struct record *record) {
    static union { struct trace_file head; char bytes[TRACE_PAGE]; } first;
    struct stat st;
    size_t len;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        warn_ldr("%s: %s", path, "not a regular file");
        return false;
    }
    record->empty = st.st_size == 0;
    if (record->empty || !read_bytes(fd, path, first.bytes, sizeof first, &len) || !is_record(&first.head, len, path))
        return false;
    record->bytes = must_alloc((size_t)st.st_size + 8, 1);
    return read_bytes(fd, path, record->bytes, (size_t)st.st_size, &record->len) && is_record((const void *)record->bytes, record->len, path);
}

bool record_read(int fd, const char *path, struct record *record) {
    *record = (struct record){ 0 };
    int own = fd < 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : fd;
    if (own < 0)
        warn_ldr("%s: %s", path, strerror(errno));
    bool good = own >= 0 && slurp(own, path, record);
    if (fd < 0 && own >= 0)
        close(own);
    if (!good)
        return false;
    size_t room = 0;
    /* Chunks follow each other; one that was taken and never written (no space, killed) is passed over page by page. */
    for (size_t at = TRACE_PAGE; at + sizeof(struct trace_chunk) <= record->len;) {
        const struct trace_chunk *chunk = (const void *)(record->bytes + at);
        size_t left = record->len - at, len = TRACE_PAGE;
        if (chunk->magic == TRACE_CHUNK_MAGIC && chunk->len >= TRACE_PAGE && chunk->len % TRACE_PAGE == 0) {
            len = chunk->len < left ? chunk->len : left;
            record->lost += chunk->len > left;
            read_chunk(record, &room, chunk, len);
        }
        at += len;
    }
    qsort(record->events, record->count, sizeof *record->events, by_time);
    return true;
}

void record_free(struct record *record) {
    free(record->events);
    free(record->bytes);
    *record = (struct record){ 0 };
}
