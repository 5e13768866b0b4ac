/* glibc_layout.c - writes one row of ldr/compat/glibc/layout/ for a pair of glibc files.
 *
 *     build/glibc-layout LD_SO LIBC_SO > ldr/compat/glibc/layout/2_36.h
 *
 * Reads the separate debug files (Debian: libc6-dbg) found by build-id and answers every line of layout/fields.def:
 * offsets and sizes from DWARF, addresses of hidden symbols from .symtab. Refuses when the two files are of different
 * releases, when a debug file is of another build, when DWARF and st_size disagree, or when a field that every version
 * has is missing; each refusal names the field and the file. Run by a person; the result is reviewed and committed.
 */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ldr/compat/glibc/layout.h"
#include "object.h"
#include "types.h"

enum kind { OFF, BIT, SIZE, STRIDE, COUNT, LD, LIBC, SUM };
enum need { MUST, MAY };

struct field {
    const char *member;
    enum kind kind;
    enum need need;
    const char *structure; /* or NULL for a symbol */
    const char *path;      /* or the symbol's name */
};

static const struct field fields[] = {
#define GLIBC_OFF(member, need, structure, path) { #member, OFF, need, structure, path },
#define GLIBC_BIT(member, need, structure, path) { #member, BIT, need, structure, path },
#define GLIBC_DIM(member, what, need, structure, path) { #member, what, need, structure, path },
#define GLIBC_SYM(member, object, need, symbol) { #member, object, need, NULL, symbol },
#define GLIBC_SUM(member, base) { #member, SUM, MUST, NULL, #base },
#include "../../ldr/compat/glibc/layout/fields.def"
#undef GLIBC_OFF
#undef GLIBC_BIT
#undef GLIBC_DIM
#undef GLIBC_SYM
#undef GLIBC_SUM
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

/* One of the two files with its debug file. */
struct side {
    const char *path;
    const char *debug_option;
    char debug_path[4096];
    uint8_t id[20];
    char package[128]; /* "Debian GLIBC 2.36-9+deb12u14" */
    char version[8];   /* "2.36" */
    struct object *object;
    struct object *debug;
    struct types *types;
};

struct job {
    struct side ld, libc;
    const char *debug_root;
    const char *output;
    unsigned errors;
};

static void complain(struct job *job, const char *form, const char *a, const char *b, const char *c)
{
    fputs("glibc-layout: ", stderr);
    fprintf(stderr, form, a, b, c);
    fputc('\n', stderr);
    job->errors++;
}

/* ---- finding and checking the files ---- */

/* Both files carry "(Debian GLIBC 2.36-9+deb12u14) stable release version 2.36." for their --version. */
static bool read_banner(struct side *side)
{
    static const char mark[] = "release version ";
    size_t len, i, at;
    const char *bytes = (const char *)object_file(side->object, &len);
    for (i = 0; bytes && i + sizeof mark + 8 < len; i++) {
        size_t n = 0, open, close;
        if (memcmp(bytes + i, mark, sizeof mark - 1) != 0)
            continue;
        at = i + sizeof mark - 1;
        while (n < 7 && (bytes[at + n] == '.' || (bytes[at + n] >= '0' && bytes[at + n] <= '9')))
            n++;
        while (n && bytes[at + n - 1] == '.')
            n--;
        if (n == 0)
            continue;
        memcpy(side->version, bytes + at, n);
        for (close = i; close && bytes[close] != ')' && bytes[close]; close--)
            ;
        for (open = close; open && bytes[open] != '(' && bytes[open]; open--)
            ;
        if (bytes[open] == '(' && close - open < sizeof side->package) {
            memcpy(side->package, bytes + open + 1, close - open - 1);
            return true;
        }
    }
    return false;
}

static bool same_id(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, 20) == 0;
}

static void print_id(char text[41], const uint8_t id[20])
{
    for (int i = 0; i < 20; i++)
        snprintf(text + 2 * i, 3, "%02x", id[i]);
}

static bool open_side(struct job *job, struct side *side)
{
    char why[256], id[41], other[41];
    uint8_t debug_id[20];
    side->object = object_open(side->path, why);
    if (!side->object)
        return complain(job, "%s%s%s", why, "", ""), false;
    if (object_build_id(side->object, side->id) != 20)
        return complain(job, "%s: no build-id note of 20 bytes%s%s", side->path, "", ""), false;
    if (!read_banner(side))
        return complain(job, "%s: no glibc release banner: not a part of glibc?%s%s", side->path, "", ""), false;
    print_id(id, side->id);
    if (side->debug_option)
        snprintf(side->debug_path, sizeof side->debug_path, "%s", side->debug_option);
    else
        snprintf(side->debug_path, sizeof side->debug_path, "%s/.build-id/%.2s/%s.debug", job->debug_root, id, id + 2);
    side->debug = object_open(side->debug_path, why);
    if (!side->debug)
        return complain(job, "%s: debug file of %s, build-id %s (Debian: package libc6-dbg)", why, side->path, id),
               false;
    if (object_build_id(side->debug, debug_id) != 20 || !same_id(debug_id, side->id)) {
        print_id(other, debug_id);
        return complain(job, "%s is the debug file of build %s, wanted %s", side->debug_path, other, id), false;
    }
    side->types = types_open(side->debug_path, why);
    if (!side->types)
        return complain(job, "%s%s%s", why, "", ""), false;
    return true;
}

