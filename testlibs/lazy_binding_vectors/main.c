#include "scenario.h"
#include "vec.h"
#define LANES(v) for (unsigned i = 0; i < sizeof v / 8; i++) line += sprintf(line, " %g", ((double *)&v)[i])
int main(void)
{
    char text[512], *line = text;
    __m128d x = { 1, 2 };
    __m256d y = { 1, 2, 3, 4 };
    __m512d z = { 1, 2, 3, 4, 5, 6, 7, 8 };
    __m128d rx = add128(x, x + 1, x + 2, x + 3, x + 4, x + 5, x + 6, x + 7);
    __m256d ry = add256(y, y + 1, y + 2, y + 3, y + 4, y + 5, y + 6, y + 7);
    __m512d rz = add512(z, z + 1, z + 2, z + 3, z + 4, z + 5, z + 6, z + 7);
    LANES(rx);
    LANES(ry);
    LANES(rz);
    say("%s", text);
    return 0;
}
