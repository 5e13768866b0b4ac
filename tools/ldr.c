/* ldr.c - the `ldr` command: a table of subcommands, and nothing else.
 *
 * Contains no loader: `ldr run` executes ld-ldr.so, the reports read /proc and files.
 */
#include "ldr.h"

#include <argp.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct subcommand {
    const char *name;
    ldr_command *function;
    const char *synopsis;
    const char *summary;
} subcommands[] = {
    { "run", cmd_run, "[OPTION...] PROGRAM [ARG...]", "start PROGRAM through ld-ldr.so" },
    { "session", cmd_session, "COMMAND [ARG...]", "run a command tree with ld-ldr.so as the system's linker" },
    { "pages", cmd_pages, "[OPTION...] [PID|NAME...]", "physical pages that processes share, from the kernel's page tables" },
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

static const char *command_name = "ldr";

void warn_ldr(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", command_name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

void *must_grow(void *block, size_t count, size_t size) {
    void *grown = reallocarray(block, count ? count : 1, size);
    if (!grown) {
        warn_ldr("no memory for %zu items of %zu bytes", count, size);
        exit(LDR_EXIT_FAILED);
    }
    return grown;
}

void *must_alloc(size_t count, size_t size) {
    void *block = calloc(count ? count : 1, size ? size : 1);
    if (!block) {
        warn_ldr("no memory for %zu items of %zu bytes", count, size);
        exit(LDR_EXIT_FAILED);
    }
    return block;
}

char *must_format(const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0) {
        warn_ldr("no memory for a message");
        exit(LDR_EXIT_FAILED);
    }
    return text;
}

static void print_help(FILE *out) {
    fputs("Usage: ldr SUBCOMMAND [OPTION...] [ARG...]\n"
          "A dynamic linker that can be watched: start programs through it, see the pages they share.\n\n", out);
    for (int i = 0; i < SUBCOMMANDS; i++)
        fprintf(out, "  ldr %s %s\n        %s\n", subcommands[i].name, subcommands[i].synopsis, subcommands[i].summary);
    fputs("\n  ldr SUBCOMMAND --help\n        options, exit statuses and examples of one subcommand\n"
          "  ldr --help, ldr --version\n"
          "\n"
          "Examples:\n"
          "  ldr run python3 -c 'import ssl; print(ssl.OPENSSL_VERSION)'\n"
          "  ldr session make -j2          every program that make starts is loaded by ld-ldr.so\n"
          "  ldr pages                     all processes that run on ld-ldr.so\n"
          "  ldr pages nginx postgres      these, whatever their linker\n"
          "  ldr pages --json $(pgrep perl)\n"
          "\n"
          "Environment: LDR_LDSO names the ld-ldr.so to use. See ldr(1).\n", out);
}

int main(int argc, char **argv) {
    argp_program_version = "ldr " LDR_VERSION;
    if (argc < 2) {
        print_help(stderr);
        return LDR_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return LDR_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts(argp_program_version);
        return LDR_EXIT_OK;
    }
    for (int i = 0; i < SUBCOMMANDS; i++)
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            char name[64];
            snprintf(name, sizeof name, "ldr %s", subcommands[i].name);
            command_name = name;
            argv[1] = name;
            int status = subcommands[i].function(argc - 1, argv + 1);
            /* A report that did not reach its reader (disk full, closed pipe) is not complete. */
            if ((fflush(stdout) != 0 || ferror(stdout)) && status == LDR_EXIT_OK) {
                warn_ldr("writing the output failed: %s", strerror(errno));
                status = LDR_EXIT_FAILED;
            }
            command_name = "ldr";
            return status;
        }
    warn_ldr("no subcommand '%s'; there are run, session and pages (ldr --help)", argv[1]);
    return LDR_EXIT_USAGE;
}
