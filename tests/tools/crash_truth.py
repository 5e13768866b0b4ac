#!/usr/bin/env python3
"""crash_truth.py LDR FOLDER - what the kernel and gdb say of the programs of crash.sh, with and without --crash-report."""
import json, os, pty, re, resource, signal, subprocess, sys, tempfile, time

ldr, folder = sys.argv[1:3]
os.chdir(folder)
HARD = resource.getrlimit(resource.RLIMIT_CORE)[1]


def check(name, good, found=""):
    print("ok" if good else "not ok", name if good else f"{name}\n    found: {found}")


def run(arguments, core=0, cwd=None, **more):
    """The status of waitpid."""
    pid = os.fork()
    if pid == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (min(core, HARD) if HARD != resource.RLIM_INFINITY else core, HARD))
            if cwd:
                os.chdir(cwd)
            null = os.open(os.devnull, os.O_RDWR)
            for fd in 0, 1, 2:
                os.dup2(null, fd)
            os.execv(ldr, [ldr, "run", *arguments])
        finally:
            os._exit(99)
    return os.waitpid(pid, 0)[1]


# ---- the end as the kernel tells it, and the core file ----
pattern = open("/proc/sys/kernel/core_pattern").read().strip()
for limit in 0, resource.RLIM_INFINITY:
    for case in "null", "abort", "ill", "thread":
        folders = [tempfile.mkdtemp(dir=folder) for _ in range(2)]
        program = os.path.join(folder, "cases")
        plain = run([program, case], limit, folders[0])
        watched = run(["--crash-report=report", program, case], limit, folders[1])
        name = f"{case}, cores {'on' if limit else 'off'}"
        check(f"{name}: status {plain:#x} with and without", plain == watched and os.WIFSIGNALED(plain), f"{watched:#x}")
        cores = [sorted(re.sub(r"\d+", "N", n) for n in os.listdir(f) if n != "report") for f in folders]
        check(f"{name}: the same core files", cores[0] == cores[1], cores)
if not os.WCOREDUMP(plain):
    print(f"skip a core file is written: the kernel writes none here (core_pattern {pattern})")

# ---- the debugger's backtrace ----
# Frames of the C library's start and the names that libc's own debug information gives are left out.
def functions(names):
    return [n for n in names if not re.match(r"_start|__libc_start|__GI_|__pthread_kill|raise|abort|start_thread|__?clone|gsignal|__restore_rt|__assert_fail", n)]


