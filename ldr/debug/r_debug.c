/* r_debug.c - see r_debug.h. The names are the ones debuggers look for in the interpreter's symbol table. */
#include "r_debug.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT struct debug_interface _r_debug;

/* Empty on purpose: a debugger puts its breakpoint here. */
EXPORT __attribute__((noinline)) void _dl_debug_state(void)
{
    __asm__ volatile("" : : : "memory");
}

void debug_announce(enum debug_state state)
{
    _r_debug.r_state = state;
    _dl_debug_state();
}

void debug_start(void)
{
    _r_debug.r_version = 1;
    _r_debug.r_map = object_map(session.first);
    _r_debug.r_brk = (u64)_dl_debug_state;
    _r_debug.r_ldbase = session.self.start;
    /* A program that names _r_debug may have a copy relocation of the genuine linker's: it must find the same there. */
    struct symbol_want want = { .name = "_r_debug", .newest = true };
    want.gnu = gnu_hash_len(want.name, &want.len);
    const Elf64_Sym *theirs = session.linker ? image_find_symbol(&session.linker->image, &want) : NULL;
    if (theirs && theirs->st_size >= sizeof _r_debug)
        *(struct debug_interface *)(session.linker->bias + theirs->st_value) = _r_debug;
    const struct image *image = &session.program->image;
    for (u32 i = 0; i < image->dyn_count; i++)
        if (image->dyn[i].d_tag == DT_DEBUG)
            ((Elf64_Dyn *)&image->dyn[i])->d_un.d_ptr = (u64)&_r_debug;
}
