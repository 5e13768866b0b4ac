/* gate.S - the gate: addresses of ours that are the same in every process.
 *
 * ld-ldr.so lies at a random address, and so do the kernel's vDSO functions; libraries hold their addresses in GOT slots. A page that
 * holds one would differ in every process and could not be shared. So shared images hold addresses of this page instead, of which
 * run/gate.c makes a second mapping at a place that is fixed for a boot. The page behind that mapping is private: the table of where
 * each entry leads in this process. (Here, where the link editor put the page, that table does not exist: this copy is never executed.)
 *
 * An entry changes no register and no flag, so it may stand for functions of any calling convention. */
#include "../gate.h"
        .section .gate, "ax", @progbits
        .globl  ldr_gate
        .hidden ldr_gate
        .type   ldr_gate, @object
        .balign 4096
ldr_gate:
        .set    entry, 0
        .rept   GATE_ENTRIES
        .balign 16
        endbr64
        jmp     *(ldr_gate + 4096 + 8 * entry)(%rip)
        .set    entry, entry + 1
        .endr
        .balign 4096, 0xcc
        .size   ldr_gate, 4096
        .section .note.GNU-stack, "", @progbits
