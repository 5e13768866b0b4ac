/* calls.h - system calls carried out by code that lies elsewhere than the rest of ours, for calls that take the rest away for a moment. */
#ifndef LDR_CALLS_H
#define LDR_CALLS_H
#ifndef __ASSEMBLER__
/* One call; `must`: the process ends with status 127 when it fails, for there is nobody to tell. */
struct arch_call { long number, arguments[6], must; };

/* arch_calls - carry out `count` calls, the first one first. Reads and writes nothing but them, and may be copied from arch_calls to
 * arch_calls_end to wherever it is to run. */
void arch_calls(const struct arch_call *call, unsigned long count);
extern const char arch_calls_end[];
#endif
#endif
