    .data
    .globl one_for_all
    .type one_for_all, @gnu_unique_object
    .size one_for_all, 4
one_for_all:
    .long 7
    .section .note.GNU-stack, "", @progbits
