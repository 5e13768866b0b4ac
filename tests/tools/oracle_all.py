#!/usr/bin/env python3
"""oracle_all.py REPORT PID... - checks `ldr pages --scope all --json PID...` (in the file REPORT) against raw /proc.

Every mapping of every process is read from smaps, pagemap, mem and kpageflags, each page put into a class by what the kernel
says of its frame, and checked mapping by mapping against the Rss and Swap that the kernel counts there. Then the report's
totals, classes, histogram, matrix and per-process numbers must be equal. Needs root; the processes should be stopped.
Nothing is shared with the C code, nor with its way of telling the classes apart: kernel page flags where it has page-table bits.
Prints a line per difference; "checked N pages of M mappings" when there is none.
"""
import collections, json, os, re, struct, subprocess, sys
sys.argv, arguments = [sys.argv[0]], sys.argv[1:]
import oracle

PAGE = 4096
PRESENT, SWAPPED, FILE, FRAME = 1 << 63, 1 << 62, 1 << 61, (1 << 55) - 1
GUARD, MARKER = 1 << 58, 31  # Documentation/admin-guide/mm/pagemap.rst: guard region; the type of swap in bits 0-4: the last is no swap
ANON, SWAPBACKED, HUGE, KSM, THP, ZERO = 1 << 12, 1 << 14, 1 << 17, 1 << 21, 1 << 22, 1 << 24
bad = []


def differ(what, found, expected):
    if found != expected:
        bad.append(f"{what}: report {found}, oracle {expected}")


class Mapping:
    def __init__(self, line):
        fields = line.split(None, 5)
        self.start, self.end = (int(x, 16) for x in fields[0].split("-"))
        self.access, self.off, self.device, self.inode = fields[1], int(fields[2], 16), fields[3], int(fields[4])
        self.path = fields[5].rstrip("\n") if len(fields) > 5 else ""
        self.facts = {}


def mappings(pid):
    found = []
    for line in open(f"/proc/{pid}/smaps"):
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            found.append(Mapping(line))
        else:
            name, value = line.split(":", 1)
            found[-1].facts[name] = value.split()
    return found


def pread(fd, count, offset):
    got = os.pread(fd, count, offset)
    return got if len(got) == count else got + b"\0" * (count - len(got))


