/* ldr.c - the `ldr` command: a table of subcommands, and nothing else.
 *
 * Contains no loader: `ldr run` executes ld-ldr.so, the reports read /proc and files.
 */
#include "complete.h"
#include "ldr.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct subcommand {
    const char *name;
    ldr_command *function;
    const char *synopsis;
    const char *summary;
} subcommands[] = {
    { "run", cmd_run, "[OPTION...] PROGRAM [ARG...]", "start PROGRAM through ld-ldr.so" },
    { "session", cmd_session, "COMMAND [ARG...]", "run a command tree with ld-ldr.so as the system's linker" },
    { "trace", cmd_trace, "[OPTION...] PROGRAM [ARG...]", "run PROGRAM and tell what the linker did, with times" },
    { "pages", cmd_pages, "[OPTION...] [PID|NAME...]", "physical pages that processes share, from the kernel's page tables" },
    { "tree", cmd_tree, "[OPTION...] PROGRAM", "libraries that a program needs: by whom, found where, by which rule" },
    { "why", cmd_why, "[OPTION...] PROGRAM SYMBOL[@VERSION]", "which definition a symbol binds to, and why the others lost" },
    { "relocs", cmd_relocs, "[OPTION...] PROGRAM", "every relocation with place, type, symbol and what it binds to" },
    { "check", cmd_check, "[OPTION...] PROGRAM|LIBRARY|DIRECTORY...", "what is or will be wrong, without running it" },
    { "cache", cmd_cache, "[OPTION...] [list|verify|warm|clear] [PROGRAM...]", "what ld-ldr.so keeps of earlier starts, so that it need not be done again" },
    { "help", cmd_help, "[COMMAND]", "the manual page of ldr, of a command, or of ld-ldr.so" },
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

bool is_command(const char *name) {
    for (int i = 0; i < SUBCOMMANDS; i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return true;
    return false;
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
          "  ldr trace python3 -c 1        what the linker did, and how long each step took\n"
          "  ldr pages                     all processes that run on ld-ldr.so\n"
          "  ldr pages nginx postgres      these, whatever their linker\n"
          "  ldr pages --json $(pgrep perl)\n"
          "  ldr pages --html report.html --all\n"
          "  ldr check ./server            what is or will be wrong, without running it\n"
          "  ldr why gdb malloc            which definition answers, and why the others lost\n"
          "  ldr cache warm clang          its next start is made from a record\n"
          "\n"
          "Environment: LDR_LDSO names the ld-ldr.so to use. See ldr(1).\n", out);
}

int main(int argc, char **argv) {
    argp_program_version = "ldr " LDR_VERSION;
    if (argc < 2) {
        print_help(stderr);
        return LDR_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return LDR_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts(argp_program_version);
        return LDR_EXIT_OK;
    }
    if (strcmp(argv[1], "__complete") == 0)
        return complete(argc - 2, argv + 2);
    for (int i = 0; i < SUBCOMMANDS; i++)
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            char name[64];
            snprintf(name, sizeof name, "ldr %s", subcommands[i].name);
            name_command(name);
            argv[1] = name;
            int status = subcommands[i].function(argc - 1, argv + 1);
            /* A report that did not reach its reader (disk full, closed pipe) is not complete. */
            if (fflush(stdout) != 0 || ferror(stdout)) {
                warn_ldr("writing the output failed: %s", strerror(errno));
                status = LDR_EXIT_FAILED;
            }
            name_command("ldr");
            return status;
        }
    warn_ldr("no subcommand '%s'; ldr --help lists them", argv[1]);
    return LDR_EXIT_USAGE;
}
