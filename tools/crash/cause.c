/* cause.c - one sentence: what the program did that it died of, from the signal, the address, the page there and the stack. Each rule says
 * only what the facts show; where they leave several causes open, the sentence names what happened and the advice what it may come of. */
#include "crash.h"
#include "../ldr.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NULL_PAGES = 65536, STACK_NEAR = 1 << 20, REPEATS = 8 };

static void __attribute__((format(printf, 3, 4))) set(struct crash *crash, const char *kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    crash->kind = kind;
    if (vasprintf(&crash->cause, format, args) < 0)
        crash->cause = NULL;
    va_end(args);
}

static void advise(struct crash *crash, const char *advice) {
    free(crash->advice);
    crash->advice = must_format("%s", advice);
}

/* "table + 0x8 in main", "main + 0x4010" */
static char *place_name(const struct spot *spot) {
    const char *path = spot->object ? spot->object->path : spot->unloaded ? spot->unloaded->path : NULL;
    if (!path)
        return must_format("%#llx", (unsigned long long)spot->addr);
    return *spot->symbol ? must_format("%s in %s", spot->symbol, base_name(path)) : must_format("%s + %#llx", base_name(path), (unsigned long long)spot->vaddr);
}

static const struct frame *frame_named(const struct crash *crash, const char *name) {
    for (size_t i = 0; i < crash->unwound.frame_count; i++) {
        const char *function = crash->unwound.frames[i].function;
        if (strcmp(strncmp(function, "__GI_", 5) == 0 ? function + 5 : function, name) == 0) /* as glibc's own debug information has it */
            return &crash->unwound.frames[i];
    }
    return NULL;
}

static const char *verb(enum access_kind access) {
    return access == ACCESS_WRITES ? "wrote to" : access == ACCESS_READS ? "read from" : access == ACCESS_EXECUTES ? "jumped to" : "touched";
}

/* ---- the stack ---------------------------------------------------------------------------------------------------------- */

static const struct frame *repeated(const struct crash *crash) {
    const struct unwound *unwound = &crash->unwound;
    for (size_t i = 0; i < unwound->frame_count && i < 4 * REPEATS; i++) {
        size_t same = 0;
        for (size_t k = i; k < unwound->frame_count; k++)
            same += *unwound->frames[i].function && unwound->frames[k].object == unwound->frames[i].object && unwound->frames[k].start == unwound->frames[i].start;
        if (same >= REPEATS)
            return &unwound->frames[i];
    }
    return NULL;
}

/* The readable mapping next above, when nothing but guards lies between. */
static const struct crash_map *stack_above(const struct crash *crash, u64 addr) {
    const struct crash_map *map = space_map(&crash->space, addr);
    do
        map = space_above(&crash->space, map ? map->start : addr);
    while (map && !map->read);
    return map;
}

/* Touched near the stack pointer, and below a stack that frames of the thread lie in. */
static bool ran_over(const struct crash *crash, const struct crash_map *stack) {
    u64 sp = crash->moment.regs.rsp, apart = crash->addr > sp ? crash->addr - sp : sp - crash->addr;
    for (size_t i = 0; apart <= STACK_NEAR && stack->start - crash->addr <= 2 * STACK_NEAR && i < crash->unwound.frame_count; i++)
        if (crash->unwound.frames[i].sp >= stack->start && crash->unwound.frames[i].sp <= stack->end)
            return true;
    return false;
}

static bool stack_overflowed(struct crash *crash) {
    const struct crash_map *stack = stack_above(crash, crash->addr);
    const u64 sp = crash->moment.regs.rsp;
    if ((crash->at.map && crash->at.map->read) || crash->access == ACCESS_EXECUTES)
        return false;
    bool ran = stack && ran_over(crash, stack);
    if (!ran) /* one frame larger than what was left: it reaches over whatever lies below */
        stack = space_left(&crash->space, sp, crash->moment.regs.fs_base);
    if (!stack || (!ran && (crash->addr >= stack->start || (crash->addr < sp && sp - crash->addr > STACK_NEAR))))
        return false;
    const struct frame *again = repeated(crash);
    char *whose = crash->thread == crash->pid ? must_format("the stack of the first thread") : must_format("the stack of thread %d", (int)crash->thread);
    char *beyond = ran ? must_format("%s", "")
                       : must_format(", and a frame reaches %llu KiB below them", (unsigned long long)(stack->start - sp) / 1024);
    set(crash, "stack-overflow", "%s overflowed (%llu KiB are in use%s)%s%s%s", whose, (unsigned long long)(stack->end - stack->start) / 1024, beyond,
        again ? ": endless or too deep recursion of " : "", again ? again->function : "", again ? "()" : "");
    if (!again)
        advise(crash, "a large local array or alloca(); ulimit -s and pthread_attr_setstacksize set the limit");
    free(whose);
    free(beyond);
    return true;
}

