template <typename T> struct holder { static int value; };
template <typename T> int holder<T>::value = 7;
extern "C" int next() { return holder<int>::value++; }
