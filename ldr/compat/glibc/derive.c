/* derive.c - checks rows of glibc offsets against the binaries and makes rows for unknown builds. See derive.h.
 *
 * One walk over the evidence (facts.c) serves both: the check compares every fact with the row's word, the derivation
 * collects the facts as words. What no fact speaks of is placed between its neighbours: fields keep their order within
 * a structure, so when the known fields below and above moved by the same number of bytes since the nearest row, the
 * field moved by it too. Example: _dl_clktck lies between _dl_pagesize (+0) and _dl_auxv (+0), so it is where it was.
 */
#include "derive.h"

#include "facts.h"

/* ---- the words of a row ---- */

enum { OFFSET = 1, NUMBER = 2, SYMBOL = 3, SUM = 4, KIND = 7, MUST = 8, MAY = 0 };

/* What each word is, in the order of struct glibc_layout. Bytes, not pointers: nothing to relocate. */
static const uint8_t word_kind[] = {
#define GLIBC_OFF(member, need, structure, path) OFFSET | need,
#define GLIBC_BIT(member, need, structure, path) OFFSET | need, NUMBER | need,
#define GLIBC_DIM(member, what, need, structure, path) NUMBER | need,
#define GLIBC_SYM(member, object, need, symbol) SYMBOL | need,
#define GLIBC_SUM(member, base) SUM | MUST,
#include "layout/fields.def"
#undef GLIBC_OFF
#undef GLIBC_BIT
#undef GLIBC_DIM
#undef GLIBC_SYM
#undef GLIBC_SUM
};
enum { WORD_COUNT = sizeof word_kind };

_Static_assert(sizeof(struct glibc_layout) == offsetof(struct glibc_layout, g_size) + 4 * WORD_COUNT,
               "the words are one array");

/* Names for messages: one string, a NUL behind each. */
static const char word_names[] =
#define GLIBC_OFF(member, need, structure, path) #member "\0"
#define GLIBC_BIT(member, need, structure, path) #member "_byte\0" #member "_bit\0"
#define GLIBC_DIM(member, what, need, structure, path) #member "\0"
#define GLIBC_SYM(member, object, need, symbol) #member "\0"
#define GLIBC_SUM(member, base) #member "\0"
#include "layout/fields.def"
#undef GLIBC_OFF
#undef GLIBC_BIT
#undef GLIBC_DIM
#undef GLIBC_SYM
#undef GLIBC_SUM
    ;

unsigned glibc_word_count(void)
{
    return WORD_COUNT;
}

const char *glibc_word_name(unsigned word)
{
    const char *name = word_names;
    if (word >= WORD_COUNT)
        return "?";
    while (word) {
        while (*name)
            name++;
        name++;
        word--;
    }
    return name;
}

/* Runs of words that belong to one structure, and the word that holds its size (or its own first word: none). */
struct region {
    uint16_t first, last, size;
};

#define REGION(first, last, size) { GLIBC_WORD(first), GLIBC_WORD(last), GLIBC_WORD(size) }

static const struct region regions[] = {
    REGION(g_ns, g_ns_debug, g_ns_stride),
    REGION(g_nns, g_stack_cache_lock, g_size),
    REGION(ro_debug_mask, ro_cpu_features, ro_size),
    REGION(cf_size, cf_level4_cache_size, cf_size),
    REGION(lm_addr, lm_tls_dtor_count, lm_size),
    REGION(ln_size, ln_dont_free, ln_size),
    REGION(se_size, se_nlist, se_size),
    REGION(sl_len, sl_map, sl_slotinfo_stride),
    REGION(pd_tcb, pd_tls_state, pd_size),
    REGION(tun_count, tun_env_alias_size, tun_stride),
    REGION(hook_size, hook_libc_dlclose, hook_size),
};
enum { LINK_MAP = 4, REGION_COUNT = sizeof regions / sizeof regions[0] };

/* ---- finding and checking ---- */

static int same_id(const uint8_t *a, const uint8_t *b)
{
    for (unsigned i = 0; i < 20; i++)
        if (a[i] != b[i])
            return 0;
    return 1;
}

