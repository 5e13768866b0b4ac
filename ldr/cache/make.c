/* make.c - after relocation: images of what was relocated, and the record of how this program started.
 *
 * Nothing is computed for the record: what is written is what this process is about to run with. An image that is already in the store
 * with the same bytes is used again, whoever made it; so programs share what they relocated alike, and a library bound otherwise
 * (interposition, another TLS layout) simply gets another image. */
#include "cache_private.h"
#include "../debug/events.h"

#define RECORD_MOST (32ul << 20)

static struct draft *draft;
static u32 draft_count;
static struct writer pack;
static u32 pack_in_catalog;           /* NO_OBJECT: not begun */

/* ---- images ---------------------------------------------------------------------------------------------------------- */

bool draft_piece_equals(const struct draft *of, const struct piece *piece, const u8 *bytes)
{
    u64 vaddr = piece->vaddr, end = vaddr + piece->len;
    while (vaddr < end) {
        const struct fixup *fixup;
        u64 clean = draft_clean(of, vaddr, end, &fixup);
        if (memcmp(draft_bytes(of, vaddr), bytes + (vaddr - piece->vaddr), clean) != 0)
            return false;
        vaddr += clean;
        if (fixup) {
            if (memcmp(&fixup->value, bytes + (vaddr - piece->vaddr), 8) != 0)
                return false;
            vaddr += 8;
        }
    }
    return true;
}

bool draft_equals(const struct draft *of, const struct piece *pieces, u32 piece_count, const struct pack_ref *packs, u32 pack_count)
{
    if (piece_count != of->piece_count)
        return false;
    bool equal = true;
    for (u32 i = 0; i < of->piece_count && equal; i++) {
        const struct piece *have = &pieces[i], *want = &of->piece[i];
        equal = have->vaddr == want->vaddr && have->len == want->len && have->sealed == want->sealed && have->pack < pack_count;
        if (!equal)
            break;
        struct stat st;
        int fd = store_open_file(cache.dir, packs[have->pack].name, &st);
        if (fd < 0)
            return false;
        if (!identity_equal(&packs[have->pack].is, &st)) {
            sys_close(fd);            /* a start would not take it either */
            return false;
        }
        const u8 *bytes = have->off + have->len <= (u64)st.st_size ? sys_mmap(NULL, have->len, PROT_READ, MAP_PRIVATE, fd, have->off) : (void *)-22l;
        sys_close(fd);
        if (sys_failed(bytes))
            return false;
        equal = draft_piece_equals(of, want, bytes);
        sys_munmap((void *)bytes, have->len);
    }
    return equal;
}

/* By the file as it was when it was opened; a program linked for a fixed address has a place in the catalog too, and does not use it. */
static u32 place_number(const struct object *object)
{
    for (const struct met *met = cache.met; met; met = met->next)
        if (met->file.ino == object->ino && met->file.dev == object->dev) {
            const struct place *place = catalog_find_place(cache.catalog, &met->file);
            return place ? (u32)(place - cache.catalog->place) : NO_OBJECT;
        }
    return NO_OBJECT;
}

/* Packs of the record to be. What lies in one too many is written again, into the new pack, which is the last. */
static u32 taken[RECORD_PACKS_MOST], taken_count;

static bool take_pack(u32 number)
{
    for (u32 i = 0; i < taken_count; i++)
        if (taken[i] == number)
            return true;
    if (taken_count == RECORD_PACKS_MOST - 1)
        return false;
    taken[taken_count++] = number;
    return true;
}

static bool use_known_image(struct draft *of, u32 place)
{
    for (u32 i = 0; i < cache.catalog->head.image_count; i++) {
        const struct known_image *image = &cache.catalog->image[i];
        if (image->place == place &&
            draft_equals(of, image->pieces, image->piece_count, cache.catalog->pack, cache.catalog->head.pack_count) &&
            (!image->piece_count || take_pack(image->pieces[0].pack))) {      /* all pieces of an image lie in one pack */
            for (u32 k = 0; k < of->piece_count; k++)
                of->piece[k] = image->pieces[k];
            return true;
        }
    }
    return false;
}

/* Never the name of an earlier pack: somebody may hold a record of that one and open it only now. */
static bool pack_name(char name[CACHE_NAME_ROOM])
{
    u64 number;
    struct text t = text_on(name, CACHE_NAME_ROOM);
    text_put(&t, "p-");
    if (sys_getrandom(&number, sizeof number) != sizeof number)
        return false;
    for (u32 i = 0; i < 16; i++)
        text_char(&t, "0123456789abcdef"[number >> 4 * i & 15]);
    return true;
}

