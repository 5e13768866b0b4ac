/* types.c - types of DWARF as C text, their lengths, and which member lies at an offset.
 *
 * A variable of many members is asked about member by member, and types lead to each other: so each type's DIE is read once, into
 * a struct type, and all questions are answered from these.
 *
 * Types of hostile files refer to themselves: every walk is bounded in depth, every text in length. */
#include "../ldr.h"
#include "parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 24, MEMBERS_MAX = 100000, DIMENSIONS_MAX = 8 };

struct type {
    uint64_t key;
    Dwarf_Half tag;
    const char *name;      /* NULL: none; in the file's bytes */
    bool has_under, has_class, has_len, len_done, members_read;
    uint64_t under, class; /* keys: of what it points to, qualifies or is made of; of the class of a member pointer */
    uint64_t len;
    uint64_t counts[DIMENSIONS_MAX]; /* of an array; 0 without bound */
    size_t dimensions;
    struct member *members;          /* of a structure; of a function its parameters */
    size_t member_count;
};

/* Bits count from the start of the structure; those of a union's members are all 0. */
struct member {
    const char *name;
    uint64_t type;         /* key */
    uint64_t bit, bits;
    bool is_bitfield, is_flexible /* an array without bound */, more /* "...", of parameters */;
};

/* Open addressing by key; several keys may lead to one type. */
struct type_cache {
    struct { uint64_t key; struct type *type; } *slots; /* type NULL: empty */
    size_t slot_count, count;
};

/* ---- bounded text ---- */

void words_add(struct words *words, const char *text) {
    static const char cut[] = "...";
    size_t len = strlen(text), room = sizeof words->text - 1 - words->len;
    if (len <= room) {
        memcpy(words->text + words->len, text, len + 1);
        words->len += len;
        return;
    }
    memcpy(words->text + words->len, text, room);
    memcpy(words->text + sizeof words->text - sizeof cut, cut, sizeof cut);
    words->len = sizeof words->text - 1;
}

void words_number(struct words *words, const char *before, uint64_t number, const char *behind) {
    char text[32];
    words_add(words, before);
    snprintf(text, sizeof text, "%" PRIu64, number);
    words_add(words, text);
    words_add(words, behind);
}

/* ---- reading ---- */

static size_t slot_of(const struct type_cache *cache, uint64_t key) {
    size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (cache->slot_count - 1);
    while (cache->slots[at].type && cache->slots[at].key != key)
        at = (at + 1) & (cache->slot_count - 1);
    return at;
}

static void remember(struct type_cache *cache, uint64_t key, struct type *type) {
    if (cache->count * 4 >= cache->slot_count * 3) {
        struct type_cache bigger = { .slot_count = cache->slot_count ? cache->slot_count * 2 : 1024 };
        bigger.slots = must_alloc(bigger.slot_count, sizeof *bigger.slots);
        for (size_t i = 0; i < cache->slot_count; i++)
            if (cache->slots[i].type)
                bigger.slots[slot_of(&bigger, cache->slots[i].key)] = cache->slots[i];
        bigger.count = cache->count;
        free(cache->slots);
        *cache = bigger;
    }
    size_t at = slot_of(cache, key);
    cache->count += cache->slots[at].type == NULL;
    cache->slots[at].key = key;
    cache->slots[at].type = type;
}

