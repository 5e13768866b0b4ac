/* gate.h - how many entries the gate has: for gate.S and gate.c. One page of code holds 256 entries of 16 bytes. */
#ifndef LDR_GATE_H
#define LDR_GATE_H
#define GATE_ENTRIES 256
#define GATE_ENTRY_LEN 16
#endif
