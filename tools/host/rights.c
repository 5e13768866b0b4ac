/* rights.c - which capabilities are lacking. Telling root that it needs what it has sends it nowhere: page tables are refused as well by
 * security modules (Landlock, BPF programs, Yama), and to those whose capabilities hold in another user namespace only. */
#include "rights.h"
#include "../ldr.h"

#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct capability { unsigned number; const char *name; } page_tables[] = {
    { CAP_SYS_ADMIN, "CAP_SYS_ADMIN" }, { CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH" } }, memory[] = { { CAP_SYS_PTRACE, "CAP_SYS_PTRACE" } };

static uint64_t effective(void) {
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
    return syscall(SYS_capget, &header, data) == 0 ? (uint64_t)data[1].effective << 32 | data[0].effective : 0;
}

/* The first user namespace has a number of its own (PROC_USER_INIT_INO). */
static bool in_first_namespace(void) {
    struct stat st;
    return stat("/proc/self/ns/user", &st) != 0 || st.st_ino == 0xeffffffd;
}

char *rights_needed(enum right right, bool known) {
    const struct capability *wanted = right == RIGHT_MEMORY ? memory : page_tables;
    size_t count = right == RIGHT_MEMORY ? sizeof memory / sizeof *memory : sizeof page_tables / sizeof *page_tables, lacking = 0;
    uint64_t have = known ? effective() : 0;
    const char *names[2] = { "", "" };
    for (size_t i = 0; i < count; i++)
        if (!(have >> wanted[i].number & 1))
            names[lacking++] = wanted[i].name;
    if (lacking)
        return must_format("needs %s%s%s, or to run as its user", names[0], lacking > 1 ? " and " : "", names[1]);
    if (!in_first_namespace())
        return must_format("the capabilities for it are there, but hold in this user namespace only");
    /* Kernels before 6.15 ask for this one to open another user's page tables, whatever else is there. */
    if (!(have >> CAP_SYS_PTRACE & 1))
        return must_format("needs CAP_SYS_PTRACE too, or to run as its user");
    return must_format("the capabilities for it are there: something else of the kernel refuses, such as a security module");
}
