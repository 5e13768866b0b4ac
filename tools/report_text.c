/* report_text.c - the page report for people, one screen of it unless more is asked for: a headline, the table of objects
 * (report_objects.c), the sums, and what limits it. */
#include "ldr.h"
#include "report.h"
#include "host/resident.h"
#include "views/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { NUMBER_LEN = GROUPED_LEN, WON_NAMED = 5 };
/* A screen: of a terminal its size, but never so small that nothing would be left for objects; of anything else this. */
enum { SCREEN_LINES = 40, SCREEN_LINES_MIN = 24, SCREEN_WIDTH = 120 };

static double mib(uint64_t pages) { return (double)pages * (double)PAGE_LEN / (1024.0 * 1024.0); }

static void print_headline(FILE *out, const struct report *report) {
    const struct counts *total = &report->tally->total;
    size_t processes = report->collection->snapshot.owner_count;
    char pages[NUMBER_LEN], frames[NUMBER_LEN], avoided[NUMBER_LEN];
    bool bold = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    bool all = report->collection->snapshot.scope == SCOPE_ALL;
    fprintf(out, "%s%zu %sprocess%s%s map%s %s page%s%s in %s physical page%s: "
           "%s page cop%s avoided, %.1f MiB saved.%s\n\n",
           bold ? "\033[1m" : "", processes, report->which, plural_es(processes), report->where, processes == 1 ? "s" : "",
           grouped(total->pages, pages), plural(total->pages), all ? "" : " of programs and libraries", grouped(total->frames, frames),
           plural(total->frames), grouped(total->avoided, avoided), total->avoided == 1 ? "y" : "ies", mib(total->avoided),
           bold ? "\033[0m" : "");
}

/* Said only where a process was started from the linker's cache. */
static void print_images(FILE *out, const struct report *report) {
    const struct counts *total = &report->tally->total;
    char pages[NUMBER_LEN], frames[NUMBER_LEN], avoided[NUMBER_LEN];
    if (total->images)
        fprintf(out, "shared images (relocated once, for all): %s mapped pages of RELRO and data, private copies otherwise, in %s frames: "
               "%s copies avoided, %.1f MiB saved\n",
               grouped(total->images, pages), grouped(total->images - total->images_avoided, frames), grouped(total->images_avoided, avoided),
               mib(total->images_avoided));
}

/* The objects where most could be won by sharing relocated pages. */
static void print_won_objects(FILE *out, const struct report *report) {
    const struct tally *tally = report->tally;
    size_t count, *order = object_order(report, &count);
    uint64_t left = tally->total.won_relocated;
    char pages[NUMBER_LEN];
    for (size_t named = 0; named < WON_NAMED; named++) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < count; i++)
            if (order[i] != SIZE_MAX && tally->objects[order[i]].won_relocated &&
                (best == SIZE_MAX || tally->objects[order[i]].won_relocated > tally->objects[order[best]].won_relocated))
                best = i;
        if (best == SIZE_MAX)
            break;
        char *name = object_name(report, order[best], false);
        fprintf(out, "%s%s %s", named ? ", " : " (", name, grouped(tally->objects[order[best]].won_relocated, pages));
        left -= tally->objects[order[best]].won_relocated;
        order[best] = SIZE_MAX;
        free(name);
    }
    fprintf(out, "%s)", left ? ", ..." : "");
    free(order);
}

/* NAMED of the sets, most to be won first. */
static void print_duplicates(FILE *out, const struct report *report, size_t named) {
    const struct tally *tally = report->tally;
    char pages[NUMBER_LEN];
    for (size_t i = 0; i < tally->duplicates_count && tally->duplicates[i].won && i < named; i++) {
        const struct duplicates *set = &tally->duplicates[i];
        fprintf(out, "  %s of", grouped(set->won, pages));
        for (size_t k = 0; k < set->count && k < WON_NAMED; k++) {
            char *name = object_name(report, set->objects[k], true);
            fprintf(out, "%s %s", k ? "," : "", name);
            free(name);
        }
        fprintf(out, "%s\n", set->count > WON_NAMED ? ", ..." : "");
    }
}

/* The first is known where contents were compared, the second always, and said when there is any. */
static void print_won(FILE *out, const struct report *report, size_t named) {
    const struct counts *total = &report->tally->total;
    char pages[NUMBER_LEN];
    bool bound = total->causes[CAUSE_UNKNOWN] || total->unresolved;
    if (report->collection->causes_sought && total->causes[CAUSE_RELOCATION]) {
        fprintf(out, "could be won: ");
        if (total->won_relocated) {
            fprintf(out, "%s%s page%s, %.1f MiB, if relocated pages with equal content were shared", bound ? "at least " : "",
                   grouped(total->won_relocated, pages), plural(total->won_relocated), mib(total->won_relocated));
            print_won_objects(out, report);
            putc('\n', out);
        } else {
            fprintf(out, "nothing by sharing relocated pages%s: no two processes have the same content in one\n",
                   bound ? " that could be told apart" : "");
        }
    }
    if (total->won_duplicates) {
        fprintf(out, "could be won: %s page%s, %.1f MiB, if files of the same build-id were one file\n", grouped(total->won_duplicates, pages),
               plural(total->won_duplicates), mib(total->won_duplicates));
        print_duplicates(out, report, named);
    }
}

