"""kit.py - what the tests of the start-up cache share: a small program with two libraries in many variants, starts under the system's
linker (the truth) and under ours, checks that print one line each.

Lines: "ok NAME", "not ok NAME" with what was found, "skip NAME: why". run.sh counts them. LDSO and LDR name what is tested."""
import contextlib, fcntl, os, shutil, struct, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
LDSO = os.path.realpath(os.environ["LDSO"])
LDR = os.path.realpath(os.environ["LDR"])
SYSTEM = "/lib64/ld-linux-x86-64.so.2"
WAYS = ("command", "kernel")
PATH_DIRS = ("early", "absent", "lib", "late")     # searched in this order; `absent` is not there at first
PLACEMENTS = ("rpath", "runpath", "variable")
SYSTEM_STORE = "/var/cache/ldr"                    # where a linker built without SYSTEM_CACHE=... looks
SECURE_STORE = SYSTEM_STORE + "-secure"
YOUNG = 0.03                                       # seconds; what changed later than 20 ms ago is not recorded

failed = 0
last_answer = ""


def check(name, good, told=""):
    global failed
    print(("ok " if good else "not ok ") + name, flush=True)
    if not good:
        failed += 1
        for line in str(told).splitlines()[:12]:
            print("    " + line[:300])
    return good


def equal(name, found, expected):
    return check(name, found == expected, f"found:    {found!r}\nexpected: {expected!r}")


def skip(name, why):
    print(f"skip {name}: {why}", flush=True)


def finish():
    sys.exit(1 if failed else 0)


def in_namespace():
    """The rest of this script in a mount namespace of its own, with an /etc that may be written to and the system's stores gone. False: not
    possible here."""
    if os.environ.get("CACHE_NAMESPACE") == "yes":
        etc = tempfile.mkdtemp(prefix="ldr-etc.")
        for command in (["mount", "--make-rprivate", "/"], ["mount", "-t", "tmpfs", "-o", "mode=755", "none", etc], ["cp", "-a", "/etc/.", etc],
                        ["mount", "--bind", etc, "/etc"], ["umount", etc]):
            subprocess.run(command, check=True)
        os.rmdir(etc)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", os.path.dirname(SYSTEM_STORE)], check=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/etc/ld.so.preload")
        return True
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        return False
    os.execvpe("unshare", ["unshare", "-m", sys.executable, *sys.argv], {**os.environ, "CACHE_NAMESPACE": "yes"})


class Answer(tuple):
    """(status, stdout, first line of stderr without names of linkers)"""


def run(command, env=None, cwd=None, timeout=30, **more):
    clean = {"PATH": "/usr/bin:/bin", "LANG": "C", "HOME": "/nonexistent"}
    done = subprocess.run(command, env={**clean, **(env or {})}, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, **more)
    error = done.stderr.decode(errors="replace").splitlines()
    first = error[0].split(": ", 1)[-1] if error else ""
    return Answer((done.returncode, done.stdout.decode(errors="replace"), first))


