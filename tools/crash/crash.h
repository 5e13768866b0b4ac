/* crash.h - what a report on a program that died of a signal says, and the parts that find it out.
 *
 *   stop.c     a thread is about to be given a signal: registers and siginfo are kept; when it dies of that, report_build
 *   maps.c     what /proc says of a process
 *   space.c    the address space at that moment: mappings and objects
 *   spot.c     one address, in words
 *   unwind.c   backtrace and instruction, by libdwfl and capstone, in a child that can only compute
 *   frames.c   function and line of each frame
 *   access.c   which operand touched which address, and how
 *   slot.c     the GOT slot and the binding that a call went through
 *   cause.c    one sentence
 *   exception.c   the type of an exception that nothing caught
 *   text.c, json.c   the report
 * Everything is read while the thread that died stands still at its end and the others have been told to end, so all that is shown is as it was. */
#ifndef LDR_CRASH_H
#define LDR_CRASH_H

#include "../../include/ldr/unloaded.h"
#include "../explain/catalog.h"
#include "../host/watch.h"
#include "maps.h"

#include <signal.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/user.h>

/* ---- space.c ---- */

/* An ELF file that is mapped, or the vdso. */
struct crash_object {
    const char *path;
    const struct library_file *file;  /* NULL: the vdso, or the file at that path is another one now */
    void *bytes;                      /* of the whole file; NULL: not to be had */
    u64 len;
    u64 bias, start, end;             /* addresses */
};
struct space {
    pid_t pid, thread;
    int mem;
    u64 sp;                           /* of the thread: what it lies in is a stack */
    struct crash_map *maps;
    size_t map_count;
    struct crash_object *objects;     /* by address */
    size_t object_count;
    struct unloaded unloaded;         /* version 0: nothing, or the program runs on another linker */
    struct catalog *catalog;
};
bool space_open(struct space *space, pid_t pid, pid_t thread);
void space_close(struct space *space);
size_t space_read(const struct space *space, u64 addr, void *to, size_t len);  /* bytes read, from the start */
bool space_word(const struct space *space, u64 addr, u64 *word);
const struct crash_map *space_map(const struct space *space, u64 addr);        /* NULL: nothing is mapped there */
const struct crash_map *space_above(const struct space *space, u64 addr);      /* the next mapping that begins above; NULL: none */
const struct crash_map *space_below(const struct space *space, u64 addr);
/* space_left - the thread's own stack, when the stack pointer has left it downwards and leads to nothing readable; NULL: it has not */
const struct crash_map *space_left(const struct space *space, u64 sp, u64 fs_base);
const struct crash_object *space_object(const struct space *space, u64 addr);
const char *base_name(const char *path);

/* ---- spot.c: what lies at an address ---- */

enum page_class {
    PAGE_NOTHING,                     /* not mapped */
    PAGE_UNLOADED,                    /* not mapped any more: an object was here that dlclose unloaded */
    PAGE_HOLE,                        /* inside an object, between its segments */
    PAGE_CODE, PAGE_CONSTANTS, PAGE_RELRO, PAGE_DATA, PAGE_BSS,
    PAGE_HEAP, PAGE_STACK, PAGE_NO_ACCESS, PAGE_ANONYMOUS, PAGE_FILE, PAGE_KERNEL,
    PAGE_NON_CANONICAL,
};
const char *page_class_name(enum page_class class);            /* "RELRO" */
struct spot {
    u64 addr;
    enum page_class class;
    const struct crash_map *map;      /* NULL: none */
    const struct crash_object *object;
    u64 vaddr;                        /* in the object, also in an unloaded one */
    const struct unloaded_object *unloaded;
    char *section, *symbol;           /* "" when not known; symbol with the way to the byte: "table[2].next" or "main+0x12" */
    char *source;                     /* "file.c:12"; "" */
    u64 symbol_start;                 /* vaddr; 0: not known */
};
struct spot spot_find(const struct space *space, u64 addr, bool is_code);
void spot_free(struct spot *spot);
/* spot_text - "main + 0x4010: table + 0x8 (crash.c:7), .data.rel.ro, RELRO page, r--"; malloc'd */
char *spot_text(const struct space *space, const struct spot *spot);

/* ---- unwind.c ---- */

