/* pack.h - packs of the linker's cache: files whose pages are objects' writable segments as relocation left them. */
#ifndef LDR_HOST_PACK_H
#define LDR_HOST_PACK_H

#include <stdbool.h>

/* pack_is - is the open file one, or one with images of what dlopen brings? Its format is the linker's own (ldr/cache/format.h). */
bool pack_is(int fd);

#endif
