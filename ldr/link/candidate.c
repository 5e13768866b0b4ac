/* candidate.c - may a file that the search met be taken? Asked for every candidate, before and after its headers are read.
 *
 * A candidate of another class or machine is passed over (a 32-bit library in the same directory); any other defect ends the search:
 * a broken library must be told, not skipped. Opening and mapping are the caller's (run/load.c; the tools only read). */
#include "link.h"

#define ENOENT_ 2
#define EACCES_ 13

int candidate_after_error(int sys_errno, enum found_by rule)
{
    /* Something stands there and cannot be used: glibc then leaves the rest of that path list. */
    return sys_errno == ENOENT_ || sys_errno == EACCES_ || rule == FOUND_NAME || rule == FOUND_CACHE ? 0 : SEARCH_ABANDON_LIST;
}

static void quiet_take(struct report *report, const struct problem *problem)
{
    (void)report;
    (void)problem;
}

bool candidate_is_foreign(const u8 *head, u64 len, bool *other_class)
{
    struct report quiet = { quiet_take };
    int err = len ? image_check_header(head, len, "", &quiet) : 0;
    *other_class |= err == -LDR_E_CLASS;
    return err == -LDR_E_CLASS || err == -LDR_E_MACHINE;
}

int candidate_check_library(const struct object *object, bool opened_late, struct report *report)
{
    const struct image *image = &object->image;
    if (!image->dyn_vaddr)
        return report_values(report, LDR_E_NO_DYNAMIC, object->aliases.name ? object->aliases.name : image->path, 0, 1, 0);
    if (image->flags_1 & DF_1_PIE)
        return report_values(report, LDR_E_OPEN_PIE, image->path, image->flags_1, 0, 0);
    if (image->type == ET_EXEC)
        return report_values(report, LDR_E_OPEN_EXEC, image->path, image->type, ET_DYN, 0);
    if (opened_late && (image->flags_1 & DF_1_NOOPEN))
        return report_values(report, LDR_E_NO_OPEN, image->path, image->flags_1, 0, 0);
    return 0;
}

bool candidate_is_ldr(const struct object *object)
{
    u32 len;
    return object_is_system_linker(object) && image_note(&object->image, &object->view, "ldr", 1, &len) != NULL;
}

bool object_is_system_linker(const struct object *object)
{
    return object->image.soname && str_equal(object->image.soname, "ld-linux-x86-64.so.2");
}

enum found_by candidate_found_by(const struct object *object, enum found_by rule, bool as_preload)
{
    return as_preload ? FOUND_PRELOAD : object_is_system_linker(object) ? FOUND_INTERPRETER : rule;
}

bool object_runs_on(const struct object *object, u32 (*cpu_level)(struct search *), struct search *search)
{
    u32 needed = image_property(&object->image, &object->view, PROPERTY_X86_ISA_1_NEEDED);
    /* Bit n: level n + 1. The baseline needs no question. */
    return needed <= 1 || needed < 1u << cpu_level(search);
}
