/* record.c - one record: whose start it is, what it maps, and whether it still holds.
 *
 * The linker alone decides whether it uses a record (ldr/cache/record.c); what is said here is for people and follows the same rules: key,
 * sum, witnesses, files, packs. `ldr cache verify` asks the linker itself. */
#include "store.h"
#include "../host/program.h"
#include "../ldr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENVIRONMENT_MOST = 1024 };

/* A text of the record: ended by 0 before the end of the file. */
static const char *text_at(const struct bytes *bytes, u64 off) {
    return off < bytes->len && memchr(bytes->at + off, 0, bytes->len - off) ? (const char *)bytes->at + off : NULL;
}

/* ---- key ------------------------------------------------------------------------------------------------------------- */

struct reader { const u8 *at, *end; };

static bool take(struct reader *reader, void *to, u64 len) {
    if ((u64)(reader->end - reader->at) < len)
        return false;
    memcpy(to, reader->at, len);
    reader->at += len;
    return true;
}

static bool take_text(struct reader *reader, char **text) {
    u64 len;
    *text = NULL;
    if (!take(reader, &len, sizeof len))
        return false;
    if (len == ~0ull)
        return true;
    if (len > (u64)(reader->end - reader->at))
        return false;
    *text = must_alloc((size_t)len + 1, 1);
    return take(reader, *text, len);
}

static bool read_key(struct start_key *key, const u8 *at, u64 len) {
    struct reader reader = { at, at + len };
    u64 skip;
    if (!take(&reader, &key->head, sizeof key->head) || key->head.notes_len > (u64)(reader.end - reader.at))
        return false;
    key->notes = must_alloc(key->head.notes_len + 1, 1);
    take(&reader, (void *)key->notes, key->head.notes_len);
    if (!mul_u64(key->head.aux_count, 16, &skip) || skip > (u64)(reader.end - reader.at))
        return false;
    reader.at += skip;
    for (int i = 0; i < KEY_TEXTS; i++)
        if (!take_text(&reader, &key->text[i]))
            return false;
    while (reader.at < reader.end && key->env_count < ENVIRONMENT_MOST) {
        char *entry;
        if (!take_text(&reader, &entry) || !entry)
            return false;
        key->env = must_grow(key->env, key->env_count + 2, sizeof *key->env);
        key->env[key->env_count++] = entry;
        key->env[key->env_count] = NULL;
    }
    return reader.at == reader.end && key->text[KEY_PATH];
}

/* ---- what it maps ---------------------------------------------------------------------------------------------------- */

static bool read_object(struct start_object *to, const struct record_object *from, const struct bytes *bytes, const struct record_head *head) {
    const char *path = text_at(bytes, from->real_path);
    const struct piece *piece = bytes_at(bytes, from->pieces, from->piece_count, sizeof *piece);
    if (!path || from->kind > KIND_KERNEL || (from->kind == KIND_SHARED && !piece))
        return false;
    *to = (struct start_object){ .path = must_format("%s", path), .kind = from->kind, .file = from->file, .plain_why = from->plain_why,
                                  .plain_at = from->plain_at };
    for (u32 i = 0; from->kind == KIND_SHARED && i < from->piece_count; i++) {
        if (piece[i].pack >= head->pack_count || piece[i].len % LDR_PAGE || piece[i].len > 1ull << 40)
            return false;
        if (i == 0) {
            const struct pack_ref *ref = bytes_at(bytes, head->packs, head->pack_count, sizeof *ref);
            to->pack_ino = ref ? ref[piece[0].pack].is.ino : 0;
            to->pack_page = piece[0].off / LDR_PAGE;
        }
        to->pages += piece[i].len / LDR_PAGE;
        to->read_only += piece[i].sealed ? piece[i].len / LDR_PAGE : 0;
    }
    return true;
}

static bool read_objects(struct start *start, const struct bytes *bytes, const struct record_head *head) {
    const struct record_object *from = bytes_at(bytes, head->objects, head->object_count, sizeof *from);
    if (!from || !head->object_count)
        return false;
    start->objects = must_alloc(head->object_count, sizeof *start->objects);
    for (; start->object_count < head->object_count; start->object_count++) {
        struct start_object *object = &start->objects[start->object_count];
        if (!read_object(object, &from[start->object_count], bytes, head))
            return false;
        start->pages += object->pages;
        start->read_only += object->read_only;
    }
    return true;
}

