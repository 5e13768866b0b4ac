"""relocs_truth.py LDR LIBELF_RELOCS [FILE...] - `ldr relocs` against libelf (every record of every object: place, type, addend, symbol,
version) and against LD_DEBUG=bindings of the system's linker (every binding); `ldr why` against the same bindings for a sample."""
import collections
import json
import os
import re
import subprocess
import sys

import truth

ldr, oracle = sys.argv[1:3]
TWENTY = """bash ls git gdb clang python3.11 perl openssl curl node psql redis-server nginx cmake sqlite3 java gcc ssh vim.basic xz find tar
 systemctl apt dpkg make perf ld.bfd as strace""".split()
programs = sys.argv[3:]
if not programs:
    for name in TWENTY:
        for folder in ("/usr/bin", "/usr/sbin"):
            path = os.path.join(folder, name)
            if os.path.exists(path) and truth.is_elf64(path) and truth.has_interpreter(path):
                programs.append(path)
passed = failed = skipped = records = bindings = asked = 0
by_libelf = {}


def judge(name, good, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"not ok {name}: {detail}")


def libelf(path):
    if path not in by_libelf:
        done = subprocess.run([oracle, path], capture_output=True, check=True)
        by_libelf[path] = collections.Counter(done.stdout.decode("utf-8", "surrogateescape").splitlines())
    return by_libelf[path]


def system_bindings(path):
    """{(referrer, symbol, version): {providers}} by real path"""
    log = f"/tmp/ldr-bindings-{os.getpid()}"
    subprocess.run([path], env=truth.environment({"LD_TRACE_LOADED_OBJECTS": "1", "LD_WARN": "1", "LD_BIND_NOW": "1", "LD_DEBUG": "bindings",
                                                  "LD_DEBUG_OUTPUT": log}), capture_output=True, check=False, stdin=subprocess.DEVNULL)
    result = collections.defaultdict(set)
    folder, start = os.path.split(log)
    for name in os.listdir(folder):
        if name.startswith(start):
            with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as f:
                for line in f:
                    found = re.search(r"binding file (.*) \[0\] to (.*) \[0\]: \w+ symbol `(.*)'(?: \[(.*)\])?$", line)
                    # The linker's lookups for itself: in the vDSO, and of its own references, which tracing leaves out half of.
                    if found and not found.group(1).startswith("linux-vdso") and real(found.group(1)) != truth.LINKER:
                        result[real(found.group(1)), found.group(3), found.group(4)].add(real(found.group(2)))
            os.unlink(os.path.join(folder, name))
    return result


real_paths = {}


def real(path):
    if path not in real_paths:
        real_paths[path] = os.path.realpath(path)
    return real_paths[path]


for path in programs:
    done = subprocess.run([ldr, "relocs", "--list", "--json", path], env=truth.environment(), capture_output=True, check=False)
    judge(f"{path}: relocs ends well", done.returncode in (0, 3), done.returncode)
    report = json.loads(done.stdout)
    ours = collections.defaultdict(set)
    for node in report["objects"]:
        have = collections.Counter()
        for record in node["records"]:
            name = record.get("symbol", "")
            if name and "version" in record:
                name += "@" + record["version"]
            have[f"{record['place']:x} {record['type_number']} {record['addend']} {name}"] += 1
            if record.get("result") == "bound" and real(node["path"]) != truth.LINKER:
                ours[real(node["path"]), record["symbol"], record.get("version")].add(real(record["target"]))
        records += sum(have.values())
        if node["path"] in by_libelf:
            continue
        want = libelf(node["path"])
        judge(f"{node['path']}: the records of libelf", have == want, (list((want - have).items())[:3], list((have - want).items())[:3]))
    theirs = system_bindings(path)
    wrong = {key: (targets, ours.get(key)) for key, targets in theirs.items() if not targets <= ours.get(key, set())}
    # what binds inside its own object without a search is not told by the system's linker
    lost = {key: targets for key, targets in ours.items() if targets - {key[0]} - theirs.get(key, set())}
    bindings += len(theirs)
    judge(f"{path}: {len(theirs)} bindings of the system's linker", theirs and not wrong, list(wrong.items())[:3])
    judge(f"{path}: no others", not lost, list(lost.items())[:3])
    # the same through `ldr why`, which adds up the search by itself
    for key in sorted(theirs, key=str)[:: max(1, len(theirs) // 12)]:
        referrer, symbol, version = key
        done = subprocess.run([ldr, "why", "--json", path, symbol + (f"@{version}" if version else "")], env=truth.environment(), capture_output=True,
                              check=False)
        asked += 1
        if done.returncode not in (0, 3):
            judge(f"{path}: why {symbol}", False, (done.returncode, done.stderr))
            continue
        story = json.loads(done.stdout)
        told = {real(r["bound_to"]) for r in story["references"] if real(r["by"]) == referrer and r["version"] == version and r["bound_to"]}
        # the object said to answer must be the first in the search that does
        first = all(next((s["object"] for s in r["search"] if s["outcome"] in ("answers", "too-late")), r["bound_to"]) == r["bound_to"]
                    for r in story["references"] if r["bound_to"] and "protected" not in r["cause"] and "unique" not in r["cause"])
        judge(f"{path}: why {symbol}", theirs[key] <= told and first, (theirs[key], told, first))
if len(programs) < 20:
    print(f"skip {20 - len(programs)} of twenty programs: not installed")
    skipped += 1
print(f"{len(programs)} programs, {records} records, {len(by_libelf)} objects compared with libelf, {bindings} bindings, {asked} stories")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed != 0 or not passed)
