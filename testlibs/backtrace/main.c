#include "scenario.h"
#include <execinfo.h>
#include <signal.h>
void through_a(void (*)(void));
static void (*through_late)(void (*)(void));
void show(void)
{
    void *frames[30];
    int n = backtrace(frames, 30);
    char **names = backtrace_symbols(frames, n);
    for (int i = 0; i < n && !strstr(names[i], "libc.so"); i++)
        say("%s", file_name(names[i]));
    say("end");
    free(names);
}
void in_signal(int signo) { (void)signo; show(); }
void inner(void) { through_late(show); __asm__ volatile(""); }
int main(void)
{
    through_late = (void (*)(void (*)(void)))must_sym(must_open("liblate.so", RTLD_NOW), "through_late");
    through_a(inner);
    signal(SIGUSR1, in_signal);
    raise(SIGUSR1);
    return 0;
}
