    .section .note.ABI-tag,"a",@note
    .p2align 2
    .long 4, 16, 1
    .asciz "GNU"
    .long 0, 99, 0, 0
    .section .note.GNU-stack,"",@progbits
