#include "scenario.h"
extern int data;
int function(void), *data_view(void);
int main(void)
{
    data = 5;
    say("%d %d %d", function(), data_view() == &data, *data_view());
    return 0;
}
