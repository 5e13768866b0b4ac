/* types.c - see types.h. libdwarf reads DWARF 4 and 5, compressed sections too.
 *
 * A structure is defined once in every compilation unit that uses it and merely declared in others; the definitions
 * must agree in size, otherwise the answer would depend on the order of units, which is refused. Members hidden in
 * anonymous unions (l_gnu_buckets) are found by descending into every unnamed member. Bit-fields come in two
 * dialects: DWARF 5 gives the bit from the start of the structure, DWARF 4 the distance from the *high* end of the
 * storage unit.
 */
#include "types.h"

#include <dwarf.h>
#include <fcntl.h>
#include <libdwarf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct types {
    int fd;
    Dwarf_Debug dbg;
    Dwarf_Off *units; /* offsets of the unit DIEs */
    size_t unit_count;
    struct known { /* structures already found: each search walks every unit */
        char name[64];
        Dwarf_Off off;
    } known[64];
    size_t known_count;
};

static bool say(char why[256], const char *form, const char *a, const char *b)
{
    snprintf(why, 256, form, a, b);
    return false;
}

/* ---- attributes ---- */

static bool attr_number(struct types *types, Dwarf_Die die, Dwarf_Half name, uint64_t *value)
{
    Dwarf_Attribute attr;
    Dwarf_Error error;
    Dwarf_Unsigned u;
    Dwarf_Signed s;
    bool found = true;
    (void)types;
    if (dwarf_attr(die, name, &attr, &error) != DW_DLV_OK)
        return false;
    if (dwarf_formudata(attr, &u, &error) == DW_DLV_OK)
        *value = u;
    else if (dwarf_formsdata(attr, &s, &error) == DW_DLV_OK)
        *value = (uint64_t)s;
    else
        found = false;
    dwarf_dealloc_attribute(attr);
    return found;
}

static bool has_flag(Dwarf_Die die, Dwarf_Half name)
{
    Dwarf_Bool there = 0;
    Dwarf_Error error;
    return dwarf_hasattr(die, name, &there, &error) == DW_DLV_OK && there;
}

/* The DIE a DW_AT_type, specification or abstract origin points to; the form decides whether the number is local to
 * the unit, libdwarf makes it global. */
static bool attr_die(struct types *types, Dwarf_Die die, Dwarf_Half name, Dwarf_Die *target)
{
    Dwarf_Attribute attr;
    Dwarf_Error error;
    Dwarf_Off off;
    bool found;
    if (dwarf_attr(die, name, &attr, &error) != DW_DLV_OK)
        return false;
    found = dwarf_global_formref(attr, &off, &error) == DW_DLV_OK &&
            dwarf_offdie_b(types->dbg, off, 1, target, &error) == DW_DLV_OK;
    dwarf_dealloc_attribute(attr);
    return found;
}

static bool name_is(Dwarf_Die die, const char *name)
{
    char *own;
    Dwarf_Error error;
    return dwarf_diename(die, &own, &error) == DW_DLV_OK && strcmp(own, name) == 0;
}

static bool is_unnamed(Dwarf_Die die)
{
    char *own;
    Dwarf_Error error;
    return dwarf_diename(die, &own, &error) != DW_DLV_OK;
}

static Dwarf_Half tag_of(Dwarf_Die die)
{
    Dwarf_Half tag = 0;
    Dwarf_Error error;
    return dwarf_tag(die, &tag, &error) == DW_DLV_OK ? tag : 0;
}

static Dwarf_Die first_child(Dwarf_Die die)
{
    Dwarf_Die child;
    Dwarf_Error error;
    return dwarf_child(die, &child, &error) == DW_DLV_OK ? child : NULL;
}

/* Next sibling; the given DIE is given back, so a loop holds one at a time. */
static Dwarf_Die next_sibling(struct types *types, Dwarf_Die die)
{
    Dwarf_Die next;
    Dwarf_Error error;
    int answer = dwarf_siblingof_b(types->dbg, die, 1, &next, &error);
    dwarf_dealloc_die(die);
    return answer == DW_DLV_OK ? next : NULL;
}

/* ---- types ---- */

