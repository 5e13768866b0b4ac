    .text
    .globl answer
    .type answer, @function
answer: movabs $value, %rax
    movl (%rax), %eax
    movabs $helper, %rdx
    jmp *%rdx
    .size answer, . - answer
    .globl helper
    .type helper, @function
helper: addl $1, %eax
    ret
    .size helper, . - helper
    .data
    .globl value
    .type value, @object
    .size value, 4
value: .long 41
    .section .note.GNU-stack,"",@progbits