/* ---- jumps -------------------------------------------------------------------------------------------------------------- */

static bool through_slot(struct crash *crash) {
    const struct crash_slot *slot = &crash->slot;
    if (!slot->found)
        return false;
    if (slot->weak && slot->word == 0)
        set(crash, "weak-undefined", "called %s, a weak symbol that nothing defines: its GOT slot in %s holds 0", slot->symbol, base_name(slot->object));
    else if (slot->changed)
        set(crash, "got-overwritten", "jumped through the GOT slot of %s in %s, which was overwritten: it holds %#llx, the linker stored %#llx",
            *slot->symbol ? slot->symbol : "a local function", base_name(slot->object), (unsigned long long)slot->word, (unsigned long long)slot->stored);
    else
        return false;
    return true;
}

static void jumped(struct crash *crash) {
    char *there = place_name(&crash->at);
    u64 popped = 0;
    bool returned = crash->unwound.frame_count && crash->addr == crash->moment.regs.rip && !crash->slot.site &&
                    space_word(&crash->space, crash->moment.regs.rsp - 8, &popped) && popped == crash->addr;
    returned |= crash->moment.info.si_code == SI_KERNEL && strncmp(crash->unwound.text, "ret", 3) == 0; /* refused at the ret itself */
    if (through_slot(crash)) {
    } else if (crash->at.class == PAGE_UNLOADED) {
        set(crash, "unloaded-library", "called into %s, which dlclose has unloaded: %s", base_name(crash->at.unloaded->path), there);
        advise(crash, "a function pointer, handler or thread outlived the library; ldr trace shows who closed it");
    } else if (crash->addr < NULL_PAGES && !returned) {
        set(crash, "null-function", "called a null function pointer%s", crash->addr ? " (with an offset)" : "");
    } else if (returned && (!crash->at.map || !crash->at.map->exec)) {
        set(crash, "return-overwritten", "returned to %#llx, which is no code: a return address on the stack was overwritten", (unsigned long long)crash->addr);
    } else if (crash->at.class == PAGE_NON_CANONICAL) {
        set(crash, "jump-non-canonical", "jumped to %#llx, which is no address (non-canonical)", (unsigned long long)crash->addr);
    } else if (crash->at.map && !crash->at.map->exec) {
        set(crash, "jump-to-data", "jumped to a page that is not executable (NX): %s, %s", there, page_class_name(crash->at.class));
    } else {
        set(crash, "jump-unmapped", "jumped to %#llx, where nothing is mapped", (unsigned long long)crash->addr);
    }
    free(there);
}

/* ---- data --------------------------------------------------------------------------------------------------------------- */

static void wrote_protected(struct crash *crash) {
    char *there = place_name(&crash->at);
    switch (crash->at.class) {
    case PAGE_RELRO:
        set(crash, "relro-write", "wrote to a RELRO page, which is read-only once it is relocated: %s", there);
        advise(crash, "a const object that holds addresses (it is sealed when they are filled in), or a write into a GOT");
        break;
    case PAGE_CODE: set(crash, "code-write", "wrote to a code page: %s", there); break;
    case PAGE_CONSTANTS:
        set(crash, "constant-write", "wrote to constants (read-only data): %s", there);
        advise(crash, "a string literal or a const object");
        break;
    default: set(crash, "read-only-write", "wrote to a page that is mapped read-only: %s, %s", there, page_class_name(crash->at.class)); break;
    }
    free(there);
}

/* On the first page behind it: whoever goes through memory in order meets that one first. */
static bool past_heap(const struct crash *crash) {
    const struct crash_map *below = space_below(&crash->space, crash->addr);
    return crash->at.class == PAGE_NOTHING && below && strcmp(below->path, "[heap]") == 0 && crash->addr - below->end < LDR_PAGE;
}

