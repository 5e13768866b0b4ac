/* session.c - libdwarf over libelf. libdwarf has a reader of ELF files of its own; here it is handed the sections, so that there is
 * one judge of offsets and lengths (libelf), and no descriptor is needed. Compressed sections are unpacked here, because libelf does it
 * by changing the headers of the file, and the file is in memory that must not be written.
 *
 * Only the sections that variables, types and lines need are shown; location lists and unwinding can be larger than all others. */
#include "../ldr.h"
#include "parts.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct shown { const char *name; const void *bytes; uint64_t len; };

struct interface {
    Dwarf_Obj_Access_Interface dwarf;
    struct shown *sections; /* by section index; name NULL: not shown */
    size_t count;
};

static const char *const wanted[] = {
    ".debug_info", ".debug_abbrev", ".debug_str", ".debug_line", ".debug_line_str", ".debug_types", ".debug_aranges",
    ".debug_str_offsets", ".debug_addr", ".debug_rnglists", ".debug_ranges",
};

/* The name under which a section is shown, NULL: not. .zdebug_info is how compression was marked before SHF_COMPRESSED. */
static const char *shown_name(const char *name) {
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strcmp(name, wanted[i]) == 0 || (strncmp(name, ".z", 2) == 0 && strcmp(name + 2, wanted[i] + 1) == 0))
            return wanted[i];
    return NULL;
}

static int section_info(void *object, Dwarf_Half index, Dwarf_Obj_Access_Section *out, int *error) {
    const struct interface *interface = object;
    (void)error;
    if (index >= interface->count)
        return DW_DLV_NO_ENTRY;
    const struct shown *shown = &interface->sections[index];
    *out = (Dwarf_Obj_Access_Section){ .type = shown->name ? SHT_PROGBITS : SHT_NULL, .size = shown->len,
                                       .name = shown->name ? shown->name : "" };
    return DW_DLV_OK;
}
static Dwarf_Endianness byte_order(void *object) { (void)object; return DW_OBJECT_LSB; }
static Dwarf_Small eight(void *object) { (void)object; return 8; }
static Dwarf_Unsigned section_count(void *object) { return ((const struct interface *)object)->count; }
static int load_section(void *object, Dwarf_Half index, Dwarf_Small **bytes, int *error) {
    const struct interface *interface = object;
    (void)error;
    if (index >= interface->count || !interface->sections[index].name)
        return DW_DLV_NO_ENTRY;
    *bytes = (Dwarf_Small *)(uintptr_t)interface->sections[index].bytes;
    return DW_DLV_OK;
}

static const Dwarf_Obj_Access_Methods methods = {
    .get_section_info = section_info, .get_byte_order = byte_order, .get_length_size = eight, .get_pointer_size = eight,
    .get_section_count = section_count, .load_section = load_section,
};

/* Unpacks into new memory; false when the section does not hold what its header says. */
static bool unpack(const uint8_t *packed, size_t packed_len, uint64_t len, struct shown *shown) {
    /* deflate makes at most about a thousandth of its input: more is a lie, told before memory is asked for */
    if (len == 0 || len / 1032 > packed_len)
        return false;
    uint8_t *bytes = malloc(len);
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)packed, .next_out = bytes };
    if (!bytes || inflateInit(&stream) != Z_OK) {
        free(bytes);
        return false;
    }
    int status = Z_OK;
    while (status == Z_OK && stream.total_out < len) {
        uint64_t in = packed_len - stream.total_in, out = len - stream.total_out;
        stream.avail_in = in > 1u << 30 ? 1u << 30 : (uInt)in;
        stream.avail_out = out > 1u << 30 ? 1u << 30 : (uInt)out;
        status = inflate(&stream, Z_NO_FLUSH);
    }
    bool good = stream.total_out == len && (status == Z_OK || status == Z_STREAM_END);
    inflateEnd(&stream);
    if (!good) {
        free(bytes);
        return false;
    }
    *shown = (struct shown){ shown->name, bytes, len };
    return true;
}

