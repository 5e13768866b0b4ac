#!/usr/bin/env python3
"""oracle.py PID... - the totals of `ldr pages --json PID...`, computed independently from raw maps, pagemap and mem.

Needs CAP_SYS_ADMIN. Owner sets are real sets here, program headers are read with struct, and nothing is shared with the
C code. Prints one JSON object with the totals and per-segment sums that the test compares.
"""
import collections, json, os, struct, sys

PAGE = 4096
PRESENT, FILE, FRAME = 1 << 63, 1 << 61, (1 << 55) - 1
PT_LOAD, PT_DYNAMIC, PT_GNU_RELRO = 1, 2, 0x6474E552


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


class Image:
    """What the linker writes in one ELF file: {vaddr of a word: None, or what a relative relocation adds the bias to}."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = data = f.read()
        phoff, = struct.unpack_from("<Q", data, 32)
        phentsize, phnum = struct.unpack_from("<HH", data, 54)
        self.loads, self.flags, dynamic = [], [], None
        for i in range(phnum):
            kind, flags, off, vaddr, _, filesz, memsz, _ = struct.unpack_from("<IIQQQQQQ", data, phoff + i * phentsize)
            if kind == PT_LOAD:
                self.loads.append((vaddr, off, filesz, memsz))
                self.flags.append(flags)
            elif kind == PT_DYNAMIC:
                dynamic = (vaddr, off, filesz)
        self.words = {}
        if dynamic:
            self.read_dynamic(*dynamic)

    def offset(self, vaddr):
        for start, off, filesz, _ in self.loads:
            if start <= vaddr < start + filesz:
                return off + vaddr - start
        return None

    def word(self, vaddr):
        off = self.offset(vaddr)
        return 0 if off is None else struct.unpack_from("<Q", self.data.ljust(off + 8, b"\0"), off)[0]

    def cover(self, vaddr, length):
        for word in range(vaddr // 8 * 8, vaddr + length, 8):
            self.words[word] = None

    def relative(self, vaddr, linked):
        if vaddr % 8 or vaddr in self.words:
            self.cover(vaddr, 8)
        else:
            self.words[vaddr] = linked

    def read_dynamic(self, vaddr, off, length):
        tags = {}
        for at in range(0, length, 16):
            tag, value = struct.unpack_from("<QQ", self.data, off + at)
            if tag == 0:
                break
            tags[tag] = value
            self.cover(vaddr + at + 8, 8)
        if 36 in tags:  # DT_RELR
            at, start = self.offset(tags[36]), 0
            for entry, in struct.iter_unpack("<Q", self.data[at:at + tags[35]]):
                if entry & 1:
                    for bit in range(63):
                        if entry >> bit + 1 & 1:
                            self.relative(start + 8 * bit, self.word(start + 8 * bit))
                    start += 63 * 8
                else:
                    self.relative(entry, self.word(entry))
                    start = entry + 8
        tables = {(tags[7], tags[8])} if 7 in tags else set()
        if 23 in tags:  # DT_JMPREL; some link editors count it in DT_RELASZ too
            if 7 in tags and tags[7] + tags[8] == tags[23] + tags[2]:
                tables = {(tags[7], tags[23] - tags[7])} if tags[23] > tags[7] else set()
            tables.add((tags[23], tags[2]))
        for table, size in sorted(tables):
            at = self.offset(table)
            for place, info, addend in struct.iter_unpack("<QQQ", self.data[at:at + size]):
                kind, symbol = info & 0xFFFFFFFF, info >> 32
                if kind in (8, 38):  # RELATIVE, RELATIVE64
                    self.relative(place, addend)
                elif kind == 5:  # COPY
                    self.cover(place, struct.unpack_from("<Q", self.data, self.offset(tags[6]) + 24 * symbol + 16)[0])
                elif kind:
                    self.cover(place, {2: 4, 10: 4, 32: 4, 36: 16}.get(kind, 8))
        if 3 in tags:  # DT_PLTGOT
            self.cover(tags[3] + 8, 16)

    def cause(self, memory, off, vaddr, bias):
        """relocation, relocation_and_write, write or identical; off and vaddr are the page's."""
        page = self.data[off:off + PAGE].ljust(PAGE, b"\0")
        if page == memory:
            return "identical"
        end = PAGE
        for start, _, filesz, memsz in self.loads:
            if filesz and memsz > filesz and vaddr < start + filesz < vaddr + PAGE and down(start) <= vaddr:
                end = start + filesz - vaddr
        cleared = page[:end].ljust(PAGE, b"\0")
        linker = program = reset = False
        triples = zip(*(struct.unpack("<512Q", x) for x in (memory, page, cleared)))
        for place, (now, was, without_tail) in zip(range(vaddr, vaddr + PAGE, 8), triples):
            if place in self.words:
                linked = self.words[place]
                wrong = linked is not None and now != (linked + bias) % 2**64
                linker |= now != was
                program |= wrong and now != was
                reset |= wrong
            elif now == was:
                continue
            elif now == without_tail:
                linker = True
            else:
                program = True
        if linker and (program or reset):
            return "relocation_and_write"
        return "relocation" if linker else "write"


