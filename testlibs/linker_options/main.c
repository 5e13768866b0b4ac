#include "scenario.h"
int a(void);
int main(int argc, char **argv) { say("%d %d %s", a(), argc, argv[0]); return 0; }
