#include "scenario.h"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define OWN(name) JOIN(PREFIX, name)
extern int OWN(data);
extern char OWN(zeros)[9000];
int OWN(callback)(int (*)(int)), OWN(sum)(void);
static int add(int x) { return x + OWN(data); }
int main(void)
{
    OWN(data) = 10;
    OWN(zeros)[8999] = 1;
    say("%d %d", OWN(sum)(), OWN(callback)(add));
    say("%d", dlsym(RTLD_DEFAULT, "main") == NULL);
    return 0;
}
