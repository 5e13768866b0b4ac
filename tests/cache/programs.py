"""programs.py - real programs give the same output under the system's linker and with the cache off, made, used, required and verified."""
import os, shutil, subprocess, time
from kit import *

PROGRAMS = [  # each prints something that its libraries made, and nothing that changes from run to run
    ["ls", "-l", "/etc/passwd"], ["cat", "/etc/passwd"], ["bash", "-c", "echo $((6*7)); printf '%s\\n' a b | sort -r; type cd"],
    ["perl", "-e", "use POSIX; use List::Util 'sum'; print sum(1..10), floor(2.7), sprintf('%.3f', sqrt 2), qq(\\n)"],
    ["/usr/bin/python3", "-c", "import ssl, sqlite3, ctypes, json; print(ssl.OPENSSL_VERSION, sqlite3.sqlite_version, json.dumps({'a': [1, 2.5]}))"],
    ["git", "--version"], ["openssl", "version"], ["openssl", "dgst", "-sha256", "/etc/passwd"], ["sqlite3", ":memory:", "select 6*7, sqlite_version()"],
    ["gcc", "--version"], ["ld", "--version"], ["as", "--version"], ["clang", "--version"], ["gdb", "--version"], ["cmake", "--version"],
    ["node", "-e", "console.log(6*7, process.version)"], ["curl", "--version"], ["tar", "--version"], ["xz", "--version"], ["sort", "/etc/passwd"],
    ["awk", "BEGIN { print 6*7, sin(1) }"], ["find", "/etc/passwd", "-printf", "%f %s\\n"], ["grep", "-c", "root", "/etc/passwd"], ["sed", "-n", "1p", "/etc/passwd"],
    ["make", "--version"], ["valgrind", "--version"], ["strace", "--version"], ["redis-server", "--version"], ["nginx", "-v"], ["psql", "--version"],
    ["readelf", "-h", "/usr/bin/ls"], ["/usr/lib/jvm/java-17-openjdk-amd64/bin/java", "-version"], ["locale", "-a"], ["id"], ["date", "-d", "@0", "-u"],
]
STATES = ("off", "now", "use", "require", "verify")


def compare(words, cache):
    path = shutil.which(words[0], path="/usr/bin:/bin:/usr/sbin:/usr/lib/postgresql/15/bin")
    if not path:
        skip(words[0], "not installed")
        return False
    with open(path, "rb") as f:
        if f.read(4) != b"\x7fELF":
            skip(words[0], "a script here")
            return False
    command = ["--argv0", words[0], path, *words[1:]]
    truth = run([SYSTEM, *command], timeout=60)
    answers = {s: run([LDSO, "--proc-exe", *command], {"LDR_CACHE": s, "LDR_CACHE_DIR": cache}, timeout=60) for s in STATES}
    wrong = {s: a for s, a in answers.items() if a != truth}
    name = " ".join(words)[:60]
    return check(f"{name}: the same under {', '.join(STATES)}", not wrong and truth[0] == 0, f"expected {truth}\n" + "\n".join(f"{s}: {a}" for s, a in wrong.items()))


def many_packs(where, count=70):
    """Libraries whose images lie in more packs than one record may name: each was first loaded by a start of its own."""
    cache, names = os.path.join(where, "many"), []
    for i in range(count):
        source = f'const char *t{i}[50] = {{ [0 ... 49] = "x{i}" }}; int f{i}(void) {{ return t{i}[3][0]; }}'
        names.append(os.path.join(where, f"libn{i}.so"))
        subprocess.run(["gcc", "-w", "-shared", "-fPIC", "-x", "c", "-", "-o", names[-1]], input=source.encode(), check=True)
    calls = "".join(f"int f{i}(void);" for i in range(count)) + "int main(void) { printf(\"%d\\n\"," + "+".join(f"f{i}()" for i in range(count)) + "); }"
    program = os.path.join(where, "many_libraries")
    subprocess.run(["gcc", "-w", "-x", "c", "-", "-o", program, "-x", "none", *names], input=("#include <stdio.h>\n" + calls).encode(), check=True)
    time.sleep(YOUNG)
    for name in names:
        run([LDSO, "/bin/true"], {"LDR_CACHE": "now", "LDR_CACHE_DIR": cache, "LD_PRELOAD": name})
    check("more packs than a record may name", len(packs(cache)) >= count, len(packs(cache)))
    truth = run([SYSTEM, program])
    answers = [run([LDSO, program], {"LDR_CACHE": s, "LDR_CACHE_DIR": cache}) for s in ("now", "require", "verify")]
    equal(f"{count} libraries from {count} packs: made, required, verified", answers, [truth] * 3)


COPIES = r"""
#include <stdio.h>
char big[3 << 20];
int main(void) { fputs("through a copied pointer\n", stdout); big[sizeof big - 1] = 1; return ferror(stderr); }
"""


def copies_behind_zero_pages(where):
    """gold and lld put the copies of a library's variables behind the program's .bss, here behind 3 MiB of it."""
    for linker in ("bfd", "gold", "lld"):
        for kind in ("no-pie", "pie"):
            program = os.path.join(where, f"copies.{linker}.{kind}")
            made = subprocess.run(["gcc", "-O1", f"-f{'no-pic' if kind == 'no-pie' else 'pie'}", f"-{kind}", f"-fuse-ld={linker}", "-x", "c", "-", "-o", program],
                                  input=COPIES.encode(), capture_output=True)
            if made.returncode:
                skip(f"copies, {linker}, {kind}", "the link editor is not there")
                continue
            time.sleep(YOUNG)
            answers = [run([LDSO, program], {"LDR_CACHE": s, "LDR_CACHE_DIR": os.path.join(where, "copies")}) for s in ("now", "require", "use", "verify")]
            equal(f"copies behind 3 MiB of zero pages, {linker}, {kind}", answers, [run([SYSTEM, program])] * 4)


def typed_as_relative(where):
    """./program has a record too."""
    cache, folder = os.path.join(where, "relative"), os.path.join(where, "here")
    os.mkdir(folder)
    shutil.copy2("/bin/echo", os.path.join(folder, "myecho"))
    time.sleep(YOUNG)
    env = {"LDR_CACHE": "use", "LDR_CACHE_DIR": cache}
    os.mkdir(cache, 0o700)
    for _ in range(2):
        run([LDSO, "./myecho", "x"], env, cwd=folder)
        await_quiet(cache)
    equal("./myecho is recorded by a start", run([LDSO, "./myecho", "x"], {**env, "LDR_CACHE": "require"}, cwd=folder), Answer((0, "x\n", "")))


with workshop() as (where, parts):
    cache = os.path.join(where, "cache")
    done = sum(bool(compare(words, cache)) for words in PROGRAMS)
    many_packs(where)
    copies_behind_zero_pages(where)
    typed_as_relative(where)
    check(f"twenty programs at least ({done})", done >= 20)
finish()
