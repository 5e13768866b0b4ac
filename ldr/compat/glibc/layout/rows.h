/* rows.h - all rows, as initialisers of an array of struct glibc_layout:
 *     static const struct glibc_layout rows[] = {
 *     #include "layout/rows.h"
 *     };
 * Newest first. Each file is written by build/glibc-layout; add a line here for a new one. */
#include "2_36.h"
#include "2_36_deb12u7.h"