def words_of(pagemap, mapping):
    """Only the populated parts: mappings may be terabytes. {address: word}"""
    words = {}
    step = 1 << 16
    empty = bytes(8 * step)
    if int(mapping.facts["Rss"][0]) + int(mapping.facts["Swap"][0]) == 0 and (mapping.end - mapping.start) // PAGE > 1 << 22:
        return words
    for page in range(mapping.start // PAGE, mapping.end // PAGE, step):
        count = min(step, mapping.end // PAGE - page)
        data = pread(pagemap, 8 * count, 8 * page)
        if data == empty[:8 * count]:
            continue
        for i, word in enumerate(struct.unpack(f"<{count}Q", data)):
            if word & PRESENT or word & SWAPPED and not word & GUARD and word & MARKER != MARKER:
                words[(page + i) * PAGE] = word
    return words


images, elf_files = {}, {}


def image_of(pid, mapping):
    """Image of the ELF file mapped here, or None."""
    identity = (mapping.device, mapping.inode)
    if identity not in images:
        path = f"/proc/{pid}/map_files/{mapping.start:x}-{mapping.end:x}"
        images[identity] = None
        try:
            with open(path, "rb") as f:
                if os.path.isfile(path) and f.read(4) == b"\x7fELF":
                    images[identity] = oracle.Image(path)
        except OSError:
            pass
    return images[identity]


pack_files = {}


def is_pack(pid, mapping):
    """Is the file a pack of the linker's cache? Its pages are those of an object."""
    identity = (mapping.device, mapping.inode)
    if identity not in pack_files:
        with open(f"/proc/{pid}/map_files/{mapping.start:x}-{mapping.end:x}", "rb") as f:
            pack_files[identity] = f.read(8) in (b"rr-pack1", b"rr-late1")
    return pack_files[identity]


def bias_of(image, mapping):
    """Load bias, of the first mapping of an object: where its file offset is in the image with these permissions."""
    wanted = ("x" in mapping.access, "w" in mapping.access)
    best = None
    for (vaddr, off, filesz, memsz), flags in zip(image.loads, image.flags):
        if filesz and off // PAGE * PAGE <= mapping.off < off + filesz:
            bias = mapping.start - (vaddr // PAGE * PAGE + mapping.off - off // PAGE * PAGE)
            if best is None or (bool(flags & 1), bool(flags & 2)) == wanted:
                best = bias
    return best


def run(report_path, pids):
    report = json.load(open(report_path))
    kpageflags = os.open("/proc/kpageflags", os.O_RDONLY)
    flags_cache = {}

    def flags_of(frame):
        if frame not in flags_cache:
            flags_cache[frame] = struct.unpack("<Q", pread(kpageflags, 8, frame * 8))[0]
        return flags_cache[frame]

    frame_owners, slot_owners, owner_frames = collections.defaultdict(set), collections.defaultdict(set), collections.defaultdict(set)
    pages = []          # (pid, mapping, address, word, sort)
    mapping_count = 0
    first_place = {}    # frame: sort of its first page, in the order of processes and addresses
    for pid in pids:
        pagemap = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
        bss, biases = [], {}
        for m in mappings(pid):
            mapping_count += 1
            if m.path in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
                continue
            image = image_of(pid, m) if m.inode else None
            if image:
                key = (m.device, m.inode)
                # a page of ld-ldr.so stands at a second place
                if key not in biases or bias_of(image, m) != biases[key] and "x" in m.access:
                    biases[key] = bias_of(image, m)
                m.image, m.bias = image, biases[key]
                bss = [(m.bias + -(-(v + f) // PAGE) * PAGE, m.bias + -(-(v + s) // PAGE) * PAGE) for v, _, f, s in image.loads if s > f]
            resident = swapped = 0
            huge_left = int(m.facts["AnonHugePages"][0]) // 4
            hugetlb = "ht" in m.facts["VmFlags"]
            for address, word in words_of(pagemap, m).items():
                flags = flags_of(word & FRAME) if word & PRESENT else 0
                if word & SWAPPED:
                    sort = "swapped"
                    swapped += 1
                elif m.path.startswith("anon_inode:") or m.path.startswith("/[aio]") or m.path.startswith("socket:"):
                    # VM_PFNMAP: addresses; else pages that the kernel put there and counts
                    sort = "device" if "pf" in m.facts["VmFlags"] else "inserted"
                    resident += sort == "inserted"
                elif flags & ZERO:
                    sort = "zero"
                elif hugetlb:
                    sort = "hugetlb"
                elif m.path == "[vdso]":
                    sort = "vdso"
                    resident += 1
                else:
                    resident += 1
                    if not flags & ANON:
                        pack = not image and m.inode and is_pack(pid, m)
                        sort = "image" if pack else "shared_memory" if flags & SWAPBACKED and not image else "file"
                    elif m.inode and m.path != "/dev/zero":
                        sort = "copy"
                    elif any(a <= address < b for a, b in bss) and m.path != "[stack]":
                        sort = "bss"
                    else:
                        sort = {"[heap]": "heap", "[stack]": "stack"}.get(m.path, "anonymous")
                m_huge = huge_left > 0 and flags & THP and sort in ("bss", "heap", "stack", "anonymous")
                pages.append((pid, m, address, word, sort, m_huge))
                if sort == "swapped":
                    slot_owners[word & FRAME].add(pid)
                elif sort not in ("zero", "vdso", "inserted", "device"):
                    frame_owners[word & FRAME].add(pid)
                    owner_frames[pid].add(word & FRAME)
                    first_place.setdefault(word & FRAME, (pid, m, address, sort))
            # the kernel's own count of this mapping
            if resident != int(m.facts["Rss"][0]) // 4:
                bad.append(f"{pid} {m.start:x} {m.path}: {resident} pages resident, smaps Rss {m.facts['Rss']}")
            if swapped != int(m.facts["Swap"][0]) // 4 and not (m.inode and "s" in m.access):
                bad.append(f"{pid} {m.start:x} {m.path}: {swapped} pages swapped, smaps Swap {m.facts['Swap']}")
        os.close(pagemap)

    causes = {}

    def cause_of(frame):
        if frame not in causes:
            pid, m, address, _ = first_place[frame]
            with open(f"/proc/{pid}/mem", "rb", 0) as memory:
                memory.seek(address)
                bytes_now = memory.read(PAGE)
            off = m.off + address - m.start
            if getattr(m, "image", None):
                causes[frame] = m.image.cause(bytes_now, off, address - m.bias, m.bias)
            else:
                with open(f"/proc/{pid}/map_files/{m.start:x}-{m.end:x}", "rb") as f:
                    f.seek(off)
                    causes[frame] = "identical" if f.read(PAGE).ljust(PAGE, b"\0") == bytes_now else "write"
        return causes[frame]

    by_process = {pid: collections.Counter() for pid in pids}
    mapped = swapped_pages = 0
    seen = set()
    again = 0
    for pid, m, address, word, sort, huge in pages:
        frame, flags = word & FRAME, flags_of(word & FRAME) if word & PRESENT else 0
        owners = len(frame_owners[frame]) if frame in frame_owners else 0
        if sort == "swapped":
            name = "swapped_shared" if len(slot_owners[frame]) > 1 else "swapped"
            swapped_pages += 1
        else:
            if sort in ("zero", "vdso", "hugetlb", "inserted", "device"):
                name = sort
            elif sort in ("file", "image", "shared_memory"):
                name = sort + ("_shared" if owners > 1 else "_alone")
            elif flags & KSM:
                name = "ksm"
            elif owners > 1:
                name = "fork_shared"
            elif sort == "copy":
                name = "private_" + cause_of(frame)
            else:
                name = "huge" if huge else sort
            if sort not in ("zero", "vdso", "inserted", "device"):
                mapped += 1
                again += (pid, frame) in seen
                seen.add((pid, frame))
        by_process[pid][name] += 1

    # huge pages: smaps counts those mapped as such, page flags alone do not tell
    total = sum(by_process.values(), collections.Counter())
    for process in report["processes"]:
        expected = by_process[process["pid"]]
        differ(f"{process['pid']} {process['name']}: classes", {k: v for k, v in process["classes"].items() if v}, dict(expected))
        status = dict(line.split(":", 1) for line in open(f"/proc/{process['pid']}/status") if ":" in line)
        differ(f"{process['pid']}: rss_pages", process["rss_pages"], int(status["VmRSS"].split()[0]) // 4)
        differ(f"{process['pid']}: swap_pages", process["swap_pages"], int(status["VmSwap"].split()[0]) // 4)
        differ(f"{process['pid']}: page_table_kib", process["page_table_kib"], int(status["VmPTE"].split()[0]))
        outside = ("zero", "hugetlb", "device")
        differ(f"{process['pid']}: classes without {outside}, and RSS and swap",
               sum(v for k, v in process["classes"].items() if k not in outside), process["rss_pages"] + process["swap_pages"])
    differ("processes", [p["pid"] for p in report["processes"]], sorted(pids))
    differ("classes", {k: v for k, v in report["totals"]["classes"].items() if v}, dict(total))
    anonymous = {f for f in frame_owners if flags_of(f) & ANON}
    single = [f for f in frame_owners if len(frame_owners[f]) == 1]
    copies = [f for f in single if f in anonymous and first_place[f][3] == "copy"]
    expected = {
        "processes": len(pids),
        "pages_mapped": mapped,
        "pages_swapped": swapped_pages,
        "frames": len(frame_owners),
        "frames_shared": sum(len(o) > 1 for o in frame_owners.values()),
        "frames_shared_copies": sum(len(o) > 1 and f in anonymous for f, o in frame_owners.items()),
        "frames_alone": sum(f not in anonymous for f in single),
        "frames_memory": sum(f in anonymous for f in single) - len(copies),
        "pages_private": len(copies),
        **{"pages_private_" + c: sum(cause_of(f) == c for f in copies) for c in oracle.CAUSES},
        "page_copies_avoided": sum(len(o) - 1 for o in frame_owners.values()),
        "pages_mapped_again": again,
        "pages_private_unresolved": 0,
    }
    for key, value in expected.items():
        differ("totals." + key, report["totals"][key], value)
    differ("histogram", [[h["owners"], h["frames"]] for h in report["histogram"]],
           [[n, f] for n, f in sorted(collections.Counter(len(o) for o in frame_owners.values()).items())])
    differ("matrix", report["matrix"]["shared_frames"],
           [[len(owner_frames[p] & owner_frames[q]) for q in sorted(pids)] for p in sorted(pids)])
    print("\n".join(bad) if bad else f"checked {len(pages)} pages of {mapping_count} mappings")


run(arguments[0], sorted(int(p) for p in arguments[1:]))
