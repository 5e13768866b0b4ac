"""place_truth.py LDR - `ldr why` asked about addresses: PLT entries as objdump names them, words of the GOT as readelf has them, and in a
running process what is there now as the process's own memory and maps say."""
import os
import re
import subprocess
import sys
import time

import truth

ldr = sys.argv[1]
passed = failed = skipped = 0


def judge(name, good, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"not ok {name}: {detail}")


def why(*words):
    return subprocess.run([ldr, "why", *words], env=truth.environment(), capture_output=True, check=False).stdout.decode(errors="replace")


def output(*words):
    return subprocess.run(words, capture_output=True, check=True, env=truth.environment()).stdout.decode(errors="replace")


asked = 0
for path in ("/usr/bin/git", "/usr/bin/perl", "/usr/bin/ls", "/usr/bin/gdb", "/lib/x86_64-linux-gnu/libstdc++.so.6", "/lib/x86_64-linux-gnu/libz.so.1"):
    if not os.path.exists(path):
        print(f"skip {path}: not installed")
        skipped += 1
        continue
    name = os.path.basename(path)
    entries = re.findall(r"(?m)^([0-9a-f]{16}) <([^@>]+)@plt>:", output("objdump", "-d", "-j", ".plt", "-j", ".plt.got", "-j", ".plt.sec", path))
    for addr, symbol in entries[:: max(1, len(entries) // 15)]:
        asked += 1
        story = why(path, name, "0x" + addr)
        judge(f"{path} {addr}: PLT entry of {symbol}", f"is the PLT entry of {symbol}" in story.splitlines()[0], story[:200])
    rows = re.findall(r"(?m)^([0-9a-f]{12,16}) +[0-9a-f]+ +(R_X86_64_(?:GLOB_DAT|JUMP_SLO\w*)) +[0-9a-f]+ (\S+?)(?:@\S+)? \+ 0", output("readelf", "-rW", path))
    for addr, kind, symbol in rows[:: max(1, len(rows) // 15)]:
        asked += 1
        story = why(path, name, "0x" + addr)
        judge(f"{path} {addr}: {symbol}", f"is filled by {kind[:17]}" in story and f" of {symbol}\n" in story, story[:200])

# A process that waits: a slot of a function it has called, and one that it has not called yet.
with subprocess.Popen(["/usr/bin/cat"], stdin=subprocess.PIPE, env=truth.environment()) as process:
    time.sleep(0.3)
    with open(f"/proc/{process.pid}/maps", encoding="utf-8") as f:
        maps = [line.split(None, 5) for line in f]
    base = next(int(part[0].split("-")[0], 16) for part in maps if part[-1].strip().endswith("/cat"))
    end = max(int(part[0].split("-")[1], 16) for part in maps if part[-1].strip().endswith("/cat"))
    kinds = set()
    for addr, kind, symbol in re.findall(r"(?m)^([0-9a-f]{12,16}) +[0-9a-f]+ +(R_X86_64_(?:GLOB_DAT|JUMP_SLO\w*)) +[0-9a-f]+ (\S+?)(?:@\S+)? \+ 0",
                                         output("readelf", "-rW", "/usr/bin/cat")):
        with open(f"/proc/{process.pid}/mem", "rb", 0) as memory:
            memory.seek(base + int(addr, 16))
            word = int.from_bytes(memory.read(8), "little")
        story = why("--pid", str(process.pid), hex(base + int(addr, 16)))
        now = next((line for line in story.splitlines() if "there now:" in line), "")
        where = "own PLT" if base <= word < end and "JUMP" in kind else "as the linker stores it|chosen by the symbol's resolver"
        if word == 0:
            where = "as the linker stores it|in none of the objects"
        kinds.add(where)
        judge(f"process: {symbol} at {addr}", re.search(where, now), (hex(word), story[:300]))
    process.kill()
print(f"{asked} places of files; in the process: {len(kinds)} kinds")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed != 0 or not passed)
