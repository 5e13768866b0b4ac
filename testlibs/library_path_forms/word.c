#include "scenario.h"
const char *word(void) { Dl_info info; return dladdr((void *)word, &info) ? info.dli_fname : "?"; }
