/* cmd_session.c - `ldr session`: a command tree for which ld-ldr.so is the system's dynamic linker.
 *
 * Dynamic programs name /lib64/ld-linux-x86-64.so.2 as interpreter (PT_INTERP) and the kernel opens that path. In a mount
 * namespace of its own the path leads to ld-ldr.so, for the command and all its descendants and nobody else:
 *
 *   the name is a symbolic link (Debian: /usr/lib64/ld-linux-x86-64.so.2 -> /lib/x86_64-linux-gnu/...)
 *       nothing can be mounted on a symbolic link, so a small tmpfs takes the place of its folder:
 *           ld-ldr.so               a bind of the file itself (same inode: its pages stay shared with every other user,
 *                                   and reachable even where the path to the build is not)
 *           ld-linux-x86-64.so.2 -> ld-ldr.so
 *           every other entry       the same link, or a bind of the original
 *       the genuine linker stays where the link pointed
 *   the name is a regular file
 *       ld-ldr.so is bound over it, and the genuine file to a new place outside, named on stderr and in LDR_GENUINE_LDSO
 *
 * The tmpfs is made detached (fsmount) and filled through its descriptor: no temporary folder is left behind.
 */
#include "host/ldso.h"
#include "host/program.h"
#include "ldr.h"

#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define INTERP_FOLDER "/lib64"
#define INTERP_NAME "ld-linux-x86-64.so.2"
#define INTERP_PATH INTERP_FOLDER "/" INTERP_NAME

struct session_options {
    char **command;
};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct session_options *session = state->input;
    (void)arg;
    switch (key) {
    case ARGP_KEY_ARG:
        session->command = state->argv + state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "no command named"); return EINVAL;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    NULL, parse_option, "COMMAND [ARG...]",
    "Run COMMAND and all it starts with ld-ldr.so in the place of the system's dynamic linker, in a private mount "
    "namespace: nothing changes for any other process.\v"
    "Static programs and 32-bit programs run as always. Root gets a mount namespace; others get a user namespace "
    "with it, in which only their own user and group exist (files of others appear to belong to nobody, su and sudo do not work).\n"
    "\n"
    "Exit status: the command's own; 127 not found, 126 found but not executable, 125 ldr's own failure.\n"
    "\n"
    "Examples:\n"
    "  ldr session make -j2\n"
    "  ldr session bash\n"
    "  ldr session sh -c 'readlink /lib64/ld-linux-x86-64.so.2; ls'\n",
    NULL, NULL, NULL,
};

/* Value of a one-line file such as a sysctl, for messages; empty when there is none. */
static const char *read_value(const char *path, char *buffer, size_t size) {
    buffer[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return buffer;
    ssize_t length = read(fd, buffer, size - 1);
    close(fd);
    buffer[length > 0 ? length : 0] = '\0';
    buffer[strcspn(buffer, "\n")] = '\0';
    return buffer;
}

static bool write_value(const char *path, const char *value) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool written = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
    int error = errno;
    close(fd);
    errno = error;
    return written;
}

static void explain_no_namespace(int mount_error, int user_error) {
    static const char *const switches[] = {
        "/proc/sys/user/max_user_namespaces",
        "/proc/sys/user/max_mnt_namespaces",
        "/proc/sys/kernel/unprivileged_userns_clone",
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    };
    warn_ldr("neither a mount namespace (%s) nor a user namespace (%s) is permitted here; "
             "run as root, or use `ldr run` for single programs", strerror(mount_error), strerror(user_error));
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        char value[64];
        if (*read_value(switches[i], value, sizeof value))
            fprintf(stderr, "    %s is %s\n", switches[i], value);
    }
}

/* Leaves the process in its own mount namespace, from which no mount gets out. */
static bool enter_namespace(void) {
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWNS) != 0) {
        int mount_error = errno;
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
            explain_no_namespace(mount_error, errno);
            return false;
        }
        /* Identity maps: the programs must not notice who they are. A single id may be mapped without privilege;
         * the group only after setgroups is given up. */
        char map[64];
        snprintf(map, sizeof map, "%u %u 1", uid, uid);
        bool mapped = write_value("/proc/self/uid_map", map);
        if (mapped && !write_value("/proc/self/setgroups", "deny") && errno != ENOENT)
            mapped = false;
        snprintf(map, sizeof map, "%u %u 1", gid, gid);
        if (!mapped || !write_value("/proc/self/gid_map", map)) {
            warn_ldr("cannot map user %u and group %u into the new user namespace: %s", uid, gid, strerror(errno));
            return false;
        }
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        warn_ldr("cannot make the mounts of the new namespace private: %s", strerror(errno));
        return false;
    }
    return true;
}

