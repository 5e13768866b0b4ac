/* store.c - the cache directory: where it is, whom the linker would believe, and what lies in it. */
#include "store.h"
#include "../host/ldso.h"
#include "../ldr.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { RECORD_MOST = 32 << 20, CATALOG_MOST = 256 << 20 };     /* bytes; the linker writes no longer record */

const void *bytes_at(const struct bytes *bytes, u64 off, u64 count, u64 width) {
    u64 len, end;
    if (!mul_u64(count, width, &len) || !add_u64(off, len, &end) || end > bytes->len || (width >= 8 && off % 8) || (width == 4 && off % 4))
        return NULL;
    return bytes->at + off;
}

bool identity_is(const struct file_identity *identity, const struct stat *st) {
    return identity->dev == st->st_dev && identity->ino == st->st_ino && identity->size == (u64)st->st_size &&
           identity->mtime == (u64)st->st_mtim.tv_sec && identity->mtime_ns == (u64)st->st_mtim.tv_nsec &&
           identity->ctime == (u64)st->st_ctim.tv_sec && identity->ctime_ns == (u64)st->st_ctim.tv_nsec;
}

/* Why the linker does not believe this file; NULL: it does. */
static char *distrust(const struct cache_dir *store, const struct stat *st, mode_t type) {
    uid_t owner = store->kind == STORE_USER ? geteuid() : 0;
    if ((st->st_mode & S_IFMT) != type)
        return must_format("no %s", type == S_IFDIR ? "directory" : "regular file");
    if (st->st_uid != owner)
        return must_format("owner %u, expected %u", st->st_uid, owner);
    if (store->kind == STORE_USER && type == S_IFDIR && st->st_gid != getegid())
        return must_format("group %u, expected %u", st->st_gid, getegid());
    if (store->kind == STORE_SECURE && st->st_mode & 077)
        return must_format("others may read it (mode %04o)", st->st_mode & 07777u);
    if (st->st_mode & 022)
        return must_format("others may write to it (mode %04o)", st->st_mode & 07777u);
    return NULL;
}

