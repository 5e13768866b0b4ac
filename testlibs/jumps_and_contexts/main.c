#include "scenario.h"
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>
void leap(jmp_buf *, int);
static sigjmp_buf from_handler;
static ucontext_t here, there;
static char stack[65536] __attribute__((aligned(16)));
static void handler(int signo) { siglongjmp(from_handler, signo); }
static void elsewhere(int number) { say("context %d", number); }
int main(void)
{
    jmp_buf place;
    volatile int rounds = 0;
    int value = setjmp(place);
    say("%d", value);
    if (rounds++ < 3)
        leap(&place, 10 * rounds);
    signal(SIGUSR1, handler);
    if (sigsetjmp(from_handler, 1) == 0)
        raise(SIGUSR1);
    else
        say("back from the handler");
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    there.uc_link = &here;
    makecontext(&there, (void (*)(void))elsewhere, 1, 77);
    swapcontext(&here, &there);
    say("end");
    return 0;
}