enum { FRAMES_MAX = 256, OPERANDS_MAX = 8, INSTRUCTION_MAX = 15, CALLS_MAX = 8 };
struct operand {
    u64 addr;                         /* of memory; of a target: where the jump goes */
    u32 len;
    u8 memory, read, write;
    u8 source;                        /* surely only read: `read` and `write` are the decoder's, which takes many a store for a read */
    u8 target;                        /* a jump or call goes to it (register), or to what is there (memory) */
};
/* A call that may stand before an address: bytes can be read in several ways from behind. */
struct call {
    u64 addr;                         /* where it leads; of one through memory, the word */
    u8 memory, direct;                /* neither: through a register */
};
struct frame {
    u64 pc, sp;
    bool exact;                       /* pc is the instruction itself, not the one behind a call */
    const struct crash_object *object;/* NULL: in none */
    u64 vaddr;                        /* of the instruction that counts: in a caller the call's last byte */
    u64 start;                        /* vaddr of the function; 0: not known */
    char *function, *offset, *file;   /* "" when not known */
    u32 line;
};
/* spot_of_frame - of a frame whose pc is exact and that frames_name has named: asks nothing twice */
struct spot spot_of_frame(const struct space *space, const struct frame *frame);
struct unwound {
    struct frame frames[FRAMES_MAX];
    size_t frame_count;
    bool more;                        /* frames were left out */
    char *problem;                    /* why it ends where it does; NULL: at the end */
    char text[224];                   /* the instruction in Intel's syntax; "": none could be read */
    u8 bytes[INSTRUCTION_MAX];
    u32 len;                          /* of the instruction; 0: not known */
    u32 byte_count;                   /* that could be read */
    struct operand operands[OPERANDS_MAX];
    size_t operand_count;
    struct call calls[CALLS_MAX];     /* before the return address on top of the stack, when the program counter leads nowhere */
    size_t call_count;
    bool divides, pushes, privileged, aligned, undefined;      /* what the instruction is */
};
struct moment {                       /* a thread standing at a signal */
    siginfo_t info;
    struct user_regs_struct regs;
};
/* unwind - `also`: another moment whose stack may be needed (a handler's own stack), or NULL */
void unwind(struct unwound *unwound, const struct space *space, const struct moment *moment, const struct moment *also);
/* evex_operand - see evex.c; false: no such instruction, or none with a memory operand that is known */
bool evex_operand(const u8 *code, u32 len, const struct user_regs_struct *registers, struct operand *operand);
void unwound_free(struct unwound *unwound);

/* ---- the report ---- */

enum access_kind { ACCESS_UNKNOWN, ACCESS_READS, ACCESS_WRITES, ACCESS_EXECUTES };
struct crash_slot {
    bool found;
    u64 addr;                         /* of the word; 0: a register */
    char *object, *symbol, *story;    /* story: lines for people */
    bool weak, changed;               /* undefined weak; not what the linker stored */
    u64 word, stored;
    u64 site;                         /* behind the call that led here; 0: none is known to have */
};
struct crash {
    const char *program;              /* path */
    pid_t pid, thread;
    char thread_name[32];
    const char *library_path, *preload;      /* options of the start; NULL */
    struct moment moment;             /* of the fault: the first one when a handler raised again */
    bool raised_again;                /* a handler of the program ran and raised or returned to it */
    struct space space;
    const struct crash_object *own;   /* the program's file; NULL: not known */
    struct unwound unwound;
    bool has_addr;
    u64 addr;
    enum access_kind access;
    bool surely_read;                 /* ACCESS_READS, whatever the page allows now */
    struct spot at, instruction;      /* at: zeroed without address */
    struct crash_slot slot;
    const char *kind;                 /* a word for programs: "null-pointer" */
    char *cause;                      /* a sentence without its full stop */
    char *advice;                     /* what to look at; "" */
    char **notes;                     /* what debug information could not be read, and why; sentences */
    size_t note_count;
    char *message;                    /* what the C library said before it aborted; NULL */
};
/* exception_type - of the C++ exception whose end is on the stack between its pointer and `end`; malloc'd, NULL: none shows */
char *exception_type(const struct crash *crash, u64 end);
struct crash_start {
    const char *program, *library_path, *preload;
};

void frames_name(struct crash *crash);
void access_find(struct crash *crash);
void slot_find(struct crash *crash);
void cause_find(struct crash *crash);
void crash_text(const struct crash *crash, FILE *out);
void crash_json(const struct crash *crash, FILE *out);
const char *crash_signal(int number); /* "SIGSEGV" */
const char *crash_code(const siginfo_t *info);       /* "SEGV_MAPERR", "" */

/* ---- stop.c ---- */

struct crash_watch;
/* crash_watch_of - the one there is. crash_signal_stop, crash_dead - for struct watch, arg a crash_watch. crash_unseen - as there. */
struct crash_watch *crash_watch_of(const struct crash_start *start);
bool crash_signal_stop(pid_t thread, int number, void *arg);
bool crash_dead(pid_t pid, pid_t thread, int number, void *arg);
/* crash_may_kill - whether a report could be on that signal, for which `thread` stands: nobody handles it just now */
bool crash_may_kill(pid_t thread, int number);
void crash_unseen(struct crash_watch *watch, enum watch_unseen why);
/* crash_write - the report of a process that ended with that status (waitpid); nothing when it did not die of a signal that is reported.
 *   text, json   as for crash_run */
void crash_write(struct crash_watch *watch, int status, const char *text, const char *json);

/* ---- run.c ---- */

/* unwatched - takes that argument out of its vector: another tracer follows the processes that a start makes, perhaps. NULL: nothing */
void unwatched(char **watched);
/* crash_run - becomes PROGRAM with ARGS, watched by a process of its own that writes the report.
 *   watched   the one of ARGS that tells the linker of this watcher, NULL: none
 *   text   file, "" for standard error, NULL for none; json   file or NULL; every_thread   as in struct watch
 *   returns LDR_EXIT_OWN after a message; else never */
int crash_run(const char *text, const char *json, bool every_thread, const struct crash_start *start, const char *program, char **args,
              char **watched);

#endif
