/* hint.h - what follows the words of an error that ends the process: suggestions from what is loaded, and the command that tells more.
 * Not for dlerror, whose texts are the system linker's own. */
#ifndef LDR_HINT_H
#define LDR_HINT_H

#include "../run/run.h"

/* hint_put - lines with what the loaded objects have instead: the symbol in another version, a name nearly the same, the newest version
 * of the family asked for. Nothing when there is nothing of the kind. */
void hint_put(struct text *text, const struct problem *problem);
/* hint_put_step - the one line "  next: COMMAND" for this problem; nothing when no command tells more. */
void hint_put_step(struct text *text, const struct problem *problem);

#endif