static void touched(struct crash *crash) {
    const struct crash_map *map = crash->at.map;
    char *there = place_name(&crash->at);
    const char *how = verb(crash->access);
    if (crash->at.class == PAGE_NON_CANONICAL) {
        set(crash, "non-canonical", "%s %#llx, which is no address (non-canonical)", how, (unsigned long long)crash->addr);
        advise(crash, "a pointer that was overwritten, was never set, or was freed with its memory used again");
    } else if (crash->moment.info.si_code == SI_KERNEL) {
        set(crash, "misaligned", "%s %#llx by an instruction that needs an aligned address", how, (unsigned long long)crash->addr);
    } else if (crash->addr < NULL_PAGES) {
        if (crash->addr)
            set(crash, "null-pointer", "%s address %#llx: a null pointer with an offset of %llu bytes (a member or element)", how, (unsigned long long)crash->addr,
                (unsigned long long)crash->addr);
        else
            set(crash, "null-pointer", "%s address 0: a null pointer", how);
    } else if (stack_overflowed(crash)) {
    } else if (crash->at.class == PAGE_UNLOADED) {
        set(crash, "unloaded-library", "%s data of %s, which dlclose has unloaded: %s", how, base_name(crash->at.unloaded->path), there);
    } else if (crash->moment.info.si_code == SEGV_PKUERR) {
        set(crash, "protection-key", "%s a page whose protection key forbids it: %s", how, there);
    } else if (map && crash->moment.info.si_code == SEGV_MAPERR) {
        set(crash, "not-mapped", "%s %#llx, where nothing was mapped then: %s, %s, came there since", how, (unsigned long long)crash->addr, there,
            page_class_name(crash->at.class));
    } else if (map && map->read && crash->surely_read) {
        set(crash, "permission-changed", "%s a page that could not be read then: %s, %s; its permission was changed since", how, there,
            page_class_name(crash->at.class));
    } else if (map && map->read && !map->write) {
        crash->access = ACCESS_WRITES;
        wrote_protected(crash);
    } else if (map && !map->read && !map->write) {
        set(crash, "no-access", "%s a page without that permission: %s, %s", how, there, page_class_name(crash->at.class));
    } else if (map) {
        set(crash, "refused", "%s %s, and the kernel refused it", how, there);
    } else if (past_heap(crash)) {
        set(crash, "heap-overrun", "%s %#llx, just past the end of the heap: running over a block leads there", how, (unsigned long long)crash->addr);
        advise(crash, "a length or index larger than the block: memset, memcpy or a loop that does not stop");
    } else {
        set(crash, "not-mapped", "%s %#llx, where nothing is mapped", how, (unsigned long long)crash->addr);
        advise(crash, "memory given back (munmap, or free of a large block), an index out of range, or a pointer that was overwritten");
    }
    free(there);
}

static void bus_error(struct crash *crash) {
    const struct crash_map *map = crash->at.map;
    char *link = NULL;
    struct stat st;
    if (map && map->ino && crash->moment.info.si_code == BUS_ADRERR) {
        link = must_format("/proc/%d/map_files/%llx-%llx", (int)crash->thread, (unsigned long long)map->start, (unsigned long long)map->end);
        bool known = (stat(map->path, &st) == 0 && st.st_ino == map->ino) || (stat(link, &st) == 0 && st.st_ino == map->ino);
        u64 off = map->off + (align_down(crash->addr, LDR_PAGE) - map->start);
        if (known && off >= (u64)st.st_size)
            set(crash, "file-truncated", "%s a page that its file no longer has: %s has %llu bytes, the page begins at byte %llu (truncated after it was mapped)",
                verb(crash->access), map->path, (unsigned long long)st.st_size, (unsigned long long)off);
        else
            set(crash, "file-unreadable", "%s a page that could not be read from its file: %s, byte %llu", verb(crash->access), map->path, (unsigned long long)off);
    } else if (crash->moment.info.si_code == BUS_ADRALN) {
        set(crash, "misaligned", "%s %#llx, which is not aligned as the instruction needs it", verb(crash->access), (unsigned long long)crash->addr);
    } else {
        set(crash, "bus-error", "%s %#llx, and the memory behind it could not be reached", verb(crash->access), (unsigned long long)crash->addr);
    }
    free(link);
}

/* ---- instructions ------------------------------------------------------------------------------------------------------- */

