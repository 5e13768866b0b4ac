/* text.c - the report for people: the cause first, then what shows it. */
#include "crash.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 40, SHOWN_LAST = 8 };

const char *crash_signal(int number) {
    switch (number) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    case SIGFPE: return "SIGFPE";
    case SIGABRT: return "SIGABRT";
    default: return "a signal";
    }
}

const char *crash_code(const siginfo_t *info) {
    static const struct { int number, code; const char *name; } codes[] = {
        { SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR" }, { SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR" }, { SIGSEGV, SEGV_PKUERR, "SEGV_PKUERR" },
        { SIGBUS, BUS_ADRALN, "BUS_ADRALN" }, { SIGBUS, BUS_ADRERR, "BUS_ADRERR" }, { SIGBUS, BUS_OBJERR, "BUS_OBJERR" },
        { SIGFPE, FPE_INTDIV, "FPE_INTDIV" }, { SIGFPE, FPE_INTOVF, "FPE_INTOVF" }, { SIGFPE, FPE_FLTDIV, "FPE_FLTDIV" }, { SIGFPE, FPE_FLTOVF, "FPE_FLTOVF" },
        { SIGFPE, FPE_FLTUND, "FPE_FLTUND" }, { SIGFPE, FPE_FLTRES, "FPE_FLTRES" }, { SIGFPE, FPE_FLTINV, "FPE_FLTINV" },
        { SIGILL, ILL_ILLOPN, "ILL_ILLOPN" }, { SIGILL, ILL_ILLOPC, "ILL_ILLOPC" }, { SIGILL, ILL_PRVOPC, "ILL_PRVOPC" },
        { 0, SI_KERNEL, "SI_KERNEL" }, { 0, SI_USER, "SI_USER" }, { 0, SI_TKILL, "SI_TKILL" }, { 0, SI_QUEUE, "SI_QUEUE" },
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == info->si_code && (!codes[i].number || codes[i].number == info->si_signo))
            return codes[i].name;
    return "";
}

static void put_frame(const struct crash *crash, size_t i, FILE *out) {
    const struct frame *frame = &crash->unwound.frames[i];
    fprintf(out, "  %3zu  0x%016llx  ", i, (unsigned long long)frame->pc);
    if (*frame->function)
        fprintf(out, "%s%s", frame->function, frame->offset);
    if (frame->line)
        fprintf(out, " at %s:%u", frame->file, frame->line);
    if (frame->object)
        fprintf(out, "%s%s + %#llx", *frame->function ? ", " : "", base_name(frame->object->path), (unsigned long long)(frame->pc - frame->object->bias));
    else
        fputs(space_map(&crash->space, frame->pc) ? "in no object" : "not mapped", out);
    fputs(i && frame->exact ? " (interrupted by a signal)\n" : "\n", out);
}

static void put_backtrace(const struct crash *crash, FILE *out) {
    const struct unwound *unwound = &crash->unwound;
    fputs("\nbacktrace\n", out);
    for (size_t i = 0; i < unwound->frame_count; i++) {
        if (unwound->frame_count > SHOWN_MAX && i == SHOWN_MAX - SHOWN_LAST) {
            size_t next = unwound->frame_count - SHOWN_LAST;
            fprintf(out, "       ... %zu more\n", next - i);
            i = next;
        }
        put_frame(crash, i, out);
    }
    if (unwound->more)
        fprintf(out, "       ... and more: %d are shown at most\n", FRAMES_MAX);
    else if (unwound->problem)
        fprintf(out, "       it ends here: %s\n", unwound->problem);
    for (size_t i = 0; i < crash->note_count; i++)
        fprintf(out, "       note: %s\n", crash->notes[i]);
}

static void put_registers(const struct crash *crash, FILE *out) {
    const struct user_regs_struct *r = &crash->moment.regs;
    const struct { const char *name; u64 value; } list[] = {
        { "rax", r->rax }, { "rbx", r->rbx }, { "rcx", r->rcx }, { "rdx", r->rdx }, { "rsi", r->rsi }, { "rdi", r->rdi }, { "rbp", r->rbp }, { "rsp", r->rsp },
        { "r8", r->r8 }, { "r9", r->r9 }, { "r10", r->r10 }, { "r11", r->r11 }, { "r12", r->r12 }, { "r13", r->r13 }, { "r14", r->r14 }, { "r15", r->r15 },
        { "rip", r->rip }, { "eflags", r->eflags }, { "fs_base", r->fs_base }, { "gs_base", r->gs_base },
    };
    fputs("\nregisters", out);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        fprintf(out, "%s%-8s%016llx", i % 4 ? "  " : "\n  ", list[i].name, (unsigned long long)list[i].value);
    fputc('\n', out);
}

