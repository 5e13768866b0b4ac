"""telling.py - LD_DEBUG=cache, LDR_TRACE and LDR_CACHE=require say what became of a start: from which record and packs (against the directory
and /proc/self/maps), or the one thing that was changed here, and that a start that is told of is the start that is made without telling."""
import fcntl, json, os, re, shutil, subprocess, tempfile, threading, time
from kit import *


def told(tree, state="use", *more, env=None):
    """Lines of LD_DEBUG=cache without process ids; the program's answer."""
    full = {"PATH": "/usr/bin:/bin", "LANG": "C", **tree.cache_env(state), "LD_DEBUG": "cache", **(env or {})}
    done = subprocess.run(tree.command(*more), env=full, cwd=tree.cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    return [re.sub(r"^ *\d+:\t", "", line) for line in done.stderr.splitlines() if "cache: " in line], done.stdout


def traced(tree):
    """The same by `ldr trace`'s reader of LDR_TRACE."""
    record = tree.file("trace")
    run(tree.command(), {**tree.cache_env("use"), "LDR_TRACE": record}, tree.cwd)
    done = subprocess.run([LDR, "trace", "--read", record, "--json", "-e", "cache"], capture_output=True, text=True, timeout=30)
    os.unlink(record)
    return [json.loads(line) for line in done.stdout.splitlines() if '"event":"cache"' in line]


def hits(tree, right):
    lines, out = told(tree)
    check("a first start: a miss, and why", lines[0] == "cache: miss: no start of this program is recorded", lines)
    name = records(tree.cache)
    equal("a record is made at once and named", lines[-1:], [f"cache: made, record={name[0]}"] if len(name) == 1 else name)
    equal("the program's answer is the same", out, right[1])
    new = [l for l in lines if ";  new image in pack=" in l]
    equal("images are new, in the one pack", {l.split("pack=")[1].split()[0] for l in new}, set(packs(tree.cache)))
    lines, out = told(tree)
    equal("the next start: a hit, from that record", lines[:1], [f"cache: hit, record={name[0]}"])
    equal("a start that is told of is made from the record of one that is not", (tree.ours("require"), out), (right, right[1]))
    pages = {}
    for l in lines[1:]:
        m = re.match(r"cache: file=(\S+) \[0\];  image in pack=(\S+)  pages: (\d+)  read-only: (\d+)$", l)
        if m:
            pages[os.path.basename(m[1])] = (m[2], int(m[3]))
    size = sum(os.stat(tree.file("cache", p)).st_size for p in packs(tree.cache)) // 4096 - len(packs(tree.cache))
    equal("pages told are the pack's", (sum(n for _, n in pages.values()), {p for p, _ in pages.values()}), (size, set(packs(tree.cache))))
    process = subprocess.Popen(tree.command("wait"), env={**tree.cache_env("require"), "PATH": "/usr/bin:/bin"}, cwd=tree.cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    while process.stdout.readline().strip() != b"ready":
        pass
    mapped = 0
    for line in open(f"/proc/{process.pid}/maps"):
        where = line.split()
        if where[-1].startswith(tree.cache + "/p-"):
            lo, hi = (int(x, 16) for x in where[0].split("-"))
            mapped += (hi - lo) // 4096
    process.communicate(b"\n")
    equal("and as many are mapped from packs in a process", mapped, size)
    events = traced(tree)
    equal("a trace tells the same record", [(e["what"], e["record"]) for e in events if e.get("record")], [("hit", name[0])])
    equal("and the same pages", sorted((e["pack"], e["pages"]) for e in events if e["what"] == "image"), sorted(pages.values()))
    equal("in each, somebody is mapped by the kernel", ("linux-vdso.so.1" in str([l for l in lines if "by the kernel" in l]), any(e["what"] == "kernel" for e in events)),
          (True, True))
    for words, expected in (("statistics,cache", "cache: hit"), ("libs,cache", "cache: miss: LD_DEBUG asks"), ("all", None)):
        lines, _ = told(tree, env={"LD_DEBUG": words})
        check(f"LD_DEBUG={words}: {expected}", (lines or [""])[0].startswith(expected or "") and bool(lines) == bool(expected), lines)


def touch(path, **more):
    st = os.stat(path)
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns + more.get("by", 0)))


def rewrite(path, data):
    """Same name, same inode, same times but ctime."""
    st = os.stat(path)
    with open(path, "r+b") as f:
        f.write(data)
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))


def another_inode(path):
    """In the folder that the link leads to: that one is no witness."""
    path = os.path.realpath(path)
    st = os.stat(path)
    shutil.copy2(path, path + ".new")
    os.utime(path + ".new", ns=(st.st_atime_ns, st.st_mtime_ns))
    os.rename(path + ".new", path)


