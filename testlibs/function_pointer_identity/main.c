#include "scenario.h"
int fun(int);
int (*its_own_view(void))(int);
extern int (*table[])(int);
static int (*initialised)(int) = fun;
int main(void)
{
    say("%d %d %d %d", fun == its_own_view(), fun == table[0], fun == initialised, (void *)fun == dlsym(RTLD_DEFAULT, "fun"));
    say("%d %d", fun(1), its_own_view()(2));
    Dl_info info;
    say("%s", dladdr((void *)fun, &info) ? file_name(info.dli_fname) : "nowhere");
    return 0;
}