LIBRARY = r"""
#include <stddef.h>
#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
static const char text[] = STRING(WHO);
const char *const JOIN(table_, NAME)[1300] = { [0 ... 1299] = text };        /* pages of RELRO that only relocation writes */
const char *JOIN(words_, NAME)[300] = { [0 ... 299] = text };      /* the same in data */
int JOIN(count_, NAME) = 1;
__thread int JOIN(tls_, NAME) = TLS;
const char *who_b(void);
const char *JOIN(who_, NAME)(void) { JOIN(count_, NAME)++; JOIN(tls_, NAME)++; return JOIN(table_, NAME)[JOIN(count_, NAME)]; }
#ifdef ASKS_B
const char *a_asks_b(void) { return who_b(); }
const char *(*ask_b)(void) = who_b;
#endif
"""
PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
const char *who_a(void), *who_b(void), *a_asks_b(void);
extern int count_a, count_b;
extern __thread int tls_a, tls_b;
extern const char *words_a[], *words_b[];
extern const char *(*ask_b)(void);
int main(int argc, char **argv) {
    who_a();
    printf("%s a=%s b=%s %s %s %s %s counts %d %d tls %d %d", PROGRAM, who_a(), who_b(), a_asks_b(), ask_b(), words_a[9], words_b[11], count_a, count_b,
           tls_a, tls_b);
    printf(" tcache %s\n", getenv("GLIBC_TUNABLES") ? getenv("GLIBC_TUNABLES") : "-");
    if (argc > 1) {
        puts("ready");
        fflush(stdout);
        getchar();
    }
    return 0;
}
"""


class Parts:
    """Everything compiled once: parts/a.one.so, parts/b.two.so, parts/prog.rpath.kernel ..."""

    def __init__(self, where):
        self.dir = os.path.join(where, "parts")
        os.mkdir(self.dir)
        # The interpreter's name is long enough to be anywhere; the file is a copy that a test may replace.
        self.loader = os.path.join(where, "ld-ldr.so")
        shutil.copy2(LDSO, self.loader)
        self.made = set()

    def path(self, name):
        return os.path.join(self.dir, name)

    def compile(self, name, source, *flags):
        if name not in self.made:
            subprocess.run(["gcc", "-O1", "-w", "-x", "c", "-", "-x", "none", "-o", self.path(name), *flags], input=source.encode(), check=True)
            self.made.add(name)
        return self.path(name)

    def library(self, letter, who, placement, longer=False, tls=5):
        name = f"{letter}.{who}.{placement}{'.longer' if longer else ''}{'.tls' if tls != 5 else ''}.so"
        flags = ["-shared", "-fPIC", f"-DNAME={letter}", f"-DWHO={who}", f"-DTLS={tls}", f"-Wl,-soname,lib{letter}.so", "-Wl,--build-id=none"]
        if letter == "a":
            flags += ["-DASKS_B"]
            if placement == "runpath":
                flags += ["-Wl,--enable-new-dtags", "-Wl,-rpath," + ":".join("$ORIGIN/../" + d for d in PATH_DIRS)]
            flags += ["-L", self.dir, "-Wl,--no-as-needed", self.library("b", "one", placement)]
        return self.compile(name, LIBRARY + ("int more[5000] = { 1 };" if longer else ""), *flags)

    def program(self, placement, way, word="P1", now=False):
        name = f"prog.{placement}.{way}.{word}{'.now' if now else ''}"
        flags = [f'-DPROGRAM="{word}"', self.library("a", "one", placement), self.library("b", "one", placement), "-Wl,--no-as-needed",
                 "-Wl,-z," + ("now" if now else "lazy"), "-Wl,--build-id=none"]
        if placement in ("rpath", "runpath"):
            flags += ["-Wl,--%s-new-dtags" % ("enable" if placement == "runpath" else "disable"), "-Wl,-rpath," + ":".join("$ORIGIN/" + d for d in PATH_DIRS)]
        if way == "kernel":
            flags += [f"-Wl,--dynamic-linker={self.loader}"]
        return self.compile(name, PROGRAM, *flags)


class Tree:
    """One program with its libraries in a folder of its own, and a cache of its own; `system`: the system's store, filled by root's commands."""

    def __init__(self, parts, where, placement, way, system=False):
        self.parts, self.placement, self.way = parts, placement, way
        self.dir = tempfile.mkdtemp(prefix="tree.", dir=where)
        self.is_system = system
        os.chmod(self.dir, 0o755 if system else 0o700)         # what nobody may read gets into no store of the system
        self.store_option = ["--system"] if system else []
        self.cache = SYSTEM_STORE if system else os.path.join(self.dir, "cache")
        self.env, self.options, self.cwd = {}, [], None
        self.prog = "prog"           # may become a link in another folder
        self.before = []             # words in front of every command
        self.become = {}             # of whom, for subprocess.run
        self.loader = parts.loader
        for d in PATH_DIRS:
            if d != "absent":
                os.mkdir(os.path.join(self.dir, d))
        self.put("lib", "a", "one")
        self.put("lib", "b", "one")
        self.put("late", "a", "two")
        self.put("late", "b", "two")
        shutil.copy2(parts.program(placement, way), self.file("prog"))
        shutil.copy2(parts.program(placement, "system"), self.file("prog.system"))
        if placement == "variable":
            self.env["LD_LIBRARY_PATH"] = ":".join(self.file(d) for d in PATH_DIRS)

    def file(self, *names):
        return os.path.join(self.dir, *names)

    def part(self, letter, who, **more):
        return self.parts.library(letter, who, self.placement, **more)

    def put(self, folder, letter, who, **more):
        os.makedirs(self.file(folder), exist_ok=True)
        shutil.copy2(self.part(letter, who, **more), self.file(folder, f"lib{letter}.so"))

    def system(self, *args):
        if self.way == "command":
            return run([*self.before, SYSTEM, *self.options, self.file(self.prog), *args], self.env, self.cwd, **self.become)
        # The same program with the system's interpreter, where the other one is.
        return run([*self.before, self.file(self.prog + ".system"), *args], self.env, self.cwd, **self.become)

    def command(self, *args):
        return [self.loader, *self.options, self.file(self.prog), *args] if self.way == "command" else [self.file(self.prog), *args]

    def cache_env(self, state):
        if self.is_system:
            return {**self.env, "LDR_CACHE": "system-" + state}
        return {**self.env, "LDR_CACHE": state, "LDR_CACHE_DIR": self.cache}

    def ours(self, state, *args, **more):
        if self.is_system and state == "now":        # root's command first, for a start makes nothing there
            run(self.command(*args), self.cache_env("warm"), self.cwd)
            state = "use"
        return run([*self.before, *self.command(*args)], self.cache_env(state), self.cwd, **{**self.become, **more})

    def make(self):
        """A record of the tree as it is; the answer of a start from it."""
        time.sleep(YOUNG)
        self.ours("now")
        return self.ours("require")

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


M = (1 << 64) - 1


def cache_sum(data):
    """format.h's cache_sum, written from its description in numbers."""
    a, b = 0x9e3779b97f4a7c15 ^ len(data), 0xbf58476d1ce4e5b9
    words = struct.unpack(f"<{len(data) // 8}Q", data[:len(data) // 8 * 8])
    for w in words:
        a = (a ^ w) * 0xff51afd7ed558ccd & M
        b = ((b << 23 | b >> 41) + (a ^ a >> 32)) & M
    rest = int.from_bytes(data[len(data) // 8 * 8:], "little")
    a = (a ^ rest) * 0xff51afd7ed558ccd & M
    return b ^ a ^ a >> 29


@contextlib.contextmanager
def workshop():
    where = tempfile.mkdtemp(prefix="ldr-cache-test.")
    os.chmod(where, 0o755)
    try:
        yield where, Parts(where)
    finally:
        shutil.rmtree(where, ignore_errors=True)


def await_quiet(cache, seconds=10):
    """Until no maker holds the lock of that directory."""
    end = time.time() + seconds
    while time.time() < end:
        try:
            lock = os.open(os.path.join(cache, "lock"), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError:
            return True               # no lock that a maker would take
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.01)
        finally:
            os.close(lock)
    return False


def unmount(where):
    """A maker beside a start that has ended may be at work there for some milliseconds."""
    end = time.time() + 10
    while subprocess.run(["umount", where], capture_output=True).returncode:
        if time.time() > end:
            raise TimeoutError(f"{where} stays busy")
        time.sleep(0.02)


def records(cache):
    return sorted(n for n in os.listdir(cache) if n.startswith("r-")) if os.path.isdir(cache) else []


def packs(cache):
    return sorted(n for n in os.listdir(cache) if n.startswith("p-")) if os.path.isdir(cache) else []
