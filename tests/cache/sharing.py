"""sharing.py - ten copies of one program started from its record have one physical frame for each page of RELRO, by the kernel's page tables.
The same copies with the cache off have ten: the reading itself is proved by that."""
import os, struct, subprocess, time
from kit import *

COPIES = 10


def relro(path):
    """(first, end) of the whole pages of PT_GNU_RELRO, as offsets from the load bias: own reading of the program headers."""
    data = open(path, "rb").read(4096)
    phoff, = struct.unpack_from("<Q", data, 32)
    phnum, = struct.unpack_from("<H", data, 56)
    for i in range(phnum):
        kind, _, _, vaddr, _, _, memsz, _ = struct.unpack_from("<IIQQQQQQ", data, phoff + 56 * i)
        if kind == 0x6474e552:
            return vaddr & ~4095, vaddr + memsz & ~4095
    return None


def bias(pid, path):
    """Where the file begins in that process: its first mapping is at offset 0."""
    for line in open(f"/proc/{pid}/maps"):
        words = line.split(None, 5)
        if len(words) == 6 and words[5].strip() == path and int(words[2], 16) == 0:
            return int(words[0].split("-")[0], 16)
    return None


def frames(pid, start, end):
    """Frame number of each page; None: not in memory."""
    with open(f"/proc/{pid}/pagemap", "rb") as f:
        f.seek(start // 4096 * 8)
        words = struct.unpack(f"<{(end - start) // 4096}Q", f.read((end - start) // 512))
    return [w & (1 << 55) - 1 if w >> 63 else None for w in words]


def writable(pid, start, end):
    for line in open(f"/proc/{pid}/maps"):
        lo, hi = (int(x, 16) for x in line.split()[0].split("-"))
        if lo < end and hi > start and "w" in line.split()[1]:
            return True
    return False


def start(tree, state):
    env = {"PATH": "/usr/bin:/bin", "LANG": "C", **tree.cache_env(state)}
    process = subprocess.Popen(tree.command("wait"), env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    if process.stdout.readline() != "ready\n":
        raise RuntimeError(f"no copy came up with LDR_CACHE={state}")
    return process


def measure(tree, state):
    """For each library: pages of RELRO that are in memory, distinct frames, copies whose RELRO may be written."""
    copies = [start(tree, state) for _ in range(COPIES)]
    found = {}
    for path in (tree.file("lib", "liba.so"), tree.file("lib", "libb.so"), os.path.realpath("/lib/x86_64-linux-gnu/libc.so.6")):
        lo, hi = relro(path)
        pages, distinct, open_ones = 0, set(), 0
        for p in copies:
            at = bias(p.pid, path)
            here = [f for f in frames(p.pid, at + lo, at + hi) if f is not None]
            pages += len(here)
            distinct.update(here)
            open_ones += writable(p.pid, at + lo, at + hi)
        found[os.path.basename(path)] = (pages, len(distinct), (hi - lo) // 4096, open_ones)
    for p in copies:
        p.communicate("\n", timeout=30)
    return found


if os.geteuid() != 0:
    skip("frames of RELRO", "frame numbers are shown to root only")
    finish()
with workshop() as (where, parts):
    for way in WAYS:
        tree = Tree(parts, where, "rpath", way)
        right = tree.system()
        equal(f"{way}: recorded", tree.make(), right)
        off, warm = measure(tree, "off"), measure(tree, "require")
        for name, (pages, distinct, size, open_ones) in off.items():
            check(f"{name}, {way}, off: {COPIES} copies have their own RELRO ({pages} pages, {distinct} frames)", pages >= COPIES and distinct == pages)
        for name, (pages, distinct, size, open_ones) in warm.items():
            # Where the kernel places the program, words that lead into it (copy relocations) differ: the page of the GOT is each copy's own.
            own = COPIES - 1 if way == "kernel" else 0
            check(f"{name}, {way}, from the record: one frame a page ({pages} mapped, {distinct} frames, RELRO of {size})",
                  pages >= 3 * COPIES and distinct <= size + own)
            check(f"{name}, {way}: RELRO is read-only in all copies", open_ones == 0, open_ones)
        tree.remove()
finish()
