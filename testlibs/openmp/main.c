#include "scenario.h"
#include <omp.h>
static int mine;
#pragma omp threadprivate(mine)
int main(void)
{
    int total = 0, threads = 0;
#pragma omp parallel reduction(+ : total, threads)
    {
        mine = omp_get_thread_num() + 1;
        threads += 1;
#pragma omp for
        for (int i = 0; i < 1000; i++)
            total += i;
#pragma omp critical
        total += mine;
    }
    say("%d threads, total %d", threads, total);
    return 0;
}
