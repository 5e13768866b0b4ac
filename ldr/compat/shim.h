/* shim.h - what the runtime asks of the C library's private side. run/ and api/ know only these; compat/glibc/ answers them.
 *
 * A program without a C library (or with one that brings no linker contract) is served by the same functions: they then do nothing. */
#ifndef LDR_SHIM_H
#define LDR_SHIM_H

#include "../run/run.h"

/* Locks; no effect before shim_libc_ready. Recursive. The C library resets load and tls lock in a forked child. */
void shim_lock_load(void);
void shim_unlock_load(void);
void shim_lock_write(void);
void shim_unlock_write(void);
void shim_lock_tls(void);
void shim_unlock_tls(void);

/* shim_recognise - find the C library and its genuine linker among the loaded objects and choose their layout.
 *   returns 0, or -LDR_E_LAYOUT after reporting which builds were met */
int shim_recognise(void);
/* What recognising found, for a later start with the same two files: bytes whose meaning only this build knows; NULL: nothing to keep.
 * shim_recall - to be asked before shim_recognise. They must live as long as the process; NULL or of another length: look again. */
const void *shim_facts(u32 *len);
void shim_recall(const void *facts, u32 len);
u64 shim_debug_interface(void);                        /* the genuine linker's _r_debug, which programs may name; 0: none */
u64 shim_finalizer(void);                              /* __cxa_finalize, which destructors of start files call (Itanium C++ ABI); 0: none */
void shim_before_linker_runs(void);                    /* after the genuine linker's relative relocations, before its IRELATIVE */
u64 shim_thread_size(void);                            /* sizeof(struct pthread), bytes from tp up */
u64 shim_thread_align(void);
u64 shim_tls_extra(u64 used);                          /* bytes of extra static TLS the C library wants below `used` (2.41+: rseq) */
u64 shim_tls_surplus(void);                            /* static TLS kept for later objects, bytes */
void shim_start_thread_pointer(char *tp);              /* TCB head: self pointers, guards; before any code of others runs */
void shim_set_dtv(char *tp, void *dtv);
void *shim_get_dtv(char *tp);
/* shim_fill - everything libc reads of its linker, after the genuine linker was relocated and before its RELRO is sealed */
void shim_fill(void);
void shim_main_thread(void);                           /* struct pthread of the main thread, robust list, rseq */
void shim_object_added(struct object *object);         /* fill its struct link_map; keep counts */
void shim_object_removed(struct object *object);
void shim_tls_changed(struct object *object);          /* module id or offset became known after shim_object_added */
bool shim_static_tls_grow(u64 room);                   /* let new threads have more static TLS; false: cannot */
/* calls `visit` with the thread pointer of every live thread; under libc's own stack lock */
void shim_each_thread(void (*visit)(char *tp, void *arg), void *arg);
u64 shim_thread_count(void);
int shim_early_init(void);                             /* __libc_early_init, then locks become real */
void shim_publish_modules(void);                       /* slotinfo list for libthread_db */
u64 *shim_tls_dtor_count(struct object *object);       /* destructors of thread_local objects still pending in it, or NULL */
void *shim_malloc(size_t len);                         /* the program's malloc, for blocks libc frees; NULL before it exists */
void shim_free(void *at);
void shim_no_memory(void);                             /* set libc's errno to ENOMEM */
u64 shim_gate_function(u32 i);                          /* functions of ours that shim_override may answer with, numbered; 0: no more */
u64 shim_override(const struct binding *binding);      /* our function in place of one of the genuine linker's; 0: none */
int shim_allow_executable_stacks(void);
void shim_forget_processor(void);                       /* the number of the processor that was asked, out of what the genuine linker keeps of cpuid */
u64 shim_xsave_size(void);                             /* bytes of vector state a trampoline must keep; 0: fxsave */
bool shim_xsavec(void);

#endif
