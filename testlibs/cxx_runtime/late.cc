#include "scenario.h"
#include "shape.h"
struct Square : Shape { std::string name() const override { return "square"; } };
static struct Early { Early() { std::cout << "opened library speaks" << std::endl; } } early;
extern "C" Shape *make_square() { Counter<int>::count += 10; return new Square; }
