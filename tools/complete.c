/* complete.c - `ldr __complete WORD...`: what may stand in the place of the last word. The scripts in tools/completion ask this at every key, so
 * bash, zsh and fish say the same, and what is offered is read from the --help of the command itself: there is no second list.
 *
 * Each line is a candidate, with a tab and a description where there is one; or, with a colon in front, where the shell finds candidates:
 *   :files  :dirs  :programs  :pids  :users      for the last word, or for what follows the '=' in it
 *   :rest N                                      words from the Nth on (0 is `ldr`) are a command line of their own
 * How an option's value is completed follows from its name in the help: FILE, DIR, PATH, PID, USER, or the words of a list "one|two". */
#include "complete.h"
#include "ldr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELP_MAX = 64 << 10, NAME_MAX_LEN = 64 };

struct option_line { char short_name; const char *name, *meta, *text; size_t name_len, meta_len; bool optional; };

/* The help of `ldr WORD...`, lines not folded; "" when it has none. */
static char *help_of(char *const *words, size_t count) {
    char *text = must_alloc(HELP_MAX, 1);
    size_t len = 0;
    int ends[2];
    if (pipe(ends) != 0)
        return text;
    pid_t child = fork();
    if (child == 0) {
        char **argv = must_alloc(count + 3, sizeof *argv);
        argv[0] = "ldr";
        for (size_t i = 0; i < count; i++)
            argv[i + 1] = words[i];
        argv[count + 1] = "--help";
        setenv("ARGP_HELP_FMT", "rmargin=4000", 1);
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    close(ends[1]);
    for (ssize_t got; child > 0 && len < HELP_MAX - 1 && (got = read(ends[0], text + len, HELP_MAX - 1 - len)) > 0;)
        len += (size_t)got;
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return text;
}

static const char *next_line(const char *at) {
    at += strcspn(at, "\n");
    return *at ? at + 1 : NULL;
}

/* "  -o, --output=FILE   text" or "      --csv[=WHAT]   text" */
static bool read_option(const char *line, struct option_line *option) {
    size_t blank = strspn(line, " ");
    *option = (struct option_line){ 0 };
    const char *at = line + blank;
    if (blank < 2 || blank > 6 || *at != '-')
        return false;
    if (at[1] != '-') {
        option->short_name = at[1];
        if (at[2] != ',' || at[3] != ' ')
            return false;
        at += 4;
    }
    if (at[0] != '-' || at[1] != '-')
        return false;
    option->name = at;
    option->name_len = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
    at += option->name_len;
    option->optional = *at == '[';
    at += option->optional;
    if (*at == '=') {
        option->meta = at + 1;
        option->meta_len = strcspn(at + 1, option->optional ? "] \n" : " \n");
        at += 1 + option->meta_len + option->optional;
    }
    at += strcspn(at, " \n");
    option->text = at + strspn(at, " ");
    if (*option->text == '\n' && strspn(option->text + 1, " ") > 20)     /* a long name pushes its text to the next line */
        option->text += 1 + strspn(option->text + 1, " ");
    return option->name_len > 2;
}

/* By its long name (LEN characters), or by SHORT_NAME. */
static bool find_option(const char *help, const char *name, size_t len, char short_name, struct option_line *option) {
    for (const char *line = help; line; line = next_line(line))
        if (read_option(line, option) && ((name && option->name_len == len && strncmp(option->name, name, len) == 0) ||
                                          (short_name && option->short_name == short_name)))
            return true;
    return false;
}

static bool is(const char *text, size_t len, const char *word) { return strlen(word) == len && strncmp(text, word, len) == 0; }

static void offer(const char *before, size_t before_len, const char *text, size_t len, const char *word) {
    if (len >= strlen(word) && strncmp(text, word, strlen(word)) == 0)
        printf("%.*s%.*s\n", (int)before_len, before, (int)len, text);
}

/* The last of a list that commas separate: what is before it stays. */
static void offer_kinds(const char *help, const char *before, size_t before_len, const char *word) {
    const char *kinds = strstr(help, "\nKinds: "), *comma = strrchr(word, ',');
    size_t kept = comma ? (size_t)(comma - word) + 1 : 0;
    char *front = must_format("%.*s%.*s", (int)before_len, before, (int)kept, word);
    for (const char *at = kinds ? kinds + 8 : ""; *at && *at != '\n';) {
        size_t len = strcspn(at, " \n");
        offer(front, strlen(front), at, len, word + kept);
        at += len + (at[len] == ' ');
    }
    free(front);
}

/* META's candidates for WORD; BEFORE ("--level=") stands in front of it in the shell's word. */
static void offer_value(const char *help, const char *meta, size_t meta_len, const char *before, size_t before_len, const char *word) {
    if (is(meta, meta_len, "FILE"))
        puts(":files");
    else if (is(meta, meta_len, "DIR") || is(meta, meta_len, "PATH"))
        puts(":dirs");
    else if (is(meta, meta_len, "PID"))
        puts(":pids");
    else if (is(meta, meta_len, "USER"))
        puts(":users");
    else if (is(meta, meta_len, "KINDS"))
        offer_kinds(help, before, before_len, word);
    else if (memchr(meta, '|', meta_len) && *meta >= 'a' && *meta <= 'z')
        for (size_t at = 0; at < meta_len;) {
            size_t len = strcspn(meta + at, "|]\n ");
            len = at + len > meta_len ? meta_len - at : len;
            offer(before, before_len, meta + at, len, word);
            at += len + 1;
        }
    else
        puts(":files");
}

static void offer_options(const char *help, const char *word) {
    struct option_line option;
    for (const char *line = help; line; line = next_line(line))
        if (read_option(line, &option) && option.name_len >= strlen(word) && strncmp(option.name, word, strlen(word)) == 0)
            printf("%.*s%s\t%.*s\n", (int)option.name_len, option.name, option.meta && !option.optional ? "=" : "", (int)strcspn(option.text, "\n"), option.text);
}

/* ---- what is no option ------------------------------------------------------------------------------------------------- */

/* The words of one line of the usage behind "[OPTION...]": each is offered where it stands, the last with "..." again and again. */
static void offer_placeholder(const char *at, size_t len, const char *word) {
    bool optional = *at == '[';
    at += optional;
    len -= optional;
    len -= len > 3 && strncmp(at + len - 3, "...", 3) == 0 ? 3 : 0;
    len -= len && at[len - 1] == ']';
    len -= len > 3 && strncmp(at + len - 3, "...", 3) == 0 ? 3 : 0;
    if (*at >= 'a' && *at <= 'z')
        for (size_t from = 0; from < len;) {
            size_t part = strcspn(at + from, "|]");
            part = from + part > len ? len - from : part;
            offer("", 0, at + from, part, word);
            from += part + 1;
        }
    else if (is(at, len, "PROGRAM") || is(at, len, "COMMAND"))
        puts(":programs");
    else if (strncmp(at, "PID", 3) == 0)
        puts(":pids");
    else if (strncmp(at, "SYMBOL", 6) != 0 && strncmp(at, "ADDRESS", 7) != 0)
        puts(":files");
}

static bool repeats(const char *at, size_t len) { return memmem(at, len, "...", 3) != NULL; }

/* One usage line against the COUNT words before the one to complete. */
static void offer_from_usage(const char *at, char *const *before, size_t count, const char *word) {
    size_t done = 0;
    for (; *at && *at != '\n'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " \n");
        if (strncmp(at, "[OPTION...]", len) == 0 || *at == '-') {
            at += len;
            continue;
        }
        bool fixed = (at[*at == '['] >= 'a' && at[*at == '['] <= 'z');
        if (done == count) {
            offer_placeholder(at, len, word);
            return;
        }
        if (fixed && !memmem(at, len, before[done], strlen(before[done])))
            return;               /* the line of another word */
        done = repeats(at, len) ? count : done + 1;
        if (done == count && repeats(at, len)) {
            offer_placeholder(at, len, word);
            return;
        }
        at += len;
    }
}

