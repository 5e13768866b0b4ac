/* mounts.c - /proc/PID/mountinfo, proc_pid_mountinfo(5); its device is the one of maps. */
#include "mounts.h"
#include "proc.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct mount { uint64_t id, dev; const char *type; size_t type_len; };

/* 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw */
static bool next_mount(const char **cursor, struct mount *mount) {
    while (**cursor) {
        const char *line = *cursor, *end = line + strcspn(line, "\n"), *tail = strstr(line, " - ");
        unsigned major, minor;
        *cursor = *end ? end + 1 : end;
        if (!tail || tail > end || sscanf(line, "%" SCNu64 " %*u %u:%u", &mount->id, &major, &minor) != 3)
            continue;
        mount->dev = makedev(major, minor);
        mount->type = tail + 3;
        mount->type_len = strcspn(mount->type, " \n");
        return true;
    }
    return false;
}

bool mount_type(int proc, uint64_t dev, char *type, size_t room) {
    struct text text = { 0 };
    bool found = false;
    if (proc_read(proc, "mountinfo", &text) == 0) {
        struct mount mount;
        for (const char *at = text.bytes; !found && next_mount(&at, &mount); )
            if (mount.dev == dev && mount.type_len < room) {
                memcpy(type, mount.type, mount.type_len);
                type[mount.type_len] = '\0';
                found = true;
            }
    }
    text_free(&text);
    return found;
}

static bool is_listed(int proc, uint64_t id, uint64_t dev) {
    struct text text = { 0 };
    bool found = false;
    if (proc_read(proc, "mountinfo", &text) == 0) {
        struct mount mount;
        for (const char *at = text.bytes; !found && next_mount(&at, &mount); )
            found = mount.id == id && mount.dev == dev;
    }
    text_free(&text);
    return found;
}

bool mount_holds(int proc, int fd, uint64_t dev) {
    struct statx facts;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &facts) != 0 || !(facts.stx_mask & STATX_MNT_ID))
        return false; /* before Linux 5.8 */
    if (is_listed(proc, facts.stx_mnt_id, dev))
        return true;
    /* no two mounts of the machine have one number: it may be one of our own namespace */
    int own = proc_open(getpid());
    bool holds = own >= 0 && is_listed(own, facts.stx_mnt_id, dev);
    if (own >= 0)
        close(own);
    return holds;
}
