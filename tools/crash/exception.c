/* exception.c - the type of the exception that std::terminate() ended, from the words that the way there has left on the stack.
 *
 * An exception's head stands in front of the object thrown, and in it a class that no other data has by chance (Itanium C++ ABI, Exception
 * Handling, "Exception Objects"; the layout is that of GCC's libstdc++ and LLVM's libc++abi on x86-64). __cxa_throw calls begin_catch before
 * terminate(), so the head also says that it is being handled, which one freed long ago does not. All of it is the dead program's memory: read
 * by its own descriptor, and believed for a name only. */
#include "crash.h"
#include "../debuginfo/debuginfo.h"
#include "../ldr.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 4096, NAME_MAX_READ = 512, HEAD_TO_CLASS = 80, HANDLERS_TO_CLASS = 40 };
#define GNU_CLASS 0x474e5543432b2b00ull             /* "GNUCC++\0" */
#define LLVM_CLASS 0x434c4e47432b2b00ull            /* "CLNGC++\0" */

static char *type_at(const struct space *space, u64 class_addr) {
    u64 class, type, at;
    u32 handlers;
    char name[NAME_MAX_READ + 1];
    if (!space_word(space, class_addr, &class) || (class != GNU_CLASS && class != LLVM_CLASS) ||
        space_read(space, class_addr - HANDLERS_TO_CLASS, &handlers, sizeof handlers) != sizeof handlers || !handlers ||
        !space_word(space, class_addr - HEAD_TO_CLASS, &type) || !space_word(space, type + 8, &at))
        return NULL;
    size_t len = space_read(space, at, name, NAME_MAX_READ);
    name[len] = '\0';
    const char *mangled = name + (*name == '*');    /* GCC's mark: compared by address */
    if (!*mangled || strlen(name) == NAME_MAX_READ)
        return NULL;
    char *plain = demangle_as(mangled, DMGL_TYPES | DMGL_PARAMS), *text = plain ? text_utf8(plain) : NULL;
    free(plain);
    return text;
}

char *exception_type(const struct crash *crash, u64 end) {
    static const u64 to_class[] = { 0, -32ull, 96 };              /* from the head that unwinders pass on, the object, the allocation */
    u64 words[WORDS_MAX], sp = crash->moment.regs.rsp;
    size_t room = end > sp && end - sp < sizeof words ? end - sp : sizeof words;
    size_t count = end > sp ? space_read(&crash->space, sp, words, room) / 8 : 0;
    char *type = NULL;
    for (size_t i = 0; i < count && !type; i++)
        for (size_t k = 0; k < 3 && !type && words[i] && words[i] % 16 == 0; k++)
            type = type_at(&crash->space, words[i] + to_class[k]);
    return type;
}
