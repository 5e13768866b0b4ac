#include "scenario.h"
#include <malloc.h>
#include <pthread.h>
static void *body(void *arg) { void *block = malloc(100); *(unsigned long *)arg = (unsigned long)block; free(block); return NULL; }
int main(void)
{
    /* The effect of the thread cache: a freed small block shows in fordblks only without it. */
    void *block = malloc(200), *guard = malloc(200);
    int before = (int)mallinfo2().fordblks;
    free(block);
    say("freed block %s", (int)mallinfo2().fordblks > before ? "back in the arena" : "kept by the thread cache");
    unsigned char *fresh = malloc(3000);
    say("fresh byte %d", fresh[1000]);
    void *large = malloc(300000);
    say("mapped %zu", mallinfo2().hblks);
    pthread_t thread;
    unsigned long address;
    pthread_create(&thread, NULL, body, &address);
    pthread_join(thread, NULL);
    unsigned long heap = (unsigned long)guard;
    say("thread in the %s arena", (address > heap ? address - heap : heap - address) < 1 << 30 ? "main" : "own");
    say("top pad %d", mallinfo2().arena > 3000000);
    free(large);
    return 0;
}