static void print_causes(FILE *out, const struct report *report) {
    const struct counts *total = &report->tally->total;
    const struct collection *collection = report->collection;
    char all[NUMBER_LEN], text[CAUSES][NUMBER_LEN];
    for (size_t cause = 0; cause < CAUSES; cause++)
        grouped(total->causes[cause], text[cause]);
    if (!collection->causes_sought) {
        fprintf(out, "private %s: --why tells what made them so, and what could be won\n", grouped(total->private_copies, all));
        return;
    }
    fprintf(out, "private %s = relocation only %s + relocation and write %s + write only %s + identical to the file %s",
           grouped(total->private_copies, all), text[CAUSE_RELOCATION], text[CAUSE_RELOCATION_AND_WRITE], text[CAUSE_WRITE],
           text[CAUSE_IDENTICAL]);
    if (total->causes[CAUSE_UNKNOWN])
        fprintf(out, " + unknown cause %s (%s)", text[CAUSE_UNKNOWN],
               collection->memory_unreadable   ? "memory not readable"
               : collection->files_unexplained ? "file not readable"
                                               : "changed meanwhile");
    putc('\n', out);
}

static void print_sums(FILE *out, const struct report *report, size_t named) {
    const struct counts *total = &report->tally->total;
    char a[NUMBER_LEN], b[NUMBER_LEN], c[NUMBER_LEN], d[NUMBER_LEN];
    fprintf(out, "mapped %s = frames %s + copies avoided %s", grouped(total->pages, a), grouped(total->frames, b),
           grouped(total->avoided, c));
    if (total->again)
        fprintf(out, " + mapped again by the same process %s", grouped(total->again, d));
    fprintf(out, " (%.1f MiB mapped, %.1f used, %.1f saved)", mib(total->pages), mib(total->frames), mib(total->avoided));
    fprintf(out, "\nframes %s = shared %s (by two or more processes) + alone %s (file page of one) + private %s (its own copy)",
           grouped(total->frames, a), grouped(total->shared, b), grouped(total->alone, c), grouped(total->private_copies, d));
    if (report->collection->snapshot.scope == SCOPE_ALL)
        fprintf(out, " + memory %s (its own, of no file)", grouped(total->memory, a));
    putc('\n', out);
    print_causes(out, report);
    print_images(out, report);
    print_won(out, report, named);
    if (total->shared_copies)
        fprintf(out, "%s of the shared frames %s, inherited by fork or merged by KSM\n", grouped(total->shared_copies, a),
                total->shared_copies == 1 ? "is a copy" : "are copies");
    if (total->swapped)
        fprintf(out, "%s page%s more in swap\n", grouped(total->swapped, a), plural(total->swapped));
}

/* Every page in one class, and the sums that the kernel has too. */
static void print_classes(FILE *out, const struct report *report) {
    const struct collection *collection = report->collection;
    const uint64_t *classes = report->tally->total.classes;
    uint64_t resident = 0, swapped = 0, rss = 0, swap = 0, tables = 0;
    char a[NUMBER_LEN], b[NUMBER_LEN], c[NUMBER_LEN], d[NUMBER_LEN];
    for (size_t i = 0; i < collection->snapshot.owner_count; i++) {
        rss += collection->names[i].facts.rss_pages;
        swap += collection->names[i].facts.swap_pages;
        tables += collection->names[i].facts.page_table_kib;
    }
    fprintf(out, "\n%-34s  %12s  %10s\n", "pages by class", "pages", "MiB");
    for (size_t i = 0; i < CLASSES; i++) {
        enum page_class class = (enum page_class)i;
        resident += class_is_resident(class) ? classes[i] : 0;
        swapped += class_is_swapped(class) ? classes[i] : 0;
        if (classes[i])
            fprintf(out, "%-34s  %12s  %10.1f%s\n", class_title(class), grouped(classes[i], a), mib(classes[i]),
                   class_is_resident(class) || class_is_swapped(class) ? "" : "  not in RSS");
    }
    fprintf(out, "resident %s %s RSS %s of the kernel's count; swapped %s %s swap %s\n", grouped(resident, a), resident == rss ? "=" : "beside",
           grouped(rss, b), grouped(swapped, c), swapped == swap ? "=" : "beside", grouped(swap, d));
    uint64_t unmapped = 0, cached;
    bool known = false;
    for (size_t i = 0; i < collection->snapshot.object_count; i++)
        if (report->cached ? (cached = report->cached[i]) != NOT_CACHED : file_resident(&collection->snapshot.objects[i], &cached)) {
            unmapped += report->cached ? cached : file_unmapped(cached, &report->tally->objects[i]);
            known = true;
        }
    if (known)
        fprintf(out, "page cache: %s page%s more of the mapped files, in memory and mapped by none of these processes\n", grouped(unmapped, a),
                plural(unmapped));
    fprintf(out, "page tables of these processes: %.1f MiB more\n\n", (double)tables / 1024);
}

