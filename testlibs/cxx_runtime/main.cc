#include "scenario.h"
#include "shape.h"
#include <mutex>
#include <regex>
#include <sstream>
#include <thread>
#include <typeinfo>
static struct Early { Early() { std::cout << "program speaks" << std::endl; } } early;
int main()
{
    Shape *circle = make_circle();
    void *late = must_open("./liblate.so", RTLD_NOW | RTLD_LOCAL);
    Shape *square = ((Shape * (*)()) must_sym(late, "make_square"))();
    std::cout << circle->name() << ' ' << square->name() << ' ' << (dynamic_cast<Circle *>(circle) != nullptr)
              << (dynamic_cast<Circle *>(square) != nullptr) << (typeid(*circle) == typeid(Circle)) << ' ' << counted() << ' '
              << Counter<int>::count << std::endl;
    std::once_flag once;
    int calls = 0;
    std::thread a([&] { std::call_once(once, [&] { calls++; }); }), b([&] { std::call_once(once, [&] { calls++; }); });
    a.join();
    b.join();
    std::ostringstream text;
    text << std::hex << 255 << ' ' << std::regex_match("abc123", std::regex("[a-c]+[0-9]{3}")) << ' ' << calls;
    std::cout << text.str() << std::endl;
    delete circle;
    delete square;
}
