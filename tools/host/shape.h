/* shape.h - program headers of an ELF file, by libelf. */
#ifndef LDR_HOST_SHAPE_H
#define LDR_HOST_SHAPE_H

#include "../pages/pages.h"

/* shape_read - the PT_LOADs and PT_GNU_RELRO of the file open as fd
 *   returns true when it is an ELF file whose headers could be read; shape is filled and known is set then
 *   owns    shape->loads, malloc'd */
bool shape_read(int fd, struct shape *shape);

#endif
