"""check_bad.py LDR ENDINGS CASES PROGRAM - damaged libraries and programs: `ldr check` says an error wherever ld-ldr.so refuses the program
(ENDINGS: what tests/bad/run printed with the word all) and none of damage where it runs; none of tree, why, relocs and check is ended by a
signal or takes longer than 10 seconds. PROGRAM finds the library beside itself: a copy of it beside each, and one check reads many."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import truth

ldr, endings, cases, beside = sys.argv[1:5]
ends = {}
with open(endings, encoding="utf-8", errors="replace") as f:
    for line in f:
        found = re.match(r"start (\S+) \(\w+\): status (-?\d+)  ?(.*)", line)
        if found:
            ends[found.group(1)] = int(found.group(2)), found.group(3)


def run(*words, limit=10):
    return subprocess.run([ldr, *words], env=truth.environment(), capture_output=True, timeout=limit, check=False, stdin=subprocess.DEVNULL)


def errors_of(programs, *options):
    """{program: [(rule, message)]} of the errors that check finds, all of one process; what it was that ended it otherwise"""
    try:
        done = run("check", "--json", "--fail-on=error", *options, *programs, limit=10 if len(programs) == 1 else 120)
    except subprocess.TimeoutExpired:
        return "longer than 10 seconds"
    if done.returncode not in (0, 6):
        return f"status {done.returncode}: {done.stderr.decode(errors='replace')[:200]}"
    found = {program: [] for program in programs}
    for finding in json.loads(done.stdout)["findings"]:
        if finding["severity"] == "error":
            for program in finding["programs"]:
                found[program].append((finding["rule"], finding["message"]))
    return found


def check(group):
    """the answers to many cases of one kind; one by one where a case among them ends the process"""
    with tempfile.TemporaryDirectory() as folder:
        programs, options = [case.program for case in group], ["--library-path", group[0].folder]
        if group[0].moved:
            programs, options = [os.path.join(folder, case.name, "prog") for case in group], []
            for case, program in zip(group, programs):
                os.mkdir(os.path.dirname(program))
                shutil.copy(beside, program)
                os.symlink(os.path.join(case.folder, "libvictim.so"), os.path.join(os.path.dirname(program), "libvictim.so"))
        found = errors_of(programs, *options)
    if isinstance(found, str):
        if len(group) > 1:
            return [bad for case in group for bad in check([case])]
        return [(group[0].name, "check: " + found)]
    bad = []
    for case, program in zip(group, programs):
        status, said = ends[case.name]
        if status in (1, 127) and not found[program]:
            bad.append((case.name, f"check: no error, but the linker: {said[:200]}"))
        if status == 0 and any(rule == "malformed-file" for rule, _ in found[program]):
            bad.append((case.name, f"check finds it damaged, the linker runs it: {found[program]}"))
    return bad


def others(case):
    """a third of the cases each: they read no more than check does"""
    bad, place = [], ("--library-path", case.folder, case.program)
    for words in ([["tree", "--unused", *place]], [], [["relocs", "--list", *place], ["why", *place, "victim_add"]])[case.number % 3]:
        try:
            done = run(*words)
        except subprocess.TimeoutExpired:
            bad.append((case.name, f"{words[0]}: longer than 10 seconds"))
            continue
        if done.returncode not in (0, 3, 4, 5, 6):
            bad.append((case.name, f"{words[0]}: status {done.returncode}: {done.stderr.decode(errors='replace')[:200]}"))
    return bad


class Case:
    def __init__(self, number, line):
        self.number = number
        self.name, _, _, self.folder, self.program = line.split()
        self.moved = "/good" not in self.folder # the library is the damaged one: each in a folder of its own

    def unknown(self):
        return [] if self.name in ends else [(self.name, f"{endings} does not tell how it ended")]


with open(cases, encoding="utf-8") as f:
    everything = [Case(number, line) for number, line in enumerate(line for line in f if line.split()[2] == "start")]
wrong = [bad for case in everything for bad in case.unknown()]
known = [case for case in everything if case.name in ends]
groups = {}
for case in known:
    groups.setdefault("" if case.moved else case.folder, []).append(case)
groups = [group[i:i + 64] for group in groups.values() for i in range(0, len(group), 64)]
with ThreadPoolExecutor(2) as pool:
    for found in [*pool.map(check, groups), *pool.map(others, known)]:
        wrong += found
for name, text in wrong:
    print(f"not ok {name}: {text}")
failed = len({name for name, _ in wrong})
print(f"{len(everything) - failed} passed, {failed} failed, 0 skipped")
sys.exit(failed != 0 or not everything)
