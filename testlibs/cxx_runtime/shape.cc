#include "scenario.h"
#include "shape.h"
static struct Early { Early() { std::cout << "library speaks" << std::endl; } ~Early() { std::cout << "library ends" << std::endl; } } early;
std::string Circle::name() const { return "circle"; }
Shape *make_circle() { Counter<int>::count++; return new Circle; }
int counted() { return Counter<int>::count; }
