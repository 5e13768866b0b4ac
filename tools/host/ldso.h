/* ldso.h - where is the ld-ldr.so that belongs to this `ldr`? */
#ifndef LDR_HOST_LDSO_H
#define LDR_HOST_LDSO_H

/* find_ldso - path of the linker, first that can be executed:
 *   $LDR_LDSO (no other is tried then), the folder of the ldr binary, ../lib/ldr beside it, PREFIX/lib/ldr
 *   returns a malloc'd absolute path with symbolic links resolved, or NULL after one message naming every place tried */
char *find_ldso(void);

/* find_ldso_quietly - the same without the message, for callers that can do without */
char *find_ldso_quietly(void);

#endif
