/* catalog.c - which file's objects lie where, and which images were made of them. Read and rewritten by makers only, under the lock.
 *
 * All objects of one user and boot lie in one region at a random address, one behind the other as they were first met: their page
 * tables stay as few as those of objects the kernel places. Addresses are never used twice before the catalog is made anew. */
#include "cache_private.h"

/* Where the kernel itself puts libraries (the top of the address space, below the stack): nothing else expects to find that place free,
 * and tools that divide the address space (sanitizers) allow it. 1.3 TiB: 28 bits of pages. */
#define REGION_LO 0x7e9000000000ull
#define REGION_HI 0x7fd000000000ull
#define REGION_LEN (64ull << 30)
#define CATALOG_MOST (1u << 20)
#define PLACES_MOST 16384u            /* files come and go, places only come: with so many a new catalog is drawn */

static bool table_fits(u64 off, u64 count, u64 width, u64 size)
{
    u64 len, end;
    return count <= CATALOG_MOST && mul_u64(count, width, &len) && add_u64(off, len, &end) && end <= size && off % 8 == 0;
}

static bool images_sound(const struct catalog_head *head)
{
    const struct known_image *image = (const void *)((const u8 *)head + head->images);
    for (u32 i = 0; i < head->image_count; i++) {
        if (image[i].piece_count > PIECES_MOST)
            return false;
        for (u32 k = 0; k < image[i].piece_count; k++)
            if (image[i].pieces[k].pack >= head->pack_count)
                return false;
    }
    return true;
}

static bool catalog_sound(const struct catalog_head *head, u64 len)
{
    return len >= sizeof *head && head->magic == CATALOG_MAGIC && head->size == len &&
           head->sum == cache_sum((const u8 *)head + 24, len - 24) && memcmp(head->boot, cache.boot, 16) == 0 &&
           table_fits(head->places, head->place_count, sizeof(struct place), len) &&
           table_fits(head->images, head->image_count, sizeof(struct known_image), len) &&
           table_fits(head->packs, head->pack_count, sizeof(struct pack_ref), len) && head->next >= head->base && head->next <= head->end && images_sound(head) &&
           age_agrees(head->born, AGE_NONE);
}

static bool make_new(struct catalog *catalog)
{
    u64 draw;
    if (sys_getrandom(&draw, sizeof draw) != sizeof draw)
        return false;
    u64 base = REGION_LO + align_down(draw % (REGION_HI - REGION_LO - REGION_LEN), LDR_PAGE);
    catalog->head = (struct catalog_head){ .magic = CATALOG_MAGIC, .base = base, .next = base + 4 * LDR_PAGE, .end = base + REGION_LEN };
    catalog->head.born = age_now();
    memcpy(catalog->head.boot, cache.boot, 16);
    catalog->changed = catalog->is_new = true;
    return true;
}

/* A copy of `count` elements with room for `more`. */
static void *copy_table(const void *from, u32 count, u32 more, u64 width)
{
    void *to = arena_zalloc(&cache.scratch, (u64)(count + more) * width);
    if (to && count)
        memcpy(to, from, (u64)count * width);
    return to;
}

/* To make a start anew as a record says it was made: its places, whatever became of the catalog. */
static struct catalog *catalog_of_record(struct catalog *catalog, const struct record_head *record)
{
    const struct record_object *object = (const void *)((const char *)record + record->objects);
    catalog->head = (struct catalog_head){ .base = record->gate, .next = REGION_HI, .end = REGION_HI };
    catalog->place_room = record->object_count;
    catalog->place = arena_zalloc(&cache.scratch, record->object_count * sizeof *catalog->place);
    for (u32 i = 0; i < record->object_count && catalog->place; i++)
        if (object[i].kind != KIND_KERNEL)
            catalog->place[catalog->head.place_count++] = (struct place){ object[i].file, object[i].map_start, object[i].map_end - object[i].map_start };
    return catalog->place ? catalog : NULL;
}

