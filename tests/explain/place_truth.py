"""place_truth.py LDR - `ldr why` asked about addresses: PLT entries as objdump names them, words of the GOT as readelf has them, and in a
running process what is there now as the process's own memory and maps say."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
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


def ask(*words):
    done = subprocess.run([ldr, *words], env=truth.environment(), capture_output=True, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


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

# A lazily bound program of ours with a library of its own: words that no relocation covers, files replaced while they are in use, JSON.
SOURCES = {
    "word.c": "int word(void) { return 1; }",
    "main.c": "#include <unistd.h>\nint word(void); int main(void) { char c; write(1, \"r\", 1); read(0, &c, 1); return word(); }",
}


def read_words(pid, addr, count):
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        memory.seek(addr)
        data = memory.read(8 * count)
    return [int.from_bytes(data[8 * i:8 * i + 8], "little") for i in range(count)]


with tempfile.TemporaryDirectory() as folder:
    for name, text in SOURCES.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    for words in ("-shared -fPIC -o libword.so word.c", "-o main main.c -L. -lword -Wl,-z,lazy,-rpath," + folder, "-static -o whole word.c main.c"):
        subprocess.run(["gcc", "-w", *words.split()], cwd=folder, check=True)
    main, library = os.path.join(folder, "main"), os.path.join(folder, "libword.so")
    dynamic = output("readelf", "-dW", main)
    got = int(re.search(r"\(PLTGOT\) +0x([0-9a-f]+)", dynamic).group(1), 16)
    tags = re.findall(r"(?m)^ 0x[0-9a-f]+ \((\w+)\)", dynamic)
    debug = int(re.search(r"(?m)^ +DYNAMIC +0x[0-9a-f]+ 0x([0-9a-f]+)", output("readelf", "-lW", main)).group(1), 16) + 16 * tags.index("DEBUG") + 8
    slot = int(re.search(r"(?m)^([0-9a-f]+) +[0-9a-f]+ +R_X86_64_JUMP_SLO\w* +[0-9a-f]+ word", output("readelf", "-rW", main)).group(1), 16)

    os.utime(library, (2**31 - 1, 2**31 - 1))     # a time of writing in the future is no writing after the start
    time.sleep(0.3)
    with subprocess.Popen([main], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=truth.environment()) as process:
        process.stdout.read(1)
        with open(f"/proc/{process.pid}/maps", encoding="utf-8") as f:
            maps = [line.split(None, 5) for line in f]
        base = next(int(part[0].split("-")[0], 16) for part in maps if part[-1].strip() == main)
        theirs = [int(part[0].split("-")[0], 16) for part in maps if part[-1].strip() == library]
        words = read_words(process.pid, base + got, 3)
        judge("the process binds lazily", words[1] and words[2], words)      # what the test stands on
        for number, text in ((0, "first reserved word"), (1, "second reserved word"), (2, "third reserved word")):
            status, out, _ = ask("why", main, "main", hex(got + 8 * number))
            judge(f"GOT word {number}", status == 0 and text in out and "stores nothing here" not in out, out)
            status, out, _ = ask("why", "--json", "--pid", str(process.pid), hex(base + got + 8 * number))
            judge(f"GOT word {number} in the process", json.loads(out)["process"]["word"] == words[number], out[:300])
        status, out, _ = ask("why", main, "main", hex(debug))
        judge("DT_DEBUG", status == 0 and "is the value of DT_DEBUG" in out and "_r_debug" in out, out)
        status, out, _ = ask("why", main, "main", hex(debug - 8))
        judge("its tag", "DT_DEBUG" not in out, out)
        status, out, _ = ask("why", main, "main", "0x99999999999")
        judge("an address outside", status == 4 and out.startswith(f"{main} has no address 0x99999999999"), out)
        judge("a negative address", ask("why", main, "main", "--", "-5")[0] == 2 and ask("why", main, "main", "--", ".got.plt+-5")[0] == 2)
        judge("a number and more", ask("why", "--pid", str(process.pid), "0x10x")[0] == 2 and ask("why", "--pid", str(process.pid), " 16")[0] == 2)

        status, out, _ = ask("why", "--json", main, "main", hex(slot))
        answer = json.loads(out)
        judge("JSON of an address", status == 0 and answer["kind"] == "relocation" and answer["relocation"]["symbol"] == "word" and
              answer["story"]["references"][0]["bound_to"] == library and answer["process"] is None, out[:300])
        status, out, _ = ask("why", "--json", "--pid", str(process.pid), hex(base + slot))
        answer = json.loads(out)
        judge("JSON of a process", status == 0 and answer["process"]["state"] == "not-called-yet" and answer["process"]["word"] == read_words(process.pid, base + slot, 1)[0], out[:300])
        status, out, err = ask("why", "--pid", str(process.pid), hex(base + slot))
        judge("nothing is stale yet", status == 0 and not err, err)

        # Written to in place: the same file, by its stamps only.
        time.sleep(0.2)
        os.chmod(library, 0o755)
        status, out, err = ask("why", "--pid", str(process.pid), hex(base + slot))
        judge("a library's mode changed", status == 0 and out and err.count("\n") == 1 and f"{library}: was changed (" in err, (status, err))
        with open(library, "r+b") as f:
            f.write(b"\x7f")
        status, out, err = ask("why", "--pid", str(process.pid), hex(base + slot))
        judge("a library written to in place", status == 3 and "is filled by" in out and f"{library}: was written to after process {process.pid} started" in err, (status, err))

        # An update puts a new file into the place of the library: the process keeps the old one.
        shutil.copy(library, library + ".new")
        os.replace(library + ".new", library)
        status, out, err = ask("why", "--pid", str(process.pid), hex(base + slot))
        judge("a library replaced", status == 3 and "is the PLT entry" not in out and "libword.so" in err and "deleted or replaced" in err, (status, err))
        status, out, err = ask("why", "--pid", str(process.pid), hex(theirs[0] + 0x10))
        judge("an address in it", status == 3 and not out and "no longer there" in err, (status, out, err))
        os.replace(main, main + ".old")
        status, out, err = ask("why", "--pid", str(process.pid), hex(base + slot))
        judge("the program renamed is still the program", status == 3 and "is filled by" in out, (status, err))
        os.unlink(main + ".old")
        status, out, err = ask("why", "--pid", str(process.pid), hex(base + slot))
        judge("the program deleted", status == 3 and not out and "deleted or replaced" in err, (status, err))
        process.kill()

# A library that the process has opened: who it is, where in it, and a command that tells the rest.
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "later.c"), "w", encoding="utf-8") as f:
        f.write("#include <stdlib.h>\nlong big[9000]; void *(*const kept)(size_t) = malloc;")
    with open(os.path.join(folder, "host.c"), "w", encoding="utf-8") as f:
        f.write('#include <dlfcn.h>\n#include <unistd.h>\nint main(int n, char **v) { char c; if (!dlopen(v[1], RTLD_NOW)) return 1; write(1, "r", 1); return (int)read(0, &c, 1); }')
    later = os.path.join(folder, "a later.so")
    for words in ["-shared", "-fPIC", "-o", later, "later.c"], ["-o", "host", "host.c"]:
        subprocess.run(["gcc", "-w", *words], cwd=folder, check=True)
    slot = int(re.search(r"(?m)^([0-9a-f]+) +[0-9a-f]+ +R_X86_64_64 +[0-9a-f]+ malloc", output("readelf", "-rW", later)).group(1), 16)
    tail = int(re.search(r"(?m) ([0-9a-f]+) +\d+ OBJECT .* big$", output("readelf", "--dyn-syms", "-W", later)).group(1), 16) + 8 * 8999
    with subprocess.Popen([os.path.join(folder, "host"), later], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=truth.environment()) as process:
        process.stdout.read(1)
        with open(f"/proc/{process.pid}/maps", encoding="utf-8") as f:
            maps = [line.split(None, 5) for line in f]
        base = next(int(part[0].split("-")[0], 16) for part in maps if part[-1].strip() == later)
        stack = next(int(part[0].split("-")[0], 16) for part in maps if part[-1].strip() == "[stack]")
        status, out, err = ask("why", "--pid", str(process.pid), hex(base + slot))
        judge("opened later", status == 4 and not out and f"it is in {later} + {hex(slot)}, opened later: ldr why '{later}' '{later}' {hex(slot)}" in err, (status, err))
        status, out, _ = ask("why", later, later, hex(slot))
        judge("opened later: the command", status == 0 and "malloc" in out, (status, out))
        status, out, err = ask("why", "--pid", str(process.pid), hex(base + tail))
        judge("opened later: its .bss", status == 4 and f"{later} + {hex(tail)}" in err, (status, err))
        status, out, err = ask("why", "--pid", str(process.pid), hex(stack))
        judge("in no file", status == 4 and "opened later" not in err and "in no object" in err, (status, err))
        process.kill()

print(f"{asked} places of files; in the process: {len(kinds)} kinds")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed != 0 or not passed)
