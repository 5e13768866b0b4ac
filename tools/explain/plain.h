/* plain.h - names come from files that anybody may have written: what a terminal would obey must not reach it. */
#ifndef LDR_EXPLAIN_PLAIN_H
#define LDR_EXPLAIN_PLAIN_H

/* plain_output - from here on control characters written to stdout, line ends and tabs aside, become '?'. Colours as paint() has them pass:
 * they harm nobody. Not for JSON, which escapes them. */
void plain_output(void);

#endif
