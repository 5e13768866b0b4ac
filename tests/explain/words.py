"""words.py LDR - what the commands say of what they cannot know, that two of them say one thing in one word, and that names from files
reach standard error printable."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

ldr = os.path.abspath(sys.argv[1])
passed = failed = 0


def judge(name, good, found=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"not ok {name}: {found}")


def ask(*arguments, **more):
    done = subprocess.run([ldr, *arguments], capture_output=True, check=False, env={**os.environ, "LDR_CACHE": "off", **more})
    return done.stdout.decode(errors="replace"), done.stderr


# One rule, one word: what is found before a start and what the start itself tells, of every object.
for program, *arguments in ("/usr/bin/openssl", "version"), ("/usr/bin/bash", "-c", "exit"):
    told = {}
    for line in ask("trace", "--json", program, *arguments)[1].splitlines():
        event = json.loads(line)
        if event["event"] == "map" and event["object"].startswith("/") and event["rule"] not in ("program", "linker"):
            told.setdefault(event["object"], event["rule"])
    objects = [o for o in json.loads(ask("tree", "--json", program)[0])["objects"] if o["path"] in told or "ld-linux" in o["path"]]
    differ = [(o["path"], o["found_by"], told.get(o["path"])) for o in objects if o["path"] in told and told[o["path"]] != o["found_by"]]
    linker = {rule for path, rule in told.items() if "ld-linux" in path} | {o["found_by"] for o in objects if "ld-linux" in o["path"]}
    judge(f"{program}: tree and trace", len(told) > 1 and len(objects) > 1 and not differ, differ or told)
    judge(f"{program}: its linker", linker == {"the program's linker"}, linker)

SOURCE = """#include <stdio.h>
struct method { const char *name; int (*call)(const char *); } table[2] = { { "a", puts }, { "b", puts } };
int main(void) { return table[1].call(table[1].name); }
"""


def damage(path):
    """the compressed bytes of .debug_info"""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    for line in subprocess.run(["readelf", "-SW", path], capture_output=True, text=True, check=True).stdout.splitlines():
        part = line.split("]")[-1].split()
        if part and part[0] == ".debug_info":
            start, size = int(part[3], 16), int(part[4], 16)
            data[start + 24:start + size] = b"\xee" * (size - 24)
    with open(path, "wb") as f:
        f.write(data)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    with open("table.c", "w", encoding="utf-8") as f:
        f.write(SOURCE)
    for name, options, problem in (("whole", [], None), ("split", ["-gsplit-dwarf"], "split DWARF"), ("packed", ["-gz"], None), ("broken", ["-gz"], "cannot be unpacked")):
        subprocess.run(["gcc", "-g", *options, "-o", name, "table.c"], check=True)
        if name == "broken":
            damage(name)
        for command in ["relocs", "--source", "--type", "64", "--object", f"./{name}", f"./{name}"], ["why", "--source", f"./{name}", "puts"]:
            out, _ = ask(*command)
            good = out.count(problem) == 1 and "table+0x" in out and "table.c:2" not in out if problem else "table.c:2" in out and "known" not in out
            judge(f"{name}: {command[0]} --source", good, out[-600:])
        answer = json.loads(ask("relocs", "--json", "--source", "--object", f"./{name}", f"./{name}")[0])
        found = next(o for o in answer["objects"] if o["path"].endswith(name)).get("source_problem", "")
        judge(f"{name}: JSON", problem in found if problem else not found, found)

    # A filter that names what is not there, and one that is right and matches nothing.
    for filters, said in ((["--object", "nosuch.so"], b"./whole loads no nosuch.so"), (["--type", "FOO"], b"there is no relocation type 'FOO'"),
                          (["--section", ".nosuch"], b"no object of ./whole has a section '.nosuch'"),
                          (["--object", "libc.so.6", "--section", ".nosuch"], b"libc.so.6 has no section '.nosuch'"),
                          (["--object", "libc.so.6", "--type", "copy"], b"./whole: no relocation matches"), (["--section", ".text"], b"./whole: no relocation matches"),
                          (["--symbol", "nobody_has_this"], b"./whole: no relocation matches")):
        done = subprocess.run([ldr, "relocs", *filters, "./whole"], capture_output=True, check=False)
        judge(f"relocs {' '.join(filters)}", done.returncode == 4 and said in done.stderr, (done.returncode, done.stderr))

    # A name with a command for terminals, a line end and half a character, as argument and inside a file.
    bad = b"\033]0;x\007 \n\302\233 \377"
    for command in ["tree"], ["why", "--source"], ["relocs"], ["run"], ["trace", "--read"]:
        _, err = ask(*command, os.fsdecode(b"./" + bad), *(["x"] if command[0] == "why" else []))
        judge(f"{command[0]}: a name that is not there", err and not set(err) & set(b"\033\007\377") and b"\302\233" not in err and err.count(b"\n") == len(err.splitlines()) and
              not any(line.startswith(b"?") for line in err.splitlines()), err)
    with open("one.c", "w", encoding="utf-8") as f:
        f.write("int one(void) { return 1; }")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "lib\033[31m.so", "one.c", "-Wl,-soname,lib\033[31m.so"], check=True)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "main.so", "one.c", "-Wl,--no-as-needed", "./lib\033[31m.so"], check=True)
    os.unlink("lib\033[31m.so")
    for command in ["tree", "./main.so"], ["why", "./main.so", "one"], ["relocs", "./main.so"], ["check", "./main.so"]:
        out, err = ask(*command)
        judge(f"{command[0]}: a needed name of the file", b"\033" not in err and "\033" not in out, (out, err))

    # What cannot be opened: no finding and no advice, but an error, in the same words whoever is asked.
    os.mkfifo("fifo")
    os.symlink("loop", "loop")
    with open("script", "w", encoding="utf-8") as f:
        f.write("#!/nonexistent/interpreter\n")
    for path, said in (("./nope", "./nope: No such file or directory"), ("./loop", "./loop: Too many levels of symbolic links"), ("./fifo", "./fifo: not a regular file"),
                       ("./one.c/x", "./one.c/x: Not a directory"), ("./script", "/nonexistent/interpreter: No such file or directory")):
        for options in [], ["--json"], ["--sarif"]:
            done = subprocess.run([ldr, "check", *options, path], capture_output=True, text=True, check=False, timeout=30)
            found = json.loads(done.stdout) if options else {"findings": done.stdout.splitlines()}
            findings = found["runs"][0]["results"] if "runs" in found else found["findings"]
            judge(f"check {path} {options}", done.returncode == 4 and f"ldr check: {said}\n" in done.stderr and not findings, (done.returncode, done.stdout[-500:], done.stderr))
    done = subprocess.run([ldr, "check", "--fail-on=error", "./nope", "./whole"], capture_output=True, text=True, check=False)
    judge("check: one of two is not there", done.returncode == 4 and "./nope: No such" in done.stderr and "1 file" in done.stdout, done)
    os.unlink("fifo")
    os.unlink("loop")

    # Parts of a directory that permissions close: each is named, and the status is not that of a clean directory.
    os.chmod(folder, 0o755)
    os.makedirs("open/closed")
    os.mkdir("open/names_only")
    shutil.copy(ldr, "ldr")
    for path in "open/whole", "open/unreadable", "open/closed/whole", "open/names_only/whole":
        shutil.copy("whole", path)
    os.chmod("open/unreadable", 0)
    os.chmod("open/closed", 0)
    os.chmod("open/names_only", 0o444)
    plain = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}

    def look(*words):
        return subprocess.run(["./ldr", "check", *words], capture_output=True, text=True, check=False, cwd=folder, **plain)

    closed = [f"ldr check: open/{part}: Permission denied" for part in ("closed", "names_only/whole", "unreadable")]
    done = look("open")
    judge("check of a directory: what cannot be read", done.returncode == 4 and done.stderr.splitlines() == closed and "1 file" in done.stdout, done)
    done = look("open/closed")
    judge("check of a closed directory", done.returncode == 4 and done.stderr.splitlines() == closed[:1] and not done.stdout, done)
    done = look("open/unreadable")
    judge("check of a closed file", done.returncode == 4 and done.stderr.splitlines() == closed[2:] and not done.stdout, done)
    done = look("--json", "open")
    judge("check --json of a directory with closed parts", done.returncode == 4 and json.loads(done.stdout)["totals"]["files"] == 1, done)
    with open("open/whole", "rb") as f:
        damaged = f.read().replace(b"libc.so.6", b"libn.so.6")
    with open("open/damaged", "wb") as f:
        f.write(damaged)
    done = look("open")
    judge("check of a directory: an error found comes first", done.returncode == 6 and done.stderr.splitlines() == closed, done)
    os.mkdir("many")
    for i in range(20):
        with open(f"many/{i:02}", "w", encoding="utf-8") as f:
            f.write("x")
        os.chmod(f"many/{i:02}", 0)
    done = look("many")
    judge("check of many closed files", done.returncode == 4 and done.stderr.splitlines() ==
          [f"ldr check: many/{i:02}: Permission denied" for i in range(8)] + ["ldr check: ... and 12 more that cannot be looked into"], done)
    os.chmod("open/closed", 0o755)
    os.chmod("open/names_only", 0o755)

print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(failed != 0 or not passed)
