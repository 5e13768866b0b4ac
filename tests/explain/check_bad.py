"""check_bad.py LDR ENDINGS CASES - damaged libraries: `ldr check` says an error wherever ld-ldr.so refuses the program (ENDINGS: what
tests/bad/run printed with the word all), none of tree, why, relocs and check is ended by a signal or takes longer than 10 seconds."""
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import truth

ldr, endings, cases = sys.argv[1:4]
ends = {}
with open(endings, encoding="utf-8", errors="replace") as f:
    for line in f:
        found = re.match(r"start (\S+) \(\w+\): status (-?\d+)  ?(.*)", line)
        if found:
            ends[found.group(1)] = int(found.group(2)), found.group(3)


def run(*words):
    return subprocess.run([ldr, *words], env=truth.environment(), capture_output=True, timeout=10, check=False, stdin=subprocess.DEVNULL)


def judge(numbered):
    number, line = numbered
    name, _, how, *words = line.split()
    if name not in ends:
        return [f"not ok {name}: {endings} does not tell how it ended"]
    folder, program = words
    options = () if "/good" in folder else ("--library-path", folder)
    bad = []
    for command in (("tree", "--unused"), ("check",), ("relocs", "--list"), ("why",)):
        if command[0] != "check" and number % 3 != (command[0] == "tree"):
            continue                  # a third of the cases each: they read no more than check does
        last = ("victim_add",) if command[0] == "why" else ()
        try:
            done = run(*command, *options, program, *last)
        except subprocess.TimeoutExpired:
            bad.append(f"{command[0]}: longer than 10 seconds")
            continue
        if done.returncode not in (0, 3, 4, 5, 6):
            bad.append(f"{command[0]}: status {done.returncode}: {done.stderr.decode(errors='replace')[:200]}")
        if command[0] == "check":
            status, said = ends[name]
            if status in (1, 127) and done.returncode != 6:
                bad.append(f"check: status {done.returncode}, but the linker: {said[:200]}")
            if status == 0 and b"[malformed-file]" in done.stdout:
                bad.append(f"check finds it damaged, the linker runs it: {done.stdout.decode(errors='replace')[:200]}")
    return [f"not ok {name}: {text}" for text in bad]


with open(cases, encoding="utf-8") as f:
    lines = [line for line in f if line.split()[2] == "start"]
with ThreadPoolExecutor(2) as pool:
    results = list(pool.map(judge, enumerate(lines)))
failed = sum(1 for result in results if result)
for result in results:
    for text in result:
        print(text)
print(f"{len(lines) - failed} passed, {failed} failed, 0 skipped")
sys.exit(failed != 0 or not lines)
