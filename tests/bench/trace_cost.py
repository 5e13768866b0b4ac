#!/usr/bin/env python3
"""trace_cost.py LINKER PAIRS PROGRAM... - what LDR_TRACE costs: CPU milliseconds of whole processes without it, with it and without
bindings (LDR_TRACE_BINDINGS=off, as `ldr trace` has it unless asked for them), and with all, in turn. "More" is the median of what each
round's run costs beyond the same round's without: neighbours in time share what else the machine is doing.
The record lies in memory (/dev/shm) as `ldr trace` has it, and is a new file each time."""
import os, statistics, sys, tempfile

linker, pairs, programs = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
folder = tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
record = folder + "/record"


def run(program, env):
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        os.execve(linker, [linker, program], env)
    usage = os.wait4(pid, 0)[2]
    return (usage.ru_utime + usage.ru_stime) * 1000


def more(runs, without):
    return 100 * statistics.median(run / base - 1 for run, base in zip(runs, without))


# Cold: what is not done from the cache is what a record is made of.
plain = {name: value for name, value in os.environ.items() if not name.startswith("LDR_TRACE")} | {"LDR_CACHE": "off"}
print(f"{'program':20} {'off ms':>9} {'on ms':>9} {'more':>8} {'bindings':>9} {'more':>8} {'record KiB':>11}   (million: bar 10 %)")
for program in programs:
    off, on, light, size = [], [], [], 0
    for _ in range(pairs):
        off.append(run(program, plain))
        light.append(run(program, dict(plain, LDR_TRACE=record, LDR_TRACE_BINDINGS="off")))
        os.unlink(record)
        on.append(run(program, dict(plain, LDR_TRACE=record)))
        size = os.stat(record).st_size // 1024
        os.unlink(record)
    a, b, c = statistics.median(off), statistics.median(light), statistics.median(on)
    print(f"{os.path.basename(program):20} {a:9.3f} {b:9.3f} {more(light, off):6.1f} % {c:9.3f} {more(on, off):6.1f} % {size:11}")
os.rmdir(folder)
