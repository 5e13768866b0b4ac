#include "scenario.h"
template <typename T> struct holder { static int value; };
template <typename T> int holder<T>::value = 5;
extern "C" int *address() { return &holder<int>::value; }
#ifdef OTHER
extern "C" int *twin() { static int unused; (void)unused; return &holder<long>::value; }
#endif