static bool begin_pack(void)
{
    static const u8 page[LDR_PAGE];
    char name[CACHE_NAME_ROOM];
    if (pack_in_catalog != NO_OBJECT)
        return true;
    if (!pack_name(name))
        return false;
    pack_in_catalog = catalog_add_pack(cache.catalog, name);
    if (pack_in_catalog == NO_OBJECT || !writer_start(&pack, cache.dir))
        return false;
    writer_put(&pack, page, sizeof page);
    return true;
}

void draft_write_piece(const struct draft *of, struct piece *piece, struct writer *to)
{
    piece->off = to->at;
    u64 vaddr = piece->vaddr, end = vaddr + piece->len;
    writer_put(to, draft_bytes(of, vaddr), piece->len);
    for (;;) {
        const struct fixup *fixup;
        vaddr += draft_clean(of, vaddr, end, &fixup);
        if (!fixup)
            break;
        to->failed |= sys_pwrite(to->fd, &fixup->value, 8, piece->off + (vaddr - piece->vaddr)) != 8;
        vaddr += 8;
    }
}

static bool make_image(struct draft *of)
{
    u32 place = place_number(of->object);
    if (place == NO_OBJECT)
        return false;
    if (use_known_image(of, place))
        return true;
    if (!begin_pack())
        return false;
    struct known_image image = { .place = place, .piece_count = of->piece_count };
    for (u32 i = 0; i < of->piece_count; i++) {
        of->piece[i].pack = pack_in_catalog;
        draft_write_piece(of, &of->piece[i], &pack);
        image.pieces[i] = of->piece[i];
    }
    return !pack.failed && catalog_add_image(cache.catalog, &image);
}

static bool end_pack(void)
{
    if (pack_in_catalog == NO_OBJECT)
        return true;
    struct pack_head head = { PACK_MAGIC, pack.at };
    pack.failed |= sys_pwrite(pack.fd, &head, sizeof head, 0) != sizeof head;
    cache.catalog->changed = true;
    struct stat st;
    struct pack_ref *ref = &cache.catalog->pack[pack_in_catalog];
    if (!writer_end(&pack, ref->name) || store_stat_file(cache.dir, ref->name, &st) != 0)
        return false;
    identity_of(&st, &ref->is);       /* now that it has its name: renaming changes ctime */
    return true;
}

/* ---- record ---------------------------------------------------------------------------------------------------------- */

static u8 *out;
static u64 out_len;
static bool out_cut;

static u32 put(const void *bytes, u64 len)
{
    u64 at = align_up(out_len, 8);
    if (len > RECORD_MOST - at) {
        out_cut = true;
        return 0;
    }
    if (bytes)
        memcpy(out + at, bytes, len);
    out_len = at + len;
    return (u32)at;
}

static u32 put_text(const char *text)
{
    return put(text ? text : "", strlen(text ? text : "") + 1);
}

static u32 number_of(const struct object *object)
{
    for (u32 i = 0; i < draft_count; i++)
        if (draft[i].object == object)
            return i;
    return NO_OBJECT;
}

/* Numbers of objects would be searched n times n otherwise. */
static u32 numbered(const struct object *object)
{
    return object->mark < draft_count && draft[object->mark].object == object ? object->mark : number_of(object);
}

static u32 put_numbers(struct object **list, u32 count)
{
    u32 at = put(NULL, count * sizeof(u32));
    for (u32 i = 0; i < count && !out_cut; i++)
        ((u32 *)(out + at))[i] = numbered(list[i]);
    return at;
}

static void put_names(const struct object *object, struct record_object *to)
{
    u32 count = 0, text[64];
    for (const struct alias *alias = &object->aliases; alias && count < 64; alias = alias->next)
        if (alias->name)
            text[count++] = put_text(alias->name);
    to->alias_count = count;
    to->aliases = put(text, count * sizeof *text);
    to->path = put_text(object->path);
    to->real_path = object->path && object->real_path && str_equal(object->path, object->real_path) ? to->path : put_text(object->real_path);
    to->soname = !object->image.soname ? 0 : count && str_equal(object->image.soname, object->aliases.name) ? text[0] : put_text(object->image.soname);
}

/* Packs of the record: those its pieces lie in. */
static u32 used_pack[RECORD_PACKS_MOST], used_count;

static u32 pack_number(u32 in_catalog)
{
    for (u32 i = 0; i < used_count; i++)
        if (used_pack[i] == in_catalog)
            return i;
    if (used_count == ARRAY_COUNT(used_pack)) {
        out_cut = true;
        return 0;
    }
    used_pack[used_count] = in_catalog;
    return used_count++;
}

