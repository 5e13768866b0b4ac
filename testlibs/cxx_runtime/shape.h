#include <iostream>
#include <string>
struct Shape { virtual ~Shape() = default; virtual std::string name() const { return "shape"; } };
struct Circle : Shape { std::string name() const override; };
template <typename T> struct Counter { static inline int count = 0; };
Shape *make_circle();
int counted();
