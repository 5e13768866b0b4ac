#!/usr/bin/env python3
"""views_document.py KIND [SEED] - writes a report's document made up for the tests of views, as one line of JSON.
KIND: hostile - names of processes and objects that try every format; large - 100 processes, 300 objects.
Numbers add up as in a real report."""
import json, random, sys

KINDS = ["code", "constants", "RELRO", "data", "other"]
CAUSES = "relocation relocation_and_write write identical unknown".split()
HOSTILE = ["</script><script>window.hacked=1</script>", "<!--<script>", '"><img src=x onerror=window.hacked=1>', "a,b;c\td", 'say "hi"',
           "new\nline", "back\\slash", "\\xff\\xfe", "=1+2", "'; drop", "\u2028\u202e\u0007\u001b[31mred", "über-日本語-🙂", " blank ",
           "@STYLE@@SCRIPT@@REPORT@", "x" * 300, "{a}%s%n", "__proto__", "constructor", "&lt;b&gt;", "\u0085\u009b31m"]


CLASSES = """file_shared file_alone image_shared image_alone shared_memory_shared shared_memory_alone fork_shared ksm private_relocation
private_relocation_and_write private_write private_identical private_unknown bss heap stack anonymous huge swapped swapped_shared vdso
inserted zero hugetlb device""".split()