static bool starts_a_command(const char *help) {
    const char *end = strchr(help, '\n');
    return end && (memmem(help, (size_t)(end - help), "PROGRAM [ARG...]", 16) || memmem(help, (size_t)(end - help), "COMMAND [ARG...]", 16));
}

static void offer_positional(const char *help, const char *command, char *const *before, size_t count, const char *word) {
    char *head = must_format("ldr %s ", command);
    for (const char *line = help; line && (strncmp(line, "Usage:", 6) == 0 || strncmp(line, "  or:", 5) == 0); line = next_line(line)) {
        const char *at = strstr(line, head);
        const char *end = line + strcspn(line, "\n");
        if (at && at < end)
            offer_from_usage(at + strlen(head), before, count, word);
    }
    free(head);
}

/* The commands as `ldr --help` has them: "  ldr NAME ..." and below it a line that says what it is. */
static void offer_commands(const char *word, bool pages) {
    char *help = help_of(NULL, 0), seen[1024] = " ";
    for (const char *line = help; line; line = next_line(line)) {
        char name[NAME_MAX_LEN], *key;
        const char *text = next_line(line);
        if (sscanf(line, "  ldr %63[a-z]", name) != 1 || line[0] != ' ' || !text || strncmp(text, "        ", 8) != 0)
            continue;
        key = must_format(" %s ", name);
        if (!strstr(seen, key) && strlen(seen) + strlen(key) < sizeof seen && strncmp(name, word, strlen(word)) == 0) {
            strcat(seen, key);
            printf("%s\t%.*s\n", name, (int)strcspn(text + 8, "\n"), text + 8);
        }
        free(key);
    }
    if (pages && strncmp("ld-ldr.so", word, strlen(word)) == 0)
        puts("ld-ldr.so\tthe linker");
    if (!pages && *word == '-')
        puts("--help\n--version");
    free(help);
}