CHANGES = (  # what is done, what is told (%s: the tree's folder)
    ("a library touched", lambda t: touch(t.file("lib", "liba.so"), by=5), "changed since: %s/lib/liba.so: mtime "),
    ("a library written to, times set back", lambda t: rewrite(t.file("lib", "liba.so"), b"\x7fELF"), "changed since: %s/lib/liba.so: ctime "),
    ("a library longer", lambda t: os.truncate(t.file("lib", "libb.so"), os.stat(t.file("lib", "libb.so")).st_size + 1), "changed since: %s/lib/libb.so: size "),
    ("a library replaced", lambda t: another_inode(t.file("lib", "libb.so")), "changed since: %s/lib/libb.so: another file: inode "),
    ("a library gone", lambda t: os.unlink(t.file("store", "libb.so")), "changed since: %s/lib/libb.so: gone"),
    ("a library shadowed", lambda t: t.put("early", "a", "two"), "changed since: %s/early/liba.so: is there now"),
    ("a name in a directory that stands for its names", lambda t: t.put("lib", "x", "one"), "changed since: %s/lib/../lib: mtime "),
    ("a directory appears", lambda t: os.mkdir(t.file("absent")), "/absent: is there now"),
    ("a variable set", lambda t: t.env.update(LD_BIND_NOW="1"), '1 thing differs: the variable LD_BIND_NOW is "1", was not set'),
    ("a tunable set", lambda t: t.env.update(GLIBC_TUNABLES="glibc.malloc.tcache_count=0"), "1 thing differs: the variable GLIBC_TUNABLES is \"glibc.malloc.tcache_count=0\", was not set"),
    ("a preload", lambda t: t.env.update(LD_PRELOAD=t.part("b", "two")), "differ, first: the variable LD_PRELOAD is \"%w/parts/b.two"),
    ("the program touched", lambda t: touch(t.file("prog"), by=7), "1 thing differs: the program's file is mtime "),
    ("another name of the program", lambda t: (os.link(t.file("prog"), t.file("prog2")), setattr(t, "prog", "prog2")), "the program's file is ctime "),
    ("a pack gone", lambda t: os.unlink(t.file("cache", packs(t.cache)[0])), "changed since: p-"),
    ("a pack written to", lambda t: rewrite(t.file("cache", packs(t.cache)[0]), b"rr-pack1"), "changed since: p-"),
    ("a record damaged", lambda t: rewrite(t.file("cache", records(t.cache)[0]), b"rrecord0"), "damaged record r-"),
    ("LDR_CACHE=off", None, "LDR_CACHE=off"),
)


def misses(where, parts):
    for way in WAYS:
        for what, change, expected in CHANGES:
            tree = Tree(parts, where, "runpath", way)
            os.mkdir(tree.file("store"))
            os.rename(tree.file("lib", "libb.so"), tree.file("store", "libb.so"))
            os.symlink("../store/libb.so", tree.file("lib", "libb.so"))
            tree.make()
            time.sleep(YOUNG)
            if change:
                change(tree)
            expected = expected.replace("%s", tree.dir).replace("%w", where)
            alone = traced(tree)
            refused = tree.ours("require")
            lines, _ = told(tree, "use" if change else "off")
            check(f"{what}, {way}: LD_DEBUG=cache says so", lines and lines[0].startswith("cache: miss: ") and expected in lines[0], f"{lines}\n{expected}")
            if change:
                check(f"{what}, {way}: so do a trace and LDR_CACHE=require",
                      alone and alone[0]["what"] == "miss" and expected in alone[0]["why"] and alone[1]["why"] == "the start is traced (LDR_TRACE)" and
                      refused[0] == 127 and expected in refused[2], f"{alone}\n{refused}\n{expected}")
            tree.remove()


CHOOSES = "static int two(void) { return 2; } static void *pick(void) { return two; } int chosen(void) __attribute__((ifunc(\"pick\"))); int (*keep)(void) = chosen;"
USES = '#include <stdio.h>\nint chosen(void); int main(void) { printf("%d\\n", chosen()); return 0; }'
STACK = '#include <stdio.h>\nextern void *__libc_stack_end; int main(void) { printf("%d\\n", __libc_stack_end != 0); return 0; }'
SHARED = "image in pack="
NUMBERS = """long many[1024] = { [511] = 1, [700] = 0x7fffffffeff0, [701] = 0x7fffffffeff8 };
int chosen(void) { return many[511] == 1 && many[700] == 0x7fffffffeff0 ? 5 : 0; } int (*keep)(void) = chosen;"""
WRITES_CODE = "int value = 3; int *at(void); __asm__(\".text\\n.globl at\\nat: movabs $value, %rax\\nret\\n\"); int chosen(void) { return *at(); }"