static void arithmetic(struct crash *crash) {
    const struct unwound *unwound = &crash->unwound;
    bool zero = false, known = false;
    for (size_t i = 0; i < unwound->operand_count && unwound->divides; i++) {
        const struct operand *operand = &unwound->operands[i];
        u64 value = operand->addr;
        if (operand->target || (operand->memory && operand->write))
            continue;
        u64 bytes = 0;
        if (operand->memory && space_read(&crash->space, operand->addr, &bytes, operand->len <= 8 ? operand->len : 8) == operand->len)
            value = bytes;
        zero = value == 0;
        known = true;
    }
    if (unwound->divides && known)
        set(crash, zero ? "division-by-zero" : "division-overflow", zero ? "divided an integer by zero" : "divided integers whose quotient does not fit (such as INT_MIN / -1)");
    else if (crash->moment.info.si_code == FPE_INTDIV)
        set(crash, "division-by-zero", "divided an integer by zero, or with a quotient that does not fit");
    else
        set(crash, "floating-point", "a floating-point operation that the program has asked to trap (feenableexcept): %s", crash_code(&crash->moment.info));
}

static void illegal(struct crash *crash) {
    if (crash->unwound.undefined) {
        set(crash, "trap-instruction", "executed ud2, an instruction that always fails: __builtin_trap(), or a place that the compiler took for unreachable");
        advise(crash, "a function without return value that needs one, a check of a sanitizer, an undefined operation the compiler saw");
    } else if (crash->unwound.len) {
        set(crash, "unsupported-instruction", "executed '%s', which this processor or kernel does not support", crash->unwound.text);
        advise(crash, "the program was built for another processor (-march)");
    } else {
        set(crash, "no-instruction", "executed bytes that are no instruction, or one that this processor does not have");
        advise(crash, "a jump into the middle of code or into data; or a program built for another processor (-march)");
    }
}

/* ---- abort -------------------------------------------------------------------------------------------------------------- */

/* glibc keeps what it printed before abort, for debuggers: a length and the text (GLIBC_PRIVATE __abort_msg). */
static char *abort_message(const struct space *space) {
    struct symbol_want want = { .name = "__abort_msg", .newest = true };
    want.gnu = gnu_hash_len(want.name, &want.len);
    for (size_t i = 0; i < space->object_count; i++) {
        const struct crash_object *object = &space->objects[i];
        const Elf64_Sym *symbol = object->file ? image_find_symbol(&object->file->image, &want) : NULL;
        char text[512];
        u64 at;
        if (!symbol || !space_word(space, object->bias + symbol->st_value, &at) || !at)
            continue;
        size_t len = space_read(space, at + 4, text, sizeof text - 1);
        text[len] = '\0';
        text[strcspn(text, "\n")] = '\0';
        len = strlen(text);
        if (len && text[len - 1] == '.') /* it becomes part of a sentence */
            text[len - 1] = '\0';
        return *text ? text_utf8(text) : NULL;
    }
    return NULL;
}

/* Sent by the program to itself, but not by abort(). Where no frame has a name, only kill() is told from it: abort() uses tgkill(). */
static bool only_raised(const struct crash *crash) {
    bool named = false;
    for (size_t i = 0; i < crash->unwound.frame_count && !named; i++)
        named = *crash->unwound.frames[i].function;
    return !frame_named(crash, "abort") && (named || crash->moment.info.si_code != SI_TKILL);
}

static void terminated(struct crash *crash) {
    const struct frame *thrown = frame_named(crash, "__cxa_throw"), *last = &crash->unwound.frames[crash->unwound.frame_count - 1];
    char *type = thrown && thrown < last ? exception_type(crash, thrown[1].sp) : NULL;
    set(crash, "uncaught-exception", "ended by std::terminate(): an exception %s%s%sthat nothing catches, or a second one during the first", type ? "(" : "",
        type ? type : "", type ? ") " : "");
    free(type);
}

static void aborted(struct crash *crash) {
    crash->message = abort_message(&crash->space);
    const char *said = crash->message ? crash->message : "";
    const struct frame *smashed = frame_named(crash, "__stack_chk_fail"), *frame = crash->unwound.frames;
    const char *function = "";
    for (size_t i = 0; smashed && i + 1 < crash->unwound.frame_count; i++)
        if (&frame[i] == smashed)
            function = frame[i + 1].function;
    if (smashed || strstr(said, "stack smashing"))
        set(crash, "stack-smashing", "stack smashing: %s%swrote beyond a local array, and the stack protector noticed", function, *function ? "() " : "a function ");
    else if (frame_named(crash, "__assert_fail") || strstr(said, "Assertion `"))
        set(crash, "assertion", "an assertion failed: %s", *said ? said : "see the backtrace");
    else if (frame_named(crash, "__fortify_fail") || strstr(said, "buffer overflow detected"))
        set(crash, "buffer-overflow", "a checked C library function noticed a write beyond a buffer (_FORTIFY_SOURCE): %s", said);
    else if (frame_named(crash, "__cxa_throw") || frame_named(crash, "std::terminate()"))
        terminated(crash);
    else if (*said)
        set(crash, "library-abort", "the C library ended the program: %s", said);
    else if (only_raised(crash))
        set(crash, "raised", "the program raised SIGABRT itself, not by abort()");
    else if (!frame_named(crash, "abort"))
        set(crash, "abort", "the program called abort(), or raised SIGABRT itself");
    else
        set(crash, "abort", "the program called abort()");
}

