/* bind.S - the first call through a lazily bound PLT slot.
 *
 * PLT0 pushed GOT[1] (which tells the object), the entry pushed its relocation index, and jumped here (psABI "Procedure Linkage Table"):
 *      rsp+0 object, rsp+8 index, rsp+16 the caller's return address
 * Every register that can carry an argument must reach the function unchanged: rdi rsi rdx rcx r8 r9, rax (vector count of a variadic
 * call), r10 (static chain), and the vector registers in full width: an IFUNC resolver runs in between and may use any of them.
 * Only r11 is free. Three forms differ in how vector state is kept: xsavec (compact), xsave, fxsave. */
#define STATE_MASK 0xee                 /* SSE, AVX, bound registers, AVX-512: what may carry arguments; not x87, not AMX tiles */
#define HEADER 512                      /* XSAVE header behind the legacy area: must be zero for xsave, is written by xsavec */

        .macro  BIND name, save, restore, legacy
        .globl  \name
        .hidden \name
        .type   \name, @function
        .align  16
\name:
        .cfi_startproc
        .cfi_adjust_cfa_offset 16
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        subq    ldr_vector_size(%rip), %rsp
        andq    $-64, %rsp
        .if     \legacy == 0
        xorl    %edx, %edx
        movq    %rdx, HEADER(%rsp)
        movq    %rdx, HEADER+8(%rsp)
        movq    %rdx, HEADER+16(%rsp)
        movq    %rdx, HEADER+24(%rsp)
        movq    %rdx, HEADER+32(%rsp)
        movq    %rdx, HEADER+40(%rsp)
        movq    %rdx, HEADER+48(%rsp)
        movq    %rdx, HEADER+56(%rsp)
        movl    $STATE_MASK, %eax
        .endif
        \save   (%rsp)
        movq    8(%rbp), %rdi
        movq    16(%rbp), %rsi
        call    bind_slot
        movq    %rax, %r11
        .if     \legacy == 0
        movl    $STATE_MASK, %eax
        xorl    %edx, %edx
        .endif
        \restore (%rsp)
        leaq    -64(%rbp), %rsp
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rdx
        popq    %rcx
        popq    %rax
        popq    %rbp
        .cfi_def_cfa rsp, 24
        .cfi_restore rbp
        addq    $16, %rsp
        .cfi_adjust_cfa_offset -16
        jmp     *%r11
        .cfi_endproc
        .size   \name, . - \name
        .endm

        .text
        BIND    ldr_bind_xsavec, xsavec, xrstor, 0
        BIND    ldr_bind_xsave, xsave, xrstor, 0
        BIND    ldr_bind_fxsave, fxsave, fxrstor, 1
        .section .note.GNU-stack, "", @progbits
