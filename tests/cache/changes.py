"""changes.py - a change is always seen. Each case: a start is recorded and made from the record (LDR_CACHE=require proves it), then
something changes, then the system's linker says what is right, and the next starts must say the same."""
import contextlib, os, shutil, struct, subprocess, time
from kit import *

with_etc = in_namespace()


# ---- what may happen to a library: (name, does the output change?, what is done to tree.file(folder, file)) --------------------

def replace_same_times(tree, letter):
    """Same name, same size, same mtime: only its contents, and ctime."""
    path, new = tree.file("lib", f"lib{letter}.so"), tree.part(letter, "two")
    st = os.stat(path)
    assert os.stat(new).st_size == st.st_size
    with open(path, "r+b") as f, open(new, "rb") as g:
        f.write(g.read())
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))


def replace_by_rename(tree, letter):
    path = tree.file("lib", f"lib{letter}.so")
    st = os.stat(path)
    shutil.copy2(tree.part(letter, "two"), path + ".new")
    os.utime(path + ".new", ns=(st.st_atime_ns, st.st_mtime_ns))
    os.rename(path + ".new", path)


def rebuild_longer(tree, letter):
    tree.put("lib", letter, "two", longer=True)


def remove(tree, letter):
    os.unlink(tree.file("lib", f"lib{letter}.so"))


def move_later(tree, letter):
    os.rename(tree.file("lib", f"lib{letter}.so"), tree.file("late", f"lib{letter}.so"))


def shadow_earlier(tree, letter):
    tree.put("early", letter, "two")


def shadow_new_directory(tree, letter):
    tree.put("absent", letter, "two")


def shadow_hwcaps(tree, letter):
    tree.put("lib/glibc-hwcaps/x86-64-v2", letter, "two")


def shadow_hwcaps_earlier(tree, letter):
    tree.put("early/glibc-hwcaps/x86-64-v2", letter, "two")


def shadow_link(tree, letter):
    os.symlink(tree.file("late", f"lib{letter}.so"), tree.file("early", f"lib{letter}.so"))


def point_elsewhere(tree, letter):
    path = tree.file("lib", f"lib{letter}.so")
    os.unlink(path)
    os.symlink(tree.file("late", f"lib{letter}.so"), path)


def swap_directories(tree, letter):
    os.rename(tree.file("lib"), tree.file("away"))
    os.rename(tree.file("late"), tree.file("lib"))


def rename_directory_in_front(tree, letter):
    shutil.copytree(tree.file("late"), tree.file("ready"))
    os.rename(tree.file("ready"), tree.file("absent"))


def cut_short(tree, letter):
    os.truncate(tree.file("lib", f"lib{letter}.so"), 40)         # longer, and the system's linker crashes


def make_text(tree, letter):
    with open(tree.file("lib", f"lib{letter}.so"), "w") as f:
        f.write("this is not a library\n")


def bigger_tls(tree, letter):
    tree.put("lib", letter, "one", tls=77)


LIBRARY_CHANGES = (replace_same_times, replace_by_rename, rebuild_longer, remove, move_later, shadow_earlier, shadow_new_directory, shadow_hwcaps,
                   shadow_hwcaps_earlier, shadow_link, point_elsewhere, swap_directories, rename_directory_in_front, cut_short, make_text, bigger_tls)


# ---- other changes ----------------------------------------------------------------------------------------------------------

def program_replaced(tree):
    for name, way in (("prog", tree.way), ("prog.system", "system")):
        shutil.copy2(tree.parts.program(tree.placement, way, "P2"), tree.file(name))


def program_replaced_same_times(tree):
    for name, way in (("prog", tree.way), ("prog.system", "system")):
        st = os.stat(tree.file(name))
        new = tree.parts.program(tree.placement, way, "P2")
        assert os.stat(new).st_size == st.st_size
        with open(tree.file(name), "r+b") as f, open(new, "rb") as g:
            f.write(g.read())
        os.utime(tree.file(name), ns=(st.st_atime_ns, st.st_mtime_ns))


def preload_variable(tree):
    tree.env["LD_PRELOAD"] = tree.part("b", "two")


def preload_relative(tree):
    tree.put(".", "b", "two")
    tree.cwd = tree.dir
    tree.env["LD_PRELOAD"] = "./libb.so"


def preload_option(tree):
    tree.options = ["--preload", tree.part("b", "two")]


def library_path_added(tree):
    tree.put("other", "a", "two")
    tree.env["LD_LIBRARY_PATH"] = ":".join([tree.file("other"), tree.env.get("LD_LIBRARY_PATH", "")])


def library_path_option(tree):
    tree.options = ["--library-path", tree.file("late")]


def library_path_relative(tree):
    tree.cwd = tree.dir
    tree.env["LD_LIBRARY_PATH"] = "late"


