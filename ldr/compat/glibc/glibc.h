/* glibc.h - inside of compat/glibc: the chosen row and typed access to glibc's private structures. */
#ifndef LDR_GLIBC_H
#define LDR_GLIBC_H

#include "../shim.h"
#include "layout.h"

struct glibc_side {
    const struct glibc_layout *row;   /* NULL: the program has no glibc */
    char *global, *ro;                /* _rtld_global, _rtld_global_ro of the genuine linker */
    bool ready;                       /* libc initialised: its mutexes may be used */
    int (*mutex_lock)(void *);
    int (*mutex_unlock)(void *);
    int (*mutex_trylock)(void *);
    void *(*malloc)(size_t);
    void (*free)(void *);
    int *(*errno_location)(void);
    u64 slotinfo_room;
    u64 *slotinfo;
};
extern struct glibc_side glibc;

#define GLIBC_AT(base, offset, type) (*(type *)(void *)((char *)(base) + (offset)))

/* glibc_symbol - address of a dynamic symbol of an object, or 0; version NULL: any default. */
u64 glibc_symbol(const struct object *object, const char *name, const char *version);
/* The symbols every start asks for, those of the genuine linker first. A start from a record knows where they are (shim_recall). */
enum glibc_known {
    KNOWN_GLOBAL, KNOWN_GLOBAL_RO, KNOWN_ARGV, KNOWN_STACK_END, KNOWN_SECURE, KNOWN_REPORT_EVENTS, KNOWN_RSEQ_SIZE, KNOWN_RSEQ_OFFSET, KNOWN_DEBUG,
    KNOWN_EARLY_INIT, KNOWN_LOCK, KNOWN_UNLOCK, KNOWN_TRYLOCK, KNOWN_ERRNO, KNOWN_ATFORK, KNOWN_FINALIZE, KNOWN_COUNT
};
u64 glibc_known(enum glibc_known which);               /* address, or 0 */
/* private.c: tables of our functions for the places glibc calls its linker through */
void glibc_install_functions(void);
u64 glibc_vdso(const char *name);
void glibc_tunables(void);
void glibc_register_fork(void);     /* locks.c: hold them over a fork */

#endif