def plain(where, parts):
    """Objects that are relocated at each start, and why: told when the record is made and by each start from it."""
    def case(name, library, program, why, *flags):
        folder = tempfile.mkdtemp(dir=where)
        path = os.path.join(folder, "libx.so")
        if library:
            subprocess.run(["gcc", "-shared", "-x", "c", "-", "-o", path, *flags], input=library.encode(), check=True, capture_output=True)
        subprocess.run(["gcc", "-no-pie", "-x", "c", "-", "-x", "none", "-o", os.path.join(folder, "prog"), *([path, "-Wl,-rpath," + folder] if library else [])], input=program.encode(),
                       check=True, capture_output=True)
        time.sleep(YOUNG)
        env = {"LDR_CACHE_DIR": os.path.join(folder, "cache"), "PATH": "/bin", "LD_DEBUG": "cache"}
        answers = [subprocess.run([parts.loader, os.path.join(folder, "prog")], env=env, capture_output=True, text=True, timeout=30) for _ in range(2)]
        subject = "libx.so" if library else "prog"
        for which, answer in zip(("made", "hit"), answers):
            line = [l for l in answer.stderr.splitlines() if f"/{subject} [0]" in l]
            check(f"{name}: why, {which}", f"cache: {which}, record" in answer.stderr and line and why in line[0], answer)
        done = subprocess.run([LDR, "cache", "--json"], env={**env, "LDR_LDSO": parts.loader}, capture_output=True, text=True)
        whys = [o["why"] for s in json.loads(done.stdout)["starts"] for o in s["objects"] if o["path"].endswith("/" + subject)]
        if why == SHARED:
            check(f"{name}: no reason in `ldr cache --json`, and the right answer", whys and not whys[0] and answers[1].stdout == "5\n", answers[1])
            return
        check(f"{name}: why, in `ldr cache --json`", whys and whys[0] and why.split(": ")[-1] in whys[0], done.stdout[:2000])
    case("an indirect function chooses", CHOOSES, USES, "relocated at each start: an indirect function", "-fPIC")
    case("code is relocated", WRITES_CODE, USES, "its code is relocated (DT_TEXTREL)", "-Wl,-z,notext")
    case("a copy of an address of this process", None, STACK, "an address of this process alone, at 0x")
    case("a number that could be an address of the stack", NUMBERS, USES, SHARED, "-fPIC")


def unmade(where, parts):
    """Why no record is made."""
    tree = Tree(parts, where, "rpath", "command")
    library = tree.file("lib", "liba.so")
    busy = threading.Event()

    def touching():
        while not busy.is_set():
            os.utime(library)
    toucher = threading.Thread(target=touching)
    toucher.start()
    lines, _ = told(tree)
    busy.set()
    toucher.join()
    check("a young file", re.match("cache: no record is made: a file (is too young|changed while it was loaded): " + re.escape(library), lines[-1]), lines)
    time.sleep(YOUNG)
    tree.cwd = tree.dir
    lines, _ = told(tree, env={"LD_LIBRARY_PATH": "late"})
    check("a relative path", lines[-1].startswith("cache: no record is made: a relative path was searched: late/"), lines)
    os.chmod(tree.cache, 0o777)
    lines, _ = told(tree)
    equal("a directory that others may write", lines, ["cache: miss: no directory for records that is this user's and group's alone"])
    os.chmod(tree.cache, 0o700)
    with open(os.path.join(tree.cache, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines, _ = told(tree, env={"LD_BIND_NOW": "locked"})
        equal("somebody else makes one", lines[-1], "cache: no record is made: somebody else is making a record")
    os.remove(lock.name)
    os.mkdir(lock.name)               # as little to be opened as where one may not write, for root too
    lines, _ = told(tree, env={"LD_BIND_NOW": "unlockable"})
    equal("a lock that cannot be opened", lines[-1], "cache: no record is made: the directory's lock cannot be opened, it may not be writable")
    tree.remove()


def opened_records(tree, *more):
    """Names of records that a start which tells of the cache opened."""
    log = os.path.join(tree.dir, "calls")
    run(["strace", "-o", log, "-e", "trace=openat", *tree.command(*more)], {**tree.cache_env("use"), "LD_DEBUG": "cache", "LD_BIND_NOW": "other"})
    with open(log) as f:
        return set(re.findall(r'"(r-[0-9a-f]{32})"', f.read()))


def nearest_of_many(where, parts):
    """The nearest record is looked for among this program's: telling must not cost what all others have recorded."""
    tree = Tree(parts, where, "runpath", "command")
    time.sleep(YOUNG)
    tree.make()
    own = records(tree.cache)[0]
    with open(os.path.join(tree.cache, own), "rb") as f:
        bytes_of = f.read()
    for i in range(200):
        path = os.path.join(tree.cache, f"r-{i ^ 0x5555:08x}{i:024x}")
        with open(path, "wb") as f:
            f.write(bytes_of)
        os.chmod(path, 0o600)
    found = opened_records(tree)
    check("records of other programs are not opened to find the nearest", own in found and len(found) <= 3, found)
    tree.remove()


with workshop() as (where, parts):
    nearest_of_many(where, parts)
    for way in WAYS:
        tree = Tree(parts, where, "runpath", way)
        right = tree.system()
        time.sleep(YOUNG)
        hits(tree, right)
        tree.remove()
    misses(where, parts)
    plain(where, parts)
    unmade(where, parts)
finish()
