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


def one_case(name, tree, change, visible, keep=False, recorded=True, refused=None):
    """visible: True, the system's own answer must change too, or the case would test nothing; None: it may.
    recorded: a record can be made of the start before. refused: what a start that must have a record says. keep: the tree is used again."""
    before = tree.system()
    made = tree.make()
    right = made == before if recorded else made[0] == 127 and not records(tree.cache)
    if not check(name + ": a first start and one from its record are right", right and before[0] == 0, f"{made}\n{before}"):
        return
    change(tree)
    if refused:
        said = tree.ours("require")
        check(name + ": the record is not used, and why", said[0] == 127 and refused in said[2], said)
    truth = tree.system()
    if visible and truth == before:
        check(name + ": the change changes something", False, truth)
        return
    answers = [tree.ours("use")]
    await_quiet(tree.cache)
    time.sleep(YOUNG)
    answers += [tree.ours("now"), tree.ours("use")]
    check(name, all(a == truth for a in answers), f"found:    {answers}\nexpected: {truth}\nbefore:   {before}")
    if not keep:
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
        # (Given to a linker as a command, $ORIGIN is where the name stands, wherever a link leads.)
        one_case(f"link turned to another name of the program, {placement}", tree, lambda t: link_to(t, "v2"), True)


# ---- what stands at a path: names that lead elsewhere, places that change under a name ---------------------------------------------

def swap_link(tree, name, target):
    """As installers do it: the name is never missing."""
    os.symlink(target, tree.file("new-link"))
    os.rename(tree.file("new-link"), tree.file(name))


def versions_behind_a_link(tree):
    """What was lib is v1, late is v2, and lib a link to the first."""
    os.rename(tree.file("lib"), tree.file("v1"))
    os.rename(tree.file("late"), tree.file("v2"))
    os.symlink("v1", tree.file("lib"))


def names_of_one_library(tree):
    """v1 and v2 hold the same liba.so (one file, two names) beside different libb.so."""
    versions_behind_a_link(tree)
    os.unlink(tree.file("v2", "liba.so"))
    os.link(tree.file("v1", "liba.so"), tree.file("v2", "liba.so"))


def whole_tree_behind_a_link(tree):
    """The program too is reached through a link to one of two folders, of which the second is a copy with other libraries."""
    for version, who in (("t1", "one"), ("t2", "two")):
        os.mkdir(tree.file(version))
        for name in ("prog", "prog.system"):
            shutil.copy2(tree.file(name), tree.file(version, name))
        for letter in "ab":
            tree.put(version + "/lib", letter, who)
    os.symlink("t1", tree.file("current"))
    tree.prog = "current/prog"


def exchange(tree, a, b):
    for old, new in ((a, "between"), (b, a), ("between", b)):
        os.rename(tree.file(old), tree.file(new))


def relative_program(tree):
    whole_tree_behind_a_link(tree)
    os.unlink(tree.file("current"))
    os.rename(tree.file("t1"), tree.file("current"))
    tree.cwd = tree.file("current")


PLACES = (  # what is there before the start is recorded, what changes then, which placements show it
    ("a link to a folder of libraries is swapped", versions_behind_a_link, lambda t: swap_link(t, "lib", "v2"), PLACEMENTS),
    ("a link to folders that share a library is swapped", names_of_one_library, lambda t: swap_link(t, "lib", "v2"), PLACEMENTS),
    ("a link to the program's folder is swapped", whole_tree_behind_a_link, lambda t: swap_link(t, "current", "t2"), ("rpath", "runpath")),
    ("folders of libraries exchange their names", lambda t: None, lambda t: exchange(t, "lib", "late"), PLACEMENTS),
    ("the program's folder is renamed and another takes its name", whole_tree_behind_a_link,
     lambda t: (os.unlink(t.file("current")), os.rename(t.file("t2"), t.file("current"))), ("rpath", "runpath")),
    ("the current directory is renamed and another takes its name", relative_program,
     lambda t: (os.rename(t.file("current"), t.file("gone")), os.rename(t.file("t2"), t.file("current"))), ("rpath", "runpath")),
    ("an hwcaps folder of a later directory", lambda t: None, lambda t: t.put("late/glibc-hwcaps/x86-64-v2", "a", "two"), PLACEMENTS),
    ("an earlier folder becomes a link to the later", lambda t: None, lambda t: (os.rmdir(t.file("early")), os.symlink("late", t.file("early"))), PLACEMENTS),
)


