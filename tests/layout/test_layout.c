/* test_layout.c - the rows of glibc offsets, their check and their derivation, over one pair of real files.
 *
 *     test_layout LD_SO LIBC_SO [ROW_FILE]
 *
 * ROW_FILE is what build/glibc-layout wrote for the pair (the truth, from DWARF); without it the committed row of these
 * builds is the truth; without that only what needs no truth is tested. libelf finds the symbols, so neither the
 * loader's reader nor libdwarf is in play here.
 */
#include <elf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ldr/compat/glibc/derive.h"
#include "../../ldr/compat/glibc/facts.h"
#include "../../tools/gen/object.h"

static const struct glibc_layout rows[] = {
#include "../../ldr/compat/glibc/layout/rows.h"
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static unsigned passed, failed;

static void expect(bool good, const char *form, ...)
{
    va_list args;
    printf("%s ", good ? "ok  " : "FAIL");
    va_start(args, form);
    vprintf(form, args);
    va_end(args);
    putchar('\n');
    *(good ? &passed : &failed) += 1;
}

/* ---- images laid out as a loader maps them ---- */

struct pair {
    struct object *object[2];
    struct glibc_span spans[2][8];
    struct glibc_images images;
    const char *hidden; /* a symbol the test pretends is not there */
};

static int find_symbol(void *ctx, enum glibc_object which, const char *name, uint64_t *vaddr, uint64_t *size)
{
    struct pair *pair = ctx;
    if (pair->hidden && strcmp(name, pair->hidden) == 0)
        return 0;
    return object_symbol(pair->object[which], OBJECT_DYNSYM, name, vaddr, size) != 0;
}

/* One heap block per segment, exactly as long as the segment: the sanitizer sees every step beyond it. */
static void lay_out(struct pair *pair, int which)
{
    size_t len;
    const uint8_t *file = object_file(pair->object[which], &len);
    const Elf64_Ehdr *header = (const void *)file;
    const Elf64_Phdr *phdr = (const void *)(file + header->e_phoff);
    unsigned count = 0;
    for (unsigned i = 0; i < header->e_phnum && count < 8; i++) {
        uint8_t *bytes;
        if (phdr[i].p_type != PT_LOAD)
            continue;
        bytes = calloc(1, phdr[i].p_memsz);
        memcpy(bytes, file + phdr[i].p_offset, phdr[i].p_filesz);
        pair->spans[which][count++] = (struct glibc_span){ bytes, phdr[i].p_vaddr, phdr[i].p_memsz };
    }
    pair->images.object[which] = (struct glibc_image){ pair->spans[which], count };
}

static bool open_pair(struct pair *pair, char **paths)
{
    char why[256];
    for (int i = 0; i < 2; i++) {
        pair->object[i] = object_open(paths[i], why);
        if (!pair->object[i]) {
            fprintf(stderr, "test_layout: %s\n", why);
            return false;
        }
        lay_out(pair, i);
    }
    pair->images.find = find_symbol;
    pair->images.ctx = pair;
    return true;
}

static void close_pair(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        for (unsigned k = 0; k < pair->images.object[i].span_count; k++)
            free((void *)(uintptr_t)pair->spans[i][k].base);
        object_close(pair->object[i]);
    }
}

/* Writable byte of an image, for tests that break it. */
static uint8_t *poke(struct pair *pair, int which, uint64_t vaddr)
{
    for (unsigned i = 0; i < pair->images.object[which].span_count; i++) {
        struct glibc_span *span = &pair->spans[which][i];
        if (vaddr >= span->vaddr && vaddr - span->vaddr < span->len)
            return (uint8_t *)(uintptr_t)span->base + (vaddr - span->vaddr);
    }
    abort();
}

/* ---- reading a row file ---- */

static bool read_row(const char *path, struct glibc_layout *row)
{
    static char text[65536];
    uint32_t *words = (uint32_t *)glibc_words(row);
    FILE *in = fopen(path, "r");
    const char *at = text;
    if (!in)
        return false;
    text[fread(text, 1, sizeof text - 1, in)] = 0;
    fclose(in);
    memset(row, 0, sizeof *row);
    for (unsigned i = 0; i < glibc_word_count(); i++) {
        char key[128];
        snprintf(key, sizeof key, ".%s = ", glibc_word_name(i));
        at = strstr(at, key);
        if (!at)
            return false;
        at += strlen(key);
        words[i] = strncmp(at, "GLIBC_ABSENT", 12) == 0 ? GLIBC_ABSENT : (uint32_t)strtoul(at, NULL, 0);
    }
    return true;
}

