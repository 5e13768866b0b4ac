/* find.c - where is the separate debug file? As gdb looks for it ("Debugging Information in Separate Files"):
 *
 *   by build-id       /usr/lib/debug/.build-id/ab/cdef....debug; believed when its own build-id is the same
 *   by .gnu_debuglink name and CRC-32 of the whole debug file, the name looked for beside the file, in .debug beside it, and in
 *                     /usr/lib/debug followed by the file's folder; believed when the CRC agrees
 *
 * and the file that dwz made of what several debug files have in common, by .gnu_debugaltlink: path and build-id.
 * LDR_DEBUG_DIR stands in for /usr/lib/debug. The names come from the file, so they are no paths (no slash), except dwz's,
 * which is one by its format and is believed for its build-id only.
 */
#include "../ldr.h"
#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const char *debug_folder(void) {
    const char *folder = getenv("LDR_DEBUG_DIR");
    return folder && *folder ? folder : "/usr/lib/debug";
}

/* malloc'd: the path of the debug file of that build-id */
static char *build_id_path(const uint8_t *id, size_t len) {
    char hex[2 * BUILD_ID_MAX + 1];
    for (size_t i = 0; i < len; i++)
        sprintf(hex + 2 * i, "%02x", id[i]);
    return must_format("%s/.build-id/%.2s/%s.debug", debug_folder(), hex, hex + 2);
}

static bool has_build_id(const struct objfile *file, const uint8_t *id, size_t len) {
    uint8_t own[BUILD_ID_MAX];
    return objfile_build_id(file, own) == len && memcmp(own, id, len) == 0;
}

static bool has_same_bytes(const struct objfile *a, const struct objfile *b) {
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool find_by_build_id(const struct objfile *file, struct objfile *debug, char **why) {
    uint8_t id[BUILD_ID_MAX];
    size_t len = objfile_build_id(file, id);
    if (!len)
        return false;
    char *path = build_id_path(id, len);
    bool found = objfile_map(debug, path);
    if (found && !has_build_id(debug, id, len)) {
        free(*why);
        *why = must_format("%s has another build-id than its name says", path);
        objfile_close(debug);
        found = false;
    }
    free(path);
    return found;
}

static uint32_t crc_of(const struct objfile *file) {
    uLong crc = crc32(0, NULL, 0);
    const Bytef *at = file->bytes;
    for (size_t left = file->len; left; ) {
        uInt part = left > 1u << 30 ? 1u << 30 : (uInt)left;
        crc = crc32(crc, at, part);
        at += part;
        left -= part;
    }
    return (uint32_t)crc;
}

/* Takes PATH, and frees it. */
static bool try_link(const struct objfile *file, char *path, uint32_t crc, struct objfile *debug, char **why) {
    bool found = objfile_map(debug, path);
    if (found && (has_same_bytes(file, debug) || crc_of(debug) != crc)) {
        if (!has_same_bytes(file, debug)) {
            free(*why);
            *why = must_format("%s has CRC %08x, its .gnu_debuglink says %08x", path, crc_of(debug), crc);
        }
        objfile_close(debug);
        found = false;
    }
    free(path);
    return found;
}

static bool find_by_link(const struct objfile *file, struct objfile *debug, char **why) {
    Elf_Data *data = objfile_section(file, ".gnu_debuglink");
    if (!data)
        return false;
    const char *name = data->d_buf;
    size_t len = strnlen(name, data->d_size), crc_at = (len + 4) & ~(size_t)3; /* the NUL, then a multiple of four */
    uint32_t crc;
    if (len == 0 || len > 255 || memchr(name, '/', len) || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        crc_at > data->d_size || data->d_size - crc_at < sizeof crc)
        return false;
    memcpy(&crc, (const char *)data->d_buf + crc_at, sizeof crc);
    const char *slash = strrchr(file->path, '/');
    int folder = slash ? (int)(slash - file->path) : 0;
    const char *here = slash ? file->path : ".";
    if (!slash)
        folder = 1;
    return try_link(file, must_format("%.*s/%s", folder, here, name), crc, debug, why) ||
           try_link(file, must_format("%.*s/.debug/%s", folder, here, name), crc, debug, why) ||
           try_link(file, must_format("%s%.*s/%s", debug_folder(), folder, here, name), crc, debug, why);
}

bool find_debug_file(const struct objfile *file, struct objfile *debug, char **why) {
    return find_by_build_id(file, debug, why) || find_by_link(file, debug, why);
}

bool find_shared_file(const struct objfile *file, struct objfile *shared, char **why) {
    Elf_Data *data = objfile_section(file, ".gnu_debugaltlink");
    if (!data)
        return false;
    const char *name = data->d_buf;
    size_t len = strnlen(name, data->d_size);
    if (len == 0 || len > 4095 || data->d_size - len < 3 || data->d_size - len - 1 > BUILD_ID_MAX)
        return false;
    const uint8_t *id = (const uint8_t *)name + len + 1;
    size_t id_len = data->d_size - len - 1;
    const char *slash = strrchr(file->path, '/');
    char *paths[] = {
        *name == '/' ? must_format("%s", name) : must_format("%.*s/%s", slash ? (int)(slash - file->path) : 1, slash ? file->path : ".", name),
        build_id_path(id, id_len),
    };
    bool found = false;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (!found && objfile_map(shared, paths[i])) {
            found = has_build_id(shared, id, id_len);
            if (!found)
                objfile_close(shared);
        }
        if (i == 0 && !found) {
            free(*why);
            *why = must_format("%s, which %s needs, is not there or has another build-id", paths[0], file->path);
        }
        free(paths[i]);
    }
    return found;
}