/* Replaces *type by what typedef, const, volatile and atomic stand for. */
static void strip(struct types *types, Dwarf_Die *type)
{
    for (;;) {
        Dwarf_Half tag = tag_of(*type);
        Dwarf_Die under;
        if (tag != DW_TAG_typedef && tag != DW_TAG_const_type && tag != DW_TAG_volatile_type &&
            tag != DW_TAG_atomic_type)
            return;
        if (!attr_die(types, *type, DW_AT_type, &under))
            return; /* const void */
        dwarf_dealloc_die(*type);
        *type = under;
    }
}

static uint64_t type_size(struct types *types, Dwarf_Die type);

/* Elements of the first dimension (0 when unbounded) and bytes of one such element. Returns false for a non-array. */
static bool array_shape(struct types *types, Dwarf_Die type, uint64_t *count, uint64_t *stride)
{
    Dwarf_Die element, dimension;
    uint64_t inner = 1, bound;
    unsigned seen = 0;
    if (tag_of(type) != DW_TAG_array_type || !attr_die(types, type, DW_AT_type, &element))
        return false;
    *count = 0;
    for (dimension = first_child(type); dimension; dimension = next_sibling(types, dimension)) {
        uint64_t n = 0;
        if (tag_of(dimension) != DW_TAG_subrange_type)
            continue;
        if (attr_number(types, dimension, DW_AT_count, &bound))
            n = bound;
        else if (attr_number(types, dimension, DW_AT_upper_bound, &bound))
            n = bound + 1;
        if (seen++ == 0)
            *count = n;
        else
            inner *= n;
    }
    *stride = inner * type_size(types, element);
    dwarf_dealloc_die(element);
    return true;
}

static uint64_t type_size(struct types *types, Dwarf_Die type)
{
    uint64_t size = 0, count, stride;
    Dwarf_Die under;
    if (attr_number(types, type, DW_AT_byte_size, &size))
        return size;
    if (array_shape(types, type, &count, &stride))
        return count * stride;
    switch (tag_of(type)) {
    case DW_TAG_pointer_type:
        return 8;
    case DW_TAG_typedef:
    case DW_TAG_const_type:
    case DW_TAG_volatile_type:
    case DW_TAG_atomic_type:
        if (attr_die(types, type, DW_AT_type, &under)) {
            size = type_size(types, under);
            dwarf_dealloc_die(under);
        }
        return size;
    default:
        return 0;
    }
}

/* Where a member starts, in bits from its structure. */
static bool member_bit(struct types *types, Dwarf_Die member, uint64_t *bit, int *is_bitfield)
{
    uint64_t byte = 0, within, width, unit = 0;
    bool has_width = attr_number(types, member, DW_AT_bit_size, &width);
    *is_bitfield = has_width;
    if (has_width && attr_number(types, member, DW_AT_data_bit_offset, bit))
        return true;
    if (has_flag(member, DW_AT_data_member_location) &&
        !attr_number(types, member, DW_AT_data_member_location, &byte))
        return false; /* a location expression: DWARF 2, not written by any compiler we meet */
    *bit = byte * 8;
    if (!has_width || !attr_number(types, member, DW_AT_bit_offset, &within))
        return true;
    if (!attr_number(types, member, DW_AT_byte_size, &unit)) {
        Dwarf_Die type;
        if (!attr_die(types, member, DW_AT_type, &type))
            return false;
        unit = type_size(types, type);
        dwarf_dealloc_die(type);
    }
    if (unit * 8 < within + width)
        return false;
    *bit += unit * 8 - within - width;
    return true;
}

/* Finds `name` among the members of a structure or union, descending into unnamed ones. On success *bit is advanced
 * and *type is the member's stripped type (owned by the caller). */
static bool find_member(struct types *types, Dwarf_Die structure, const char *name, uint64_t *bit, Dwarf_Die *type,
                        int *is_bitfield)
{
    Dwarf_Die member;
    for (member = first_child(structure); member; member = next_sibling(types, member)) {
        uint64_t own = 0;
        Dwarf_Die under;
        bool found = false;
        if (tag_of(member) != DW_TAG_member || !member_bit(types, member, &own, is_bitfield) ||
            !attr_die(types, member, DW_AT_type, &under))
            continue;
        strip(types, &under);
        if (name_is(member, name)) {
            *bit += own;
            *type = under;
            dwarf_dealloc_die(member);
            return true;
        }
        if (is_unnamed(member)) {
            uint64_t at = *bit + own;
            found = find_member(types, under, name, &at, type, is_bitfield);
            if (found)
                *bit = at;
        }
        dwarf_dealloc_die(under);
        if (found) {
            dwarf_dealloc_die(member);
            return true;
        }
    }
    return false;
}

