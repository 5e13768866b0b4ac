#include <unistd.h>
void closing(void);
/* Long enough for the other thread to be inside its binding when dlclose goes on to remove this library. */
__attribute__((destructor)) static void end(void)
{
    closing();
    usleep(300000);
}
