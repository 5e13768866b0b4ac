template <typename T> struct holder { static int value; };
template <typename T> int holder<T>::value = 7;
#ifdef BAD
extern "C" int nowhere();
#else
static int nowhere() { return 0; }
#endif
extern "C" int next() { return holder<int>::value++ + nowhere(); }
