/* draft.c - one relocated object as an image to be: which pages, and which words in them are this process's own.
 *
 * All processes that use an image must find every byte right, so a word may only hold: a constant; an address in an object that has a
 * fixed place; an entry of the gate; or it is listed as a fixup, stands in the image as a fixed value and is written at each start. Words
 * that hold an address in the program, when the kernel chose its place, become patches. Any other address of this process alone, found
 * by looking at every word, keeps the object from being shared. */
#include "cache_private.h"
#include "../arch/arch.h"

#define ZERO_SCAN_MOST (1ul << 20)    /* .bss looked through for what relocation or resolvers wrote there */

/* Why the object cannot be shared, and the word this is about (0: none). Returns false. */
static bool refuse(struct draft *draft, enum plain_why why, u64 vaddr)
{
    if (!draft->plain_why) {
        draft->plain_why = why;
        draft->plain_at = vaddr;
    }
    return false;
}

static bool add_fixup(struct draft *draft, u64 vaddr, u64 value, bool patch)
{
    if (draft->fixup_count == draft->fixup_room) {
        u32 room = draft->fixup_room ? draft->fixup_room * 2 : 16;
        struct fixup *more = arena_alloc(&cache.scratch, room * sizeof *more);
        if (!more)
            return refuse(draft, PLAIN_MEMORY, 0);
        if (draft->fixup_count)
            memcpy(more, draft->fixup, draft->fixup_count * sizeof *more);
        draft->fixup = more;
        draft->fixup_room = room;
    }
    draft->fixup[draft->fixup_count++] = (struct fixup){ vaddr, value, patch };
    draft->patch_count += patch;
    draft->own_words = true;
    return true;
}

static void sort_fixups(struct draft *draft)
{
    struct fixup *list = draft->fixup;
    u32 gap = 1;
    while (gap < draft->fixup_count / 3)
        gap = gap * 3 + 1;
    for (; gap; gap /= 3)
        for (u32 i = gap; i < draft->fixup_count; i++) {
            struct fixup moving = list[i];
            u32 at = i;
            for (; at >= gap && list[at - gap].vaddr > moving.vaddr; at -= gap)
                list[at] = list[at - gap];
            list[at] = moving;
        }
}

const u8 *draft_bytes(const struct draft *draft, u64 vaddr)
{
    return draft->copy ? draft->copy + (vaddr - draft->copy_vaddr) : (const u8 *)(draft->object->bias + vaddr);
}

u64 draft_clean(const struct draft *draft, u64 vaddr, u64 end, const struct fixup **fixup)
{
    u32 lo = 0, hi = draft->fixup_count;
    while (lo < hi) {
        u32 mid = (lo + hi) / 2;
        if (draft->fixup[mid].vaddr + 8 <= vaddr)
            lo = mid + 1;
        else
            hi = mid;
    }
    *fixup = lo < draft->fixup_count && draft->fixup[lo].vaddr < end ? &draft->fixup[lo] : NULL;
    return *fixup ? (*fixup)->vaddr - vaddr : end - vaddr;
}

/* ---- which pages ----------------------------------------------------------------------------------------------------- */

/* map_shared in attach.c lays segments by these rules. */
static bool plan_is_plain(const struct image *image)
{
    const struct plan *plan = &image->plan;
    const struct segment *first = &plan->seg[0];
    if (first->prot & PF_W || first->file_end == first->vaddr)
        return false;
    for (u32 i = 0; i < plan->seg_count; i++)
        if (!(plan->seg[i].prot & PF_W) && plan->seg[i].mem_end != plan->seg[i].file_end)
            return false;
    return true;
}

static bool is_zero(const u8 *at, u64 len)
{
    const u64 *word = (const u64 *)at;
    for (u64 i = 0; i < len / 8; i++)
        if (word[i])
            return false;
    return true;
}

/* End of the pages that must come from an image: the file's, RELRO, and what was written of the zero pages behind. */
static u64 written_end(const struct draft *draft, const struct segment *seg)
{
    const struct image *image = &draft->object->image;
    u64 end = align_up(seg->file_end, LDR_PAGE), mem_end = align_up(seg->mem_end, LDR_PAGE);
    u64 relro_end = align_down(image->relro_vaddr + image->relro_len, LDR_PAGE);
    if (seg->file_end == seg->vaddr)
        end = align_down(seg->vaddr, LDR_PAGE);
    if (relro_end > end && relro_end <= mem_end && image->relro_vaddr < seg->mem_end)
        end = relro_end;
    u64 scan_end = mem_end - end > ZERO_SCAN_MOST ? end + ZERO_SCAN_MOST : mem_end;
    u64 last = end;
    for (u64 page = end; page < scan_end; page += LDR_PAGE)
        if (!is_zero(draft_bytes(draft, page), LDR_PAGE))
            last = page + LDR_PAGE;
    return last;
}

