/* exe.c - /proc/self/exe of a program started by command (`ldr run`): the kernel shows ld-ldr.so, since that is what was executed.
 *
 * prctl(PR_SET_MM_MAP) puts another file there, for whoever may checkpoint processes (CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN), and only
 * while nothing of the old file is mapped. We run from that file. So the few instructions that make system calls are copied into a page
 * of their own, which is writable while it is filled and executable only after; from there our constants and code are taken away, the
 * exchange is made, and the file is mapped again where it was. A debugger's breakpoints in our code are kept: pages that are not the
 * file's any more are put back as they were. The same call sets what /proc/self/cmdline shows. It is done on
 * request (--proc-exe). Without the capability nothing is touched: use the program's PT_INTERP or a mount namespace (`ldr session`). */
#include "start.h"

#include <linux/capability.h>
#include <linux/prctl.h>

#define PROC_EXE "/proc/self/exe"

bool exe_may_be_taken(void)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { 0 } };
    if (sys_call(__NR_capget, (long)&head, (long)data, 0, 0, 0, 0) != 0)
        return false;
    return (data[CAP_CHECKPOINT_RESTORE / 32].effective >> CAP_CHECKPOINT_RESTORE % 32 & 1) ||
           (data[CAP_SYS_ADMIN / 32].effective >> CAP_SYS_ADMIN % 32 & 1);
}

/* Field `number` (from 1) of /proc/self/stat behind the name in brackets. */
static u64 stat_field(const char *text, u32 number)
{
    const char *at = str_rchr(text, ')');
    u64 value = 0;
    for (u32 field = 2; at && field < number; field++)
        at = str_chr(at + 1, ' ');
    for (at = at ? at + 1 : ""; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (u64)(*at - '0');
    return value;
}

static bool read_layout(struct prctl_mm_map *map)
{
    char text[2048];
    int fd = sys_open_read("/proc/self/stat");
    long len = fd < 0 ? -1 : sys_read(fd, text, sizeof text - 1);
    if (fd >= 0)
        sys_close(fd);
    if (len <= 0)
        return false;
    text[len] = 0;
    map->start_stack = stat_field(text, 28);
    map->start_data = stat_field(text, 45);
    map->end_data = stat_field(text, 46);
    map->start_brk = stat_field(text, 47);
    map->brk = (u64)sys_call(__NR_brk, 0, 0, 0, 0, 0, 0);
    map->arg_end = stat_field(text, 49);
    map->env_start = stat_field(text, 50);
    map->env_end = stat_field(text, 51);
    map->arg_start = (u64)session.kernel.execfn_argv0;
    for (u32 i = 0; i < session.program->image.plan.seg_count; i++) {
        const struct segment *seg = &session.program->image.plan.seg[i];
        if (seg->prot & PF_X) {
            map->start_code = session.program->bias + seg->vaddr;
            map->end_code = session.program->bias + seg->mem_end;
        }
    }
    return map->start_stack && map->start_brk && map->start_code;
}

/* One of our segments that come from the file. */
struct piece { char *at; u64 len, off; int prot; };
enum { PIECES = 4 };

static u32 find_pieces(struct piece *piece, u32 room)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)session.self.start;
    const Elf64_Phdr *phdr = (const Elf64_Phdr *)(session.self.start + eh->e_phoff);
    u32 count = 0;
    for (u16 i = 0; i < eh->e_phnum && count < room; i++)
        if (phdr[i].p_type == PT_LOAD && phdr[i].p_filesz)
            piece[count++] = (struct piece){ (char *)session.self.start + phdr[i].p_vaddr, align_up(phdr[i].p_filesz, LDR_PAGE), phdr[i].p_offset,
                                             PROT_READ | (phdr[i].p_flags & PF_X ? PROT_EXEC : 0) };
    return count;
}

static struct sys_later call_mmap(const struct piece *piece, int prot, int flags, int fd, u64 off)
{
    return (struct sys_later){ __NR_mmap, { (long)piece->at, (long)piece->len, prot, MAP_PRIVATE | MAP_FIXED | flags, fd, (long)off }, .must = true };
}

/* Pages of ours that somebody has written to: a debugger, its breakpoints. */
struct changed { char *at, *copy; };
enum { CHANGED = 16 };

static char *copy_page(const char *page, int prot)
{
    char *copy = sys_mmap(NULL, LDR_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sys_failed(copy))
        return NULL;
    memcpy(copy, page, LDR_PAGE);
    return sys_mprotect(copy, LDR_PAGE, prot) == 0 ? copy : NULL;
}