static void print_method(FILE *out, const struct report *report) {
    const struct collection *collection = report->collection;
    fprintf(out, "method: %s, %u reading%s, %s\n",
           collection->snapshot.method == METHOD_FRAMES ? "frame numbers (/proc/PID/pagemap)"
                                                        : "file identity (no CAP_SYS_ADMIN for frame numbers)",
           collection->readings, plural(collection->readings), report->exact ? "exact" : "not complete (see below)");
}

/* Lines that the text takes on a screen of so many characters. */
static size_t lines_on(const char *text, size_t width) {
    size_t lines = 0;
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        size_t len = 0;
        for (const char *c = text; c < end; c++) {
            if (*c == '\033') /* bold, or not: no character of the screen */
                c += strcspn(c, "m");
            else
                len += ((unsigned char)*c & 0xc0) != 0x80;
        }
        lines += len ? (len + width - 1) / width : 1;
    }
    return lines;
}

static void screen_size(size_t *lines, size_t *width, size_t *narrow) {
    struct winsize terminal = { 0 };
    *lines = SCREEN_LINES;
    *width = SCREEN_WIDTH;
    *narrow = 0;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &terminal) != 0)
        return;
    if (terminal.ws_col)
        *width = *narrow = terminal.ws_col;
    if (terminal.ws_row) /* the last line is the prompt's */
        *lines = (terminal.ws_row < SCREEN_LINES_MIN ? SCREEN_LINES_MIN : terminal.ws_row) - 1u;
}

/* What the table leaves out. */
static void print_left_out(FILE *out, const struct report *report, size_t shown, size_t count) {
    const char *segments = report->segments ? "" : "--segments tells their segments";
    if (shown < count)
        fprintf(out, "listed: %zu of %zu objects; --top 0 lists all%s%s\n", shown, count, report->segments ? "" : ", ", segments);
    else if (*segments)
        fprintf(out, "listed: %s object%s; %s\n", count == 1 ? "the only" : "all", plural(count), segments);
}

static _Noreturn void no_memory(void) {
    warn_ldr("no memory for the report");
    exit(LDR_EXIT_FAILED);
}

struct part { char *text; size_t len; FILE *out; };

static FILE *part_begin(struct part *part) {
    *part = (struct part){ 0 };
    part->out = open_memstream(&part->text, &part->len);
    if (!part->out)
        no_memory();
    return part->out;
}

static void part_end(struct part *part) {
    if (fclose(part->out) != 0)
        no_memory();
}

static void make_notes(struct part *notes, const struct report *report, size_t named) {
    FILE *out = part_begin(notes);
    print_sums(out, report, named);
    if (report->collection->snapshot.scope == SCOPE_ALL)
        print_classes(out, report);
    print_method(out, report);
    part_end(notes);
}

/* The table, and what it leaves out, in so many lines of the screen: its own lines may be longer than the screen is wide, so it is made
 * again for less room until it fits, or has the fewest objects. True if it fits. */
static bool fit_table(struct part *table, const struct report *report, size_t lines, size_t width, size_t narrow) {
    size_t shown, count;
    for (size_t room = lines, taken; ; room -= taken - lines < room ? taken - lines : room) {
        FILE *out = part_begin(table);
        report_objects(out, report, room, narrow, &shown, &count);
        putc('\n', out);
        print_left_out(out, report, shown, count);
        part_end(table);
        taken = lines_on(table->text, width);
        if (taken <= lines)
            return true;
        if (!room || report->top != TOP_FIT)
            return false;
        free(table->text);
    }
}

/* The notes are made before the table, which has the lines that they leave. Where even the smallest table does not fit, they name less. */
void report_text(const struct report *report, size_t used) {
    struct part head, notes, table;
    size_t lines, width, narrow;
    screen_size(&lines, &width, &narrow);
    print_headline(part_begin(&head), report);
    part_end(&head);
    used += lines_on(head.text, width);
    for (size_t named = WON_NAMED; ; named = named > 1 ? 1 : 0) {
        make_notes(&notes, report, named);
        size_t taken = used + lines_on(notes.text, width);
        if (fit_table(&table, report, lines > taken ? lines - taken : 0, width, narrow) || !named || !report->top)
            break;
        free(notes.text);
        free(table.text);
    }
    fputs(head.text, stdout);
    fputs(table.text, stdout);
    fputs(notes.text, stdout);
    free(head.text);
    free(notes.text);
    free(table.text);
}
