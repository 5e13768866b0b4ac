/* types.c - types of DWARF as C text, their lengths, and which member lies at an offset.
 *
 * Types of hostile files refer to themselves: every walk is bounded in depth, every text in length. */
#include "../ldr.h"
#include "parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 24, MEMBERS_MAX = 100000 };

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

/* ---- what a type stands for ---- */

static bool is_qualifier(Dwarf_Half tag) {
    return tag == DW_TAG_const_type || tag == DW_TAG_volatile_type || tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

/* The DIE of the type itself: qualifiers and typedefs taken off. The result is to be dropped; TYPE is not. */
static struct die strip(const struct session *session, struct die type) {
    struct die at = type;
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        Dwarf_Half tag = die_tag(at);
        if (!is_qualifier(tag) && tag != DW_TAG_typedef)
            return at;
        struct die under = die_follow(session, at, DW_AT_type);
        if (at.at != type.at)
            die_drop(&at);
        at = under;
        if (!at.at)
            return at;
    }
    if (at.at != type.at)
        die_drop(&at);
    return (struct die){ 0 };
}

static void drop_unless(struct die *die, struct die kept) {
    if (die->at != kept.at)
        die_drop(die);
}

/* Elements in one dimension; false for one without bound. */
static bool dimension_count(struct die range, uint64_t *count) {
    uint64_t upper, lower = 0;
    if (die_number(range, DW_AT_count, count))
        return true;
    if (!die_number(range, DW_AT_upper_bound, &upper) || upper == UINT64_MAX)
        return false;
    die_number(range, DW_AT_lower_bound, &lower);
    if (upper < lower)
        return false;
    *count = upper - lower + 1;
    return true;
}

enum { DIMENSIONS_MAX = 8 };

/* Dimensions of an array; an unknown one counts 0. Their number. */
static size_t array_dimensions(struct die array, uint64_t counts[DIMENSIONS_MAX]) {
    size_t dimensions = 0;
    for (struct die range = die_child(array); range.at; range = die_next(range)) {
        if (die_tag(range) != DW_TAG_subrange_type)
            continue;
        if (dimensions == DIMENSIONS_MAX) {
            die_drop(&range);
            break;
        }
        uint64_t count = 0;
        counts[dimensions++] = dimension_count(range, &count) ? count : 0;
    }
    return dimensions;
}

static uint64_t len_at_depth(const struct session *session, struct die type, int depth) {
    uint64_t len = 0;
    if (!type.at || depth == 0)
        return 0;
    if (die_number(type, DW_AT_byte_size, &len))
        return len;
    switch (die_tag(type)) {
    case DW_TAG_pointer_type: case DW_TAG_reference_type: case DW_TAG_rvalue_reference_type:
        return 8;
    case DW_TAG_const_type: case DW_TAG_volatile_type: case DW_TAG_restrict_type: case DW_TAG_atomic_type:
    case DW_TAG_typedef: case DW_TAG_enumeration_type: case DW_TAG_array_type: {
        struct die under = die_follow(session, type, DW_AT_type);
        len = len_at_depth(session, under, depth - 1);
        die_drop(&under);
        if (die_tag(type) == DW_TAG_array_type) {
            uint64_t counts[DIMENSIONS_MAX];
            size_t dimensions = array_dimensions(type, counts);
            for (size_t i = 0; i < dimensions; i++)
                if (__builtin_mul_overflow(len, counts[i], &len))
                    return 0;
        }
        return len;
    }
    case DW_TAG_ptr_to_member_type: return 8;
    default: return 0;
    }
}

uint64_t type_len(const struct session *session, struct die type) { return len_at_depth(session, type, DEPTH_MAX); }

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

static void declare(const struct session *session, struct die type, const struct words *declarator, int depth, struct words *words);