/* ---- top level ---- */

struct wanted {
    const char *name;
    bool is_variable;
};

static bool is_wanted(Dwarf_Die die, const struct wanted *wanted)
{
    Dwarf_Half tag = tag_of(die);
    if (wanted->is_variable ? tag != DW_TAG_variable
                            : tag != DW_TAG_structure_type && tag != DW_TAG_union_type && tag != DW_TAG_typedef)
        return false;
    return !has_flag(die, DW_AT_declaration) && name_is(die, wanted->name);
}

static void remember(struct types *types, const struct wanted *wanted, Dwarf_Die die)
{
    struct known *known = &types->known[types->known_count];
    Dwarf_Error error;
    if (types->known_count < sizeof types->known / sizeof types->known[0] &&
        (size_t)snprintf(known->name, sizeof known->name, "%s%s", wanted->is_variable ? ":" : "", wanted->name) <
            sizeof known->name &&
        dwarf_dieoffset(die, &known->off, &error) == DW_DLV_OK)
        types->known_count++;
}

static bool recall(struct types *types, const struct wanted *wanted, Dwarf_Die *found)
{
    Dwarf_Error error;
    for (size_t i = 0; i < types->known_count; i++) {
        const struct known *known = &types->known[i];
        if ((known->name[0] == ':') == wanted->is_variable && strcmp(known->name + wanted->is_variable, wanted->name) == 0)
            return dwarf_offdie_b(types->dbg, known->off, 1, found, &error) == DW_DLV_OK;
    }
    return false;
}

/* Looks at the top level of every unit. All complete definitions must have one size. */
static enum types_answer find_structure(struct types *types, const struct wanted *wanted, Dwarf_Die *found,
                                        char why[256])
{
    uint64_t size = 0;
    size_t i;
    if (recall(types, wanted, found))
        return TYPES_FOUND;
    *found = NULL;
    for (i = 0; i < types->unit_count; i++) {
        Dwarf_Die unit, die;
        Dwarf_Error error;
        if (dwarf_offdie_b(types->dbg, types->units[i], 1, &unit, &error) != DW_DLV_OK) {
            say(why, "unit of %s unreadable%s", wanted->name, "");
            return TYPES_BROKEN;
        }
        for (die = first_child(unit); die; die = next_sibling(types, die)) {
            Dwarf_Die type;
            uint64_t this_size;
            if (!is_wanted(die, wanted))
                continue;
            if (!wanted->is_variable) {
                Dwarf_Off off;
                if (dwarf_dieoffset(die, &off, &error) != DW_DLV_OK ||
                    dwarf_offdie_b(types->dbg, off, 1, &type, &error) != DW_DLV_OK)
                    continue;
            } else if (!attr_die(types, die, DW_AT_type, &type)) {
                continue;
            }
            strip(types, &type);
            this_size = type_size(types, type);
            if (*found && this_size != size) {
                snprintf(why, 256, "%s is defined with %llu bytes and with %llu bytes", wanted->name,
                         (unsigned long long)size, (unsigned long long)this_size);
                dwarf_dealloc_die(type);
                dwarf_dealloc_die(die);
                dwarf_dealloc_die(unit);
                return TYPES_BROKEN;
            }
            if (*found || this_size == 0) {
                dwarf_dealloc_die(type);
            } else {
                *found = type;
                size = this_size;
            }
        }
        dwarf_dealloc_die(unit);
    }
    if (*found) {
        remember(types, wanted, *found);
        return TYPES_FOUND;
    }
    say(why, "no complete definition of %s%s", wanted->name, "");
    return TYPES_NO_STRUCTURE;
}

/* One step of a path: "name", "name[3]" or "[3]". Returns the rest of the path, or NULL when it is malformed. */
static const char *next_step(const char *path, char name[128], bool *has_index, uint64_t *index)
{
    size_t n = strcspn(path, ".[");
    char *end;
    if (n >= 128)
        return NULL;
    memcpy(name, path, n);
    name[n] = 0;
    path += n;
    *has_index = *path == '[';
    if (*has_index) {
        *index = strtoull(path + 1, &end, 10);
        if (end == path + 1 || *end != ']')
            return NULL;
        path = end + 1;
    }
    if (*path == '.')
        path++;
    else if (*path)
        return NULL;
    return path;
}