/* The bytes of a section as the compiler wrote them. */
static bool take_section(Elf_Scn *section, const GElf_Shdr *header, bool old_compression, struct shown *shown) {
    Elf_Data *data = elf_rawdata(section, NULL);
    if (!data || !data->d_buf)
        return false;
    const uint8_t *bytes = data->d_buf;
    if (header->sh_flags & SHF_COMPRESSED) {
        Elf64_Chdr packed;
        if (data->d_size < sizeof packed)
            return false;
        memcpy(&packed, bytes, sizeof packed);
        return packed.ch_type == ELFCOMPRESS_ZLIB && unpack(bytes + sizeof packed, data->d_size - sizeof packed, packed.ch_size, shown);
    }
    enum { OLD_HEADER = 12 }; /* "ZLIB", then the length, high byte first */
    if (old_compression && data->d_size >= OLD_HEADER && memcmp(bytes, "ZLIB", 4) == 0) {
        uint64_t len = 0;
        for (int i = 4; i < OLD_HEADER; i++)
            len = len << 8 | bytes[i];
        return unpack(bytes + OLD_HEADER, data->d_size - OLD_HEADER, len, shown);
    }
    *shown = (struct shown){ shown->name, bytes, data->d_size };
    return true;
}

static struct interface *interface_make(const struct objfile *file, bool *packed) {
    struct interface *interface = must_alloc(1, sizeof *interface);
    size_t count = 0;
    if (elf_getshdrnum(file->elf, &count) != 0 || count > UINT16_MAX)
        count = 0;
    interface->dwarf = (Dwarf_Obj_Access_Interface){ interface, &methods };
    interface->sections = must_alloc(count, sizeof *interface->sections);
    interface->count = count;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(file->elf, section)); ) {
        GElf_Shdr header;
        size_t index = elf_ndxscn(section);
        const char *own, *name;
        if (index >= count || !gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS ||
            !(own = elf_strptr(file->elf, file->names, header.sh_name)) || !(name = shown_name(own)))
            continue;
        struct shown shown = { .name = name };
        if (take_section(section, &header, own[1] == 'z', &shown))
            interface->sections[index] = shown;
        else
            *packed |= header.sh_size != 0;
    }
    return interface;
}

static Dwarf_Debug start(struct interface *interface) {
    Dwarf_Debug dbg;
    Dwarf_Error error;
    return dwarf_object_init_b(&interface->dwarf, NULL, NULL, DW_GROUPNUMBER_ANY, &dbg, &error) == DW_DLV_OK ? dbg : NULL;
}

/* ---- DIEs ---- */

void die_drop(struct die *die) {
    if (die->at)
        dwarf_dealloc_die(die->at);
    die->at = NULL;
}

struct die die_child(struct die parent) {
    struct die child = { .dbg = parent.dbg, .info = parent.info };
    Dwarf_Error error;
    if (dwarf_child(parent.at, &child.at, &error) != DW_DLV_OK)
        child.at = NULL;
    return child;
}

struct die die_next(struct die die) {
    struct die next = { .dbg = die.dbg, .info = die.info };
    Dwarf_Error error;
    if (dwarf_siblingof_b(die.dbg, die.at, die.info, &next.at, &error) != DW_DLV_OK)
        next.at = NULL;
    die_drop(&die);
    return next;
}