static bool add_piece(struct draft *draft, u64 start, u64 end, bool sealed)
{
    if (end <= start)
        return true;
    if (draft->piece_count == PIECES_MOST)
        return refuse(draft, PLAIN_PIECES, start);
    draft->piece[draft->piece_count++] = (struct piece){ .vaddr = start, .len = end - start, .sealed = sealed };
    return true;
}

static bool find_pieces(struct draft *draft)
{
    const struct image *image = &draft->object->image;
    u64 relro = image->relro_len ? align_down(image->relro_vaddr, LDR_PAGE) : 0;
    u64 relro_end = image->relro_len ? align_down(image->relro_vaddr + image->relro_len, LDR_PAGE) : 0;
    for (u32 i = 0; i < image->plan.seg_count; i++) {
        const struct segment *seg = &image->plan.seg[i];
        if (!(seg->prot & PF_W))
            continue;
        u64 start = align_down(seg->vaddr, LDR_PAGE), end = written_end(draft, seg);
        u64 cut = relro < start ? start : relro > end ? end : relro, cut_end = relro_end < cut ? cut : relro_end > end ? end : relro_end;
        if (!add_piece(draft, start, cut, false) || !add_piece(draft, cut, cut_end, true) || !add_piece(draft, cut_end, end, false))
            return false;
    }
    return true;
}

static bool in_pieces(const struct draft *draft, u64 vaddr, u64 len)
{
    for (u32 i = 0; i < draft->piece_count; i++)
        if (vaddr - draft->piece[i].vaddr <= draft->piece[i].len - len)
            return true;
    return false;
}

/* Every place that relocation stores to must lie in a piece: link editors may put copied variables behind a large .bss. */
static bool table_reached(struct draft *draft, const struct rela_table *table)
{
    const struct image *image = &draft->object->image;
    for (u64 i = 0; i < table->count; i++) {
        const Elf64_Rela *r = &table->at[i];
        struct reloc_kind kind = arch_reloc_kind((u32)ELF64_R_TYPE(r->r_info));
        u64 len = kind.class == RELOC_COPY ? image->symtab[ELF64_R_SYM(r->r_info)].st_size : kind.class == RELOC_TLS_DESC ? 16 : kind.width;
        if (len && (!in_pieces(draft, r->r_offset, 1) || !in_pieces(draft, r->r_offset + len - 1, 1)))
            return refuse(draft, PLAIN_FAR, r->r_offset);
    }
    return true;
}

static bool relr_reached(struct draft *draft)
{
    const struct relr_table *table = &draft->object->image.relr;
    u64 next = 0;
    for (u64 i = 0; i < table->count; i++) {
        u64 entry = table->at[i], last = entry;
        if (entry & 1) {
            last = next + (63 - (u64)__builtin_clzll(entry)) * 8 - 8;
            next += 63 * 8;
        } else {
            next = entry + 8;
        }
        if (entry != 1 && !in_pieces(draft, last, 8))
            return refuse(draft, PLAIN_FAR, last);
    }
    return true;
}

static bool pieces_reach(struct draft *draft)
{
    return table_reached(draft, &draft->object->image.rela) && table_reached(draft, &draft->object->image.plt) && relr_reached(draft);
}

/* ---- which words ----------------------------------------------------------------------------------------------------- */

bool program_moves(void)
{
    return session.way == START_INTERPRETER && session.program->image.type == ET_DYN;
}

static bool table_patches(struct draft *draft, const struct rela_table *table)
{
    const struct object *program = session.program;
    u64 lo = program->map_start, len = program->map_end - lo;           /* a symbol may stand at the very end */
    for (u64 i = 0; i < table->count; i++) {
        const Elf64_Rela *r = &table->at[i];
        if (r->r_info == R_X86_64_RELATIVE)
            continue;
        struct reloc_kind kind = arch_reloc_kind((u32)ELF64_R_TYPE(r->r_info));
        if (kind.class == RELOC_COPY)
            return refuse(draft, PLAIN_COPY, r->r_offset);
        if (kind.class == RELOC_NONE || (kind.class != RELOC_SYMBOL && kind.class != RELOC_IRELATIVE && kind.class != RELOC_PC))
            continue;
        if (kind.width != 8 || kind.class == RELOC_PC)
            return refuse(draft, PLAIN_NARROW, r->r_offset);
        /* What a symbol's word leads into is told by the symbol: the addend may lead anywhere. */
        u64 value = *(u64 *)(draft->object->bias + r->r_offset) - (kind.class == RELOC_SYMBOL ? (u64)r->r_addend : 0);
        if (value - lo > len)
            continue;
        if (!in_pieces(draft, r->r_offset, 8))
            return refuse(draft, PLAIN_OUTSIDE, r->r_offset);
        if (!add_fixup(draft, r->r_offset, 0, true))
            return false;
    }
    return true;
}

