/* start.S - where the kernel enters: rsp at argc, everything else undefined (psABI 3.4.1).
 * ldr_start returns the program's entry; the program gets the stack as the kernel made it (argv may have been moved down over our
 * own arguments, the address of argc stays) and in rdx the function to register with atexit. */
        .text
        .globl  _start
        .hidden _start
        .type   _start, @function
_start:
        .cfi_startproc
        .cfi_undefined rip
        xorl    %ebp, %ebp
        movq    %rsp, %rbx
        movq    %rsp, %rdi
        andq    $-16, %rsp
        call    ldr_start
        movq    %rbx, %rsp
        leaq    ldr_finish(%rip), %rdx
        cmpb    $0, ldr_no_finish(%rip)
        je      1f
        xorl    %edx, %edx              /* a static program takes nothing from us */
1:      xorl    %ebx, %ebx
        xorl    %ebp, %ebp
        jmp     *%rax
        .cfi_endproc
        .size   _start, . - _start
        .section .note.GNU-stack, "", @progbits
