/* mounts.h - what the mounts of a process say about the devices in its maps: stat gives another device than maps do on file systems
 * with one for each subvolume or layer (btrfs, overlay), and a deleted file cannot be asked at all. */
#ifndef LDR_HOST_MOUNTS_H
#define LDR_HOST_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* mount_type - file system type ("tmpfs") of what the process has mounted with this device, as maps name it; false when nothing is */
bool mount_type(int proc, uint64_t dev, char *type, size_t room);

/* mount_holds - is the open file FD on a mount of this device, as maps name it? PROC: whose mounts, besides our own */
bool mount_holds(int proc, int fd, uint64_t dev);

#endif
