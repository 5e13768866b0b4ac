/* tls.S - thread storage access from compiled code.
 *
 *   __tls_get_addr(struct tls_index { module, offset } *)    general and local dynamic model (psABI 4.4.? "TLS")
 *   TLS descriptors: called with rax = &descriptor, return in rax the distance from the thread pointer; every other register is kept
 *   (Oliva, "Thread-Local Storage Descriptors"). descriptor: { function, argument }.
 *
 * DTV: fs:8 points at element 0 = { generation, - }; element m = { block, to_free }, block -1 when not allocated. When the generation
 * agrees with ldr_tls_generation the DTV is long enough for every module that exists. */
        .text
        .globl  ldr_tls_get_addr
        .hidden ldr_tls_get_addr
        .type   ldr_tls_get_addr, @function
        .align  16
ldr_tls_get_addr:
        .cfi_startproc
        endbr64
        movq    %fs:8, %rdx
        movq    ldr_tls_generation(%rip), %rax
        cmpq    %rax, (%rdx)
        jne     1f
        movq    (%rdi), %rax
        shlq    $4, %rax
        movq    (%rdx,%rax), %rax
        cmpq    $-1, %rax
        je      1f
        addq    8(%rdi), %rax
        ret
1:      /* Old compilers call with a misaligned stack; malloc behind us minds. */
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        andq    $-16, %rsp
        movq    8(%rdi), %rsi
        movq    (%rdi), %rdi
        call    tls_address
        movq    %rbp, %rsp
        popq    %rbp
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        ret
        .cfi_endproc
        .size   ldr_tls_get_addr, . - ldr_tls_get_addr

        .globl  ldr_tlsdesc_static
        .hidden ldr_tlsdesc_static
        .type   ldr_tlsdesc_static, @function
        .align  16
ldr_tlsdesc_static:
        .cfi_startproc
        endbr64
        movq    8(%rax), %rax
        ret
        .cfi_endproc
        .size   ldr_tlsdesc_static, . - ldr_tlsdesc_static

        .globl  ldr_tlsdesc_undefined_weak
        .hidden ldr_tlsdesc_undefined_weak
        .type   ldr_tlsdesc_undefined_weak, @function
        .align  16
ldr_tlsdesc_undefined_weak:             /* the address itself must come out as the addend: &undefined == 0 + addend */
        .cfi_startproc
        endbr64
        movq    8(%rax), %rax
        subq    %fs:0, %rax
        ret
        .cfi_endproc
        .size   ldr_tlsdesc_undefined_weak, . - ldr_tlsdesc_undefined_weak

        .globl  ldr_tlsdesc_dynamic
        .hidden ldr_tlsdesc_dynamic
        .type   ldr_tlsdesc_dynamic, @function
        .align  16
ldr_tlsdesc_dynamic:
        .cfi_startproc
        endbr64
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        movq    8(%rax), %rdi           /* struct tls_index * */
        movq    %fs:8, %rsi
        movq    ldr_tls_generation(%rip), %rax
        cmpq    %rax, (%rsi)
        jne     1f
        movq    (%rdi), %rax
        shlq    $4, %rax
        movq    (%rsi,%rax), %rax
        cmpq    $-1, %rax
        je      1f
        addq    8(%rdi), %rax
2:      subq    %fs:0, %rax
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_adjust_cfa_offset 16
1:      /* Block not there yet: malloc may run, so everything a call may change is kept here, vector state included. */
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        pushq   %rcx
        pushq   %rdx
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        subq    ldr_vector_size(%rip), %rsp
        andq    $-64, %rsp
        cmpb    $0, ldr_vector_legacy(%rip)
        jne     3f
        xorl    %edx, %edx
        movq    %rdx, 512(%rsp)
        movq    %rdx, 520(%rsp)
        movq    %rdx, 528(%rsp)
        movq    %rdx, 536(%rsp)
        movq    %rdx, 544(%rsp)
        movq    %rdx, 552(%rsp)
        movq    %rdx, 560(%rsp)
        movq    %rdx, 568(%rsp)
        movl    $0xee, %eax
        cmpb    $0, ldr_vector_compact(%rip)
        je      5f
        xsavec  (%rsp)
        jmp     4f
5:      xsave   (%rsp)
        jmp     4f
3:      fxsave  (%rsp)
4:      movq    8(%rdi), %rsi
        movq    (%rdi), %rdi
        call    tls_address
        movq    %rax, %rdi
        cmpb    $0, ldr_vector_legacy(%rip)
        jne     6f
        movl    $0xee, %eax
        xorl    %edx, %edx
        xrstor  (%rsp)
        jmp     7f
6:      fxrstor (%rsp)
7:      movq    %rdi, %rax
        leaq    -48(%rbp), %rsp
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdx
        popq    %rcx
        popq    %rbp
        .cfi_def_cfa rsp, 24
        .cfi_restore rbp
        jmp     2b
        .cfi_endproc
        .size   ldr_tlsdesc_dynamic, . - ldr_tlsdesc_dynamic
        .section .note.GNU-stack, "", @progbits
