#!/usr/bin/python3
"""views_mutate.py LDR RECORDING COUNT - changes a recording in COUNT ways and has LDR read it: every view, and diff. It must answer
with one of its exit statuses within seconds; a crash or a sanitizer's report is a failure. The seed is fixed, so that one found can be found again."""
import os, random, subprocess, sys, tempfile

ldr, recording, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
original = open(recording, "rb").read().rstrip(b"\n")
rng = random.Random(20261121)
WORDS = [b"null", b"-1", b"1e999", b"18446744073709551616", b"4503599627370497", b"[]", b"{}", b'""', b"true", b"NaN", b'"\\u0000"', b"[[]]",
         b'"\\ud800"', b"0.5", b"}", b"]", b",", b":", b"\n{", b"\0", b"\xff"]


def change(data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        if not data:
            break
        at = rng.randrange(len(data))
        how = rng.randrange(6)
        if how == 0:
            data[at] = rng.randrange(256)
        elif how == 1:
            del data[at:at + rng.choice((1, 10, 1000))]
        elif how == 2:
            data[at:at] = rng.choice(WORDS)
        elif how == 3:
            data[at:at] = data[at:at + rng.choice((20, 500))]
        elif how == 4:  # a value in the place of another, at the next colon
            colon = data.find(b":", at)
            end = min((data.find(c, colon) for c in (b",", b"}") if data.find(c, colon) > 0), default=len(data))
            data[colon + 1:end] = rng.choice(WORDS)
        else:
            data = data[:at + 1]
    return bytes(data)


bad, accepted = [], 0
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "changed")
    for i in range(count):
        data = change(original)
        with open(path, "wb") as f:
            f.write(data + b"\n")
        command = rng.choice([["--from", path, "--csv=" + rng.choice(("totals", "segments", "processes", "objects"))],
                              ["--from", path, "--openmetrics", "-"], ["--from", path, "--html", "-"], ["--from", path, "--json"],
                              ["--from", path], ["--from", path, "--sharing", "--segments", "--why", "--top", "0"],
                              ["diff", path, recording], ["diff", "--json", recording, path], ["diff", path]])
        try:
            done = subprocess.run([ldr, "pages", *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=20)
        except subprocess.TimeoutExpired:
            bad.append(f"change {i}, {command}: no end")
            continue
        accepted += done.returncode in (0, 3)
        if done.returncode not in (0, 1, 3, 4) or b"Sanitizer" in done.stderr or b"runtime error" in done.stderr:
            bad.append(f"change {i}, {command}: status {done.returncode}: {done.stderr[-600:]!r}")
print(f"ok {count} changed recordings: an answer each" if not bad else "not ok changed recordings\n    " + "\n    ".join(bad[:3]))
# all refused or all accepted: then the changes test nothing
print("ok some are accepted, some refused" if count // 20 < accepted < count else f"not ok {accepted} of {count} accepted")
