#!/usr/bin/env python3
"""fuzz.py WHEREIS FILE ROUNDS SEED - damaged copies of FILE: bytes changed inside .debug_* and symbol sections and in headers, and the
end cut off. Whatever they hold, the answer is complete, by whatever is left, within seconds, and no process but the reading child
may die. Prints what went wrong; to stderr how often which kind of answer came."""
import json, random, re, subprocess, sys, tempfile, os

whereis, path, rounds, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
random.seed(seed)
whole = open(path, "rb").read()
sections = []
for line in subprocess.run(["readelf", "-SW", path], capture_output=True, text=True).stdout.splitlines():
    f = re.match(r" *\[ *\d+\] (\S+) +\S+ +[0-9a-f]{16} ([0-9a-f]+) ([0-9a-f]+) ", line)
    if f and re.match(r"\.z?debug|\.symtab|\.strtab|\.dynsym|\.note|\.gnu_debug|\.shstrtab", f[1]):
        sections.append((int(f[2], 16), int(f[3], 16), f[1]))
headers = int.from_bytes(whole[40:48], "little")
symbols = subprocess.run(["readelf", "-sW", path], capture_output=True, text=True).stdout
questions = sorted({int(f[1], 16) for f in (x.split() for x in symbols.splitlines()) if len(f) > 7 and f[3] in ("OBJECT", "FUNC")})
text = "".join(f"{q:x}:64\n" for q in questions) + "ffffffffffffffff:64\n0:1\n"
kinds = {}
with tempfile.TemporaryDirectory() as folder:
    file = os.path.join(folder, "damaged.so")
    for round in range(rounds):
        data = bytearray(whole)
        for _ in range(random.choice((1, 1, 2, 5, 40))):
            at, size, name = random.choice(sections)
            if random.random() < 0.1:
                at, size = random.choice(((0, 64), (headers, len(whole) - headers)))
            # the ends of numbers and the starts of tables hurt most
            place = at + (random.randrange(size) if random.random() < 0.7 else min(random.randrange(24), size - 1)) if size else at
            if place < len(data):
                data[place] = random.choice((0, 1, 0x7f, 0x80, 0xff, random.randrange(256)))
        if random.random() < 0.1:
            data = data[:random.randrange(len(data)) + 1]
        open(file, "wb").write(data)
        for mode in ([], ["-c"]):
            try:
                done = subprocess.run([whereis, *mode, file, "-"], input=text, capture_output=True, text=True, timeout=30)
            except subprocess.TimeoutExpired:
                print(f"round {round} of seed {seed}: no answer in 30 s")
                continue
            if done.returncode or "runtime error" in done.stderr:
                print(f"round {round} of seed {seed}: status {done.returncode} {done.stderr[:300]}")
                continue
            lines = [json.loads(x) for x in done.stdout.splitlines()]
            how = lines[0]["how"] + (" after a failure" if "cannot be read:" in lines[0]["problem"] else "")
            kinds[how] = kinds.get(how, 0) + 1
            missing = set(range(len(questions))) - {x["question"] for x in lines[1:]}
            if missing and lines[1:]:
                print(f"round {round} of seed {seed}: {len(missing)} questions without answer")
print(kinds, file=sys.stderr)
