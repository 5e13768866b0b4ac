/* clock.c - the processor's ticks, in which events are stamped, as nanoseconds. */
#include "trace.h"

#include "../ldr.h"

#include <string.h>
#include <time.h>

uint64_t trace_clock_ns(const struct trace_clock *clock, uint64_t ticks) {
    return ticks <= clock->tick0 ? 0 : (uint64_t)((double)(ticks - clock->tick0) * clock->ns_per_tick);
}

/* A process that ended at once told its time only once: then this machine's ticks of today. */
static double measured_ns_per_tick(void) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    uint64_t ticks = __builtin_ia32_rdtsc(), ns;
    do {
        clock_gettime(CLOCK_MONOTONIC, &to);
        ns = (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000u + (uint64_t)to.tv_nsec - (uint64_t)from.tv_nsec;
    } while (ns < 2000000);
    ticks = __builtin_ia32_rdtsc() - ticks;
    return ticks ? (double)ns / (double)ticks : 1;
}

/* Ticks become nanoseconds by the two PROCESS or PHASE events that lie farthest apart. (The first phase's reading is not of its
 * beginning, which lies before the record was made.) */
struct trace_clock trace_clock_of(const struct record *record) {
    struct trace_clock clock = { .tick0 = record->count ? record->events[0].event->time : 0, .ns_per_tick = 1 };
    const struct trace_event *first = NULL, *last = NULL;
    for (size_t i = 0; i < record->count; i++) {
        const struct trace_event *event = record->events[i].event;
        if (event->type != TRACE_PROCESS && (event->type != TRACE_PHASE || event->flag == TRACE_LOAD))
            continue;
        first = first ? first : event;
        last = event;
    }
    if (!first)
        return clock;
    if (last->time - first->time < 100000)
        last = first;             /* too near each other to tell */
    uint64_t ns0, ns1; /* the first member of both kinds */
    memcpy(&ns0, first + 1, sizeof ns0);
    memcpy(&ns1, last + 1, sizeof ns1);
    if (last->time > first->time && ns1 > ns0) {
        clock.ns_per_tick = (double)(ns1 - ns0) / (double)(last->time - first->time);
        clock.mono = ns0 - (uint64_t)((double)(first->time - clock.tick0) * clock.ns_per_tick);
    } else if (last == first) {
        clock.ns_per_tick = measured_ns_per_tick();
        clock.mono = ns0 - (uint64_t)((double)(first->time - clock.tick0) * clock.ns_per_tick);
    } else {
        warn_ldr("the clock went backwards in this record (more than one start of the machine?): times are ticks");
    }
    return clock;
}
