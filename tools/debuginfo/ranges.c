/* ranges.c - where does the code of a unit or function lie? One piece for most (DW_AT_low_pc, DW_AT_high_pc); several where the compiler
 * moved the cold half away or a unit has sections of its own for each function (DW_AT_ranges; DWARF 4: .debug_ranges, 5: .debug_rnglists). */
#include "../ldr.h"
#include "parts.h"

enum { RANGES_MAX = 1 << 20 };        /* of one DIE; a hostile one may claim any number */

static void add(struct ranges *ranges, uint64_t low, uint64_t high) {
    if (high <= low || ranges->count == RANGES_MAX)
        return;
    if (ranges->count == ranges->room)
        ranges->list = must_grow(ranges->list, ranges->room = ranges->room * 2 + 4, sizeof *ranges->list);
    ranges->list[ranges->count++] = (struct range){ low, high };
}

static bool one_piece(struct die die, struct ranges *ranges) {
    Dwarf_Addr from, to;
    Dwarf_Half form;
    enum Dwarf_Form_Class class;
    Dwarf_Error error;
    if (dwarf_lowpc(die.at, &from, &error) != DW_DLV_OK || dwarf_highpc_b(die.at, &to, &form, &class, &error) != DW_DLV_OK)
        return false;
    add(ranges, from, class == DW_FORM_CLASS_ADDRESS ? to : from + to);
    return true;
}

/* Offsets from the unit's own address, or from one that the list names. */
static void old_list(const struct session *session, struct die die, Dwarf_Unsigned offset, struct ranges *ranges) {
    Dwarf_Ranges *list;
    Dwarf_Signed count;
    Dwarf_Off real;
    Dwarf_Unsigned bytes;
    Dwarf_Error error;
    uint64_t base = session->unit_low;
    if (dwarf_get_ranges_b(die.dbg, offset, die.at, &real, &list, &count, &bytes, &error) != DW_DLV_OK)
        return;
    for (Dwarf_Signed i = 0; i < count && list[i].dwr_type != DW_RANGES_END; i++) {
        if (list[i].dwr_type == DW_RANGES_ADDRESS_SELECTION)
            base = list[i].dwr_addr2;
        else
            add(ranges, base + list[i].dwr_addr1, base + list[i].dwr_addr2);
    }
    dwarf_ranges_dealloc(die.dbg, list, count);
}

static void new_list(Dwarf_Attribute attr, Dwarf_Half form, Dwarf_Unsigned value, struct ranges *ranges) {
    Dwarf_Rnglists_Head head;
    Dwarf_Unsigned count, global;
    Dwarf_Error error;
    if (dwarf_rnglists_get_rle_head(attr, form, value, &head, &count, &global, &error) != DW_DLV_OK)
        return;
    for (Dwarf_Unsigned i = 0; i < count; i++) {
        unsigned len, code;
        Dwarf_Unsigned raw1, raw2, low, high;
        Dwarf_Bool unknown;
        if (dwarf_get_rnglists_entry_fields_a(head, i, &len, &code, &raw1, &raw2, &unknown, &low, &high, &error) != DW_DLV_OK || code == DW_RLE_end_of_list)
            break;
        if (!unknown && code != DW_RLE_base_address && code != DW_RLE_base_addressx)
            add(ranges, low, high);
    }
    dwarf_dealloc_rnglists_head(head);
}

bool die_ranges(const struct session *session, struct die die, struct ranges *ranges) {
    Dwarf_Attribute attr;
    Dwarf_Half form, version, offset_len;
    Dwarf_Unsigned value;
    Dwarf_Error error;
    ranges->count = 0;
    if (one_piece(die, ranges) || dwarf_attr(die.at, DW_AT_ranges, &attr, &error) != DW_DLV_OK)
        return ranges->count > 0;
    if (dwarf_whatform(attr, &form, &error) == DW_DLV_OK && dwarf_get_version_of_die(die.at, &version, &offset_len) == DW_DLV_OK) {
        Dwarf_Off offset;
        if (form == DW_FORM_rnglistx ? dwarf_formudata(attr, &value, &error) == DW_DLV_OK
                                     : dwarf_global_formref(attr, &offset, &error) == DW_DLV_OK && (value = offset, true)) {
            if (version < 5)
                old_list(session, die, value, ranges);
            else
                new_list(attr, form, value, ranges);
        }
    }
    dwarf_dealloc_attribute(attr);
    return ranges->count > 0;
}
