#!/bin/sh
# python_command.sh - python3 in command form: a slice of its test suite in one process, every compiled module imported
# together, and sqlite3, whose tests Debian does not ship, through its module in threads.
. "$(dirname "$0")/lib.sh"
forms="command namespace"
limit=180

work() {
    need python3
    python3 -c 'import test.libregrtest' 2>/dev/null || { echo "no package libpython3.11-testsuite"; exit 77; }
    cat >modules.py <<'END'
import importlib, os, sys, sysconfig
loaded = []
folder = sysconfig.get_path("platstdlib") + "/lib-dynload"
for file in sorted(os.listdir(folder)):
    name = file.split(".")[0]
    # _tkinter may lack its libraries, the _test modules are not of this package
    try: importlib.import_module(name); loaded.append(name)
    except ImportError as error: print(name, str(error).split(":")[0])
print(len(loaded), "modules", *loaded)
print(len({line.split()[-1] for line in open("/proc/self/maps") if folder in line}), sys.argv, os.path.basename(sys.executable))
END
    run python3 modules.py one two
    cat >database.py <<'END'
import ctypes, ctypes.util, os, sqlite3, tempfile, threading
path = tempfile.mktemp()
with sqlite3.connect(path) as db:
    db.execute("create table t (k integer primary key, v text)")
    db.create_function("twice", 1, lambda x: x * 2)
    class Longest:
        def __init__(self): self.best = ""
        def step(self, value): self.best = max(self.best, value, key=len)
        def finalize(self): return self.best
    db.create_aggregate("longest", 1, Longest)
    db.create_collation("backwards", lambda a, b: (a < b) - (a > b))
    db.executemany("insert into t (v) values (?)", (("x" * (n % 17),) for n in range(2000)))
    print(db.execute("select sum(twice(k)), longest(v) from t").fetchone(), db.execute("select v from t order by v collate backwards limit 1").fetchone())
    try: db.execute("select raise_from()")
    except sqlite3.OperationalError as error: print(error)
def writer(n):
    with sqlite3.connect(path, timeout=30) as mine:
        for i in range(20): mine.execute("insert into t (v) values (?)", ("w%d" % n,)); mine.commit()
threads = [threading.Thread(target=writer, args=(n,)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
with sqlite3.connect(path) as db:
    print(db.execute("select v, count(*) from t where v like 'w%' group by v").fetchall(), len("\n".join(db.iterdump())))
    copy = sqlite3.connect(":memory:"); db.backup(copy); print(copy.execute("pragma integrity_check").fetchone())
libm = ctypes.CDLL(ctypes.util.find_library("m")); libm.cos.restype = ctypes.c_double; libm.cos.argtypes = [ctypes.c_double]
print(libm.cos(0.5), ctypes.util.find_library("c"), ctypes.CDLL(None).getpid() == os.getpid())
array = (ctypes.c_int * 5)(3, 1, 2, 5, 4); compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
ctypes.CDLL("libc.so.6").qsort(array, 5, 4, compare(lambda a, b: a[0] - b[0])); print(list(array))
try: ctypes.CDLL("libnothing.so.1")
except OSError as error: print(str(error)[:50])
END
    run python3 database.py
    run timeout 160 python3 -m test -v test_ctypes test_zlib test_struct test_hashlib test_thread test_pyexpat test_json \
        test_decimal test_threading_local test_fork1 test_mmap -i '*imeout*' -i '*test_bug_1727780*' >suite.log 2>&1
    echo "suite: $?"
    grep -E ' \.\.\. (ok|FAIL|ERROR|skipped)' suite.log | sort
    run python3 -X faulthandler -c 'import ctypes; ctypes.string_at(0)' 2>&1 | head -n 4
    run python3 -c 'import threading, sys; t = [threading.Thread(target=lambda: sys.exit("no")) for _ in range(3)]; [x.start() for x in t]; [x.join() for x in t]; raise SystemExit(6)'
    echo "status $?"
}
tidy() { sed 's/0x[0-9a-f]*/0xN/g; s/process [0-9]* exited/process N exited/'; }
compare