static bool is_hidden_symbol(const char *name)
{
    return strncmp(name, "ld_", 3) == 0 || strncmp(name, "libc_", 5) == 0;
}

/* Prints every word that differs; hidden symbols only when asked for. */
static unsigned differences(const struct glibc_layout *a, const struct glibc_layout *b, bool with_symbols)
{
    unsigned count = 0;
    for (unsigned i = 0; i < glibc_word_count(); i++) {
        const char *name = glibc_word_name(i);
        if (glibc_words(a)[i] == glibc_words(b)[i] || (!with_symbols && is_hidden_symbol(name)))
            continue;
        printf("     %s: %d and %d\n", name, (int)glibc_words(a)[i], (int)glibc_words(b)[i]);
        count++;
    }
    return count;
}

static const char *told(const struct glibc_mismatch *why)
{
    static char text[256];
    snprintf(text, sizeof text, "%s: %d expected, %d from %s", why->field, (int)why->expected, (int)why->found,
             why->source);
    return text;
}

/* ---- the tests ---- */

static int count_fact(void *ctx, const struct glibc_fact *fact)
{
    uint8_t *seen = ctx;
    seen[fact->word] = 1;
    return 0;
}

static void facts_are_many(struct pair *pair)
{
    static const char *const depth_name[] = { "quick", "data", "code" };
    static const unsigned least[] = { 8, 40, 65 };
    for (int depth = GLIBC_QUICK; depth <= GLIBC_CODE; depth++) {
        struct glibc_mismatch why;
        uint8_t seen[1024] = { 0 };
        unsigned count = 0;
        int answer = glibc_facts(&pair->images, (enum glibc_depth)depth, count_fact, seen, &why);
        for (unsigned i = 0; i < glibc_word_count(); i++)
            count += seen[i];
        expect(answer == 0 && count >= least[depth], "%s evidence states %u of %u words", depth_name[depth], count,
               glibc_word_count());
    }
}

static void row_agrees(struct pair *pair, const struct glibc_layout *truth)
{
    struct glibc_mismatch why = { "", "", 0, 0 };
    int answer = glibc_row_check(&pair->images, truth, GLIBC_CODE, &why);
    expect(answer == 0, "row from DWARF agrees with descriptors, slots, data and code%s%s", answer ? ": " : "",
           answer ? told(&why) : "");
}

static void derived_equals(struct pair *pair, const struct glibc_layout *known, unsigned count,
                           const struct glibc_layout *truth, const char *name)
{
    struct glibc_layout row;
    const struct glibc_layout *nearest;
    struct glibc_mismatch why = { "", "", 0, 0 };
    int answer = glibc_row_derive(&pair->images, known, count, &row, &nearest, &why);
    if (answer)
        expect(false, "%s: error %d, %s", name, answer, told(&why));
    else
        expect(differences(&row, truth, false) == 0, "%s: derived row equals DWARF's in every derivable word", name);
}

/* A known row of an imaginary other release: fields of one structure from offset `from` on sit `by` bytes later. */
static void shift_from(struct glibc_layout *row, unsigned first, unsigned last, uint32_t from, uint32_t by)
{
    uint32_t *words = (uint32_t *)glibc_words(row);
    for (unsigned i = first; i <= last; i++) {
        if (i != GLIBC_WORD(g_lock_size) && words[i] != GLIBC_ABSENT && words[i] >= from)
            words[i] += by;
    }
}

static void derivation_follows_moved_fields(struct pair *pair, const struct glibc_layout *truth)
{
    struct glibc_layout other = *truth;
    shift_from(&other, GLIBC_WORD(ro_debug_mask), GLIBC_WORD(ro_cpu_features), truth->ro_mcount, 16);
    other.ro_size += 16;
    derived_equals(pair, &other, 1, truth, "function table shorter by 16 bytes");
    other = *truth;
    shift_from(&other, GLIBC_WORD(g_nns), GLIBC_WORD(g_stack_cache_lock), truth->g_stack_user, 24);
    other.g_size += 24;
    derived_equals(pair, &other, 1, truth, "stack lists 24 bytes earlier");
}

