/* config.c - the environment as fixed facts (ld.so(8) "ENVIRONMENT"). Under AT_SECURE the dangerous names are neither taken nor left
 * in the environment for the program's own children (glibc's list, sysdeps/generic/unsecvars.h of 2.36; GLIBC_TUNABLES stays: the tunables parser cleans it).
 * Our own too: a child that is root altogether would believe them. */
#include "link.h"

static const char *value_of(const char *entry, const char *name)
{
    size_t len = strlen(name);
    return str_starts(entry, name) && entry[len] == '=' ? entry + len + 1 : NULL;
}

static const char unsecure[] =
    "GCONV_PATH\0GETCONF_DIR\0HOSTALIASES\0LD_AUDIT\0LD_DEBUG\0LD_DEBUG_OUTPUT\0LD_DYNAMIC_WEAK\0LD_HWCAP_MASK\0"
    "LD_LIBRARY_PATH\0LD_ORIGIN_PATH\0LD_PRELOAD\0LD_PROFILE\0LD_SHOW_AUXV\0LOCALDOMAIN\0LOCPATH\0MALLOC_TRACE\0NIS_PATH\0NLSPATH\0"
    "RESOLV_HOST_CONF\0RES_OPTIONS\0TMPDIR\0TZDIR\0LD_PREFER_MAP_32BIT_EXEC\0MALLOC_ARENA_MAX\0MALLOC_ARENA_TEST\0MALLOC_MMAP_MAX_\0"
    "MALLOC_MMAP_THRESHOLD_\0MALLOC_PERTURB_\0MALLOC_TOP_PAD_\0MALLOC_TRIM_THRESHOLD_\0MALLOC_CHECK_\0"
    "LDR_CACHE\0LDR_CACHE_DIR\0LDR_CACHE_MAX_AGE\0LDR_GENUINE_LDSO\0LDR_TRACE\0LDR_TRACE_BINDINGS\0";

bool config_unsecure_name(const char *entry)
{
    for (const char *name = unsecure; *name; name += strlen(name) + 1)
        if (value_of(entry, name))
            return true;
    return false;
}

const char *config_next_word(const char **at, bool colons, size_t *len)
{
    const char *word = *at;
    while (*word == ' ' || *word == '\t' || *word == '\n' || (colons && *word == ':'))
        word++;
    const char *end = word;
    while (*end && *end != ' ' && *end != '\t' && *end != '\n' && !(colons && *end == ':'))
        end++;
    *at = end;
    *len = (size_t)(end - word);
    return *len ? word : NULL;
}

void config_take_env(struct config *config, const char *entry)
{
    const char *v;
    /* GLIBC_TUNABLES and the MALLOC_* aliases belong to compat/, which knows which are allowed under AT_SECURE. */
    if (!config->secure && entry[0] == 'X' && (v = value_of(entry, "XDG_RUNTIME_DIR")))
        config->runtime_dir = *v ? v : NULL;
    if (!config->secure && entry[0] == 'H' && (v = value_of(entry, "HOME")))
        config->home = *v ? v : NULL;
    if (entry[0] != 'L' || entry[1] != 'D')
        return;
    if (!config->secure && (v = value_of(entry, "LDR_GENUINE_LDSO")))
        config->genuine_linker = *v ? v : NULL;   /* set by `ldr session` where ld-ldr.so hides the genuine file */
    else if (!config->secure && (v = value_of(entry, "LDR_CACHE")))
        config->cache = *v ? v : NULL;
    else if (!config->secure && (v = value_of(entry, "LDR_CACHE_DIR")))
        config->cache_dir = *v ? v : NULL;
    else if (!config->secure && (v = value_of(entry, "LDR_CACHE_MAX_AGE")))
        config->cache_max_age = *v ? v : NULL;
    else if (!config->secure && (v = value_of(entry, "LDR_TRACE")))
        config->record = *v ? v : NULL;
    else if (!config->secure && (v = value_of(entry, "LDR_TRACE_BINDINGS")))
        config->record_no_values = str_equal(v, "off");
    if (entry[2] != '_')
        return;
    if ((v = value_of(entry, "LD_BIND_NOW")))
        config->bind_now = *v != 0;
    else if ((v = value_of(entry, "LD_WARN")))
        config->warn = *v != 0;
    else if ((v = value_of(entry, "LD_PRELOAD")))
        config->preload_env = *v ? v : NULL;        /* under `secure` only set-uid libraries of trusted directories: run/load.c */
    else if (config->secure && config_unsecure_name(entry))
        return;
    else if ((v = value_of(entry, "LD_LIBRARY_PATH")))
        config->library_path = *v ? v : NULL;
    else if ((v = value_of(entry, "LD_SHOW_AUXV")))
        config->show_auxv = true;
    else if ((v = value_of(entry, "LD_AUDIT")))
        config->audit = *v ? v : NULL;
    else if ((v = value_of(entry, "LD_BIND_NOT")))
        config->bind_not = *v != 0;
    else if ((v = value_of(entry, "LD_DYNAMIC_WEAK")))
        config->dynamic_weak = *v != 0;
    else if ((v = value_of(entry, "LD_ORIGIN_PATH")))
        config->origin_path = *v == '/' ? v : NULL;
    else if ((v = value_of(entry, "LD_VERBOSE")))
        config->verbose = *v != 0;
    else if ((v = value_of(entry, "LD_DEBUG")))
        config->debug = *v ? v : NULL;
    else if ((v = value_of(entry, "LD_DEBUG_OUTPUT")))
        config->debug_output = *v ? v : NULL;
    else if ((v = value_of(entry, "LD_TRACE_LOADED_OBJECTS")))
        config->trace = config->trace_missing = true;
}
