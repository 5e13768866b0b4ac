/* victim.c - the library that gets damaged: something for every table of the linker to hold. */
#include <stdio.h>
#include <string.h>

int victim_data[4] = { 1, 2, 3, 4 };
int *victim_pointer = &victim_data[2];
int victim_started;
__thread int victim_tls = 5;
static __thread int private_tls = 6;

static int real_choice(void) { return 9; }
static int (*choose(void))(void) { return real_choice; }
int victim_choice(void) __attribute__((ifunc("choose")));

__attribute__((constructor)) static void start(void) { victim_started++; }
__attribute__((destructor)) static void stop(void) { victim_started--; }

int victim_add(int a, int b) { return a + b + (int)strlen("") * victim_data[0]; }
int (*victim_table[])(int, int) = { victim_add, victim_add };
extern int victim_missing(void) __attribute__((weak));

int victim_sum(void)
{
    char text[16];
    snprintf(text, sizeof text, "%d", 7);
    int missing = victim_missing ? victim_missing() : 0;
    return victim_table[1](victim_tls, private_tls) + *victim_pointer + victim_choice() + missing + text[0] - '7' + victim_started;
}