def build_id(path):
    """From the note segments; None: there is none."""
    with open(path, "rb") as f:
        data = f.read()
    phoff, = struct.unpack_from("<Q", data, 32)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    for i in range(phnum):
        kind, _, off, _, _, filesz, _, align = struct.unpack_from("<IIQQQQQQ", data, phoff + i * phentsize)
        step = 8 if align == 8 else 4
        while kind == 4 and filesz >= 12:
            name_len, length, note = struct.unpack_from("<III", data, off)
            name = data[off + 12:off + 12 + name_len]
            start = off + (12 + name_len + step - 1) // step * step
            if note == 3 and name == b"GNU\0":
                return data[start:start + length]
            filesz -= start - off + (length + step - 1) // step * step
            off = start + (length + step - 1) // step * step
    return None


def won_duplicates(ids, file_frames):
    """Frames that files of one build-id have beside each other: of equal pages of two files one frame would do."""
    twins = collections.defaultdict(lambda: collections.defaultdict(dict))  # build-id, page, bytes: frames
    for (identity, page), (frame, pid, address) in file_frames.items():
        if ids.get(identity) and sum(i == ids[identity] for i in ids.values()) > 1:
            with open(f"/proc/{pid}/mem", "rb", 0) as memory:
                memory.seek(address)
                twins[ids[identity]][page].setdefault(memory.read(PAGE), set()).add(frame)
    return sum(len(frames) - 1 for pages in twins.values() for contents in pages.values() for frames in contents.values())


CAUSES = ("relocation", "relocation_and_write", "write", "identical", "unknown")


