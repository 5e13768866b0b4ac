#include "scenario.h"
void a_init(void) { say("init"); }
void a_fini(void) { say("fini"); }
static void one(void) { say("array 1"); }
static void two(void) { say("array 2"); }
static void three(void) { say("end 1"); }
static void four(void) { say("end 2"); }
__attribute__((section(".init_array"), used, aligned(8))) static void *begins[] = { one, two };
__attribute__((section(".fini_array"), used, aligned(8))) static void *ends[] = { three, four };
__attribute__((constructor(200))) static void early(void) { say("priority 200"); }
__attribute__((constructor(101))) static void earlier(void) { say("priority 101"); }
__attribute__((destructor(101))) static void latest(void) { say("end priority 101"); }
