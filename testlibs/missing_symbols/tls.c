#include "scenario.h"
extern __thread int absent_tls;
int main(void) { say("main"); return absent_tls; }
