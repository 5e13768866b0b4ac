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


def counts(rng, owners, pages):
    shared = rng.randint(0, pages) if owners > 1 else 0
    alone = rng.randint(0, pages - shared)
    private = pages - shared - alone
    split = [0] * 5
    for _ in range(private):
        split[rng.choice((0, 0, 0, 1, 1, 2, 3, 4))] += 1
    avoided = shared * (owners - 1)
    return {"pages_mapped": pages + avoided, "frames": pages, "frames_shared": shared, "frames_shared_copies": rng.randint(0, shared),
            "frames_alone": alone, "pages_private": private,
            **{"pages_private_" + cause: n for cause, n in zip(CAUSES, split)},
            "pages_private_unresolved": 0, "page_copies_avoided": avoided, "pages_mapped_again": 0, "pages_swapped": rng.randint(0, 3)}


def add(to, item):
    for key, value in item.items():
        to[key] = to.get(key, 0) + value


def make(processes, paths, names, rng):
    objects, totals = [], {}
    for i, path in enumerate(paths):
        owners = rng.randint(1, processes)
        segments, sums = [], {}
        for kind in KINDS[:rng.randint(2, 5)]:
            c = counts(rng, owners, rng.randint(1, 400 if i else 3000))
            segments.append({"segment": kind, "processes": owners, **c})
            add(sums, c)
        objects.append({"path": path, "device": "fe:00", "inode": 1000 + i, "headers_read": True, "processes": owners, **sums,
                        "segments": segments})
        add(totals, sums)
    objects.sort(key=lambda o: (-o["pages_mapped"], o["path"]))
    listed = []
    for i in range(processes):
        c = counts(rng, 2, rng.randint(100, 5000))
        for key in ("frames_shared_copies", "pages_private_unresolved", "page_copies_avoided"):
            del c[key]
        listed.append({"name": names[i % len(names)], "pids": [100 + i], **c})
    return {"schema": "ldr-pages", "schema_version": 1, "time": "2026-11-21T05:20:01.123Z", "method": "pfn", "exact": True,
            "kernel": "6.1.0", "page_bytes": 4096, "elapsed_s": 0.25, "readings": 2,
            **dict.fromkeys("unstable unreadable unexamined missing vanished headers_unread memory_unreadable files_unexplained "
                            "causes_changed".split(), 0), "memory_unchecked": False,
            "totals": {"processes": processes, **totals, "frames_in_several_segments": 0}, "processes": listed, "objects": objects}


kind, rng = sys.argv[1], random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
if kind == "hostile":
    document = make(len(HOSTILE), ["/lib/" + name for name in HOSTILE], HOSTILE, rng)
else:
    document = make(100, [f"/usr/lib/x86_64-linux-gnu/lib{rng.choice(['core', 'gui', 'net', 'db', 'math'])}{i}.so.{i % 7}" for i in range(300)],
                    ["python3.11", "postgres", "nginx", "worker", "java"], rng)
print(json.dumps(document, ensure_ascii=False))