static void add_parameters(const struct session *session, struct die function, int depth, struct words *words) {
    static const struct words none;
    size_t count = 0;
    words_add(words, "(");
    for (struct die child = die_child(function); child.at; child = die_next(child)) {
        Dwarf_Half tag = die_tag(child);
        if (tag != DW_TAG_formal_parameter && tag != DW_TAG_unspecified_parameters)
            continue;
        if (count++)
            words_add(words, ", ");
        if (tag == DW_TAG_unspecified_parameters) {
            words_add(words, "...");
            continue;
        }
        struct die type = die_follow(session, child, DW_AT_type);
        declare(session, type, &none, depth, words);
        die_drop(&type);
        if (words->len == sizeof words->text - 1) { /* full: nothing more is seen */
            die_drop(&child);
            break;
        }
    }
    words_add(words, count || session->cplusplus ? ")" : "void)");
}

static void declare_pointer(const struct session *session, struct die type, const char *mark, const struct words *declarator,
                            int depth, struct words *words) {
    struct die under = die_follow(session, type, DW_AT_type), plain = under;
    Dwarf_Half tag = die_tag(plain);
    bool brackets = tag == DW_TAG_array_type || tag == DW_TAG_subroutine_type;
    struct words inner = { .len = 0 };
    words_add(&inner, brackets ? "(" : "");
    words_add(&inner, mark);
    words_add(&inner, declarator->text);
    words_add(&inner, brackets ? ")" : "");
    declare(session, under, &inner, depth, words);
    die_drop(&under);
}

/* The qualifiers of a type stand for a set: written in one order, whatever the order of their DIEs. */
static void declare_qualified(const struct session *session, struct die type, const struct words *declarator, int depth,
                              struct words *words) {
    static const struct { Dwarf_Half tag; const char *word; } order[] = {
        { DW_TAG_const_type, "const" }, { DW_TAG_volatile_type, "volatile" }, { DW_TAG_restrict_type, "restrict" },
        { DW_TAG_atomic_type, "_Atomic" } };
    bool found[sizeof order / sizeof *order] = { false };
    struct die under = type;
    for (int steps = 0; steps < DEPTH_MAX && is_qualifier(die_tag(under)); steps++) {
        for (size_t i = 0; i < sizeof order / sizeof *order; i++)
            found[i] |= die_tag(under) == order[i].tag;
        struct die next = die_follow(session, under, DW_AT_type);
        drop_unless(&under, type);
        under = next;
    }
    bool behind = is_pointer(die_tag(under)); /* T *const d */
    struct words inner = { .len = 0 };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (!found[i])
            continue;
        words_add(behind ? &inner : words, order[i].word);
        if (!behind || declarator->len || inner.len)
            words_add(behind ? &inner : words, " ");
    }
    if (behind && !declarator->len && inner.len && inner.text[inner.len - 1] == ' ')
        inner.text[--inner.len] = '\0';
    words_add(&inner, declarator->text);
    declare(session, under, &inner, depth, words);
    drop_unless(&under, type);
}

static void declare_tagged(const struct session *session, struct die type, const char *keyword, const struct words *declarator,
                           struct words *words) {
    const char *name = die_text(type, DW_AT_name);
    if (!session->cplusplus || !name) {
        words_add(words, keyword);
        words_add(words, " ");
    }
    words_add(words, name ? name : "{...}");
    end_with(words, declarator);
}

