#include "scenario.h"
int main(int argc, char **argv) { say("child %s %s", argv[argc - 1], getenv("WORD") ? getenv("WORD") : "unset"); return 21; }
