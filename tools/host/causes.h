/* causes.h - fills in why each private copy is private, between two readings of the page tables. */
#ifndef LDR_HOST_CAUSES_H
#define LDR_HOST_CAUSES_H

#include "reading.h"

struct explainer; /* what is known of the files so far */

/* explainer_new - for processes read with these readings, which must live as long */
struct explainer *explainer_new(const struct readings *readings);

/* explainer_run - compares every copy that has no known cause yet with its file; sets the causes and memory_unreadable of the
 * processes. A page of which the next reading finds the same word was read in between, so it is the page compared; if the
 * word differs, its cause is unknown again (word_set). */
void explainer_run(struct explainer *explainer, struct process *processes, size_t count);

/* explainer_end - why causes are unknown in the complete collection: memory_unreadable, files_unexplained, causes_changed. Frees the
 * explainer; to be called before the objects' bytes are given up. */
void explainer_end(struct explainer *explainer, struct collection *collection);

#endif