/* Binds FROM_FOLDER/NAME (a detached clone, so that FROM_FOLDER may be covered meanwhile) onto TO_FOLDER/TARGET. */
static bool bind_at(int from_folder, const char *name, int to_folder, const char *target) {
    int tree = open_tree(from_folder, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (tree < 0)
        return false;
    bool moved = move_mount(tree, "", to_folder, target, MOVE_MOUNT_F_EMPTY_PATH) == 0;
    int error = errno;
    close(tree);
    errno = error;
    return moved;
}

static int make_detached_tmpfs(void) {
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0)
        return -1;
    int mounted = -1;
    if (fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755", 0) == 0 &&
        fsconfig(context, FSCONFIG_SET_STRING, "source", "ldr-session", 0) == 0 &&
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        mounted = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    int error = errno;
    close(context);
    errno = error;
    return mounted;
}

/* Makes NAME in FOLDER an empty file or folder like the original, to be bound over. */
static bool make_mount_point(int folder, const char *name, mode_t type) {
    if (S_ISDIR(type))
        return mkdirat(folder, name, 0755) == 0;
    int fd = openat(folder, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

enum copy_step { COPY_NAMES, COPY_BINDS };

/* Step one, while the tmpfs is detached: every link and mount point. Step two, once it is attached (only then can
 * mounts be put on it): the binds. */
static bool copy_entries(int original, int copy, enum copy_step step) {
    int list = openat(original, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = list < 0 ? NULL : fdopendir(list);
    if (!folder) {
        if (list >= 0)
            close(list);
        return false;
    }
    bool good = true;
    struct dirent *entry;
    while (good && (errno = 0, entry = readdir(folder))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, INTERP_NAME) == 0 ||
            strcmp(name, "ld-ldr.so") == 0)
            continue;
        struct stat st;
        if (fstatat(original, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            good = false;
        } else if (S_ISLNK(st.st_mode)) {
            char target[PATH_MAX];
            ssize_t length = readlinkat(original, name, target, sizeof target - 1);
            target[length > 0 ? length : 0] = '\0';
            good = step != COPY_NAMES || (length > 0 && symlinkat(target, copy, name) == 0);
        } else {
            good = step == COPY_NAMES ? make_mount_point(copy, name, st.st_mode) : bind_at(original, name, copy, name);
        }
        if (!good)
            warn_ldr("cannot keep %s/%s in the session: %s", INTERP_FOLDER, name, strerror(errno));
    }
    closedir(folder);
    return good;
}

static bool replace_folder(const char *ldso, const char *folder) {
    int original = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int copy = make_detached_tmpfs();
    bool good = false;
    if (original < 0 || copy < 0) {
        warn_ldr("cannot make a tmpfs in place of %s: %s", folder, strerror(errno));
        goto out;
    }
    if (!copy_entries(original, copy, COPY_NAMES))
        goto out;
    if (!make_mount_point(copy, "ld-ldr.so", S_IFREG) || symlinkat("ld-ldr.so", copy, INTERP_NAME) != 0) {
        warn_ldr("cannot fill the tmpfs for %s: %s", folder, strerror(errno));
        goto out;
    }
    if (move_mount(copy, "", AT_FDCWD, folder, MOVE_MOUNT_F_EMPTY_PATH) != 0) {
        warn_ldr("cannot mount over %s: %s", folder, strerror(errno));
        goto out;
    }
    if (!copy_entries(original, copy, COPY_BINDS))
        goto out;
    if (!bind_at(AT_FDCWD, ldso, copy, "ld-ldr.so")) {
        warn_ldr("cannot bind %s into %s: %s", ldso, folder, strerror(errno));
        goto out;
    }
    good = true;
out:
    if (original >= 0)
        close(original);
    if (copy >= 0)
        close(copy);
    return good;
}

static bool replace_file(const char *ldso, const char *file) {
    /* The genuine file's new place must exist before the mount and be visible to every user of the session. */
    char place[] = "/tmp/ldr-session.XXXXXX";
    if (!mkdtemp(place) || chmod(place, 0755) != 0) {
        warn_ldr("cannot make a place for the genuine linker: %s: %s", place, strerror(errno));
        return false;
    }
    int folder = make_detached_tmpfs();
    char *genuine = must_format("%s/%s", place, INTERP_NAME);
    bool good = false;
    if (folder < 0 || !make_mount_point(folder, INTERP_NAME, S_IFREG) ||
        move_mount(folder, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) != 0 ||
        !bind_at(AT_FDCWD, file, folder, INTERP_NAME)) {
        warn_ldr("cannot keep the genuine linker reachable at %s: %s", genuine, strerror(errno));
    } else if (!bind_at(AT_FDCWD, ldso, AT_FDCWD, file)) {
        warn_ldr("cannot bind %s over %s: %s", ldso, file, strerror(errno));
    } else {
        setenv("LDR_GENUINE_LDSO", genuine, 1);
        warn_ldr("%s is ld-ldr.so for this session, the genuine one is %s", file, genuine);
        good = true;
    }
    if (folder >= 0)
        close(folder);
    free(genuine);
    return good;
}

static bool same_file(const char *a, const char *b) {
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static bool replace_interpreter(const char *ldso) {
    char *folder = realpath(INTERP_FOLDER, NULL);
    if (!folder) {
        warn_ldr("%s: %s", INTERP_FOLDER, strerror(errno));
        return false;
    }
    char *file = must_format("%s/%s", folder, INTERP_NAME);
    struct stat st;
    bool good = false;
    if (lstat(file, &st) != 0)
        warn_ldr("%s: %s", file, strerror(errno));
    else if (S_ISLNK(st.st_mode))
        good = replace_folder(ldso, folder);
    else
        good = replace_file(ldso, file);
    if (good && !same_file(INTERP_PATH, ldso)) {
        warn_ldr("%s does not lead to %s after the mount", INTERP_PATH, ldso);
        good = false;
    }
    free(file);
    free(folder);
    return good;
}

int cmd_session(int argc, char **argv) {
    struct session_options session = { 0 };
    argp_err_exit_status = LDR_EXIT_OWN;
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &session) != 0)
        return LDR_EXIT_OWN;
    char *path;
    int status = program_find(session.command[0], &path);
    if (status)
        return status;
    char *ldso = find_ldso();
    /* In a session inside a session the path already leads to ld-ldr.so. */
    if (!ldso || (!same_file(INTERP_PATH, ldso) && (!enter_namespace() || !replace_interpreter(ldso))))
        return LDR_EXIT_OWN;
    /* Not execvp: the search is done, and its fallback to /bin/sh would hide a bad file. */
    execv(path, session.command);
    warn_ldr("%s: cannot be executed: %s", path, strerror(errno));
    return errno == ENOENT ? LDR_EXIT_NOT_FOUND : LDR_EXIT_NOT_EXEC;
}
