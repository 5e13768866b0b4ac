/* bench.c - `make bench`: ld-ldr.so beside the system's linker, row by row, against the bars.
 *
 * Reads the rows file, runs every row as `LINKER PROGRAM ARGS` under both, prints two tables (time, memory) and
 * writes the same figures with all their fields as JSON. Not a test: exit 0 when every chosen row ran, whatever the
 * bars say; 1 when one did not; 2 for usage.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { MAX_ROWS = 64, MAX_WORDS = 16 };

struct row {
    char name[32];
    size_t runs;
    double bar, warm_bar;       /* cpu ratio, ours / system, at or under; the second for starts from the cache */
    char *command[SIDES][MAX_WORDS + 2]; /* LINKER PROGRAM ARGS NULL */
    bool chosen, ran;
    struct pair pair;
    struct pages pages[SIDES];
};

struct options {
    const char *linker[SIDES];
    const char *rows_file, *directory, *json_file;
    size_t runs, page_runs; /* 0: as the row says */
    int cpu;
    int only_side; /* -1, or the side to run alone (profile.sh) */
    bool show_command, show_pages;
    enum cache_state state;
};

static struct row row[MAX_ROWS];
static size_t row_count;

/* ---- the rows file ---- */

/* The next word of *text, double quotes removed, or NULL at its end or at a comment. */
static char *next_word(char **text)
{
    char *from = *text + strspn(*text, " \t\n"), *word = from, *to = from;
    if (!*from || *from == '#')
        return NULL;
    for (bool quoted = false; *from && (quoted || !isspace((unsigned char)*from)); from++)
        if (*from == '"')
            quoted = !quoted;
        else
            *to++ = *from;
    *text = *from ? from + 1 : from;
    *to = '\0';
    return word;
}

static char *expand(const char *word, const char *directory)
{
    char *out = NULL;
    if (*word != '@')
        return strdup(word);
    return asprintf(&out, "%s%s", directory, word + 1) < 0 ? NULL : out;
}

static int read_rows(const struct options *options)
{
    FILE *file = fopen(options->rows_file, "re");
    char line[1024];
    if (!file) {
        fprintf(stderr, "bench: %s: %s\n", options->rows_file, strerror(errno));
        return -1;
    }
    for (int number = 1; fgets(line, sizeof line, file); number++) {
        char *at = line, *name = next_word(&at), *runs = name ? next_word(&at) : NULL, *bar = runs ? next_word(&at) : NULL,
             *warm_bar = bar ? next_word(&at) : NULL;
        if (!name)
            continue;
        struct row *r = &row[row_count];
        size_t words = 0;
        for (char *word; warm_bar && words < MAX_WORDS && (word = next_word(&at)) != NULL; words++)
            r->command[OURS][words + 1] = expand(word, options->directory);
        if (!words || row_count == MAX_ROWS - 1) {
            fprintf(stderr, "bench: %s:%d: expected NAME RUNS CPU-BAR WARM-BAR COMMAND, at most %d rows\n", options->rows_file, number,
                    MAX_ROWS - 1);
            fclose(file);
            return -1;
        }
        memcpy(r->command[SYSTEM], r->command[OURS], sizeof r->command[OURS]);
        for (int side = 0; side < SIDES; side++)
            r->command[side][0] = (char *)options->linker[side];
        snprintf(r->name, sizeof r->name, "%s", name);
        r->runs = options->runs ? options->runs : strtoul(runs, NULL, 10);
        r->bar = strtod(bar, NULL);
        r->warm_bar = strtod(warm_bar, NULL);
        if (options->state == STATE_WARM)
            r->bar = r->warm_bar < r->bar ? r->warm_bar : r->bar;
        row_count++;
    }
    fclose(file);
    return 0;
}

static struct row *find_row(const char *name)
{
    for (size_t i = 0; i < row_count; i++)
        if (!strcmp(row[i].name, name))
            return &row[i];
    fprintf(stderr, "bench: no row %s; there are:", name);
    for (size_t i = 0; i < row_count; i++)
        fprintf(stderr, " %s", row[i].name);
    fputc('\n', stderr);
    return NULL;
}

/* ---- text ---- */

static bool time_met(const struct row *r)
{
    return r->pair.cpu.median <= r->bar;
}