static void declare(const struct session *session, struct die type, const struct words *declarator, int depth, struct words *words) {
    const char *name = die_text(type, DW_AT_name);
    if (depth == 0) {
        words_add(words, "...");
        return;
    }
    switch (die_tag(type)) {
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
        struct die class = die_follow(session, type, DW_AT_containing_type);
        const char *class_name = die_text(class, DW_AT_name);
        struct words mark = { .len = 0 };
        words_add(&mark, class_name ? class_name : "?");
        words_add(&mark, "::*");
        declare_pointer(session, type, mark.text, declarator, depth - 1, words);
        die_drop(&class);
        return;
    }
    case DW_TAG_array_type: {
        uint64_t counts[DIMENSIONS_MAX];
        size_t dimensions = array_dimensions(type, counts);
        struct words inner = *declarator;
        for (size_t i = 0; i < dimensions; i++) {
            if (counts[i])
                words_number(&inner, "[", counts[i], "]");
            else
                words_add(&inner, "[]");
        }
        struct die element = die_follow(session, type, DW_AT_type);
        declare(session, element, &inner, depth - 1, words);
        die_drop(&element);
        return;
    }
    case DW_TAG_subroutine_type: {
        struct words inner = *declarator;
        add_parameters(session, type, depth - 1, &inner);
        struct die result = die_follow(session, type, DW_AT_type);
        declare(session, result, &inner, depth - 1, words);
        die_drop(&result);
        return;
    }
    case DW_TAG_structure_type: declare_tagged(session, type, "struct", declarator, words); return;
    case DW_TAG_class_type: declare_tagged(session, type, "class", declarator, words); return;
    case DW_TAG_union_type: declare_tagged(session, type, "union", declarator, words); return;
    case DW_TAG_enumeration_type: declare_tagged(session, type, "enum", declarator, words); return;
    default:
        words_add(words, name ? name : "?");
        end_with(words, declarator);
    }
}

void type_words(const struct session *session, struct die type, struct words *words) {
    static const struct words none;
    declare(session, type, &none, DEPTH_MAX, words);
}

/* ---- members ---- */

/* Where a member of a structure lies, in bits from its start; a union's all at 0. */
struct extent { uint64_t bit, bits; bool is_bitfield; };

static bool member_extent(const struct session *session, struct die member, struct die type, struct extent *extent) {
    uint64_t byte = 0, width, within, unit, len = type_len(session, type);
    if (die_has(member, DW_AT_data_member_location) && !die_number(member, DW_AT_data_member_location, &byte))
        return false; /* an expression: virtual bases */
    extent->is_bitfield = die_number(member, DW_AT_bit_size, &width);
    if (byte > UINT64_MAX / 16 || len > UINT64_MAX / 16)
        return false;
    if (!extent->is_bitfield) {
        *extent = (struct extent){ byte * 8, len * 8, false };
        return len > 0;
    }
    extent->bits = width;
    if (die_number(member, DW_AT_data_bit_offset, &extent->bit))
        return extent->bit < UINT64_MAX / 4 && width > 0 && width <= 1024;
    /* DWARF 2 and 3 count from the high end of the storage unit */
    if (!die_number(member, DW_AT_bit_offset, &within))
        within = 0;
    if (!die_number(member, DW_AT_byte_size, &unit))
        unit = len;
    if (unit > 16 || within > 128 || width > 128 || unit * 8 < within + width)
        return false;
    extent->bit = byte * 8 + unit * 8 - within - width;
    return width > 0;
}

/* Goes into a member that begins FIRST bytes from the start of *type. */
static void descend(struct die *type, struct die whole, struct die into, const char *name, uint64_t first, uint64_t *at,
                    struct piece *piece) {
    if (name) {
        words_add(&piece->path, ".");
        words_add(&piece->path, name);
    }
    *at -= first;
    piece->at += first;
    drop_unless(type, whole);
    *type = into;
}

/* One level down from a structure or union: the member at *at becomes *type, *at counts from it. False when that is no
 * member's byte, and PIECE says which bytes are nobody's, or several bit-fields'. */
