/* error.h - dlerror's state, one per thread. */
#ifndef LDR_API_ERROR_H
#define LDR_API_ERROR_H

#include "../run/run.h"

void error_clear(void);
void error_set(const char *text);
void error_set_about(const char *object, const char *text, int sys_errno);
char *error_take(void);
struct report error_report(void);     /* report whose problems become dlerror text; the first one of a call stands */

#endif
