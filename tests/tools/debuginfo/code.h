/* code.h - a function of another file, in a section of its own: DWARF 5 may leave its file to the default of the line table. */
inline int from_header(int a) {
    int b = a * 3;
    return b + a;
}
