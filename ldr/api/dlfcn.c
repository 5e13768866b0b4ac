/* dlfcn.c - dlopen(3), dlsym(3), dladdr(3), dlinfo(3) with glibc's meaning and messages. Each call takes the load lock, works with a
 * report that fills dlerror, and restores the outer report: calls nest (a constructor may dlopen). */
#include "dlfcn.h"
#include "error.h"
#include "message.h"
#include "../compat/shim.h"
#include "../debug/events.h"

#define HANDLE_DEFAULT ((void *)0)
#define HANDLE_NEXT ((void *)-1l)
#define EINVAL_ 22
#define MODE_KNOWN 0x110f             /* LAZY NOW NOLOAD DEEPBIND GLOBAL NODELETE */

static struct object *caller_object(const void *caller)
{
    struct found_range range;
    const struct found_range *found = find_range((u64)caller, &range);
    return found && found->object ? found->object : session.program;
}

static struct report begin(struct report inner)
{
    shim_lock_load();
    struct report outer = session.report;
    session.report = inner;
    return outer;
}

static void end(struct report outer)
{
    session.report = outer;
    shim_unlock_load();
}

static void ignore(struct report *report, const struct problem *problem)
{
    (void)report;
    (void)problem;
}

static const char *not_null(const char *s) { return s ? s : ""; }

/* ---- open and close -------------------------------------------------------------------------------------------------- */

static void *open_as(const char *file, int mode, struct object *caller)
{
    if (!file || !*file)
        return object_map(session.program);
    struct object *object = open_object(file, mode, caller);
    return object ? object_map(object) : NULL;
}

void *dl_dlopen(const char *file, int mode, void *caller)
{
    error_clear();
    if (mode & ~MODE_KNOWN) {
        error_set_about("", "invalid mode parameter", 0);
        return NULL;
    }
    if ((mode & 3) == 0) {
        error_set_about(not_null(file), "invalid mode for dlopen()", EINVAL_);
        return NULL;
    }
    struct report outer = begin(error_report());
    void *handle = open_as(file, mode, caller_object(caller));
    end(outer);
    return handle;
}

void *dl_dlmopen(long nsid, const char *file, int mode, void *caller)
{
    if (nsid == 0)                    /* LM_ID_BASE */
        return dl_dlopen(file, mode, caller);
    error_clear();
    error_set_about(not_null(file), ldr_error_text(LDR_E_NO_NAMESPACE), 0);
    return NULL;
}

static struct object *object_of_handle(void *handle)
{
    for (struct object *object = session.first; object; object = object->next)
        if (object_map(object) == handle)
            return object;
    return NULL;
}

int dl_dlclose(void *handle)
{
    error_clear();
    struct report outer = begin(error_report());
    struct object *object = object_of_handle(handle);
    int err = 0;
    if (!object || (!object->is_program && !object->open_count)) {
        error_set_about(object ? object_label(object) : "", object ? "shared object not open" : "invalid handle", 0);
        err = -1;
    } else if (!object->is_program) {
        err = close_object(object) ? -1 : 0;
    }
    end(outer);
    return err;
}

/* ---- symbols --------------------------------------------------------------------------------------------------------- */

static bool find_for_handle(void *handle, struct object *caller, const struct symbol_want *want, struct binding *out)
{
    if (handle == HANDLE_DEFAULT)
        return lookup_reference(caller, NULL, want, NULL, NULL, out);
    if (handle == HANDLE_NEXT) {
        /* After the caller in the list its loader chain's root searches. */
        struct object *root = caller;
        while (root->loader)
            root = root->loader;
        const struct scope *scope = root->closure.count ? &root->closure : &session.global;
        for (u32 i = 0; i < scope->count; i++)
            if (scope->object[i] == caller)
                return scope_find(scope, i, want, caller, out);
        return scope_find(&session.global, 0, want, caller, out);
    }
    struct object *object = object_of_map(handle);
    if (object->is_program)
        return scope_find(&session.global, 0, want, NULL, out) && out->object;
    if (object->closure.count)
        return scope_find(&object->closure, 0, want, NULL, out);
    struct object *alone[1] = { object };
    struct scope scope = { .object = alone, .count = 1, .room = 1 };
    return scope_find(&scope, 0, want, NULL, out);
}

