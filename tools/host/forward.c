/* forward.c - see forward.h. Signals are held back around the fork, so that none is lost before the child is known. */
#include "forward.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

enum { FORWARDED = 7 };
static const int numbers[FORWARDED] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM };
static struct sigaction before[FORWARDED], before_end;
static volatile sig_atomic_t child;

/* The kernel's own (a terminal's keys, a terminal that goes) reach the program by themselves. */
static void forward(int number, siginfo_t *info, void *context) {
    int error = errno;
    (void)context;
    if (child > 0 && info->si_code <= 0)
        kill(child, number);
    errno = error;
}

static void as_before(void) {
    for (size_t i = 0; i < FORWARDED; i++)
        sigaction(numbers[i], &before[i], NULL);
    sigaction(SIGCHLD, &before_end, NULL);
}

pid_t forward_fork(int own) {
    struct sigaction action = { .sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART };
    /* Where it is ignored the kernel tells nobody how a child ended. */
    struct sigaction told = { .sa_handler = SIG_DFL };
    sigset_t held, mask;
    sigemptyset(&held);
    for (size_t i = 0; i < FORWARDED; i++)
        sigaddset(&held, numbers[i]);
    sigprocmask(SIG_BLOCK, &held, &mask);
    for (size_t i = 0; i < FORWARDED; i++) {
        sigaction(numbers[i], &action, &before[i]);
        if (before[i].sa_handler == SIG_IGN || numbers[i] == own)
            sigaction(numbers[i], &before[i], NULL);
    }
    sigaction(SIGCHLD, &told, &before_end);
    pid_t made = fork();
    if (made <= 0)
        as_before();
    else if (own)
        sigaddset(&mask, own);
    child = made;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    return made;
}

void forward_end(void) {
    child = 0;
    as_before();
}