struct catalog *catalog_read(const struct record_head *as_of)
{
    struct catalog *catalog = arena_zalloc(&cache.scratch, sizeof *catalog);
    if (!catalog)
        return NULL;
    if (as_of)
        return catalog_of_record(catalog, as_of);
    u64 len = 0;
    const struct catalog_head *head = store_map(cache.dir, "catalog", &len);
    bool sound = head && catalog_sound(head, len) && head->place_count <= PLACES_MOST;
    if (sound)
        catalog->head = *head;
    else if (!make_new(catalog))
        return NULL;
    const u8 *bytes = (const u8 *)head;
    u32 more = 512;
    catalog->places_read = catalog->head.place_count;
    catalog->place_room = catalog->head.place_count + 4096;
    catalog->image_room = catalog->head.image_count + 4096;
    catalog->pack_room = catalog->head.pack_count + more;
    catalog->place = copy_table(sound ? bytes + head->places : NULL, catalog->head.place_count, 4096, sizeof *catalog->place);
    catalog->image = copy_table(sound ? bytes + head->images : NULL, catalog->head.image_count, 4096, sizeof *catalog->image);
    catalog->pack = copy_table(sound ? bytes + head->packs : NULL, catalog->head.pack_count, more, sizeof *catalog->pack);
    if (head)
        sys_munmap((void *)head, len);
    return catalog->place && catalog->image && catalog->pack ? catalog : NULL;
}

bool catalog_write(struct catalog *catalog)
{
    struct catalog_head *head = &catalog->head;
    head->places = align_up(sizeof *head, 8);
    head->images = (u32)(head->places + head->place_count * sizeof *catalog->place);
    head->packs = (u32)(head->images + head->image_count * sizeof *catalog->image);
    head->size = head->packs + (u64)head->pack_count * sizeof *catalog->pack;
    u8 *bytes = arena_zalloc(&cache.scratch, head->size);
    if (!bytes)
        return false;
    memcpy(bytes + head->places, catalog->place, head->place_count * sizeof *catalog->place);
    memcpy(bytes + head->images, catalog->image, head->image_count * sizeof *catalog->image);
    memcpy(bytes + head->packs, catalog->pack, (u64)head->pack_count * sizeof *catalog->pack);
    memcpy(bytes, head, sizeof *head);
    head->sum = ((struct catalog_head *)bytes)->sum = cache_sum(bytes + 24, head->size - 24);
    struct writer writer;
    if (!writer_start(&writer, cache.dir))
        return false;
    writer_put(&writer, bytes, head->size);
    return writer_end(&writer, "catalog");
}

struct place *catalog_find_place(struct catalog *catalog, const struct file_identity *file)
{
    for (u32 i = 0; i < catalog->head.place_count; i++)
        if (memcmp(&catalog->place[i].file, file, sizeof *file) == 0)
            return &catalog->place[i];
    return NULL;
}

u64 catalog_place(struct catalog *catalog, const struct stat *st, const struct plan *plan)
{
    struct catalog_head *head = &catalog->head;
    struct file_identity file;
    identity_of(st, &file);
    u64 span = plan->hi_page - plan->lo_page;
    struct place *known = catalog_find_place(catalog, &file);
    if (known)
        return known->len == span ? known->start : 0;
    u64 align = plan->align, phase = plan->lo_page & (align - 1);
    if (plan->huge_vaddr && align < LDR_HUGE_PAGE) {
        align = LDR_HUGE_PAGE;
        phase = (plan->huge_off - (plan->huge_vaddr - plan->lo_page)) & (align - 1);
    }
    u64 start = align_down(head->next, align) + phase;
    if (start < head->next)
        start += align;
    if (head->place_count == catalog->place_room || span > REGION_LEN / 4 || start + span + LDR_PAGE > head->end)
        return 0;
    catalog->place[head->place_count++] = (struct place){ file, start, span };
    head->next = start + span + LDR_PAGE;       /* a page between two objects faults */
    catalog->changed = true;
    return start;
}

bool catalog_add_image(struct catalog *catalog, const struct known_image *image)
{
    if (catalog->head.image_count == catalog->image_room)
        return false;
    catalog->image[catalog->head.image_count++] = *image;
    return true;
}

u32 catalog_add_pack(struct catalog *catalog, const char *name)
{
    if (catalog->head.pack_count == catalog->pack_room)
        return NO_OBJECT;
    struct text t = text_on(catalog->pack[catalog->head.pack_count].name, CACHE_NAME_ROOM);
    text_put(&t, name);
    return catalog->head.pack_count++;
}
