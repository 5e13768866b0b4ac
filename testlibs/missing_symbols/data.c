#include "scenario.h"
extern int absent_data;
int *volatile place = &absent_data;
int main(void) { say("main"); return *place; }
