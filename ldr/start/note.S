/* note.S - the mark by which ld-ldr.so knows itself when a search for the genuine linker finds it (run/load.c), and by which tools
 * know a process that runs on it: owner "ldr", type 1, version word. */
        .section .note.ldr, "a", @note
        .align  4
        .long   4, 4, 1
        .asciz  "ldr"
        .long   1
        .section .note.GNU-stack, "", @progbits
