/* test_proc.c - a process is held by its folder: another one that gets its number is never taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../tools/host/proc.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process that waits, with this number if the kernel lets us choose (CAP_CHECKPOINT_RESTORE); 0: any. -errno */
static pid_t start(pid_t number) {
    struct clone_args how = { .exit_signal = SIGCHLD, .set_tid = number ? (uint64_t)(uintptr_t)&number : 0, .set_tid_size = number != 0 };
    pid_t pid = (pid_t)syscall(SYS_clone3, &how, sizeof how);
    if (pid == 0)
        for (;;)
            syscall(SYS_pause);
    return pid < 0 ? -errno : pid;
}

static void end(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void number_given_again(void **state) {
    struct text text = { 0 };
    (void)state;
    pid_t first = start(0);
    assert_true(first > 0);
    int proc = proc_open(first);
    assert_true(proc >= 0);
    assert_int_equal(proc_read(proc, "maps", &text), 0);
    assert_true(text.len > 0);
    end(first);
    pid_t second = start(first);
    if (second < 0) {
        printf("skip number_given_again: clone3 with a number: %s\n", strerror(-second));
        skip();
    }
    assert_int_equal(second, first);
    /* the folder held is the first one's: nothing of the second is read through it */
    int error = proc_read(proc, "maps", &text);
    assert_true(error < 0 || text.len == 0);
    struct proc_facts facts;
    assert_true(proc_facts_read(proc, &text, &facts) != 0);
    assert_int_equal(facts.rss_pages, 0);
    /* and its number leads to the second */
    int other = proc_open(second);
    assert_true(other >= 0);
    assert_int_equal(proc_read(other, "maps", &text), 0);
    assert_true(text.len > 0);
    end(second);
    close(other);
    close(proc);
    text_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(number_given_again) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
