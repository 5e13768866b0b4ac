#include "scenario.h"
void present(void);
void absent(void);
int main(int argc, char **argv)
{
    (void)argv;
    say("main");
    present();
    if (argc > 1)
        absent();
    return 0;
}
