#!/usr/bin/env python3
"""stall.py LDR STALL FOLDER [MIB] - the worst stall of a large process while its page tables are read without pause: alone, by `ldr pages`, and by
the peers' way, /proc/PID/smaps. Readers take turns, several times, so that a busy machine is busy for all; of each the median and the worst turn."""
import os, statistics, subprocess, sys, threading

ldr, stall, folder = sys.argv[1:4]
turns, seconds = int(os.environ.get("RUNS", 4)), float(os.environ.get("SECONDS_EACH", 3))
available = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemAvailable")) // 1024
mib = int(sys.argv[4]) if len(sys.argv) > 4 else 8192 if available > 10240 else 4096 if available > 5120 else 1024
if len(sys.argv) <= 4 and mib < 8192:
    print(f"only {available:,} MiB are available: {mib:,} MiB instead of 8,192")

target = subprocess.Popen([stall, str(mib), os.path.join(folder, "stall.data")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
word, pid = target.stdout.readline().split()


def command(*words):
    def read():
        subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return read


def file(name):
    def read():
        with open(f"/proc/{pid}/{name}", "rb", buffering=0) as f:
            while f.read(1 << 16):
                pass
    return read


readers = [("nobody reads", None), ("ldr pages --scope all", command(ldr, "pages", "--scope", "all", pid)), ("smaps", file("smaps")), ("smaps_rollup", file("smaps_rollup"))]
if subprocess.run(["which", "smem"], stdout=subprocess.DEVNULL).returncode == 0:
    readers.append(("smem -t", command("smem", "-t")))
results = {name: [] for name, _ in readers}
for _ in range(turns):
    for name, read in readers:
        over, reports = threading.Event(), 0

        def repeat():
            global reports
            while not over.is_set():
                read()
                reports += 1
        thread = threading.Thread(target=repeat) if read else None
        if thread:
            thread.start()
        target.stdin.write(f"{seconds}\n")
        target.stdin.flush()
        numbers = [int(n) for n in target.stdout.readline().split()]
        over.set()
        if thread:
            thread.join()
        results[name].append(numbers + [reports])
target.stdin.close()
target.wait()

print(f"a process of {mib / 1024:g} GiB that maps, touches and unmaps one page without pause; {turns} turns of {seconds:g} s each, ms")
print(f"{'who reads it without pause':28}{'reports/s':>10}{'mean':>9}{'worst, median':>15}{'worst':>9}{'not preempted, median':>23}{'worst':>9}")
for name, rows in results.items():
    worst, alone = [r[2] / 1e6 for r in rows], [r[3] / 1e6 for r in rows]
    print(f"{name:28}{statistics.mean(r[4] for r in rows) / seconds:10.1f}{statistics.median(r[1] for r in rows) / 1e6:9.3f}"
          f"{statistics.median(worst):15.1f}{max(worst):9.1f}{statistics.median(alone):23.1f}{max(alone):9.1f}")
