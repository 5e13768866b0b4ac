// shapes.cc - a virtual call through a null object, and an exception that nothing catches.
#include <cstring>
#include <stdexcept>
#include <vector>
namespace shapes {
struct shape { virtual int area(int scale) { return scale; } virtual ~shape() {} };
template <typename T> struct pool { std::vector<T *> all; __attribute__((noinline)) int total(int n) { return all[n]->area(2) + 1; } }; // LINE virtual
template <typename T> struct own { T what; };
__attribute__((noinline)) int check(const std::vector<shape *> &all, unsigned long n) { __asm__ volatile(""); if (n >= all.size()) std::__throw_out_of_range("n"); return 0; } // LINE thrown
__attribute__((noinline)) void quiet(int n) noexcept { throw own<int>{n}; } // LINE noexcept
}
int main(int argc, char **argv) {
    shapes::pool<shapes::shape> pool;
    pool.all.push_back(nullptr);
    if (argc > 1 && std::strcmp(argv[1], "throw") == 0)
        throw std::runtime_error("nobody catches this"); // LINE throw
    if (argc > 1 && std::strcmp(argv[1], "thrown") == 0)
        return shapes::check(pool.all, 7) + 1;
    if (argc > 1 && std::strcmp(argv[1], "noexcept") == 0)
        shapes::quiet(argc);
    return pool.total(argc - 1);
}
