"""system.py - the system's two stores: who fills them, who is served from them, what a set-user-ID program believes, how old addresses may be.

In a mount namespace where /var/cache is empty: there is no other way to a place for them, and that is part of what is tested."""
import contextlib, os, shutil, struct, subprocess, time
import attacks
from kit import *

USER, OTHER = 1234, 65534
# Says whose rights it has and where the relocated pages of its libraries come from; a constructor leaves a mark.
PROBE = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
__attribute__((constructor)) static void begin(void) { if (access(MARK, F_OK) != 0) { FILE *f = fopen(MARK, "a"); if (f) fclose(f); } }
int main(void) {
    char line[5000], from[5000] = "none";
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) {
        char *path = strchr(line, '/'), *pack = path ? strstr(path, "/p-") : NULL;
        if (pack && strlen(pack) == 20)
            strcpy(from, (*pack = 0, path));
    }
    printf("real %d effective %d secure %lu libpath %s\n", getuid(), geteuid(), getauxval(AT_SECURE), getenv("LD_LIBRARY_PATH") ? "kept" : "gone");
    for (char **e = environ; *e; e++)
        if (strncmp(*e, "LDR_", 4) == 0)
            puts(*e);
    puts(from);
    return 0;
}
"""


def ldr(loader, *args, **more):
    user = more.pop("user", 0)
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LDR_LDSO": loader, **more.pop("env", {})}
    return subprocess.run([LDR, "cache", *args], env=env, capture_output=True, text=True, timeout=60, **(as_user(user) if user else {}), **more)


def as_user(user):
    return {"user": user, "group": user, "extra_groups": []}


def wipe():
    for where in (SYSTEM_STORE, SECURE_STORE):
        shutil.rmtree(where, ignore_errors=True)


class Probe:
    def __init__(self, parts, where, name="probe", *flags):
        self.path, self.mark, self.loader = os.path.join(where, name), os.path.join(where, name + ".mark"), parts.loader
        for path, interpreter in ((self.path, parts.loader), (self.path + ".system", SYSTEM)):
            subprocess.run(["gcc", "-O1", "-w", "-x", "c", "-", "-o", path, f'-DMARK="{self.mark}"', f"-Wl,--dynamic-linker={interpreter}", *flags],
                           input=PROBE.encode(), check=True)
        time.sleep(YOUNG)

    def start(self, env=None, user=0, path=None):
        """What it says under ours, but for the last line, and that line: the store its pages are from."""
        got = run([path or self.path], {"LDR_CACHE_DIR": "/nonexistent/none", **(env or {})}, **(as_user(user) if user else {}))
        lines = got[1].splitlines()
        self.ours_left = lines[1:-1]
        return (got[0], lines[0] if lines else "", got[2]), lines[-1] if lines else ""

    def truth(self, env=None, user=0):
        got = run([self.path + ".system"], env or {}, **(as_user(user) if user else {}))
        return got[0], got[1].splitlines()[0] if got[1] else "", got[2]

    def bits(self, mode, owner=0, group=0):
        for path in (self.path, self.path + ".system"):
            os.chown(path, owner, group)
            os.chmod(path, mode)
        time.sleep(YOUNG)


def warm(loader, *args, **more):
    done = ldr(loader, *args, **more)
    time.sleep(YOUNG)
    return done.returncode, done.stderr


# ---- ordinary starts -------------------------------------------------------------------------------------------------------

def filled_by_root_alone(probe):
    wipe()
    status, told = warm(probe.loader, "--system", "warm", probe.path, user=USER)
    check("a user's warm --system: refused, and told why", status == 1 and "only root" in told, told)
    for word in ("system-warm", "secure-warm", "system-now", "system-use"):
        run([probe.path], {"LDR_CACHE": word}, **as_user(USER))
        check(f"LDR_CACHE={word} by a user makes nothing", not os.path.exists(SYSTEM_STORE) and not os.path.exists(SECURE_STORE))
    for word in ("now", "use", "system-now", "system-use", "secure-now", "secure-use"):
        run([probe.path], {"LDR_CACHE": word, "LDR_CACHE_DIR": "/nonexistent/none"})
        check(f"LDR_CACHE={word} by root makes nothing", not os.path.exists(SYSTEM_STORE) and not os.path.exists(SECURE_STORE))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(probe.mark)
    old = os.umask(0o077)
    equal("root's warm --system", warm(probe.loader, "--system", "warm", probe.path), (0, ""))
    os.umask(old)
    check("warm --system runs nothing of the program", not os.path.exists(probe.mark))
    modes = {n: oct(os.stat(os.path.join(SYSTEM_STORE, n)).st_mode & 0o7777) for n in (".", *os.listdir(SYSTEM_STORE))}
    equal("everybody may read, root alone write, and nobody else hold the lock",
          (modes.pop("."), modes.pop("lock"), set(modes.values())), ("0o755", "0o600", {"0o644"}))
    run([probe.path], {"LDR_CACHE": "off"})
    check("a start does leave the mark", os.path.exists(probe.mark))


def serves_everybody(probe, where):
    for user in (0, USER, OTHER):
        truth = probe.truth(user=user)
        for state in ("use", "require", "verify", "system-require", "system-verify"):
            got, store = probe.start({"LDR_CACHE": state}, user)
            equal(f"user {user}, LDR_CACHE={state}: from the system's store, and right", (got, store if "verify" not in state else SYSTEM_STORE), (truth, SYSTEM_STORE))
        equal(f"user {user}, LDR_CACHE=off", probe.start({"LDR_CACHE": "off"}, user), (truth, "none"))
        equal(f"user {user}, another environment", probe.start({"LD_LIBRARY_PATH": "/nonexistent"}, user), (probe.truth({"LD_LIBRARY_PATH": "/nonexistent"}, user), "none"))
    own = os.path.join(where, "own")
    os.mkdir(own, 0o700), os.chown(own, USER, USER)
    equal("a start from the system's store", probe.start({"LDR_CACHE_DIR": own}, USER)[1], SYSTEM_STORE)
    equal("makes no record in the user's", (await_quiet(own), records(own)), (True, []))
    warm_own = run([probe.path], {"LDR_CACHE_DIR": own, "LDR_CACHE": "warm"}, **as_user(USER))
    equal("a user may make one all the same", (warm_own[0], len(records(own))), (0, 1))
    equal("the user's own goes first", probe.start({"LDR_CACHE_DIR": own}, USER), (probe.truth(user=USER), own))
    # More than its user: what the user's processes can write is not believed.
    more = ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "--inh-caps", "+net_raw", "--ambient-caps", "+net_raw"]
    got = run([*more, probe.path], {"LDR_CACHE_DIR": own})
    equal("with a capability beyond the user: the system's", (got[0], got[1].splitlines()[-1:]), (0, [SYSTEM_STORE]))
    inside = run(["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "unshare", "-r", probe.path], {"LDR_CACHE_DIR": "/nonexistent/none"})
    if inside[0] == 0:
        equal("in a user namespace its root is not the owner of the store", inside[1].splitlines()[-1], "none")
    else:
        skip("user namespaces", inside[2])
    listed = ldr(probe.loader, "--system", "--json", user=USER)
    check("a user may list and verify it", listed.returncode == 0 and '"valid"' in listed.stdout, listed)
    equal("verify, by a user and by root", [ldr(probe.loader, "--system", "verify", user=u).stdout for u in (USER, 0)],
          [f"{len(records(SYSTEM_STORE))} hold, 0 differ, 0 stale, 0 not verified.\n"] * 2)
    check("a user cannot clear it", ldr(probe.loader, "--system", "clear", user=USER).returncode == 1 and records(SYSTEM_STORE))
    equal("root can", (ldr(probe.loader, "--system", "clear").returncode, os.listdir(SYSTEM_STORE)), (0, ["lock"]))
    equal("and starts go the ordinary way", probe.start(user=USER), (probe.truth(user=USER), "none"))


def placed(store):
    """Inodes of the files that the catalog gave a place: no other's pages are in any pack."""
    if not os.path.exists(os.path.join(store, "catalog")):
        return []
    data = attacks.read(os.path.join(store, "catalog"))
    table, count = struct.unpack_from("<2I", data, 64)
    return [struct.unpack_from("<2Q", data, table + 72 * i)[1] for i in range(count)]


