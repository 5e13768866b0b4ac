/* error.c - dlerror: the text of this thread's last failed call, given out once. It lies in front of the thread's DTV (run/tls.c):
 * the linker has no thread-local variables of its own. */
#include "error.h"
#include "message.h"
#include "../debug/events.h"

void error_clear(void)
{
    struct thread_store *store = tls_thread_store();
    heap_free(store->error);
    store->error = NULL;
    store->error_taken = false;
}

void error_set(const char *text)
{
    event_error(text);
    struct thread_store *store = tls_thread_store();
    size_t len = strlen(text) + 1;
    char *copy = heap_alloc(len);
    if (copy)
        memcpy(copy, text, len);
    store = tls_thread_store();
    heap_free(store->error);
    store->error = copy;
    store->error_taken = false;
}

void error_set_about(const char *object, const char *text, int sys_errno)
{
    char buf[2048];
    struct text t = text_on(buf, sizeof buf);
    if (object && *object) {
        text_put(&t, object);
        text_put(&t, ": ");
    }
    text_put(&t, text);
    if (sys_errno) {
        text_put(&t, ": ");
        text_put(&t, errno_text(sys_errno));
    }
    error_set(buf);
}

char *error_take(void)
{
    struct thread_store *store = tls_thread_store();
    if (store->error && store->error_taken)
        error_clear();
    store->error_taken = true;
    return store->error;
}

static void take(struct report *report, const struct problem *problem)
{
    (void)report;
    if (tls_thread_store()->error)
        return;                       /* what follows is a consequence */
    char local[512], *buf = local;
    size_t room = sizeof local + (problem->object ? strlen(problem->object) : 0) + (problem->name ? strlen(problem->name) : 0) +
                  (problem->wanted_by ? strlen(problem->wanted_by) : 0);
    char *large = heap_alloc(room);
    struct text t = text_on(large ? large : buf, large ? room : sizeof local);
    message_put(&t, problem);
    error_set(t.buf);
    heap_free(large);
}

struct report error_report(void)
{
    return (struct report){ take };
}
