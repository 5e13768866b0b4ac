#include "scenario.h"
#include <getopt.h>
#include <time.h>
extern char **environ;
extern int data;
int bump(void);
int main(int argc, char **argv)
{
    int option = getopt(argc, argv, "o:");
    fprintf(stdout, "%c %s %d\n", option, optarg, optind);
    fflush(stdout);
    say("%d", bump() == data);
    setenv("TZ", "UTC-3", 1);
    tzset();
    say("%s %ld", tzname[0], timezone);
    say("%d %d", environ != NULL, getenv("WORD") != NULL);
    char *empty[] = { NULL };
    environ = empty;
    say("%d", getenv("WORD") != NULL);
    return 0;
}
