/* watch.h - wait for a process by ptrace(2) and look at it in the moments that matter; between them it runs as if nobody watched. */
#ifndef LDR_HOST_WATCH_H
#define LDR_HOST_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

/* Watching costs time at each new thread and at each signal. So of a program that has very many, some are watched, and the rest now and then. */
enum watch_unseen {
    UNSEEN_YOUNG,                     /* it makes so many threads that some have run for milliseconds before they are watched */
    UNSEEN_SIGNALS,                   /* a thread has taken so many signals that it is left alone for most of the time */
};

/* What is to be called, and when; NULL: not wanted, and costs nothing then. */
struct watch {
    /* Once, when the process has ended running and still has its memory. */
    void (*look)(pid_t pid, void *arg);
    /* A thread is about to be given a signal, and stands still. Whether `dead` is wanted should it die of that. */
    bool (*signal)(pid_t thread, int number, void *arg);
    /* Whether that signal may be the process's end: a thread that takes too many is not left alone at this one. */
    bool (*may_kill)(pid_t thread, int number, void *arg);
    /* A thread ends with its whole process, which dies of this signal; its registers and the memory are as they were when it got its last one, and the
     * other threads have been told to end. Whether it is the one that `ended` is to tell of. */
    bool (*dead)(pid_t pid, pid_t thread, int number, void *arg);
    /* Once: from now on a thread may die unseen. */
    void (*unseen)(enum watch_unseen why, void *arg);
    /* It has ended with this status (waitpid), and nobody else knows yet; or it ends, of what `dead` was called for, unseen. */
    void (*ended)(pid_t pid, int status, void *arg);
    void *arg;
    bool every_thread;                /* watch each thread from its first instruction to its end, whatever that costs the program */
};

/* watch_seize - starts watching without stopping the process; 0 or errno. Threads it makes later are watched too when `signal` is wanted, its
 * child processes never. It goes on when the watcher ends, however that ends. */
int watch_seize(pid_t pid, const struct watch *watch);
/* watch_wait - until the process has ended; hands its signals on and leaves job control as the kernel means it. Returns its status. */
int watch_wait(pid_t pid, bool seized, const struct watch *watch);

/* watch_child - both, for a child of ours that waits for the byte that `go` sends: not 0 once it is seized, 0 when it cannot be.
 *   returns errno when it could not be seized: it runs unwatched then */
int watch_child(pid_t child, int go, const struct watch *watch, int *status);

#endif
