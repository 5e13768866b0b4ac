#include "scenario.h"
static char zeros[ZEROS];
static char data[3000] = { [0] = 'a', [2999] = 'z' };
static const char constants[5000] = { [0] = 'c', [4999] = 'd' };
int check(void)
{
    int bad = 0;
    for (long i = 0; i < ZEROS; i++)
        bad += zeros[i] != 0;
    memset(zeros, 1, sizeof zeros);
    for (int i = 1; i < 2999; i++)
        bad += data[i] != 0;
    return bad == 0 && data[0] == 'a' && data[2999] == 'z' && constants[0] == 'c' && constants[4999] == 'd';
}