static void close_side(struct side *side)
{
    types_close(side->types);
    object_close(side->debug);
    object_close(side->object);
}

/* ---- one field ---- */

static bool symbol_word(struct job *job, const struct field *field, uint32_t *word)
{
    struct side *side = field->kind == LD ? &job->ld : &job->libc;
    uint64_t value = 0, size;
    char internal[128];
    int found = object_symbol(side->debug, OBJECT_SYMTAB, field->path, &value, &size);
    if (found == 0) { /* functions used inside glibc keep only their internal alias when they are not exported */
        snprintf(internal, sizeof internal, "__GI_%s", field->path);
        found = object_symbol(side->debug, OBJECT_SYMTAB, internal, &value, &size);
    }
    *word = GLIBC_ABSENT;
    if (found > 1)
        return complain(job, "%s: symbol %s has several addresses in %s", field->member, field->path,
                        side->debug_path), false;
    if (found == 0 && field->need == MUST)
        return complain(job, "%s: no symbol %s in %s", field->member, field->path, side->debug_path), false;
    if (found == 1)
        *word = (uint32_t)value;
    return value < GLIBC_ABSENT;
}

/* words[0] is the value; for a bit words[0] is the byte and words[1] the bit in it. */
static bool field_words(struct job *job, const struct field *field, uint32_t words[2])
{
    static const char libc_mark[] = "libc/";
    struct side *side = &job->ld;
    const char *structure = field->structure;
    struct place place = { 0, 0, 0, 0, 0 };
    char why[256];
    enum types_answer answer;
    words[0] = words[1] = GLIBC_ABSENT;
    if (field->kind == LD || field->kind == LIBC)
        return symbol_word(job, field, words);
    if (strncmp(structure, libc_mark, sizeof libc_mark - 1) == 0) {
        side = &job->libc;
        structure += sizeof libc_mark - 1;
    }
    answer = types_find(side->types, structure, field->path, &place, why);
    if (answer == TYPES_NO_MEMBER && field->need == MAY)
        return true;
    if (answer != TYPES_FOUND)
        return complain(job, "%s: %s in %s", field->member, why, side->debug_path), false;
    if (place.is_bitfield != (field->kind == BIT))
        return complain(job, "%s: %s is%s a bit-field there", field->member, field->path,
                        place.is_bitfield ? "" : " not"), false;
    switch (field->kind) {
    case BIT:
        words[1] = (uint32_t)(place.bit % 8);
        words[0] = (uint32_t)(place.bit / 8);
        return true;
    case SIZE:
        words[0] = (uint32_t)place.size;
        return true;
    case STRIDE:
    case COUNT:
        if (place.stride == 0)
            return complain(job, "%s: %s.%s is not an array", field->member, structure, field->path), false;
        words[0] = (uint32_t)(field->kind == STRIDE ? place.stride : place.count);
        return true;
    default:
        words[0] = (uint32_t)(place.bit / 8);
        return true;
    }
}

/* The exported symbols' st_size must be what DWARF says, or the debug file describes another configuration. */
static void check_sizes(struct job *job, const char *symbol, const char *structure)
{
    uint64_t value, size = 0;
    struct place place = { 0, 0, 0, 0, 0 };
    char why[256], numbers[64];
    if (object_symbol(job->ld.object, OBJECT_DYNSYM, symbol, &value, &size) != 1)
        complain(job, "%s: no dynamic symbol %s%s", job->ld.path, symbol, "");
    else if (types_find(job->ld.types, structure, "", &place, why) != TYPES_FOUND)
        complain(job, "%s in %s%s", why, job->ld.debug_path, "");
    else if (place.size != size) {
        snprintf(numbers, sizeof numbers, "%llu and %llu bytes", (unsigned long long)size,
                 (unsigned long long)place.size);
        complain(job, "%s and its debug file disagree on %s: %s", job->ld.path, symbol, numbers);
    }
}

/* ---- writing ---- */

static void write_word(FILE *out, const char *member, const char *suffix, uint32_t word, bool is_address)
{
    fprintf(out, "  .%s%s = ", member, suffix);
    if (word == GLIBC_ABSENT)
        fputs("GLIBC_ABSENT", out);
    else
        fprintf(out, is_address ? "0x%x" : "%u", word);
    fputs(",", out);
}

