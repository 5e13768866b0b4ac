/* find_object.c - address to object without a lock, for unwinders: called while throwing, in signal handlers, on many threads at once.
 *
 * A sorted array of ranges behind a sequence counter, in two copies used in turn: writers (load lock held) fill the idle copy, then
 * switch. A reader that was overtaken twice sees the counter change and starts again. Outgrown arrays are never freed: a reader may
 * still stand in one. */
#include "run.h"

struct table { u32 count, room; struct found_range range[]; };

static struct table *tables[2];
static u32 sequence;                  /* low bit: which copy is current */

/* Count and ranges are one block: whatever mixture a slow reader sees, it stays inside. */
static struct table *table_with_room(struct table *table, u32 count)
{
    if (table && count <= table->room)
        return table;
    u32 room = session.started ? count + count / 2 + 8 : count + 2;
    u64 len = sizeof *table + room * sizeof table->range[0];
    table = session.started ? heap_alloc(len) : arena_zalloc(&session.permanent, len);
    if (table)
        table->room = room;
    return table;
}

static void insert(struct table *table, struct object *object)
{
    u32 at = table->count++;
    while (at && table->range[at - 1].start > object->map_start) {
        table->range[at] = table->range[at - 1];
        at--;
    }
    table->range[at] = (struct found_range){ object->map_start, object->map_end, object };
}

bool find_table_update(void)
{
    u32 next = sequence + 1;
    struct table *table = table_with_room(tables[next & 1], session.object_count);
    if (!table)
        return false;
    table->count = 0;
    /* The kernel maps downwards, so list order backwards is nearly sorted. */
    for (struct object *object = session.last; object; object = object->prev)
        if (object->map_end > object->map_start)
            insert(table, object);
    __atomic_store_n(&tables[next & 1], table, __ATOMIC_RELEASE);
    __atomic_store_n(&sequence, next, __ATOMIC_RELEASE);
    return true;
}

const struct found_range *find_range(u64 addr, struct found_range *copy)
{
    if (addr - session.self.start < session.self.end - session.self.start)
        return &session.self;
    for (;;) {
        u32 seen = __atomic_load_n(&sequence, __ATOMIC_ACQUIRE);
        const struct table *table = __atomic_load_n(&tables[seen & 1], __ATOMIC_ACQUIRE);
        u32 lo = 0, hi = table ? table->count : 0, count = hi;
        bool found = false;
        while (lo < hi) {
            u32 mid = lo + (hi - lo) / 2;
            if (table->range[mid].end <= addr)
                lo = mid + 1;
            else
                hi = mid;
        }
        if (lo < count && table->range[lo].start <= addr && addr < table->range[lo].end) {
            *copy = table->range[lo];
            found = true;
        }
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&sequence, __ATOMIC_RELAXED) == seen)
            return found ? copy : NULL;
    }
}
