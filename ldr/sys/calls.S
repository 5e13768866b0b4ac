/* calls.S - sys_calls of sys.h. */
#include <asm/unistd.h>
        .text
        .globl  sys_calls, sys_calls_end
        .hidden sys_calls, sys_calls_end
        .type   sys_calls, @function
sys_calls:
        .cfi_startproc
        endbr64
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        movq    %rdi, %rbx
        movq    %rsi, %rbp
1:      testq   %rbp, %rbp
        jz      3f
        movq    (%rbx), %rax
        movq    8(%rbx), %rdi
        movq    16(%rbx), %rsi
        movq    24(%rbx), %rdx
        movq    32(%rbx), %r10
        movq    40(%rbx), %r8
        movq    48(%rbx), %r9
        syscall
        movq    %rax, 64(%rbx)
        cmpq    $-4095, %rax
        jb      2f
        cmpq    $0, 56(%rbx)
        je      2f
        movl    $__NR_exit_group, %eax
        movl    $127, %edi
        syscall
2:      addq    $72, %rbx
        decq    %rbp
        jmp     1b
3:      popq    %rbp
        .cfi_adjust_cfa_offset -8
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
        .size   sys_calls, . - sys_calls
sys_calls_end:
        .section .note.GNU-stack, "", @progbits