static bool enter_member(const struct session *session, struct die *type, struct die whole, uint64_t *at, struct piece *piece) {
    uint64_t below = 0, above = type_len(session, *type);
    struct words fields = { .len = 0 };
    size_t field_count = 0, seen = 0;
    struct { struct die type; const char *name; uint64_t first; } flexible = { .first = 0 }; /* char data[]; as the last member */
    if (above <= *at || above > UINT64_MAX / 16)
        above = *at + 1;
    for (struct die member = die_child(*type); member.at && seen < MEMBERS_MAX; seen++, member = die_next(member)) {
        Dwarf_Half tag = die_tag(member);
        if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || die_has(member, DW_AT_external) || die_has(member, DW_AT_declaration))
            continue;
        struct die own = die_follow(session, member, DW_AT_type);
        struct extent extent = { 0 };
        if (!own.at || !member_extent(session, member, own, &extent)) {
            if (own.at && extent.bits == 0 && extent.bit / 8 <= *at && die_tag(own) == DW_TAG_array_type) {
                die_drop(&flexible.type);
                flexible.type = own;
                flexible.name = die_text(member, DW_AT_name);
                flexible.first = extent.bit / 8;
            } else {
                die_drop(&own);
            }
            continue;
        }
        uint64_t first = extent.bit / 8, end = (extent.bit + extent.bits + 7) / 8;
        const char *name = die_text(member, DW_AT_name);
        if (*at < first || *at >= end) {
            if (end <= *at && end > below)
                below = end;
            if (first > *at && first < above)
                above = first;
            die_drop(&own);
            continue;
        }
        if (extent.is_bitfield) {
            words_add(&fields, field_count++ ? ", " : "");
            words_add(&fields, name ? name : "?");
            if (field_count == 1)
                type_words(session, own, &piece->type);
            die_drop(&own);
            continue;
        }
        descend(type, whole, own, name, first, at, piece);
        die_drop(&member);
        die_drop(&flexible.type);
        return true;
    }
    if (!field_count && flexible.type.at) {
        descend(type, whole, flexible.type, flexible.name, flexible.first, at, piece);
        return true;
    }
    die_drop(&flexible.type);
    if (field_count) {
        words_add(&piece->path, field_count > 1 ? ".{" : ".");
        words_add(&piece->path, fields.text);
        words_add(&piece->path, field_count > 1 ? "}" : "");
        piece->at += *at;
        piece->len = 1;
    } else {
        words_add(&piece->path, " (padding)");
        piece->at += below;
        piece->len = above - below;
    }
    return false;
}

void type_piece(const struct session *session, struct die whole, uint64_t at, struct piece *piece) {
    struct die type = whole;
    piece->at = piece->len = 0;
    piece->path.len = piece->type.len = 0;
    piece->path.text[0] = piece->type.text[0] = '\0';
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        struct die plain = strip(session, type);
        Dwarf_Half tag = die_tag(plain);
        if (tag == DW_TAG_array_type) {
            uint64_t counts[DIMENSIONS_MAX], len, inner = 1;
            size_t dimensions = array_dimensions(plain, counts);
            struct die element = die_follow(session, plain, DW_AT_type);
            len = type_len(session, element);
            if (!len) {
                die_drop(&element);
                drop_unless(&plain, type);
                break;
            }
            uint64_t index = at / len;
            piece->at += index * len;
            at -= index * len;
            for (size_t i = 1; i < dimensions; i++)
                if (__builtin_mul_overflow(inner, counts[i], &inner))
                    inner = 0;
            for (size_t i = 0; i < dimensions; i++) {
                words_number(&piece->path, "[", inner ? index / inner : 0, "]");
                index = inner ? index % inner : 0;
                if (i + 1 < dimensions)
                    inner = counts[i + 1] ? inner / counts[i + 1] : 0;
            }
            drop_unless(&plain, type);
            drop_unless(&type, whole);
            type = element;
            continue;
        }
        if (tag != DW_TAG_structure_type && tag != DW_TAG_class_type && tag != DW_TAG_union_type) {
            drop_unless(&plain, type);
            break;
        }
        if (plain.at != type.at) {
            drop_unless(&type, whole);
            type = plain;
        }
        if (!enter_member(session, &type, whole, &at, piece)) {
            drop_unless(&type, whole);
            return;
        }
    }
    piece->len = type_len(session, type);
    type_words(session, type, &piece->type);
    drop_unless(&type, whole);
}
