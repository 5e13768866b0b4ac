/* report_text.c - the cache for people: a headline, the starts, the images, what is not usable. */
#include "report.h"
#include "../debuginfo/debuginfo.h"
#include "../ldr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double mib(u64 bytes) { return (double)bytes / (1024.0 * 1024.0); }

static const char *ending(size_t count) { return count == 1 ? "" : "s"; }

/* Columns are as wide as their longest entry. */
static int wider(int width, const char *text) {
    int len = (int)strlen(text);
    return len > width ? len : width;
}

static void put_last_read(const struct cache_dir *store, const struct start *start) {
    char text[32] = "never";
    struct tm tm;
    if (store->read_times == READ_TIMES_NONE)
        puts("not known");
    else if (!start_was_read(store, start) || !localtime_r(&start->read.tv_sec, &tm))
        puts(text);
    else if (strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm))
        puts(text);
}

static void put_starts(const struct cache_dir *store, size_t top) {
    size_t shown = 0, valid = 0;
    int width = (int)strlen("program");
    for (size_t i = 0; i < store->start_count; i++)
        if (store->starts[i].state == START_VALID && (!top || valid++ < top))
            width = wider(width, start_program(&store->starts[i]));
    for (size_t i = 0; i < store->start_count && (!top || shown < top); i++) {
        const struct start *start = &store->starts[i];
        if (start->state != START_VALID)
            continue;
        if (!shown++)
            printf("\n%-*s  entered  objects   pages  read-only  running  last read\n", width, "program");
        printf("%-*s  %-7s  %7zu  %6llu  %9llu  %7zu  ", width, start_program(start), start_entry(start), start->object_count,
               (unsigned long long)start->pages, (unsigned long long)start->read_only, start->users);
        put_last_read(store, start);
    }
    if (valid > shown)
        printf("(%zu more: --top 0)\n", valid - shown);
}

struct object_line { const char *path; size_t variants, records; u64 pages, read_only, mapped, saved; };

static bool same_file(const struct cached_image *a, const struct cached_image *b) { return memcmp(&a->file, &b->file, sizeof a->file) == 0; }

/* One line for all variants of a file; the images of one file need not stand together. */
static size_t gather(const struct cache_dir *store, struct object_line *lines) {
    size_t count = 0;
    for (size_t i = 0; i < store->image_count; i++) {
        bool first = true;
        for (size_t k = 0; k < i && first; k++)
            first = !same_file(&store->images[k], &store->images[i]);
        if (!first)
            continue;
        struct object_line *line = &lines[count++];
        *line = (struct object_line){ .path = store->images[i].path };
        for (size_t k = i; k < store->image_count; k++)
            if (same_file(&store->images[k], &store->images[i])) {
                line->variants++;
                line->pages += store->images[k].pages;
                line->read_only += store->images[k].read_only;
                line->records += store->images[k].start_count;
                line->mapped += store->images[k].use.mapped;
                line->saved += store->images[k].use.saved;
            }
    }
    return count;
}

static size_t put_images(const struct cache_dir *store, size_t top) {
    struct object_line *lines = must_alloc(store->image_count, sizeof *lines);
    size_t count = gather(store, lines), named = 0, unnamed = 0, shown = 0;
    int width = (int)strlen("object");
    for (size_t i = 0; i < count; i++) {
        if (lines[i].path && (!top || named < top))
            width = wider(width, lines[i].path);
        named += lines[i].path != NULL;
        unnamed += lines[i].path == NULL;
    }
    for (size_t i = 0; i < count && (!top || shown < top); i++) {
        if (!lines[i].path)
            continue;
        if (!shown++)
            printf("\n%-*s  variants   pages  read-only  records  mapped now   saved\n", width, "object");
        printf("%-*s  %8zu  %6llu  %9llu  %7zu  %10llu  %6llu\n", width, lines[i].path, lines[i].variants, (unsigned long long)lines[i].pages,
               (unsigned long long)lines[i].read_only, lines[i].records, (unsigned long long)lines[i].mapped, (unsigned long long)lines[i].saved);
    }
    if (named > shown)
        printf("(%zu more: --top 0)\n", named - shown);
    if (unnamed)
        printf("(and %zu object%s that no valid record uses)\n", unnamed, ending(unnamed));
    free(lines);
    return count;
}

