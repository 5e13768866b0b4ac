/* r_debug.c - see r_debug.h. The names are the ones debuggers look for in the interpreter's symbol table. */
#include "r_debug.h"

extern const Elf64_Dyn _DYNAMIC[];

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

COLD_DATA struct unloaded _ldr_unloaded;        /* found by a note of ours (start/note.S) */

void debug_unloaded(const struct object *object)
{
    struct unloaded_object *at = &_ldr_unloaded.object[_ldr_unloaded.count % UNLOADED_MAX];
    const u64 len = strlen(object->path), kept = len < UNLOADED_PATH ? len : UNLOADED_PATH - 1;
    at->start = object->map_start;
    at->end = object->map_end;
    at->bias = object->bias;
    memcpy(at->path, object->path + len - kept, kept);
    at->path[kept] = '\0';
    _ldr_unloaded.version = UNLOADED_VERSION;
    _ldr_unloaded.room = UNLOADED_MAX;
    __atomic_store_n(&_ldr_unloaded.count, _ldr_unloaded.count + 1, __ATOMIC_RELEASE);
}

void debug_start(u64 theirs)
{
    /* We are in no list the program can see (no symbol of ours may be found by a search), but a debugger must unwind through us. Version
     * 2 of the interface has further lists, made for namespaces: ours is one with us alone. */
    static struct debug_interface second;
    static struct public_map ourselves;
    ourselves.l_addr = session.self.start;
    ourselves.l_name = session.self_path;
    ourselves.l_ld = (Elf64_Dyn *)_DYNAMIC;
    second = (struct debug_interface){ .r_version = 2, .r_map = &ourselves, .r_brk = (u64)_dl_debug_state };
    _r_debug.r_version = 2;
    _r_debug.r_next = &second;
    _r_debug.r_map = object_map(session.first);
    _r_debug.r_brk = (u64)_dl_debug_state;
    _r_debug.r_ldbase = session.self.start;
    /* A program that names _r_debug may have a copy relocation of the genuine linker's: it must find the same there. */
    if (theirs)
        memcpy((void *)theirs, &_r_debug, DEBUG_INTERFACE_V1);
    const struct image *image = &session.program->image;
    for (u32 i = 0; i < image->dyn_count; i++)
        if (image->dyn[i].d_tag == DT_DEBUG)
            ((Elf64_Dyn *)&image->dyn[i])->d_un.d_ptr = (u64)&_r_debug;
}
