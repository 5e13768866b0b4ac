"""tree_truth.py LDR [FILE...] - `ldr tree` against the list of the system's linker: the same libraries, the same paths, the same order,
the same ones missing. Without FILEs: every program of /usr/bin and /usr/sbin, a sample of libraries."""
import json
import os
import subprocess
import sys

import truth

ldr = sys.argv[1]
files = sys.argv[2:]
if not files:
    files = list(truth.elf_files("/usr/bin", "/usr/sbin"))
    files += list(truth.elf_files("/usr/lib/x86_64-linux-gnu"))[::7]
passed = failed = skipped = missing = 0
for path in files:
    if not truth.is_elf64(path):
        continue
    where = os.path.dirname(path)
    try:
        want = truth.loaded(path, cwd=where)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"skip {path}: the system's linker cannot be asked: {error}")
        skipped += 1
        continue
    done = subprocess.run([ldr, "tree", "--json", path], env=truth.environment(), capture_output=True, cwd=where, check=False)
    if want is None:
        if done.returncode < 0:
            print(f"not ok {path}: ended by signal {-done.returncode}")
            failed += 1
        elif done.returncode == 4:
            passed += 1
        else:
            report = json.loads(done.stdout)
            # the linker says nothing of a file that it refuses: static programs, or one that it cannot be asked about
            if report["static"] or report["missing"] or any(o.get("defect") for o in report["objects"]):
                passed += 1
            else:
                print(f"skip {path}: the system's linker does not list it")
                skipped += 1
        continue
    if done.returncode not in (0, 3):
        print(f"not ok {path}: status {done.returncode}: {done.stderr.decode()[:200]}")
        failed += 1
        continue
    report = json.loads(done.stdout)
    have = []
    for node in report["objects"][1:]:
        have.append((node["names"][0], None) if node["missing"] else
                    (node["name"], truth.LINKER if node["soname"] == "ld-linux-x86-64.so.2" else node["path"]))
    # The system's linker, asked about a library, loads it a second time where a cycle of needs leads back to it; dlopen does not.
    want = [(name, where) for name, where in want if not where or os.path.realpath(where) != os.path.realpath(path)]
    if any(where is None for _, where in want):
        # rtld.c of glibc 2.36: with "an invisible object (which we could not find)" its own place in the list is any
        want = [w for w in want if w[1] != truth.LINKER]
        have = [h for h in have if h[1] != truth.LINKER]
    if any(need["kind"] in ("filter", "auxiliary") for node in report["objects"] for need in node["needs"]):
        # The system's list puts a filtee, which is loaded late, before its filter, and names auxiliary ones that are not there, which is
        # no error: only the set of what is loaded is compared (the search order is what `ldr why` is judged by).
        # A root that is a filter itself has its filtee in front of it, where the system's list does not begin yet.
        own = [need["object"] for need in report["objects"][0]["needs"] if need["kind"] != "needed" and "object" in need]
        own = [report["objects"][number]["path"] for number in own]
        want, have = sorted(w for w in want if w[1]), sorted(h for h in have if h[1] and h[1] not in own)
    missing += sum(1 for name, where in want if where is None)
    if [w for _, w in have] == [w for _, w in want] and [n for n, w in have if not w] == [n for n, w in want if not w]:
        passed += 1
    else:
        failed += 1
        print(f"not ok {path}")
        for theirs, ours in zip(want + [None] * len(have), have + [None] * len(want)):
            if theirs != ours and (theirs or ours) and (not theirs or not ours or theirs[1] != ours[1]):
                print(f"    system {theirs}, ldr {ours}")
                break
print(f"{missing} missing libraries, all said by both")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed != 0 or not passed)
