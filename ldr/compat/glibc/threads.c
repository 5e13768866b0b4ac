/* threads.c - struct pthread of the main thread, the TCB head every thread begins with, and libc's lists of thread stacks. */
#include "glibc.h"

/* The head of the TCB has not moved since 2.31; compiled code itself knows fs:0x28. It is needed with any C library. */
#define TCB_SELF 0u
#define TCB_DTV 8u
#define TCB_SELF2 16u
#define TCB_STACK_GUARD 40u
#define TCB_POINTER_GUARD 48u
#define PLAIN_THREAD 704u

u64 shim_thread_size(void) { return glibc.row ? glibc.row->pd_size : PLAIN_THREAD; }
u64 shim_thread_align(void) { return 64; }
u64 shim_tls_surplus(void) { return 1664; }            /* glibc's default: 4 namespaces, 512 optional */

/* 2.41 and later keep the rseq area below all module blocks. */
u64 shim_tls_extra(u64 used)
{
    if (!glibc.row || glibc_has(glibc.row->pd_rseq_area))
        return 0;
    u64 align = session.kernel.rseq_align > 32 ? session.kernel.rseq_align : 32;
    u64 size = session.kernel.rseq_size > 32 ? session.kernel.rseq_size : 32;
    return align_up(used, align) + align_up(size, align) - used;
}

void shim_start_thread_pointer(char *tp)
{
    GLIBC_AT(tp, TCB_SELF, char *) = tp;
    GLIBC_AT(tp, TCB_SELF2, char *) = tp;
    if (session.kernel.random) {
        GLIBC_AT(tp, TCB_STACK_GUARD, u64) = session.kernel.random[0] & ~0xffull;      /* a zero byte stops string overflows */
        GLIBC_AT(tp, TCB_POINTER_GUARD, u64) = session.kernel.random[1];
    }
}

void shim_set_dtv(char *tp, void *dtv) { GLIBC_AT(tp, TCB_DTV, void *) = dtv; }
void *shim_get_dtv(char *tp) { return GLIBC_AT(tp, TCB_DTV, void *); }

static void list_self(char *head)
{
    GLIBC_AT(head, 0, char *) = head;
    GLIBC_AT(head, 8, char *) = head;
}

void shim_main_thread(void)
{
    const struct glibc_layout *row = glibc.row;
    if (!row)
        return;
    char *tp = session.main_tp, *g = glibc.global;
    list_self(g + row->g_stack_used);
    list_self(g + row->g_stack_cache);
    char *user = g + row->g_stack_user, *node = tp + row->pd_list;
    GLIBC_AT(user, 0, char *) = node;
    GLIBC_AT(user, 8, char *) = node;
    GLIBC_AT(node, 0, char *) = user;
    GLIBC_AT(node, 8, char *) = user;

    u32 exit_word = glibc_has(row->pd_joinstate) ? row->pd_joinstate : row->pd_tid;
    GLIBC_AT(tp, row->pd_tid, int) = sys_set_tid_address((int *)(void *)(tp + exit_word));
    if (glibc_has(row->pd_joinstate))
        GLIBC_AT(tp, row->pd_joinstate, int) = 2;      /* joinable; 0 would mean exited */
    GLIBC_AT(tp, row->pd_specific, char *) = tp + row->pd_specific_1stblock;
    if (glibc_has(row->pd_user_stack))
        GLIBC_AT(tp, row->pd_user_stack, u8) = 1;
    if (glibc_has(row->pd_stack_mode))
        GLIBC_AT(tp, row->pd_stack_mode, int) = 2;
    GLIBC_AT(tp, row->pd_stackblock_size, u64) = (u64)session.kernel.stack;
    u64 report_events = glibc_known(KNOWN_REPORT_EVENTS);
    if (report_events)
        GLIBC_AT(tp, row->pd_report_events, u8) = *(u8 *)report_events;
    char *robust = tp + row->pd_robust_head;
    GLIBC_AT(tp, row->pd_robust_prev, char *) = robust;
    GLIBC_AT(robust, 0, char *) = robust;
    GLIBC_AT(tp, row->pd_robust_head_futex_offset, i64) = -32;
    sys_set_robust_list(robust, row->pd_robust_head_size);

    bool in_thread = glibc_has(row->pd_rseq_area);
    char *area = in_thread ? tp + row->pd_rseq_area : tp - session.tls.used;
    GLIBC_AT(area, 4, int) = -1;
    int failed = sys_rseq(area, 32, 0x53053053);
    if (failed)
        GLIBC_AT(area, 4, int) = -2;
    u64 size = glibc_known(KNOWN_RSEQ_SIZE), offset = glibc_known(KNOWN_RSEQ_OFFSET);
    if (size)
        *(u32 *)size = failed ? 0 : in_thread ? 20 : (u32)(session.kernel.rseq_size > 20 ? session.kernel.rseq_size : 20);
    if (offset)
        *(u64 *)offset = (u64)(area - tp);
}

/* ---- all threads ----------------------------------------------------------------------------------------------------- */

/* libc's low-level lock: 0 free, 1 held, 2 held and waited for (private futex). */
static void stack_lock(int *word)
{
    int zero = 0;
    if (__atomic_compare_exchange_n(word, &zero, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0)
        sys_futex_wait(word, 2);
}
static void stack_unlock(int *word)
{
    if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
        sys_futex_wake(word, 1);
}

void shim_each_thread(void (*visit)(char *tp, void *arg), void *arg)
{
    const struct glibc_layout *row = glibc.row;
    if (!row) {
        visit(session.main_tp, arg);
        return;
    }
    int *word = &GLIBC_AT(glibc.global, row->g_stack_cache_lock, int);
    stack_lock(word);
    for (u32 which = 0; which < 2; which++) {
        char *head = glibc.global + (which ? row->g_stack_user : row->g_stack_used);
        for (char *node = GLIBC_AT(head, 0, char *); node && node != head; node = GLIBC_AT(node, 0, char *))
            visit(node - row->pd_list, arg);
    }
    stack_unlock(word);
}

static void count_one(char *tp, void *arg)
{
    (void)tp;
    ++*(u64 *)arg;
}

u64 shim_thread_count(void)
{
    u64 count = 0;
    if (!session.started)
        return 1;
    shim_each_thread(count_one, &count);
    return count;
}

int shim_allow_executable_stacks(void)
{
    const struct glibc_layout *row = glibc.row;
    if (!row)
        return 0;
    if (glibc_has(row->g_stack_flags))
        GLIBC_AT(glibc.global, row->g_stack_flags, u32) |= PF_X;
    if (glibc_has(row->g_stack_prot_flags))
        GLIBC_AT(glibc.global, row->g_stack_prot_flags, u32) |= PROT_EXEC;
    int (*change)(void *) = (int (*)(void *))glibc_symbol(session.linker, "__nptl_change_stack_perm", "GLIBC_PRIVATE");
    if (!session.started || !change)
        return 0;
    /* Threads that run already: libc's own list, under its lock. The main thread's stack was done by the caller. */
    int *word = &GLIBC_AT(glibc.global, row->g_stack_cache_lock, int);
    int err = 0;
    stack_lock(word);
    char *head = glibc.global + row->g_stack_used;
    for (char *node = GLIBC_AT(head, 0, char *); node && node != head && !err; node = GLIBC_AT(node, 0, char *))
        err = change(node - row->pd_list);
    head = glibc.global + row->g_stack_cache;
    for (char *node = GLIBC_AT(head, 0, char *); node && node != head && !err; node = GLIBC_AT(node, 0, char *))
        err = change(node - row->pd_list);
    stack_unlock(word);
    return -err;
}