static void write_id(FILE *out, const char *member, const uint8_t id[20])
{
    fprintf(out, "  .%s = { ", member);
    for (int i = 0; i < 20; i++)
        fprintf(out, "0x%02x%s", id[i], i == 19 ? " },\n" : i == 9 ? ",\n      " : ", ");
}

static void write_row(struct job *job, FILE *out, uint32_t (*words)[2])
{
    fprintf(out, "/* glibc %s: %s. Written by tools/gen/glibc_layout.c from the debug files; do not edit. */\n",
            job->libc.version, job->libc.package);
    fprintf(out, "{ .version = \"%s\",\n", job->libc.version);
    write_id(out, "ld_build_id", job->ld.id);
    write_id(out, "libc_build_id", job->libc.id);
    for (int i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &fields[i];
        bool is_symbol = field->kind == LD || field->kind == LIBC;
        write_word(out, field->member, field->kind == BIT ? "_byte" : "", words[i][0], is_symbol);
        if (field->kind == BIT)
            write_word(out, field->member, "_bit", words[i][1], false);
        if (field->structure)
            fprintf(out, " /* %s%s%s */", field->structure, field->path[0] ? "." : "", field->path);
        fputc('\n', out);
    }
    fputs("},\n", out);
}

/* The only sum so far: DT_GNU_HASH is the last place of l_info[]. */
static uint32_t sum_word(const struct field *field, uint32_t (*words)[2])
{
    for (int i = 0; i < FIELD_COUNT; i++)
        if (strcmp(fields[i].member, field->path) == 0)
            return words[i][0] - 1;
    return GLIBC_ABSENT;
}

static int run(struct job *job)
{
    static uint32_t words[FIELD_COUNT][2];
    FILE *out = stdout;
    if (!open_side(job, &job->ld) || !open_side(job, &job->libc))
        return 1;
    if (strcmp(job->ld.package, job->libc.package) != 0 || strcmp(job->ld.version, job->libc.version) != 0) {
        complain(job, "the two files are of different builds: ld.so is %s, libc.so.6 is %s%s", job->ld.package,
                 job->libc.package, "");
        return 1;
    }
    check_sizes(job, "_rtld_global", "rtld_global");
    check_sizes(job, "_rtld_global_ro", "rtld_global_ro");
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (fields[i].kind == SUM) {
            words[i][0] = sum_word(&fields[i], words);
            continue;
        }
        field_words(job, &fields[i], words[i]);
    }
    if (job->errors) {
        fprintf(stderr, "glibc-layout: %u errors, no row written\n", job->errors);
        return 1;
    }
    if (job->output && !(out = fopen(job->output, "w"))) {
        complain(job, "%s: cannot write%s%s", job->output, "", "");
        return 1;
    }
    write_row(job, out, words);
    if (fflush(out) != 0 || ferror(out) || (out != stdout && fclose(out) != 0)) {
        complain(job, "%s: write failed%s%s", job->output ? job->output : "standard output", "", "");
        return 1;
    }
    return 0;
}

/* ---- command line ---- */

enum { KEY_LD_DEBUG = 256, KEY_LIBC_DEBUG, KEY_DEBUG_ROOT };

static const struct argp_option options[] = {
    { "ld-debug", KEY_LD_DEBUG, "FILE", 0, "debug file of LD_SO (default: by build-id)", 0 },
    { "libc-debug", KEY_LIBC_DEBUG, "FILE", 0, "debug file of LIBC_SO (default: by build-id)", 0 },
    { "debug-root", KEY_DEBUG_ROOT, "DIR", 0, "folder of .build-id (default: /usr/lib/debug)", 0 },
    { "output", 'o', "FILE", 0, "write here instead of standard output", 0 },
    { 0 }
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct job *job = state->input;
    switch (key) {
    case KEY_LD_DEBUG:
        job->ld.debug_option = text;
        return 0;
    case KEY_LIBC_DEBUG:
        job->libc.debug_option = text;
        return 0;
    case KEY_DEBUG_ROOT:
        job->debug_root = text;
        return 0;
    case 'o':
        job->output = text;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            job->ld.path = text;
        else if (state->arg_num == 1)
            job->libc.path = text;
        else
            return ARGP_ERR_UNKNOWN;
        return 0;
    case ARGP_KEY_END:
        if (state->arg_num != 2)
            argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp parser = { options, parse_option, "LD_SO LIBC_SO",
                                        "Write the row of glibc's private offsets for this pair of files."
                                        "\vExit status: 0 row written, 1 refused (standard error says why), 64 usage.",
                                        NULL, NULL, NULL };
    static struct job job;
    int status;
    job.debug_root = "/usr/lib/debug";
    if (argp_parse(&parser, argc, argv, 0, NULL, &job) != 0)
        return 64;
    status = run(&job);
    close_side(&job.ld);
    close_side(&job.libc);
    return status;
}
