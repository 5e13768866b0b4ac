#!/usr/bin/env python3
"""report.py LDR [ROW...] - how long `ldr pages` takes, beside smem -t, and how much memory.

Rows (all, if none is named):
  python100   100 python3 with ssl and sqlite3; bar 60 ms, and a third of the time of smem -t
  small1000   1,000 processes of sleep; bar 600 ms
  million10   10 million mapped pages: 25 processes that map one memory file of 400,000 pages; bar 100 MB of memory
  linear      the same with 5 and 10 processes: time for each million pages
Each command runs RUNS times (default 9), alternating, and the least and the median count: the machine may be doing other things.
Prints a table; build/bench-pages.json has every run. Needs root for exact reports. Starts nothing that it does not end.
"""
import json, os, shutil, statistics, subprocess, sys, time

RUNS = int(os.environ.get("RUNS", "9"))
ldr = sys.argv[1]
PYTHON = ["/usr/bin/python3", "-c", "import ssl, sqlite3, sys; print(flush=True); sys.stdin.read()"]
MAPPER = """
import mmap, os, sys
fd, pages = int(sys.argv[1]), int(sys.argv[2])
m = mmap.mmap(fd, pages * 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
m.madvise(22)  # MADV_POPULATE_READ: no loop over pages here
print(flush=True)
sys.stdin.read()
"""


class Crowd:
    """Processes that are up and wait for the end of their input."""

    def __init__(self, command, count, **options):
        self.processes = []
        for _ in range(count):
            self.processes.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options))
        if command[0] != "/bin/sleep":
            for p in self.processes:
                p.stdout.readline()
        time.sleep(0.5)
        self.pids = [str(p.pid) for p in self.processes]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in self.processes:
            p.kill()
        for p in self.processes:
            p.wait()
            p.stdin.close()
            p.stdout.close()


def run(command):
    """(wall ms, CPU ms, peak MB) of one run."""
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)])
    _, status, used = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        sys.exit(f"report.py: {' '.join(command[:4])} ended with {os.waitstatus_to_exitcode(status)}")
    return (time.perf_counter() - start) * 1000, (used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss / 1000


def compare(row, commands, results, runs=RUNS):
    """Runs the commands in turn, prints a line for each."""
    found = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            found[name].append(run(command))
    for name, all_runs in found.items():
        wall, cpu, memory = zip(*all_runs)
        results[f"{row} {name}"] = {"wall_ms": wall, "cpu_ms": cpu, "peak_mb": memory}
        print(f"{row:10} {name:28} {min(wall):9.1f} {statistics.median(wall):9.1f} {min(cpu):9.1f} {max(memory):8.1f}", flush=True)
    return {name: min(r[0] for r in all_runs) for name, all_runs in found.items()}, \
           {name: max(r[2] for r in all_runs) for name, all_runs in found.items()}


def verdict(text, good):
    print(f"{'':10} {text}: {'met' if good else 'NOT met'}", flush=True)


def python100(results):
    with Crowd(PYTHON, 100) as crowd:
        commands = {"ldr pages": [ldr, "pages", *crowd.pids], "ldr pages --why": [ldr, "pages", "--why", *crowd.pids],
                    "ldr pages --scope all": [ldr, "pages", "--scope", "all", *crowd.pids], "ldr pages --json": [ldr, "pages", "--json", *crowd.pids]}
        smem = shutil.which("smem")
        if smem:
            commands["smem -t -P"] = [smem, "-t", "-P", "import ssl, sqlite3"]
        least, _ = compare("python100", commands, results)
        verdict("at or under 60 ms", least["ldr pages"] <= 60)
        if smem:
            verdict("three times as fast as smem -t", least["ldr pages"] * 3 <= least["smem -t -P"])
        else:
            print(f"{'':10} no smem here: tools/setup.sh bench")


def small1000(results):
    with Crowd(["/bin/sleep", "100000"], 1000) as crowd:
        least, _ = compare("small1000", {"ldr pages": [ldr, "pages", *crowd.pids], "ldr pages sleep": [ldr, "pages", "sleep"],
                                         "ldr pages --scope all": [ldr, "pages", "--scope", "all", *crowd.pids]}, results, max(3, RUNS // 3))
        verdict("at or under 600 ms", least["ldr pages"] <= 600)


def shared(count, pages, row, results):
    fd = os.memfd_create("bench")
    os.ftruncate(fd, pages * 4096)
    os.set_inheritable(fd, True)
    try:
        with Crowd([sys.executable, "-c", MAPPER, str(fd), str(pages)], count, pass_fds=[fd]) as crowd:
            return compare(row, {f"{count} x {pages:,}, --scope all": [ldr, "pages", "--scope", "all", *crowd.pids]}, results, 3)
    finally:
        os.close(fd)


def million10(results):
    _, memory = shared(25, 400000, "million10", results)
    verdict("under 100 MB", max(memory.values()) < 100)


def linear(results):
    each = []
    for count in (5, 10):
        shared(count, 400000, "linear", results)
        cpu = [min(r["cpu_ms"]) for name, r in results.items() if name.startswith(f"linear {count} ")]
        each.append(cpu[0] / (count * 0.4))
    print(f"{'':10} CPU milliseconds for each million pages: {each[0]:.0f}, and with twice as many {each[1]:.0f}")


rows = {"python100": python100, "small1000": small1000, "million10": million10, "linear": linear}
results = {}
print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}: where others work too, CPU says more than wall time")
print(f"{'row':10} {'command':28} {'least ms':>9} {'median':>9} {'CPU ms':>9} {'peak MB':>8}")
for row in sys.argv[2:] or rows:
    rows[row](results)
with open(os.path.join(os.path.dirname(ldr), "bench-pages.json"), "w") as f:
    json.dump({"schema": "ldr-bench-pages", "runs": results}, f, indent=1)