static void put_pieces(const struct draft *of, struct record_object *to)
{
    if (of->kind != KIND_SHARED)
        return;
    to->piece_count = of->piece_count;
    to->pieces = put(of->piece, of->piece_count * sizeof *of->piece);
    struct piece *piece = (struct piece *)(out + to->pieces);
    for (u32 i = 0; i < of->piece_count && !out_cut; i++)
        piece[i].pack = pack_number(of->piece[i].pack);
    to->patch_count = of->patch_count;
    to->patches = put(NULL, of->patch_count * sizeof(struct patch));
    if (!out_cut)
        draft_patches(of, (struct patch *)(out + to->patches));
    to->own_words = of->own_words;
    struct idle idle = draft_idle(of);
    to->idle = idle.what;
    to->dso_handle = idle.dso_handle;
    to->uses = put(NULL, (draft_count + 7) / 8);
    if (!out_cut)
        draft_uses(of, draft, draft_count, out + to->uses);
}

/* Link editors write the same tags in the same order, so there is one list for many objects. */
static u32 put_tags(const struct image *image)
{
    static u32 last_at, last_count;
    u32 at = put(NULL, image->dyn_count * sizeof(u32));
    if (out_cut)
        return 0;
    u32 *tag = (u32 *)(out + at);
    for (u32 i = 0; i < image->dyn_count; i++)
        tag[i] = short_tag(image->dyn[i].d_tag);
    if (last_at && last_at < at && last_count == image->dyn_count && memcmp(out + last_at, tag, last_count * sizeof *tag) == 0) {
        memset(tag, 0, last_count * sizeof *tag);
        out_len = at;
        return last_at;
    }
    last_at = at;
    last_count = image->dyn_count;
    return at;
}

static void put_object(const struct draft *of, struct record_object *to)
{
    const struct object *object = of->object;
    to->kind = of->kind;
    to->found_by = object->found_by;
    to->loader = object->loader ? numbered(object->loader) : NO_OBJECT;
    to->tls_module = object->tls_module;
    to->tls_offset = object->tls_offset;
    put_names(object, to);
    to->needed_count = object->needed_count;
    to->needed = put_numbers(object->needed, object->needed_count);
    to->filtee_count = object->filtee_count;
    to->filtee = put_numbers(object->filtee, object->filtee_count);
    to->symbol_count = object->symbol_count;
    to->plain_why = of->kind == KIND_PLAIN ? of->plain_why : PLAIN_NOT;
    to->plain_at = of->kind == KIND_PLAIN ? of->plain_at : 0;
    put_pieces(of, to);
    if (of->kind == KIND_KERNEL)
        return;
    to->dyn_tags = put_tags(&object->image);
    to->image = object->image;
    to->image.path = NULL;
    to->image.plan.seg = (const struct segment *)(u64)put(object->image.plan.seg, object->image.plan.seg_count * sizeof *object->image.plan.seg);
    to->image.version_count = object->image.version ? object->image.version_count : 0;
    to->image.version = (const struct version *)(u64)put(object->image.version, to->image.version_count * sizeof *object->image.version);
    to->bias = object->bias;
    to->map_start = object->map_start;
    to->map_end = object->map_end;
    /* As it was when it was opened for mapping; since then nothing may have changed, also not in place. */
    const struct met *met = cache.met;
    struct stat st;
    while (met && (met->file.ino != object->ino || met->file.dev != object->dev))
        met = met->next;
    if (!met || sys_stat(object->real_path, &st) != 0 || !identity_equal(&met->file, &st)) {
        cache_spoil_by("a file changed while it was loaded: ", object->real_path);
        return;
    }
    to->file = met->file;
    if (witness_young(&to->file))
        cache_spoil_by("a file is too young: ", object->real_path);
    if (!object->image.phdr_vaddr)
        cache_spoil_by("program headers outside the segments: ", object_label(object));
}

/* Objects that are used, each once; what they lead to in turn is asked in this order. */
struct used_list { u32 *at, count; };

static void note_use(struct used_list *list, struct record_object *object, u32 number)
{
    if (!object[number].used)
        list->at[list->count++] = number;
    object[number].used = true;
}

/* What `from` leads to: by what it is bound to, and where that is not known by what it needs. */
static void spread_use(struct used_list *list, struct record_object *object, const struct record_object *from)
{
    const u32 *needed = (const u32 *)(out + from->needed);
    for (u32 i = 0; i < from->needed_count && from->kind != KIND_SHARED; i++)
        note_use(list, object, needed[i]);
    for (u32 i = 0; i < draft_count && from->kind == KIND_SHARED; i++)
        if (out[from->uses + i / 8] >> i % 8 & 1)
            note_use(list, object, i);
}

/* Libraries that are loaded and never called are many where programs are linked with all they might need. */
static void put_use(struct record_object *object)
{
    struct used_list list = { arena_alloc(&cache.scratch, (u64)draft_count * sizeof *list.at), 0 };
    for (u32 i = 0; i < draft_count; i++) {
        object[i].used = !list.at;    /* no memory: as if there were no such libraries */
        if (!list.at)
            continue;
        if (i == 0 || (object[i].kind != KIND_KERNEL && object[i].idle != (IDLE_START | IDLE_END)))
            note_use(&list, object, i);
    }
    for (u32 i = 0; i < list.count; i++)
        spread_use(&list, object, &object[list.at[i]]);
}

