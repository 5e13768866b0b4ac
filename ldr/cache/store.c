/* store.c - the cache directories: where they are, who may be believed, and how files appear in them whole or not at all. */
#include "cache_private.h"

#define O_DIRECTORY_ONLY 0200000
#define MODE_TYPE 0170000u
#define MODE_DIR 0040000u
#define MODE_REGULAR 0100000u
#define MODE_OTHERS_WRITE 0022u
#define MODE_OTHERS 0077u

static u64 auxv_or(u64 type, long call)
{
    for (const Elf64_auxv_t *a = session.kernel.auxv; a->a_type != AT_NULL; a++)
        if (a->a_type == type)
            return a->a_un.a_val;
    return (u64)sys_call(call, 0, 0, 0, 0, 0, 0);
}

u64 store_user(void) { return auxv_or(AT_EUID, __NR_geteuid); }
static u64 store_group(void) { return auxv_or(AT_EGID, __NR_getegid); }

static bool is_believed(const struct stat *st, u32 type)
{
    u64 owner = cache.store == STORE_USER ? store_user() : 0;
    /* Of a set-user-ID program nobody shall learn addresses: what others can read there is not used. */
    u32 denied = cache.store == STORE_SECURE ? MODE_OTHERS : MODE_OTHERS_WRITE;
    return (st->st_mode & MODE_TYPE) == type && st->st_uid == owner && !(st->st_mode & denied);
}

/* What a user may write shall not come into a process that has another group's rights besides: the helper of a set-group-ID program, say,
 * whose own start is not marked AT_SECURE. Such a process makes none either (make_dir): the user, who owns it, could change what is in it. */
static bool is_believed_dir(const struct stat *st)
{
    return is_believed(st, MODE_DIR) && (cache.store != STORE_USER || st->st_gid == store_group());
}

/* The directory that holds ours, and ours in it. Root's is always the same: what its environment says may come from somebody whose program
 * became root, and lead to a file system of theirs. */
#define CHOICES 3u
static bool parent_name(u32 choice, struct text *path)
{
    const struct config *config = &session.config;
    if (store_user() == 0) {
        text_put(path, "/run");
        return choice == 0;
    }
    switch (choice) {
    case 0:
        if (!config->runtime_dir)
            return false;
        text_put(path, config->runtime_dir);
        return true;
    case 1:
        text_put(path, "/run/user/");
        text_dec(path, store_user());
        return true;
    case 2:
        if (!config->home)
            return false;
        text_put(path, config->home);
        text_put(path, "/.cache");
        return true;
    default:
        return false;
    }
}

static int open_dir(const char *path)
{
    struct stat st;
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY_ONLY, 0);
    if (fd < 0)
        return fd;
    if (sys_fstat(fd, &st) != 0 || !is_believed_dir(&st)) {
        sys_close(fd);
        return -1;
    }
    return fd;
}

/* A directory that others share over a network is not this machine's: makers there would remove each other's files, and a mapped file
 * could go while it is used. */
static bool is_of_this_machine(u64 type)
{
    switch (type) {
    case 0xef53:     /* ext2, 3, 4 */
    case 0x58465342: /* xfs */
    case 0x9123683e: /* btrfs */
    case 0xf2f52010: /* f2fs */
    case 0x01021994: /* tmpfs */
    case 0x858458f6: /* ramfs */
    case 0x794c7630: /* overlayfs */
    case 0x2fc12fc1: /* zfs */
    case 0xca451a4e: /* bcachefs */
        return true;
    default:
        return false;
    }
}

/* What a maker may write: an eighth of the file system stays free for others (/run is where services keep their state), of what is free
 * now. */
static u64 room;