def who_may_read(parts, where, probe):
    """What some may not read is in no store for all; who may not read what a record names goes the ordinary way."""
    tree = Tree(parts, where, "rpath", "kernel", system=True)
    lib, early, prog = tree.file("lib", "libb.so"), tree.file("early", "liba.so"), tree.file("prog")
    tree.put("early", "a", "one")
    for what, path, closed, file in (("a library", lib, 0o600, lib), ("a folder with libraries", tree.file("lib"), 0o700, lib),
                                     ("a folder searched before", tree.file("early"), 0o700, early), ("the program", prog, 0o711, prog)):
        wipe()
        os.chmod(path, closed)
        time.sleep(YOUNG)
        answer = run(tree.command(), tree.cache_env("warm"))
        check(f"{what} that nobody may read: no record, and why", answer[0] not in (0, None) and answer[2] and not records(tree.cache), answer)
        check(f"{what} that nobody may read: no page of it", os.stat(file).st_ino not in placed(tree.cache))
        os.chmod(path, 0o755)
    for what, path, owner, mode in (("a user's library", lib, USER, 0o755), ("a library that others may write", lib, 0, 0o775), ("a user's program", prog, USER, 0o755)):
        wipe()
        os.chown(path, owner, 0), os.chmod(path, mode)
        time.sleep(YOUNG)
        answer = run(tree.command(), tree.cache_env("warm"))
        check(f"{what}: no record, and why", answer[0] == 1 and "root" in answer[2] + answer[1] and not records(tree.cache) and not packs(tree.cache), answer)
        os.chown(path, 0, 0), os.chmod(path, 0o755)
    right = tree.system()
    equal("all may read: warm", [tree.make(), run(tree.command(), tree.cache_env("require"), **as_user(USER))], [right, right])
    check("now its libraries have places", {os.stat(lib).st_ino, os.stat(early).st_ino} <= set(placed(tree.cache)))
    os.chmod(tree.file("lib"), 0o700)          # no file of the record changed
    truth = run([tree.file("prog.system")], **as_user(USER))
    check("who may not enter the folder has another answer", truth != right, truth)
    got = run(tree.command(), {"LDR_CACHE_DIR": "/nonexistent/none"}, **as_user(USER))
    equal("who may not enter it goes the ordinary way", (got[0], got[1]), (truth[0], truth[1]))
    equal("who may goes the fast way", tree.ours("require"), right)
    os.chmod(tree.file("lib"), 0o755)
    wipe()
    tree.remove()


