"""opened.py - what dlopen brings: relocated pages from images that earlier processes left. A program that opens, closes, calls and looks up
by a script, in many orders; each answer compared with the system's linker, in first starts, warm ones and under LDR_CACHE=verify.
Whether an image was used is read from the mappings of the waiting process."""
import json, os, re, shutil, struct, subprocess, tempfile, time
from kit import *

OPENER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int program_count = 100;
const char *program_says(void) { return "program"; }
static void *open_[26];
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        char *word = argv[i], *what = word + 2;
        int at = word[1] - 'a';
        if (word[0] == 'o' || word[0] == 'n' || word[0] == 'g' || word[0] == 'd' || word[0] == 'G') {
            int mode = word[0] == 'o' ? RTLD_LAZY : word[0] == 'n' ? RTLD_NOW : word[0] == 'g' ? RTLD_LAZY | RTLD_GLOBAL
                       : word[0] == 'G' ? RTLD_NOW | RTLD_GLOBAL : RTLD_LAZY | RTLD_DEEPBIND;
            open_[at] = dlopen(what, mode);
            const char *error = open_[at] ? NULL : dlerror();
            printf("open %s %s\n", strrchr(what, '/') + 1, open_[at] ? "yes" : error ? strstr(error, "undefined") ? strstr(error, "undefined") : "no" : "?");
        } else if (word[0] == 'c') {
            printf("close %d\n", dlclose(open_[at]));
        } else if (word[0] == 'f') {
            const char *(*f)(void) = dlsym(open_[at], what);
            printf("%s %s\n", what, f ? f() : "absent");
        } else if (word[0] == 'w') {
            puts("ready");
            fflush(stdout);
            getchar();
        }
        fflush(stdout);
    }
    return 0;
}
"""
PLUGIN = r"""
#include <stdio.h>
extern int program_count __attribute__((weak));
const char *program_says(void) __attribute__((weak)), *helper_says(void), *either_says(void) __attribute__((weak)), *nobody_says(void);
static const char text[] = WHO;
const char *const table[1200] = { [0 ... 1199] = text };
const char *words[300] = { [0 ... 299] = text };
int *counter = &program_count;
char *far_away = (char *)&program_count + (64 << 20);        /* an address outside the program that is one of the program's all the same */
const char *(*const says[3])(void) = { program_says, helper_says, program_says };
static char line[400];
#ifdef TLS
__thread int mine = 7;
#else
static int mine = 7;
#endif
__attribute__((constructor)) static void begin(void) { printf("begin %s %d\n", WHO, ++*counter); fflush(stdout); }
__attribute__((destructor)) static void end(void) { printf("end %s %d\n", WHO, ++*counter); fflush(stdout); }
const char *tell(void) {
    snprintf(line, sizeof line, "%s %s %s %s %s own %d program %d far %d", table[1100], words[200], says[0](), says[1](), says[2] == program_says ? "same" : "other",
             ++mine, *counter, (int)(far_away - (char *)counter));
    words[7] = "written";
    return line;
}
const char *either(void) { return either_says ? either_says() : "undefined"; }
const char *nobody(void) { return nobody_says(); }
"""
HELPER = r"""
const char *helper_says(void) { return HELPS; }
const char *const helper_table[1200] = { [0 ... 1199] = HELPS };
"""
NOBODY = r"""
#include <stdio.h>
const char *nobody_says(void) { return NOBODY; }
__attribute__((destructor)) static void end(void) { puts("end " NOBODY); fflush(stdout); }
"""
EITHER = r"""
const char *either_says(void) { return EITHER; }
const char *const either_table[700] = { [0 ... 699] = EITHER };
"""
UNIQUE = r"""
template <class T> struct shared { static int count; };
template <class T> int shared<T>::count = 0;
static char line[64];
extern "C" int snprintf(char *, unsigned long, const char *, ...);
extern "C" const char *unique(void) { snprintf(line, sizeof line, "unique %d", ++shared<int>::count); return line; }
const char *const table[900] = { "x", "y" };
"""


class Shop:
    def __init__(self, where, parts):
        self.where, self.parts = where, parts
        self.dir = os.path.join(where, "opened")
        os.mkdir(self.dir)
        self.cache = os.path.join(where, "opened.cache")
        self.build("helper", HELPER, '-DHELPS="helper one"')
        self.build("either", EITHER, '-DEITHER="from either"')
        self.build("sooner", EITHER, '-DEITHER="from sooner"')
        for name, flags in (("plain", ()), ("other", ()), ("tls", ("-DTLS",)), ("now", ("-Wl,-z,now", "-Wl,--unresolved-symbols=ignore-all"))):
            self.build(name, PLUGIN, f'-DWHO="{name}"', *flags)
        self.build("user", PLUGIN, '-DWHO="user"', needs=("helper", "either"))
        self.build("first", NOBODY, '-DNOBODY="first"')
        self.build("second", NOBODY, '-DNOBODY="second"')
        self.build("unique", UNIQUE, language="c++")
        for way in WAYS:
            for kind in ("pie", "no-pie"):
                flags = ["-rdynamic", f"-{kind}", *(["-fPIE"] if kind == "pie" else ["-fno-pie"])]
                for linker, name in ((parts.loader, way), (SYSTEM, "system")):
                    self.compile(f"opener.{kind}.{name}", OPENER, *flags, *([f"-Wl,--dynamic-linker={linker}"] if way == "kernel" else []))

    def compile(self, name, source, *flags, language="c"):
        path = os.path.join(self.dir, name)
        subprocess.run(["gcc", "-O1", "-w", "-x", language, "-", "-x", "none", "-o", path + ".new", *flags], input=source.encode(), check=True)
        os.rename(path + ".new", path)
        return path

    def path(self, name):
        return os.path.join(self.dir, f"lib{name}.so")

    def build(self, name, source, *flags, needs=("helper",), language="c"):
        more = [] if source in (HELPER, EITHER, NOBODY, UNIQUE) else ["-L", self.dir, "-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed", *(f"-l{n}" for n in needs)]
        self.compile(f"lib{name}.so", source, "-shared", "-fPIC", "-Wl,-z,lazy", *flags, *more, language=language)
        return self.path(name)

    def script(self, text):
        return [re.sub(r"@(\w+)", lambda m: self.path(m.group(1)), word) for word in text.split()]

    def command(self, way, kind, text):
        program = os.path.join(self.dir, f"opener.{kind}.{way}")
        return [*([self.parts.loader] if way == "command" else []), program, *self.script(text)]

    def system(self, kind, text):
        return run([SYSTEM, os.path.join(self.dir, f"opener.{kind}.system"), *self.script(text)])

    def ours(self, way, kind, text, state="use"):
        answer = run(self.command(way, kind, text), {"LDR_CACHE": state, "LDR_CACHE_DIR": self.cache})
        await_quiet(self.cache)
        return answer

    def from_images(self, way, kind, text):
        """Names of libraries with mappings of an image file among theirs, while the program waits."""
        env = {"PATH": "/usr/bin:/bin", "LANG": "C", "LDR_CACHE": "use", "LDR_CACHE_DIR": self.cache}
        with subprocess.Popen(self.command(way, kind, text + " w"), env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
            while p.stdout.readline() not in ("ready\n", ""):
                pass
            found, last = set(), None
            for line in open(f"/proc/{p.pid}/maps"):
                name = os.path.basename(line.split(None, 5)[5].strip()) if len(line.split(None, 5)) == 6 else ""
                if name.startswith("lib"):
                    last = name[3:].split(".")[0]
                elif name.startswith("l-"):
                    found.add(last)
            p.communicate("\n", timeout=30)
        return found

    def clear(self):
        shutil.rmtree(self.cache, ignore_errors=True)
        os.mkdir(self.cache, 0o700)
        time.sleep(YOUNG)


def images(cache):
    return sorted(n for n in os.listdir(cache) if n.startswith("l-"))


SCRIPTS = {
    "one": "oa@plain fatell fatell",
    "closed and opened again": "oa@plain fatell ca oa@plain fatell ob@other fbtell ca cb",
    "two, then the other way round": "ob@other oa@plain fatell fbtell",
    "both ways": "oa@plain ob@other fatell fbtell",
    "at once": "na@tls fatell",
    "undefined, bound at once": "na@plain fatell",
    "undefined, linked with -z now": "oa@now fatell",
    "undefined, called": "oa@plain fanobody",
    "weak, defined by what is global later": "oa@plain faeither gb@either faeither fatell",
    "weak, defined by what was global before": "gb@either oa@plain faeither fatell",
    "first call after another became global": "oa@user gb@sooner faeither",
    "first call before another becomes global": "oa@user faeither gb@sooner faeither",
    "another was global before": "gb@sooner oa@user faeither",
    "bound at once, then another global": "oa@user ca gb@sooner oa@user faeither",
    "by itself first": "da@user gb@sooner faeither",
    "what it uses is closed first": "gb@either oa@plain faeither cb faeither fatell ca",
    "thread storage": "oa@tls fatell ob@plain fbtell",
    "unique symbols": "oa@unique faunique ob@unique fbunique",
    "what a first call would find is closed before it": "gb@first oa@plain cb gc@second fanobody",
    "and nothing is there instead": "gb@first oa@plain cb faeither",
    "a file that is refused": "oa/bin/ls ob@plain fbtell oc/bin/cat",
    "global opened": "ga@plain fatell Gb@other fbtell",
}
# `plain` and its like call nobody_says, which nobody defines: they can be opened lazily only. What may come from images then:
EXPECTED = {
    "one": {"plain", "helper"},
    "both ways": {"plain", "other", "helper"},
    "first call after another became global": {"user", "helper", "either", "sooner"},
    "thread storage": {"plain", "helper", "tls"},
    "by itself first": {"user", "helper", "either", "sooner"},
    "unique symbols": set(),
}


def answers(shop):
    for kind in ("pie", "no-pie"):
        for way in WAYS:
            shop.clear()
            shop.ours(way, kind, "", "now")
            for name, text in SCRIPTS.items():
                right = shop.system(kind, text)
                for state in ("off", "use", "use", "use", "verify"):
                    found = shop.ours(way, kind, text, state)
                    # The end of an undefined symbol's message names the linker's own place in memory.
                    equal(f"{kind}, {way}: {name}, {state}", found[:2], right[:2])
            for name, expected in EXPECTED.items():
                shop.ours(way, kind, SCRIPTS[name])
                found = shop.from_images(way, kind, SCRIPTS[name])
                equal(f"{kind}, {way}: {name}: from images", sorted(found), sorted(expected))


def changes(shop):
    """What images were made of changes: the answer follows, and the images are made anew."""
    text = "oa@user fatell faeither"
    shop.clear()
    shop.ours("command", "no-pie", "", "now")

    def follow(name):
        time.sleep(YOUNG)
        right = shop.system("no-pie", text)
        for i in range(3):
            equal(f"{name}, start {i + 1}", shop.ours("command", "no-pie", text)[:2], right[:2])
        found = shop.from_images("command", "no-pie", text)
        check(f"{name}: from images again", "user" in found, found)

    follow("as it is")
    shop.build("helper", HELPER, '-DHELPS="helper two"')
    follow("a needed library rebuilt")
    shop.build("user", PLUGIN, '-DWHO="user2"', needs=("helper", "either"))
    follow("the plugin rebuilt")
    old = os.stat(shop.path("user"))
    data = open(shop.path("user"), "rb").read()
    with open(shop.path("user"), "r+b") as f:
        f.write(data.replace(b"user2\0", b"user3\0"))
    os.utime(shop.path("user"), ns=(old.st_atime_ns, old.st_mtime_ns))
    follow("written in place, times set back")
    shutil.copy2(shop.path("sooner"), shop.path("either") + ".new")
    os.rename(shop.path("either") + ".new", shop.path("either"))
    follow("another library in a needed one's place")
    shop.build("either", EITHER, '-DEITHER="from either"')


def same_frames(shop):
    """Copies that opened the same have one frame for each page of RELRO."""
    if os.geteuid() != 0:
        skip("frames of what was opened", "frame numbers are shown to root only")
        return
    text = "oa@user fatell w"
    shop.clear()
    for _ in range(3):
        shop.ours("command", "no-pie", "oa@user fatell")
    for state, one in (("off", False), ("use", True)):
        env = {"PATH": "/usr/bin:/bin", "LANG": "C", "LDR_CACHE": state, "LDR_CACHE_DIR": shop.cache}
        copies = [subprocess.Popen(shop.command("command", "no-pie", text), env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(8)]
        frames = {}
        for p in copies:
            while p.stdout.readline() not in ("ready\n", ""):
                pass
            for page, frame in table_pages(p.pid, shop.path("user")):
                frames.setdefault(page, []).append(frame)
        report = json.loads(subprocess.run([LDR, "pages", "--json", *(str(p.pid) for p in copies)], capture_output=True, text=True).stdout)
        seen = next(o for o in report["objects"] if o["path"] == os.path.realpath(shop.path("user")))
        check(f"{state}: ldr pages has {seen['classes']['image_shared']} of its pages in shared images", (seen["classes"]["image_shared"] >= 2 * len(copies)) == one, seen)
        for p in copies:
            p.communicate("\n", timeout=30)
        whole = [f for f in frames.values() if len(f) == len(copies)]
        good = len(whole) >= 2 and all((len(set(f)) == 1) == one for f in whole)
        check(f"{state}: {len(copies)} copies, {len(whole)} pages of RELRO, {'one frame' if one else 'a frame of their own'} each", good, frames)


def table_pages(pid, path):
    """(page of the file, frame) of the whole pages of PT_GNU_RELRO in memory."""
    data = open(path, "rb").read()
    phoff, = struct.unpack_from("<Q", data, 32)
    phnum, = struct.unpack_from("<H", data, 56)
    lo = hi = 0
    for i in range(phnum):
        kind, _, _, vaddr, _, _, memsz, _ = struct.unpack_from("<IIQQQQQQ", data, phoff + 56 * i)
        if kind == 0x6474e552:
            lo, hi = vaddr & ~4095, vaddr + memsz & ~4095
    base = next(int(line.split("-")[0], 16) for line in open(f"/proc/{pid}/maps") if line.rstrip().endswith(path))
    with open(f"/proc/{pid}/pagemap", "rb") as f:
        f.seek((base + lo) // 4096 * 8)
        for i, word in enumerate(struct.unpack(f"<{(hi - lo) // 4096}Q", f.read((hi - lo) // 512))):
            if word >> 63:
                yield i, word & (1 << 55) - 1


def damage(shop):
    """Every byte of an image file's tables flipped in turn, lengths, exchanged files: never used, never a wrong answer."""
    text = "oa@user fatell faeither"
    right = shop.system("no-pie", text)
    shop.clear()
    for _ in range(3):
        shop.ours("command", "no-pie", text)
    whole = shop.from_images("command", "no-pie", text)
    files = {n: open(os.path.join(shop.cache, n), "rb").read() for n in images(shop.cache)}
    owner = {}
    for name in files:
        os.rename(os.path.join(shop.cache, name), shop.cache + ".away")
        owner[name] = whole - shop.from_images("command", "no-pie", text)
        os.rename(shop.cache + ".away", os.path.join(shop.cache, name))
    name = next(n for n in files if "user" in owner[n])
    path, good = os.path.join(shop.cache, name), files[name]
    tables, = struct.unpack_from("<I", good, 24 + 8 + 16 + 56 + 16)
    wrong, used = [], []
    changed = [(f"byte {i}", good[:i] + bytes([good[i] ^ 1 << i % 8]) + good[i + 1:]) for i in range(tables)]
    changed += [(f"length {n}", good[:n]) for n in (*range(0, tables, 40), *range(tables, len(good), 4096), len(good) - 1)]
    changed += [("longer", good + bytes(4096)), ("another's", next(d for n, d in files.items() if n != name)), ("empty", b"")]
    for at, data in changed:
        # In the place of the good one by rename, so that a maker never finds it half written; it may replace what it cannot use.
        with open(path + ".new", "wb") as f:
            f.write(data)
        os.chmod(path + ".new", 0o600)
        os.rename(path + ".new", path)
        held = open(os.path.join(shop.cache, "lock"), "r+")
        fcntl.flock(held, fcntl.LOCK_EX)
        if run(shop.command("command", "no-pie", text), {"LDR_CACHE": "use", "LDR_CACHE_DIR": shop.cache})[:2] != right[:2]:
            wrong.append(at)
        if len(used) < 5 and at.split()[0] != "byte" and "user" in shop.from_images("command", "no-pie", text):
            used.append(at)
        held.close()
    check(f"an image file of {tables} bytes of tables, damaged in {len(changed)} ways: always the right answer", tables > 300 and not wrong, wrong[:20])
    check("what is damaged is not used", not used, used)
    for what in ("link", "directory", "pipe", "of others"):
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        elif os.path.lexists(path):
            os.unlink(path)
        if what == "link":
            with open(shop.cache + ".elsewhere", "wb") as f:
                f.write(good)
            os.symlink(shop.cache + ".elsewhere", path)
        elif what == "directory":
            os.mkdir(path)
        elif what == "pipe":
            os.mkfifo(path)
        else:
            with open(path, "wb") as f:
                f.write(good)
            os.chmod(path, 0o666)
        equal(f"in its place a {what}", shop.ours("command", "no-pie", text)[:2], right[:2])


