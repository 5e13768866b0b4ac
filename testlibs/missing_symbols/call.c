#include "scenario.h"
void present(void), absent(void), mid(void);
int main(void)
{
    say("main");
    present();
#ifdef INLIB
    mid();
#else
    absent();
#endif
    return 0;
}
