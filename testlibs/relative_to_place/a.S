    .data
    .globl offset, target
    .type offset, @object
    .size offset, 4
offset: .long target - offset
    .globl public_offset
    .type public_offset, @object
    .size public_offset, 8
public_offset: .long target@GOTPCREL
    .long 0
    .type target, @object
    .size target, 8
    .skip 1000
target: .quad 4711
    .section .note.GNU-stack,"",@progbits
