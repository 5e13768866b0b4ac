"""trusted.py - whose directory is believed, what root's environment may say about it, how much of a file system is filled, and every way to
switch the cache off. Truth: the system's linker, and the directory itself."""
import os, shutil, subprocess
from kit import *

NOBODY = 65534
OTHER_GROUP = 42


def group_of_another(tree, right):
    """A process of the same user with another group's rights takes nothing from a store that the user may write."""
    home = tree.file("home")
    os.mkdir(home)
    os.chown(home, NOBODY, NOBODY)
    os.chmod(tree.dir, 0o755)

    def ours(state, group, where=home + "/c", **more):
        return run(tree.command(), {**tree.env, "LDR_CACHE_DIR": where, "LDR_CACHE": state}, user=NOBODY, group=group, extra_groups=[], **more)
    equal("a user's store, the user's group", [ours(s, NOBODY) for s in ("now", "require")], [right] * 2)
    kept = records(home + "/c")
    answer = ours("require", OTHER_GROUP)
    check("another group: not believed", answer[0] == 127 and "this user's and group's alone" in answer[2], answer)
    equal("another group: the right answer, and no record", [ours("now", OTHER_GROUP), records(home + "/c")], [right, kept])
    equal("another group: `ldr cache` says so", "group" in ldr_cache(home + "/c", OTHER_GROUP), True)
    # One that it made the user could forge, and could not use.
    equal("another group: the right answer where there is no store", ours("now", OTHER_GROUP, home + "/d"), right)
    check("another group: none is made", not os.path.exists(home + "/d"))
    equal("afterwards the user makes one", [ours(s, NOBODY, home + "/d") for s in ("now", "require")], [right] * 2)


def others_files(tree, right):
    """The directory may hold files of somebody else's."""
    where = tree.file("mixed")
    os.mkdir(where, 0o700)
    names = ["l-important", "t-work.txt", "r-notes", "p-value.txt", "r-0123", "p-0123456789abcdeg", "l-", "t-", "catalog.txt", "r-" + "0" * 33]
    for name in names:
        with open(os.path.join(where, name), "w") as f:
            f.write("mine")
    ours = [name for name in ("r-" + "0" * 32, "p-" + "a" * 16, "l-" + "b" * 16, "t-0x1f")]
    for name in ours:
        with open(os.path.join(where, name), "w") as f:
            f.write("left by an earlier build")
    equal("files of others: the answer", [run(tree.command(), {**tree.env, "LDR_CACHE_DIR": where, "LDR_CACHE": s}) for s in ("now", "require")], [right] * 2)
    there = os.listdir(where)
    check("files of others stay", set(names) <= set(there), sorted(set(names) - set(there)))
    check("what has our names and is no good goes", not set(ours) & set(there), sorted(set(ours) & set(there)))
    # More records than are kept: the oldest go, and packs that none names. What is older still and only looks like one stays.
    for number in range(2100):
        with open(os.path.join(where, f"r-{number:032x}"), "w") as f:
            f.write("old")
    for name in (*names, "p-" + "a" * 16, "r-" + "0" * 32):
        with open(os.path.join(where, name), "w") as f:
            f.write("mine")
        os.utime(os.path.join(where, name), (1, 1))
    equal("more records than are kept: the answer", run(tree.command(), {**tree.env, "LDR_CACHE_DIR": where, "LDR_CACHE": "now", "LD_BIND_NOW": "1"}), right)
    there = os.listdir(where)
    check("more records than are kept: old ones go", not {"p-" + "a" * 16, "r-" + "0" * 32} & set(there) and len(there) < 2100, len(there))
    check("more records than are kept: files of others stay", set(names) <= set(there), sorted(set(names) - set(there)))


def ldr_cache(where, group):
    done = subprocess.run([LDR, "cache"], env={"PATH": "/bin", "LDR_CACHE_DIR": where, "LDR_LDSO": LDSO}, user=NOBODY, group=group, extra_groups=[],
                          capture_output=True, text=True)
    return done.stderr


