/* options.c - `ld-ldr.so [OPTION]... PROGRAM [ARG]...`, the command line of the system's ld.so(8). */
#include "start.h"
#include "../compat/shim.h"

static void out(const char *text)
{
    sys_write_all(1, text, strlen(text));
}

static _Noreturn void complain(const char *what, const char *which)
{
    char buf[1024];
    struct text t = text_on(buf, sizeof buf);
    const char *self = session.kernel.argv[0] ? session.kernel.argv[0] : "ld-ldr.so";
    text_put(&t, self);
    text_put(&t, ": ");
    text_put(&t, what);
    if (which) {
        text_put(&t, " '");
        text_put(&t, which);
        text_char(&t, '\'');
    }
    text_put(&t, "\nTry '");
    text_put(&t, self);
    text_put(&t, " --help' for more information.\n");
    sys_write_all(2, buf, t.len);
    sys_exit(1);
}

static _Noreturn void help(void)
{
    out("Usage: ld-ldr.so [OPTION]... EXECUTABLE-FILE [ARGS-FOR-PROGRAM...]\n"
        "You have invoked 'ld-ldr.so', a dynamic linker that stands in for the system's.\n"
        "It loads the program and the shared libraries it needs, prepares them to run, and runs it.\n"
        "Options and environment are those of ld.so(8).\n\n"
        "  --list                list all dependencies and how they are resolved\n"
        "  --verify              verify that given object really is a dynamically linked\n"
        "                        object we can handle\n"
        "  --inhibit-cache       Do not use /etc/ld.so.cache\n"
        "  --library-path PATH   use given PATH instead of content of the environment\n"
        "                        variable LD_LIBRARY_PATH\n"
        "  --glibc-hwcaps-prepend LIST\n"
        "                        search glibc-hwcaps subdirectories in LIST\n"
        "  --glibc-hwcaps-mask LIST\n"
        "                        only search built-in subdirectories if in LIST\n"
        "  --inhibit-rpath LIST  ignore RUNPATH and RPATH information in object names\n"
        "                        in LIST\n"
        "  --preload LIST        preload objects named in LIST\n"
        "  --argv0 STRING        set argv[0] to STRING before running\n"
        "  --proc-exe            make /proc/self/exe name the program, where the kernel\n"
        "                        permits (CAP_CHECKPOINT_RESTORE)\n"
        "  --watched             whoever traces this process leaves those alone that it\n"
        "                        makes: the start may be recorded for the cache\n"
        "  --list-diagnostics    list diagnostics information\n"
        "  --help                display this help and exit\n"
        "  --version             output version information and exit\n\n"
        "Shared library search path:\n"
        "  (libraries located via /etc/ld.so.cache)\n");
    for (u32 i = 0; i < 4; i++) {
        out("  ");
        out(search_default_dir(i));
        out(" (system search path)\n");
    }
    sys_exit(0);
}

static _Noreturn void version(void)
{
    out("ld-ldr.so (ldr) 0.1, for programs of glibc 2.36\n");
    sys_exit(0);
}

static void line_hex(const char *name, u64 value)
{
    char buf[128];
    struct text t = text_on(buf, sizeof buf);
    text_put(&t, name);
    text_char(&t, '=');
    text_hex(&t, value);
    text_char(&t, '\n');
    out(buf);
}

static void line_text(const char *name, const char *value)
{
    out(name);
    out("=\"");
    out(value ? value : "");
    out("\"\n");
}

static _Noreturn void diagnostics(void)
{
    line_text("version.package", "ldr");
    line_text("version.libc", "2.36");
    line_text("dl_platform", session.kernel.platform);
    line_hex("dl_pagesize", session.kernel.page);
    line_hex("dl_minsigstacksize", session.kernel.minsigstksz);
    line_hex("dl_clktck", session.kernel.clktck);
    for (u32 i = 0; search_default_dir(i); i++)
        line_text("path.system_dirs", search_default_dir(i));
    for (const Elf64_auxv_t *a = session.kernel.auxv; a->a_type != AT_NULL; a++) {
        char name[64];
        struct text t = text_on(name, sizeof name);
        text_put(&t, "auxv.");
        text_dec(&t, a->a_type);
        line_hex(name, a->a_un.a_val);
    }
    /* Names only: this output goes into bug reports, values may be secrets. The linker's own variables are shown whole. */
    for (char **e = session.kernel.envp; *e; e++) {
        bool own = str_starts(*e, "LD_") || str_starts(*e, "LDR_") || str_starts(*e, "GLIBC_TUNABLES=");
        const char *end = str_chr(*e, '=');
        out(own ? "env=\"" : "env_filtered=\"");
        sys_write_all(1, *e, own || !end ? strlen(*e) : (size_t)(end - *e));
        out("\"\n");
    }
    sys_exit(0);
}

void options_read(struct options *options)
{
    char **argv = session.kernel.argv;
    int argc = session.kernel.argc, at = 1;
    struct config *config = &session.config;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] == '-'; at++) {
        const char *option = argv[at];
        const char *value = at + 1 < argc ? argv[at + 1] : NULL;
        const char **into = NULL;
        if (option[2] == 0) {
            at++;
            break;
        }
        if (str_equal(option, "--list"))
            options->what = DO_LIST;
        else if (str_equal(option, "--verify"))
            options->what = DO_VERIFY;
        else if (str_equal(option, "--inhibit-cache"))
            config->inhibit_cache = true;
        else if (str_equal(option, "--help"))
            help();
        else if (str_equal(option, "--version"))
            version();
        else if (str_equal(option, "--list-diagnostics"))
            diagnostics();
        else if (str_equal(option, "--proc-exe"))
            options->proc_exe = true;
        else if (str_equal(option, "--watched"))
            config->watched = true;
        else if (str_equal(option, "--library-path"))
            into = &config->library_path;
        else if (str_equal(option, "--preload"))
            into = &config->preload_option;
        else if (str_equal(option, "--inhibit-rpath"))
            into = &config->inhibit_rpath;
        else if (str_equal(option, "--glibc-hwcaps-prepend"))
            into = &config->hwcaps_prepend;
        else if (str_equal(option, "--glibc-hwcaps-mask"))
            into = &config->hwcaps_mask;
        else if (str_equal(option, "--argv0"))
            into = &options->argv0;
        else if (str_equal(option, "--audit"))
            complain("auditing (LD_AUDIT, --audit) is not supported yet", value);
        else
            complain("unrecognized option", option);
        if (into) {
            if (!value)
                complain("unrecognized option", option);   /* as ld.so says it */
            *into = value;
            at++;
        }
    }
    if (at >= argc)
        complain("missing program name", NULL);
    options->used = (u32)at;
}