/* ---- all together ------------------------------------------------------------------------------------------------------- */

enum { CALLS_READ = 4096 };           /* of an array; a hostile file may claim any number */

/* The functions that the linker calls for an object, as they are in memory. */
struct linker_calls {
    const struct crash_object *object;
    u64 words[3][CALLS_READ];
    size_t counts[3];
};
static const char *const call_kinds[3] = { "constructor", "constructor", "destructor" };

static void read_calls(struct linker_calls *calls, const struct space *space, const struct crash_object *object) {
    const struct image *image = &object->file->image;
    const struct func_array arrays[3] = { image->init_array, image->preinit_array, image->fini_array };
    calls->object = object;
    for (size_t a = 0; a < 3; a++) {
        u64 count = arrays[a].count < CALLS_READ ? arrays[a].count : CALLS_READ;
        calls->counts[a] = space_read(space, object->bias + arrays[a].vaddr, calls->words[a], count * 8) / 8;
    }
}

/* What the linker calls this function as; NULL: it does not. */
static const char *called_as(const struct linker_calls *calls, const struct frame *frame) {
    const struct image *image = &frame->object->file->image;
    for (size_t a = 0; a < 3; a++)
        for (size_t i = 0; i < calls->counts[a]; i++)
            if (calls->words[a][i] == frame->object->bias + frame->start)
                return call_kinds[a];
    return frame->start == image->init_vaddr ? "constructor" : frame->start == image->fini_vaddr ? "destructor" : NULL;
}

static void say_when(struct crash *crash) {
    struct linker_calls *calls = must_alloc(1, sizeof *calls);
    const char *kind = NULL;
    for (size_t i = crash->unwound.frame_count; !kind && i-- > 0;) {
        const struct frame *frame = &crash->unwound.frames[i];
        if (!frame->object || !frame->object->file || !frame->start)
            continue;
        if (calls->object != frame->object)
            read_calls(calls, &crash->space, frame->object);
        kind = called_as(calls, frame);
        if (kind) {
            char *longer = must_format("%s, in a %s of %s", crash->cause, kind, base_name(frame->object->path));
            free(crash->cause);
            crash->cause = longer;
        }
    }
    free(calls);
}

void cause_find(struct crash *crash) {
    const siginfo_t *info = &crash->moment.info;
    const char *name = crash_signal(info->si_signo);
    if (info->si_signo == SIGABRT && info->si_pid == crash->pid)
        aborted(crash);
    else if (info->si_code <= 0 && info->si_pid != crash->pid)
        set(crash, "sent", "process %2$d sent it %1$s (kill); no instruction failed", name, (int)info->si_pid);
    else if (info->si_code <= 0)
        set(crash, "raised", "the program raised %s itself", name);
    else if (info->si_signo == SIGFPE)
        arithmetic(crash);
    else if (info->si_signo == SIGILL)
        illegal(crash);
    else if (crash->has_addr && crash->access == ACCESS_EXECUTES)
        jumped(crash);
    else if (info->si_signo == SIGBUS)
        bus_error(crash);
    else if (crash->has_addr)
        touched(crash);
    else if (crash->unwound.privileged)
        set(crash, "privileged-instruction", "executed '%s', which only the kernel may", crash->unwound.text);
    else
        set(crash, "protection-fault", "the processor refused '%s' (general protection fault)", *crash->unwound.text ? crash->unwound.text : "the instruction");
    if (!crash->cause)
        crash->cause = must_format("%s", name);
    if (!crash->advice)
        crash->advice = must_format("%s", "");
    say_when(crash);
    if (crash->raised_again) {
        char *longer = must_format("%s (the program's own handler ran and raised %s again)", crash->cause, name);
        free(crash->cause);
        crash->cause = longer;
    }
}
