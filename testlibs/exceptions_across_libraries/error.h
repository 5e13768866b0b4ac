#include <stdexcept>
struct Problem : std::runtime_error { using std::runtime_error::runtime_error; int code = 9; };
