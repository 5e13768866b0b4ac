/* prog.c - linked against the victim. Ends with 0 when all is well, 4 when the victim loads but answers wrongly. */
#include <unistd.h>

extern int victim_sum(void), victim_add(int, int), victim_data[];
extern __thread int victim_tls;
int (*taken)(int, int) = victim_add;

int main(void)
{
    int right = victim_sum() == 24 && taken(1, 1) == 2 && victim_data[1] == 2 && victim_tls == 5;
    if (write(1, right ? "ok\n" : "no\n", 3) != 3)
        return 5;
    return right ? 0 : 4;
}
