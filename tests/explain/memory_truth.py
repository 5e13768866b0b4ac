"""memory_truth.py LDR LD-LDR - the values that `ldr relocs` foretells against the memory of running processes: programs that wait for their
input, started under the system's linker and under ours with LD_BIND_NOW; every word of sections that nobody writes after relocation."""
import json
import os
import subprocess
import sys
import tempfile
import time

import truth

ldr, ours = map(os.path.abspath, sys.argv[1:3])
PROGRAMS = {"cat": [], "bash": [], "perl": [], "sqlite3": [], "python3.11": ["-"], "gdb": ["-nx", "-q"], "bc": [], "node": ["-"], "sed": ["p"]}
SEALED = {".got", ".got.plt", ".data.rel.ro", ".init_array", ".fini_array"}
PLAIN = {"R_X86_64_RELATIVE", "R_X86_64_64", "R_X86_64_GLOB_DAT", "R_X86_64_JUMP_SLOT"}
passed = failed = skipped = words = 0
numbers = set()


def bases(pid):
    """{real path: address of its file offset 0}"""
    result = {}
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        for line in f:
            part = line.split(None, 5)
            if len(part) == 6 and part[5].startswith("/") and part[5].strip() not in result and int(part[2], 16) == 0:
                result[part[5].strip()] = int(part[0].split("-")[0], 16)
    return result


def first_vaddr(path):
    """link-time address of file offset 0"""
    with open(path, "rb") as f:
        data = f.read(8192)
    for i in range(int.from_bytes(data[56:58], "little")):
        p = data[64 + 56 * i:64 + 56 * (i + 1)]
        if int.from_bytes(p[:4], "little") == 1 and int.from_bytes(p[8:16], "little") == 0:
            return int.from_bytes(p[16:24], "little")
    return 0


def compare(path, pid, own_linker):
    """(words compared, descriptions of differences); what binds to the linker binds to ours where that is it"""
    out = subprocess.run([ldr, "relocs", "--list", "--json", path], env=truth.environment(), capture_output=True, check=False).stdout
    report, where, count, bad = json.loads(out), bases(pid), 0, []
    bias = {node["path"]: where[os.path.realpath(node["path"])] - first_vaddr(node["path"]) for node in report["objects"]}
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for node in report["objects"]:
            if os.path.realpath(node["path"]) == truth.LINKER:
                continue
            for record in node["records"]:
                number = "stored" in record
                if not number and record["type"] not in PLAIN or record.get("section") not in SEALED or record.get("result") == "undefined":
                    continue
                if own_linker and os.path.realpath(record.get("target", "")) == truth.LINKER:
                    continue
                memory.seek(bias[node["path"]] + record["place"] + 8 * (record["type"] == "R_X86_64_TLSDESC"))
                have = int.from_bytes(memory.read(8), "little")
                if number:
                    numbers.add(record["type"])
                want = record["stored"] % (1 << 64) if number else bias[record["target"]] + record["target_vaddr"] if "target" in record else record["addend"] % (1 << 64)
                if have != want and not number and record.get("target") and is_chosen_at_run_time(record):
                    continue
                count += 1
                if have != want and len(bad) < 5:
                    bad.append(f"{node['path']} {record['place']:#x} {record.get('symbol')}: {have:#x}, foretold {want:#x}")
    return count, bad


ifuncs = {}


def is_chosen_at_run_time(record):
    """the target is an indirect function, by readelf"""
    path = record["target"]
    if path not in ifuncs:
        lines = subprocess.run(["readelf", "--dyn-syms", "-W", path], capture_output=True, check=True).stdout.decode(errors="replace").splitlines()
        ifuncs[path] = {int(line.split()[1], 16) for line in lines if " IFUNC " in line}
    return record["target_vaddr"] in ifuncs[path]


def waits(pid):
    """until it is in read(2), or 10 seconds"""
    for _ in range(200):
        with open(f"/proc/{pid}/wchan", encoding="utf-8") as f:
            where = f.read()
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            state = f.read().rsplit(")", 1)[1].split()[0]
        if state == "S" and where:
            time.sleep(0.1)
            return
        time.sleep(0.05)


# Modules of every size and alignment, all four kinds of numbers, an undefined weak variable.
LIBRARY = """
__thread int first[3]; __thread _Alignas(256) char wide[300] = "x"; static __thread long own = 7;
extern __thread int nowhere __attribute__((weak)); extern __thread int initial __attribute__((tls_model("initial-exec")));
void *addresses[5];
void LIBRARY(void) { addresses[0] = &first; addresses[1] = wide; addresses[2] = &own; addresses[3] = &nowhere; addresses[4] = &initial; }
"""
MAIN = """
#include <unistd.h>
__thread _Alignas(64) char c = 1; __thread int initial = 2;
extern __thread int first[3];
void gnu(void), gnu2(void);
int main(int argc, char **argv) { char byte; gnu(); gnu2(); return read(0, &byte, 1) + c + first[1]; }
"""


def build(folder):
    """a program with two libraries, of both TLS dialects"""
    for name, text in ("library.c", LIBRARY), ("main.c", MAIN):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    for dialect in "gnu", "gnu2":
        subprocess.run(["gcc", "-shared", "-fPIC", f"-mtls-dialect={dialect}", f"-DLIBRARY={dialect}", "-o", f"lib{dialect}.so", "library.c"], cwd=folder, check=True)
    subprocess.run(["gcc", "-o", "main", "main.c", "./libgnu.so", "./libgnu2.so"], cwd=folder, check=True)
    return os.path.join(folder, "main")


def judge(name, path, command):
    """one program, started that way"""
    global passed, failed, words
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=os.path.dirname(path),
                          env=truth.environment({"LD_BIND_NOW": "1", "LDR_CACHE": "off"})) as process:
        waits(process.pid)
        try:
            count, bad = compare(os.path.realpath(path), process.pid, command[0] == ours)
        except (OSError, KeyError) as error:
            count, bad = 0, [f"{type(error).__name__} {error}"]
        process.kill()
    words += count
    passed, failed = passed + (not bad and count > 0), failed + bool(bad or not count)
    for text in bad or [] if count else ["nothing compared", *bad]:
        print(f"not ok {name}: {text}")


for name, arguments in PROGRAMS.items():
    path = os.path.join("/usr/bin", name)
    if not os.path.exists(path):
        print(f"skip {name}: not installed")
        skipped += 1
        continue
    judge(name, path, [path, *arguments])
    judge(f"{name} under ld-ldr.so", path, [ours, path, *arguments])
with tempfile.TemporaryDirectory() as folder:
    path = build(folder)
    os.chdir(folder)
    judge("thread storage", path, [ours, path])
if len(numbers) != 4:
    print(f"not ok only these numbers of thread storage were met: {numbers}")
    failed += 1
print(f"{words} words as foretold")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed != 0 or not passed)