static void put_witness(struct witness *to, const struct seen *seen)
{
    struct witness now;
    if (!seen->known || !witness_take(seen->path, &now) || memcmp(&now, &seen->was, sizeof now) != 0)
        cache_spoil_by("a place that was searched changed just now, or cannot be looked at: ", seen->path);
    *to = seen->was;
    to->path = put_text(seen->path);
}

static void put_witnesses(struct record_head *head)
{
    u32 count = 0;
    for (const struct seen *seen = cache.seen; seen; seen = seen->next)
        count++;
    u32 at = put(NULL, count * sizeof(struct witness)), i = 0;
    struct witness *witness = (struct witness *)(out + at);
    if (out_cut)
        return;
    memset(witness, 0, count * sizeof *witness);
    for (const struct seen *seen = cache.seen; seen; seen = seen->next)
        put_witness(&witness[i++], seen);
    head->witnesses = at;
    head->witness_count = count;
}

static void put_unique(void *context, const struct binding *binding)
{
    struct record_head *head = context;
    struct unique_pair pair = { numbered(binding->object), (u32)(binding->symbol - binding->object->image.symtab) };
    u32 at = put(&pair, sizeof pair);
    if (!head->unique_count++)
        head->uniques = at;
}

static bool write_record(void)
{
    struct record_head head = { .magic = RECORD_MAGIC, .gate = session.gate, .object_count = draft_count };
    out = sys_mmap(NULL, RECORD_MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sys_failed(out))
        return false;
    head.born = cache.catalog->head.born;
    head.max_age = age_to_record();
    put(NULL, sizeof head);
    head.key = put(cache.key, cache.key_len);
    head.key_len = cache.key_len;
    head.facts = put(cache.facts, cache.facts_len);
    head.facts_len = cache.facts_len;
    head.objects = put(NULL, draft_count * sizeof(struct record_object));
    for (u32 i = 0; i < draft_count && !out_cut; i++)
        put_object(&draft[i], (struct record_object *)(out + head.objects) + i);
    if (!out_cut)
        put_use((struct record_object *)(out + head.objects));
    put_witnesses(&head);
    const struct scope *closure = &session.program->closure;
    head.closure_count = closure->count;
    head.closure = put_numbers(closure->object, closure->count);
    head.init_order = put_numbers(session.program->init_order, closure->count);
    unique_each(put_unique, &head);
    head.pack_count = used_count;
    head.packs = put(NULL, used_count * sizeof(struct pack_ref));
    for (u32 i = 0; i < used_count && !out_cut; i++)
        ((struct pack_ref *)(out + head.packs))[i] = cache.catalog->pack[used_pack[i]];
    head.libc = session.libc ? numbered(session.libc) : NO_OBJECT;
    head.linker = session.linker ? numbered(session.linker) : NO_OBJECT;
    if (session.program->origin && session.config.secure)
        cache_spoil("it depends on $ORIGIN of a set-user-ID program");
    if (session.program->origin)
        head.origin = put_text(session.program->origin);
    head.size = out_len;
    memcpy(out, &head, sizeof head);
    ((struct record_head *)out)->sum = cache_sum(out + 24, out_len - 24);
    struct writer writer;
    bool done = !out_cut && !cache.spoilt && writer_start(&writer, cache.dir);
    if (done) {
        writer_put(&writer, out, out_len);
        done = writer_end(&writer, cache.record_name);
    }
    sys_munmap(out, RECORD_MOST);
    return done;
}

bool draft_all(struct draft **list, u32 *count)
{
    *count = 0;
    *list = arena_alloc(&cache.scratch, session.object_count * sizeof **list);
    if (!*list)
        return false;
    for (struct object *object = session.first; object; object = object->next) {
        object->mark = *count;
        draft_object(&(*list)[(*count)++], object);
    }
    return true;
}

bool make_all(void)
{
    pack_in_catalog = NO_OBJECT;
    taken_count = 0;
    evict(cache.catalog->is_new);
    bool good = !cache.spoilt && draft_all(&draft, &draft_count);
    for (u32 i = 0; i < draft_count && good; i++)
        if (draft[i].kind == KIND_SHARED)
            good = make_image(&draft[i]);
    if (pack_in_catalog != NO_OBJECT && !good)
        sys_close(pack.fd), sys_unlinkat(cache.dir, pack.name);
    else
        good = end_pack() && good;
    /* The catalog last but one: it may name a pack that no record uses, not the other way round. */
    if (good && cache.catalog->changed)
        good = catalog_write(cache.catalog);
    good = good && write_record();
    if (good && WATCHED(WATCH_CACHE))
        tell_made(draft, draft_count, pack_in_catalog);
    return good;
}
