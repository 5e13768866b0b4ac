/* object.c - descriptors of loaded objects, the list of all, names, scopes. */
#include "run.h"

struct object *object_new(bool unloadable)
{
    /* An object that can be unloaded carries its own arena behind it. */
    char *room = unloadable ? heap_alloc(LINK_MAP_ROOM + sizeof(struct object) + sizeof(struct arena))
                            : arena_zalloc(&session.permanent, LINK_MAP_ROOM + sizeof(struct object));
    if (!room) {
        report_values(&session.report, LDR_E_NO_MEMORY, "object descriptor", sizeof(struct object), 0, 0);
        return NULL;
    }
    struct object *object = (struct object *)(room + LINK_MAP_ROOM);
    object->arena = unloadable ? (struct arena *)(object + 1) : &session.permanent;
    if (unloadable)
        object->arena->more = object_arena_more;
    object->at_start = !unloadable;
    return object;
}

void object_free(struct object *object)
{
    if (object->at_start)
        return;
    object_arena_free(object->arena);
    heap_free(object->bound_to);
    heap_free(object_map(object));
}

void object_list_add(struct object *object)
{
    object->prev = session.last;
    object->next = NULL;
    if (session.last)
        session.last->next = object;
    else
        session.first = object;
    session.last = object;
    /* One that the kernel mapped asks in vain. */
    if ((object->image.flags_1 & DF_1_INITFIRST) && !(object->is_program && session.way == START_INTERPRETER))
        session.init_first = object;
    session.object_count++;
    session.adds++;
}

void object_list_remove(struct object *object)
{
    if (object->prev)
        object->prev->next = object->next;
    else
        session.first = object->next;
    if (object->next)
        object->next->prev = object->prev;
    else
        session.last = object->prev;
    if (session.init_first == object)
        session.init_first = NULL;
    session.object_count--;
    session.subs++;
}

bool object_add_alias(struct object *object, const char *name)
{
    if (object_answers_to(object, name))
        return true;
    /* A name in its own string table, or for an object that stays in one that stays, needs no copy. */
    bool lives = object->image.strtab && name >= object->image.strtab && name < object->image.strtab + object->image.strtab_len;
    const char *copy = lives || (object->at_start && !session.started) ? name : arena_dup(object->arena, name);
    if (!copy)
        return false;
    if (!object->aliases.name) {
        object->aliases.name = copy;
        return true;
    }
    struct alias *alias = arena_zalloc(object->arena, sizeof *alias);
    if (!alias)
        return false;
    alias->name = copy;
    alias->next = object->aliases.next;
    object->aliases.next = alias;
    return true;
}

static bool object_holds(const struct object *object, u64 addr)
{
    if (addr < object->map_start || addr >= object->map_end)
        return false;
    const struct plan *plan = &object->image.plan;
    for (u32 i = 0; i < plan->seg_count; i++)
        if (addr - object->bias >= align_down(plan->seg[i].vaddr, LDR_PAGE) && addr - object->bias < plan->seg[i].mem_end)
            return true;
    return false;
}

struct object *object_at(u64 addr)
{
    for (struct object *object = session.first; object; object = object->next)
        if (object_holds(object, addr))
            return object;
    return NULL;
}

const char *object_label(const struct object *object)
{
    if (object->path && *object->path)
        return object->path;
    return session.kernel.argv && session.kernel.argv[0] ? session.kernel.argv[0] : "main program";
}

/* Where the file a path leads to lies, links resolved; nothing when it cannot be told. */
NOINLINE static void put_file_path(struct text *text, const char *path)
{
    char link[64], resolved[4096];
    int fd = sys_open_read(path);
    if (fd < 0)
        return;
    struct text t = text_on(link, sizeof link);
    text_put(&t, "/proc/self/fd/");
    text_dec(&t, (u64)fd);
    long len = sys_readlink(link, resolved, sizeof resolved);
    sys_close(fd);
    if (len > 0 && resolved[0] == '/')
        text_putn(text, resolved, (size_t)len);
}

NOINLINE static bool put_program_link(struct text *text)
{
    char link[4096];
    long len = sys_readlink("/proc/self/exe", link, sizeof link - 1);
    if (len > 0 && link[0] == '/')
        text_putn(text, link, (size_t)len);
    return len > 0 && link[0] == '/';
}

