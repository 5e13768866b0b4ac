// members.cc - C++ names for tests/tools/debuginfo.sh; see members.c for what "is:" means.
#include <cstddef>

namespace shop {
struct base { virtual ~base() {} long weight; };
template <class T> struct box { T value; box *next; };
// clang says the line of the declaration, gcc that of the definition: one
struct item : base { int price; static int count; int &link; item(int &to) : link(to) {} }; int item::count = 7; /* is: 0 4 shop::item::count|int|| ; */
namespace { int hidden = 3; }        /* is: 0 4 shop::(anonymous namespace)::hidden|int|| ; */
int number;
item thing(number);                  /* is: 8 8 shop::thing|item|.weight|long ; */
item other(number);                  /* is: 16 16 shop::other|item|.price|int ; shop::other|item| (padding)| ; shop::other|item|.link|int & ; */
box<item *> boxed = { &thing, NULL }; /* is: 8 8 shop::boxed|box<shop::item*>|.next|box<shop::item*> * ; */
int item::*member = &item::price;    /* is: 0 8 shop::member|int item::*|| ; */
class counter { int n = 4; public: int next() { static int seen = 2; return n + seen++; } }; /* is: 0 4 shop::counter::next()::seen|int|| ; */
counter one;                         /* is: 0 4 shop::one|counter|.n|int ; */
int use() { return one.next() + hidden++ + thing.price; }
}
