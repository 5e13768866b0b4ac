"""changing.py LDR - a program that is written anew in place while it is read, as some installers do: an answer, never a signal; and where the
file changed meanwhile the answer says so and the status is not that of a whole answer."""
import os
import subprocess
import sys
import tempfile

import truth

ldr = sys.argv[1]
SOURCE = next(path for path in ("/usr/bin/git", "/usr/bin/perl", "/usr/bin/bash") if os.path.exists(path))
ROUNDS = 12
WRITER = """
import os, sys, time
data = open(sys.argv[1], "rb").read()
out = os.open(sys.argv[1], os.O_RDWR)
while True:
    os.ftruncate(out, len(data) // 3)
    time.sleep(0.002)
    os.pwrite(out, data, 0)
    time.sleep(0.003)
"""
failed = told = runs = 0
with tempfile.TemporaryDirectory() as folder:
    copy = os.path.join(folder, "copy")
    with open(SOURCE, "rb") as f:
        whole = f.read()
    with open(copy, "wb") as f:
        f.write(whole)
    os.chmod(copy, 0o755)
    # In a process of its own: it is to come in between at any time.
    writer = subprocess.Popen([sys.executable, "-c", WRITER, copy])
    for words in [("why", copy, "memcpy"), ("tree", "--unused", copy), ("relocs", "--list", copy), ("check", copy)] * ROUNDS:
        done = subprocess.run([ldr, *words], env=truth.environment(), capture_output=True, timeout=60, check=False)
        said = b"was written to while it was read" in done.stdout + done.stderr
        runs, told = runs + 1, told + said
        if done.returncode not in (0, 3, 4, 5, 6) or (said and done.returncode == 0):
            failed += 1
            print(f"not ok {words[0]}: status {done.returncode}: {done.stderr.decode(errors='replace')[:200]}")
    writer.kill()
    writer.wait()
    with open(copy, "wb") as f:
        f.write(whole)
    for words in (("why", copy, "memcpy"), ("check", "--fail-on", "error", copy)):
        done = subprocess.run([ldr, *words], env=truth.environment(), capture_output=True, timeout=60, check=False)
        if done.returncode or b"was written to" in done.stdout + done.stderr:
            failed += 1
            print(f"not ok {words[0]} of a file that rests: status {done.returncode}: {done.stderr.decode(errors='replace')[:200]}")
        runs += 1
if not told:
    failed += 1
    print("not ok not one of the answers says that the file changed")
print(f"{told} of {runs - 2} answers say that the file changed")
print(f"{runs - min(failed, runs)} passed, {failed} failed, 0 skipped")
sys.exit(failed != 0)