/* ---- does it hold ---------------------------------------------------------------------------------------------------- */

static char *changed_file(int dir, const char *path, const struct file_identity *identity) {
    struct stat st;
    if (fstatat(dir, path, &st, 0) != 0)
        return must_format("%s: %s", path, strerror(errno));
    return identity_is(identity, &st) ? NULL : must_format("%s changed", path);
}

static char *changed_witness(const struct bytes *bytes, const struct record_head *head) {
    const struct witness *witness = bytes_at(bytes, head->witnesses, head->witness_count, sizeof *witness);
    char *why = NULL;
    for (u32 i = 0; witness && i < head->witness_count && !why; i++) {
        const char *path = text_at(bytes, witness[i].path);
        struct stat st;
        if (!path)
            why = must_format("a witness without a path");
        else if (witness[i].kind == WITNESS_SAME)
            why = changed_file(AT_FDCWD, path, &witness[i].is);
        else if (stat(path, &st) == 0)
            why = must_format("%s is there now", path);
    }
    return why;
}

static struct pack *find_pack(const struct cache_dir *store, const char *name) {
    for (size_t i = 0; i < store->pack_count; i++)
        if (strcmp(store->packs[i].name, name) == 0)
            return &store->packs[i];
    return NULL;
}

/* Packs are written once, under a name of their own: a changed one is damage, one that is gone only ends the record. */
static char *changed_pack(struct start *start, const struct cache_dir *store, const struct bytes *bytes, const struct record_head *head, enum start_state *state) {
    const struct pack_ref *ref = bytes_at(bytes, head->packs, head->pack_count, sizeof *ref);
    char *why = ref ? NULL : must_format("packs lie outside the record");
    for (u32 i = 0; ref && i < head->pack_count; i++) {
        struct pack *pack = memchr(ref[i].name, 0, sizeof ref[i].name) ? find_pack(store, ref[i].name) : NULL;
        start->pack_count++;
        if (pack)
            pack->starts++;
        if (pack && !identity_is(&ref[i].is, &pack->st)) {
            free(why);
            why = must_format("pack %s is not as it was written", pack->name);
            *state = START_DAMAGED;
        } else if (!pack && !why) {
            why = must_format("pack %.*s is not there", CACHE_NAME_ROOM, ref[i].name);
        }
    }
    return why;
}

static char *changed_object(const struct start *start, int dir) {
    char *why = NULL;
    for (size_t i = 0; i < start->object_count && !why; i++)
        if (start->objects[i].kind != KIND_KERNEL)
            why = changed_file(dir, start->objects[i].path, &start->objects[i].file);
    return why;
}

/* Where the program's file is decides $ORIGIN, and one file may have several names. */
static char *changed_origin(const struct start *start, int dir, const char *path, const struct bytes *bytes, const struct record_head *head) {
    const char *was = head->origin ? text_at(bytes, head->origin) : NULL;
    if (!was || (start->key.head.way && !start->key.head.origin_by_file) || start->key.text[KEY_ORIGIN_PATH])
        return NULL;
    int fd = openat(dir, path, O_PATH | O_CLOEXEC);
    char *link = must_format("/proc/self/fd/%d", fd), now[4096], *why = NULL;
    ssize_t len = fd < 0 ? -1 : readlink(link, now, sizeof now - 1);
    if (len > 0) {
        now[len] = 0;
        char *slash = strrchr(now, '/');
        if (slash)
            slash[slash == now] = 0;
        if (strcmp(now, was) != 0)
            why = must_format("%s lies in %s, and not in %s as before", path, now, was);
    }
    if (fd >= 0)
        close(fd);
    free(link);
    return why;
}

/* Age is judged by the settings of whoever asks here, as it is in a start of theirs. */
static char *too_old(const struct record_head *head) {
    const char *setting = getenv("LDR_CACHE_MAX_AGE");
    u64 own = setting && *setting ? cache_seconds(setting) : ~0ull, limit = head->max_age && head->max_age < own ? head->max_age : own;
    struct timespec now;
    if (limit == ~0ull || clock_gettime(CLOCK_BOOTTIME, &now) != 0)
        return NULL;
    u64 age = (u64)now.tv_sec - head->born;
    return age < limit ? NULL : must_format("its addresses were drawn %llu seconds ago, the limit is %llu", (unsigned long long)age, (unsigned long long)limit);
}