const char *store_refuses_makers(int dir)
{
    struct { u64 type, block, blocks, free, available, rest[27]; } fs = { 0 };
    if (sys_call(__NR_fstatfs, dir, (long)&fs, 0, 0, 0, 0) != 0 || !is_of_this_machine(fs.type))
        return "the directory's file system is not one of this machine's";
    u64 kept = fs.blocks / 8;
    room = !fs.blocks ? ~0ull : fs.available > kept ? (fs.available - kept) * fs.block : 0;
    return room ? NULL : "the directory's file system is nearly full";
}

u64 store_limit(void)
{
    struct { u64 type, block, blocks, rest[29]; } fs = { 0 };
    bool known = sys_call(__NR_fstatfs, cache.dir, (long)&fs, 0, 0, 0, 0) == 0 && fs.blocks;
    u64 half = fs.blocks / 2 * fs.block;
    return known && half < STORE_MOST ? half : STORE_MOST;
}

/* Made only in a directory of the same user and group: another's, kept in the environment across sudo or su, is not ours to fill. */
static int make_dir(char *path)
{
    struct stat st;
    char *slash = (char *)str_rchr(path, '/');
    *slash = 0;
    int err = sys_stat(slash == path ? "/" : path, &st);
    *slash = '/';
    bool ours = !err && st.st_uid == store_user() && st.st_gid == store_group();
    return ours && sys_mkdir(path, 0700) == 0 ? open_dir(path) : -1;
}

/* What everybody shall read is readable whatever umask root has. */
static int open_system(bool create)
{
    const char *path = cache.store == STORE_SECURE ? SECURE_CACHE : SYSTEM_CACHE;
    int dir = open_dir(path);
    if (dir != -2 /* ENOENT */ || !create || sys_mkdir(path, 0700) != 0)
        return dir;
    dir = open_dir(path);
    if (dir >= 0 && cache.store == STORE_SYSTEM)
        sys_fchmod(dir, 0755);
    return dir;
}

/* In a user namespace everybody who has no number there appears as this one: a directory of "the user's own" may be anybody's. */
#define OVERFLOW_USER 65534u
static bool is_many(u64 id, const char *map_name)
{
    char map[64];
    if (id != OVERFLOW_USER)
        return false;
    int fd = sys_open_read(map_name);
    long len = fd < 0 ? -1 : sys_read(fd, map, sizeof map - 1);
    if (fd >= 0)
        sys_close(fd);
    /* All numbers as they are: no namespace. */
    static const char whole[] = "0 0 4294967295 ";
    char squeezed[64];
    u32 to = 0;
    for (long i = 0; i < len; i++)
        if (map[i] > ' ')
            squeezed[to++] = map[i];
        else if (to && squeezed[to - 1] != ' ')
            squeezed[to++] = ' ';
    squeezed[to < sizeof squeezed ? to : 0] = 0;
    return !str_equal(squeezed, whole);
}

int store_open(bool create)
{
    if (cache.store != STORE_USER)
        return open_system(create);
    if (is_many(store_user(), "/proc/self/uid_map") || is_many(store_group(), "/proc/self/gid_map"))
        return -1;
    char buf[512];                    /* on a page of the stack that is in use anyway */
    const char *given = session.config.cache_dir;
    for (u32 choice = 0; choice < CHOICES; choice++) {
        struct text path = text_on(buf, sizeof buf);
        if (given) {
            text_put(&path, given);
        } else {
            if (!parent_name(choice, &path))
                continue;
            text_put(&path, "/ldr-cache");
        }
        if (path.cut || buf[0] != '/') {
            if (given)
                return -1;
            continue;                 /* a relative XDG_RUNTIME_DIR is none */
        }
        int dir = open_dir(buf);
        if (dir == -2 /* ENOENT */ && create)
            dir = make_dir(buf);
        if (dir >= 0)
            cache.dir_name = arena_dup(&session.permanent, buf);
        if (dir >= 0 || given)
            return dir;
    }
    return -1;
}

int store_reopen(void) { return open_dir(cache.dir_name); }

