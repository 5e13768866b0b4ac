#include "scenario.h"
int answer(void);
int main(void) { say("%d %s", answer(), page_rights((void *)must_sym(RTLD_DEFAULT, "answer"))); return 0; }