static void refused(struct pair *pair, const struct glibc_layout *known, unsigned count, int error, const char *field)
{
    struct glibc_layout row;
    const struct glibc_layout *nearest;
    struct glibc_mismatch why = { "", "", 0, 0 };
    int answer = glibc_row_derive(&pair->images, known, count, &row, &nearest, &why);
    expect(answer == -error && strcmp(why.field, field) == 0, "derivation refuses, naming %s (%d, %s)", field, answer,
           told(&why));
}

static void derivation_refuses_what_it_cannot_place(struct pair *pair, const struct glibc_layout *truth)
{
    struct glibc_layout other = *truth;
    other.lm_tls_modid -= 8;
    other.lm_tls_offset -= 8;
    refused(pair, &other, 1, GLIBC_E_UNPLACED, "lm_size");
    other = *truth;
    other.pd_size -= 64;
    refused(pair, &other, 1, GLIBC_E_UNPLACED, "pd_robust_head_size");
    other = *truth;
    other.g_ns_stride -= 32;
    refused(pair, &other, 1, GLIBC_E_UNPLACED, "g_ns");
    refused(pair, NULL, 0, GLIBC_E_NO_ROW, "version");
}

/* Every word the evidence states, when wrong in the row, is found out. */
static void check_finds_each_wrong_word(struct pair *pair, const struct glibc_layout *truth)
{
    struct glibc_mismatch why;
    uint8_t seen[1024] = { 0 };
    unsigned tried = 0, caught = 0;
    glibc_facts(&pair->images, GLIBC_CODE, count_fact, seen, &why);
    for (unsigned i = 0; i < glibc_word_count(); i++) {
        struct glibc_layout wrong = *truth;
        if (!seen[i])
            continue;
        ((uint32_t *)glibc_words(&wrong))[i] += 8;
        tried++;
        why.field = "";
        if (glibc_row_check(&pair->images, &wrong, GLIBC_CODE, &why) < 0 && why.field[0])
            caught++;
        else
            printf("     %s + 8 was believed\n", glibc_word_name(i));
    }
    expect(tried && caught == tried, "%u of %u wrong words found out", caught, tried);
}

static void check_finds_strange_files(struct pair *pair, const struct glibc_layout *truth)
{
    struct glibc_mismatch why = { "", "", 0, 0 };
    uint64_t vaddr, size;
    uint8_t *byte;
    int answer;
    find_symbol(pair, GLIBC_LIBC, "_thread_db_rtld_global__dl_stack_user", &vaddr, &size);
    byte = poke(pair, GLIBC_LIBC, vaddr + 8);
    *byte ^= 0x40;
    answer = glibc_row_check(&pair->images, truth, GLIBC_QUICK, &why);
    *byte ^= 0x40;
    expect(answer == -GLIBC_E_MISMATCH && strcmp(why.field, "g_stack_user") == 0 &&
               why.expected == truth->g_stack_user && why.found == (truth->g_stack_user ^ 0x40),
           "a libc.so.6 of other offsets is refused: %s", told(&why));
    pair->hidden = "_rtld_global_ro";
    answer = glibc_row_check(&pair->images, truth, GLIBC_QUICK, &why);
    pair->hidden = NULL;
    expect(answer == -GLIBC_E_NO_SYMBOL && strcmp(why.field, "_rtld_global_ro") == 0, "an ld.so without %s is refused",
           why.field);
}

static void ids_and_version(struct pair *pair, const struct glibc_layout *truth)
{
    char version[8];
    uint8_t ours[20], theirs[20];
    for (int i = 0; i < 2; i++) {
        glibc_image_build_id(&pair->images.object[i], ours);
        expect(object_build_id(pair->object[i], theirs) == 20 && memcmp(ours, theirs, 20) == 0,
               "build-id of %s as libelf has it", i == GLIBC_LD ? "ld.so" : "libc.so.6");
    }
    glibc_image_version(&pair->images, version);
    expect(!truth || !truth->version[0] || strcmp(version, truth->version) == 0, "release read from code: %s", version);
}