# ---- set-user-ID programs --------------------------------------------------------------------------------------------------

def evil_library(where, name):
    path = os.path.join(where, name)
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", "-x", "c", "-", "-o", path], check=True,
                   input=b'#include <unistd.h>\n__attribute__((constructor)) static void f(void) { write(1, "EVIL\\n", 5); _exit(66); }')
    return path


def hostile(where):
    """Environments by which a user might tell a set-user-ID program what to believe."""
    evil_dir = os.path.join(where, "evil")
    os.makedirs(evil_dir, exist_ok=True)
    evil = evil_library(evil_dir, "evil.so")
    shutil.copy2(evil, os.path.join(evil_dir, "libc.so.6"))
    planted = os.path.join(where, "planted")               # a store of the user's own, copied from the real one
    shutil.rmtree(planted, ignore_errors=True)
    for name in ("ldr-cache", ".cache/ldr-cache"):
        shutil.copytree(SECURE_STORE, os.path.join(planted, name))
    subprocess.run(["chown", "-R", f"{USER}:{USER}", planted], check=True)
    yield {"LDR_CACHE_DIR": planted + "/ldr-cache"}
    yield {"XDG_RUNTIME_DIR": planted}
    yield {"HOME": planted}
    for state in ("off", "now", "require", "verify", "warm", "check", "system-require", "system-warm", "secure-warm", "secure-check", "secure-require"):
        yield {"LDR_CACHE": state}
    yield {"LDR_CACHE_MAX_AGE": "1"}
    yield {"LDR_CACHE_MAX_AGE": "0"}
    yield {"LD_LIBRARY_PATH": evil_dir}
    yield {"LD_PRELOAD": evil}
    yield {"LD_PRELOAD": "evil.so", "LD_LIBRARY_PATH": evil_dir}
    yield {"LD_AUDIT": evil}
    yield {"GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.cpu.hwcaps=-AVX2"}
    yield {"MALLOC_CHECK_": "3", "MALLOC_ARENA_MAX": "1"}
    yield {"LD_BIND_NOW": "1"}
    yield {"LD_DEBUG": "all"}
    yield {"LD_ORIGIN_PATH": evil_dir}
    yield {"LDR_TRACE": os.path.join(planted, "trace")}
    yield {"LDR_GENUINE_LDSO": evil}