char *cache_file(const struct cache_dir *store, const char *name, u64 most, struct stat *st, struct bytes *bytes) {
    /* Looking is no use: the access time is left as it is. Only the owner may ask for that. */
    int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, fd = openat(store->dir, name, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = openat(store->dir, name, flags);
    if (fd < 0)
        return must_format("%s", strerror(errno));
    char *why = fstat(fd, st) ? must_format("%s", strerror(errno)) : distrust(store, st, S_IFREG);
    if (!why && (u64)st->st_size > most)
        why = must_format("%lld bytes long, expected %llu at most", (long long)st->st_size, (unsigned long long)most);
    *bytes = (struct bytes){ 0 };
    if (!why) {
        u64 want = (u64)st->st_size;
        bytes->at = must_alloc((size_t)want + 1, 1);
        ssize_t got = 1;
        while (bytes->len < want && (got = pread(fd, bytes->at + bytes->len, want - bytes->len, (off_t)bytes->len)) > 0)
            bytes->len += (u64)got;
        if (got < 0)
            why = must_format("%s", strerror(errno));
    }
    close(fd);
    return why;
}

char *pack_first_page(const struct cache_dir *store, const struct pack *pack) {
    u8 page[LDR_PAGE];
    struct pack_head head;
    int fd = openat(store->dir, pack->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = fd < 0 ? -1 : pread(fd, page, sizeof page, 0);
    if (fd >= 0)
        close(fd);
    if (got != (ssize_t)sizeof page)
        return must_format("%s: its first page cannot be read", pack->name);
    memcpy(&head, page, sizeof head);
    if (head.magic != PACK_MAGIC || head.size != pack->size)
        return must_format("%s: begins with %016llx and tells %llu bytes, expected %016llx and %llu", pack->name, (unsigned long long)head.magic,
                           (unsigned long long)head.size, PACK_MAGIC, (unsigned long long)pack->size);
    for (size_t i = sizeof head; i < sizeof page; i++)
        if (page[i])
            return must_format("%s: byte %zu is %02x, expected 00", pack->name, i, page[i]);
    return NULL;
}

/* ---- where ----------------------------------------------------------------------------------------------------------- */

enum { CHOICES = 3 };
/* Returns a malloc'd path, or NULL: this choice does not exist for this user. Same order as ldr/cache/store.c. */
static char *choice_path(int choice) {
    const char *runtime = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");
    if (geteuid() == 0)
        return choice == 0 ? must_format("/run/ldr-cache") : NULL;
    switch (choice) {
    case 0: return runtime && *runtime ? must_format("%s/ldr-cache", runtime) : NULL;
    case 1: return must_format("/run/user/%u/ldr-cache", geteuid());
    case 2: return home && *home ? must_format("%s/.cache/ldr-cache", home) : NULL;
    default: return NULL;
    }
}

/* As the linker does: another's directory, kept in the environment across sudo or su, is not ours to fill. */
static bool may_make(const struct cache_dir *store, const char *path) {
    struct stat st;
    size_t slash = (size_t)(strrchr(path, '/') - path);
    char *parent = must_format("%.*s", slash ? (int)slash : 1, path);
    bool others = store->kind == STORE_USER && stat(parent, &st) == 0 && (st.st_uid != geteuid() || st.st_gid != getegid());
    free(parent);
    return !others;
}

static int open_trusted(const struct cache_dir *store, const char *path, bool create, char **why) {
    struct stat st;
    bool absolute = path[0] == '/', may = !create || !absolute || may_make(store, path);
    bool made = create && absolute && may && mkdir(path, 0700) == 0;     /* opening it tells whether that worked */
    int fd = absolute ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (made && fd >= 0 && store->kind == STORE_SYSTEM)
        fchmod(fd, 0755);             /* whatever the umask is */
    *why = !absolute        ? must_format("not an absolute path")
         : fd < 0 && !may   ? must_format("%s; it is made only in a directory of one's own user and group", strerror(errno))
         : fd < 0           ? must_format("%s", strerror(errno))
         : fstat(fd, &st)   ? must_format("%s", strerror(errno))
                            : distrust(store, &st, S_IFDIR);
    if (*why && fd >= 0)
        close(fd);
    return *why ? -1 : fd;
}

static bool find_directory(struct cache_dir *store, bool create) {
    const char *given = store->kind == STORE_SYSTEM ? SYSTEM_CACHE : store->kind == STORE_SECURE ? SECURE_CACHE : getenv("LDR_CACHE_DIR");
    char *tried[CHOICES] = { NULL }, *why[CHOICES] = { NULL };
    int count = 0, choices = given && *given ? 1 : CHOICES;
    store->dir = -1;
    for (int i = 0; i < choices && store->dir < 0; i++) {
        char *path = choices == 1 ? must_format("%s", given) : choice_path(i);
        if (!path)
            continue;
        tried[count] = path;
        store->dir = open_trusted(store, path, create, &why[count]);
        if (store->dir >= 0)
            store->path = path;
        count++;
    }
    if (store->dir < 0) {
        warn_ldr("no cache directory; tried:");
        for (int i = 0; i < count; i++)
            fprintf(stderr, "    %s: %s\n", tried[i], why[i]);
    }
    for (int i = 0; i < count; i++) {
        if (tried[i] != store->path)
            free(tried[i]);
        free(why[i]);
    }
    return store->dir >= 0;
}

static void read_boot(u8 boot[16]) {
    char text[64] = { 0 };
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    memset(boot, 0, 16);
    for (int i = 0, digits = 0; i < got && digits < 32; i++) {
        const char *place = strchr("0123456789abcdef", text[i]);
        if (place && text[i]) {
            boot[digits / 2] = (u8)(boot[digits / 2] << 4 | (place - "0123456789abcdef"));
            digits++;
        }
    }
}

/* ---- what ------------------------------------------------------------------------------------------------------------ */

static void take_record(struct cache_dir *store, const char *name) {
    struct stat st = { 0 };
    struct bytes bytes;
    char *why = cache_file(store, name, RECORD_MOST, &st, &bytes);
    store->starts = must_grow(store->starts, store->start_count + 1, sizeof *store->starts);
    struct start *start = &store->starts[store->start_count++];
    *start = (struct start){ .name = must_format("%s", name), .size = (u64)st.st_size, .ino = st.st_ino, .made = st.st_mtim, .read = st.st_atim };
    if (why) {
        start->state = START_DAMAGED;
        start->why = why;
        return;
    }
    start_read(start, store, &bytes);
    free(bytes.at);
}

static void take_pack(struct cache_dir *store, const char *name, const struct stat *st) {
    store->packs = must_grow(store->packs, store->pack_count + 1, sizeof *store->packs);
    store->packs[store->pack_count++] = (struct pack){ .name = must_format("%s", name), .size = (u64)st->st_size, .ino = st->st_ino, .st = *st };
}

static int compare_names(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Most pages first, then by program. */
static int compare_starts(const void *a, const void *b) {
    const struct start *x = a, *y = b;
    if (x->pages != y->pages)
        return x->pages < y->pages ? 1 : -1;
    int order = strcmp(x->object_count ? x->objects[0].path : "", y->object_count ? y->objects[0].path : "");
    return order ? order : strcmp(x->name, y->name);
}

static bool list_names(const struct cache_dir *store, char ***names, size_t *count) {
    int fd = openat(store->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        warn_ldr("%s: %s", store->path, strerror(errno));
        return false;
    }
    *names = NULL;
    *count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        *names = must_grow(*names, *count + 1, sizeof **names);
        (*names)[(*count)++] = must_format("%s", entry->d_name);
    }
    closedir(dir);
    if (*names)
        qsort(*names, *count, sizeof **names, compare_names);
    return true;
}

/* Packs before records, which count them. */
static void take_files(struct cache_dir *store, char **names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        if (fstatat(store->dir, names[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;                 /* gone meanwhile */
        store->size += S_ISREG(st.st_mode) ? (u64)st.st_size : 0;
        char *why = distrust(store, &st, S_IFREG), kind = why || !cache_owns_name(names[i]) ? 0 : names[i][0];
        if (kind == 'p' || kind == 'l')
            take_pack(store, names[i], &st);
        else if (kind == 't')
            store->unfinished++;
        else if (why || (kind != 'r' && strcmp(names[i], "catalog") != 0 && strcmp(names[i], "lock") != 0))
            store->foreign++;
        free(why);
    }
    for (size_t i = 0; i < count; i++)
        if (names[i][0] == 'r' && cache_owns_name(names[i]))
            take_record(store, names[i]);
    if (store->starts)
        qsort(store->starts, store->start_count, sizeof *store->starts, compare_starts);
}

int cache_open(struct cache_dir *store, enum store_kind kind, bool create) {
    char **names;
    size_t count;
    *store = (struct cache_dir){ .kind = kind };
    if (!find_directory(store, create))
        return LDR_EXIT_NO_TARGET;
    read_boot(store->boot);
    store->loader = find_ldso_quietly();
    if (store->loader && !loader_notes(store->loader, &store->loader_notes))
        warn_ldr("%s: its notes cannot be read; records cannot be told from those of other builds", store->loader);
    if (!list_names(store, &names, &count))
        return LDR_EXIT_FAILED;
    take_files(store, names, count);
    struct stat st;
    struct bytes bytes = { 0 };
    store->catalog_why = cache_file(store, "catalog", CATALOG_MOST, &st, &bytes);
    if (!store->catalog_why)
        catalog_read(store, &bytes);
    free(bytes.at);
    opened_read(store);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return LDR_EXIT_OK;
}

void cache_close(struct cache_dir *store) {
    for (size_t i = 0; i < store->start_count; i++)
        start_free(&store->starts[i]);
    for (size_t i = 0; i < store->pack_count; i++)
        free(store->packs[i].name);
    for (size_t i = 0; i < store->image_count; i++) {
        free(store->images[i].starts);
        free(store->images[i].opened_path);
    }
    free(store->starts);
    free(store->packs);
    free(store->images);
    free(store->catalog_why);
    free(store->loader);
    free(store->loader_notes.at);
    if (store->dir >= 0)
        close(store->dir);
    free(store->path);
}

bool cache_remove(const struct cache_dir *store, const char *prefix) {
    char **names;
    size_t count;
    if (!list_names(store, &names, &count))
        return false;
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        bool ours = strncmp(names[i], prefix, strlen(prefix)) == 0 && (cache_owns_name(names[i]) || strcmp(names[i], "catalog") == 0);
        if (ours && unlinkat(store->dir, names[i], 0) != 0 && errno != ENOENT) {
            warn_ldr("%s/%s: %s", store->path, names[i], strerror(errno));
            good = false;
        }
        free(names[i]);
    }
    free(names);
    return good;
}

int cache_lock(const struct cache_dir *store, int seconds) {
    int fd = openat(store->dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        warn_ldr("%s/lock: %s", store->path, strerror(errno));
        return -1;
    }
    for (int tenth = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; tenth++) {
        if (errno != EWOULDBLOCK || tenth == seconds * 10) {
            warn_ldr("%s/lock: %s", store->path, errno == EWOULDBLOCK ? "somebody makes records all the time" : strerror(errno));
            close(fd);
            return -1;
        }
        usleep(100000);
    }
    return fd;
}
