/* outcome_code.h - random functions, most of them made of the instructions that arch_outcome carries out, the rest of what nearly looks like them. */
#ifndef OUTCOME_CODE_H
#define OUTCOME_CODE_H

#include "outcome_object.h"

/* The functions elsewhere that there are to call. */
enum { ELSEWHERE = 0x20000000, ELSEWHERE_COUNT = 8, ELSEWHERE_SIZE = 128 };

/* The same numbers in the same order, whatever was asked for before, after random_from the same one. */
void random_from(u64 number);
u64 random_word(void);
u32 random_below(u32 limit);

/* code_make - an object with a function in it and words that lead somewhere; returns the function's address. */
u64 code_make(struct memory *memory);
/* Other words into the data, which may change between looking at a function and calling it. */
void code_change_data(struct memory *memory);
#endif
