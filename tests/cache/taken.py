"""taken.py - where something else is at an object's place, that object and those that hold addresses in it are relocated, and nobody else;
the answer is the system's. The place is taken by a mapping made between exec and the linker's first instruction (taken.c)."""
import os, re, subprocess
from kit import *


def places(env, command):
    """Object: (from, to) while LDR_DEBUG... the mappings of a warm process that waits."""
    with subprocess.Popen([*command, "wait"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        while p.stdout.readline() not in ("ready\n", ""):
            pass
        found, last = {}, None
        for line in open(f"/proc/{p.pid}/maps"):
            words = line.split(None, 5)
            lo, hi = (int(x, 16) for x in words[0].split("-"))
            name = os.path.basename(words[5].strip()) if len(words) == 6 else ""
            if re.match(r"lib|ld-linux|prog$", name):
                last = name
                found.setdefault(name, [lo, hi, hi])[1:] = [hi, hi]
            elif last and lo == found[last][2]:                # what comes from an image, and zero pages
                found[last][2] = hi
        p.communicate("\n", timeout=30)
    return found


def stays(env, command, start):
    """Whether what takes the place is still there when the program waits."""
    with subprocess.Popen([*command, "wait"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        while p.stdout.readline() not in ("ready\n", ""):
            pass
        pid = open(f"/proc/{p.pid}/task/{p.pid}/children").read().split()[0]
        there = any(int(line.split("-")[0], 16) <= start < int(line.split()[0].split("-")[1], 16) and line.split()[1] == "---p" for line in open(f"/proc/{pid}/maps"))
        p.communicate("\n", timeout=30)
    return there


def told(stderr):
    """From LD_DEBUG=cache: object: image or the reason why not."""
    return {os.path.basename(name): what for name, what in re.findall(r"cache: file=(\S+) \[0\];  (image|mapped by the kernel|relocated at each start: .*)", stderr)}


with workshop() as (where, parts):
    taken = os.path.join(where, "taken")
    subprocess.run(["gcc", "-O1", "-o", taken, os.path.join(HERE, "taken.c")], check=True)
    for way in WAYS:
        tree = Tree(parts, where, "rpath", way)
        right = tree.system()
        equal(f"{way}: recorded", tree.make(), right)
        env = {"PATH": "/usr/bin:/bin", "LANG": "C", **tree.cache_env("require")}
        at = places(env, tree.command())
        check(f"{way}: the libraries are found in memory", {"liba.so", "libb.so", "libc.so.6"} <= set(at), at)
        for name, (lo, constants_end, hi) in at.items():
            if name == "prog":
                continue              # in command form the program's own place is not given up: the start goes the ordinary way
            for part, (start, length) in {"all": (lo, hi - lo), "first page": (lo, 4096), "last of the file": (constants_end - 4096, 4096),
                                          "first of the image": (constants_end, 4096), "last page": (hi - 4096, 4096)}.items():
                command = [taken, f"{start:x}", f"{length:x}", *tree.command()]
                found = run(command, tree.cache_env("require"))
                equal(f"{way}: {name}: {part} taken", found, right)
                check(f"{way}: {name}: {part}: what takes it stays", stays(env, command, start))
            done = subprocess.run(command, env={**env, "LD_DEBUG": "cache"}, capture_output=True, text=True)
            what = told(done.stderr)
            # The genuine linker has the name of the interpreter that the program asks for.
            known = name if name in what else os.path.basename(tree.loader)
            check(f"{way}: {name} is told to be elsewhere", "place is taken" in what.get(known, ""), what)
            # liba uses libb and libc; libb uses libc; nobody but the program uses liba.
            if name == "liba.so":
                check(f"{way}: without liba's place the others stay images", what["libb.so"] == what["libc.so.6"] == "image", what)
            if name == "libb.so":
                check(f"{way}: without libb's place liba is relocated and libc stays an image", "holds addresses" in what["liba.so"] and what["libc.so.6"] == "image", what)
            if name == "libc.so.6":
                check(f"{way}: without libc's place those that use it are relocated", "holds addresses" in what["liba.so"], what)
            equal(f"{way}: {name} taken, LDR_CACHE=off", run([taken, f"{lo:x}", f"{hi - lo:x}", *tree.command()], tree.cache_env("off")), right)
        tree.remove()
finish()
