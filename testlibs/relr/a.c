#include "scenario.h"
static int cells[300];
#define P(n) &cells[n], &cells[n + 1], &cells[n + 2], &cells[n + 3], &cells[n + 4], &cells[n + 5], &cells[n + 6], &cells[n + 7],
int *dense[] = { P(0) P(8) P(16) P(24) P(32) P(40) P(48) P(56) P(64) P(72) P(80) P(88) P(96) P(104) P(112) P(120) P(128) };
struct { long plain[70]; int *pointer; } sparse[20] = { [0] = { .pointer = &cells[7] }, [3] = { .pointer = &cells[9] }, [19] = { .pointer = &cells[11] } };
int *const constant[3] = { &cells[1], 0, &cells[2] };
int check(void)
{
    int good = 0;
    for (unsigned i = 0; i < sizeof dense / sizeof *dense; i++)
        good += dense[i] == &cells[i];
    return good + 1000 * (sparse[0].pointer == &cells[7]) + 2000 * (sparse[3].pointer == &cells[9]) +
           4000 * (sparse[19].pointer == &cells[11]) + 10000 * (sparse[4].pointer == NULL) + 20000 * (constant[2] == &cells[2]);
}