/* `state`: what the record is by that, when something is wrong with it. */
static char *changed_start(struct start *start, const struct cache_dir *store, const struct bytes *bytes, const struct record_head *head, enum start_state *state) {
    const struct start_key *key = &start->key;
    *state = START_STALE;
    char *why = changed_pack(start, store, bytes, head, state);     /* first: it counts who uses the packs */
    int dir = key->text[KEY_DIR] ? open(key->text[KEY_DIR], O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
    if (memcmp(key->head.boot, store->boot, sizeof store->boot) != 0) {
        free(why);                    /* nobody asks for such packs: a copy of a whole directory is no damage */
        why = must_format("made before the last boot");
        *state = START_STALE;
    }
    if (!why)
        why = too_old(head);
    if (!why && dir == -1)
        why = must_format("%s: %s", key->text[KEY_DIR], strerror(errno));
    /* The kernel names a script by its own path, and starts what its first line says. */
    char *behind = key->head.way ? NULL : program_behind(dir, key->text[KEY_PATH]);
    const char *program = behind ? behind : key->text[KEY_PATH];
    if (!why)
        why = changed_file(dir, program, &key->head.program);
    if (!why)
        why = changed_origin(start, dir, program, bytes, head);
    if (!why)
        why = changed_witness(bytes, head);
    if (!why)
        why = changed_object(start, dir);
    if (dir >= 0)
        close(dir);
    free(behind);
    return why;
}

static void set_state(struct start *start, enum start_state state, char *why) {
    start->state = why ? state : START_VALID;
    start->why = why;
}

static bool same_loader(const struct start_key *key, const struct cache_dir *store) {
    return key->head.notes_len == store->loader_notes.len && memcmp(key->notes, store->loader_notes.at, store->loader_notes.len) == 0;
}

void start_read(struct start *start, const struct cache_dir *store, const struct bytes *bytes) {
    const struct record_head *head = bytes_at(bytes, 0, 1, sizeof *head);
    const u8 *key = head ? bytes_at(bytes, head->key, head->key_len, 1) : NULL;
    if (!head)
        set_state(start, START_DAMAGED, must_format("%llu bytes long, expected %zu at least", (unsigned long long)bytes->len, sizeof *head));
    else if (head->magic != RECORD_MAGIC && (head->magic ^ RECORD_MAGIC) << 8 == 0)     /* its last byte numbers the format */
        set_state(start, START_STALE, must_format("made by another build of ld-ldr.so, in another format"));
    else if (head->magic != RECORD_MAGIC)
        set_state(start, START_DAMAGED, must_format("begins with %016llx, expected %016llx", (unsigned long long)head->magic, RECORD_MAGIC));
    else if (head->size != bytes->len)
        set_state(start, START_DAMAGED, must_format("%llu bytes long, expected %llu", (unsigned long long)bytes->len, (unsigned long long)head->size));
    else if (head->sum != cache_sum(bytes->at + 24, bytes->len - 24))
        set_state(start, START_DAMAGED, must_format("its sum is not %016llx", (unsigned long long)head->sum));
    else if (!key || !(start->key_known = read_key(&start->key, key, head->key_len)))
        set_state(start, START_DAMAGED, must_format("its key cannot be read"));
    else if (start->key.head.store != store->kind)
        set_state(start, START_STALE, must_format("made for another store"));
    else if (!store->loader_notes.at)
        set_state(start, START_STALE, must_format("no ld-ldr.so to compare with"));
    else if (!same_loader(&start->key, store))
        set_state(start, START_STALE, must_format("made by another build of ld-ldr.so"));
    else if (!read_objects(start, bytes, head))
        set_state(start, START_DAMAGED, must_format("object %zu cannot be read", start->object_count));
    else {
        enum start_state state;
        char *why = changed_start(start, store, bytes, head, &state);
        set_state(start, state, why);
    }
}

void start_free(struct start *start) {
    for (int i = 0; i < KEY_TEXTS; i++)
        free(start->key.text[i]);
    for (size_t i = 0; i < start->key.env_count; i++)
        free(start->key.env[i]);
    free(start->key.env);
    free((void *)start->key.notes);
    for (size_t i = 0; i < start->object_count; i++)
        free(start->objects[i].path);
    free(start->objects);
    free(start->name);
    free(start->why);
}