static bool find_patches(struct draft *draft)
{
    return !program_moves() || (table_patches(draft, &draft->object->image.rela) && table_patches(draft, &draft->object->image.plt));
}

/* ---- whom ------------------------------------------------------------------------------------------------------------ */

struct span { u64 start, end; u32 number; };

/* The object that holds the address of a symbol; one at the very end of a segment (_end) is its own object's still. */
static u32 span_of(const struct span *span, u32 count, u64 addr)
{
    u32 lo = 0, hi = count;
    while (lo < hi) {
        u32 mid = (lo + hi) / 2;
        if (span[mid].end < addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < count && span[lo].start <= addr ? span[lo].number : NO_OBJECT;
}

/* False: some entry may lead anywhere. */
static bool table_uses(const struct object *object, const struct rela_table *table, const struct span *span, u32 count, u8 *uses)
{
    for (u64 i = 0; i < table->count; i++) {
        const Elf64_Rela *r = &table->at[i];
        struct reloc_kind kind = arch_reloc_kind((u32)ELF64_R_TYPE(r->r_info));
        if (kind.class == RELOC_COPY || kind.class == RELOC_PC || (kind.class == RELOC_SYMBOL && kind.width != 8))
            return false;
        if (kind.class != RELOC_SYMBOL)
            continue;
        u64 value = *(u64 *)(object->bias + r->r_offset) - (u64)r->r_addend;
        u32 number = span_of(span, count, value);
        bool ours = value - session.gate < 2 * LDR_PAGE || (session.vdso && value >= session.vdso->map_start && value < session.vdso->map_end);
        if (number != NO_OBJECT)
            uses[number / 8] |= (u8)(1u << number % 8);
        else if (value && !ours)
            return false;
    }
    return true;
}

void draft_uses(const struct draft *draft, const struct draft *all, u32 count, u8 *uses)
{
    static struct span *span;         /* of all objects, ascending; the same for all drafts of one making */
    static const struct draft *span_of_all;
    if (span_of_all != all) {
        span = arena_alloc(&cache.scratch, count * sizeof *span);
        for (u32 i = 0; i < count && span; i++) {
            u32 at = i;
            for (; at && span[at - 1].start > all[i].object->map_start; at--)
                span[at] = span[at - 1];
            span[at] = (struct span){ all[i].object->map_start, all[i].object->map_end, i };
        }
        span_of_all = all;
    }
    const struct image *image = &draft->object->image;
    if (!span || !table_uses(draft->object, &image->rela, span, count, uses) || !table_uses(draft->object, &image->plt, span, count, uses))
        memset(uses, 0xff, (count + 7) / 8);
}

void draft_patches(const struct draft *draft, struct patch *out)
{
    for (u32 i = 0; i < draft->fixup_count; i++)
        if (draft->fixup[i].patch)
            *out++ = (struct patch){ draft->fixup[i].vaddr, *(u64 *)(draft->object->bias + draft->fixup[i].vaddr) - session.program->bias };
}

/* The word of DT_DEBUG points to the linker's list. */
static bool find_debug_word(struct draft *draft)
{
    const struct image *image = &draft->object->image;
    for (u32 i = 0; i < image->dyn_count; i++) {
        u64 vaddr = (u64)&image->dyn[i].d_un - draft->object->bias;
        if (image->dyn[i].d_tag == DT_DEBUG && in_pieces(draft, vaddr, 8) && !add_fixup(draft, vaddr, 0, false))
            return false;
    }
    return true;
}

static bool is_own_address(u64 value)
{
    u64 stack = align_down((u64)session.kernel.stack, LDR_PAGE) - (1ul << 20);
    if (value >= stack && value < 0x800000000000ull)
        return true;
    if (value >= session.self.start && value < session.self.end)
        return true;
    if (session.vdso && value >= session.vdso->map_start - (1ul << 16) && value < session.vdso->map_end)
        return true;
    if (session.main_tp && value >= (u64)session.main_tp - session.tls_main_room && value < (u64)session.main_tp + (64ul << 10))
        return true;
    return program_moves() && value >= session.program->map_start && value < session.program->map_end;
}

/* The object's file, to look up words that only look like addresses: opened for the first one, a page at a time. */
struct original { int fd; u64 page; long got; u64 word[LDR_PAGE / 8]; };
enum { ORIGINAL_UNTRIED = -1, ORIGINAL_NONE = -2 };

static int open_original(const struct object *object)
{
    struct stat st;
    int fd = sys_open_read(object->real_path ? object->real_path : object->path);
    if (fd < 0)
        return ORIGINAL_NONE;
    if (sys_fstat(fd, &st) == 0 && st.st_dev == object->dev && st.st_ino == object->ino)
        return fd;
    sys_close(fd);
    return ORIGINAL_NONE;
}

/* The file has this very word there: tables of numbers hold words that would be addresses in the stack. That a start wrote its own
 * random address where the same number stood already is less likely than a damaged bit. */
static bool is_constant(const struct draft *draft, struct original *original, u64 vaddr)
{
    const struct plan *plan = &draft->object->image.plan;
    const struct segment *seg = NULL;
    for (u32 i = 0; i < plan->seg_count; i++)
        if (vaddr >= plan->seg[i].vaddr && vaddr + 8 <= plan->seg[i].file_end)
            seg = &plan->seg[i];
    if (!seg || (seg->off + (vaddr - seg->vaddr)) % 8)
        return false;
    if (original->fd == ORIGINAL_UNTRIED)
        original->fd = open_original(draft->object);
    u64 off = seg->off + (vaddr - seg->vaddr), page = align_down(off, LDR_PAGE);
    if (original->fd >= 0 && (original->page != page || !original->got)) {
        original->page = page;
        original->got = sys_pread(original->fd, original->word, LDR_PAGE, page);
    }
    return original->fd >= 0 && original->got >= (long)(off - page) + 8 && original->word[(off - page) / 8] == *(const u64 *)draft_bytes(draft, vaddr);
}

/* The genuine linker's words that name us are the ones compat/ writes at each start: they stand as zero. */
static bool find_leaks_by(struct draft *draft, struct original *original)
{
    bool linker = draft->object == session.linker;
    u64 lowest = session.self.start < session.program->map_start || !program_moves() ? session.self.start : session.program->map_start;
    if (session.main_tp && (u64)session.main_tp - session.tls_main_room < lowest)
        lowest = (u64)session.main_tp - session.tls_main_room;
    for (u32 i = 0; i < draft->piece_count; i++) {
        u64 vaddr = draft->piece[i].vaddr, end = vaddr + draft->piece[i].len;
        while (vaddr < end) {
            const struct fixup *fixup;
            u64 clean = draft_clean(draft, vaddr, end, &fixup) & ~7ull;
            const u64 *word = (const u64 *)draft_bytes(draft, vaddr);
            for (u64 k = 0; k < clean / 8; k++) {
                if (LIKELY(word[k] < lowest || word[k] >= 0x800000000000ull) || !is_own_address(word[k]))
                    continue;
                if (!linker && is_constant(draft, original, vaddr + 8 * k))
                    continue;
                if (!linker || word[k] < session.self.start || word[k] >= session.self.end)
                    return refuse(draft, PLAIN_ADDRESS, vaddr + 8 * k);
                if (!add_fixup(draft, vaddr + 8 * k, 0, false))
                    return false;
            }
            vaddr += clean;
            if (fixup)
                vaddr = align_up(fixup->vaddr + 8, 8);
            else
                vaddr = end;
        }
    }
    return true;
}

static bool find_leaks(struct draft *draft)
{
    struct original original;
    original.fd = ORIGINAL_UNTRIED;
    original.got = 0;
    bool none = find_leaks_by(draft, &original);
    if (original.fd >= 0)
        sys_close(original.fd);
    return none;
}

/* What the object is, whatever is in its memory. */
static enum plain_why plain_from_birth(const struct object *object)
{
    const struct image *image = &object->image;
    return object->chose_itself ? PLAIN_CHOSE : image->textrel ? PLAIN_TEXTREL : image->rel.count ? PLAIN_REL : !plan_is_plain(image) ? PLAIN_SEGMENTS : PLAIN_NOT;
}

void draft_object(struct draft *draft, struct object *object)
{
    *draft = (struct draft){ .object = object, .kind = KIND_PLAIN };
    if (object->is_vdso || (object->is_program && session.way == START_INTERPRETER)) {
        draft->kind = KIND_KERNEL;
        return;
    }
    if (object == session.linker) {
        draft->copy = cache.linker_copy;
        draft->copy_vaddr = cache.linker_copy_vaddr;
        draft->own_words = true;
        if (!draft->copy) {
            refuse(draft, PLAIN_UNFILLED, 0);
            return;
        }
    }
    draft->plain_why = plain_from_birth(object);
    if (draft->plain_why || !find_pieces(draft) || !pieces_reach(draft) || !find_patches(draft))
        return;
    if (object->is_program && !find_debug_word(draft))
        return;
    sort_fixups(draft);
    if (!find_leaks(draft))
        return;
    sort_fixups(draft);
    for (u32 i = 0; i + 1 < draft->fixup_count; i++)
        if (draft->fixup[i + 1].vaddr - draft->fixup[i].vaddr < 8) {
            refuse(draft, PLAIN_OVERLAP, draft->fixup[i].vaddr);      /* two writers of one place */
            return;
        }
    draft->kind = KIND_SHARED;
}
