/* protect.c - sealing RELRO, and the executable stack an object may ask for. */
#include "run.h"
#include "../compat/shim.h"
#include "../debug/events.h"

int protect_relro(struct object *object)
{
    u64 start = align_down(object->image.relro_vaddr, LDR_PAGE), end = align_down(object->image.relro_vaddr + object->image.relro_len, LDR_PAGE);
    if (object->image.relro_len && end > start && !object->sealed_already) {
        /* The end is rounded down: the last, partial page holds ordinary data too. */
        int err = sys_mprotect((void *)(object->bias + start), end - start, PROT_READ);
        if (err)
            return report_errno(&session.report, LDR_E_PROTECT, object->image.path, -err);
        event_protected(object, object->bias + start, end - start);
    }
    object->state = OBJECT_PROTECTED;
    return 0;
}

int make_stack_executable(void)
{
    /* PROT_GROWSDOWN: the whole stack mapping below this page, also what it grows into later. */
    u64 page = align_down((u64)session.kernel.stack, LDR_PAGE);
    int err = sys_mprotect((void *)page, LDR_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC | 0x01000000);
    if (!err)
        err = shim_allow_executable_stacks();
    return err;
}