/* The stack may differ by the page that randomisation adds or not (pages.c); nothing else may. */
static bool memory_met(const struct row *r)
{
    const struct private_kib *ours = &r->pages[OURS].entry, *system = &r->pages[SYSTEM].entry;
    return ours->readonly + ours->file + ours->memory <= system->readonly + system->file + system->memory &&
           ours->stack <= system->stack + 4;
}

static const char *verdict(bool met)
{
    return met ? "met" : "NOT MET";
}

static void print_time_head(void)
{
    printf("%-16s %4s  %17s  %17s  %22s  %4s %-7s  %22s  %13s\n", "", "", "wall ms, median", "cpu ms, median", "cpu ldr / system",
           "", "", "wall ldr / system", "minor faults");
    printf("%-16s %4s  %8s %8s  %8s %8s  %6s %15s  %4s %-7s  %6s %15s  %6s %6s\n", "row", "runs", "system", "ldr", "system", "ldr",
           "ratio", "95 %", "bar", "", "ratio", "95 %", "system", "ldr");
}

static void print_time(const struct row *r)
{
    const struct summary *ours = &r->pair.side[OURS], *system = &r->pair.side[SYSTEM];
    printf("%-16s %4zu  %8.3f %8.3f  %8.3f %8.3f  %6.3f  %6.3f..%6.3f  %4.2f %-7s  %6.3f  %6.3f..%6.3f  %6.0f %6.0f\n", r->name,
           r->pair.run_count, system->wall_us / 1e3, ours->wall_us / 1e3, system->cpu_us / 1e3, ours->cpu_us / 1e3,
           r->pair.cpu.median, r->pair.cpu.low, r->pair.cpu.high, r->bar, verdict(time_met(r)), r->pair.wall.median,
           r->pair.wall.low, r->pair.wall.high, system->faults, ours->faults);
}

static void print_private(const struct private_kib *kib)
{
    printf("  %6.0f %5.0f %6.0f %5.0f %7.0f", kib->readonly, kib->file, kib->memory, kib->stack,
           kib->readonly + kib->file + kib->memory + kib->stack);
}

static void print_memory(void)
{
    printf("\nprivate KiB (pages written: read-only now + .data of files + memory without file + stack = total)\n");
    printf("%-16s  %33s  %33s  %-7s  %15s  %15s\n", "", "at entry, system", "at entry, ldr", "", "total at exit", "page tables");
    printf("%-16s  %6s %5s %6s %5s %7s  %6s %5s %6s %5s %7s  %-7s  %7s %7s  %7s %7s\n", "row", "relro", "data", "memory", "stack",
           "total", "relro", "data", "memory", "stack", "total", "", "system", "ldr", "system", "ldr");
    for (const struct row *r = row; r < row + row_count; r++) {
        if (!r->ran)
            continue;
        printf("%-16s", r->name);
        print_private(&r->pages[SYSTEM].entry);
        print_private(&r->pages[OURS].entry);
        printf("  %-7s  %7.0f %7.0f  %7.0f %7.0f\n", verdict(memory_met(r)), r->pages[SYSTEM].exit.total, r->pages[OURS].exit.total,
               r->pages[SYSTEM].entry.tables, r->pages[OURS].entry.tables);
    }
}

/* Four times the libraries: how much more of everything, next to the bars of each. */
static void print_growth(void)
{
    const struct row *small = NULL, *large = NULL;
    for (const struct row *r = row; r < row + row_count; r++) {
        if (r->ran && !strcmp(r->name, "gen-100"))
            small = r;
        if (r->ran && !strcmp(r->name, "gen-400"))
            large = r;
    }
    if (small && large)
        printf("\n400 libraries over 100, cpu: system %.1f times, ldr %.1f times (linear is 4)\n",
               large->pair.side[SYSTEM].cpu_us / small->pair.side[SYSTEM].cpu_us,
               large->pair.side[OURS].cpu_us / small->pair.side[OURS].cpu_us);
}

static void print_totals(const struct options *options)
{
    size_t ran = 0, chosen = 0, in_time = 0, in_memory = 0;
    double shared = 0;
    for (const struct row *r = row; r < row + row_count; r++) {
        chosen += r->chosen;
        ran += r->ran;
        in_time += r->ran && time_met(r);
        in_memory += r->ran && memory_met(r);
        double waited = r->pair.side[SYSTEM].wall_us - r->pair.side[SYSTEM].cpu_us - 200;
        if (r->ran && waited / r->pair.side[SYSTEM].cpu_us > shared)
            shared = waited / r->pair.side[SYSTEM].cpu_us;
    }
    printf("\n%zu of %zu rows ran; cpu bar met in %zu, private KiB not above the system's in %zu\n", ran, chosen, in_time, in_memory);
    if (!strcmp(options->linker[OURS], options->linker[SYSTEM]))
        printf("both sides are %s: the ratios show the noise\n", options->linker[OURS]);
    if (shared > 0.1)
        printf("the cpu was shared (a median run waited up to %.0f %% of its cpu time): wall times say little\n", shared * 100);
}

