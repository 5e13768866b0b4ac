/* note.S - the mark by which ld-ldr.so knows itself when a search for the genuine linker finds it (run/load.c), and by which tools
 * know a process that runs on it: owner "ldr", type 1, version word. A second, type 2: how far behind it _ldr_unloaded lies
 * (include/ldr/unloaded.h). Not a symbol of .dynsym: what link editors make of libc.so hangs on which symbols they meet here. */
        .section .note.ldr, "a", @note
        .align  4
        .long   4, 4, 1
        .asciz  "ldr"
        .long   1
        .long   4, 8, 2
        .asciz  "ldr"
1:      .quad   _ldr_unloaded - 1b
        .section .note.GNU-stack, "", @progbits