/* Damaged images: any answer will do, the sanitizer is the judge. Fixed seed, so a failure can be repeated. */
static void damage_never_crashes(struct pair *pair)
{
    static const char *const targets[] = { "_rtld_global", "_rtld_global_ro", "dlopen", "dlerror", "getauxval",
                                           "getcpu", "_dl_get_tls_static_info", "_thread_db_pthread_tid" };
    uint64_t seed = 88172645463325252u;
    struct glibc_layout row;
    const struct glibc_layout *nearest;
    struct glibc_mismatch why;
    unsigned rounds = 0;
    for (; rounds < 300; rounds++) {
        uint8_t *byte[4], old[4];
        uint64_t vaddr, size, len[2];
        int which = rounds & 1;
        struct glibc_span *cut;
        for (unsigned i = 0; i < 4; i++) {
            const char *target = targets[(rounds + i) % 8];
            enum glibc_object object = find_symbol(pair, GLIBC_LIBC, target, &vaddr, &size) ? GLIBC_LIBC : GLIBC_LD;
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            if (i == 3) /* program headers and dynamic section sit near the start and in the last segment */
                vaddr = 32 + seed % 900, object = (enum glibc_object)which;
            else if (find_symbol(pair, object, target, &vaddr, &size) && size)
                vaddr += seed % size;
            byte[i] = poke(pair, object, vaddr);
            old[i] = *byte[i];
            *byte[i] = (uint8_t)(seed >> 32);
        }
        cut = &pair->spans[which][rounds % pair->images.object[which].span_count];
        len[0] = cut->len;
        if (rounds % 3 == 0)
            cut->len = seed % (cut->len + 1);
        glibc_row_derive(&pair->images, rows, ROW_COUNT, &row, &nearest, &why);
        glibc_row_check(&pair->images, &rows[0], GLIBC_CODE, &why);
        cut->len = len[0];
        for (unsigned i = 4; i-- > 0;)
            *byte[i] = old[i];
    }
    expect(true, "%u damaged images: no crash", rounds);
}

int main(int argc, char **argv)
{
    struct pair pair = { 0 };
    struct glibc_layout generated;
    const struct glibc_layout *truth = NULL;
    uint8_t id[2][20];
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: test_layout LD_SO LIBC_SO [ROW_FILE]\n");
        return 64;
    }
    if (!open_pair(&pair, argv + 1))
        return 1;
    for (int i = 0; i < 2; i++)
        object_build_id(pair.object[i], id[i]);
    truth = glibc_row_find(rows, ROW_COUNT, id[0], id[1]);
    if (argc == 4) {
        expect(read_row(argv[3], &generated), "row file has all %u words", glibc_word_count());
        if (truth)
            expect(differences(truth, &generated, true) == 0, "committed row equals the generated one");
        truth = &generated;
    }
    printf("     %s\n", truth == NULL ? "no row of these builds: only what needs none is tested"
                        : truth == &generated ? "truth: generated from debug files" : "truth: the committed row");
    facts_are_many(&pair);
    ids_and_version(&pair, truth);
    if (truth) {
        row_agrees(&pair, truth);
        derived_equals(&pair, rows, ROW_COUNT, truth, "all known rows");
        for (int i = 0; i < ROW_COUNT; i++)
            if (memcmp(rows[i].libc_build_id, id[1], 20) != 0)
                derived_equals(&pair, &rows[i], 1, truth, "another build's row alone");
        derivation_follows_moved_fields(&pair, truth);
        derivation_refuses_what_it_cannot_place(&pair, truth);
        check_finds_each_wrong_word(&pair, truth);
        check_finds_strange_files(&pair, truth);
    } else {
        struct glibc_layout row;
        const struct glibc_layout *nearest;
        struct glibc_mismatch why = { "", "", 0, 0 };
        int answer = glibc_row_derive(&pair.images, rows, ROW_COUNT, &row, &nearest, &why);
        expect(answer == 0 || answer == -GLIBC_E_UNPLACED, "unknown builds: %s%s%s",
               answer ? "refused, " : "row derived for release ", answer ? told(&why) : row.version,
               answer ? "" : ", its neighbours unmoved");
        if (answer == 0 && row.g_size == nearest->g_size && row.ro_size == nearest->ro_size)
            expect(differences(&row, nearest, false) == 0, "another build of a known release has its offsets");
    }
    damage_never_crashes(&pair);
    close_pair(&pair);
    printf("     %u good, %u bad\n", passed, failed);
    return failed != 0;
}