def secure_program(parts, where):
    probe = Probe(parts, where, "suid")
    probe.bits(0o4755)
    wipe()
    truth = probe.truth(user=USER)
    equal("the set-user-ID program under the system's linker", truth, (0, f"real {USER} effective 0 secure 1 libpath gone", ""))
    equal("without a store", probe.start(user=USER), (truth, "none"))
    equal("warm --system", warm(probe.loader, "--system", "warm", probe.path), (0, ""))
    equal("the store that all may read is not for it", probe.start(user=USER), (truth, "none"))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(probe.mark)
    equal("warm --secure", warm(probe.loader, "--secure", "warm", probe.path), (0, ""))
    check("nothing of it ran", not os.path.exists(probe.mark))
    modes = {oct(os.stat(os.path.join(SECURE_STORE, n)).st_mode & 0o7777) for n in os.listdir(SECURE_STORE)}
    equal("only root may read it", (oct(os.stat(SECURE_STORE).st_mode & 0o7777), modes), ("0o700", {"0o600"}))
    equal("it starts from there", probe.start(user=USER), (truth, SECURE_STORE))
    equal("verify --secure", ldr(probe.loader, "--secure", "verify").stdout, "1 hold, 0 differ, 0 stale, 0 not verified.\n")
    equal("a user cannot look into it", ldr(probe.loader, "--secure", user=USER).returncode, 4)

    before = sorted(os.listdir(SECURE_STORE)), sorted(os.listdir(SYSTEM_STORE))
    wrong, slow, left = [], [], []
    for env in hostile(where):
        got, store = probe.start(env, USER)
        left += probe.ours_left
        if got != probe.truth(env, USER) or got[1] != truth[1] or store not in (SECURE_STORE, "none"):
            wrong.append((env, got, store))
        if store == "none":
            slow += env
    check("hostile environments change nothing", not wrong, wrong)
    equal("and none of ours is left for a child that believes them", left, [])
    equal("those that count under AT_SECURE too miss, all others are cleaned away", sorted(set(slow)),
          sorted({"GLIBC_TUNABLES", "LD_BIND_NOW", "LD_PRELOAD", "LD_LIBRARY_PATH"}))
    equal("and write nothing", (sorted(os.listdir(SECURE_STORE)), sorted(os.listdir(SYSTEM_STORE))), before)
    link = os.path.join(where, "by-link")
    os.symlink(probe.path, link)
    equal("by another name", probe.start(user=USER, path=link), (truth, "none"))
    plain = run(["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "--no-new-privs", probe.path], {"LDR_CACHE_DIR": "/nonexistent/none"})
    equal("with no_new_privs it is an ordinary program", plain[1].splitlines()[::2], [f"real {USER} effective {USER} secure 0 libpath gone", SYSTEM_STORE])
    still = run(["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "setarch", "-R", probe.path])
    equal("without randomisation", still[1].splitlines(), [truth[1], SECURE_STORE])
    not_believed_by_secure(probe, truth)
    damage_to_secure(probe, truth)
    os.link(probe.path, os.path.join(where, "second-name"))
    equal("a second name makes it another file", probe.start(user=USER), (truth, "none"))
    return probe


def not_believed_by_secure(probe, truth):
    path = lambda kind: os.path.join(SECURE_STORE, next(n for n in os.listdir(SECURE_STORE) if n.startswith(kind)))
    for kind in ("", "r-", "p-"):
        target, usual = (SECURE_STORE, 0o700) if not kind else (path(kind), 0o600)
        for mode in (usual | 0o020, usual | 0o002, usual | 0o040, usual | 0o004):
            os.chmod(target, mode)
            equal(f"{kind or 'directory'} of mode {mode:o}", probe.start(user=USER), (truth, "none"))
        os.chmod(target, usual)
        os.chown(target, USER, USER)
        equal(f"{kind or 'directory'} of another owner", probe.start(user=USER), (truth, "none"))
        os.chown(target, 0, 0)
        os.rename(target, target + ".real")
        os.symlink(target + ".real", target)
        equal(f"link for {kind or 'directory'}", probe.start(user=USER), (truth, "none"))
        os.unlink(target)
        os.rename(target + ".real", target)
        if kind != "p-":                       # a pack that was renamed is another file
            warm(probe.loader, "--secure", "warm", probe.path)
            equal(f"{kind or 'directory'} back in order", probe.start(user=USER), (truth, SECURE_STORE))
    equal("clear --secure and warm again", [ldr(probe.loader, "--secure", "clear").returncode, warm(probe.loader, "--secure", "warm", probe.path)], [0, (0, "")])


def damage_to_secure(probe, truth):
    path = os.path.join(SECURE_STORE, records(SECURE_STORE)[0])
    good, wrong = attacks.read(path), []
    for i in range(0, len(good), 11):
        attacks.write(path, good[:i] + bytes([good[i] ^ (1 << i % 8)]) + good[i + 1:])
        if (got := probe.start(user=USER)) != (truth, "none"):
            wrong.append((i, got))
    for n in (*range(0, 300, 20), len(good) // 2, len(good) - 1):
        attacks.write(path, good[:n])
        if (got := probe.start(user=USER)) != (truth, "none"):
            wrong.append((n, got))
    check(f"every eleventh byte of {len(good)} of a secure record flipped, and cut short: never used, always right", not wrong, wrong[:5])
    attacks.write(path, good)
    equal("undamaged again it is used", probe.start(user=USER), (truth, SECURE_STORE))
    # A record of the other store, in the name of this one: its key says where it belongs.
    for source in records(SYSTEM_STORE):
        attacks.write(path, attacks.read(os.path.join(SYSTEM_STORE, source)))
        equal("a record of the system's store in its place", probe.start(user=USER), (truth, "none"))
    attacks.write(path, good)


def other_privileges(parts, where):
    """Set-user-ID of somebody else, set-group-ID, capabilities of the file: nothing of any store."""
    for name, mode, owner, group in (("suid-other", 0o4755, OTHER, OTHER), ("sgid", 0o2755, 0, OTHER), ("caps", 0o755, 0, 0)):
        probe = Probe(parts, where, name)
        probe.bits(mode, owner, group)
        if name == "caps":
            for path in (probe.path, probe.path + ".system"):
                if subprocess.run(["setcap", "cap_net_raw+ep", path], capture_output=True).returncode:
                    skip("capabilities of files", "setcap does not work here")
                    return
            time.sleep(YOUNG)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(probe.mark)
        statuses = [warm(probe.loader, s, "warm", probe.path) for s in ("--system", "--secure")]
        check(f"{name}: warm runs nothing of it", not os.path.exists(probe.mark), statuses)
        truth = probe.truth(user=USER)
        check(f"{name}: gains privileges", "secure 1" in truth[1], truth)
        for env in ({}, {"LDR_CACHE": "require"}, {"LDR_CACHE_DIR": where}):
            equal(f"{name}, {env}", probe.start(env, USER), (truth, "none"))


def origin_of_secure(parts, where):
    tree = Tree(parts, where, "rpath", "kernel", system=True)
    for name in ("prog", "prog.system"):
        os.chmod(tree.file(name), 0o4755)
    time.sleep(YOUNG)
    status, told = warm(tree.loader, "--secure", "warm", tree.file("prog"))
    check("libraries beside a set-user-ID program: no record", status == 3 and told and not records(SECURE_STORE), told)
    truth, got = (run([tree.file(name)], **as_user(USER)) for name in ("prog.system", "prog"))
    equal("and as under the system's linker", (got[0], got[1]), (truth[0], truth[1]))
    tree.remove()


# ---- age -------------------------------------------------------------------------------------------------------------------

def base_of(store):
    return struct.unpack_from("<Q", attacks.read(os.path.join(store, "catalog")), 40)[0]


def age(parts, where, probe):
    wipe()
    equal("warm --max-age", warm(probe.loader, "--system", "warm", "--max-age=5", probe.path), (0, ""))
    first, old = base_of(SYSTEM_STORE), packs(SYSTEM_STORE)
    equal("warm without a limit, and then with another", [warm(probe.loader, "--system", "warm", *a, probe.path) for a in ((), ("--max-age=5",))], [(0, "")] * 2)
    equal("young enough", probe.start(user=USER)[1], SYSTEM_STORE)
    equal("a start with a stricter limit", probe.start({"LDR_CACHE_MAX_AGE": "1", "LDR_CACHE": "off"}, USER)[1], "none")
    time.sleep(5.1)
    got = run([probe.path], {"LDR_CACHE": "system-require"}, **as_user(USER))
    check("too old for its maker's limit: refused, and told why", got[0] == 127 and "LDR_CACHE_MAX_AGE" in got[2], got)
    listed = ldr(probe.loader, "--system")
    check("the list says so", "seconds ago, the limit is 5" in listed.stdout, listed.stdout)
    equal("warm again, with an hour", warm(probe.loader, "--system", "warm", "--max-age=1h", probe.path), (0, ""))
    equal("an old catalog that is young enough now is kept", base_of(SYSTEM_STORE), first)
    time.sleep(1.1)
    equal("a start that wants younger ones", [probe.start({"LDR_CACHE_MAX_AGE": a}, USER)[1] for a in ("1", "0", "soon", "7x", "1h", "60m", "")],
          ["none"] * 4 + [SYSTEM_STORE] * 3)
    equal("warm with a limit that the catalog is too old for", warm(probe.loader, "--system", "warm", "--max-age=1", probe.path), (0, ""))
    check("draws new addresses", base_of(SYSTEM_STORE) != first)
    check("what knew the old ones is gone", packs(SYSTEM_STORE) and not set(old) & set(packs(SYSTEM_STORE)), (old, packs(SYSTEM_STORE)))
    equal("wrong usage", [ldr(probe.loader, "--system", "warm", f"--max-age={a}", probe.path).returncode for a in ("x", "0", "-1", "7w", "99999999999")], [2] * 5)

    tree = Tree(parts, where, "rpath", "kernel")
    right = tree.system()
    tree.make()
    first = base_of(tree.cache)
    tree.env["LDR_CACHE_MAX_AGE"] = "4"      # a busy machine may lose seconds between two starts
    time.sleep(4.1)
    refused = tree.ours("require")
    check("a user's record that is too old: refused", refused[0] == 127 and "LDR_CACHE_MAX_AGE" in refused[2], refused)
    equal("and made anew", [tree.ours("now"), tree.ours("require")], [right, right])
    check("at new addresses", base_of(tree.cache) != first)
    tree.remove()


# ---- the attacks on a user's store, on the system's ------------------------------------------------------------------------

def attacked(parts, where):
    wipe()
    tree, other = (Tree(parts, where, "rpath", "kernel", system=True) for _ in range(2))
    other.put("lib", "a", "two")
    right, right_other = tree.system(), other.system()
    equal("a record to attack", tree.make(), right)
    attacks.record_damage(tree, right, step=4)
    attacks.record_damage_and_use(tree, right)
    attacks.catalog_lost_keeps_old_records_right(tree, other, right, right_other)
    attacks.packs_swapped(tree, other, right, right_other)
    attacks.pack_damage(tree, right)
    shutil.rmtree(tree.cache)
    equal("a record to attack again", tree.make(), right)
    attacks.directories(tree, right)
    attacks.files(tree, right)
    wipe()
    full_disk(tree, right)
    tree.remove(), other.remove()


def full_disk(tree, right):
    wrong, kept = [], 0
    above = os.path.dirname(SYSTEM_STORE)
    for size in (1, 2, 3, 4, 6, 8, 12, 16, 20, 30, 40, 64):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=755,size={size * 4096}", "none", above], check=True)
        for state in ("now", "use", "now"):
            if (answer := tree.ours(state)) != right:
                wrong.append((size, state, answer))
        kept += tree.ours("require") == right
        subprocess.run(["umount", above], check=True)
    check(f"a full disk under the system's store: right answers; a record fits on {kept} of 12", not wrong and 0 < kept < 12, wrong)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,ro", "none", above], check=True)
    answer = run(tree.command(), tree.cache_env("warm"))
    check("a file system mounted read-only: no record, and why", answer[0] == 1 and answer[2], answer)
    equal("a file system mounted read-only", tree.ours("now"), right)
    subprocess.run(["umount", above], check=True)


if not in_namespace():
    skip("the system's stores", "needs root and mount namespaces")
    finish()
with workshop() as (where, parts):
    probe = Probe(parts, where)
    filled_by_root_alone(probe)
    serves_everybody(probe, where)
    who_may_read(parts, where, probe)
    secure_program(parts, where)
    wipe()
    origin_of_secure(parts, where)
    other_privileges(parts, where)
    age(parts, where, probe)
    attacked(parts, where)
finish()
