    .globl constant, small
    .set constant, 0x12345678
    .set small, 42
    .data
    .globl pointer_to_constant
    .type pointer_to_constant, @object
    .size pointer_to_constant, 8
pointer_to_constant: .quad constant
    .section .note.GNU-stack,"",@progbits
