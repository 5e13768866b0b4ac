#!/usr/bin/env python3
"""crash_cost.py LDR PAIRS THREADS SIGNALS - what `ldr run --crash-report` costs a program that does not crash: milliseconds of whole runs without it,
with it, and without it again, in turn. "More" is the median of what each round's run takes beyond the same round's first; what it says of the
second run without is the noise of this machine now. THREADS is a program that makes and joins as many threads as its argument says, SIGNALS
one that takes and handles as many signals."""
import os, statistics, sys, time

ldr, pairs, threads, signals = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
rows = [["true"], [threads, "2"], [threads, "100"], [threads, "2000"], [threads, "20000"], [signals, "100"], [signals, "50000"],
        ["python3", "-c", "import threading\nfor i in range(500):\n t = threading.Thread(target=int); t.start(); t.join()"],
        ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do ls >/dev/null; done"]]


def run(options, command):
    begun = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        os.execv(ldr, [ldr, "run", *options, *command])
    status = os.waitpid(pid, 0)[1]
    if status:
        sys.exit(f"crash_cost: {' '.join(command)}: wait status {status}")
    return (time.perf_counter() - begun) * 1000


def more(runs, base):
    return 100 * statistics.median(run / other - 1 for run, other in zip(runs, base))


print(f"{'program':28} {'off ms':>9} {'on ms':>9} {'more':>8} {'off again':>10}   (each thread made is joined before the next)")
for command in rows:
    for options in ([], ["--crash-report"]):
        run(options, command)
    off, on, again = zip(*((run([], command), run(["--crash-report"], command), run([], command)) for _ in range(pairs)))
    name = " ".join([os.path.basename(command[0])] + command[1:]).replace("\n", " ")
    print(f"{name[:28]:28} {statistics.median(off):9.3f} {statistics.median(on):9.3f} {more(on, off):6.1f} % {more(again, off):8.1f} %")
