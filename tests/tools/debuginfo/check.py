#!/usr/bin/env python3
"""check.py WHEREIS FILE SOURCE LEVEL - asks for every variable of SOURCE that has "is:" and compares; LEVEL is what must come out:
dwarf (name, type, path, line), symbol (name and offset), section.  check.py WHEREIS FILE --symbols: every data symbol of readelf
is asked for, and must be the variable of that name, address and length. Prints what differs."""
import json, re, subprocess, sys


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def symbols(path):
    """{name without what the compiler appends: (vaddr, length)} of the data symbols, by readelf."""
    table = {}
    for line in run("readelf", "-sW", path).splitlines():
        f = line.split()
        if len(f) >= 8 and f[3] == "OBJECT" and f[6] not in ("UND", "ABS"):
            table[f[7].split("@")[0]] = (int(f[1], 16), int(f[2], 0))
    return table


def ask(whereis, path, questions):
    """[(vaddr, length)] -> (head, [answers of each])"""
    text = "".join(f"{vaddr:x}:{length}\n" for vaddr, length in questions)
    lines = [json.loads(x) for x in run(whereis, path, "-", input=text).splitlines()]
    answers = [[] for _ in questions]
    for answer in lines[1:]:
        answers[answer["question"]].append(answer)
    return lines[0], answers


def crafted(whereis, path, source, level, table):
    expected = []
    for number, line in enumerate(open(source), 1):
        # of C++, the variable's own symbol is the one that demangles to the expected name
        found = re.search(r"is: (\d+) (\d+) (.*?);? *\*/", line)
        if found and not line.startswith(" *"):
            parts = [[x.strip(" ") if i != 2 else x for i, x in enumerate(p.strip(" ").split("|"))]
                     for p in found[3].split(" ;") if p.strip()]
            expected.append((number, int(found[1]), int(found[2]), parts))
    names = dict(zip(run("c++filt", "--no-verbose", input="\n".join(table)).split("\n"), table))
    questions, known = [], []
    for number, offset, length, parts in expected:
        name = parts[0][0]
        symbol = names.get(name) or next((s for n, s in names.items() if n == name.split("::")[-1] or
                                          re.fullmatch(r"(\w+\.)?" + re.escape(name.split("::")[-1]) + r"(\.\d+)?", n)), None)
        if symbol is None:
            print(f"no symbol for {name}")
            continue
        known.append((number, offset, parts, table[symbol], symbol))
        questions.append((table[symbol][0] + offset, length))
    head, answers = ask(whereis, path, questions)
    if head["how"] != level:
        print(f"answers are by {head['how']} ({head['problem']}), expected {level}")
    for (number, offset, parts, (vaddr, length), symbol), got in zip(known, answers):
        if level == "dwarf":
            for a in got:  # compilers differ in what they call these
                for key in "type", "piece_type":
                    a[key] = re.sub(r"\b(short|long) int\b", r"\1", a[key].replace(" *>", "*>"))
            found = [[a["name"], a["type"], a["path"], a["piece_type"] if a["path"] else ""] for a in got]
            where = {(a["file"].split("/")[-1], a["line"], a["whole_vaddr"], a["whole_len"], a["how"]) for a in got}
            wanted = [p + [""] * (4 - len(p)) for p in parts]
            if found != wanted or where != {(source.split("/")[-1], number, vaddr, length, "dwarf")}:
                print(f"line {number}: found {found} {where}\n  expected {wanted}")
        elif level == "symbol":
            shown = run("c++filt", "--no-verbose", symbol).strip()
            found = [(a["name"], a["path"], a["whole_vaddr"], a["whole_len"], a["how"], a["line"]) for a in got]
            if found != [(shown, f"+0x{offset:x}" if offset else "", vaddr, length, "symbol", 0)]:
                print(f"line {number}: found {found}")
        else:
            at = vaddr + offset
            found = [(a["name"], a["whole_vaddr"] + int(a["path"], 16), a["how"]) for a in got]
            section = next(n for n, start, size in sections(path) if start <= at < start + size)
            if found != [(section, at, "section")]:
                print(f"line {number}: found {found}")
    return len(known)


def sections(path):
    for line in run("readelf", "-SW", path).splitlines():
        f = re.match(r" *\[ *\d+\] (\S+) +\S+ +([0-9a-f]{16}) \S+ ([0-9a-f]+) +\S+ +(\S*)", line)
        if f and "A" in f[4]:
            yield f[1], int(f[2], 16), int(f[3], 16)


def every_symbol(whereis, path, table):
    items = [(name, at, length) for name, (at, length) in table.items() if length and not name.startswith("_Z")]
    head, answers = ask(whereis, path, [(at, min(length, 64)) for _, at, length in items])
    wrong = named = 0
    for (name, at, length), got in zip(items, answers):
        if not got or got[0]["how"] != "dwarf":
            continue
        named += 1
        first = got[0]
        plain = re.sub(r"\.\d+$", "", name)
        same = {n for n, (a, _) in table.items() if a == at}
        if first["whole_vaddr"] != at or not any(re.sub(r"\.\d+$", "", s) == first["name"].split("::")[-1] for s in same | {plain}) or \
           (first["whole_len"] != length and not first["type"].endswith("[]")):
            wrong += 1
            if wrong < 10:
                print(f"{name} at {at:x}, {length} bytes: {first}")
        covered = at
        for a in got:
            if a["how"] == "dwarf":
                if not a["vaddr"] <= covered < a["vaddr"] + a["len"] or a["vaddr"] + a["len"] > at + length:
                    wrong += 1
                    print(f"{name}: pieces do not follow each other at {covered:x}: {a}")
                    break
                covered = a["vaddr"] + a["len"]
    if wrong:
        print(f"{wrong} of {len(items)} wrong")
    return named, len(items)


whereis, path, source = sys.argv[1:4]
if source == "--symbols":
    named, count = every_symbol(whereis, path, symbols(path))
    print(f"named {named * 100 // max(count, 1)} percent of {count}", file=sys.stderr)
    if named < count * 9 // 10:
        print(f"only {named} of {count} symbols are variables in the debug information")
else:
    whole = sys.argv[5] if len(sys.argv) > 5 else path  # of a stripped file: where its symbols are
    if not crafted(whereis, path, source, sys.argv[4], symbols(whole)):
        print("nothing was asked")
