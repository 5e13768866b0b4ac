#include "scenario.h"
/* Every general register but rax filled before the call of a descriptor, compared after it. */
__thread long probed = 77;
#define CHECK(r) "cmp $0x" #r "1, %%r" #r "\n jne 1f\n"
int registers_kept(long *value)
{
    long address, bad = 1;
    __asm__ volatile(
        "push %%rbx\n push %%rbp\n"
        "mov $0x21, %%ebx\n mov $0x31, %%ecx\n mov $0x41, %%edx\n mov $0x51, %%esi\n mov $0x61, %%edi\n mov $0x71, %%ebp\n"
        "mov $0x81, %%r8d\n mov $0x91, %%r9d\n mov $0x101, %%r10d\n mov $0x111, %%r11d\n mov $0x121, %%r12d\n"
        "mov $0x131, %%r13d\n mov $0x141, %%r14d\n mov $0x151, %%r15d\n"
        "movq %%rbx, %%xmm0\n movq %%rcx, %%xmm7\n movq %%rdx, %%xmm15\n"
        "lea probed@tlsdesc(%%rip), %%rax\n call *probed@tlscall(%%rax)\n"
        "cmp $0x21, %%rbx\n jne 1f\n cmp $0x31, %%rcx\n jne 1f\n cmp $0x41, %%rdx\n jne 1f\n cmp $0x51, %%rsi\n jne 1f\n"
        "cmp $0x61, %%rdi\n jne 1f\n cmp $0x71, %%rbp\n jne 1f\n cmp $0x81, %%r8\n jne 1f\n cmp $0x91, %%r9\n jne 1f\n"
        "cmp $0x101, %%r10\n jne 1f\n cmp $0x111, %%r11\n jne 1f\n cmp $0x121, %%r12\n jne 1f\n cmp $0x131, %%r13\n jne 1f\n"
        "cmp $0x141, %%r14\n jne 1f\n cmp $0x151, %%r15\n jne 1f\n"
        "movq %%xmm0, %%rbx\n cmp $0x21, %%rbx\n jne 1f\n movq %%xmm7, %%rbx\n cmp $0x31, %%rbx\n jne 1f\n"
        "movq %%xmm15, %%rbx\n cmp $0x41, %%rbx\n jne 1f\n"
        "xor %%ecx, %%ecx\n"
        "1: pop %%rbp\n pop %%rbx\n"
        : "=a"(address), "=c"(bad)
        :
        : "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm7", "xmm15", "cc", "memory");
    *value = *(long *)((char *)__builtin_thread_pointer() + address);
    return bad == 0;
}