def root_environment(tree, right):
    """What became root may have somebody else's environment."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run"], check=True)
    home = tree.file("roots")
    os.makedirs(home + "/.cache")
    env = {k: v for k, v in tree.env.items() if k != "LDR_CACHE_DIR"}
    env.update(HOME=home, XDG_RUNTIME_DIR=home, LDR_CACHE="now")
    equal("root: the answer", run(tree.command(), env), right)
    check("root: neither XDG_RUNTIME_DIR nor HOME, but /run", records("/run/ldr-cache") and os.listdir(home) == [".cache"] and not os.listdir(home + "/.cache"),
          (os.listdir(home), os.listdir("/run")))
    theirs = tree.file("theirs")
    os.mkdir(theirs)
    os.chown(theirs, NOBODY, NOBODY)
    equal("root: LDR_CACHE_DIR in somebody's directory", run(tree.command(), {**env, "LDR_CACHE_DIR": theirs + "/c"}), right)
    check("root: nothing is made there", not os.listdir(theirs), os.listdir(theirs))
    warm = subprocess.run([LDR, "cache", "warm", tree.file("prog")], env={"PATH": "/bin", "LDR_CACHE_DIR": theirs + "/c", "LDR_LDSO": LDSO}, capture_output=True, text=True)
    check("root: nor by `ldr cache warm`, which says why", warm.returncode == 4 and "of one's own" in warm.stderr and not os.listdir(theirs), (warm, os.listdir(theirs)))


def where_it_lies(tree, right):
    """The linker and the command find the same directory."""
    home = tree.file("users")
    os.makedirs(home + "/.cache")
    for path in (home, home + "/.cache"):
        os.chown(path, NOBODY, NOBODY)
    env = {k: v for k, v in tree.env.items() if k != "LDR_CACHE_DIR"}
    env.update(HOME=home, XDG_RUNTIME_DIR="here")
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    equal("a relative XDG_RUNTIME_DIR: the answer", [run(tree.command(), {**env, "LDR_CACHE": s}, **user) for s in ("now", "require")], [right] * 2)
    told = subprocess.run([LDR, "cache"], env={"PATH": "/bin", "LDR_LDSO": LDSO, **env}, capture_output=True, text=True, **user)
    check("a relative XDG_RUNTIME_DIR: the next place, for both", told.stdout.startswith(home + "/.cache/ldr-cache: 1 recorded start"), told)


def switched_off(tree, right):
    for word in ("off", "0", "no", "OFF", "false", "off ", "none", "disabled"):
        shutil.rmtree(tree.cache, ignore_errors=True)
        equal(f"LDR_CACHE={word!r}: the answer", run(tree.command(), {**tree.env, "LDR_CACHE_DIR": tree.cache, "LDR_CACHE": word}), right)
        told = subprocess.run(tree.command(), env={"PATH": "/bin", **tree.env, "LDR_CACHE_DIR": tree.cache, "LDR_CACHE": word, "LD_DEBUG": "cache"},
                              capture_output=True, text=True).stderr
        check(f"LDR_CACHE={word!r}: told, and nothing is made", ("LDR_CACHE=off" if word == "off" else "LDR_CACHE has no such word") in told and
              "cache: made" not in told and not os.path.exists(tree.cache), told)
    equal("LDR_CACHE= is as if it were not set", run(tree.command(), {**tree.env, "LDR_CACHE_DIR": tree.cache, "LDR_CACHE": ""}), right)
    await_quiet(tree.cache)
    check("LDR_CACHE= is as if it were not set: a record is made", records(tree.cache))
    equal("before the file", tree.ours("require"), right)
    with open("/etc/ld-ldr.so.nocache", "w"):
        pass
    answer = tree.ours("require")
    check("/etc/ld-ldr.so.nocache: no record is used", answer[0] == 127 and "/etc/ld-ldr.so.nocache is there" in answer[2], answer)
    shutil.rmtree(tree.cache)
    equal("/etc/ld-ldr.so.nocache: the answer, with an empty environment too", [tree.ours("now"), run(tree.command(), tree.env)], [right] * 2)
    check("/etc/ld-ldr.so.nocache: nothing is made", not os.path.exists(tree.cache))
    os.unlink("/etc/ld-ldr.so.nocache")


def room_for_others(tree, right):
    """An eighth of the file system stays free."""
    disk = tree.file("disk")
    os.mkdir(disk)
    takes = 0                        # pages of the store where there is room; then a disk that it would nearly fill
    for pages in (1000, 300, 100, 40, 0):
        pages = pages or takes + takes // 20
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=700,size={pages * 4096}", "none", disk], check=True)
        for state in ("now", "now", "use"):
            equal(f"{pages} pages, {state}: the answer", run(tree.command(), {**tree.env, "LDR_CACHE_DIR": disk + "/c", "LDR_CACHE": state}), right)
        await_quiet(disk + "/c")
        fs = os.statvfs(disk)
        takes = takes or fs.f_blocks - fs.f_bavail
        check(f"{pages} pages: an eighth is free", fs.f_bavail >= pages // 8 - 1, (fs.f_bavail, pages))
        if pages >= 300:
            check(f"{pages} pages: where it fits it is kept", records(disk + "/c"))
        unmount(disk)


def full_of_records(tree, right):
    """Where records alone fill what the store may take, the oldest make room for new ones."""
    disk, pages = tree.file("narrow"), 300
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=700,size={pages * 4096}", "none", disk], check=True)

    def start(number, state):
        return run(tree.command(), {**tree.env, "LDR_CACHE_DIR": disk + "/c", "LDR_CACHE": state, "LD_LIBRARY_PATH": f"/nonexistent/{number}"})
    most = 0
    wrong = []
    for number in range(150):
        if start(number, "now") != right:
            wrong.append(number)
        fs = os.statvfs(disk)
        most = max(most, fs.f_blocks - fs.f_bfree)
    check("150 records on a small disk: the answers", not wrong, wrong)
    equal("150 records on a small disk: the newest is there, the oldest is not", [start(149, "require")[0], start(0, "require")[0]], [0, 127])
    check("150 records on a small disk: at most half of it, and a maker's work", most <= pages * 5 // 8, (most, pages))
    unmount(disk)


if __name__ == "__main__":
    if not in_namespace():
        skip("whose directory is believed", "needs root and mount namespaces")
        finish()
    with workshop() as (where, parts):
        for way in WAYS:
            tree = Tree(parts, where, "rpath", way)
            right = tree.system()
            check(f"the system's answer, {way}", right[0] == 0, right)
            group_of_another(tree, right)
            others_files(tree, right)
            root_environment(tree, right)
            where_it_lies(tree, right)
            switched_off(tree, right)
            room_for_others(tree, right)
            full_of_records(tree, right)
            tree.remove()
    finish()
