"""attacks.py - whatever lies in the cache directory, a start gives the system's answer or, under LDR_CACHE=require, refuses with a reason."""
import contextlib, os, shutil, struct, subprocess, time
from concurrent.futures import ThreadPoolExecutor
from kit import *

ROOT = os.geteuid() == 0
NOBODY = 65534


def refused(name, answer):
    check(name, answer[0] == 127 and answer[2], answer)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def read(path):
    with open(path, "rb") as f:
        return f.read()


# ---- damage ----------------------------------------------------------------------------------------------------------------

def record_damage(tree, right, step=1):
    """Every byte flipped in turn, and many lengths: never used, never a wrong answer. Half of it each in two caches at once; the system's
    store is one, and its loader's own work, reading, is the same: there `step` may leave bytes out."""
    used, wrong, sizes, count = [], [], [], 0

    def changes(good, half):
        for i in range(half * step, len(good), 2 * step):
            yield f"byte {i}", good[:i] + bytes([good[i] ^ (1 << i // 2 % 8)]) + good[i + 1:]
        for n in (*range(half * 5, 300, 10), *range(300 + half * 50, len(good), 100), len(good) - 1):
            yield f"length {n}", good[:n]
        yield "longer", good + b"\0" * 8

    def one_half(half):
        nonlocal count
        cache = tree.cache if tree.is_system else f"{tree.cache}.{half}"
        start = tree.ours if tree.is_system else lambda state: run(tree.command(), {**tree.env, "LDR_CACHE": state, "LDR_CACHE_DIR": cache})
        start("now")
        path = os.path.join(cache, records(cache)[0])
        good = read(path)
        sizes.append(len(good))
        for at, data in changes(good, half):
            write(path, data)
            answer = start("require")
            count += 1
            if answer == right:
                used.append(at)
            elif answer[0] != 127 or not any(w in answer[2] for w in ("damaged", "no record", "recorded")):
                wrong.append((at, answer))
        write(path, good)
        return start("require")

    time.sleep(YOUNG)
    with ThreadPoolExecutor(1 if tree.is_system else 2) as pool:
        equal("the record undamaged again is used", list(pool.map(one_half, (0, 1))), [right, right])
    check(f"records of {sizes} bytes, damaged in {count} ways, are never used", not used and count > sizes[0] // step, used[:20])
    check("a damaged record always gives that reason", not wrong, wrong[:10])


def record_damage_and_use(tree, right):
    """With LDR_CACHE=use a damaged record is replaced, and the answer is right at once and later."""
    path = os.path.join(tree.cache, records(tree.cache)[0])
    good = read(path)
    wrong = []
    for i in range(0, len(good), max(1, len(good) // 60)):
        write(path, good[:i] + bytes([good[i] ^ 0x80]) + good[i + 1:])
        for state in ("now", "require"):
            answer = tree.ours(state)
            if answer != right:
                wrong.append((i, state, answer))
    check("a damaged record is replaced by the next start", not wrong, wrong[:5])


def facts_out_of_place(tree, right):
    """What a record says of symbols in libc and the genuine linker, leading elsewhere, with a right sum: looked up anew."""
    path = os.path.join(tree.cache, records(tree.cache)[0])
    with open(path, "rb") as f:
        good = f.read()
    places = [at for at in range(0, len(good) - 136, 8) if (w := struct.unpack_from("<17Q", good, at))[0] in range(1, 9) and
              all(0x1000 < x < 0x400000 for x in w[1:])]
    if not check("the record has the facts, once", len(places) == 1, places):
        return
    answers = []
    for number in range(1, 17):
        data = bytearray(good)
        struct.pack_into("<Q", data, places[0] + 8 * number, 0x7fffffff0000)
        struct.pack_into("<Q", data, 16, cache_sum(bytes(data[24:])))
        with open(path, "r+b") as f:
            f.write(data)
        answers.append(tree.ours("require"))
    with open(path, "r+b") as f:
        f.write(good)
    equal("facts that lead out of their object are not used", answers, [right] * 16)


def no_segments(tree, right):
    """An object without any segment, with a right sum: the record is refused before anything of it is mapped."""
    ask = f"""#include <stddef.h>
#include <stdio.h>
#include "{HERE}/../../ldr/cache/format.h"
int main(void) {{ printf("%zu %zu %zu", offsetof(struct record_head, objects), sizeof(struct record_object), offsetof(struct record_object, image.plan.seg_count)); return 0; }}"""
    offsets = tree.file("offsets")
    subprocess.run(["gcc", "-w", "-x", "c", "-", "-o", offsets], input=ask.encode(), check=True)
    objects_at, size, count_at = map(int, run([offsets])[1].split())
    path = os.path.join(tree.cache, records(tree.cache)[0])
    good = read(path)
    objects, count = struct.unpack_from("<2I", good, objects_at)
    changed = 0
    for i in range(count):
        data = bytearray(good)
        at = objects + size * i + count_at
        if not 0 < struct.unpack_from("<I", data, at)[0] < 16:
            continue                  # what the kernel mapped has none
        changed += 1
        struct.pack_into("<I", data, at, 0)
        struct.pack_into("<Q", data, 16, cache_sum(bytes(data[24:])))
        write(path, data)
        refused(f"object {i} without segments", tree.ours("require"))
    check("some objects have segments", changed >= 4, changed)
    write(path, good)
    equal("with their segments again", tree.ours("require"), right)


def catalog_damage(tree, other, right, right_other):
    """Every byte of the catalog flipped: what a maker does with it must not spoil what older records name."""
    path = os.path.join(tree.cache, "catalog")
    good = read(path)
    wrong = []
    step = max(1, len(good) // 400)
    for i in range(0, len(good), step):
        write(path, good[:i] + bytes([good[i] ^ (1 << i % 8)]) + good[i + 1:])
        answers = [other.ours("now"), tree.ours("use"), other.ours("use")]
        if answers != [right_other, right, right_other]:
            wrong.append((i, answers))
    for n in (0, 1, 23, 24, 63, 64, len(good) // 2, len(good) - 1):
        write(path, good[:n])
        answers = [other.ours("now"), tree.ours("use")]
        if answers != [right_other, right]:
            wrong.append((f"length {n}", answers))
    os.unlink(path)
    for n in records(tree.cache):
        os.unlink(os.path.join(tree.cache, n))
    answers = [other.ours("now"), tree.ours("now"), other.ours("require"), tree.ours("require")]
    if answers != [right_other, right] * 2:
        wrong.append(("gone", answers))
    check(f"a catalog of {len(good)} bytes with single bytes flipped, cut short, gone: right answers", not wrong, wrong[:5])


def catalog_lost_keeps_old_records_right(tree, other, right, right_other):
    """A new catalog begins anew; the packs that it makes must not be taken for those an older record names."""
    shutil.rmtree(tree.cache)
    tree.make()
    os.unlink(os.path.join(tree.cache, "catalog"))
    answers = [other.ours("now"), tree.ours("now" if tree.is_system else "use")]
    await_quiet(tree.cache)           # the new catalog's first maker removed what older ones knew
    answers += [tree.ours("require"), other.ours("require")]
    equal("after a lost catalog old and new records are right", answers, [right_other, right, right, right_other])


def packs_swapped(tree, other, right, right_other):
    shutil.rmtree(tree.cache)
    tree.make()
    other.make()
    names = packs(tree.cache)
    if not check("two starts have two packs", len(names) >= 2, names):
        return
    for how in ("renamed", "copied", "copied with their times"):
        shutil.rmtree(tree.cache)
        tree.make()
        other.make()
        a, b = (os.path.join(tree.cache, n) for n in packs(tree.cache)[:2])
        if how == "renamed":
            os.rename(a, a + ".x"), os.rename(b, a), os.rename(a + ".x", b)
        else:
            sa, sb = os.stat(a), os.stat(b)
            data = read(a), read(b)
            write(a, data[1]), write(b, data[0])
            if "times" in how:
                os.utime(a, ns=(sa.st_atime_ns, sa.st_mtime_ns)), os.utime(b, ns=(sb.st_atime_ns, sb.st_mtime_ns))
        refused(f"two packs {how}: refused", tree.ours("require"))
        equal(f"two packs {how}", [tree.ours("use"), other.ours("use")], [right, right_other])
        await_quiet(tree.cache)


def pack_damage(tree, right):
    wrong = []
    for how in (0, 1, 8, 4095, 4096, 8191, -4096, -1, "longer", "page"):
        shutil.rmtree(tree.cache)
        tree.make()
        path = os.path.join(tree.cache, packs(tree.cache)[0])
        size = os.stat(path).st_size
        if how == "longer":
            write(path, read(path) + b"\0" * 4096)
        elif how == "page":
            data = read(path)
            write(path, data[:4096] + bytes([data[4096 + 8] ^ 1]) + data[4097:] if len(data) > 4097 else b"")
        else:
            os.truncate(path, how if how >= 0 else size + how)
        answer = tree.ours("require")
        if answer[0] != 127 or not answer[2]:
            wrong.append((how, "require", answer))
        answers = [tree.ours("now"), tree.ours("require")]
        if answers != [right, right]:
            wrong.append((how, answers))
    check("a pack cut short, made longer or written to: refused, made anew, right", not wrong, wrong)


def place_taken(tree):
    """A program that itself lies where the catalog puts libc: it starts as without a cache, and makes no record."""
    for name, interpreter in (("fixed.system", SYSTEM), ("fixed", tree.loader)):
        subprocess.run(["gcc", "-O1", "-w", "-fno-pie", "-no-pie", "-x", "c", "-", "-o", tree.file(name), "-x", "none", '-DPROGRAM="P1"', tree.part("a", "one"),
                        tree.part("b", "one"), "-Wl,-rpath," + tree.file("lib"), "-Wl,--dynamic-linker=" + interpreter], input=PROGRAM.encode(), check=True)
    path = os.path.join(tree.cache, "catalog")
    data = bytearray(read(path))
    table, count = struct.unpack_from("<2I", data, 64)
    libc = os.stat("/lib/x86_64-linux-gnu/libc.so.6").st_ino
    for at in range(table, table + 72 * count, 72):
        if struct.unpack_from("<9Q", data, at)[1] == libc:
            struct.pack_into("<Q", data, at + 56, 0x400000)
    struct.pack_into("<Q", data, 16, cache_sum(bytes(data[24:])))
    write(path, data)
    time.sleep(YOUNG)
    tree.prog, before = "fixed", tree.prog
    right = tree.system()
    equal("the place of libc is taken", [tree.ours("use"), tree.ours("now"), tree.ours("use"), tree.ours("verify")], [right] * 4)
    warm = tree.ours("warm")
    check("the place of libc is taken: no record, and why", warm[0] == 1 and warm[2].endswith("/libc.so.6"), warm)          # behind "taken: "
    tree.prog = before


# ---- who may be believed ---------------------------------------------------------------------------------------------------

def never_believed(name, tree, right):
    """As it is now, no start uses the cache, and all are right."""
    refused(name + ": refused under require", tree.ours("require"))
    equal(name, tree.ours("now"), right)
    refused(name + ": still refused", tree.ours("require"))


def directories(tree, right):
    if not ROOT:
        skip("owners and modes of directories", "needs root")
        return
    for mode in (0o770, 0o707, 0o777, 0o1777):
        os.chmod(tree.cache, mode)
        never_believed(f"directory of mode {mode:o}", tree, right)
    os.chmod(tree.cache, 0o755 if tree.is_system else 0o700)
    os.chown(tree.cache, NOBODY, NOBODY)
    never_believed("directory of another owner", tree, right)
    os.chown(tree.cache, 0, 0)
    equal("directory back in order", tree.ours("require"), right)

    real = tree.cache + ".real"       # on the same file system
    os.rename(tree.cache, real)
    os.symlink(real, tree.cache)
    never_believed("link instead of the directory", tree, right)
    os.unlink(tree.cache)
    write(tree.cache, b"")
    never_believed("file instead of the directory", tree, right)
    os.unlink(tree.cache)
    os.mkfifo(tree.cache)
    never_believed("pipe instead of the directory", tree, right)
    os.unlink(tree.cache)
    os.rename(real, tree.cache)


def files(tree, right):
    """For the record, a pack and the catalog: a link, a pipe, a directory, another owner, writable by others."""
    def link(path, real):
        os.symlink(real, path)

    def pipe(path, real):
        os.mkfifo(path)

    def directory(path, real):
        os.mkdir(path)

    def of_another_owner(path, real):
        shutil.copy2(real, path)
        os.chown(path, NOBODY, NOBODY)

    def that_others_may_write(path, real):
        shutil.copy2(real, path)
        os.chmod(path, 0o666)

    for kind in ("r-", "p-", "catalog", "lock"):
        for put in (link, pipe, directory) + ((of_another_owner, that_others_may_write) if ROOT else ()):
            shutil.rmtree(tree.cache, ignore_errors=True)
            tree.make()
            name = next(n for n in os.listdir(tree.cache) if n.startswith(kind))
            path, real = os.path.join(tree.cache, name), tree.cache + ".moved"
            os.rename(path, real)
            put(path, real)
            what = f"{put.__name__} for {kind}"
            # The catalog and the lock matter to makers only; a start from a record does without.
            if kind in ("r-", "p-"):
                refused(what + ": refused under require", tree.ours("require"))
            answers = []
            for _ in range(2):
                answers.append(tree.ours("use"))
                await_quiet(tree.cache)
            equal(what, answers, [right, right])
            os.unlink(real)


# ---- no room, no permission ------------------------------------------------------------------------------------------------

def small_disk(tree, right):
    if not ROOT:
        skip("full disk", "needs root and mount namespaces")
        return
    disk = tree.file("disk")
    os.mkdir(disk)
    wrong = []
    for pages in (1, 2, 3, 4, 6, 8, 12, 16, 20, 30, 40):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=700,size={pages * 4096}", "none", disk], check=True)
        env = {**tree.env, "LDR_CACHE_DIR": disk + "/c"}
        for state in ("now", "use", "now", "use"):
            answer = run(tree.command(), {**env, "LDR_CACHE": state})
            if answer != right:
                wrong.append((pages, state, answer))
            await_quiet(disk + "/c")
        unmount(disk)
    check("full disk", not wrong, wrong)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700,nr_inodes=4", "none", disk], check=True)
    answers = [run(tree.command(), {**tree.env, "LDR_CACHE_DIR": disk, "LDR_CACHE": s}) for s in ("now", "use")]
    unmount(disk)
    equal("no inodes left", answers, [right] * 2)


def read_only(tree, right):
    if not ROOT:
        skip("read-only home", "needs root and mount namespaces")
        return
    home = tree.file("home")
    os.makedirs(home + "/.cache")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700,ro", "none", home], check=True)
    env = {**tree.env, "HOME": home, "XDG_RUNTIME_DIR": home}
    equal("read-only home", [run(tree.command(), {**env, "LDR_CACHE": s}) for s in ("now", "use")], [right] * 2)
    answer = run(tree.command(), {**env, "LDR_CACHE_DIR": home + "/c", "LDR_CACHE": "require"})
    refused("read-only home: refused under require", answer)
    unmount(home)


def as_user(tree, right):
    """Without root's powers: directories that may not be entered, made or written."""
    if not ROOT:
        skip("permissions of an ordinary user", "needs root to become one")
        return
    open_dir, closed = tree.file("open"), tree.file("closed")
    os.mkdir(open_dir), os.mkdir(closed)
    os.chown(open_dir, NOBODY, NOBODY)
    os.chmod(open_dir, 0o700), os.chmod(closed, 0o755)
    os.chmod(tree.dir, 0o755)
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    ours = lambda where, state: run(tree.command(), {**tree.env, "LDR_CACHE_DIR": where, "LDR_CACHE": state}, **user)
    equal("a user's own directory", [ours(open_dir + "/c", s) for s in ("now", "require")], [right] * 2)
    equal("a directory that cannot be made", [ours(closed + "/c", s) for s in ("now", "use")], [right] * 2)
    equal("root's directory", [ours(tree.cache, s) for s in ("now", "use")], [right] * 2)
    refused("root's directory: refused under require", ours(tree.cache, "require"))
    os.chmod(open_dir + "/c", 0o500)
    equal("a directory without permission to write", [ours(open_dir + "/c", s) for s in ("now", "use")], [right] * 2)
    os.chmod(open_dir + "/c", 0o000)
    equal("a directory without any permission", [ours(open_dir + "/c", s) for s in ("now", "use")], [right] * 2)
    refused("a directory without any permission: refused under require", ours(open_dir + "/c", "require"))
    os.chmod(open_dir + "/c", 0o700)


SECURE = r"""
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>
int main(void) { printf("real %d effective %d secure %lu\n", getuid(), geteuid(), getauxval(AT_SECURE)); return 0; }
"""


def setuid(tree, right):
    """A set-user-ID program uses no cache, neither the caller's nor its owner's, and makes none."""
    if not ROOT:
        skip("setuid programs", "needs root")
        return
    if tree.way != "kernel":
        return
    program, home = tree.file("suid"), tree.file("nobodys")
    shutil.copy2(tree.parts.compile("secure", SECURE, f"-Wl,--dynamic-linker={tree.loader}"), program)
    os.chmod(program, 0o4755)
    before, right = records(tree.cache), (0, "real 65534 effective 0 secure 1\n", "")
    os.mkdir(home)
    os.chown(home, NOBODY, NOBODY)
    os.chmod(tree.dir, 0o755)
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    for where in (tree.cache, home + "/c", None):
        for state in ("now", "require", "warm", "check", "verify"):
            env = {"LDR_CACHE": state, **({"LDR_CACHE_DIR": where} if where else {}), "HOME": home, "XDG_RUNTIME_DIR": home}
            equal(f"setuid, LDR_CACHE={state} in {'its owner' if where == tree.cache else 'the caller' if where else 'no'}'s directory",
                  run([program], env, **user), right)
    check("setuid: nothing was written", not os.path.exists(home + "/c") and not os.path.exists(home + "/ldr-cache"), os.listdir(home))
    equal("setuid: no record was added", records(tree.cache), before)
    env = {"LDR_CACHE": "now", "LDR_CACHE_DIR": home + "/d"}
    os.chmod(program, 0o755)
    run([program], env, **user)
    check("the same program without the bit makes a record", records(home + "/d"))


if __name__ == "__main__":
    in_namespace()
    with workshop() as (where, parts):
        for way in WAYS:
            tree, other = Tree(parts, where, "rpath", way), Tree(parts, where, "rpath", way)
            other.cache = tree.cache
            other.put("lib", "a", "two")
            right, right_other = tree.system(), other.system()
            check("two programs with different answers", right[0] == 0 and right != right_other, (right, right_other))
            equal(f"a record to attack, {way}", tree.make(), right)
            # Who reads a record is the same code whichever way in: every byte once.
            record_damage(tree, right, step=1 if way == WAYS[0] else 4)
            record_damage_and_use(tree, right)
            shutil.rmtree(tree.cache)
            equal(f"a record with facts, {way}", tree.make(), right)
            facts_out_of_place(tree, right)
            no_segments(tree, right)
            catalog_damage(tree, other, right, right_other)
            catalog_lost_keeps_old_records_right(tree, other, right, right_other)
            packs_swapped(tree, other, right, right_other)
            pack_damage(tree, right)
            if way == "kernel":
                place_taken(tree)
            shutil.rmtree(tree.cache)
            equal(f"a record to attack again, {way}", tree.make(), right)
            directories(tree, right)
            files(tree, right)
            shutil.rmtree(tree.cache)
            tree.make()
            small_disk(tree, right)
            read_only(tree, right)
            as_user(tree, right)
            setuid(tree, right)
            tree.remove(), other.remove()
    finish()