def place_cases(where, parts):
    for what, before, change, placements in PLACES:
        for placement in placements:
            for way in WAYS:
                tree = Tree(parts, where, placement, way)
                before(tree)
                one_case(f"{what}, {placement}, {way}", tree, change, "later directory" not in what)


def mount_cases(where, parts):
    """In a mount namespace of our own."""
    def bind(tree, over, what):
        subprocess.run(["mount", "--bind", tree.file(*what), tree.file(*over)], check=True)
        tree.mounted = tree.file(*over)
    mounts = (("a file is mounted over a library", ("lib", "liba.so"), ("late", "liba.so")), ("a folder is mounted over that of the libraries", ("lib",), ("late",)),
              ("a folder is mounted over an empty one earlier", ("early",), ("late",)))
    for what, over, from_ in mounts:
        for placement in PLACEMENTS:
            for way in WAYS:
                tree = Tree(parts, where, placement, way)
                one_case(f"{what}, {placement}, {way}", tree, lambda t: bind(t, over, from_), True, keep=True)
                one_case(f"{what}, and taken away, {placement}, {way}", tree, lambda t: subprocess.run(["umount", t.mounted], check=True), True)


# ---- who asks: rights, and the processor ---------------------------------------------------------------------------------------

NOBODY = 65534


def rights_cases(where, parts):
    """Another user than root, to whom the kernel says no."""
    if os.geteuid() != 0:
        skip("libraries that become unreadable", "needs root, to be another user")
        return
    for what, change in (("a library becomes unreadable", lambda t: os.chmod(t.file("lib", "liba.so"), 0)),
                         ("a library's folder becomes closed", lambda t: os.chmod(t.file("lib"), 0)),
                         ("an earlier folder with the library opens", lambda t: os.chmod(t.file("early"), 0o755))):
        for placement in PLACEMENTS:
            for way in WAYS:
                tree = Tree(parts, where, placement, way)
                os.chmod(tree.dir, 0o755)
                os.mkdir(tree.cache, 0o700)
                os.chown(tree.cache, NOBODY, NOBODY)
                tree.become = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
                closed = "opens" in what
                if closed:
                    tree.put("early", "a", "two")
                    os.chmod(tree.file("early"), 0)
                one_case(f"{what}, {placement}, {way}", tree, change, True, recorded=not closed)


# Executes a program with words of its auxiliary vector changed before its first instruction: as on another processor.
AUXV = r"""
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {                /* TYPE XOR PROGRAM... */
    pid_t child = fork();
    if (!child) { ptrace(PTRACE_TRACEME, 0, 0, 0); execv(argv[3], argv + 3); _exit(126); }
    int status;
    struct user_regs_struct regs;
    waitpid(child, &status, 0);
    ptrace(PTRACE_GETREGS, child, 0, &regs);
    unsigned long at = regs.rsp, type = strtoul(argv[1], 0, 0), mask = strtoul(argv[2], 0, 0);
    at += 8 * (ptrace(PTRACE_PEEKDATA, child, at, 0) + 2);
    while (ptrace(PTRACE_PEEKDATA, child, at, 0)) at += 8;
    int found = 0;
    for (at += 8; ptrace(PTRACE_PEEKDATA, child, at, 0); at += 16)
        if ((unsigned long)ptrace(PTRACE_PEEKDATA, child, at, 0) == type) {
            if (mask) ptrace(PTRACE_POKEDATA, child, at + 8, ptrace(PTRACE_PEEKDATA, child, at + 8, 0) ^ mask);
            else ptrace(PTRACE_POKEDATA, child, at, AT_IGNORE);
            found = 1;
        }
    ptrace(PTRACE_DETACH, child, 0, 0);
    waitpid(child, &status, 0);
    return !found ? 125 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
"""
ASKS = r"""
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>
int main(void) { printf("%lx %lx %lx %ld vdso %d\n", getauxval(AT_HWCAP), getauxval(AT_HWCAP2), getauxval(51), sysconf(_SC_CLK_TCK), getauxval(AT_SYSINFO_EHDR) != 0); return 0; }
"""
WORDS = (("AT_HWCAP", 16, 1 << 25), ("AT_HWCAP2", 26, 1 << 1), ("AT_MINSIGSTKSZ", 51, 1 << 12), ("AT_CLKTCK", 17, 1 << 3), ("AT_SYSINFO_EHDR", 33, 0))