static void *find_symbol(void *handle, const char *name, const char *version_name, void *caller_address, bool *found_out)
{
    struct object *caller = caller_object(caller_address);
    struct version version = { .name = version_name, .hidden = true };
    struct symbol_want want = { .name = name, .newest = !version_name };
    want.gnu = gnu_hash_len(name, &want.len);
    want.watch = WATCHED(WATCH_SYMBOLS) ? events_lookup_watch() : NULL;
    if (version_name) {
        version.hash = sysv_hash_of(version_name);
        want.version = &version;
    }
    struct binding found;
    *found_out = false;
    if (handle == HANDLE_NEXT && caller->is_program && caller_address && object_at((u64)caller_address) != caller) {
        error_set_about("", "RTLD_NEXT used in code not dynamically loaded", 0);
        return NULL;
    }
    if (!find_for_handle(handle, caller, &want, &found)) {
        struct object *about = handle == HANDLE_DEFAULT || handle == HANDLE_NEXT ? caller : object_of_map(handle);
        struct problem problem = { .code = LDR_E_SYMBOL, .object = object_label(about), .name = name, .wanted_by = version_name };
        report_problem(&session.report, &problem);
        return NULL;
    }
    *found_out = true;
    struct reference reference = { .object = handle == HANDLE_DEFAULT || handle == HANDLE_NEXT ? caller : object_of_map(handle) };
    event_bound(&reference, &want, &found);
    if (ELF64_ST_BIND(found.symbol->st_info) == STB_GNU_UNIQUE) {
        struct binding mine = found;
        if (!unique_binding(&mine, &found))
            found = mine;
    }
    if (handle == HANDLE_DEFAULT)
        object_note_binding(caller, found.object);   /* a pointer obtained through the global scope keeps its object, as a relocation would */
    if (ELF64_ST_TYPE(found.symbol->st_info) == STT_TLS)
        return tls_address(found.object->tls_module, found.symbol->st_value);
    return (void *)binding_address(&found);
}

static void *symbol_call(void *handle, const char *name, const char *version, void *caller)
{
    error_clear();
    bool found;
    struct report outer = begin(error_report());
    void *address = find_symbol(handle, name, version, caller, &found);
    end(outer);
    return address;
}

void *dl_dlsym(void *handle, const char *name, void *caller)
{
    return symbol_call(handle, name, NULL, caller);
}

void *dl_dlvsym(void *handle, const char *name, const char *version, void *caller)
{
    return symbol_call(handle, name, version, caller);
}

char *dl_dlerror(void)
{
    return error_take();
}

/* ---- addresses ------------------------------------------------------------------------------------------------------- */

/* The defined symbol that covers the address, the highest start winning (glibc's DL_ADDR_SYM_MATCH). */
static const Elf64_Sym *symbol_at(const struct object *object, u64 address)
{
    const struct image *image = &object->image;
    u64 count = image_symbol_count(image), value = address - object->bias;
    const Elf64_Sym *best = NULL;
    for (u64 i = image->gnu.bucket && !image->sysv.bucket ? image->gnu.sym_offset : 0; i < count && i < image->sym_limit; i++) {
        const Elf64_Sym *sym = &image->symtab[i];
        u32 type = ELF64_ST_TYPE(sym->st_info), bind = ELF64_ST_BIND(sym->st_info);
        if (type == STT_TLS || sym->st_shndx == SHN_ABS || (sym->st_shndx == SHN_UNDEF && sym->st_value == 0) ||
            sym->st_name >= image->strtab_len || (bind != STB_GLOBAL && bind != STB_WEAK && bind != STB_GNU_UNIQUE))
            continue;
        bool covers = (sym->st_shndx == SHN_UNDEF || sym->st_size == 0) ? value == sym->st_value
                                                                       : value >= sym->st_value && value - sym->st_value < sym->st_size;
        if (covers && (!best || best->st_value < sym->st_value))
            best = sym;
    }
    return best;
}

static int describe(const void *address, struct dl_info *info, struct object **object_out, const Elf64_Sym **sym_out)
{
    shim_lock_load();
    address = (const void *)gate_behind((u64)address);
    struct object *object = object_at((u64)address);
    int found = 0;
    if (object) {
        const Elf64_Sym *sym = symbol_at(object, (u64)address);
        info->dli_fname = object->path && *object->path ? object->path : object_label(object);
        info->dli_fbase = (void *)object->map_start;
        info->dli_sname = sym ? object->image.strtab + sym->st_name : NULL;
        info->dli_saddr = sym ? (void *)((sym->st_shndx == SHN_ABS ? 0 : object->bias) + sym->st_value) : NULL;
        *object_out = object;
        *sym_out = sym;
        found = 1;
    }
    shim_unlock_load();
    return found;
}

int dl_dladdr(const void *address, struct dl_info *info)
{
    struct object *object;
    const Elf64_Sym *sym;
    return describe(address, info, &object, &sym);
}

int dl_dladdr1(const void *address, struct dl_info *info, void **extra, int flags)
{
    struct object *object;
    const Elf64_Sym *sym;
    int found = describe(address, info, &object, &sym);
    if (found && flags == 1)          /* RTLD_DL_SYMENT */
        *extra = (void *)sym;
    else if (found && flags == 2)     /* RTLD_DL_LINKMAP */
        *extra = object_map(object);
    return found;
}