/* ---- JSON ---- */

static void json_private(FILE *out, const char *name, const struct private_kib *kib, const char *end)
{
    fprintf(out, "\"%s\": {\"readonly\": %.0f, \"file\": %.0f, \"memory\": %.0f, \"stack\": %.0f, \"total\": %.0f, "
            "\"page_tables\": %.0f}%s", name, kib->readonly, kib->file, kib->memory, kib->stack, kib->total, kib->tables, end);
}

static void json_side(FILE *out, const struct row *r, int side, const char *name)
{
    const struct summary *s = &r->pair.side[side];
    fprintf(out,
            "      \"%s\": {\"wall_us\": %.1f, \"wall_min_us\": %.1f, \"cpu_us\": %.1f, \"cpu_min_us\": %.1f, "
            "\"minor_faults\": %.0f, \"preempted\": %.0f,\n        \"private_kib\": {",
            name, s->wall_us, s->wall_min_us, s->cpu_us, s->cpu_min_us, s->faults, s->preempted);
    json_private(out, "entry", &r->pages[side].entry, ", ");
    json_private(out, "exit", &r->pages[side].exit, "}},\n");
}

static void json_ratio(FILE *out, const char *name, const struct ratio *ratio)
{
    fprintf(out, "\"%s\": {\"median\": %.4f, \"low\": %.4f, \"high\": %.4f}, ", name, ratio->median, ratio->low, ratio->high);
}

/* Row names and paths come from our own files and need no escaping. */
static int write_json(const struct options *options)
{
    FILE *out = fopen(options->json_file, "we");
    struct utsname machine;
    const char *comma = "";
    if (!out || uname(&machine)) {
        fprintf(stderr, "bench: %s: %s\n", options->json_file, strerror(errno));
        return -1;
    }
    fprintf(out, "{\n  \"schema\": 1,\n  \"kernel\": \"%s\",\n  \"ldr\": \"%s\",\n  \"system\": \"%s\",\n  \"rows\": [", machine.release,
            options->linker[OURS], options->linker[SYSTEM]);
    for (const struct row *r = row; r < row + row_count; r++) {
        if (!r->ran)
            continue;
        fprintf(out, "%s\n    {\"name\": \"%s\", \"runs\": %zu,\n", comma, r->name, r->pair.run_count);
        json_side(out, r, SYSTEM, "system");
        json_side(out, r, OURS, "ldr");
        fprintf(out, "      ");
        json_ratio(out, "cpu_ratio", &r->pair.cpu);
        json_ratio(out, "wall_ratio", &r->pair.wall);
        fprintf(out, "\"cpu_bar\": %.2f, \"cpu_bar_met\": %s, \"private_bar_met\": %s}", r->bar, time_met(r) ? "true" : "false",
                memory_met(r) ? "true" : "false");
        comma = ",";
    }
    fprintf(out, "\n  ]\n}\n");
    if (fclose(out)) {
        fprintf(stderr, "bench: %s: %s\n", options->json_file, strerror(errno));
        return -1;
    }
    return 0;
}

/* ---- running ---- */

static int measure_row(struct row *r, const struct options *options)
{
    char *const *const argv[SIDES] = {r->command[OURS], r->command[SYSTEM]};
    const char *program = r->command[OURS][1];
    if (access(program, X_OK)) {
        printf("%-16s %s: %s\n", r->name, program, strerror(errno));
        return -1;
    }
    size_t warmup = r->runs < 10 ? 1 : 3;
    if (options->state == STATE_WARM && cache_warm(argv[OURS]))
        return -1;
    if (measure_pair(argv, r->runs, warmup, 0, &r->pair))
        return -1;
    for (int side = 0; side < SIDES && options->page_runs; side++)
        if (measure_pages(program, argv[side], options->page_runs, &r->pages[side]))
            return -1;
    r->ran = true;
    print_time(r);
    fflush(stdout);
    return 0;
}