NOINLINE static bool put_current_dir(struct text *text)
{
    char cwd[4096];
    long len = sys_getcwd(cwd, sizeof cwd);
    if (len > 1)
        text_putn(text, cwd, (size_t)len - 1);
    return len > 1;
}

/* The path whose directory is meant. */
static bool put_origin_path(struct text *text, bool is_program, const char *path)
{
    if (is_program) {
        if (session.origin_by_file) {
            put_file_path(text, path);
        } else if (session.way == START_INTERPRETER && !put_program_link(text)) {
            if (!session.config.origin_path)
                return false;
            text_put(text, session.config.origin_path);
            text_put(text, "/x");
        }
    }
    if (!text->len) {
        if (!path)
            return false;
        if (path[0] != '/') {
            if (!put_current_dir(text))
                return false;
            text_char(text, '/');
        }
        text_put(text, path);
    }
    return !text->cut;
}

bool origin_of(bool is_program, const char *path, char *buf, size_t room)
{
    struct text text = text_on(buf, room);
    if (!put_origin_path(&text, is_program, path))
        return false;
    char *slash = (char *)str_rchr(buf, '/');
    if (!slash)
        return false;
    /* As glibc: no tidying, "./prog" in /d has the origin "/d/.". */
    slash[slash == buf] = 0;
    return true;
}

const char *object_origin(struct object *object)
{
    char buf[4096];
    if (!object->origin && origin_of(object->is_program, object->real_path ? object->real_path : object->path, buf, sizeof buf))
        object->origin = arena_dup(object->arena, buf);
    return object->origin;
}

bool scope_add(struct scope *scope, struct object *object, struct arena *arena)
{
    if (scope->count == scope->room) {
        u32 room = scope->room ? scope->room * 2 : 8;
        struct object **list = arena ? arena_alloc(arena, room * sizeof *list) : heap_alloc(room * sizeof *list);
        if (!list)
            return false;
        memcpy(list, scope->object, scope->count * sizeof *list);
        struct object **old = scope->object;
        scope->object = list;
        scope->room = room;
        scope->in_heap = false;
        if (!arena)
            heap_free(old);
    }
    scope->object[scope->count++] = object;
    return true;
}

/* Lists are replaced, never edited in place, and the old one stays readable until the object goes: another thread may be
 * binding lazily through it at this moment. */
bool object_add_scope(struct object *object, const struct scope *scope, bool first)
{
    for (u32 i = 0; i < object->scope_count; i++)
        if (object->scope[i] == scope)
            return true;
    if (first || object->scope_count == object->scope_room) {
        u32 room = object->scope_count + (session.started ? 4 : 2);
        const struct scope **list = arena_zalloc(object->arena, room * sizeof *list);
        if (!list)
            return false;
        memcpy(list + first, object->scope, object->scope_count * sizeof *list);
        if (first)
            list[0] = scope;
        else
            list[object->scope_count] = scope;
        __atomic_store_n(&object->scope, list, __ATOMIC_RELEASE);
        object->scope_room = room;
    } else {
        object->scope[object->scope_count] = scope;
    }
    __atomic_store_n(&object->scope_count, object->scope_count + 1, __ATOMIC_RELEASE);
    return true;
}

void object_remove_scope(struct object *object, const struct scope *scope)
{
    u32 count = object->scope_count, at = 0;
    while (at < count && object->scope[at] != scope)
        at++;
    if (at == count)
        return;
    /* A new list, the last entry twice: a reader with the old count stays inside, and passes over nothing. */
    const struct scope **list = arena_zalloc(object->arena, object->scope_room * sizeof *list);
    if (!list)
        list = object->scope;
    for (u32 from = 0, to = 0; from < count; from++)
        if (from != at)
            list[to++] = object->scope[from];
    if (count > 1 && list != object->scope)
        list[count - 1] = list[count - 2];
    __atomic_store_n(&object->scope, list, __ATOMIC_RELEASE);
    __atomic_store_n(&object->scope_count, count - 1, __ATOMIC_RELEASE);
}