static void put_instruction(const struct crash *crash, FILE *out) {
    const struct unwound *unwound = &crash->unwound;
    char *where = spot_text(&crash->space, &crash->instruction);
    fprintf(out, "  at           %#llx  %s\n  instruction  ", (unsigned long long)crash->moment.regs.rip, where);
    free(where);
    for (u32 i = 0; i < (unwound->len ? unwound->len : unwound->byte_count); i++)
        fprintf(out, "%02x ", unwound->bytes[i]);
    fprintf(out, "%s%s\n", unwound->byte_count ? "  " : "", *unwound->text ? unwound->text : unwound->byte_count ? "(not decoded)" : "none can be read there");
}

/* Who is to blame when the instruction is nobody's or a library's: the caller; in a library the first frame of another object. What runs the
 * program's own functions is the C library, as always: no news. */
static const struct frame *caller(const struct crash *crash) {
    const struct unwound *unwound = &crash->unwound;
    if (crash->access == ACCESS_EXECUTES)
        return unwound->frame_count > 1 && unwound->frames[1].object && crash->addr == unwound->frames[0].pc ? &unwound->frames[1] : NULL;
    size_t from = 0;
    for (size_t i = 0; crash->moment.info.si_code <= 0 && i + 1 < unwound->frame_count; i++)
        if (strcmp(unwound->frames[i].function, "__cxa_throw") == 0) {
            from = i;
            if (unwound->frames[i].object == crash->own)
                return &unwound->frames[i + 1];
        }
    if (crash->own && unwound->frames[from].object == crash->own)
        return NULL;
    for (size_t i = from + 1; i < unwound->frame_count; i++)
        if (unwound->frames[i].object && unwound->frames[i].object != unwound->frames[from].object)
            return &unwound->frames[i];
    return NULL;
}

static void put_caller(const struct crash *crash, FILE *out) {
    const struct frame *frame = caller(crash);
    if (!frame)
        return;
    fprintf(out, "  came from    %s%s in %s", *frame->function ? frame->function : "code", *frame->function && !strchr(frame->function, '(') ? "()" : "",
            base_name(frame->object->path));
    if (frame->line)
        fprintf(out, " at %s:%u", frame->file, frame->line);
    fputc('\n', out);
}

void crash_text(const struct crash *crash, FILE *out) {
    const siginfo_t *info = &crash->moment.info;
    const char *code = crash_code(info);
    fprintf(out, "%s (process %d) died of %s: %s.\n", base_name(crash->program), (int)crash->pid, crash_signal(info->si_signo), crash->cause);
    if (info->si_code <= 0)
        put_caller(crash, out);
    put_instruction(crash, out);
    if (crash->has_addr && crash->addr != crash->moment.regs.rip) {
        char *there = spot_text(&crash->space, &crash->at);
        fprintf(out, "  %-12s %#llx  %s\n", crash->access == ACCESS_WRITES ? "written" : crash->access == ACCESS_READS ? "read" :
                crash->access == ACCESS_EXECUTES ? "jump to" : "address", (unsigned long long)crash->addr, there);
        free(there);
    }
    if (info->si_code > 0)
        put_caller(crash, out);
    fprintf(out, "  thread       %d %s%s\n", (int)crash->thread, crash->thread_name, crash->thread == crash->pid ? ", the first" : "");
    fprintf(out, "  signal       %s%s%s", crash_signal(info->si_signo), *code ? ", " : "", code);
    if (info->si_code <= 0)
        fprintf(out, ", sent by process %d of user %d", (int)info->si_pid, (int)info->si_uid);
    fputc('\n', out);
    if (crash->message)
        fprintf(out, "  it said      %s\n", crash->message);
    if (*crash->advice)
        fprintf(out, "  look for     %s\n", crash->advice);
    if (crash->slot.found)
        fprintf(out, "\nbinding\n%s", crash->slot.story);
    put_backtrace(crash, out);
    put_registers(crash, out);
}
