/* auxv.c - LD_SHOW_AUXV: the auxiliary vector in the form of ld.so(8). */
#include "start.h"

/* 'd' decimal, 'x' hex, 'X' hex without 0x, 's' string */
static const char *name_of(u64 type, char *form)
{
    *form = 'd';
    switch (type) {
    case AT_EXECFD: return "EXECFD:           ";
    case AT_PHDR: *form = 'x'; return "PHDR:             ";
    case AT_PHENT: return "PHENT:            ";
    case AT_PHNUM: return "PHNUM:            ";
    case AT_PAGESZ: return "PAGESZ:           ";
    case AT_BASE: *form = 'x'; return "BASE:             ";
    case AT_FLAGS: *form = 'x'; return "FLAGS:            ";
    case AT_ENTRY: *form = 'x'; return "ENTRY:            ";
    case AT_NOTELF: *form = 'x'; return "NOTELF:           ";
    case AT_UID: return "UID:              ";
    case AT_EUID: return "EUID:             ";
    case AT_GID: return "GID:              ";
    case AT_EGID: return "EGID:             ";
    case AT_PLATFORM: *form = 's'; return "PLATFORM:         ";
    case AT_HWCAP: *form = 'X'; return "HWCAP:            ";
    case AT_CLKTCK: return "CLKTCK:           ";
    case AT_SECURE: return "SECURE:           ";
    case AT_BASE_PLATFORM: *form = 's'; return "BASE_PLATFORM:    ";
    case AT_RANDOM: *form = 'x'; return "RANDOM:           ";
    case AT_HWCAP2: *form = 'x'; return "HWCAP2:           ";
    case AT_EXECFN: *form = 's'; return "EXECFN:           ";
    case AT_SYSINFO_EHDR: *form = 'x'; return "SYSINFO_EHDR:     ";
    case 51: return "MINSIGSTKSZ:      ";
    default: return NULL;
    }
}

void auxv_show(const Elf64_auxv_t *auxv)
{
    for (; auxv->a_type != AT_NULL; auxv++) {
        char buf[4300], form;
        struct text t = text_on(buf, sizeof buf);
        const char *name = name_of(auxv->a_type, &form);
        if (auxv->a_type == AT_IGNORE)
            continue;
        text_put(&t, "AT_");
        if (name) {
            text_put(&t, name);
            text_char(&t, ' ');
            if (form == 'd')
                text_dec(&t, auxv->a_un.a_val);
            else if (form == 's')
                text_put(&t, (const char *)auxv->a_un.a_val);
            else {
                char hex[24];
                struct text h = text_on(hex, sizeof hex);
                text_hex(&h, auxv->a_un.a_val);
                text_put(&t, form == 'X' ? hex + 2 : hex);
            }
        } else {
            char hex[24];
            struct text h = text_on(hex, sizeof hex);
            text_hex(&h, auxv->a_un.a_val);
            text_put(&t, "??? (");
            char type[24];
            struct text k = text_on(type, sizeof type);
            text_hex(&k, auxv->a_type);
            text_put(&t, type);
            text_put(&t, "): ");
            text_put(&t, hex);
        }
        text_char(&t, '\n');
        sys_write_all(1, buf, t.len);
    }
}