static void put_unusable(const struct cache_dir *store, size_t top) {
    size_t shown = 0, count = 0;
    for (size_t i = 0; i < store->start_count; i++) {
        const struct start *start = &store->starts[i];
        if (start->state == START_VALID || (top && count++ >= top))
            continue;
        if (!shown++)
            puts("\nnot usable:");
        printf("  %s (%s): %s\n", start_program(start), start_state_name(start->state), start->why);
    }
    if (count > shown)
        printf("  (%zu more: --top 0)\n", count - shown);
    if (store->catalog_why && store->start_count)
        printf("\nThe catalog is not usable: %s. The next record made begins a new one.\n", store->catalog_why);
}

/* Names stand in records as somebody wrote them; nothing opens a file by them any more. */
static void make_names_printable(const struct cache_dir *store) {
    for (size_t i = 0; i < store->start_count; i++) {
        const struct start *start = &store->starts[i];
        if (start->why)
            make_printable(start->why);
        if (start->key_known && start->key.text[KEY_PATH])
            make_printable(start->key.text[KEY_PATH]);
        for (size_t k = 0; start->objects && k < start->object_count; k++)
            make_printable(start->objects[k].path);
    }
    for (size_t i = 0; i < store->image_count; i++)
        if (store->images[i].opened_path)      /* others have their name from a record */
            make_printable(store->images[i].opened_path);
}

void cache_report_text(const struct cache_dir *store, size_t top) {
    make_names_printable(store);
    size_t of[3] = { 0 };
    u64 packs = 0;
    for (size_t i = 0; i < store->start_count; i++)
        of[store->starts[i].state]++;
    for (size_t i = 0; i < store->pack_count; i++)
        packs += store->packs[i].size;
    printf("%s: %zu recorded start%s (%zu valid, %zu stale, %zu damaged), %zu image%s in %zu pack%s, %.1f MiB on disk.\n", store->path,
           store->start_count, ending(store->start_count), of[START_VALID], of[START_STALE], of[START_DAMAGED], store->image_count,
           ending(store->image_count), store->pack_count, ending(store->pack_count), mib(store->size));
    printf("%zu running process%s from it, with %llu pages of images in memory: %llu copies avoided, %.1f MiB saved%s.\n", store->use.processes,
           store->use.processes == 1 ? " maps pages" : "es map pages", (unsigned long long)store->use.mapped, (unsigned long long)store->use.saved,
           mib(store->use.saved * LDR_PAGE), store->use.exact || !store->use.processes ? "" : " (not exact)");
    if (store->use.unreadable)
        printf("%zu process%s of this user could not be looked into.\n", store->use.unreadable, store->use.unreadable == 1 ? "" : "es");
    if (store->unfinished)
        printf("%zu file%s being written, or left by makers that were killed.\n", store->unfinished, ending(store->unfinished));
    if (store->foreign)
        printf("%zu file%s that no linker wrote or trusts.\n", store->foreign, ending(store->foreign));
    put_starts(store, top);
    put_images(store, top);
    put_unusable(store, top);
    if (of[START_VALID])
        printf("\npages: relocated pages mapped from images; of these read-only ones are shared by all processes, the others until written.\n"
               "running: processes started from the record, and their forked children. last read: by a start or `ldr cache verify`%s.\n"
               "mapped now: image pages in running processes' page tables; saved: copies that sharing avoids.\n",
               store->read_times == READ_TIMES_DAY ? "; with relatime the last of them may be up to a day later" : "");
}

void cache_verdicts_text(const struct cache_dir *store, const struct verdicts *verdicts) {
    make_names_printable(store);
    for (size_t i = 0; i < verdicts->count; i++) {
        const struct verdict *verdict = &verdicts->list[i];
        if (verdict->result != VERDICT_HOLDS && verdict->result != VERDICT_NOT_ASKED)
            printf("%s: %s: %s (%s)\n", start_program(&store->starts[i]), verdict_name(verdict->result), verdict->why, store->starts[i].name);
    }
    for (size_t i = 0; i < verdicts->pack_count; i++)
        puts(verdicts->packs[i]);
    if (verdicts->images_left)
        printf("%zu image%s not compared: no record that holds uses %s, so nobody knows the start that would make %s again.\n", verdicts->images_left,
               verdicts->images_left == 1 ? " was" : "s were", verdicts->images_left == 1 ? "it" : "them", verdicts->images_left == 1 ? "it" : "them");
    printf("%zu hold, %zu differ, %zu stale, %zu not verified.\n", verdicts->of[VERDICT_HOLDS], verdicts->of[VERDICT_DIFFERS],
           verdicts->of[VERDICT_STALE], verdicts->of[VERDICT_CANNOT]);
}
