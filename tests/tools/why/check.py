#!/usr/bin/env python3
"""check.py REPORT PID... [--names NAMED_FILE] [--source FILE LEVEL] - what `ldr pages --why=OBJECT --json PID...` said, against what
python reads itself from maps, pagemap, mem and the file: copies, causes, written words, values, and by readelf relocations, symbols
and sections. With --source the variables and members that the "why:" comments of FILE promise; LEVEL dwarf, symbol or section.
Symbols are those of NAMED_FILE, when the file itself is stripped. Prints what differs; to stderr what was compared."""
import argparse, bisect, gc, json, os, re, struct, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from oracle import Image, PAGE, PRESENT, FILE, FRAME, down

WORDS = struct.Struct("<512Q").unpack
gc.disable() # hundreds of thousands of small objects, none in a circle; it ends soon
parser = argparse.ArgumentParser()
parser.add_argument("report")
parser.add_argument("pids", nargs="+", type=int)
parser.add_argument("--names")
parser.add_argument("--source", nargs=2)
options = parser.parse_args()
report = json.load(open(options.report))
path = report["object"]
wrong = 0


def differ(what, found, expected):
    global wrong
    if found != expected:
        wrong += 1
        if wrong <= 12:
            print(f"{what}: found {found}, expected {expected}")


def readelf(*options_and_file):
    return subprocess.run(["readelf", *options_and_file], capture_output=True, text=True).stdout.splitlines()


# ---- the file, by readelf ----
def relocations(file):
    """{(vaddr, type, symbol with version)} of all tables; a word of DT_RELR as a relative one"""
    found, relr = [], False
    for line in readelf("-rW", file):
        relr = relr or "relr" in line
        f = line.split()
        if len(f) >= 4 and re.fullmatch("[0-9a-f]{16}", f[0]) and f[2].startswith("R_X86"):
            symbol = f[4] if len(f) > 4 and re.fullmatch("[0-9a-f]{16}", f[3]) else ""
            found.append((int(f[0], 16), f[2], symbol.replace("@@", "@")))
        elif relr and len(f) == 1 and re.fullmatch("[0-9a-f]{16}", f[0]):
            found.append((int(f[0], 16), "R_X86_64_RELATIVE", ""))
    return found


def symbols(file):
    """[(vaddr, end, name)] ascending"""
    rows = []
    for line in readelf("-sW", file):
        f = line.split()
        if len(f) >= 8 and f[3] in ("OBJECT", "FUNC", "IFUNC", "NOTYPE") and f[6] not in ("UND", "ABS"):
            at = int(f[1], 16)
            rows.append((at, at + int(f[2], 0), f[7].split("@")[0]))
    return sorted(set(rows))


def sections(file):
    rows = []
    for line in readelf("-SW", file):
        f = re.match(r" *\[ *\d+\] (\S+) +(\S+) +([0-9a-f]{16}) \S+ ([0-9a-f]+) +\S+ +(\S*)", line)
        if f and "A" in f[5] and not ("T" in f[5] and f[2] == "NOBITS"):
            rows.append((f[1], int(f[3], 16), int(f[4], 16)))
    return rows


image = Image(path)
low = min(down(v) for v, _, filesz, _ in image.loads)


