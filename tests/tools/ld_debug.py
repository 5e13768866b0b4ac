#!/usr/bin/env python3
"""ld_debug.py SYSTEM OURS PROGRAM ARGS... - do both linkers tell the same under LD_DEBUG?

Lines are compared as multisets or in order, by category, without process ids and addresses. Prints `ok NAME` or `not ok NAME` and the
lines that only one of them has.
  bindings    the set of (from, to, symbol, version), everything bound at start (LD_BIND_NOW)
  libs        what is searched and tried, in order, and the order of constructors and destructors
  files       who needs what and what is mapped with which size, in order
  versions    the set of checks
  scopes      the initial scopes
  reloc       the set of objects, lazy or not
"""
import os, re, subprocess, sys, tempfile

system, ours, command = sys.argv[1], sys.argv[2], sys.argv[3:]
label = os.path.basename(command[0])
LINKER = "/lib64/ld-linux-x86-64.so.2"


def lines(linker, category, more):
    """Lines of the first process, without the process id. LD_DEBUG_OUTPUT gives each process a file."""
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, LD_DEBUG=category, LD_DEBUG_OUTPUT=folder + "/out", **more)
        process = subprocess.Popen([linker] + command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        process.wait()
        with open(f"{folder}/out.{process.pid}", errors="surrogateescape") as out:
            found = []
            for line in out:
                match = re.match(r" *(\d+):\t(.*)$", line.rstrip("\n"))
                if not match or int(match.group(1)) != process.pid:
                    print(f"# line without the process id: {line!r}")
                    continue
                text = match.group(2).replace(linker + " ", LINKER + " ")
                # In command form the system's linker shows itself by the path it was started by.
                text = re.sub(r"(/\S*)?/ld-linux-x86-64\.so\.2", LINKER, text)
                if text:
                    found.append(text)
            return found


failed = 0


def check(name, theirs, mine, ordered):
    global failed
    if not theirs:
        print(f"not ok {label}: {name}: the system's linker told nothing, so nothing was compared")
        failed = 1
        return
    if (theirs if ordered else sorted(theirs)) == (mine if ordered else sorted(mine)):
        print(f"ok {label}: {name}, {len(theirs)} lines")
        return
    failed = 1
    print(f"not ok {label}: {name}")
    only = [f"    system: {x}" for x in theirs if x not in set(mine)] + [f"    ours:   {x}" for x in mine if x not in set(theirs)]
    print("\n".join(only[:20]) or "    the same lines in another order or number")
    if not only:
        for a, b in zip(theirs, mine):
            if a != b:
                print(f"    first difference:\n    system: {a}\n    ours:   {b}")
                break


def both(category, keep, name=None, ordered=False, unique=False, more={}):
    got = []
    for linker in (system, ours):
        kept = [k for k in map(keep, lines(linker, category, more)) if k]
        got.append(sorted(set(kept)) if unique else kept)
    check(name or category, got[0], got[1], ordered)


# What libc asks of its linker is bound by ours without asking other objects, and the genuine linker's own references likewise.
VDSO_OR_LINKER = r"file=linux-vdso|file=%s|symbol=_dl_|symbol=__rtld_|symbol=_r_debug" % re.escape(LINKER)


def binding(line):
    # The vDSO's functions are looked up by the system's linker for libc, by ours without telling; malloc and its kin likewise.
    if not line.startswith("binding file") or line.startswith("binding file linux-vdso"):
        return None
    if re.match(r"binding file (\S+) \[0\] to (\S+) \[0\]: normal symbol `(malloc|calloc|realloc|free)'", line):
        return None
    return None if f"binding file {LINKER} " in line else line


def searches(told):
    """For each library searched: what was tried in order, and the set of directories. The system's linker breaks a list into several lines
    where a directory was first met in another list, and tries tls/x86_64 and x86_64 twice."""
    found = []
    for line in told:
        if line.startswith("find library"):
            found.append([line, set(), []])
        elif line.startswith(" search path=") and found:
            found[-1][1] |= set(line[13:].split("\t\t(")[0].split(":")) - {""}
        elif line.startswith(("  trying file", " search cache")) and found and line not in found[-1][2]:
            found[-1][2].append(line)
    return [f"{name} directories {sorted(directories)} tried {tried}" for name, directories, tried in found]


both("bindings", binding, unique=True, more={"LD_BIND_NOW": "1"})
both("symbols", lambda l: l if l.startswith("symbol=") and not re.search(VDSO_OR_LINKER, l) else None, "lookups of symbols", unique=True,
     more={"LD_BIND_NOW": "1"})
check("libs", *(searches(lines(linker, "libs", {})) for linker in (system, ours)), True)
both("libs", lambda l: l if l.startswith("calling init") and LINKER not in l else None, "order of constructors", ordered=True)
both("libs", lambda l: l if l.startswith(("calling fini", "initialize program", "transferring control")) and LINKER not in l else None,
     "order of destructors", ordered=True)
both("files", lambda l: re.sub(r"0x0000[0-9a-f]+  base: 0x[0-9a-f]+", "", re.sub(r"(entry|phdr): 0x[0-9a-f]+", "", l))
     if l.startswith(("file=", "  dynamic", "    entry", "opening file", "closing file")) and l != "opening file= [0]; direct_opencount=2" else None, ordered=True)
both("versions", lambda l: l if l.startswith("checking for version") else None)
got = []
for linker in (system, ours):
    scopes, of = [], ""
    for line in lines(linker, "scopes", {}):
        of = line if line.startswith("object=") else of
        # The vDSO refers to nothing; ours gives it the scopes of an object with DT_SYMBOLIC, which it is.
        if line.startswith((" scope", " no scope")) and "linux-vdso" not in of:
            scopes.append(of + line)
    got.append(sorted(set(scopes)))
check("scopes", got[0], got[1], False)
both("reloc", lambda l: l if l.startswith("relocation processing") else None)
sys.exit(failed)
