/* GNU_PROPERTY_X86_ISA_1_NEEDED with the bits of NEEDED: 1 baseline, 2 x86-64-v2, others not yet given out. */
    .section .note.gnu.property,"a",@note
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0008002, 4, NEEDED, 0
    .section .note.GNU-stack,"",@progbits