/* ---- dlinfo ---------------------------------------------------------------------------------------------------------- */

enum { DI_LMID = 1, DI_LINKMAP, DI_CONFIGADDR, DI_SERINFO, DI_SERINFOSIZE, DI_ORIGIN, DI_PROFILENAME, DI_PROFILEOUT, DI_TLS_MODID, DI_TLS_DATA, DI_PHDR };

struct search_path { char *name; unsigned flags; };
struct search_info { size_t size; unsigned count; struct search_path path[]; };
/* Where dls_name strings of a SERINFO answer go; NULL in the first, counting pass. */
struct info_fill { struct search_info *info; char *strings; size_t bytes; unsigned count; };

static void info_add(struct info_fill *fill, const char *dir, size_t len)
{
    if (fill->info) {
        fill->info->path[fill->count] = (struct search_path){ fill->strings, 0 };   /* glibc reports no flags either */
        memcpy(fill->strings, dir, len);
        fill->strings[len] = 0;
        fill->strings += len + 1;
    }
    fill->count++;
    fill->bytes += len + 1;
}

static void info_add_list(struct info_fill *fill, const char *list, struct object *owner)
{
    for (const char *at = list; at;) {
        const char *end = str_chr(at, ':');
        size_t len = end ? (size_t)(end - at) : strlen(at);
        char buf[4096];
        struct text dir = text_on(buf, sizeof buf);
        if (!len)
            info_add(fill, ".", 1);
        else if (search_expand(&session.search, at, len, owner, &dir))
            info_add(fill, buf, dir.len);
        at = end ? end + 1 : NULL;
    }
}

static void info_fill(struct info_fill *fill, struct object *object)
{
    if (!object->image.runpath)
        for (struct object *o = object; o; o = o->loader ? o->loader : o == session.program ? NULL : session.program)
            if (o->image.rpath && !o->image.runpath)
                info_add_list(fill, o->image.rpath, o);
    if (session.config.library_path)
        info_add_list(fill, session.config.library_path, session.program);
    if (object->image.runpath)
        info_add_list(fill, object->image.runpath, object);
    if (!(object->image.flags_1 & DF_1_NODEFLIB))
        for (u32 i = 0; i < 4; i++)
            info_add(fill, search_default_dir(i), strlen(search_default_dir(i)));
}

static int search_paths(struct object *object, struct search_info *info, bool fill_in)
{
    struct info_fill fill = { 0 };
    if (fill_in) {
        fill.info = info;
        fill.strings = (char *)&info->path[info->count];
    }
    info_fill(&fill, object);
    if (!fill_in) {
        info->count = fill.count;
        info->size = sizeof *info + fill.count * sizeof info->path[0] + fill.bytes;
    }
    return 0;
}

static int info_of(struct object *object, int request, void *arg)
{
    switch (request) {
    case DI_LMID: *(long *)arg = 0; return 0;
    case DI_LINKMAP: *(void **)arg = object_map(object); return 0;
    case DI_SERINFO: return search_paths(object, arg, true);
    case DI_SERINFOSIZE: return search_paths(object, arg, false);
    case DI_ORIGIN: {
        const char *origin = object_origin(object);
        size_t len = origin ? strlen(origin) + 1 : 1;
        memcpy(arg, origin ? origin : "", len);
        return 0;
    }
    case DI_TLS_MODID: *(size_t *)arg = object->tls_module; return 0;
    case DI_TLS_DATA: *(void **)arg = tls_address_soft(object); return 0;
    case DI_PHDR: *(const void **)arg = object->image.phdr; return object->image.phnum;
    default:
        error_set_about("", "unsupported dlinfo request", 0);
        return -1;
    }
}

int dl_dlinfo(void *handle, int request, void *arg)
{
    error_clear();
    struct report outer = begin(error_report());
    int result = info_of(object_of_map(handle), request, arg);
    end(outer);
    return result;
}

/* ---- libc's own uses ------------------------------------------------------------------------------------------------- */

void *dl_libc_dlopen(const char *name, int mode)
{
    struct report outer = begin((struct report){ ignore });
    void *handle = open_as(name, mode & 0xffff, session.libc ? session.libc : session.program);
    end(outer);
    return handle;
}

void *dl_libc_dlsym(void *map, const char *name)
{
    return dl_libc_dlvsym(map, name, NULL);
}

void *dl_libc_dlvsym(void *map, const char *name, const char *version)
{
    bool found;
    struct report outer = begin((struct report){ ignore });
    void *address = find_symbol(map, name, version, NULL, &found);
    end(outer);
    return address;
}

int dl_libc_dlclose(void *map)
{
    struct report outer = begin((struct report){ ignore });
    struct object *object = object_of_handle(map);
    int err = object && !object->is_program ? close_object(object) : 0;
    end(outer);
    return err ? -1 : 0;
}
