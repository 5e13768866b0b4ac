#include "scenario.h"
#include <elf.h>
#include <errno.h>
#include <sys/auxv.h>
extern char **environ;
extern char __executable_start[];
void _start(void);
int main(int argc, char **argv, char **envp)
{
    for (int i = 0; i < argc; i++)
        say("arg %s", argv[i]);
    for (char **e = envp; *e; e++)
        if (!strstr(*e, "LDR_CACHE"))  /* where the suite lets starts be remembered */
            say("env %s", *e);
    say("%d %d %d", argv[argc] == NULL, envp == argv + argc + 1, environ == envp);
    char **end = envp;
    while (*end)
        end++;
    const ElfW(auxv_t) *aux = (void *)(end + 1);
    unsigned long phdr = 0, entry = 0;
    for (; aux->a_type != AT_NULL; aux++) {
        phdr = aux->a_type == AT_PHDR ? aux->a_un.a_val : phdr;
        entry = aux->a_type == AT_ENTRY ? aux->a_un.a_val : entry;
    }
    const ElfW(Ehdr) *header = (void *)__executable_start;
    say("phdr %d %d", phdr == (unsigned long)__executable_start + header->e_phoff, getauxval(AT_PHDR) == phdr);
    say("phnum %d entry %d %d", getauxval(AT_PHNUM) == header->e_phnum, entry == (unsigned long)_start, getauxval(AT_ENTRY) == entry);
    say("execfn %s", file_name((char *)getauxval(AT_EXECFN)));
    say("page %lu secure %lu random %d platform %s", getauxval(AT_PAGESZ), getauxval(AT_SECURE), getauxval(AT_RANDOM) != 0, (char *)getauxval(AT_PLATFORM));
    errno = 0;
    say("vdso %d none %lu %d", getauxval(AT_SYSINFO_EHDR) != 0, getauxval(4711), errno == ENOENT);
    return 0;
}
