#!/usr/bin/python3
"""views_owners.py DOCUMENT OBJECT - the page map of a report says whose every page is. Holds the code of OBJECT against the page tables
of the processes, read here anew: present pages of its executable mappings, by file offset."""
import json, os, struct, sys

document, name = sys.argv[1:]
doc = json.load(open(document))
expected = {}  # page of the file: processes
for index, process in enumerate(doc["processes"]):
    pid = process["pid"]
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in maps:
            words = line.split()
            if len(words) < 6 or os.path.basename(words[5]) != name or "x" not in words[1]:
                continue
            start, end = (int(word, 16) for word in words[0].split("-"))
            pagemap.seek(start // 4096 * 8)
            for i, (word,) in enumerate(struct.iter_unpack("<Q", pagemap.read((end - start) // 4096 * 8))):
                page = int(words[2], 16) // 4096 + i
                expected.setdefault(page, set())
                if word >> 62:
                    expected[page].add(index)
target = next(o for o in doc["objects"] if os.path.basename(o["path"]) == name)
code = next(s for s in target["segments"] if s["segment"] == "code")
page, found = min(expected), {}
for kind, owners, pages, which in code["map"]:
    pairs = doc["owner_sets"][which]
    members = {i for a, b in zip(pairs[::2], pairs[1::2]) for i in range(a, b + 1)}
    assert len(members) == owners, (kind, owners, members)
    for _ in range(pages):
        found[page] = members
        page += 1
last = max(page for page, members in expected.items() if members)
wrong = [(page, found.get(page), members) for page, members in sorted(expected.items()) if page <= last and found.get(page) != members]
print(f"ok page map: whose every page of the code of {name} is" if not wrong and len(set(map(frozenset, expected.values()))) > 2 else
      f"not ok page map: owners of {name}\n    (page, found, expected): {wrong[:5]}")