def tunable_set(tree):
    tree.env["GLIBC_TUNABLES"] = "glibc.malloc.tcache_count=0"


def hwcaps_off(tree):
    tree.put("lib/glibc-hwcaps/x86-64-v2", "b", "two")
    tree.options = ["--glibc-hwcaps-mask", "none"]


def bind_now(tree):
    tree.env["LD_BIND_NOW"] = "1"


OTHER = (  # what, ways, does the output change?
    (program_replaced, WAYS, True), (program_replaced_same_times, WAYS, True), (preload_variable, WAYS, True), (preload_relative, WAYS, True),
    (preload_option, ("command",), True), (library_path_added, WAYS, True), (library_path_option, ("command",), None),
    (library_path_relative, WAYS, None), (tunable_set, WAYS, True), (hwcaps_off, ("command",), None), (bind_now, WAYS, False))


def one_case(name, tree, change, visible):
    """visible: True, the system's own answer must change too, or the case would test nothing; None: it may."""
    before = tree.system()
    made = tree.make()
    if not check(name + ": a first start and one from its record are right", made == before and before[0] == 0, f"{made}\n{before}"):
        return
    change(tree)
    truth = tree.system()
    if visible and truth == before:
        check(name + ": the change changes something", False, truth)
        return
    answers = [tree.ours("use")]
    await_quiet(tree.cache)
    time.sleep(YOUNG)
    answers += [tree.ours("now"), tree.ours("use")]
    check(name, all(a == truth for a in answers), f"found:    {answers}\nexpected: {truth}\nbefore:   {before}")
    tree.remove()


def library_cases(where, parts):
    for placement in PLACEMENTS:
        for way in WAYS:
            for letter in "ab":
                for change in LIBRARY_CHANGES:
                    # Both ways for every change, but the second letter only by turns: 144 cases.
                    if letter == "b" and (way == "kernel") == (placement == "rpath"):
                        continue
                    tree = Tree(parts, where, placement, way)
                    one_case(f"{change.__name__} lib{letter} by {placement}, {way}", tree, lambda t: change(t, letter), change is not move_later)


def other_cases(where, parts):
    for placement in PLACEMENTS:
        for change, ways, visible in OTHER:
            for way in ways:
                outranked = change is library_path_added and placement == "rpath"       # DT_RPATH comes before LD_LIBRARY_PATH
                one_case(f"{change.__name__} with {placement}, {way}", Tree(parts, where, placement, way), change, visible and not outranked)


# ---- where the program is, and what kind of process it is ----------------------------------------------------------------------

