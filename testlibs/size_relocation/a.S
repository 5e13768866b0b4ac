    .data
    .globl sizes, small_size
    .type sizes, @object
    .size sizes, 24
sizes: .quad object_of_77@size, object_of_77@size + 3, own@size
    .type small_size, @object
    .size small_size, 4
small_size: .long object_of_77@size
    .globl own
    .type own, @object
    .size own, 12
own: .skip 12
    .section .note.GNU-stack,"",@progbits