def processor_cases(where, parts):
    launcher = parts.compile("auxv", AUXV)
    for way in WAYS:
        for name, number, mask in WORDS:
            tree = Tree(parts, where, "rpath", way)
            for file, interpreter in (("prog", tree.loader), ("prog.system", SYSTEM)):
                shutil.copy2(parts.compile("asks." + file, ASKS, "-Wl,--dynamic-linker=" + interpreter), tree.file(file))

            def other(tree, number=number, mask=mask):
                tree.before = [launcher, str(number), str(mask)]
            # glibc tells programs of its own idea instead of AT_HWCAP
            one_case(f"another processor: {name}, {way}", tree, other, None if name == "AT_HWCAP" else True, refused=name)


KEPT = r"""
#include <stdio.h>
#include <sys/platform/x86.h>
int main(void) { printf("%u\n", __x86_get_cpuid_feature_leaf(CPUID_INDEX_1)->cpuid_array[1] >> 24); return 0; }
"""


def processor_number(where, parts):
    """What the genuine linker keeps of cpuid holds the number of the processor that was asked: it must not be in an image (under a
    hypervisor that lets cpuid through it changes from moment to moment, and LDR_CACHE=verify would find another)."""
    program, cache = parts.compile("kept", KEPT), os.path.join(where, "kept.cache")
    start = lambda state: run([parts.loader, program], {"LDR_CACHE": state, "LDR_CACHE_DIR": cache})
    time.sleep(YOUNG)
    equal("the number of the processor that made an image is not in it", [start(state) for state in ("now", "require", "verify")], [Answer((0, "0\n", ""))] * 3)


def odd_processes(where, parts):
    """Records made by an ordinary process are used, or not, by processes with other layouts and limits, and the other way round."""
    shell = lambda words: ["/bin/bash", "-c", words + '; exec "$@"', "x"]
    kinds = {"no randomisation": ["/usr/bin/setarch", "-R"], "old layout": ["/usr/bin/setarch", "-L"], "unlimited stack": shell("ulimit -s unlimited"),
             "small stack": shell("ulimit -s 64"), "five descriptors": shell("ulimit -n 5"), "little address space": shell("ulimit -v 100000"),
             "the last processor": ["/usr/bin/taskset", "-c", str(max(os.sched_getaffinity(0)))], "no file may grow": shell("ulimit -f 0"), "small files": shell("ulimit -f 1")}
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
            if kind == "the last processor":
                answers += [odd("require"), odd("verify")]
            equal(f"{kind}, {way}", answers, [right] * len(answers))
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
    place_cases(where, parts)
    rights_cases(where, parts)
    processor_cases(where, parts)
    processor_number(where, parts)
    odd_processes(where, parts)
    if with_etc:
        etc_cases(where, parts)
        mount_cases(where, parts)
    else:
        skip("ld.so.cache, ld.so.preload, boot id and mounts", "needs root and mount namespaces")
finish()