/* How many were written to, with their copies; CHANGED + 1: more than can be kept. */
static u32 find_changed(const struct piece *piece, u32 count, struct changed *changed)
{
    enum { AT_ONCE = 64 };
    const u64 present = 1ull << 63, of_file = 1ull << 61;
    u64 word[AT_ONCE];
    u32 found = 0;
    int fd = sys_open_read("/proc/self/pagemap");
    for (u32 i = 0; fd >= 0 && i < count; i++)
        for (u64 page = 0, pages = piece[i].len / LDR_PAGE; page < pages && found <= CHANGED; page += AT_ONCE) {
            u64 many = pages - page < AT_ONCE ? pages - page : AT_ONCE;
            long got = sys_call(__NR_pread64, fd, (long)word, (long)(many * 8), (long)(((u64)piece[i].at / LDR_PAGE + page) * 8), 0, 0);
            for (u64 k = 0; got > 0 && k < (u64)got / 8 && found <= CHANGED; k++) {
                if ((word[k] & (present | of_file)) != present)
                    continue;
                char *at = piece[i].at + (page + k) * LDR_PAGE;
                if (found < CHANGED)
                    changed[found] = (struct changed){ at, copy_page(at, piece[i].prot) };
                found++;
            }
        }
    if (fd >= 0)
        sys_close(fd);
    return found;
}

/* Not what is there already: nothing was exchanged, or the kernel has set its own breakpoints (uprobes) anew, which it knows in the file's pages only. */
static void put_back(const struct changed *changed, u32 count)
{
    for (u32 i = 0; i < count; i++)
        if (changed[i].copy && memcmp(changed[i].copy, changed[i].at, LDR_PAGE) == 0)
            sys_munmap(changed[i].copy, LDR_PAGE);
        else if (changed[i].copy)
            sys_call(__NR_mremap, (long)changed[i].copy, LDR_PAGE, LDR_PAGE, 3 /* MAYMOVE | FIXED */, (long)changed[i].at, 0);
}

/* false: refused, and nothing has changed. Between the first call and the last there is nothing of ours but `page`, the stack and .bss. */
static bool exchange(const struct piece *piece, u32 count, int self, const struct prctl_mm_map *map)
{
    struct sys_later call[2 * PIECES + 1];
    u64 len = (u64)sys_calls_end - (u64)sys_calls;
    u32 calls = 0;
    char *page = sys_mmap(NULL, LDR_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sys_failed(page))
        return false;
    memcpy(page, (const void *)sys_calls, len);
    bool good = sys_mprotect(page, LDR_PAGE, PROT_READ | PROT_EXEC) == 0;
    for (u32 i = 0; i < count; i++)
        call[calls++] = call_mmap(&piece[i], PROT_NONE, MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    u32 taking = calls;
    call[calls++] = (struct sys_later){ __NR_prctl, { PR_SET_MM, PR_SET_MM_MAP, (long)map, sizeof *map }, .must = false };
    for (u32 i = 0; i < count; i++)
        call[calls++] = call_mmap(&piece[i], piece[i].prot, MAP_POPULATE, self, piece[i].off);
    if (good)
        ((void (*)(struct sys_later *, u64))(void *)page)(call, calls);
    sys_munmap(page, LDR_PAGE);
    return good && call[taking].result == 0;
}

void exe_take(const char *path)
{
    struct prctl_mm_map map = { .exe_fd = ~0u };
    if (!exe_may_be_taken() || !read_layout(&map))
        return;
    int self = sys_open_read(PROC_EXE), program = sys_open_read(path);
    struct piece piece[PIECES];
    u32 count = self >= 0 && program >= 0 ? find_pieces(piece, PIECES) : 0;
    if (count) {
        map.exe_fd = (u32)program;
        /* Debuggers read entry and headers of a running program from here: the kernel's copy still describes us. */
        kernel_set_auxv(&session.kernel, AT_BASE, session.self.start);
        map.auxv = (void *)session.kernel.auxv;
        for (const Elf64_auxv_t *a = session.kernel.auxv; ; a++) {
            map.auxv_size += sizeof *a;
            if (a->a_type == AT_NULL)
                break;
        }
        u64 gate = session.gate;
        gate_close();                 /* a second mapping of our file */
        struct changed changed[CHANGED];
        u32 kept = find_changed(piece, count, changed);
        bool done = kept <= CHANGED && exchange(piece, count, self, &map);
        put_back(changed, kept < CHANGED ? kept : CHANGED);
        if (!done)
            kernel_set_auxv(&session.kernel, AT_BASE, session.kernel.base);
        if (done)
            sys_call(__NR_prctl, PR_SET_NAME, (long)str_base(path), 0, 0, 0, 0);
        if (gate && !gate_open(gate))
            sys_exit(127);            /* images in use lead through it; nothing can have taken the place meanwhile */
    }
    if (self >= 0)
        sys_close(self);
    if (program >= 0)
        sys_close(program);
}