def leaves_nothing(shop):
    """After a dlopen, also one that was refused, no descriptor is left and nobody else is kept from making; nor by a child made meanwhile."""
    shop.clear()
    shop.ours("command", "no-pie", "", "now")
    env = {"PATH": "/usr/bin:/bin", "LANG": "C", "LDR_CACHE": "use", "LDR_CACHE_DIR": shop.cache}
    for text in ("oa/bin/ls", "oa@plain", "oa@plain ob/bin/ls", "ob/nothing/there"):
        with subprocess.Popen(shop.command("command", "no-pie", text + " w"), env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
            while p.stdout.readline() not in ("ready\n", ""):
                pass
            await_quiet(shop.cache, 2)
            held = [os.readlink(f"/proc/{p.pid}/fd/{n}") for n in os.listdir(f"/proc/{p.pid}/fd") if int(n) > 2]
            check(f"{text}: no descriptor is left", not held, held)
            check(f"{text}: the maker's lock is free", await_quiet(shop.cache, 0.2))
            p.communicate("\n", timeout=30)


def no_room(shop):
    """A full disk in the middle of writing: the program gets its library all the same."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        skip("no room for an image", "a small file system needs a mount namespace")
        return
    text = "oa@user fatell faeither"
    right = shop.system("no-pie", text)
    small = os.path.join(shop.where, "small")
    os.makedirs(small, exist_ok=True)
    eighth = 1 << 17                  # stays free: what is left above it is the room
    for left in (0, 20480, eighth + 4096, eighth + 8192, eighth + 20480, eighth + 36864):
        script = f"""mount -t tmpfs -o size=1m,mode=700 none {small} && LDR_CACHE=now "$@" >/dev/null
            free=$(df --output=avail -B1 {small} | tail -1); head -c $((free - {left})) /dev/zero >{small}/fill; LDR_CACHE=use "$@" && LDR_CACHE=use "$@" """
        found = run(["unshare", "-m", "sh", "-c", script, "sh", *shop.command("command", "no-pie", text)], {"LDR_CACHE_DIR": small})
        equal(f"{left} bytes left: what is opened", found[:2], (0, right[1] * 2))


def kept_in_order(shop):
    """`ldr cache` lists these images by name, finds any changed byte of their pages, and removes them."""
    text, env = "oa@user fatell", {"LDR_CACHE_DIR": shop.cache}
    shop.clear()
    for _ in range(3):
        shop.ours("command", "no-pie", text)
    listed = {i["path"]: i for i in json.loads(run([LDR, "cache", "--json"], env)[1])["images"]}
    check("ldr cache lists what was opened", all(listed.get(shop.path(n), {}).get("pages", 0) > 2 for n in ("user", "helper", "either")), sorted(listed, key=str))
    equal("ldr cache verify holds", run([LDR, "cache", "verify"], env)[0], 0)
    for name in images(shop.cache):
        path = os.path.join(shop.cache, name)
        data = open(path, "rb").read()
        for page in range(4096, len(data), 4096):
            at = page + (page * 7919) % 4096
            with open(path, "r+b") as f:
                f.seek(at)
                f.write(bytes([data[at] ^ 0x10]))
            found = run([LDR, "cache", "verify"], env)
            with open(path, "r+b") as f:
                f.seek(at)
                f.write(data[at:at + 1])
            if not check(f"a byte of page {page // 4096} of {name} changed is found", found[0] == 1 and name in found[1], found):
                break
    for name in images(shop.cache):   # as they are after a boot, before the first start
        with open(os.path.join(shop.cache, name), "r+b") as f:
            data = bytearray(f.read())
            data[32:48] = bytes(16)
            struct.pack_into("<Q", data, 16, cache_sum(bytes(data[24:struct.unpack_from("<I", data, 120)[0]])))
            f.seek(0)
            f.write(data)
    equal("made before the last boot: nothing is wrong with them", run([LDR, "cache", "verify"], env)[0], 0)
    listed = [i["path"] for i in json.loads(run([LDR, "cache", "--json"], env)[1])["images"]]
    check("made before the last boot: they are none", not {shop.path(n) for n in ("user", "helper", "either")} & set(listed), listed)
    equal("ldr cache clear", (run([LDR, "cache", "clear"], env)[0], images(shop.cache)), (0, []))


def told(shop):
    """LD_DEBUG=cache says where the pages of what was opened come from, or why they are relocated."""
    shop.clear()
    shop.ours("command", "no-pie", "", "now")
    env = {"PATH": "/usr/bin:/bin", "LANG": "C", "LDR_CACHE": "use", "LDR_CACHE_DIR": shop.cache, "LD_DEBUG": "cache"}
    lines = lambda text: subprocess.run(shop.command("command", "no-pie", text), env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True).stderr
    first, second = lines("oa@user ob@unique"), lines("oa@user ob@unique")
    check("told: new images", re.search(r"libuser.so \[0\];  new image in pack=l-[0-9a-f]+  pages: \d+  read-only: \d+", first), first)
    check("told: an image that was there", re.search(r"libuser.so \[0\];  image in pack=l-[0-9a-f]+ ", second), second)
    check("told: why there is none", "libunique.so [0];  relocated at each start: opened late, and bound to a unique symbol" in second, second)


def room(shop):
    """Too much of them: those longest not read go, and what is used is made again."""
    text = "oa@user fatell faeither"
    right = shop.system("no-pie", text)
    shop.clear()
    for _ in range(3):
        shop.ours("command", "no-pie", text)
    for i in range(6):
        path = os.path.join(shop.cache, f"l-{i:016x}")
        with open(path, "wb") as f:
            f.truncate(40 << 20)
        os.chmod(path, 0o600)
        os.utime(path, (1000 + i, 1000 + i))
    shop.ours("command", "no-pie", "oa@plain")    # a maker comes by
    shop.ours("command", "pie", "", "now")
    left = [n for n in images(shop.cache) if n.startswith("l-0000000")]
    size = sum(os.stat(os.path.join(shop.cache, n)).st_size for n in images(shop.cache))
    check(f"six of 40 MiB are cut down to {size >> 20} MiB, the oldest first", size <= 128 << 20 and left == [f"l-{i:016x}" for i in range(6 - len(left), 6)], left)
    equal("after that", shop.ours("command", "no-pie", text)[:2], right[:2])


with workshop() as (where, parts):
    shop = Shop(where, parts)
    answers(shop)
    changes(shop)
    same_frames(shop)
    kept_in_order(shop)
    leaves_nothing(shop)
    no_room(shop)
    told(shop)
    room(shop)
    damage(shop)
finish()