int complete(int argc, char **words) {
    if (argc < 1)
        return LDR_EXIT_USAGE;
    const char *word = words[argc - 1];
    if (argc == 1) {
        offer_commands(word, false);
        return LDR_EXIT_OK;
    }
    if (strcmp(words[0], "help") == 0 && *word != '-') {
        if (argc == 2)
            offer_commands(word, true);
        return LDR_EXIT_OK;
    }
    char *command = must_format("%s", words[0]), *help = help_of(words, 1);
    char **before = must_alloc((size_t)argc, sizeof *before);
    size_t count = 0;
    bool only_words = false;
    struct option_line option, waiting = { 0 };   /* the option whose value the next word is */
    for (int i = 1; i < argc - 1; i++) {
        const char *at = words[i];
        if (waiting.meta) {
            waiting.meta = NULL;
        } else if (!only_words && strcmp(at, "--") == 0) {
            only_words = true;
        } else if (!only_words && at[0] == '-' && at[1]) {
            size_t len = strcspn(at, "=");
            bool known = at[1] == '-' ? !at[len] && find_option(help, at, len, 0, &option) : !at[2] && find_option(help, NULL, 0, at[1], &option);
            if (known && option.meta && !option.optional)
                waiting = option;
        } else {
            if (starts_a_command(help)) {
                printf(":rest %d\n", i + 1);
                goto out;
            }
            before[count++] = words[i];
            /* A word may be a command of its own (`ldr pages diff`), with options of its own. */
            char *both[2] = { words[0], words[i] }, *longer = must_format("ldr %s %s ", words[0], words[i]);
            char *own = count == 1 ? help_of(both, 2) : must_format("%s", "");
            if (strstr(own, longer) && strncmp(own, "Usage: ", 7) == 0 && strncmp(own + 7, longer, strlen(longer)) == 0) {
                free(help);
                free(command);
                help = own;
                own = NULL;
                command = must_format("%s %s", words[0], words[i]);
                count = 0;
            }
            free(own);
            free(longer);
        }
    }
    const char *value = strchr(word, '=');
    if (waiting.meta)
        offer_value(help, waiting.meta, waiting.meta_len, "", 0, word);
    else if (!only_words && word[0] == '-' && value && find_option(help, word, (size_t)(value - word), 0, &option) && option.meta)
        offer_value(help, option.meta, option.meta_len, word, (size_t)(value + 1 - word), value + 1);
    else if (!only_words && word[0] == '-')
        offer_options(help, word);
    else
        offer_positional(help, command, before, count, word);
out:
    free(before);
    free(command);
    free(help);
    return LDR_EXIT_OK;
}
