"""programs.py - real programs give the same output under the system's linker and with the cache off, made, used, required and verified."""
import os, shutil
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


with workshop() as (where, parts):
    cache = os.path.join(where, "cache")
    done = sum(bool(compare(words, cache)) for words in PROGRAMS)
    check(f"twenty programs at least ({done})", done >= 20)
finish()
