#include "scenario.h"
#include <sys/mman.h>
/* In assembly, so that the test is the destructor's first instruction whatever the compiler is and does. */
__attribute__((visibility("hidden"), aligned(4096))) struct { char set, rest[4095]; } settings;
__attribute__((visibility("hidden"), used)) void tell(void) { say("set at the end"); }
__asm__(".pushsection .text\n.type at_end, @function\n"
        "at_end: cmpb $0, settings(%rip)\n"
        "jne 1f\n"
        "ret\n"
        "1: jmp tell\n"
        ".size at_end, . - at_end\n"
        ".fill 64, 1, 0x90\n.popsection\n"
        ".pushsection .fini_array, \"aw\", @fini_array\n.balign 8\n.quad at_end\n.popsection\n");
__attribute__((constructor)) static void freeze(void)
{
    settings.set = 1;
    say("%s", mprotect(&settings, sizeof settings, PROT_READ) ? "not frozen" : "frozen");
}
