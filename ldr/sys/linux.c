/* linux.c - what of the system call floor is more than one call. */
#include "sys.h"

void sys_write_all(int fd, const char *text, size_t len)
{
    while (len) {
        long done = sys_call(__NR_write, fd, (long)text, (long)len, 0, 0, 0);
        if (done == -4 /* EINTR */)
            continue;
        if (done <= 0)
            return;
        text += done;
        len -= (size_t)done;
    }
}
