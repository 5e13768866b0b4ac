/* report.c - handing a problem to whoever decides what follows, and the words for codes and errnos. */
#include "base.h"

int report_problem(struct report *report, const struct problem *problem)
{
    if (report && report->take)
        report->take(report, problem);
    return -problem->code;
}

int report_values(struct report *report, int code, const char *object, u64 found, u64 expected, u64 place)
{
    struct problem problem = { .code = code, .object = object, .found = found, .expected = expected, .place = place,
                               .has_values = true };
    return report_problem(report, &problem);
}

int report_errno(struct report *report, int code, const char *object, int sys_errno)
{
    struct problem problem = { .code = code, .object = object, .sys_errno = sys_errno };
    return report_problem(report, &problem);
}

/* Texts by switch, not by a table of pointers: a table would be relocated memory, private to every process. */
const char *ldr_error_text(int code)
{
    switch (code) {
#define LDR_TEXT_(name, text, field) case LDR_E_##name: return text;
        LDR_ERRORS(LDR_TEXT_)
#undef LDR_TEXT_
    default: return "unknown error";
    }
}

const char *ldr_error_field(int code)
{
    switch (code) {
#define LDR_FIELD_(name, text, field) case LDR_E_##name: return field;
        LDR_ERRORS(LDR_FIELD_)
#undef LDR_FIELD_
    default: return "";
    }
}

const char *errno_text(int sys_errno)
{
    switch (sys_errno) {
    case 1: return "Operation not permitted";
    case 2: return "No such file or directory";
    case 4: return "Interrupted system call";
    case 5: return "Input/output error";
    case 6: return "No such device or address";
    case 9: return "Bad file descriptor";
    case 11: return "Resource temporarily unavailable";
    case 12: return "Cannot allocate memory";
    case 13: return "Permission denied";
    case 16: return "Device or resource busy";
    case 17: return "File exists";
    case 19: return "No such device";
    case 20: return "Not a directory";
    case 21: return "Is a directory";
    case 22: return "Invalid argument";
    case 23: return "Too many open files in system";
    case 24: return "Too many open files";
    case 26: return "Text file busy";
    case 27: return "File too large";
    case 36: return "File name too long";
    case 40: return "Too many levels of symbolic links";
    case 75: return "Value too large for defined data type";
    case 116: return "Stale file handle";
    default: return "Unknown error";
    }
}