static const struct typed *find_type(const struct session *session, const Dwarf_Sig8 *signature) {
    size_t low = 0, high = session->type_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(session->types[middle].signature, signature, sizeof session->types->signature);
        if (order == 0)
            return &session->types[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Offsets are unique in their section only: the two bits above tell which. */
enum { KEY_TYPES = 1, KEY_SHARED = 2, KEY_SHIFT = 62 };

uint64_t die_key(const struct session *session, struct die die) {
    uint64_t which = die.dbg == session->shared && session->shared ? KEY_SHARED : die.info ? 0 : KEY_TYPES;
    return die_offset(die) | which << KEY_SHIFT;
}

bool die_target(const struct session *session, struct die die, Dwarf_Half attribute, uint64_t *key) {
    Dwarf_Attribute attr;
    Dwarf_Error error;
    Dwarf_Half form;
    Dwarf_Off off = 0;
    if (!die.at || dwarf_attr(die.at, attribute, &attr, &error) != DW_DLV_OK)
        return false;
    if (dwarf_whatform(attr, &form, &error) != DW_DLV_OK)
        form = 0;
    uint64_t which = die.dbg == session->shared && session->shared ? KEY_SHARED : die.info ? 0 : KEY_TYPES;
    bool found = false;
    if (form == DW_FORM_ref_sig8) {
        Dwarf_Sig8 signature;
        const struct typed *type = dwarf_formsig8(attr, &signature, &error) == DW_DLV_OK ? find_type(session, &signature) : NULL;
        if (type) {
            off = type->off;
            which = type->info ? 0 : KEY_TYPES;
            found = true;
        }
    } else {
        found = dwarf_global_formref(attr, &off, &error) == DW_DLV_OK;
        if (form == DW_FORM_GNU_ref_alt || form == DW_FORM_ref_sup4 || form == DW_FORM_ref_sup8)
            which = KEY_SHARED;
        else if (form == DW_FORM_ref_addr && which == KEY_TYPES)
            which = 0; /* leads into .debug_info wherever it stands */
    }
    dwarf_dealloc_attribute(attr);
    *key = off | which << KEY_SHIFT;
    return found && off < UINT64_C(1) << KEY_SHIFT;
}

struct die die_by_key(const struct session *session, uint64_t key) {
    uint64_t which = key >> KEY_SHIFT;
    struct die die = { .dbg = which == KEY_SHARED ? session->shared : session->dbg, .info = which != KEY_TYPES };
    Dwarf_Error error;
    if (!die.dbg || dwarf_offdie_b(die.dbg, key & ((UINT64_C(1) << KEY_SHIFT) - 1), die.info, &die.at, &error) != DW_DLV_OK)
        die.at = NULL;
    return die;
}

struct die die_follow(const struct session *session, struct die die, Dwarf_Half attribute) {
    uint64_t key;
    return die_target(session, die, attribute, &key) ? die_by_key(session, key) : (struct die){ 0 };
}

const char *die_text_of(const struct session *session, struct die die, Dwarf_Half attribute) {
    static const Dwarf_Half links[] = { DW_AT_abstract_origin, DW_AT_specification };
    const char *text = die_text(die, attribute);
    struct die at = die;
    for (int steps = 0; !text && steps < 3; steps++) {
        struct die other = { 0 };
        for (size_t i = 0; i < sizeof links / sizeof *links && !other.at; i++)
            other = die_follow(session, at, links[i]);
        if (at.at != die.at)
            die_drop(&at);
        at = other;
        if (!at.at)
            return NULL;
        text = die_text(at, attribute);
    }
    if (at.at != die.at)
        die_drop(&at);
    return text;
}

Dwarf_Half die_tag(struct die die) {
    Dwarf_Half tag;
    Dwarf_Error error;
    return die.at && dwarf_tag(die.at, &tag, &error) == DW_DLV_OK ? tag : 0;
}

const char *die_text(struct die die, Dwarf_Half attribute) {
    char *text;
    Dwarf_Error error;
    return die.at && dwarf_die_text(die.at, attribute, &text, &error) == DW_DLV_OK ? text : NULL;
}

bool die_has(struct die die, Dwarf_Half attribute) {
    Dwarf_Bool there = 0;
    Dwarf_Error error;
    return die.at && dwarf_hasattr(die.at, attribute, &there, &error) == DW_DLV_OK && there;
}

bool unit_is_split(struct die unit) { return die_has(unit, DW_AT_dwo_name) || die_has(unit, DW_AT_GNU_dwo_name); }

bool die_number(struct die die, Dwarf_Half attribute, uint64_t *value) {
    Dwarf_Attribute attr;
    Dwarf_Error error;
    Dwarf_Unsigned number;
    Dwarf_Signed negative;
    if (!die.at || dwarf_attr(die.at, attribute, &attr, &error) != DW_DLV_OK)
        return false;
    bool found = true;
    if (dwarf_formudata(attr, &number, &error) == DW_DLV_OK)
        *value = number;
    else if (dwarf_formsdata(attr, &negative, &error) == DW_DLV_OK)
        *value = (uint64_t)negative;
    else
        found = false;
    dwarf_dealloc_attribute(attr);
    return found;
}

bool die_address(struct die die, uint64_t *vaddr) {
    enum { ADDRESS_LEN = 9 }; /* DW_OP_addr and eight bytes */
    Dwarf_Attribute attr;
    Dwarf_Error error;
    Dwarf_Half form;
    if (dwarf_attr(die.at, DW_AT_location, &attr, &error) != DW_DLV_OK)
        return false;
    bool found = false;
    const uint8_t *bytes = NULL;
    uint64_t len = 0;
    if (dwarf_whatform(attr, &form, &error) != DW_DLV_OK) {
        form = 0;
    } else if (form == DW_FORM_exprloc) {
        Dwarf_Unsigned expression_len;
        Dwarf_Ptr expression;
        if (dwarf_formexprloc(attr, &expression_len, &expression, &error) == DW_DLV_OK) {
            bytes = expression;
            len = expression_len;
        }
    } else if (form == DW_FORM_block1 || form == DW_FORM_block || form == DW_FORM_block2 || form == DW_FORM_block4) {
        Dwarf_Block *block;
        if (dwarf_formblock(attr, &block, &error) == DW_DLV_OK) {
            bytes = block->bl_data;
            len = block->bl_len;
        }
    }
    if (len == ADDRESS_LEN && bytes[0] == DW_OP_addr) {
        memcpy(vaddr, bytes + 1, sizeof *vaddr);
        found = true;
    } else if (len > 1 && len <= 1 + 10 && (bytes[0] == DW_OP_addrx || bytes[0] == DW_OP_GNU_addr_index)) {
        uint64_t index = 0;
        for (uint64_t i = 1, shift = 0; i < len && shift < 63; i++, shift += 7)
            index |= (uint64_t)(bytes[i] & 0x7f) << shift;
        Dwarf_Addr address;
        if (dwarf_debug_addr_index_to_addr(die.at, index, &address, &error) == DW_DLV_OK) {
            *vaddr = address;
            found = true;
        }
    }
    dwarf_dealloc_attribute(attr);
    return found;
}

uint64_t die_offset(struct die die) {
    Dwarf_Off off = 0;
    Dwarf_Error error;
    return die.at && dwarf_dieoffset(die.at, &off, &error) == DW_DLV_OK ? off : 0;
}

struct die session_next_unit(struct session *session) {
    struct die unit = { .dbg = session->dbg, .info = true };
    Dwarf_Error error;
    if (session->next_unit == session->unit_count) {
        session->next_unit = 0;
        return unit;
    }
    uint64_t language = 0;
    if (dwarf_offdie_b(session->dbg, session->units[session->next_unit++], 1, &unit.at, &error) != DW_DLV_OK)
        return session_next_unit(session);
    Dwarf_Addr low;
    session->unit_low = dwarf_lowpc(unit.at, &low, &error) == DW_DLV_OK ? low : 0;
    die_number(unit, DW_AT_language, &language);
    session->cplusplus = language == DW_LANG_C_plus_plus || language == DW_LANG_C_plus_plus_03 ||
                         language == DW_LANG_C_plus_plus_11 || language == DW_LANG_C_plus_plus_14;
    return unit;
}

/* Reads all unit headers: the units to walk, and the types that have a unit of their own and a signature for a name. */
static void read_units(struct session *session, bool info) {
    Dwarf_Unsigned header_len, type_off, next = 0;
    Dwarf_Half version, address_len, offset_len, extension_len, kind;
    Dwarf_Off abbrev, at = 0, die_at;
    Dwarf_Sig8 signature;
    Dwarf_Error error;
    Dwarf_Die die;
    /* an error in one header leaves no way to the next */
    for (; dwarf_next_cu_header_d(session->dbg, info, &header_len, &version, &abbrev, &address_len, &offset_len, &extension_len,
                                  &signature, &type_off, &next, &kind, &error) == DW_DLV_OK; at = next) {
        if (next <= at)
            return;
        if (kind == DW_UT_type || !info) {
            session->types = must_grow(session->types, session->type_count + 1, sizeof *session->types);
            struct typed *type = &session->types[session->type_count++];
            memcpy(type->signature, &signature, sizeof type->signature);
            type->off = at + type_off;
            type->info = info;
            continue;
        }
        if (dwarf_siblingof_b(session->dbg, NULL, info, &die, &error) != DW_DLV_OK)
            continue;
        if (dwarf_dieoffset(die, &die_at, &error) == DW_DLV_OK) {
            session->units = must_grow(session->units, session->unit_count + 1, sizeof *session->units);
            session->units[session->unit_count++] = die_at;
        }
        dwarf_dealloc_die(die);
    }
}

static int compare_types(const void *a, const void *b) {
    return memcmp(((const struct typed *)a)->signature, ((const struct typed *)b)->signature, sizeof ((struct typed *)0)->signature);
}

bool session_start(struct session *session, const struct objfile *file, const struct objfile *shared) {
    *session = (struct session){ 0 };
    /* libdwarf keeps a tree of all it hands out, to free it at the end; this process ends instead */
    dwarf_set_de_alloc_flag(0);
    session->interfaces[0] = interface_make(file, &session->packed);
    session->dbg = start(session->interfaces[0]);
    if (!session->dbg)
        return false;
    if (shared && shared->elf) {
        Dwarf_Error error;
        session->interfaces[1] = interface_make(shared, &session->packed);
        session->shared = start(session->interfaces[1]);
        if (session->shared)
            dwarf_set_tied_dbg(session->dbg, session->shared, &error);
    }
    read_units(session, true);
    read_units(session, false);
    if (session->type_count > 1)
        qsort(session->types, session->type_count, sizeof *session->types, compare_types);
    return true;
}
