#include "scenario.h"
#include <pthread.h>
static int visit(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)info, (void)size, (void)data;
    void *a = must_open("./liba.so", RTLD_NOW);
    say("in callback %d", is_mapped("/liba.so"));
    dlclose(a);
    return 1;
}
static void of_key(void *word) { say("key %s", (char *)word); dlclose(must_open("./liba.so", RTLD_NOW)); }
static void bye(void) { say("atexit"); must_open("./liba.so", RTLD_NOW); }
static void *body(void *key) { pthread_setspecific(*(pthread_key_t *)key, "word"); return NULL; }
int main(void)
{
    pthread_key_t key;
    pthread_t thread;
    atexit(bye);
    dl_iterate_phdr(visit, NULL);
    pthread_key_create(&key, of_key);
    pthread_create(&thread, NULL, body, &key);
    pthread_join(thread, NULL);
    return 0;
}