/* For profilers: one side, no other work. Prints medians: wall us, cpu us, minor faults. */
static int run_alone(const struct row *r, const struct options *options)
{
    char *const *argv = r->command[options->only_side];
    struct summary summary;
    if (options->show_command) {
        puts(command_text(argv));
        return 0;
    }
    if (options->show_pages)
        return list_pages(argv[1], argv, stdout) ? 1 : 0;
    if (measure_one(argv, r->runs, 0, &summary))
        return 1;
    printf("%.1f %.1f %.0f\n", summary.wall_us, summary.cpu_us, summary.faults);
    return 0;
}

static void usage(FILE *out)
{
    fputs("usage: bench [options] [ROW...]     every row when none is named\n"
          "  -o FILE   our linker (build/ld-ldr.so)\n"
          "  -s FILE   the system's linker (/lib64/ld-linux-x86-64.so.2)\n"
          "  -r FILE   rows (tests/bench/rows)\n"
          "  -d DIR    where the built programs are (build/bench)\n"
          "  -n RUNS   runs of each row instead of the rows file's number\n"
          "  -m RUNS   runs for private pages (9); 0: none, where LINKER is no linker\n"
          "  -c CPU    pin to this cpu (the last one allowed)\n"
          "  -j FILE   write JSON there\n"
          "  -1 SIDE   only run ROW, under `ldr` or `system`: for profilers\n"
          "  -t STATE  of the cache: off, first (every start is the first), warm (every start was made before)\n"
          "  -p        with -1, only print the command\n"
          "  -P        with -1, run once and list the mappings with private pages at the program's entry\n", out);
}

static int parse_options(int argc, char **argv, struct options *options)
{
    for (int c; (c = getopt(argc, argv, "o:s:r:d:n:m:c:j:1:t:pPh")) != -1;)
        switch (c) {
        case 'o': options->linker[OURS] = optarg; break;
        case 's': options->linker[SYSTEM] = optarg; break;
        case 'r': options->rows_file = optarg; break;
        case 'd': options->directory = optarg; break;
        case 'n': options->runs = strtoul(optarg, NULL, 10); break;
        case 'm': options->page_runs = strtoul(optarg, NULL, 10); break;
        case 'c': options->cpu = atoi(optarg); break;
        case 'j': options->json_file = optarg; break;
        case '1': options->only_side = strcmp(optarg, "system") ? OURS : SYSTEM; break;
        case 't':
            options->state = strcmp(optarg, "off") == 0 ? STATE_OFF : strcmp(optarg, "first") == 0 ? STATE_FIRST : STATE_WARM;
            break;
        case 'p': options->show_command = true; break;
        case 'P': options->show_pages = true; break;
        case 'h': usage(stdout); exit(0);
        default: usage(stderr); return -1;
        }
    if (options->only_side >= 0 && argc - optind != 1) {
        usage(stderr);
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {
        .linker = {[OURS] = "build/ld-ldr.so", [SYSTEM] = "/lib64/ld-linux-x86-64.so.2"},
        .rows_file = "tests/bench/rows",
        .directory = "build/bench",
        .page_runs = 9,
        .cpu = -1,
        .only_side = -1,
    };
    if (parse_options(argc, argv, &options) || read_rows(&options))
        return 2;
    for (int i = optind; i < argc; i++) {
        struct row *r = find_row(argv[i]);
        if (!r)
            return 2;
        r->chosen = true;
    }
    for (struct row *r = row; r < row + row_count && optind == argc; r++)
        r->chosen = true;

    if (cache_use(options.state, options.directory))
        return 1;
    int cpu = pin_to_cpu(options.cpu);
    if (cpu < 0) {
        fprintf(stderr, "bench: cannot pin to cpu %d: %s\n", options.cpu, strerror(-cpu));
        return 1;
    }
    if (options.only_side >= 0)
        return run_alone(find_row(argv[optind]), &options);

    bool failed = false;
    static const char *const states[] = { "as the environment says", "off", "empty at each start", "every start made before" };
    printf("ldr %s, system %s, cpu %d; cache: %s\n", options.linker[OURS], options.linker[SYSTEM], cpu, states[options.state]);
    print_time_head();
    for (struct row *r = row; r < row + row_count; r++)
        if (r->chosen && measure_row(r, &options)) {
            printf("%-16s did not run\n", r->name);
            failed = true;
        }
    if (options.page_runs)
        print_memory();
    print_growth();
    print_totals(&options);
    if (options.json_file && write_json(&options))
        failed = true;
    return failed;
}
