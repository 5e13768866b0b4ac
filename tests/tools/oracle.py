#!/usr/bin/env python3
"""oracle.py PID... - the totals of `ldr pages --json PID...`, computed independently from raw maps and pagemap.

Needs CAP_SYS_ADMIN. Owner sets are real sets here, program headers are read with struct, and nothing is shared with the
C code. Prints one JSON object with the totals and per-segment sums that the test compares.
"""
import json, os, struct, sys

PAGE = 4096
PRESENT, FILE, FRAME = 1 << 63, 1 << 61, (1 << 55) - 1
PT_LOAD, PT_GNU_RELRO = 1, 0x6474E552


def headers(path):
    """(loads, relro) of an ELF file, or None."""
    with open(path, "rb") as f:
        data = f.read(64)
        if data[:4] != b"\x7fELF":
            return None
        phoff, = struct.unpack_from("<Q", data, 32)
        phentsize, phnum = struct.unpack_from("<HH", data, 54)
        f.seek(phoff)
        table = f.read(phentsize * phnum)
    loads, relro = [], None
    for i in range(phnum):
        kind, flags, off, vaddr, _, filesz, memsz, _ = struct.unpack_from("<IIQQQQQQ", table, i * phentsize)
        if kind == PT_LOAD and filesz:
            loads.append((vaddr, off, filesz, flags))
        elif kind == PT_GNU_RELRO:
            relro = (vaddr, memsz)
    return loads, relro


def down(x):
    return x & ~(PAGE - 1)


def kinds_of_image(loads, relro):
    """{(vaddr page, file page): kind} as the headers have it."""
    table = {}
    for vaddr, off, filesz, flags in loads:
        start = down(vaddr)
        for vpage in range(start, vaddr + filesz, PAGE):
            if flags & 1:
                kind = "code"
            elif not flags & 2:
                kind = "constants"
            elif relro and down(relro[0]) <= vpage < down(relro[0] + relro[1]):
                kind = "RELRO"
            else:
                kind = "data"
            table[(vpage, down(off) + vpage - start)] = kind
    return table


def main(pids):
    frames, owners_of, kind_pages, kind_frames, anonymous = {}, {}, {}, {}, set()
    pages = 0
    shapes = {}
    for pid in pids:
        pagemap = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
        first = {}
        for line in open(f"/proc/{pid}/maps"):
            fields = line.split(None, 5)
            if len(fields) < 6 or fields[4] == "0" or not fields[5].startswith("/"):
                continue
            start, end = (int(x, 16) for x in fields[0].split("-"))
            off, identity = int(fields[2], 16), (fields[3], fields[4])
            if identity not in shapes:
                shape = headers(f"/proc/{pid}/map_files/{start:x}-{end:x}")
                shapes[identity] = kinds_of_image(*shape) if shape else None
            table = shapes[identity]
            if table is None:
                continue
            # load bias: these programs map each object once, so its first mapping gives it; where a file page is in two
            # segments, the permissions of this mapping choose
            if identity not in first:
                wanted = "code" if "x" in fields[1] else "constants"
                found = sorted(v for (v, f), kind in table.items() if f == off and kind == wanted)
                found = found or sorted(v for v, f in table if f == off)
                first[identity] = start - found[0]
            bias = first[identity]
            words = struct.unpack(f"<{(end - start) // PAGE}Q", os.pread(pagemap, (end - start) // PAGE * 8, start // PAGE * 8))
            for i, word in enumerate(words):
                if not word & PRESENT:
                    continue
                kind = table.get((start + i * PAGE - bias, off + i * PAGE), "other")
                frame = word & FRAME
                assert frame, "no frame numbers: the oracle needs CAP_SYS_ADMIN"
                pages += 1
                owners_of.setdefault(frame, set()).add(pid)
                if not word & FILE:
                    anonymous.add(frame)
                kind_pages[kind] = kind_pages.get(kind, 0) + 1
                kind_frames.setdefault((kind, identity), set()).add(frame)
        os.close(pagemap)
    sums = {}
    for (kind, _), found in kind_frames.items():
        entry = sums.setdefault(kind, {"pages_mapped": kind_pages[kind], "frames": 0, "frames_shared": 0, "pages_private": 0})
        entry["frames"] += len(found)
        entry["frames_shared"] += sum(len(owners_of[f]) > 1 for f in found)
        entry["pages_private"] += sum(len(owners_of[f]) == 1 and f in anonymous for f in found)
    print(json.dumps({
        "totals": {
            "processes": len(pids),
            "pages_mapped": pages,
            "frames": len(owners_of),
            "frames_shared": sum(len(o) > 1 for o in owners_of.values()),
            "frames_shared_copies": sum(len(o) > 1 and f in anonymous for f, o in owners_of.items()),
            "frames_alone": sum(len(o) == 1 and f not in anonymous for f, o in owners_of.items()),
            "pages_private": sum(len(o) == 1 and f in anonymous for f, o in owners_of.items()),
            "page_copies_avoided": sum(len(o) - 1 for o in owners_of.values()),
        },
        "segments": sums,
    }))


main([int(p) for p in sys.argv[1:]])
