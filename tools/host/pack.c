/* pack.c - see pack.h. Apart, because the linker's types and the tools' have names in common. */
#include "pack.h"
#include "../../ldr/cache/format.h"

#include <unistd.h>

bool pack_is(int fd) {
    struct pack_head head;
    return pread(fd, &head, sizeof head, 0) == sizeof head && (head.magic == PACK_MAGIC || head.magic == LATE_MAGIC);
}
