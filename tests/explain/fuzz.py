"""fuzz.py LDR FILE... - tree, check, relocs and why, built with sanitizers, over copies of the FILEs with a few bytes changed or the end cut
off: an answer, never a signal, a sanitizer's report or more than 20 seconds. Seeded: the same files every time. FUZZ_FILES sets how many."""
import os
import random
import subprocess
import sys
import tempfile

ldr, sources = sys.argv[1], sys.argv[2:]
count = int(os.environ.get("FUZZ_FILES", "100"))
environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", LC_ALL="C")
random.seed(7)
passed = failed = 0


def change(data):
    for _ in range(random.randint(1, 12)):
        at = random.randrange(min(random.choice([64, 1024, 8192, len(data)]), len(data)))
        data[at:at + random.choice([1, 1, 4, 8])] = random.choice([bytes([random.randrange(256)]), b"\xff\xff\xff\xff", b"\0\0\0\0",
                                                                  (1 << random.randrange(63)).to_bytes(8, "little")])
    if random.random() < 0.2:
        del data[random.randrange(len(data)):]


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "changed")
    for number in range(count):
        with open(random.choice(sources), "rb") as f:
            data = bytearray(f.read())
        change(data)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o755)
        bad = ""
        for words in (["tree", "--unused", "--json", path], ["check", "--level", "note", path], ["relocs", "--list", path],
                      ["why", "--all", path, random.choice(["malloc", "greet", "table", "word"])]):
            try:
                done = subprocess.run([ldr, *words], capture_output=True, env=environment, timeout=20, check=False)
            except subprocess.TimeoutExpired:
                bad = f"{words[0]}: more than 20 seconds"
                continue
            if done.returncode not in (0, 3, 4, 5, 6) or b"Sanitizer" in done.stderr or b"runtime error" in done.stderr:
                bad = f"{words[0]}: status {done.returncode}: {done.stderr.decode(errors='replace')[:1500]}"
        if bad:
            kept = f"/tmp/ldr-fuzz-{number}"
            with open(kept, "wb") as f:
                f.write(data)
            print(f"not ok file {number}, kept as {kept}: {bad}")
        passed, failed = passed + (not bad), failed + bool(bad)
print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(failed != 0 or not passed)