def link_to(tree, folder):
    """bin/prog leads to the program's name in that folder."""
    for name in ("prog", "prog.system"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(tree.file("bin", name))
        os.symlink(os.path.join("..", folder, name), tree.file("bin", name))


def names_of_one_file(where, parts):
    """$ORIGIN is where the program's file is; a link is turned to another name of the same file, as package stores do that keep equal files once."""
    for placement in ("rpath", "runpath"):
        tree = Tree(parts, where, placement, "kernel")
        for folder in ("bin", "v1", "v2"):
            os.mkdir(tree.file(folder))
        for folder, who in (("v1", "one"), ("v2", "two")):
            for name in ("prog", "prog.system"):
                os.link(tree.file(name), tree.file(folder, name))
            tree.put(folder + "/lib", "a", who)
            tree.put(folder + "/lib", "b", who)
        tree.prog = "bin/prog"
        link_to(tree, "v1")
        one_case(f"link turned to another name of the program, {placement}", tree, lambda t: link_to(t, "v2"), True)


def odd_processes(where, parts):
    """Records made by an ordinary process are used, or not, by processes with other layouts and limits, and the other way round."""
    shell = lambda words: ["/bin/bash", "-c", words + '; exec "$@"', "x"]
    kinds = {"no randomisation": ["/usr/bin/setarch", "-R"], "old layout": ["/usr/bin/setarch", "-L"], "unlimited stack": shell("ulimit -s unlimited"),
             "small stack": shell("ulimit -s 64"), "five descriptors": shell("ulimit -n 5"), "little address space": shell("ulimit -v 100000"),
             "no file may grow": shell("ulimit -f 0"), "small files": shell("ulimit -f 1")}
    for way in WAYS:
        tree = Tree(parts, where, "rpath", way)
        right = tree.system()
        for kind, words in kinds.items():
            shutil.rmtree(tree.cache, ignore_errors=True)
            odd = lambda state: run([*words, *tree.command()], tree.cache_env(state))
            time.sleep(YOUNG)
            answers = [odd("use")]
            await_quiet(tree.cache)
            answers += [tree.ours("use"), tree.ours("now"), odd("use"), odd("now"), tree.ours("require"), tree.ours("verify")]
            equal(f"{kind}, {way}", answers, [right] * 7)
        tree.remove()


# ---- the system's own files ----------------------------------------------------------------------------------------------

def write_file(path, text):
    with open(path, "w") as f:
        f.write(text)


def ldconfig(*dirs):
    write_file("/etc/ld.so.conf.d/000-test.conf", "".join(d + "\n" for d in dirs))
    subprocess.run(["/sbin/ldconfig"], check=True, stderr=subprocess.DEVNULL)


def etc_cases(where, parts):
    for way in WAYS:
        tree = Tree(parts, where, "variable", way)
        tree.env = {}
        ldconfig(tree.file("lib"))
        one_case(f"ld.so.cache rebuilt, {way}", tree, lambda t: ldconfig(t.file("late")), True)

        tree = Tree(parts, where, "variable", way)
        tree.env = {}
        ldconfig(tree.file("lib"))
        one_case(f"a library that ld.so.cache names is replaced, {way}", tree, lambda t: replace_same_times(t, "a"), True)

        tree = Tree(parts, where, "variable", way)
        tree.env = {}
        ldconfig(tree.file("lib"))
        one_case(f"ld.so.cache removed, {way}", tree, lambda t: os.unlink("/etc/ld.so.cache"), True)
        ldconfig()

        tree = Tree(parts, where, "rpath", way)
        one_case(f"a preload file appears, {way}", tree, lambda t: write_file("/etc/ld.so.preload", t.part("b", "two") + "\n"), True)
        tree = Tree(parts, where, "rpath", way)
        one_case(f"a preload file changes, {way}", tree, lambda t: write_file("/etc/ld.so.preload", t.part("a", "two") + "\n"), True)
        tree = Tree(parts, where, "rpath", way)
        one_case(f"a preload file goes, {way}", tree, lambda t: os.unlink("/etc/ld.so.preload"), True)

    for way in WAYS:
        tree = Tree(parts, where, "runpath", way)
        right = tree.system()
        equal(f"another boot, {way}: first", tree.make(), right)
        boot = tree.file("boot_id")
        write_file(boot, "01234567-89ab-cdef-0123-456789abcdef\n")
        subprocess.run(["mount", "--bind", boot, "/proc/sys/kernel/random/boot_id"], check=True)
        refused = tree.ours("require")
        answers = [tree.ours("use"), tree.make()]
        subprocess.run(["umount", "/proc/sys/kernel/random/boot_id"], check=True)
        check(f"another boot, {way}: the record is not used", refused[0] == 127, refused)
        equal(f"another boot, {way}", answers, [right, right])
        equal(f"back in the boot before, {way}", tree.ours("use"), right)


# ---- another build of the loader ---------------------------------------------------------------------------------------------

def other_build(source, target):
    """The same linker with another build-id: found in its notes by an own walk over the program headers."""
    data = bytearray(open(source, "rb").read())
    phoff, = struct.unpack_from("<Q", data, 32)
    phnum, = struct.unpack_from("<H", data, 56)
    for i in range(phnum):
        kind, _, off, _, _, size = struct.unpack_from("<IIQQQQ", data, phoff + 56 * i)
        at = off
        while kind == 4 and at + 12 <= off + size:
            namesz, descsz, note = struct.unpack_from("<III", data, at)
            desc = at + 12 + (namesz + 3 & ~3)
            if note == 3 and data[at + 12:at + 16] == b"GNU\0":
                data[desc] ^= 0xff
                with open(target + ".new", "wb") as f:
                    f.write(data)
                os.chmod(target + ".new", 0o755)
                os.rename(target + ".new", target)
                return
            at = desc + (descsz + 3 & ~3)
    raise ValueError("no build-id in " + source)


def loader_cases(where, parts):
    for way in WAYS:
        tree = Tree(parts, where, "rpath", way)
        right = tree.system()
        equal(f"loader rebuilt, {way}: first", tree.make(), right)
        other_build(LDSO, parts.loader)
        refused = tree.ours("require")
        check(f"loader rebuilt, {way}: the record is not used", refused[0] == 127, refused)
        equal(f"loader rebuilt, {way}", [tree.ours("use"), tree.make()], [right, right])
        shutil.copy2(LDSO, parts.loader + ".new")
        os.rename(parts.loader + ".new", parts.loader)
        equal(f"loader back, {way}", tree.ours("use"), right)
        tree.remove()


with workshop() as (where, parts):
    library_cases(where, parts)
    other_cases(where, parts)
    loader_cases(where, parts)
    names_of_one_file(where, parts)
    odd_processes(where, parts)
    if with_etc:
        etc_cases(where, parts)
    else:
        skip("ld.so.cache, ld.so.preload and boot id", "needs root and mount namespaces")
finish()