int store_open_file(int dir, const char *name, struct stat *st)
{
    int fd = sys_openat(dir, name, O_RDONLY | O_NONBLOCK | cache.quiet, 0);        /* a pipe would wait for somebody who writes */
    if (fd < 0)
        return fd;
    if (sys_fstat(fd, st) != 0 || !is_believed(st, MODE_REGULAR)) {
        sys_close(fd);
        return -1;
    }
    return fd;
}

int store_stat_file(int dir, const char *name, struct stat *st)
{
    int fd = store_open_file(dir, name, st);
    if (fd >= 0)
        sys_close(fd);
    return fd < 0 ? fd : 0;
}

void *store_map(int dir, const char *name, u64 *len)
{
    struct stat st;
    int fd = store_open_file(dir, name, &st);
    if (fd < 0)
        return NULL;
    *len = (u64)st.st_size;
    void *at = st.st_size >= 64 && st.st_size < 1ll << 32 ? sys_mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0) : (void *)-22l;
    sys_close(fd);
    return sys_failed(at) ? NULL : at;
}

bool store_read_boot(u8 boot[16])
{
    char text[40];
    int fd = sys_open_read("/proc/sys/kernel/random/boot_id");
    if (fd < 0)
        return false;
    long got = sys_read(fd, text, sizeof text);
    sys_close(fd);
    u32 digits = 0;
    memset(boot, 0, 16);
    for (long i = 0; i < got && digits < 32; i++) {
        char c = text[i];
        u32 value = c >= '0' && c <= '9' ? (u32)(c - '0') : c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10 : 99;
        if (value < 16)
            boot[digits / 2] = (u8)(boot[digits / 2] << 4 | value), digits++;
    }
    return digits == 32;
}

bool writer_start(struct writer *writer, int dir)
{
    u64 number = 0;
    sys_getrandom(&number, sizeof number);
    struct text t = text_on(writer->name, sizeof writer->name);
    text_put(&t, "t-");
    text_hex(&t, number);
    writer->dir = dir;
    writer->at = 0;
    writer->fd = sys_openat(dir, writer->name, O_RDWR | O_CREAT | O_EXCL, 0600);
    writer->failed = writer->fd < 0 || (cache.store == STORE_SYSTEM && sys_fchmod(writer->fd, 0644) != 0);
    return !writer->failed;
}

void writer_put(struct writer *writer, const void *bytes, u64 len)
{
    while (len && !writer->failed) {
        long put = len <= room ? sys_pwrite(writer->fd, bytes, len, writer->at) : -28 /* ENOSPC */;
        writer->failed = put <= 0;
        if (put > 0) {
            room -= (u64)put;
            bytes = (const char *)bytes + put;
            len -= (u64)put;
            writer->at += (u64)put;
        }
    }
}

bool writer_end(struct writer *writer, const char *name)
{
    if (writer->fd >= 0 && sys_close(writer->fd) != 0)
        writer->failed = true;
    if (!writer->failed && sys_renameat(writer->dir, writer->name, name) == 0)
        return true;
    sys_unlinkat(writer->dir, writer->name);
    return false;
}

void identity_of(const struct stat *st, struct file_identity *identity)
{
    *identity = (struct file_identity){ st->st_dev, st->st_ino, (u64)st->st_size, (u64)st->st_mtime, st->st_mtime_nsec, (u64)st->st_ctime, st->st_ctime_nsec };
}

u64 identity_hash(const struct file_identity *identity)
{
    return cache_sum(identity, sizeof *identity) | 1;
}

bool identity_equal(const struct file_identity *a, const struct stat *st)
{
    return a->ino == st->st_ino && a->dev == st->st_dev && a->size == (u64)st->st_size && a->mtime == (u64)st->st_mtime &&
           a->mtime_ns == st->st_mtime_nsec && a->ctime == (u64)st->st_ctime && a->ctime_ns == st->st_ctime_nsec;
}