enum types_answer types_find(struct types *types, const char *structure, const char *path, struct place *place,
                             char why[256])
{
    struct wanted wanted = { structure, structure[0] == ':' };
    struct place at = { 0, 0, 0, 0, 0 };
    const char *rest = path;
    enum types_answer answer;
    Dwarf_Die type;
    wanted.name += wanted.is_variable;
    answer = find_structure(types, &wanted, &type, why);
    if (answer != TYPES_FOUND)
        return answer;
    while (*rest) {
        char name[128];
        bool has_index;
        uint64_t index = 0;
        Dwarf_Die inner;
        rest = next_step(rest, name, &has_index, &index);
        if (!rest) {
            say(why, "path \"%s\" of %s is malformed", path, structure);
            answer = TYPES_BROKEN;
            break;
        }
        if (name[0]) {
            if (!find_member(types, type, name, &at.bit, &inner, &at.is_bitfield)) {
                say(why, "%s has no member %s", structure, path);
                answer = TYPES_NO_MEMBER;
                break;
            }
            dwarf_dealloc_die(type);
            type = inner;
        }
        if (has_index) {
            if (!array_shape(types, type, &at.count, &at.stride) || (at.count && index >= at.count) ||
                !attr_die(types, type, DW_AT_type, &inner)) {
                say(why, "%s.%s has no such element", structure, path);
                answer = TYPES_NO_MEMBER;
                break;
            }
            at.bit += index * at.stride * 8;
            dwarf_dealloc_die(type);
            type = inner;
            strip(types, &type);
        }
    }
    if (answer == TYPES_FOUND) {
        at.count = at.stride = 0;
        array_shape(types, type, &at.count, &at.stride);
        at.size = type_size(types, type);
        *place = at;
    }
    dwarf_dealloc_die(type);
    return answer;
}

/* ---- the file ---- */

static bool collect_units(struct types *types)
{
    for (;;) {
        Dwarf_Unsigned length, type_off, next;
        Dwarf_Half version, address_size, length_size, extension_size, unit_type;
        Dwarf_Off abbrev, off, *grown;
        Dwarf_Sig8 signature;
        Dwarf_Error error;
        Dwarf_Die unit;
        int answer = dwarf_next_cu_header_d(types->dbg, 1, &length, &version, &abbrev, &address_size, &length_size,
                                            &extension_size, &signature, &type_off, &next, &unit_type, &error);
        if (answer == DW_DLV_NO_ENTRY)
            return types->unit_count != 0;
        if (answer != DW_DLV_OK || dwarf_siblingof_b(types->dbg, NULL, 1, &unit, &error) != DW_DLV_OK)
            return false;
        answer = dwarf_dieoffset(unit, &off, &error);
        dwarf_dealloc_die(unit);
        grown = realloc(types->units, (types->unit_count + 1) * sizeof *grown);
        if (answer != DW_DLV_OK || !grown)
            return false;
        types->units = grown;
        types->units[types->unit_count++] = off;
    }
}

struct types *types_open(const char *path, char why[256])
{
    struct types *types = calloc(1, sizeof *types);
    Dwarf_Error error;
    if (!types)
        return say(why, "%s: no memory%s", path, ""), NULL;
    types->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (types->fd < 0) {
        say(why, "%s: cannot open%s", path, "");
        free(types);
        return NULL;
    }
    if (dwarf_init_b(types->fd, DW_DLC_READ, DW_GROUPNUMBER_ANY, NULL, NULL, &types->dbg, &error) != DW_DLV_OK) {
        say(why, "%s: no DWARF debug info%s", path, "");
        close(types->fd);
        free(types);
        return NULL;
    }
    if (!collect_units(types)) {
        say(why, "%s: unreadable compilation units%s", path, "");
        types_close(types);
        return NULL;
    }
    return types;
}

void types_close(struct types *types)
{
    Dwarf_Error error;
    if (!types)
        return;
    dwarf_finish(types->dbg, &error);
    close(types->fd);
    free(types->units);
    free(types);
}
