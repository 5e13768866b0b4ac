#include "scenario.h"
static void before(int argc, char **argv, char **envp)
{
    int found = 0;
    for (; *envp; envp++)
        found |= strcmp(*envp, "WORD=env") == 0;
    say("preinit %d %s %d", argc, argv[2], found);
}
__attribute__((section(".preinit_array"), used)) static void *preinit[] = { before, before };
PRINT_LIFE("main")
int main(void) { say("main"); return 0; }
