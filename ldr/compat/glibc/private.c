/* private.c - our functions in the places where libc calls its linker: symbols it imports, the function table in _rtld_global_ro, and
 * the dlfcn hook. Each says who in libc calls it. */
#include "glibc.h"
#include "../../api/dlfcn.h"
#include "../../api/message.h"
#include "../../debug/r_debug.h"

/* ---- symbols of the genuine linker answered by us -------------------------------------------------------------------- */

/* __cxa_thread_atexit_impl (which object's destructors these are), do_sym, _dl_addr */
static void *find_dso_for_object(u64 address)
{
    struct found_range range;
    const struct found_range *found = find_range(address, &range);
    return found && found->object ? object_map(found->object) : NULL;
}

/* libc's own _dl_signal_error; the genuine one would call a malloc pointer its start never set */
struct exception { const char *object, *text; char *buffer; };

static void exception_create(struct exception *exception, const char *object, const char *text)
{
    size_t object_len = object ? strlen(object) : 0, text_len = strlen(text);
    char *copy = shim_malloc(object_len + text_len + 2);
    if (!copy) {
        *exception = (struct exception){ "", "out of memory", NULL };
        return;
    }
    memcpy(copy, text, text_len + 1);
    memcpy(copy + text_len + 1, object ? object : "", object_len + 1);
    *exception = (struct exception){ copy + text_len + 1, copy, copy };
}

static void exception_create_format(struct exception *exception, const char *object, const char *format, ...)
{
    exception_create(exception, object, format);
}

static void exception_free(struct exception *exception)
{
    if (exception->buffer)
        shim_free(exception->buffer);
    *exception = (struct exception){ 0 };
}

static void nothing(void)
{
}

/* 2.41 and later: errors are thrown through functions of the linker. With the dlfcn hook nobody gets here. */
static _Noreturn void no_throw(int code, const char *object, const char *occasion, const char *text)
{
    (void)code;
    (void)occasion;
    message_die(object && *object ? object : "libc", text ? text : "unexpected linker error");
}


/* One list, for the question by name and for the gate, which numbers it: a table of pointers would be relocated memory. */
#define OVERRIDES(X) \
    X("__tls_get_addr", ldr_tls_get_addr) \
    X("_dl_debug_state", _dl_debug_state) \
    X("_dl_allocate_tls", tls_allocate) \
    X("_dl_allocate_tls_init", tls_allocate_init) \
    X("_dl_deallocate_tls", tls_deallocate) \
    X("_dl_find_dso_for_object", find_dso_for_object) \
    X("_dl_exception_create", exception_create) \
    X("_dl_exception_create_format", exception_create_format) \
    X("_dl_exception_free", exception_free) \
    X("_dl_rtld_di_serinfo", nothing) \
    X("_dl_audit_preinit", nothing) \
    X("_dl_audit_symbind_alt", nothing) \
    X("_dl_signal_error", no_throw) \
    X("_dl_signal_exception", no_throw)

u64 shim_gate_function(u32 i)
{
#define NUMBERED(symbol, function) if (i-- == 0) return (u64)(function);
    OVERRIDES(NUMBERED)
#undef NUMBERED
    return 0;
}

u64 shim_override(const struct binding *binding)
{
    const char *name = image_string(&binding->object->image, binding->symbol->st_name);
    if (!name || name[0] != '_' || (name[1] != 'd' && name[1] != 'r' && name[1] != '_'))
        return 0;
    if (str_equal(name, "_r_debug"))
        return (u64)&_r_debug;
    /* libc has its own of these until 2.40 */
    if (str_starts(name, "_dl_signal_e") && session.libc && glibc_symbol(session.libc, "_dl_signal_error", "GLIBC_PRIVATE"))
        return 0;
    /* Compared one by one: at most eighteen references of libc pass here. */
#define BY_NAME(symbol, function) if (str_equal(name, symbol)) return (u64)(function);
    OVERRIDES(BY_NAME)
#undef BY_NAME
    return 0;
}

/* ---- function table -------------------------------------------------------------------------------------------------- */

struct asked_version { const char *name; u32 hash; int hidden; const char *file; };

/* IFUNC resolvers of time and gettimeofday (2.36) look into the vDSO through this; dlsym without the hook would too. */
static void *lookup_symbol_x(const char *name, void *map, const Elf64_Sym **ref, void *scope, const struct asked_version *asked,
                             int type_class, int flags, void *skip)
{
    (void)scope;
    struct version version = { 0 };
    struct symbol_want want = { .name = name, .classes = (u32)type_class & CLASS_PLT, .newest = (flags & 2) != 0 };
    want.gnu = gnu_hash_len(name, &want.len);
    if (asked) {
        version = (struct version){ .name = asked->name, .hash = asked->hash, .hidden = asked->hidden != 0 };
        want.version = &version;
    }
    struct object *object = object_of_map(map);
    struct binding found = { 0 };
    if (object->is_vdso) {
        found.symbol = image_find_symbol(&object->image, &want);
        found.object = found.symbol ? object : NULL;
    } else {
        lookup_reference(object, NULL, &want, skip ? object_of_map(skip) : NULL, NULL, &found);
    }
    *ref = found.symbol;
    return found.object ? object_map(found.object) : NULL;
}

