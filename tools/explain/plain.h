/* plain.h - names come from files that anybody may have written: what a terminal would obey must not reach it, nor a line end that makes a
 * line of its own out of a part of a name. Not for JSON, which escapes them. */
#ifndef LDR_EXPLAIN_PLAIN_H
#define LDR_EXPLAIN_PLAIN_H

/* plain_output - from here on control characters written to stdout (also those of Unicode, U+0080 to U+009F), line ends and tabs aside, become
 * '?'. */
void plain_output(void);
/* plain_colour - a colour of our own, "1;31" or "0": the only way past the filter */
void plain_colour(const char *digits);
/* plain_printf - one line or a part of one: line ends stay at the start and at the end as the format has them there; those that come with its
 * arguments become '?'. */
void plain_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* plain_line - the same for a text that becomes part of a line: changes it in place and returns it. */
char *plain_line(char *text);

#endif
