/* complete.h - candidates for the shells' completion. */
#ifndef LDR_COMPLETE_H
#define LDR_COMPLETE_H

/* complete - what may stand in the place of the last of the words behind `ldr` (which may be empty); see complete.c for what is printed */
int complete(int argc, char **words);

#endif