static void *dl_open(const char *file)
{
    message_die(file ? file : "dlopen", "internal dlopen entry of the C library is not used with this linker");
}

static void dl_close(void *map)
{
    (void)map;
}

/* dl_iterate_phdr, for every object with TLS */
static void *tls_get_addr_soft(void *map)
{
    return tls_address_soft(object_of_map(map));
}

/* unwinders of gcc 12 and later, through libc's _dl_find_object */
struct find_object_result {
    u64 flags;
    u64 map_start, map_end;
    void *map;
    u64 eh_frame_hdr;
    u64 reserved[7];
};
static int find_object(u64 pc, struct find_object_result *result)
{
    struct found_range range;
    const struct found_range *found = find_range(pc, &range);
    if (!found)
        return -1;
    const struct object *object = found->object;
    if (!object) {
        /* Frames of ours: constructors run from here. The map of the genuine linker stands for us. */
        *result = (struct find_object_result){ .map_start = found->start, .map_end = found->end, .eh_frame_hdr = session.self_eh_frame_hdr,
                                               .map = session.linker ? object_map(session.linker) : NULL };
        return 0;
    }
    *result = (struct find_object_result){ .map_start = object->map_start, .map_end = object->map_end, .map = object_map(object),
                                           .eh_frame_hdr = object->image.eh_frame_hdr_vaddr ? object->bias + object->image.eh_frame_hdr_vaddr : 0 };
    return 0;
}

/* fortified printf (2.43): 0 read-only, 1 writable, 2 unknown */
static int readonly_area(const void *at, u64 len)
{
    for (struct object *object = session.first; object; object = object->next) {
        const struct plan *plan = &object->image.plan;
        u64 vaddr = (u64)at - object->bias;
        for (u32 i = 0; i < plan->seg_count; i++)
            if (vaddr >= plan->seg[i].vaddr && vaddr + len <= plan->seg[i].mem_end)
                return plan->seg[i].prot & PF_W ? 1 : 0;
    }
    return 2;
}

static void set_function(u32 offset, const void *function)
{
    if (glibc_has(offset))
        GLIBC_AT(glibc.ro, offset, const void *) = function;
}

void glibc_install_functions(void)
{
    const struct glibc_layout *row = glibc.row;
    set_function(row->ro_lookup_symbol_x, (const void *)lookup_symbol_x);
    set_function(row->ro_open, (const void *)dl_open);
    set_function(row->ro_close, (const void *)dl_close);
    set_function(row->ro_tls_get_addr_soft, (const void *)tls_get_addr_soft);
    set_function(row->ro_libc_freeres, (const void *)nothing);
    set_function(row->ro_find_object, (const void *)find_object);
    set_function(row->ro_readonly_area, (const void *)readonly_area);

    static u64 hook[16];
    char *h = (char *)hook;
    GLIBC_AT(h, row->hook_dlopen, const void *) = (const void *)dl_dlopen;
    GLIBC_AT(h, row->hook_dlclose, const void *) = (const void *)dl_dlclose;
    GLIBC_AT(h, row->hook_dlsym, const void *) = (const void *)dl_dlsym;
    GLIBC_AT(h, row->hook_dlvsym, const void *) = (const void *)dl_dlvsym;
    GLIBC_AT(h, row->hook_dlerror, const void *) = (const void *)dl_dlerror;
    GLIBC_AT(h, row->hook_dladdr, const void *) = (const void *)dl_dladdr;
    GLIBC_AT(h, row->hook_dladdr1, const void *) = (const void *)dl_dladdr1;
    GLIBC_AT(h, row->hook_dlinfo, const void *) = (const void *)dl_dlinfo;
    GLIBC_AT(h, row->hook_dlmopen, const void *) = (const void *)dl_dlmopen;
    GLIBC_AT(h, row->hook_libc_dlopen_mode, const void *) = (const void *)dl_libc_dlopen;
    GLIBC_AT(h, row->hook_libc_dlsym, const void *) = (const void *)dl_libc_dlsym;
    GLIBC_AT(h, row->hook_libc_dlvsym, const void *) = (const void *)dl_libc_dlvsym;
    GLIBC_AT(h, row->hook_libc_dlclose, const void *) = (const void *)dl_libc_dlclose;
    set_function(row->ro_dlfcn_hook, hook);
}

u64 glibc_vdso(const char *name)
{
    return session.vdso ? glibc_symbol(session.vdso, name, NULL) : 0;
}
