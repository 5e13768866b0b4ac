#include "scenario.h"
#include <omp.h>
int sum(int n)
{
    int total = 0;
#pragma omp parallel for reduction(+ : total)
    for (int i = 0; i < n; i++)
        total += i;
    return total;
}
