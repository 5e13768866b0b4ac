#include "scenario.h"
static int target;
static int *const relocated[600] = { &target, [300] = &target, [599] = &target };
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));
extern void *_GLOBAL_OFFSET_TABLE_[] __attribute__((visibility("hidden")));
__attribute__((constructor)) static void begin(void)
{
    char dynamic[8], got[8];
    strcpy(dynamic, page_rights(_DYNAMIC));
    strcpy(got, page_rights(&_GLOBAL_OFFSET_TABLE_[3]));
    say("constants %s dynamic %s first jump slot %s", page_rights(&relocated[300]), dynamic, got);
}
