/* start.h - the steps of start-up; main.c calls them in order. */
#ifndef LDR_START_H
#define LDR_START_H

#include "../run/run.h"

/* bootstrap.c: our own relocations, before anything else may be trusted; then where we lie. */
void bootstrap_relocate(void);
void bootstrap_describe(struct found_range *range, u64 *eh_frame_hdr);

/* kernel.c: the initial stack as facts. */
void kernel_read(u64 *stack, struct kernel_facts *facts);
/* Drop the first `count` arguments in place: argc keeps its address, everything behind moves down. */
void kernel_drop_arguments(struct kernel_facts *facts, u32 count);
void kernel_set_auxv(struct kernel_facts *facts, u64 type, u64 value);
void kernel_remove_unsecure_env(struct kernel_facts *facts);

/* options.c: the command line of the system's ld.so. */
struct options {
    enum { DO_RUN, DO_LIST, DO_VERIFY } what;
    const char *argv0;
    bool proc_exe;                    /* make /proc/self/exe the program, where the kernel permits */
    u32 used;                         /* arguments before the program, ld-ldr.so's own name included */
};
void options_read(struct options *options);            /* may print and exit */

/* trace.c: LD_TRACE_LOADED_OBJECTS and --list. */
_Noreturn void trace_and_exit(void);

/* auxv.c: LD_SHOW_AUXV. */
void auxv_show(const Elf64_auxv_t *auxv);

/* exe.c: /proc/self/exe of a program started by command, where the kernel lets us: who has the right. */
bool exe_may_be_taken(void);
void exe_take(const char *path);

#endif