static bool is_qualifier(Dwarf_Half tag) {
    return tag == DW_TAG_const_type || tag == DW_TAG_volatile_type || tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

static bool is_structure(Dwarf_Half tag) {
    return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

/* Elements in one dimension; 0 for one without bound. */
static uint64_t dimension_count(struct die range) {
    uint64_t count, upper, lower = 0;
    if (die_number(range, DW_AT_count, &count))
        return count;
    if (!die_number(range, DW_AT_upper_bound, &upper) || upper == UINT64_MAX)
        return 0;
    die_number(range, DW_AT_lower_bound, &lower);
    return upper < lower ? 0 : upper - lower + 1;
}

static void read_dimensions(struct die array, struct type *type) {
    for (struct die range = die_child(array); range.at; range = die_next(range)) {
        if (die_tag(range) != DW_TAG_subrange_type)
            continue;
        if (type->dimensions == DIMENSIONS_MAX) {
            die_drop(&range);
            return;
        }
        type->counts[type->dimensions++] = dimension_count(range);
    }
}

static struct type *type_by_key(struct session *session, uint64_t key, int depth) {
    if (!session->cache)
        session->cache = must_alloc(1, sizeof *session->cache);
    if (session->cache->slot_count) {
        struct type *known = session->cache->slots[slot_of(session->cache, key)].type;
        if (known)
            return known;
    }
    struct die die = die_by_key(session, key);
    if (!die.at)
        return NULL;
    /* of a type that has a unit of its own this unit has a declaration with its signature */
    uint64_t other;
    if (depth > 0 && session->type_count && die_has(die, DW_AT_signature) && die_target(session, die, DW_AT_signature, &other)) {
        struct type *whole = type_by_key(session, other, depth - 1);
        if (whole) {
            die_drop(&die);
            remember(session->cache, key, whole);
            return whole;
        }
    }
    struct type *type = must_alloc(1, sizeof *type);
    type->key = key;
    type->tag = die_tag(die);
    type->name = die_text(die, DW_AT_name);
    type->has_under = die_target(session, die, DW_AT_type, &type->under);
    type->has_class = type->tag == DW_TAG_ptr_to_member_type && die_target(session, die, DW_AT_containing_type, &type->class);
    type->has_len = die_number(die, DW_AT_byte_size, &type->len);
    if (type->tag == DW_TAG_array_type)
        read_dimensions(die, type);
    die_drop(&die);
    remember(session->cache, key, type);
    return type;
}

static struct type *under(struct session *session, const struct type *type) {
    return type && type->has_under ? type_by_key(session, type->under, DEPTH_MAX) : NULL;
}

const struct type *type_of(struct session *session, struct die die) {
    uint64_t key;
    return die_target(session, die, DW_AT_type, &key) ? type_by_key(session, key, DEPTH_MAX) : NULL;
}

/* The type itself: qualifiers and typedefs taken off. */
static const struct type *strip(struct session *session, const struct type *type) {
    for (int depth = 0; depth < DEPTH_MAX && type && (is_qualifier(type->tag) || type->tag == DW_TAG_typedef); depth++)
        type = under(session, type);
    return type;
}

static uint64_t len_at_depth(struct session *session, struct type *type, int depth) {
    if (!type || depth == 0)
        return 0;
    if (type->has_len || type->len_done)
        return type->len;
    uint64_t len = 0;
    switch (type->tag) {
    case DW_TAG_pointer_type: case DW_TAG_reference_type: case DW_TAG_rvalue_reference_type: case DW_TAG_ptr_to_member_type:
        len = 8;
        break;
    case DW_TAG_const_type: case DW_TAG_volatile_type: case DW_TAG_restrict_type: case DW_TAG_atomic_type:
    case DW_TAG_typedef: case DW_TAG_enumeration_type:
        len = len_at_depth(session, under(session, type), depth - 1);
        break;
    case DW_TAG_array_type:
        len = len_at_depth(session, under(session, type), depth - 1);
        for (size_t i = 0; i < type->dimensions; i++)
            if (__builtin_mul_overflow(len, type->counts[i], &len))
                len = 0;
        if (type->dimensions == 0)
            len = 0;
        break;
    default: break;
    }
    if (depth == DEPTH_MAX) { /* whole: from further down a type that leads back to itself would be half an answer */
        type->len = len;
        type->len_done = true;
    }
    return len;
}

uint64_t type_len(struct session *session, const struct type *type) {
    return len_at_depth(session, (struct type *)(uintptr_t)type, DEPTH_MAX);
}

/* Where a member lies; false when nothing fixed can be said. */
static bool read_extent(struct session *session, struct die die, struct member *member) {
    uint64_t byte = 0, width = 0, within = 0, unit;
    const struct type *type = type_by_key(session, member->type, DEPTH_MAX), *plain = strip(session, type);
    uint64_t len = type_len(session, type);
    if (die_has(die, DW_AT_data_member_location) && !die_number(die, DW_AT_data_member_location, &byte))
        return false; /* an expression: virtual bases */
    if (byte > UINT64_MAX / 16 || len > UINT64_MAX / 16)
        return false;
    member->is_bitfield = die_number(die, DW_AT_bit_size, &width);
    if (!member->is_bitfield) {
        member->bit = byte * 8;
        member->bits = len * 8;
        member->is_flexible = len == 0 && plain && plain->tag == DW_TAG_array_type;
        return len > 0 || member->is_flexible;
    }
    member->bits = width;
    if (die_number(die, DW_AT_data_bit_offset, &member->bit))
        return member->bit < UINT64_MAX / 4 && width > 0 && width <= 1024;
    /* DWARF 2 and 3 count from the high end of the storage unit */
    die_number(die, DW_AT_bit_offset, &within);
    if (!die_number(die, DW_AT_byte_size, &unit))
        unit = len;
    if (unit > 16 || within > 128 || width > 128 || unit * 8 < within + width)
        return false;
    member->bit = byte * 8 + unit * 8 - within - width;
    return width > 0;
}

/* Members, or parameters: only when asked for. */
static void read_members(struct session *session, struct type *type) {
    if (type->members_read)
        return;
    type->members_read = true;
    struct die die = die_by_key(session, type->key);
    bool function = type->tag == DW_TAG_subroutine_type;
    size_t room = 0;
    for (struct die child = die.at ? die_child(die) : die; child.at; child = die_next(child)) {
        Dwarf_Half tag = die_tag(child);
        struct member member = { .name = die_text(child, DW_AT_name), .more = tag == DW_TAG_unspecified_parameters };
        if (type->member_count == MEMBERS_MAX) {
            die_drop(&child);
            break;
        }
        if (function) {
            if (tag != DW_TAG_formal_parameter && !member.more)
                continue;
            if (!member.more && !die_target(session, child, DW_AT_type, &member.type))
                continue;
        } else if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || die_has(child, DW_AT_external) ||
                   die_has(child, DW_AT_declaration) || !die_target(session, child, DW_AT_type, &member.type) ||
                   !read_extent(session, child, &member)) {
            continue;
        }
        if (type->member_count == room)
            type->members = must_grow(type->members, room = room * 2 + 8, sizeof *type->members);
        type->members[type->member_count++] = member;
    }
    die_drop(&die);
}

/* ---- text ---- */

static bool is_pointer(Dwarf_Half tag) {
    return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type;
}

static void end_with(struct words *words, const struct words *declarator) {
    if (declarator->len) {
        words_add(words, " ");
        words_add(words, declarator->text);
    }
}

static void declare(struct session *session, struct type *type, const struct words *declarator, int depth, struct words *words);

static void add_parameters(struct session *session, struct type *function, int depth, struct words *words) {
    static const struct words none;
    read_members(session, function);
    words_add(words, "(");
    for (size_t i = 0; i < function->member_count && words->len < sizeof words->text - 1; i++) {
        if (i)
            words_add(words, ", ");
        if (function->members[i].more)
            words_add(words, "...");
        else
            declare(session, type_by_key(session, function->members[i].type, DEPTH_MAX), &none, depth, words);
    }
    words_add(words, function->member_count || session->cplusplus ? ")" : "void)");
}

static void declare_pointer(struct session *session, struct type *type, const char *mark, const struct words *declarator, int depth,
                            struct words *words) {
    struct type *target = under(session, type);
    bool brackets = target && (target->tag == DW_TAG_array_type || target->tag == DW_TAG_subroutine_type);
    struct words inner = { .len = 0 };
    words_add(&inner, brackets ? "(" : "");
    words_add(&inner, mark);
    words_add(&inner, declarator->text);
    words_add(&inner, brackets ? ")" : "");
    declare(session, target, &inner, depth, words);
}

/* The qualifiers of a type stand for a set: written in one order, whatever the order of their DIEs. */
static void declare_qualified(struct session *session, struct type *type, const struct words *declarator, int depth,
                              struct words *words) {
    static const struct { Dwarf_Half tag; const char *word; } order[] = {
        { DW_TAG_const_type, "const" }, { DW_TAG_volatile_type, "volatile" }, { DW_TAG_restrict_type, "restrict" },
        { DW_TAG_atomic_type, "_Atomic" } };
    enum { KINDS = sizeof order / sizeof *order };
    bool found[KINDS] = { false };
    for (int steps = 0; steps < DEPTH_MAX && type && is_qualifier(type->tag); steps++, type = under(session, type))
        for (size_t i = 0; i < KINDS; i++)
            found[i] |= type->tag == order[i].tag;
    /* qualified arrays are arrays of qualified elements, and compilers say both */
    const struct type *element = type;
    for (int steps = 0; steps < DEPTH_MAX && element && element->tag == DW_TAG_array_type; steps++)
        element = under(session, element);
    for (int steps = 0; element != type && steps < DEPTH_MAX && element && is_qualifier(element->tag); steps++, element = under(session, element))
        for (size_t i = 0; i < KINDS; i++)
            found[i] &= element->tag != order[i].tag;
    bool behind = type && is_pointer(type->tag); /* T *const d */
    struct words inner = { .len = 0 };
    for (size_t i = 0; i < KINDS; i++) {
        if (!found[i])
            continue;
        if (behind && inner.len)
            words_add(&inner, " ");
        words_add(behind ? &inner : words, order[i].word);
        if (!behind)
            words_add(words, " ");
    }
    if (behind && declarator->len)
        words_add(&inner, " ");
    words_add(&inner, declarator->text);
    declare(session, type, &inner, depth, words);
}

static void declare_tagged(const struct session *session, const struct type *type, const char *keyword,
                           const struct words *declarator, struct words *words) {
    if (!session->cplusplus || !type->name) {
        words_add(words, keyword);
        words_add(words, " ");
    }
    words_add(words, type->name ? type->name : "{...}");
    end_with(words, declarator);
}

static void declare(struct session *session, struct type *type, const struct words *declarator, int depth, struct words *words) {
    if (depth == 0) {
        words_add(words, "...");
        return;
    }
    switch (type ? type->tag : 0) {
    case 0:
        words_add(words, "void");
        end_with(words, declarator);
        return;
    case DW_TAG_const_type: case DW_TAG_volatile_type: case DW_TAG_restrict_type: case DW_TAG_atomic_type:
        declare_qualified(session, type, declarator, depth - 1, words);
        return;
    case DW_TAG_pointer_type: declare_pointer(session, type, "*", declarator, depth - 1, words); return;
    case DW_TAG_reference_type: declare_pointer(session, type, "&", declarator, depth - 1, words); return;
    case DW_TAG_rvalue_reference_type: declare_pointer(session, type, "&&", declarator, depth - 1, words); return;
    case DW_TAG_ptr_to_member_type: {
        const struct type *class = type->has_class ? type_by_key(session, type->class, DEPTH_MAX) : NULL;
        struct words mark = { .len = 0 };
        words_add(&mark, class && class->name ? class->name : "?");
        words_add(&mark, "::*");
        declare_pointer(session, type, mark.text, declarator, depth - 1, words);
        return;
    }
    case DW_TAG_array_type: {
        struct words inner = *declarator;
        for (size_t i = 0; i < type->dimensions; i++) {
            if (type->counts[i])
                words_number(&inner, "[", type->counts[i], "]");
            else
                words_add(&inner, "[]");
        }
        declare(session, under(session, type), &inner, depth - 1, words);
        return;
    }
    case DW_TAG_subroutine_type: {
        struct words inner = *declarator;
        add_parameters(session, type, depth - 1, &inner);
        declare(session, under(session, type), &inner, depth - 1, words);
        return;
    }
    case DW_TAG_structure_type: declare_tagged(session, type, "struct", declarator, words); return;
    case DW_TAG_class_type: declare_tagged(session, type, "class", declarator, words); return;
    case DW_TAG_union_type: declare_tagged(session, type, "union", declarator, words); return;
    case DW_TAG_enumeration_type: declare_tagged(session, type, "enum", declarator, words); return;
    default:
        words_add(words, type->name ? type->name : "?");
        end_with(words, declarator);
    }
}

void type_words(struct session *session, const struct type *type, struct words *words) {
    static const struct words none;
    declare(session, (struct type *)(uintptr_t)type, &none, DEPTH_MAX, words);
}

/* ---- members ---- */

static void add_name(struct piece *piece, const char *name) {
    if (!name) /* an unnamed structure, a base class */
        return;
    words_add(&piece->path, ".");
    words_add(&piece->path, name);
}

/* The bit-fields that have a part of the byte: which of them was written is not known. */
static void tell_bitfields(struct session *session, const struct type *type, uint64_t at, struct piece *piece) {
    size_t count = 0;
    struct words fields = { .len = 0 };
    for (size_t i = 0; i < type->member_count; i++) {
        const struct member *member = &type->members[i];
        if (!member->is_bitfield || at < member->bit / 8 || at >= (member->bit + member->bits + 7) / 8)
            continue;
        words_add(&fields, count ? ", " : "");
        words_add(&fields, member->name ? member->name : "?");
        if (count++ == 0)
            type_words(session, type_by_key(session, member->type, DEPTH_MAX), &piece->type);
    }
    words_add(&piece->path, count > 1 ? ".{" : ".");
    words_add(&piece->path, fields.text);
    words_add(&piece->path, count > 1 ? "}" : "");
    piece->at += at;
    piece->len = 1;
}

/* The member that has the byte; NULL when none has, and *below and *above say which bytes are nobody's. */
static const struct member *member_at(const struct type *type, uint64_t at, uint64_t *below, uint64_t *above) {
    const struct member *flexible = NULL;
    for (size_t i = 0; i < type->member_count; i++) {
        const struct member *member = &type->members[i];
        uint64_t first = member->bit / 8, end = (member->bit + member->bits + 7) / 8;
        if (member->is_flexible && first <= at)
            flexible = member; /* behind all others */
        else if (at >= first && at < end)
            return member;
        if (end <= at && end > *below)
            *below = end;
        if (first > at && first < *above)
            *above = first;
    }
    return flexible;
}

void type_piece(struct session *session, const struct type *type, uint64_t at, struct piece *piece) {
    piece->at = piece->len = 0;
    piece->path.len = piece->type.len = 0;
    piece->path.text[0] = piece->type.text[0] = '\0';
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        struct type *plain = (struct type *)(uintptr_t)strip(session, type);
        if (plain && plain->tag == DW_TAG_array_type) {
            const struct type *element = under(session, plain);
            uint64_t len = type_len(session, element), inner = 1;
            if (!len)
                break;
            uint64_t index = at / len;
            piece->at += index * len;
            at -= index * len;
            for (size_t i = 1; i < plain->dimensions; i++)
                if (__builtin_mul_overflow(inner, plain->counts[i], &inner))
                    inner = 0;
            for (size_t i = 0; i < plain->dimensions; i++) {
                words_number(&piece->path, "[", inner ? index / inner : 0, "]");
                index = inner ? index % inner : 0;
                if (i + 1 < plain->dimensions)
                    inner = plain->counts[i + 1] ? inner / plain->counts[i + 1] : 0;
            }
            type = element;
            continue;
        }
        if (!plain || !is_structure(plain->tag))
            break;
        read_members(session, plain);
        uint64_t below = 0, above = type_len(session, plain);
        if (above <= at)
            above = at + 1;
        const struct member *member = member_at(plain, at, &below, &above);
        if (!member) {
            words_add(&piece->path, " (padding)");
            piece->at += below;
            piece->len = above - below;
            return;
        }
        if (member->is_bitfield) {
            tell_bitfields(session, plain, at, piece);
            return;
        }
        add_name(piece, member->name);
        at -= member->bit / 8;
        piece->at += member->bit / 8;
        type = type_by_key(session, member->type, DEPTH_MAX);
    }
    piece->len = type_len(session, type);
    type_words(session, type, &piece->type);
}