const struct glibc_layout *glibc_row_find(const struct glibc_layout *rows, unsigned count, const uint8_t ld_id[20],
                                          const uint8_t libc_id[20])
{
    for (unsigned i = 0; i < count; i++)
        if (same_id(rows[i].ld_build_id, ld_id) && same_id(rows[i].libc_build_id, libc_id))
            return &rows[i];
    return NULL;
}

struct comparison {
    const uint32_t *words;
    struct glibc_mismatch *why;
};

static int compare(void *ctx, const struct glibc_fact *fact)
{
    struct comparison *comparison = ctx;
    uint32_t expected = comparison->words[fact->word];
    if (expected == fact->value)
        return 0;
    *comparison->why = (struct glibc_mismatch){ glibc_word_name(fact->word), fact->source, expected, fact->value };
    return -GLIBC_E_MISMATCH;
}

/* Every offset must lie inside its structure, or a store through it would hit something else. */
static int check_ranges(const uint32_t *words, struct glibc_mismatch *why)
{
    for (unsigned r = 0; r < REGION_COUNT; r++) {
        uint32_t limit = words[regions[r].size];
        if (regions[r].size == GLIBC_WORD(sl_slotinfo_stride))
            continue; /* two structures in one region, each of two or three words */
        for (unsigned i = regions[r].first; i <= regions[r].last; i++) {
            int must = word_kind[i] & MUST;
            if ((word_kind[i] & KIND) != OFFSET || (!must && words[i] == GLIBC_ABSENT))
                continue;
            if (words[i] >= limit) {
                *why = (struct glibc_mismatch){ glibc_word_name(i), "size of its structure", limit, words[i] };
                return -GLIBC_E_RANGE;
            }
        }
    }
    return 0;
}

int glibc_row_check(const struct glibc_images *images, const struct glibc_layout *row, enum glibc_depth depth,
                    struct glibc_mismatch *why)
{
    struct comparison comparison = { glibc_words(row), why };
    int answer = check_ranges(comparison.words, why);
    return answer ? answer : glibc_facts(images, depth, compare, &comparison, why);
}

/* ---- deriving ---- */

struct collection {
    uint32_t *words;
    struct glibc_mismatch *why;
    uint8_t known[WORD_COUNT]; /* stated by evidence */
};

static int collect(void *ctx, const struct glibc_fact *fact)
{
    struct collection *collection = ctx;
    if (collection->known[fact->word] && collection->words[fact->word] != fact->value) {
        *collection->why = (struct glibc_mismatch){ glibc_word_name(fact->word), fact->source,
                                                    collection->words[fact->word], fact->value };
        return -GLIBC_E_CONTRADICTION;
    }
    collection->words[fact->word] = fact->value;
    collection->known[fact->word] = 1;
    return 0;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

static const struct glibc_layout *nearest_row(const struct glibc_layout *rows, unsigned count,
                                              const struct glibc_layout *sizes)
{
    const struct glibc_layout *best = NULL;
    uint32_t best_score = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t score = distance(rows[i].g_size, sizes->g_size) + distance(rows[i].ro_size, sizes->ro_size) +
                         distance(rows[i].pd_size, sizes->pd_size) +
                         distance(rows[i].lm_tls_modid, sizes->lm_tls_modid);
        if (!best || score < best_score) {
            best = &rows[i];
            best_score = score;
        }
    }
    return best;
}

/* A known field next to the one sought: where the nearest row has it and by how much it moved. */
struct neighbour {
    uint32_t at;
    uint32_t moved; /* modulo 2^32 */
};

/* A structure none of whose known words changed may keep what no evidence speaks of. */
static int is_unmoved(const struct collection *c, const uint32_t *row, const struct region *region)
{
    for (unsigned i = region->first; i <= region->last; i++)
        if (c->known[i] && c->words[i] != row[i])
            return 0;
    return !c->known[region->size] || c->words[region->size] == row[region->size];
}

