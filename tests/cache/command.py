"""command.py - `ldr cache`: list against what is there, warm runs nothing, verify finds a flipped page, clear leaves nothing; damaged files."""
import json, os, random, shutil, struct, subprocess, time
from kit import *


def ldr(tree, *args, **env):
    done = subprocess.run([LDR, "cache", *args], env={"PATH": "/usr/bin:/bin", "LDR_CACHE_DIR": tree.cache, "LDR_LDSO": tree.loader, **env}, capture_output=True,
                          text=True, timeout=60, cwd=tree.dir)
    return done


def report(tree):
    done = ldr(tree, "--json")
    return json.loads(done.stdout) if done.stdout else {}


def forge_pack(tree, at=-4096):
    """What only the owner can do: a byte of a pack changed (the first of its last page), and the record made to agree with the changed file."""
    pack = os.path.join(tree.cache, packs(tree.cache)[0])
    with open(pack, "r+b") as f:
        f.seek(at, 0 if at >= 0 else 2)
        word = f.read(1)
        f.seek(at, 0 if at >= 0 else 2)
        f.write(bytes([word[0] ^ 0xff]))
    st = os.stat(pack)
    identity = struct.pack("<7Q", st.st_dev, st.st_ino, st.st_size, st.st_mtime_ns // 10**9, st.st_mtime_ns % 10**9, st.st_ctime_ns // 10**9, st.st_ctime_ns % 10**9)
    for name in records(tree.cache):
        path = os.path.join(tree.cache, name)
        data = bytearray(open(path, "rb").read())
        at = data.find(os.path.basename(pack).encode() + b"\0")
        if at < 0:
            continue
        data[at + 24:at + 24 + len(identity)] = identity
        struct.pack_into("<Q", data, 16, cache_sum(bytes(data[24:])))
        with open(path, "wb") as f:
            f.write(data)


def listing(tree, right):
    done = ldr(tree)
    check("no directory yet: status 4, the place named", done.returncode == 4 and tree.cache in done.stderr, done)
    tree.make()
    listed = report(tree)
    equal("one start is listed", [(s["program"], s["state"], s["why"], s["entered"]) for s in listed["starts"]],
          [(tree.file("prog"), "valid", None, tree.way)])
    start = listed["starts"][0]
    paths = [o["path"] for o in start["objects"]]
    check("its objects are those of the process", {tree.file("lib", "liba.so"), tree.file("lib", "libb.so")} <= set(paths), paths)
    equal("pages are the sum over objects", start["pages"], sum(o["pages"] for o in start["objects"]))
    pack_bytes = sum(os.stat(os.path.join(tree.cache, n)).st_size for n in packs(tree.cache))
    equal("packs' bytes are the files'", sum(p["bytes"] for p in listed["packs"]), pack_bytes)
    equal("a pack is its images and one page", pack_bytes // 4096, sum(i["pages"] for i in listed["images"]) + len(listed["packs"]))
    by_path = {i["path"]: i["pages"] for i in listed["images"]}
    equal("an image's pages are the object's", [by_path.get(o["path"]) for o in start["objects"] if o["from"] == "image"],
          [o["pages"] for o in start["objects"] if o["from"] == "image"])
    check("liba's pages of pointers in RELRO and in data are in its image", by_path[tree.file("lib", "liba.so")] >= 4, by_path)
    text = ldr(tree)
    for words in ((), ("verify",), ("warm", tree.file("prog"))):
        done = ldr(tree, *words, LDR_LDSO="/nonexistent/ld-ldr.so")
        equal(f"without a linker to compare with, {words or 'list'}", (done.returncode, done.stdout, done.stderr), (1, "", "ldr cache: LDR_LDSO=/nonexistent/ld-ldr.so: No such file or directory\n"))
    check("the text names program and libraries", text.returncode == 0 and tree.file("prog") in text.stdout and "liba.so" in text.stdout, text)

    tree.put("early", "a", "two")
    listed = report(tree)
    equal("after a shadowing: stale", [(s["state"], s["why"]) for s in listed["starts"]], [("stale", tree.file("early", "liba.so") + " is there now")])
    os.unlink(tree.file("early", "liba.so"))
    shutil.rmtree(tree.cache)
    tree.make()
    if tree.way == "kernel":
        scripts(tree)


def scripts(tree):
    """The kernel names a started script by its own path: its record is the interpreter's, through as many scripts as there are."""
    shutil.rmtree(tree.cache)
    for name, interpreter in (("script", tree.file("prog")), ("outer", tree.file("script"))):
        with open(tree.file(name), "w") as f:
            f.write(f"#! {interpreter} \n")
        os.chmod(tree.file(name), 0o755)
    time.sleep(YOUNG)
    run([tree.file("outer")], tree.cache_env("now"), tree.cwd)
    equal("a script's start is listed by its name, and holds", [(s["program"], s["state"], s["why"]) for s in report(tree)["starts"]], [(tree.file("outer"), "valid", None)])
    equal("and is verified", ldr(tree, "verify").stdout.strip(), "1 hold, 0 differ, 0 stale, 0 not verified.")
    shutil.rmtree(tree.cache)
    time.sleep(YOUNG)
    warmed = ldr(tree, "warm", tree.file("outer"))
    answer = run([tree.file("outer")], tree.cache_env("require"), tree.cwd)
    check("warm of a script: its start by the kernel too", warmed.returncode == 0 and answer[0] == 0 and "fit" not in answer[2], (warmed, answer))
    shutil.rmtree(tree.cache)
    run([tree.file("outer")], tree.cache_env("now"), tree.cwd)
    os.utime(tree.file("prog"))
    equal("the interpreter changes: stale", [(s["state"], s["why"]) for s in report(tree)["starts"]], [("stale", tree.file("prog") + " changed")])
    shutil.rmtree(tree.cache)
    tree.make()


def verifying_pages(tree):
    """One byte of every page of the pack, the first of which belongs to no image: each is found, and right again when it is put back."""
    forge_pack(tree)                  # puts back what the caller changed
    size = os.stat(os.path.join(tree.cache, packs(tree.cache)[0])).st_size
    random.seed(size)
    missed = []
    for page in range(0, size, 4096):
        at = page + random.randrange(4096)
        forge_pack(tree, at)
        done = ldr(tree, "verify")
        if done.returncode != 1 or ("1 differ" in done.stdout) != (page != 0):
            missed.append((at, done.returncode, done.stdout))
        forge_pack(tree, at)
    check(f"a flipped byte in any of {size // 4096} pages is found", size >= 20 * 4096 and not missed, missed)
    equal("and all is right again", ldr(tree, "verify").stdout.strip(), "1 hold, 0 differ, 0 stale, 0 not verified.")
    # An image that only a stale record uses
    tree.env["LD_BIND_NOW"] = "1"
    tree.ours("now")
    del tree.env["LD_BIND_NOW"]
    name = [r["record"] for r in report(tree)["starts"]]
    first = min(records(tree.cache), key=lambda r: os.stat(os.path.join(tree.cache, r)).st_mtime_ns)
    os.unlink(os.path.join(tree.cache, [r for r in name if r != first][0]))
    done = json.loads(ldr(tree, "verify", "--json").stdout)
    left = [i for i in report(tree)["images"] if not i["programs"]]
    check(f"images that no record uses are told ({len(left)})", left and done["images_not_compared"] == len(left), done)


def verifying_one(tree):
    """Of two programs in a store only what was asked for counts: the images of the other are no gap."""
    other = tree.parts.compile("other", MARKS, '-DMARK="/nonexistent"')
    time.sleep(YOUNG)
    warmed = ldr(tree, "warm", other)
    names = [os.path.basename(s["program"]) for s in report(tree)["starts"]]
    own = [i["path"] for i in report(tree)["images"] if i["programs"] == [other]]
    check(f"a second program with images of its own ({len(own)})", warmed.returncode == 0 and own and {"prog", "other"} <= set(names), (warmed, names))
    for name in "prog", "other":
        done, text = ldr(tree, "verify", "--json", name), ldr(tree, "verify", name)
        equal(f"verify {name}: nothing of it is left out", (done.returncode, json.loads(done.stdout)["images_not_compared"], "not compared" in text.stdout), (0, 0, False))
    time.sleep(0.01)
    os.utime(other)                   # its record is stale: its images cannot be made again, those of prog can
    counts = {name: json.loads(ldr(tree, "verify", "--json", *name).stdout)["images_not_compared"] for name in (("prog",), ("other",), ())}
    check("verify: images of a stale record count for its program and for all", counts[("prog",)] == 0 and 0 < counts[("other",)] == counts[()], counts)
    shutil.rmtree(tree.cache)
    tree.make()


def verifying_changed(tree):
    """A pack that was written to is damage, whatever byte it was; a library that was is a stale record."""
    pack = os.path.join(tree.cache, packs(tree.cache)[0])
    with open(pack, "r+b") as f:
        f.seek(-4096, 2)
        byte = f.read(1)
        f.seek(-4096, 2)
        f.write(bytes([byte[0] ^ 0xff]))
    done, listed = ldr(tree, "verify"), ldr(tree)
    said = f"pack {os.path.basename(pack)} is not as it was written"
    check("verify of a changed pack: damage", done.returncode == 3 and said in done.stdout and "0 hold, 0 differ, 0 stale, 1 not verified" in done.stdout, done)
    check("list of a changed pack: damage", listed.returncode == 3 and said in listed.stdout and "(0 valid, 0 stale, 1 damaged)" in listed.stdout, listed)
    os.unlink(pack)
    done = ldr(tree, "verify")
    check("verify of a pack that is gone: stale", done.returncode == 0 and "is not there" in done.stdout and "1 stale" in done.stdout, done)
    shutil.rmtree(tree.cache)
    tree.make()
    os.utime(tree.file("lib", "liba.so"))
    done = ldr(tree, "verify")
    check("verify of a changed library: stale", done.returncode == 0 and "liba.so changed" in done.stdout and "1 stale" in done.stdout, done)
    shutil.rmtree(tree.cache)
    tree.make()


def verifying(tree, right):
    done = ldr(tree, "verify")
    equal("verify: holds", (done.returncode, done.stdout.strip()), (0, "1 hold, 0 differ, 0 stale, 0 not verified."))
    done = ldr(tree, "verify", "nothing-of-that-name")
    equal("verify of a program without record", done.returncode, 3)
    forge_pack(tree)
    # A start takes it, for only the owner can write there; the program may crash now, so it is not run here.
    listed = report(tree)
    equal("the forged record is valid for all that files tell", [s["state"] for s in listed["starts"]], ["valid"])
    done = ldr(tree, "verify")
    check("verify finds one flipped byte of a pack", done.returncode == 1 and "1 differ" in done.stdout, done)
    verifying_pages(tree)
    shutil.rmtree(tree.cache)
    tree.make()
    forge_pack(tree)
    done = ldr(tree, "--json", "verify")
    equal("verify: the same as JSON", [(s["program"], s["result"]) for s in json.loads(done.stdout)["starts"]], [(tree.file("prog"), "differs")])
    shutil.rmtree(tree.cache)
    tree.make()
    verifying_one(tree)
    verifying_changed(tree)


def pages_of(pid, cache):
    """(file whose mapping came before, page of the pack, frame number or None) of each page of a pack in memory, and the inodes mapped from the directory."""
    pages, inodes, before = [], set(), None
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in maps:
            where, _, off, _, ino, *path = line.split(None, 5)
            path = path[0].strip() if path else ""
            if path.startswith(cache + "/"):
                inodes.add(int(ino))
            if not path.startswith(cache + "/p-"):
                before = path if path.startswith("/") and not path.startswith(cache) else before
                continue
            lo, hi = (int(x, 16) for x in where.split("-"))
            pagemap.seek(lo // 4096 * 8)
            for i, word in enumerate(struct.unpack(f"<{(hi - lo) // 4096}Q", pagemap.read((hi - lo) // 512))):
                if word >> 63 and word >> 61 & 1:
                    pages.append((before, int(ino), int(off, 16) // 4096 + i, word & (1 << 55) - 1))
    return pages, inodes


FORKS = r"""
#include <stdio.h>
#include <unistd.h>
int main(void) { int stop[2]; pipe(stop); pid_t child = fork(); if (!child) { close(stop[1]); char c; return read(stop[0], &c, 1) < 0; }
    printf("%d\n", child); fflush(stdout); getchar(); return 0; }
"""


def using(tree, right):
    """Who runs from what, by our own reading of maps and page tables."""
    made = report(tree)["starts"][0]
    equal("nobody runs from the record", (made["processes"], report(tree)["pages_saved"]), (0, 0))
    env = {"PATH": "/usr/bin:/bin", **tree.cache_env("require")}
    copies = [subprocess.Popen(tree.command("wait"), env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(5)]
    for copy in copies:
        while copy.stdout.readline().strip() != b"ready":
            pass
    before = os.stat(os.path.join(tree.cache, records(tree.cache)[0])).st_atime_ns
    listed = report(tree)
    start = listed["starts"][0]
    equal("looking leaves the access time", os.stat(os.path.join(tree.cache, records(tree.cache)[0])).st_atime_ns, before)
    found = [pages_of(copy.pid, tree.cache) for copy in copies]
    pages = [p for of, _ in found for p in of]
    equal("each copy maps the record", [start["processes"], listed["processes"]], [5, 5])
    equal("processes by pack", [p["processes"] for p in listed["packs"]], [sum(os.stat(os.path.join(tree.cache, n)).st_ino in i for _, i in found) for n in packs(tree.cache)])
    equal("pages mapped", listed["pages_mapped"], len(pages))
    if any(frame for *_, frame in pages):
        equal("copies avoided", listed["pages_saved"], len(pages) - len({frame for *_, frame in pages}))
        check("and they are many", listed["pages_saved"] >= 4 * 8 and listed["exact"], listed["pages_saved"])
    else:
        skip("copies avoided", "frame numbers are not shown here")
    for name in ("liba.so", "libb.so"):
        own = [p for p in pages if p[0] and p[0].endswith("/lib/" + name)]
        images = [i for i in listed["images"] if i["path"] and i["path"].endswith("/lib/" + name)]
        equal(f"{name}: pages mapped, processes, programs", [(i["pages_mapped"], i["processes"], i["programs"]) for i in images], [(len(own), 5, [tree.file("prog")])])
        equal(f"{name}: saved", [i["pages_saved"] for i in images], [len(own) - len({p[1:3] for p in own})])
    precision = listed["last_read_within"]
    check("the record was read", start["last_read"] is not None or precision is None, start)
    text = ldr(tree)
    check("the text tells it", f"5 running processes map pages from it, with {len(pages)} pages" in text.stdout, text.stdout[:400])
    for copy in copies:
        copy.communicate(b"\n")
    equal("nobody any more", [report(tree)[k] for k in ("processes", "pages_mapped", "pages_saved")], [0, 0, 0])
    program = tree.parts.compile(f"forks.{tree.way}", FORKS, *([f"-Wl,--dynamic-linker={tree.loader}"] if tree.way == "kernel" else []))
    command = [tree.loader, program] if tree.way == "command" else [program]
    time.sleep(YOUNG)
    run(command, tree.cache_env("now"))
    parent = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    parent.stdout.readline()
    equal("a forked child runs from it too", [s["processes"] for s in report(tree)["starts"] if s["program"] == program], [2])
    parent.communicate(b"\n")
    shutil.rmtree(tree.cache)
    tree.make()


MARKS = r"""
#include <stdio.h>
__attribute__((constructor)) static void begin(void) { FILE *f = fopen(MARK, "a"); if (f) fclose(f); }
int main(void) { puts("ran"); return 0; }
"""


def warming(tree, right):
    clear = ldr(tree, "clear")
    equal("clear", (clear.returncode, sorted(os.listdir(tree.cache))), (0, ["lock"]))
    done = ldr(tree, "warm", tree.file("prog"))
    equal("warm", (done.returncode, done.stdout, done.stderr), (0, "", ""))
    time.sleep(YOUNG)
    env = tree.cache_env("require")
    equal("warm: `ldr run` is made from the record", run([LDR, "run", tree.file("prog")], {**env, "LDR_LDSO": tree.loader}), right)
    if tree.way == "kernel":
        equal("warm: and the program itself", tree.ours("require"), right)
        equal("warm: two records", len(records(tree.cache)), 2)
    mark = tree.file("mark")
    program = tree.parts.compile(f"marks.{tree.way}", MARKS, f'-DMARK="{mark}"', *([f"-Wl,--dynamic-linker={tree.loader}"] if tree.way == "kernel" else []))
    time.sleep(YOUNG)
    ldr(tree, "clear")
    done = [ldr(tree, "warm", program), ldr(tree, "warm", program), ldr(tree, "verify")]
    equal("warm, warm again and verify: done", [d.returncode for d in done], [0, 0, 0])
    check("warm and verify ran nothing of the program", not os.path.exists(mark))
    run([LDR, "run", program], {**env, "LDR_CACHE": "use", "LDR_LDSO": tree.loader})
    check("a start does run it", os.path.exists(mark))
    os.unlink(mark)
    setuid = tree.file("setuid")
    shutil.copy2(program, setuid)
    os.chmod(setuid, 0o4755)
    time.sleep(YOUNG)
    ldr(tree, "warm", setuid)
    check("warm does not execute a set-user-ID program", not os.path.exists(mark))
    static = tree.parts.compile("static", MARKS, f'-DMARK="{mark}"', "-static")
    done = ldr(tree, "warm", static)
    check("warm of a static program: told, not run", done.returncode == 3 and "static" in done.stderr and not os.path.exists(mark), done)
    done = ldr(tree, "warm", "/nonexistent/program")
    equal("warm of nothing", done.returncode, 3)
    done = [ldr(tree, "warm"), ldr(tree, "bogus"), ldr(tree, "list", "x"), ldr(tree, "--top=x")]
    equal("wrong usage", [d.returncode for d in done], [2] * 4)


def hostile(tree, right):
    """No file can crash the reader, make it hang, or make it print what is no JSON."""
    shutil.rmtree(tree.cache)
    tree.make()
    paths = [os.path.join(tree.cache, n) for n in (records(tree.cache)[0], "catalog", packs(tree.cache)[0])]
    good = {p: open(p, "rb").read() for p in paths}
    bad, noticed = [], 0
    random.seed(1)
    for i in range(330):
        # Packs last: one that was written to is another file, and its record stale for good.
        path = paths[i % 2 if i < 300 else 2]
        data = bytearray(good[path])
        kind = i // 2 % 4
        if kind == 0:
            data = data[:random.randrange(len(data))]
        elif kind == 1:
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        else:             # anything in the head or the tables, with a right sum, so that it is looked at
            at = random.randrange(24, min(len(data), 4000 if kind == 2 else 260)) & ~3
            struct.pack_into("<I", data, at, random.choice([0, 1, 7, 0xffffffff, 0x7fffffff, len(data), len(data) - 1, 1 << 20]))
            struct.pack_into("<Q", data, 16, cache_sum(bytes(data[24:])))
        with open(path, "wb") as f:
            f.write(data)
        done = ldr(tree, "--json")
        text = ldr(tree, "--top", "0")
        try:
            json.loads(done.stdout)
            good_json = True
        except ValueError:
            good_json = False
        if done.returncode not in (0, 3) or text.returncode not in (0, 3) or not good_json:
            bad.append((i, done.returncode, text.returncode, done.stderr[:200]))
        noticed += i < 300 and (done.returncode == 3 or '"stale"' in done.stdout)
        with open(path, "wb") as f:
            f.write(good[path])
    check("330 damaged files: always a report", not bad, bad[:5])
    check(f"damage to records and catalogs is told: always without a right sum, and often with one ({noticed} of 300)", 150 < noticed < 300, noticed)
    of_record = lambda digit: "r-" + digit * 32
    for name in (of_record("1"), "p-" + "1" * 16, "t-0x1"):
        os.mkfifo(os.path.join(tree.cache, name))
    os.mkdir(os.path.join(tree.cache, of_record("2")))
    os.symlink("/etc/passwd", os.path.join(tree.cache, of_record("3")))
    with open(os.path.join(tree.cache, of_record("4")), "wb") as f:
        f.truncate(1 << 40)
    done = ldr(tree, "--json")
    equal("pipes, links, directories and a file of a terabyte: told", (done.returncode, json.loads(done.stdout)["foreign"] >= 4), (3, True))
    shutil.rmtree(tree.cache)
    tree.make()
    before = report(tree)
    for name in ("r-notes", "p-value.txt", "l-\33[2J", "t-x"):
        with open(os.path.join(tree.cache, name), "w") as f:
            f.write("somebody's")
    done, verified, listed = ldr(tree), ldr(tree, "verify"), report(tree)
    equal("files that only begin like ours: no records, packs or unfinished files", [[len(r["starts"]), len(r["packs"]), r["unfinished"]] for r in (before, listed)],
          [[1, len(before["packs"]), 0]] * 2)
    equal("files that only begin like ours: told", [listed["foreign"], done.returncode, "4 files that no linker wrote" in done.stdout], [4, 0, True])
    check("files that only begin like ours: nothing is wrong with what is verified", verified.returncode == 0 and "\33" not in verified.stdout, verified)
    # A record as another version of the linker writes them
    path = os.path.join(tree.cache, records(tree.cache)[0])
    with open(path, "r+b") as f:
        good = f.read(8)
        f.seek(7)
        f.write(b"1")
    done, verified = report(tree)["starts"][0], ldr(tree, "verify")
    equal("a record in another format is stale", [done["state"], "another format" in done["why"], verified.returncode, "1 stale" in verified.stdout], ["stale", True, 0, True])
    with open(path, "r+b") as f:
        f.write(b"x")
    equal("a record that begins otherwise is damaged", report(tree)["starts"][0]["state"], "damaged")
    for name in ("l-\33[2J", "t-x"):
        os.unlink(os.path.join(tree.cache, name))
    os.mkdir(os.path.join(tree.cache, of_record("2")))
    ldr(tree, "clear")
    equal("clear leaves what is no file of the cache", sorted(os.listdir(tree.cache)), ["lock", "p-value.txt", of_record("2"), "r-notes"])
    os.rmdir(os.path.join(tree.cache, of_record("2")))
    os.chmod(tree.cache, 0o777)
    done = ldr(tree)
    check("a directory that others may write: status 4 and why", done.returncode == 4 and "0777" in done.stderr, done)
    os.chmod(tree.cache, 0o700)


with workshop() as (where, parts):
    for way in WAYS:
        tree = Tree(parts, where, "rpath", way)
        right = tree.system()
        for test in (listing, using, verifying, warming, hostile):
            test(tree, right)
        tree.remove()
finish()
