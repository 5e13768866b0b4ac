#include "scenario.h"
int value(void), has_nowhere(void);
extern int data;
void absent(void) __attribute__((weak));
extern int absent_data __attribute__((weak));
int main(void)
{
    say("%d %d", value(), data);
    say("%d %d %d", absent != NULL, &absent_data != NULL, has_nowhere());
    if (absent)
        absent();
    return 0;
}
