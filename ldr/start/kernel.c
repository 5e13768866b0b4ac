/* kernel.c - what the kernel leaves on the initial stack (psABI figure 3.9, getauxval(3)). */
#include "start.h"

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#define AT_RSEQ_ALIGN 28
#endif
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static void take_auxv(struct kernel_facts *k, u64 type, u64 value)
{
    switch (type) {
    case AT_PHDR: k->phdr = value; break;
    case AT_PHNUM: k->phnum = value; break;
    case AT_ENTRY: k->entry = value; break;
    case AT_BASE: k->base = value; break;
    case AT_PAGESZ: k->page = value; break;
    case AT_HWCAP: k->hwcap = value; break;
    case AT_HWCAP2: k->hwcap2 = value; break;
    case AT_CLKTCK: k->clktck = value; break;
    case AT_MINSIGSTKSZ: k->minsigstksz = value; break;
    case AT_SYSINFO_EHDR: k->sysinfo_ehdr = value; break;
    case AT_SECURE: k->secure = value; break;
    case AT_RSEQ_FEATURE_SIZE: k->rseq_size = value; break;
    case AT_RSEQ_ALIGN: k->rseq_align = value; break;
    case AT_RANDOM: k->random = (const u64 *)value; break;
    case AT_EXECFN: k->execfn = (const char *)value; break;
    case AT_PLATFORM: k->platform = (const char *)value; break;
    }
}

static void find_arguments(struct kernel_facts *k)
{
    k->argc = (int)k->stack[0];
    k->argv = (char **)(k->stack + 1);
    k->envp = k->argv + k->argc + 1;
}

void kernel_read(u64 *stack, struct kernel_facts *k)
{
    k->stack = stack;
    k->page = LDR_PAGE;
    k->clktck = 100;
    find_arguments(k);
    char **at = k->envp;
    while (*at)
        at++;
    k->auxv = (Elf64_auxv_t *)(at + 1);
    for (const Elf64_auxv_t *a = k->auxv; a->a_type != AT_NULL; a++)
        take_auxv(k, a->a_type, a->a_un.a_val);
}

void kernel_drop_arguments(struct kernel_facts *k, u32 count)
{
    u64 *end = (u64 *)k->auxv;
    while (end[0] != AT_NULL)
        end += 2;
    end += 2;
    /* The stack pointer must keep its alignment, so everything moves down instead of argc moving up. */
    u64 *to = k->stack + 1, *from = to + count;
    memmove(to, from, (u64)((char *)end - (char *)from));
    k->stack[0] -= count;
    find_arguments(k);
    /* Not searched for anew: entries removed from the environment leave a gap before it. */
    k->auxv = (Elf64_auxv_t *)((u64 *)k->auxv - count);
}

void kernel_set_auxv(struct kernel_facts *k, u64 type, u64 value)
{
    for (Elf64_auxv_t *a = k->auxv; a->a_type != AT_NULL; a++)
        if (a->a_type == type)
            a->a_un.a_val = value;
}

void kernel_remove_unsecure_env(struct kernel_facts *k)
{
    char **to = k->envp;
    for (char **from = k->envp; *from; from++)
        if (!config_unsecure_name(*from))
            *to++ = *from;
    *to = NULL;                       /* the auxv stays where it is: nobody looks for it behind envp but us, and we know it */
}
