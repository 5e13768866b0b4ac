"""faults.py - how many page faults a start and its end take for each library, from a record and without, counted by the process itself: when
the first constructor and when the last destructor runs. LIBRARIES have nothing but what the compiler's start files bring, or a destructor besides."""
import os, subprocess
from kit import *

LIBRARIES = 24
EDGE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
static long begun, ended;
long faults_now(void) { struct rusage u; getrusage(RUSAGE_SELF, &u); return u.ru_minflt; }
__attribute__((constructor)) static void first(void) { faults_now(); begun = faults_now(); }
long faults_of_start(void) { return faults_now() - begun; }
void end_begins(void) { ended = faults_now(); }
__attribute__((destructor)) static void last(void) { printf("end %ld\n", faults_now() - ended); fflush(stdout); }
"""
PLAIN = "int value_{0} = 1;\nvoid end_begins(void);\nvoid *plain_{0}(void) {{ return end_begins; }}\n"
ENDS = '__attribute__((destructor)) static void end_{0}(void) {{ __asm__ volatile("cld"); }}\n'          # an instruction that outcome.c does not know
MAIN = r"""
#include <stdio.h>
long faults_of_start(void);
void end_begins(void);
__attribute__((destructor)) static void begin(void) { end_begins(); }
int main(void) { long start = faults_of_start(); printf("start %ld\n", start); fflush(stdout); return 0; }
"""


def build(parts, name, source):
    edge = parts.compile("libedge.so", EDGE, "-shared", "-fPIC", "-Wl,-soname,libedge.so")
    for i in range(LIBRARIES):
        parts.compile(f"lib{name}{i}.so", source.format(i), "-shared", "-fPIC", f"-Wl,-soname,lib{name}{i}.so", edge)
    return parts.compile("faulting-" + name, MAIN, "-Wl,--no-as-needed", *(parts.path(f"lib{name}{i}.so") for i in range(LIBRARIES)), edge, "-Wl,-rpath,$ORIGIN",
                         "-Wl,-rpath-link," + parts.dir)


with workshop() as (where, parts):
    for name, source in (("plain", PLAIN), ("ends", PLAIN + ENDS)):
        command = [parts.loader, build(parts, name, source)]
        env = {"LDR_CACHE_DIR": os.path.join(where, "cache-" + name)}
        time.sleep(YOUNG)
        run(command, {**env, "LDR_CACHE": "now"})
        for state in ("require", "off"):
            done = run(command, {**env, "LDR_CACHE": state})
            found = dict(line.split() for line in done[1].splitlines())
            if not check(f"{name}, {state}: it starts and ends", done[0] == 0 and set(found) == {"start", "end"}, done):
                continue
            # What is called is mapped with its pages, code and RELRO from an image, and nothing writes.
            took = int(found["start"])
            check(f"{name}, {state}: {LIBRARIES} libraries start without a fault each ({took})", took <= LIBRARIES // 3, done)
            # From an image the page that holds the flag of the start files becomes private: one fault. Reading it first made it two. Where nothing
            # else is to be done the flag is left out.
            took, least = int(found["end"]), LIBRARIES if (name, state) == ("ends", "require") else 0
            check(f"{name}, {state}: {LIBRARIES} libraries end with {1 if least else 'no'} fault each ({took})", least <= took <= least + LIBRARIES // 4, done)
finish()