# ---- the processes ----
class Process:
    def __init__(self, pid):
        self.pid, self.maps = pid, []
        self.mem = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
        self.pagemap = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
        for line in open(f"/proc/{pid}/maps"):
            f = line.rstrip("\n").split(None, 5)
            start, end = (int(x, 16) for x in f[0].split("-"))
            self.maps.append((start, end, f[5] if len(f) > 5 else "", int(f[2], 16)))
        self.bias = min(s for s, _, p, _ in self.maps if p == path) - low

    def copies(self):
        """{vaddr of a page: (frame, its bytes)} of the private copies of the object"""
        found = {}
        for vaddr, off, filesz, _ in image.loads:
            if not filesz:
                continue
            for page in range(down(vaddr), vaddr + filesz, PAGE):
                word, = struct.unpack("<Q", os.pread(self.pagemap, 8, (page + self.bias) // PAGE * 8))
                if word & PRESENT and not word & FILE:
                    found[page] = (word & FRAME, os.pread(self.mem, PAGE, page + self.bias))
        return found


def judge(page, memory, bias):
    """(cause, {word vaddr: (what the linker left, what is there)})"""
    start, off, filesz, memsz = next(x for x in image.loads if x[2] and down(x[0]) <= page < x[0] + x[2])
    file_off = down(off) + page - down(start)
    cause = image.cause(memory, file_off, page, bias)
    plain = image.data[file_off:file_off + PAGE].ljust(PAGE, b"\0")
    end = start + filesz - page if memsz > filesz and start + filesz < page + PAGE else PAGE
    cleared = plain[:end].ljust(PAGE, b"\0")
    written, loaded = {}, False
    for place, now, was, clear in zip(range(page, page + PAGE, 8), *(WORDS(x) for x in (memory, plain, cleared))):
        if place in image.words:
            loaded |= now != was
            linked = image.words[place]
            if linked is not None and now != (linked + bias) % 2**64:
                written[place] = ((linked + bias) % 2**64, now, now == was)
        elif now == was:
            continue
        elif now != clear:
            written[place] = (clear, now, False)
        else:
            loaded = True
    # a relative word as in the file is a write only where something shows relocation
    return cause, {k: v[:2] for k, v in written.items() if not v[2] or loaded}


processes = [Process(pid) for pid in options.pids]
pages, writes, frames = {}, {}, set()
for process in processes:
    for page, (frame, memory) in process.copies().items():
        cause, words = judge(page, memory, process.bias)
        pages.setdefault(page, {}).setdefault(frame, (cause, []))[1].append(process.pid)
        for word, values in words.items():
            writes.setdefault(word, {})[process.pid] = values
wanted = lambda page: True
if "page" in report:
    wanted = lambda page: page == report["page"]
elif "section" in report:
    name, start, size = next(s for s in sections(path) if s[0] == report["section"])
    wanted = lambda page: start < page + PAGE and page < start + size
pages = {p: v for p, v in pages.items() if wanted(p)}
writes = {w: v for w, v in writes.items() if wanted(down(w))}

# ---- pages ----
told = {p["vaddr"]: p for p in report["pages"]}
differ("pages", sorted(told), sorted(pages))
for page, copies in pages.items():
    if page not in told:
        continue
    p = told[page]
    causes = {}
    for cause, _ in copies.values():
        causes[cause] = causes.get(cause, 0) + 1
    differ(f"page {page:x}: causes", {c: p["copies_" + c] for c in ("relocation", "relocation_and_write", "write", "identical", "unknown")
                                      if p["copies_" + c]}, causes)
    differ(f"page {page:x}: processes", p["processes"], len({x for _, pids in copies.values() for x in pids}))
for key in "copies", "copies_relocation", "copies_relocation_and_write", "copies_write", "copies_identical":
    differ("totals " + key, report["totals"][key], sum(p[key] for p in report["pages"]))
differ("totals processes", report["totals"]["processes"], len(processes))

# ---- relocations ----
expected = sorted(r for r in relocations(path) if down(r[0]) in told)
found = sorted((r["vaddr"], r["type"], r["symbol"] + ("@" + r["version"] if r["version"] else ""))
               for p in report["pages"] for r in p["relocations"] if r["kind"] == "relocation")
differ("number of relocations", len(found), len(expected))
strip_default = lambda rows: [(v, t, s.split("@")[0]) for v, t, s in rows]
differ("relocations", sorted(set(strip_default(found)) ^ set(strip_default(expected)))[:3], [])
versions = {(v, s) for v, _, s in expected if "@" in s}
differ("versions of symbols", sorted(versions - {(v, s) for v, _, s in found})[:3], [])

# where they lead, in one process; some of them
bound, loads = 0, {}
for p in report["pages"]:
    for r in p["relocations"]:
        if "bound" not in r or not r["bound_alike"] or bound > 3000:
            continue
        process = next(x for x in processes if x.pid in [i for _, pids in pages[p["vaddr"]].values() for i in pids])
        value, = struct.unpack("<Q", os.pread(process.mem, 8, r["vaddr"] + process.bias))
        other = r["bound"]["object"]
        if other not in loads:
            loads[other] = Image(other).loads
        # by the mapping that holds it; memory behind the file's pages belongs to the image in front
        here = [(start, off) for start, end, name, off in process.maps if name == other and start <= value < end]
        if here:
            at = value - here[0][0] + here[0][1]
            expected_at = {vaddr + at - off for vaddr, off, filesz, _ in loads[other] if down(off) <= at < off + filesz + PAGE}
        else:
            expected_at = {value - min(s for s, _, q, _ in process.maps if q == other) + min(down(v) for v, *_ in loads[other])}
        differ(f"bound {r['vaddr']:x}", r["bound"]["vaddr"] if r["bound"]["vaddr"] not in expected_at else expected_at, expected_at)
        bound += 1

# ---- written words ----
pieces = [w for p in report["pages"] for w in p["written"]]
covered = {}
for piece in pieces:
    for word in range(piece["vaddr"] // 8 * 8, piece["vaddr"] + piece["bytes"], 8):
        covered.setdefault(word, []).append(piece)
differ("written words that are not told", [hex(w) for w in writes if w not in covered][:5], [])
for piece in pieces:
    pids, nows, at = set(), [], 0
    differing = set()
    for word in range(piece["vaddr"] // 8 * 8, piece["vaddr"] + piece["bytes"], 8):
        for pid, (linked, now) in writes.get(word, {}).items():
            bytes_here = {word + i for i in range(8) if (linked ^ now) >> 8 * i & 0xff
                          and piece["vaddr"] <= word + i < piece["vaddr"] + piece["bytes"]}
            differing |= bytes_here
            if bytes_here:
                pids.add(pid)
    name = piece["name"] + piece["path"]
    differ(f"{name}: processes", piece["processes"], len(pids))
    differ(f"{name}: bytes", piece["bytes_written"], len(differing))
    if piece["bytes"] <= 8 and pids and "now" in piece:
        process = {x.pid: x for x in processes}
        values = {os.pread(process[pid].mem, piece["bytes"], piece["vaddr"] + process[pid].bias) for pid in pids}
        if piece["values"] == "same":
            differ(f"{name}: values", len(values), 1)
        else:
            # not the same among those in which its word was written
            pids = set(writes[piece["vaddr"] // 8 * 8])
            values = {os.pread(process[pid].mem, piece["bytes"], piece["vaddr"] + process[pid].bias) for pid in pids}
            differ(f"{name}: values differ", len(values) > 1, True)

# ---- names ----
all_sections = sections(path)
table = symbols(options.names or path)
starts = [s[0] for s in table]
mangled = [s[2] for s in table]
plain = dict(zip(mangled, subprocess.run(["c++filt", "--no-verbose"], input="\n".join(mangled), capture_output=True, text=True).stdout.split("\n")))
named, around = {}, {}


def names_at(vaddr):
    """of all symbols that hold the address"""
    found = set()
    i = bisect.bisect_right(starts, vaddr)
    if i not in around: # what may hold an address between this symbol's start and the next one's
        around[i] = [row for row in table[max(0, i - 200):i] if row[1] > starts[i - 1] or row[0] == starts[i - 1]]
    for at, end, name in around[i]:
        if at <= vaddr < end or at == vaddr:
            found |= {name, plain[name], re.sub(r"\.\d+$", "", name)}
    return found


checked = [(w["vaddr"], w) for w in pieces] + [(r["vaddr"], dict(r, name=r["variable"])) for p in report["pages"] for r in p["relocations"]
                                              if r["kind"] == "relocation"]
for vaddr, told_as in checked:
    names = names_at(vaddr)
    named[told_as["named_by"]] = named.get(told_as["named_by"], 0) + 1
    if told_as["named_by"] == "section":
        inside = [(n, s) for n, s, size in all_sections if s <= vaddr < s + size]
        if names and not options.names:
            differ(f"{vaddr:x}", told_as["name"], names)
        elif inside and told_as["path"]:
            differ(f"{vaddr:x}: section", told_as["name"] in [n for n, _ in inside] and
                   int(told_as["path"], 16) in [vaddr - s for _, s in inside], True)
    elif told_as["named_by"] == "symbol" or names:
        last = told_as["name"].split("::")[-1]
        if told_as["name"] not in names and last not in names and not any(n.endswith(last) for n in names):
            differ(f"{vaddr:x}: name", told_as["name"], names)

# ---- sections ----
all_bytes = sorted({w + i for w, by in writes.items() for linked, now in by.values() for i in range(8) if (linked ^ now) >> 8 * i & 0xff})
for section in report["sections"]:
    start, size = next((s, z) for n, s, z in all_sections if n == section["section"] and s == section["vaddr"])
    differ(f"{section['section']}: copies", section["copies"], sum(len(v) for p, v in pages.items() if start < p + PAGE and p < start + size))
    differ(f"{section['section']}: relocations", section["relocations"] >= sum(start <= v < start + size for v, _, _ in expected), True)
    differ(f"{section['section']}: bytes written", section["bytes_written"],
           bisect.bisect_left(all_bytes, start + size) - bisect.bisect_left(all_bytes, start))
for page in pages:
    inside = {n for n, s, z in all_sections if s < page + PAGE and page < s + z}
    differ(f"sections of page {page:x}", inside - {s["section"] for s in report["sections"]}, set())

# ---- variables: sums of their pieces ----
by_variable = {}
for piece in pieces:
    key = (piece["name"], piece["named_by"])
    if piece["named_by"] != "section":
        by_variable[key] = by_variable.get(key, 0) + piece["bytes_written"]
sums = {}
for variable in report["variables"]:
    key = (variable["name"], variable["named_by"])
    if variable["named_by"] != "section" and variable["bytes_written"]:
        sums[key] = sums.get(key, 0) + variable["bytes_written"]
differ("bytes of variables", sums, by_variable)
differ("relocations of variables", sum(v["relocations"] for v in report["variables"]),
       sum(1 for p in report["pages"] for r in p["relocations"] if "variable" in r))

# ---- what the source promises ----
promises = 0
if options.source:
    source, level = options.source
    differ("named by", report["names"]["by"], level)
    text = open(source).read().splitlines()
    for number, line in enumerate(text, 1):
        found = re.search(r"/\* why: (.*?) \*/", line)
        if not found:
            continue
        promises += 1
        if not re.search(r"\w+ *(\[|=)", line.split("/*")[0]): # the comment stands under its variable
            number -= 1
        variable = re.search(r"(\w+)(\[[^]]*\])* = ", text[number - 1])
        name = variable[1] if variable else re.search(r"} (\w+) =", text[number - 1])[1]
        if found[1] == "none":
            differ(f"{name} is not written", [w for w in pieces if w["name"].split("::")[-1] == name], [])
            continue
        name, type, path_to, piece_type, count, values = (found[1].replace("|||", "||\0|", 1) if found[1].count("|") < 5 else found[1]).split("|")[:6]
        if level == "dwarf":
            mine = [w for w in pieces if w["name"] == name and w["path"] == path_to]
            # the linker's cache gives every process the same addresses: then a place is a value
            raw = {os.pread(x.mem, 8, w["vaddr"] + x.bias) for w in mine for x in processes
                   if x.pid in writes.get(w["vaddr"] // 8 * 8, {})}
            if values == "place":
                values = "same_place" if len(raw) > 1 else "same"
            differ(f"{name}{path_to}", [(w["type"], w.get("piece_type", ""), w["processes"], w["values"], os.path.basename(w["file"]), w["line"])
                                        for w in mine],
                   [(type, piece_type or type, int(count), values, os.path.basename(source), number)])
        else:
            at = {n: a for a, _, n in table}
            symbol = next(n for n in at if n == name or re.fullmatch(re.escape(name.split("::")[-1]) + r"(\.\d+)?", n))
            dynamic = {n for _, _, n in symbols(path)}
            mine = [w for w in pieces if at[symbol] <= w["vaddr"] < next(e for a, e, n in table if n == symbol)]
            differ(f"{name} is told", len(mine) > 0, True)
            for w in mine:
                differ(f"{name} by", w["named_by"], "symbol" if symbol in dynamic else "section")
                if symbol in dynamic:
                    differ(f"{name} name", w["name"], symbol)
    differ("promises", promises > 10, True)
if wrong > 12:
    print(f"... {wrong} differences")
print(f"{len(pages)} pages, {len(expected)} relocations, {bound} of them followed, {len(pieces)} pieces, "
      f"{sum(map(len, writes.values()))} written words, names {named}, {promises} promises", file=sys.stderr)
