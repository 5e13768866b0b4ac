// shapes.cc - a virtual call through a null object, and an exception that nothing catches.
#include <cstring>
#include <stdexcept>
#include <vector>
namespace shapes {
struct shape { virtual int area(int scale) { return scale; } virtual ~shape() {} };
template <typename T> struct pool { std::vector<T *> all; __attribute__((noinline)) int total(int n) { return all[n]->area(2) + 1; } }; // LINE virtual
}
int main(int argc, char **argv) {
    shapes::pool<shapes::shape> pool;
    pool.all.push_back(nullptr);
    if (argc > 1 && std::strcmp(argv[1], "throw") == 0)
        throw std::runtime_error("nobody catches this"); // LINE throw
    return pool.total(argc - 1);
}
