"""What the system's linker says of a file, for the oracles here. Nothing of ours is used to get it."""
import os
import re
import subprocess

LINKER = os.path.realpath("/lib64/ld-linux-x86-64.so.2")


def environment(extra=()):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("LD_")}
    clean["LC_ALL"] = "C"
    clean.update(extra)
    return clean


def is_elf64(path):
    try:
        with open(path, "rb") as f:
            head = f.read(20)
    except OSError:
        return False
    return len(head) == 20 and head[:4] == b"\x7fELF" and head[4] == 2 and head[18:20] == b"\x3e\x00"


def elf_files(*folders):
    seen = set()
    for folder in folders:
        for root, dirs, names in os.walk(folder):
            dirs.sort()
            for name in sorted(names):
                path = os.path.join(root, name)
                if os.path.islink(path) or not os.path.isfile(path) or not is_elf64(path):
                    continue
                st = os.stat(path)
                if (st.st_dev, st.st_ino) not in seen:
                    seen.add((st.st_dev, st.st_ino))
                    yield path


def has_interpreter(path):
    with open(path, "rb") as f:
        data = f.read(4096)
    phoff, phnum = int.from_bytes(data[32:40], "little"), int.from_bytes(data[56:58], "little")
    for i in range(phnum):
        header = data[phoff + 56 * i:phoff + 56 * (i + 1)]
        if int.from_bytes(header[:4], "little") == 3:
            at, length = int.from_bytes(header[8:16], "little"), int.from_bytes(header[32:40], "little")
            # started directly it must be the system's linker that answers, for any other would run the program
            return data[at:at + length] == b"/lib64/ld-linux-x86-64.so.2\0"
    return False


def loaded(path, extra=(), cwd=None):
    """[(name, path or None)] in load order, the linker as LINKER and without the vDSO; None: the linker refused the file."""
    direct = has_interpreter(path) and not os.stat(path).st_mode & 0o6000
    command = [path] if direct else ["/lib64/ld-linux-x86-64.so.2", path]
    done = subprocess.run(command, env=environment(dict(extra, LD_TRACE_LOADED_OBJECTS="1")), capture_output=True, timeout=60, cwd=cwd,
                          stdin=subprocess.DEVNULL, check=False)
    out = done.stdout.decode("utf-8", "surrogateescape")
    objects = []
    for line in out.splitlines():
        line = line.strip()
        found = re.match(r"(.*) => not found$", line)
        if found:
            objects.append((found.group(1), None))
            continue
        found = re.match(r"(?:(.*) => )?(.*) \(0x[0-9a-f]+\)$", line)
        if not found:
            continue
        name, where = found.group(1) or found.group(2), found.group(2)
        if name.startswith("linux-vdso"):
            continue
        if os.path.basename(where).startswith("ld-linux"):
            where = LINKER
        objects.append((name, where))
    if not objects and "statically linked" not in out:
        return None
    return objects
