/* sections.h - section names by link-time address, from the section headers, which the linker itself never reads. */
#ifndef LDR_EXPLAIN_SECTIONS_H
#define LDR_EXPLAIN_SECTIONS_H

#include "session.h"

struct section {
    char *name;
    u64 addr, len;
};
struct sections {
    struct section *list;             /* ascending by address; malloc'd */
    size_t count;
};
/* sections_read - the sections that are part of memory; none when the file has no section headers. */
struct sections sections_read(const struct library_file *file);
/* sections_at - the section that holds an address; NULL: none. */
const struct section *sections_at(const struct sections *sections, u64 addr);
void sections_free(struct sections *sections);

#endif
