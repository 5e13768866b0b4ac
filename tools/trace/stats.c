/* stats.c - the report of `ldr run --stats`. Phases and their faults come from the linker's record; faults of the whole process, its mappings
 * and its page tables from /proc, in the moment before it ends or while it runs.
 *
 * A page counts as present when the page table maps it. The kernel maps neighbours of a touched file page along with it (fault-around), so
 * present is what was touched and at most 15 pages beside each; a private copy is a page that was written, exactly. */
#include "stats.h"
#include "../json.h"

#include "../host/proc.h"
#include "../host/regions.h"
#include "../pages/pages.h"
#include "../ldr.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- looking -------------------------------------------------------------------------------------------------------- */

enum { BLOCK = 4096, LARGE = 64 << 20 };
#define PAGE_PRESENT (1ull << 63)
#define PAGE_SWAPPED (1ull << 62)
#define PAGE_OF_FILE (1ull << 61)

static void count_words(int pagemap, struct stats_range *range, uint64_t page, uint64_t end, bool of_file) {
    uint64_t words[BLOCK];
    while (page < end) {
        size_t want = end - page < BLOCK ? (size_t)(end - page) : BLOCK;
        ssize_t got = pread(pagemap, words, want * 8, (off_t)(page * 8));
        if (got <= 0)
            return;
        for (size_t i = 0; i < (size_t)got / 8; i++) {
            range->present += (words[i] & PAGE_PRESENT) != 0;
            range->private_copies += of_file && (words[i] & PAGE_PRESENT) && !(words[i] & PAGE_OF_FILE);
            range->swapped += (words[i] & PAGE_SWAPPED) != 0;
        }
        page += (uint64_t)got / 8;
    }
}

/* Of a large mapping only where something is: terabytes may be reserved (sanitizers do), and reading every word would take minutes. */
static void count_pages(int pagemap, struct stats_range *range, bool of_file) {
    struct regions regions = { 0 };
    bool large = range->end - range->start >= LARGE;
    if (large && regions_find(pagemap, range->start, range->end, &regions) != 0)
        regions.count = 0;
    for (size_t i = 0; large && i < regions.count; i++)
        count_words(pagemap, range, regions.list[i].start / 4096, regions.list[i].end / 4096, of_file);
    if (!large)
        count_words(pagemap, range, range->start / 4096, range->end / 4096, of_file);
    regions_free(&regions);
}