def main(pids):
    images, cause_of = {}, {}
    frames, owners_of, kind_pages, kind_frames, anonymous = {}, {}, {}, {}, set()
    pages = 0
    shapes, packs, ids = {}, {}, {}
    contents, file_frames, image_pages, image_frames = {}, {}, 0, set()
    for pid in pids:
        pagemap = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
        first, last = {}, None
        for line in open(f"/proc/{pid}/maps"):
            fields = line.split(None, 5)
            if len(fields) < 6 or fields[4] == "0" or not fields[5].startswith("/"):
                continue
            start, end = (int(x, 16) for x in fields[0].split("-"))
            off, identity = int(fields[2], 16), (fields[3], fields[4])
            if identity not in packs:
                with open(f"/proc/{pid}/map_files/{start:x}-{end:x}", "rb") as f:
                    packs[identity] = f.read() if f.read(8) in (b"rr-pack1", b"rr-late1") else None
                    if packs[identity] is not None:
                        f.seek(0)
                        packs[identity] = f.read()
            if identity not in shapes:
                shape = headers(f"/proc/{pid}/map_files/{start:x}-{end:x}")
                images[identity] = Image(f"/proc/{pid}/map_files/{start:x}-{end:x}") if shape else None
                shapes[identity] = kinds_of_image(*shape) if shape else None
                ids[identity] = build_id(f"/proc/{pid}/map_files/{start:x}-{end:x}") if shape else None
            # A pack of the linker's cache: pages of the object mapped before it, as relocation left them.
            pack = packs[identity]
            if pack is not None:
                identity, bias = last
            table = shapes[identity]
            if table is None:
                continue
            # load bias: these programs map each object once, so its first mapping gives it; where a file page is in two
            # segments, the permissions of this mapping choose
            # ... but for the page of ld-ldr.so that stands at a second place
            if pack is None and (identity not in first or (start - first[identity], off) not in table):
                wanted = "code" if "x" in fields[1] else "constants"
                found = sorted(v for (v, f), kind in table.items() if f == off and kind == wanted)
                found = found or sorted(v for v, f in table if f == off)
                first[identity] = start - found[0]
            if pack is None:
                bias = first[identity]
                last = identity, bias
            writable = {v: k for (v, f), k in table.items() if k in ("RELRO", "data")}
            words = struct.unpack(f"<{(end - start) // PAGE}Q", os.pread(pagemap, (end - start) // PAGE * 8, start // PAGE * 8))
            for i, word in enumerate(words):
                if not word & PRESENT:
                    continue
                kind = table.get((start + i * PAGE - bias, off + i * PAGE), "other")
                if pack is not None:
                    kind = writable.get(start + i * PAGE - bias, "data")
                frame = word & FRAME
                assert frame, "no frame numbers: the oracle needs CAP_SYS_ADMIN"
                pages += 1
                owners_of.setdefault(frame, set()).add(pid)
                if word & FILE and pack is not None:
                    image_pages += 1
                    image_frames.add(frame)
                elif word & FILE:
                    file_frames[identity, off // PAGE + i] = frame, pid, start + i * PAGE
                if not word & FILE:
                    anonymous.add(frame)
                    address = start + i * PAGE
                    now = os.pread(memory, PAGE, address)
                    if pack is not None:
                        cause_of[frame] = "identical" if now == pack[off + i * PAGE:][:PAGE] else "write"
                    else:
                        cause_of[frame] = images[identity].cause(now, off + i * PAGE, address - bias, bias)
                        contents[frame] = kind, identity, address - bias, now
                kind_pages[kind] = kind_pages.get(kind, 0) + 1
                kind_frames.setdefault((kind, identity), set()).add(frame)
        os.close(pagemap)
        os.close(memory)
    sums = {}
    for (kind, _), found in kind_frames.items():
        entry = sums.setdefault(kind, {"pages_mapped": kind_pages[kind], "frames": 0, "frames_shared": 0, "pages_private": 0,
                                       "pages_won_relocated": 0, **{"pages_private_" + c: 0 for c in CAUSES}})
        entry["frames"] += len(found)
        entry["frames_shared"] += sum(len(owners_of[f]) > 1 for f in found)
        private = [f for f in found if len(owners_of[f]) == 1 and f in anonymous]
        entry["pages_private"] += len(private)
        for f in private:
            entry["pages_private_" + cause_of[f]] += 1
    groups = collections.defaultdict(list)  # page of an object, its bytes: private frames that hold them
    for frame, content in contents.items():
        if len(owners_of[frame]) == 1 and cause_of[frame] == "relocation":
            groups[content].append(frame)
    for (kind, *_), found in groups.items():
        if len(set.union(*(owners_of[f] for f in found))) > 1:
            sums[kind]["pages_won_relocated"] += len(found) - 1
    print(json.dumps({
        "totals": {
            "processes": len(pids),
            "pages_mapped": pages,
            "frames": len(owners_of),
            "frames_shared": sum(len(o) > 1 for o in owners_of.values()),
            "frames_shared_copies": sum(len(o) > 1 and f in anonymous for f, o in owners_of.items()),
            "frames_alone": sum(len(o) == 1 and f not in anonymous for f, o in owners_of.items()),
            "pages_private": sum(len(o) == 1 and f in anonymous for f, o in owners_of.items()),
            **{"pages_private_" + c: sum(len(owners_of[f]) == 1 and cause_of[f] == c for f in anonymous) for c in CAUSES},
            "page_copies_avoided": sum(len(o) - 1 for o in owners_of.values()),
            "pages_from_images": image_pages,
            "page_copies_avoided_images": sum(len(owners_of[f]) - 1 for f in image_frames),
            "pages_won_relocated": sum(s["pages_won_relocated"] for s in sums.values()),
            "pages_won_duplicates": won_duplicates(ids, file_frames),
        },
        "histogram": [[n, f] for n, f in sorted(collections.Counter(len(o) for o in owners_of.values()).items())],
        "matrix": [[sum(p in o and q in o for o in owners_of.values()) for q in pids] for p in pids],
        "segments": sums,
    }))


if __name__ == "__main__":
    main([int(p) for p in sys.argv[1:]])
