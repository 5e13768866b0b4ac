/* lines.c - the line tables: names of source files, and lines of instructions.
 *
 * A name is shown as short as it stays clear: relative to the folder the compiler ran in. */
#include "../ldr.h"
#include "parts.h"

#include <stdlib.h>
#include <string.h>

struct unit_files {
    Dwarf_Line_Context context; /* NULL: no line table */
    Dwarf_Signed first, end;    /* indices of files */
    Dwarf_Unsigned version;
    const char *folder;         /* the compiler's, or "" */
};

struct unit_files *unit_files_read(struct die unit) {
    struct unit_files *files = must_alloc(1, sizeof *files);
    Dwarf_Small tables;
    Dwarf_Signed count;
    Dwarf_Error error;
    files->folder = die_text(unit, DW_AT_comp_dir);
    if (!files->folder)
        files->folder = "";
    if (dwarf_srclines_b(unit.at, &files->version, &tables, &files->context, &error) != DW_DLV_OK)
        files->context = NULL;
    else if (dwarf_srclines_files_indexes(files->context, &files->first, &count, &files->end, &error) != DW_DLV_OK)
        files->first = files->end = 0;
    return files;
}

void unit_files_free(struct unit_files *files) {
    if (files && files->context)
        dwarf_srclines_dealloc_b(files->context);
    free(files);
}

static const char *without_folder(const char *path, const char *folder) {
    size_t len = strlen(folder);
    if (len == 0 || strncmp(path, folder, len) != 0)
        return path;
    if (path[len] == '/')
        return path + len + 1;
    return path[len] == '\0' ? "" : path;
}

void unit_file(const struct unit_files *files, uint64_t index, struct words *name) {
    const char *file, *folder = "";
    Dwarf_Unsigned folder_index, time, len;
    Dwarf_Form_Data16 *md5;
    Dwarf_Error error;
    if (!files->context || index > INT64_MAX || (Dwarf_Signed)index < files->first || (Dwarf_Signed)index >= files->end ||
        dwarf_srclines_files_data_b(files->context, (Dwarf_Signed)index, &file, &folder_index, &time, &len, &md5, &error) != DW_DLV_OK ||
        !file)
        return;
    /* 0 is the compiler's folder in every version */
    if (*file != '/' && folder_index > 0 && folder_index < INT64_MAX &&
        dwarf_srclines_include_dir_data(files->context, (Dwarf_Signed)folder_index, &folder, &error) == DW_DLV_OK && folder) {
        folder = without_folder(folder, files->folder);
        words_add(name, folder);
        if (*folder && folder[strlen(folder) - 1] != '/')
            words_add(name, "/");
    }
    words_add(name, without_folder(strncmp(file, "./", 2) == 0 && !*folder ? file + 2 : file, files->folder));
}

void unit_lines(struct die unit, const uint64_t *vaddrs, size_t count,
                void (*tell)(void *to, size_t index, const char *file, uint32_t line, bool open), void *to) {
    bool open = true; /* up to this row of the sequence */
    struct unit_files *files = unit_files_read(unit);
    Dwarf_Line *rows;
    Dwarf_Signed row_count = 0;
    Dwarf_Error error;
    if (!files->context || dwarf_srclines_from_linecontext(files->context, &rows, &row_count, &error) != DW_DLV_OK)
        row_count = 0;
    for (Dwarf_Signed i = 0; i + 1 < row_count; i++) {
        Dwarf_Addr from, end;
        Dwarf_Bool ends = 0;
        Dwarf_Unsigned file = 0;
        if (dwarf_lineendsequence(rows[i], &ends, &error) != DW_DLV_OK || ends) {
            open = true;
            continue;
        }
        if (dwarf_line_srcfileno(rows[i], &file, &error) != DW_DLV_OK)
            continue;
        open = open && file == 0;
        if (dwarf_lineaddr(rows[i], &from, &error) != DW_DLV_OK || dwarf_lineaddr(rows[i + 1], &end, &error) != DW_DLV_OK)
            continue;
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (vaddrs[middle] < from)
                low = middle + 1;
            else
                high = middle;
        }
        for (; low < count && vaddrs[low] < end; low++) {
            Dwarf_Unsigned line = 0;
            struct words name = { .len = 0 };
            if (dwarf_lineno(rows[i], &line, &error) != DW_DLV_OK)
                continue;
            unit_file(files, file, &name);
            tell(to, low, name.text, line > UINT32_MAX ? 0 : (uint32_t)line, open && files->version >= 5);
        }
    }
    unit_files_free(files);
}