/* Field of /proc/PID/stat by its number in proc(5), from 4 on: the name in field 2 may hold anything. */
static uint64_t stat_field(const struct text *text, int number) {
    const char *at = strrchr(text->bytes, ')');
    for (int field = 2; at && field < number; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

void stats_look(pid_t pid, void *arg) {
    struct stats *stats = arg;
    struct text text = { 0 };
    pid_t task;
    int proc = proc_open_memory(pid, &task), pagemap = proc < 0 ? -1 : openat(proc, "pagemap", O_RDONLY | O_CLOEXEC);
    if (proc < 0)
        return;
    if (proc_read(proc, "stat", &text) == 0) {
        stats->minor = stat_field(&text, 10);
        stats->major = stat_field(&text, 12);
    }
    if (proc_read(proc, "status", &text) == 0) {
        const char *peak = strstr(text.bytes, "\nVmHWM:");
        stats->peak_kib = peak ? strtoull(peak + 7, NULL, 10) : 0;
    }
    stats->looked = pagemap >= 0 && proc_read(proc, "maps", &text) == 0;
    if (stats->looked) {
        char *cursor = text.bytes;
        struct map_line line;
        while (map_next(&cursor, &line)) {
            if (line.start >> 63)
                continue;         /* vsyscall */
            stats->ranges = must_grow(stats->ranges, stats->count + 1, sizeof *stats->ranges);
            struct stats_range *range = &stats->ranges[stats->count++];
            *range = (struct stats_range){ .start = line.start, .end = line.end, .path = must_format("%s", line.path),
                                           .executable = (line.access & ACCESS_EXEC) != 0 };
            count_pages(pagemap, range, line.ino != 0 && line.private);
        }
    }
    if (pagemap >= 0)
        close(pagemap);
    close(proc);
    text_free(&text);
}

void stats_free(struct stats *stats) {
    for (size_t i = 0; i < stats->count; i++)
        free(stats->ranges[i].path);
    free(stats->ranges);
    *stats = (struct stats){ 0 };
}

/* ---- summing -------------------------------------------------------------------------------------------------------- */

struct page_row { const char *path; uint64_t start, end, mapped, present, private_copies, swapped; };
struct phase_row { bool known; uint64_t ns, minor, major; };
struct sums {
    struct phase_row phases[TRACE_PHASES];
    struct page_row *rows;             /* objects loaded at the end, then what belongs to none */
    size_t count;
    struct page_row all;
    const char *program;
    uint64_t before, after, whole, before_minor, before_major;
    bool replaced;                /* by execve of a program on another linker: its objects are known by their mappings only */
};

static void add_phases(struct sums *sums, const struct trace_model *model, uint32_t pid, const struct stats *stats, const struct wall *wall) {
    const struct trace_phase *last = NULL;
    unsigned last_flag = 0;
    bool goes_on = false;
    uint64_t first_ns = UINT64_MAX, end_ns = 0;
    for (size_t i = 0; i < model->count; i++) {
        const struct story *story = &model->stories[i];
        if (story->pid != pid)
            continue;
        if (story->kind == STORY_PROCESS) { /* a later one replaces the earlier: execve */
            memset(sums->phases, 0, sizeof sums->phases);
            sums->program = traced_path(story->object);
            first_ns = story->start;
            last = NULL;
        }
        if (story->kind != STORY_PHASE)
            continue;
        const struct trace_phase *now = (const void *)(story->event + 1);
        if (!last) {
            sums->before_minor = now->minor_faults;
            sums->before_major = now->major_faults;
        } else {
            sums->phases[last_flag].minor = now->minor_faults - last->minor_faults;
            sums->phases[last_flag].major = now->major_faults - last->major_faults;
        }
        last = now;
        last_flag = story->event->flag < TRACE_END ? story->event->flag : TRACE_FINISH;
        sums->phases[last_flag].known = true;
        sums->phases[last_flag].ns = story->ended ? story->duration : 0;
        end_ns = story->start + sums->phases[last_flag].ns;
        goes_on = !story->ended;
    }
    if (last && stats->looked) {
        sums->phases[last_flag].minor = stats->minor - last->minor_faults;
        sums->phases[last_flag].major = stats->major - last->major_faults;
    }
    if (first_ns == UINT64_MAX)
        return;
    sums->before = model->mono + first_ns > wall->start ? model->mono + first_ns - wall->start : 0;
    sums->after = wall->end > model->mono + end_ns ? wall->end - model->mono - end_ns : 0;
    sums->whole = wall->end - wall->start;
    /* Still in it, or ended in it without finishing (a signal, _exit). */
    if (goes_on) {
        sums->phases[last_flag].ns = sums->after;
        sums->after = 0;
    }
}

static bool is_mapped(const struct page_row *row, const struct stats *stats) {
    for (size_t i = 0; i < stats->count; i++)
        if (stats->ranges[i].start == row->start && *stats->ranges[i].path)
            return true;
    return false;
}

/* Files of which something can be executed, with all that lies from their first to their last mapping. */
static void add_mapped_objects(struct sums *sums, const struct stats *stats) {
    for (size_t i = 0; i < stats->count; i++) {
        const struct stats_range *range = &stats->ranges[i];
        if (!range->executable || range->path[0] != '/')
            continue;
        struct page_row row = { .path = range->path, .start = UINT64_MAX };
        for (size_t k = 0; k < stats->count; k++)
            if (strcmp(stats->ranges[k].path, row.path) == 0) {
                row.start = row.start < stats->ranges[k].start ? row.start : stats->ranges[k].start;
                row.end = stats->ranges[k].end;
            }
        bool known = false;
        for (size_t k = 0; k < sums->count; k++)
            known |= strcmp(sums->rows[k].path, row.path) == 0;
        if (known)
            continue;
        sums->rows = must_grow(sums->rows, sums->count + 2, sizeof *sums->rows);
        sums->rows[sums->count++] = row;
    }
}

static void add_rows(struct sums *sums, const struct trace_model *model, uint32_t pid, const struct stats *stats) {
    for (size_t i = 0; i < model->count; i++) {
        const struct story *story = &model->stories[i];
        if (story->pid != pid)
            continue;
        if (story->kind == STORY_PROCESS)
            sums->count = 0;
        if (story->kind == STORY_MAP && story->object) {
            sums->rows = must_grow(sums->rows, sums->count + 2, sizeof *sums->rows);
            sums->rows[sums->count++] = (struct page_row){ .path = story->object->path, .start = story->object->start, .end = story->object->end };
        }
        for (size_t k = sums->count; story->kind == STORY_UNLOAD && story->object && k-- > 0;)
            if (sums->rows[k].start == story->object->start) {
                sums->rows[k] = sums->rows[--sums->count];
                break;
            }
    }
    if (sums->count && stats->looked && !is_mapped(&sums->rows[0], stats)) {
        sums->replaced = true;
        sums->count = 0;
        add_mapped_objects(sums, stats);
    }
    sums->rows = must_grow(sums->rows, sums->count + 1, sizeof *sums->rows);
    sums->rows[sums->count++] = (struct page_row){ .path = "heap, stack, other memory and files" };
    for (size_t i = 0; i < stats->count; i++) {
        const struct stats_range *range = &stats->ranges[i];
        struct page_row *row = &sums->rows[sums->count - 1];
        for (size_t k = 0; k + 1 < sums->count; k++)
            if (range->start >= sums->rows[k].start && range->start < sums->rows[k].end)
                row = &sums->rows[k];
        struct page_row *both[2] = { row, &sums->all };
        for (int k = 0; k < 2; k++) {
            both[k]->mapped += (range->end - range->start) / 4096;
            both[k]->present += range->present;
            both[k]->private_copies += range->private_copies;
            both[k]->swapped += range->swapped;
        }
    }
}

static int by_present(const void *a, const void *b) {
    const struct page_row *x = a, *y = b;
    if (x->present != y->present)
        return x->present < y->present ? 1 : -1;
    return strcmp(x->path, y->path);
}

/* ---- showing -------------------------------------------------------------------------------------------------------- */

static void put_phase(FILE *out, const char *name, const struct phase_row *row) {
    if (row->known)
        fprintf(out, "%-36s %11.3f %9" PRIu64 " %7" PRIu64 "\n", name, (double)row->ns / 1e6, row->minor, row->major);
}

static void print_text(const struct sums *sums, const struct stats *stats, FILE *out) {
    static const char *const names[] = { "load: search, map, read", "link: versions, scopes, TLS", "relocate", "protect: seal RELRO", "constructors",
                                         "running", "finish: destructors and exit" };
    fprintf(out, "\n%s: %.3f ms%s", sums->program ? sums->program : "?", (double)sums->whole / 1e6, stats->running ? " so far" : "");
    if (stats->looked)
        fprintf(out, ", %" PRIu64 " minor and %" PRIu64 " major faults, at most %" PRIu64 " KiB resident", stats->minor, stats->major, stats->peak_kib);
    fprintf(out, "\n\n%-36s %11s %9s %7s\n", "phase", "ms", "minor", "major");
    const struct phase_row before = { true, sums->before, sums->before_minor, sums->before_major };
    put_phase(out, "before the linker: fork, execve", &before);
    for (unsigned i = 0; i < TRACE_END; i++)
        put_phase(out, names[i], &sums->phases[i]);
    if (!stats->running)
        fprintf(out, "%-36s %11.3f\n", "after: memory given back, parent told", (double)sums->after / 1e6);
    if (!stats->looked) {
        fprintf(out, "\nits pages could not be looked at (ptrace or /proc refused it)\n");
        return;
    }
    if (sums->replaced)
        fprintf(out, "\nit became another program by execve, on another linker: the phases are those of %s\n", sums->program);
    fprintf(out, "\n%-36s %11s %9s %7s %7s\n", stats->running ? "object, pages of 4 KiB now" : "object, pages of 4 KiB at the end", "mapped", "present", "private", "swapped");
    for (size_t i = 0; i < sums->count; i++) {
        const struct page_row *row = &sums->rows[i];
        const char *slash = strrchr(row->path, '/');
        fprintf(out, "%-36s %11" PRIu64 " %9" PRIu64 " %7" PRIu64 " %7" PRIu64 "\n", slash ? slash + 1 : row->path, row->mapped, row->present, row->private_copies,
                row->swapped);
    }
    fprintf(out, "%-36s %11" PRIu64 " %9" PRIu64 " %7" PRIu64 " %7" PRIu64 "\n", "total", sums->all.mapped, sums->all.present, sums->all.private_copies,
            sums->all.swapped);
    fprintf(out, "\npresent: in its page table; touched, or mapped along with a touched page of a file. private: its own copy of a file's page.\n");
}

static void put_number(struct json_object *to, const char *key, uint64_t value) {
    json_object_object_add(to, key, json_object_new_uint64(value));
}

static void print_json(const struct sums *sums, const struct stats *stats, pid_t pid, FILE *out) {
    struct json_object *root = json_object_new_object(), *phases = json_object_new_array(), *objects = json_object_new_array();
    put_number(root, "schema_version", 1);
    put_number(root, "pid", (uint64_t)pid);
    json_object_object_add(root, "program", json_name(sums->program ? sums->program : "?"));
    put_number(root, "wall_ns", sums->whole);
    put_number(root, "before_ns", sums->before);
    put_number(root, "after_ns", sums->after);
    put_number(root, "before_minor_faults", sums->before_minor);
    put_number(root, "before_major_faults", sums->before_major);
    json_object_object_add(root, "replaced", json_object_new_boolean(sums->replaced));
    json_object_object_add(root, "running", json_object_new_boolean(stats->running));
    json_object_object_add(root, "pages_known", json_object_new_boolean(stats->looked));
    put_number(root, "minor_faults", stats->minor);
    put_number(root, "major_faults", stats->major);
    put_number(root, "peak_kib", stats->peak_kib);
    for (unsigned i = 0; i < TRACE_END; i++) {
        if (!sums->phases[i].known)
            continue;
        struct json_object *phase = json_object_new_object();
        json_object_object_add(phase, "phase", json_object_new_string(phase_name(i)));
        put_number(phase, "duration_ns", sums->phases[i].ns);
        put_number(phase, "minor_faults", sums->phases[i].minor);
        put_number(phase, "major_faults", sums->phases[i].major);
        json_object_array_add(phases, phase);
    }
    for (size_t i = 0; i < sums->count && stats->looked; i++) {
        const struct page_row *row = &sums->rows[i];
        struct json_object *object = json_object_new_object();
        json_object_object_add(object, "path", row->start ? json_name(row->path) : NULL);
        put_number(object, "pages_mapped", row->mapped);
        put_number(object, "pages_present", row->present);
        put_number(object, "pages_private", row->private_copies);
        put_number(object, "pages_swapped", row->swapped);
        json_object_array_add(objects, object);
    }
    json_object_object_add(root, "phases", phases);
    json_object_object_add(root, "objects", objects);
    fprintf(out, "%s\n", json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
}

void stats_print(const struct stats *stats, const struct record *record, pid_t pid, const struct wall *wall, bool as_json, FILE *out) {
    const struct story_filter filter = { .kinds = 1u << STORY_PROCESS | 1u << STORY_PHASE | 1u << STORY_MAP | 1u << STORY_UNLOAD };
    struct trace_model model;
    struct sums sums = { .whole = wall->end - wall->start };
    model_make(record, &filter, &model);
    add_phases(&sums, &model, (uint32_t)pid, stats, wall);
    add_rows(&sums, &model, (uint32_t)pid, stats);
    if (sums.count > 1)
        qsort(sums.rows, sums.count - 1, sizeof *sums.rows, by_present);
    if (as_json)
        print_json(&sums, stats, pid, out);
    else
        print_text(&sums, stats, out);
    free(sums.rows);
    model_free(&model);
}