/* Where offset `at` of the nearest row went. Returns 0 when the neighbours disagree. */
static int place_between(const struct collection *c, const uint32_t *row, const struct region *region, uint32_t at,
                         int unmoved, uint32_t *moved)
{
    struct neighbour below = { 0, 0 }, above = { GLIBC_ABSENT, 0 };
    int has_above = 0;
    for (unsigned i = region->first; i <= region->last; i++) {
        if (!c->known[i] || (word_kind[i] & KIND) != OFFSET || row[i] == GLIBC_ABSENT || c->words[i] == GLIBC_ABSENT)
            continue;
        if (row[i] <= at && row[i] >= below.at)
            below = (struct neighbour){ row[i], c->words[i] - row[i] };
        if (row[i] >= at && row[i] < above.at) {
            above = (struct neighbour){ row[i], c->words[i] - row[i] };
            has_above = 1;
        }
    }
    if (!has_above && c->known[region->size]) { /* the end of the structure is a neighbour too */
        above.moved = c->words[region->size] - row[region->size];
        has_above = 1;
    }
    *moved = below.moved;
    return has_above ? below.moved == above.moved : unmoved;
}

/* Fills the words of one structure that no fact stated. */
static int fill_region(struct collection *c, const uint32_t *row, const struct region *region, int frozen)
{
    int unmoved = is_unmoved(c, row, region) && frozen;
    uint32_t moved = 0;
    for (unsigned i = region->first; i <= region->last; i++) {
        int kind = word_kind[i] & KIND;
        int placed;
        if (c->known[i])
            continue;
        c->words[i] = GLIBC_ABSENT;
        if (kind == SUM || (row[i] == GLIBC_ABSENT && !(word_kind[i] & MUST)))
            continue;
        if (row[i] == GLIBC_ABSENT)
            placed = 0;
        else if (kind == OFFSET)
            placed = place_between(c, row, region, row[i], unmoved, &moved);
        else
            placed = unmoved;
        if (placed)
            c->words[i] = kind == OFFSET ? row[i] + moved : row[i];
        else if (word_kind[i] & MUST) {
            *c->why = (struct glibc_mismatch){ glibc_word_name(i), "neighbouring fields moved differently", row[i],
                                               GLIBC_ABSENT };
            return -GLIBC_E_UNPLACED;
        }
    }
    return 0;
}

/* struct link_map's size is stated nowhere; it is kept only when the whole of the structure is. */
static int fill_sizes(struct collection *c, const uint32_t *row)
{
    unsigned size = GLIBC_WORD(lm_size);
    if (is_unmoved(c, row, &regions[LINK_MAP])) {
        c->words[size] = row[size];
        return 0;
    }
    *c->why = (struct glibc_mismatch){ glibc_word_name(size), "struct link_map changed", row[size], GLIBC_ABSENT };
    return -GLIBC_E_UNPLACED;
}

int glibc_row_derive(const struct glibc_images *images, const struct glibc_layout *rows, unsigned count,
                     struct glibc_layout *out, const struct glibc_layout **nearest, struct glibc_mismatch *why)
{
    struct collection c = { &out->g_size, why, { 0 } };
    const uint32_t *row;
    int answer;
    for (unsigned i = 0; i < WORD_COUNT; i++)
        c.words[i] = GLIBC_ABSENT;
    answer = glibc_facts(images, GLIBC_CODE, collect, &c, why);
    if (answer)
        return answer;
    *nearest = nearest_row(rows, count, out);
    if (!*nearest) {
        *why = (struct glibc_mismatch){ "version", "", 0, 0 };
        return -GLIBC_E_NO_ROW;
    }
    row = glibc_words(*nearest);
    answer = fill_sizes(&c, row);
    for (unsigned r = 0; r < REGION_COUNT && answer == 0; r++) {
        /* No fact gives the end of struct cpu_features; it is embedded in _rtld_global_ro, whose next known field is
         * the static TLS size. */
        int frozen = regions[r].first != GLIBC_WORD(cf_size) ||
                     out->ro_tls_static_size - out->ro_cpu_features ==
                         (*nearest)->ro_tls_static_size - (*nearest)->ro_cpu_features;
        answer = fill_region(&c, row, &regions[r], frozen);
    }
    if (answer)
        return answer;
    if (!c.known[GLIBC_WORD(tun_list)]) {
        *why = (struct glibc_mismatch){ "tun_list", "names in ld.so's tunable list", (*nearest)->tun_list, GLIBC_ABSENT };
        return -GLIBC_E_UNPLACED;
    }
    out->lm_gnu_hash_index = out->lm_info_count - 1;
    glibc_image_version(images, out->version);
    glibc_image_build_id(&images->object[GLIBC_LD], out->ld_build_id);
    glibc_image_build_id(&images->object[GLIBC_LIBC], out->libc_build_id);
    return 0;
}