def strips(rng, owners, pages, writable):
    """A segment page by page: runs of [class, owners, pages], classes as they follow each other in real programs."""
    made, last = [], None
    while pages:
        n = min(pages, rng.choice((1, 1, 2, 3, 5, 8, 16, 40)))
        if writable:
            kind = rng.choice(["private_relocation", "private_relocation_and_write", "private_write", "private_write", "private_identical",
                               "private_unknown", "file_alone", "fork_shared", "image_shared", "image_alone"])
            k = rng.randint(2, owners) if kind in ("fork_shared", "image_shared") and owners > 1 else 1
            kind = "private_write" if kind in ("fork_shared", "image_shared") and owners == 1 else kind
        else:
            kind, k = rng.choice([("file_shared", owners), ("file_shared", max(2, owners // 2)), ("file_alone", 1), ("absent", 0)])
            kind, k = ("file_alone", 1) if kind == "file_shared" and owners < 2 else (kind, k)
        if kind != last:
            made.append([kind, k, n])
            pages -= n
        last = kind
    return made


def counts(runs):
    """The numbers of a segment whose pages are these; nobody maps a page twice, and nothing is swapped."""
    classes = dict.fromkeys(CLASSES, 0)
    frames = dict.fromkeys(("shared", "alone", "private"), 0)
    for kind, k, n in runs:
        if kind != "absent":
            classes[kind] += n * k
            frames["shared" if k > 1 else "private" if kind.startswith("private") else "alone"] += n
    mapped = sum(classes.values())
    return {"pages_mapped": mapped, "frames": sum(frames.values()), "frames_shared": frames["shared"],
            "frames_shared_copies": sum(n for kind, k, n in runs if kind == "fork_shared"), "frames_alone": frames["alone"],
            "pages_private": frames["private"], **{"pages_private_" + cause: classes["private_" + cause] for cause in CAUSES},
            "frames_memory": 0, "pages_private_unresolved": 0, "page_copies_avoided": mapped - sum(frames.values()),
            "pages_mapped_again": 0, "pages_swapped": 0, "pages_from_images": classes["image_shared"] + classes["image_alone"],
            "page_copies_avoided_images": sum(n * (k - 1) for kind, k, n in runs if kind.startswith("image")),
            "pages_won_relocated": classes["private_relocation"] // 2, "pages_won_duplicates": frames["shared"] // 3, "classes": classes}


def add(to, item):
    for key, value in item.items():
        if isinstance(value, dict):
            add(to.setdefault(key, {}), value)
        else:
            to[key] = to.get(key, 0) + value


def facts(rng):
    return {"rss_pages": rng.randint(500, 9000), "swap_pages": rng.randint(0, 9), "page_table_kib": rng.randint(40, 300),
            "minor_faults": rng.randint(0, 99999), "major_faults": rng.randint(0, 50)}


def make(processes, paths, names, rng):
    objects, totals, histogram = [], {}, {}
    for i, path in enumerate(paths):
        owners = rng.randint(1, processes)
        segments, sums = [], {}
        for kind in KINDS[:rng.randint(2, 5)]:
            runs = strips(rng, owners, rng.randint(1, 400 if i else 3000), kind in ("RELRO", "data"))
            c = counts(runs)
            segments.append({"segment": kind, "processes": owners, **c, "map": [[*run, run[1]] for run in runs]})
            for _, k, n in runs:
                histogram[k] = histogram.get(k, 0) + n
            add(sums, c)
        objects.append({"path": path, "kind": "elf", "device": "fe:00", "inode": 1000 + i, "headers_read": True, "processes": owners,
                        **sums, "segments": segments})
        add(totals, sums)
    objects.sort(key=lambda o: (-o["pages_mapped"], o["path"]))
    listed, kernel = [], {}
    for i in range(processes):
        c = counts(strips(rng, 2, rng.randint(100, 5000), i % 2))
        for key in ("frames_shared_copies", "pages_private_unresolved", "page_copies_avoided", "page_copies_avoided_images",
                    "pages_won_relocated", "pages_won_duplicates"):
            del c[key]
        numbers = facts(rng)
        add(kernel, numbers)
        listed.append({"pid": 100 + i, "name": names[i % len(names)], "pids": [100 + i], **numbers, **c})
    matrix = [[0] * processes for _ in range(processes)]
    for i in range(processes):
        matrix[i][i] = listed[i]["frames"]
        for j in range(i):
            matrix[i][j] = matrix[j][i] = rng.randint(0, min(matrix[i][i], matrix[j][j])) // (1 if names[i % len(names)] == names[j % len(names)] else 9)
    histogram.pop(0, None)

    def amount(pages, **more):
        return {"pages": pages, "bytes": pages * 4096, **more}
    twice = [{"path": o["path"], "device": o["device"], "inode": o["inode"], "build_id": "c0ffee", "processes": o["processes"]} for o in objects]
    sets = [amount(n, files=twice[2 * i:2 * i + 2]) for i, n in enumerate((totals["pages_won_duplicates"] - 1, 1, 0))]
    names = rng.sample(HOSTILE, 6)

    def page(i, o):
        copies = rng.randint(1, 9)
        entries = [{"name": f"{names[k]}{i}" if k else names[k], "type": "struct " + names[k - 1], "file": "src/" + names[k - 2], "line": rng.randint(1, 999),
                    "relocations": rng.randint(0, 30), "processes_writing": k, **({"values": rng.choice(("same", "same_place", "different"))} if k else {}),
                    "members": [".a", "." + names[k]][:k], "members_left_out": k} for k in range(3)]
        return {"vaddr": hex(4096 * i), "sections": [".data", names[4]], "processes": copies, "copies": copies,
                **dict.fromkeys((f"copies_{cause}" for cause in CAUSES), 0), "copies_write": copies, "relocations": 7,
                "types": [{"type": "R_X86_64_RELATIVE", "count": 4}, {"type": names[5], "count": 3}], "symbols": [names[3] + "@V", "f"],
                "symbols_left_out": 1, "variables": entries, "variables_left_out": i % 3}
    why = {"objects": [], "objects_left_out": max(0, len(objects) - 8), "objects_most": 8, "pages_most": 100}
    for o in objects[:8]:
        pages = [page(i, o) for i in range(min(100, rng.randint(5, 150)) if len(paths) > 100 else rng.randint(2, 6))]
        why["objects"].append({"path": o["path"], "copies": sum(p["copies"] for p in pages), "pages_private": len(pages) + 3, "pages": pages,
                               "names": {"by": rng.choice(("dwarf", "symbol", "section")), "source": o["path"], "problem": names[0]}})
    savings = {"now": amount(totals["page_copies_avoided"]), "now_by_images": amount(totals["page_copies_avoided_images"]),
               "if_relocated_shared": amount(totals["pages_won_relocated"]),
               "if_duplicates_one": amount(totals["pages_won_duplicates"], sets=sets)}
    return {"schema": "ldr-pages", "schema_version": 3, "time": "2026-11-21T05:20:01.123Z", "scope": "elf", "method": "pfn",
            "exact": True, "kernel": "6.1.0", "page_bytes": 4096, "elapsed_s": 0.25, "readings": 2,
            **dict.fromkeys("unstable unreadable unexamined unopened missing vanished headers_unread memory_unreadable files_unexplained "
                            "causes_changed counts_differ markers identity_unsure swap_unnamed".split(), 0), "memory_unchecked": False,
            "merged_unknown": False, "left_out": [],
            "totals": {"processes": processes, **totals, "frames_in_several_segments": 0, **kernel}, "savings": savings, "processes": listed,
            "histogram": [{"owners": k, "frames": n, "pages": n * k} for k, n in sorted(histogram.items())],
            "matrix": {"owners": list(range(processes)), "shared_frames": matrix}, "objects": objects, "why": why,
            "owner_sets": [[]] + [[0, k - 1] for k in range(1, processes + 1)]}


kind, rng = sys.argv[1], random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
if kind == "hostile":
    document = make(len(HOSTILE), ["/lib/" + name for name in HOSTILE], HOSTILE, rng)
else:
    document = make(100, [f"/usr/lib/x86_64-linux-gnu/lib{rng.choice(['core', 'gui', 'net', 'db', 'math'])}{i}.so.{i % 7}" for i in range(300)],
                    ["python3.11", "postgres", "nginx", "worker", "java"], rng)
print(json.dumps(document, ensure_ascii=False))