for case in "null", "thread", "fpe", "assert":
    gdb = subprocess.run(["gdb", "-batch", "-nx", "-ex", "set debuginfod enabled off", "-ex", "set print thread-events off", "-ex", "run", "-ex", "bt",
                          "--args", "./cases", case], capture_output=True, text=True, timeout=60).stdout
    theirs = functions(m.group(1) for m in re.finditer(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+)", gdb, re.M))
    run([f"--crash-report-json={folder}/bt.json", "./cases", case])
    ours = functions(f["function"] or "" for f in json.load(open("bt.json"))["backtrace"])
    check(f"{case}: gdb's backtrace {theirs}", theirs and ours == theirs, ours)

# ---- files that say nonsense of themselves: unwind tables, symbols and debug information changed at random, with sanitizers ----
sanitized = os.path.join(os.path.dirname(ldr), "tests/tools/ldr-sanitized")
if os.path.exists(sanitized):
    import random, shutil
    random.seed(int(os.environ.get("SEED", "1")))
    whole = bytearray(open("cases", "rb").read())
    parts = [(int(m[2], 16), int(m[3], 16)) for m in re.finditer(r"(\.eh_frame|\.eh_frame_hdr|\.symtab|\.strtab|\.shstrtab|\.debug_\w+) +\w+ +\w+ +(\w+) (\w+)",
                                                                 subprocess.run(["readelf", "-SW", "cases"], capture_output=True, text=True).stdout)]
    headers = int.from_bytes(whole[40:48], "little")
    parts += [(headers, len(whole) - headers)]
    bad = []
    for number in range(16):
        changed = bytearray(whole)
        for offset, length in random.sample(parts, 3):
            for _ in range(random.choice((1, 8, 64))):
                changed[offset + random.randrange(length)] = random.choice((0, 0xff, 0x7f, 0x80, random.randrange(256)))
        open("changed", "wb").write(changed)
        shutil.copymode("cases", "changed")
        done = subprocess.run([sanitized, "run", "--crash-report", "./changed", "thread"], capture_output=True, text=True, errors="replace", timeout=120,
                              env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0", LDR_LDSO=os.path.join(os.path.dirname(ldr), "ld-ldr.so")))
        if done.returncode != -signal.SIGSEGV or "died of SIGSEGV" not in done.stderr or "Sanitizer" in done.stderr or "runtime error" in done.stderr:
            bad.append((number, done.returncode, done.stderr[-300:]))
    check("16 changed programs: a report each, and no complaint of the sanitizers", not bad, bad[:2])
else:
    print("skip changed programs: build/tests/tools/ldr-sanitized is not built (make test-tools)")

# ---- the watcher goes, the program stays ----
child = subprocess.Popen([ldr, "run", "--crash-report", "python3", "-c", "print('up', flush=True); input(); print('done', flush=True); exit(6)"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
child.stdout.readline()
tracer = int(re.search(r"TracerPid:\s*(\d+)", open(f"/proc/{child.pid}/status").read()).group(1))
check("a watcher watches", tracer > 0 and tracer != os.getpid(), tracer)
held = sorted(os.readlink(f"/proc/{tracer}/fd/{n}") for n in os.listdir(f"/proc/{tracer}/fd") if n != "2")
check("the watcher holds standard error and the process alone", [x for x in held if "pidfd" not in x] == ["/dev/null"] * 2 and len(held) <= 3, held)
os.kill(tracer, signal.SIGKILL)
out, _ = child.communicate("\n")
check("the watcher is killed: the program goes on", (out, child.returncode) == ("done\n", 6), (out, child.returncode))


# ---- a terminal ----
def terminal(arguments, script):
    """What a parent sees of a job in the foreground of a terminal: statuses in the order of script, a list of (key, wanted state)."""
    main, side = pty.openpty()
    reader, writer = os.pipe()
    leader = os.fork()
    if leader == 0:
        os.setsid()
        os.close(main)
        for fd in 0, 1, 2:
            os.dup2(side, fd)
        import fcntl, termios
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        job = os.fork()
        if job == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.execv(ldr, [ldr, "run", *arguments])
        seen = []
        while True:
            _, status = os.waitpid(job, os.WUNTRACED | os.WCONTINUED)
            seen.append("stopped" if os.WIFSTOPPED(status) else "continued" if os.WIFCONTINUED(status) else f"signal {os.WTERMSIG(status)}"
                        if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}")
            os.write(writer, (seen[-1] + "\n").encode())
            if seen[-1].startswith(("signal", "exit")):
                os._exit(0)
            if seen[-1] == "stopped":
                time.sleep(0.1)
                os.killpg(job, signal.SIGCONT)
    os.close(writer)
    text = b""
    while b"up" not in text:
        text += os.read(main, 100)
    for key in script:
        os.write(main, key)
        time.sleep(0.5)
    os.waitpid(leader, 0)
    os.close(side)
    return os.read(reader, 1000).decode().split("\n")[:-1]


program = ["python3", "-c", "print('up', flush=True)\nimport time\ntime.sleep(20)"]
handler = ["python3", "-c", "import signal, sys, time\nsignal.signal(2, lambda *a: sys.exit(4))\nprint('up', flush=True)\ntime.sleep(20)"]
for name, job, keys in ("Ctrl-C", program, [b"\x03"]), ("Ctrl-C with a handler", handler, [b"\x03"]), ("Ctrl-Z, then Ctrl-C", handler, [b"\x1a", b"\x03"]), ("Ctrl-\\", program, [b"\x1c"]):
    plain, watched = terminal(job, keys), terminal(["--crash-report=tty-report", *job], keys)
    check(f"{name}: {plain} with and without", plain == watched and plain, watched)

# ---- what it costs a program that does not crash ----
# Beside it, by count: a watcher that copied the memory of `ldr` had the faults of that, the parts for a report were to be set up before one is due.
faults = subprocess.run([ldr, "run", "--crash-report", "python3", "-c", """
import re
watcher = int(re.search(r'TracerPid:\t(\d+)', open('/proc/self/status').read())[1])
print(watcher and open(f'/proc/{watcher}/stat').read().rsplit(')', 1)[1].split()[7])"""], capture_output=True, text=True, check=False).stdout.strip()
check("a watcher that waits has taken no page of its own beyond two", faults.isdigit() and int(faults) <= 2, faults)


def seconds(arguments):
    start = time.perf_counter()
    subprocess.run([ldr, "run", *arguments], stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


threads = "import threading\nfor i in range(1000):\n t = threading.Thread(target=int)\n t.start()\n t.join()"
work = "x = 0\nfor i in range(1500000): x += i * i % 7"
for name, job in ("true", ["true"]), ("python3, computing", ["python3", "-c", work]), ("python3, 1,000 threads", ["python3", "-c", threads]), ("C, 1,000 threads", ["./cases", "threads"]):
    pairs = [(seconds(job), seconds(["--crash-report", *job])) for _ in range(5)]
    ratio = sorted(w / p for p, w in pairs)[2]
    print(f"note: {name}: {ratio:.2f} of the time without (median of 5 pairs), {1000 * sorted(w - p for p, w in pairs)[2]:+.1f} ms")
