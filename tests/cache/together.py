"""together.py - many at once: first starts, clearing and eviction while programs start and run, makers killed at any moment; in the user's store
and in the system's. Each start is right, and the directory is whole afterwards. KILLS=1000 kills more often; SEED repeats a run."""
import json, os, random, shutil, signal, subprocess, time
from kit import *

KILLS = int(os.environ.get("KILLS", "300"))
SEED = int(os.environ.get("SEED", str(int(time.time()))))


def launch(tree, state, *args, **more):
    env = {"PATH": "/usr/bin:/bin", "LANG": "C", **tree.cache_env(state)}
    return subprocess.Popen(tree.command(*args), env=env, stdin=more.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **more)


def ended(process):
    out, err = process.communicate(timeout=60)
    return Answer((process.returncode, out, err.split(": ", 1)[-1].splitlines()[0] if err else ""))


def whole(name, tree):
    """What the directory's own command says of it."""
    done = subprocess.run([LDR, "cache", "--json", *tree.store_option], env={"LDR_CACHE_DIR": tree.cache, "LDR_LDSO": tree.loader}, capture_output=True, text=True)
    report = json.loads(done.stdout or "{}")
    bad = [s for s in report.get("starts", []) if s["state"] == "damaged"]
    return check(name, done.returncode == 0 and not bad and not report["catalog_unusable"], done.stdout[:600] + done.stderr)


def first_starts(parts, where, way):
    tree = Tree(parts, where, "rpath", way)
    right = tree.system()
    time.sleep(YOUNG)
    started = [launch(tree, "use") for _ in range(200)]
    answers = [ended(p) for p in started]
    wrong = [a for a in answers if a != right]
    check(f"200 first starts at once, {way}: all right", not wrong, wrong[:3])
    check(f"200 first starts at once, {way}: the lock is free again", await_quiet(tree.cache))
    equal(f"200 first starts at once, {way}: one record, one pack", (len(records(tree.cache)), len(packs(tree.cache))), (1, 1))
    equal(f"200 first starts at once, {way}: the record is used", tree.ours("require"), right)
    whole(f"200 first starts at once, {way}: the directory is whole", tree)
    tree.remove()


def different_programs(parts, where):
    trees = [Tree(parts, where, placement, way) for placement in PLACEMENTS for way in WAYS for _ in range(4)]
    for tree in trees[1:]:
        tree.cache = trees[0].cache
    truth = [t.system() for t in trees]
    time.sleep(YOUNG)
    wrong = []
    for _ in range(6):
        started = [launch(t, "use") for t in trees for _ in range(3)]
        for i, p in enumerate(started):
            answer = ended(p)
            if answer != truth[i // 3]:
                wrong.append(answer)
        await_quiet(trees[0].cache)
    check("24 programs started at once, again and again: all right", not wrong, wrong[:3])
    check("24 programs: each record is that of one program", len(records(trees[0].cache)) <= 24, records(trees[0].cache))
    whole("24 programs: the directory is whole", trees[0])
    for t in trees:
        t.remove()


def clear(tree):
    return subprocess.run([LDR, "cache", "clear", *tree.store_option], env={"LDR_CACHE_DIR": tree.cache, "LDR_LDSO": tree.loader}, capture_output=True, text=True)


def clear_while_running(parts, where, way):
    tree = Tree(parts, where, "rpath", way)
    right = tree.system()
    equal(f"clear, {way}: before", tree.make(), right)
    running = launch(tree, "require", "wait", stdin=subprocess.PIPE)
    first = running.stdout.readline() + running.stdout.readline()
    done = clear(tree)
    equal(f"clear while a program runs, {way}: done", (done.returncode, done.stderr), (0, ""))
    check(f"clear, {way}: nothing is left", not records(tree.cache) and not packs(tree.cache), os.listdir(tree.cache))
    running.communicate("\n", timeout=30)
    equal(f"clear while a program runs, {way}: it goes on", (running.returncode, first), (0, right[1] + "ready\n"))
    refused = tree.ours("require")
    check(f"clear, {way}: no record any more", refused[0] == 127, refused)
    equal(f"clear, {way}: the next start makes one", [tree.ours("now"), tree.ours("require")], [right, right])

    wrong = []
    for _ in range(25):
        started = [launch(tree, random.choice(["use", "now"])) for _ in range(8)]
        done = clear(tree)
        if done.returncode:
            wrong.append(done.stderr)
        wrong += [a for a in map(ended, started) if a != right]
    check(f"cleared 25 times while 200 programs start, {way}: all right", not wrong, wrong[:3])
    await_quiet(tree.cache)
    time.sleep(YOUNG)
    equal(f"cleared often, {way}: afterwards", [tree.ours("now"), tree.ours("require")], [right, right])
    whole(f"cleared often, {way}: the directory is whole", tree)
    tree.remove()


def killed_makers(parts, where):
    """The program and whoever writes beside it die together, at a random moment of making; the longest start measured is the range."""
    trees = [Tree(parts, where, "rpath", way) for way in WAYS] + [Tree(parts, where, "runpath", "kernel")]
    for tree in trees[1:]:
        tree.cache = trees[0].cache
    truth = [t.system() for t in trees]
    time.sleep(YOUNG)
    began = time.time()
    trees[0].ours("now")
    longest = time.time() - began
    wrong, unfinished, died = [], 0, 0
    for i in range(KILLS):
        which = random.randrange(len(trees))
        tree = trees[which]
        for name in random.sample(records(tree.cache), len(records(tree.cache)) // 2) + (packs(tree.cache) if i % 3 == 0 else []):
            os.unlink(os.path.join(tree.cache, name))
        process = launch(tree, ("now", "use")[i % 2], start_new_session=True)
        time.sleep(random.random() * longest * 1.3)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        died += process.returncode == -signal.SIGKILL
        unfinished += any(n.startswith("t-") for n in os.listdir(tree.cache))
        if i % 4 == 0:
            other = random.randrange(len(trees))
            answer = trees[other].ours("use")
            if answer != truth[other]:
                wrong.append((i, answer))
    check(f"makers killed {KILLS} times: the starts between are right (seed {SEED})", not wrong, wrong[:3])
    check(f"of {KILLS} some died before their end ({died}), and some left an unfinished file ({unfinished})", died > KILLS // 20 and unfinished, (died, unfinished))
    await_quiet(trees[0].cache)
    for i, tree in enumerate(trees):
        equal(f"after the killing: start {i} is recorded", [tree.ours("now"), tree.ours("require"), tree.ours("verify")], [truth[i]] * 3)
    whole("after the killing: the directory is whole", trees[0])
    os.unlink(os.path.join(trees[0].cache, records(trees[0].cache)[0]))
    for tree in trees:
        tree.ours("now")
    check("the next maker removed what the killed ones left", not [n for n in os.listdir(trees[0].cache) if n.startswith("t-")], os.listdir(trees[0].cache))
    for t in trees:
        t.remove()


def evicted_while_running(parts, where):
    """More records than are kept: the next maker removes those longest not read, and the packs that only they name."""
    tree, other = Tree(parts, where, "rpath", "kernel"), Tree(parts, where, "rpath", "command")
    other.cache = tree.cache
    other.put("lib", "a", "two")
    right, right_other = tree.system(), other.system()
    equal("eviction: before", tree.make(), right)
    record, pack = records(tree.cache)[0], packs(tree.cache)[0]
    os.utime(os.path.join(tree.cache, record), (1, 1))         # the longest not read; changes no pack
    for i in range(2100):
        with open(os.path.join(tree.cache, f"r-{i:032x}"), "wb") as f:
            f.write(b"x" * 64)
    # A read updates the time of reading: the program runs from a descriptor's worth of pages, not from the record.
    running = launch(tree, "require", "wait", stdin=subprocess.PIPE)
    first = running.stdout.readline() + running.stdout.readline()
    os.utime(os.path.join(tree.cache, record), (1, 1))
    started = [launch(tree, "use") for _ in range(8)]
    equal("eviction while programs start: the maker is right", other.ours("now"), right_other)
    wrong = [a for a in map(ended, started) if a != right]
    check("eviction while programs start: they are right", not wrong, wrong[:3])
    await_quiet(tree.cache)
    check("records are fewer than may be kept", len(records(tree.cache)) <= 2048, len(records(tree.cache)))
    running.communicate("\n", timeout=30)
    equal("eviction while a program runs: it goes on", (running.returncode, first), (0, right[1] + "ready\n"))
    for name in os.listdir(tree.cache):
        if name.startswith("r-000000"):
            os.unlink(os.path.join(tree.cache, name))
    equal("after the eviction", [tree.ours("now"), tree.ours("require"), other.ours("require")], [right, right, right_other])
    whole("after the eviction: the directory is whole", tree)
    tree.remove(), other.remove()


def system_store(parts, where):
    """Root fills, clears and is killed while many start."""
    tree = Tree(parts, where, "rpath", "kernel", system=True)
    right = tree.system()
    time.sleep(YOUNG)
    makers = [launch(tree, "warm") for _ in range(20)]
    started = [launch(tree, "use") for _ in range(200)]
    wrong = [a for a in map(ended, started) if a != right] + [a for a in map(ended, makers) if a != (0, "", "")]
    check("the system's store: 200 starts while it is filled by 20 makers: all right", not wrong, wrong[:3])
    equal("the system's store: one record, one pack", (len(records(tree.cache)), len(packs(tree.cache))), (1, 1))
    running = launch(tree, "require", "wait", stdin=subprocess.PIPE)
    first = running.stdout.readline() + running.stdout.readline()
    wrong = []
    for _ in range(15):
        makers, started = [launch(tree, "warm")], [launch(tree, "use") for _ in range(8)]
        done = clear(tree)
        if done.returncode:
            wrong.append(done.stderr)
        wrong += [a for a in map(ended, started) if a != right]
        for maker in makers:
            maker.communicate()
    check("the system's store: cleared 15 times while it is filled and used: all right", not wrong, wrong[:3])
    running.communicate("\n", timeout=30)
    equal("the system's store: who runs goes on", (running.returncode, first), (0, right[1] + "ready\n"))
    began = time.time()
    clear(tree), tree.ours("warm")
    longest, died, unfinished, wrong = time.time() - began, 0, 0, []
    for i in range(KILLS // 4):
        for name in random.sample(records(tree.cache), len(records(tree.cache)) // 2) + (packs(tree.cache) if i % 2 else []):
            os.unlink(os.path.join(tree.cache, name))
        maker = launch(tree, "warm", start_new_session=True)
        time.sleep(random.random() * longest)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(maker.pid, signal.SIGKILL)
        maker.communicate()
        died += maker.returncode == -signal.SIGKILL
        unfinished += any(n.startswith("t-") for n in os.listdir(tree.cache))
        if i % 4 == 0 and (answer := tree.ours("use")) != right:
            wrong.append((i, answer))
    check(f"the system's store: makers killed {KILLS // 4} times: starts between are right (seed {SEED})", not wrong, wrong[:3])
    check(f"the system's store: some died before their end ({died}), some left an unfinished file ({unfinished})", died > KILLS // 80, (died, unfinished))
    equal("the system's store: afterwards", [tree.ours("now"), tree.ours("require"), tree.ours("verify")], [right] * 3)
    whole("the system's store is whole", tree)
    tree.remove()


ROOT = in_namespace()
random.seed(SEED)
with workshop() as (where, parts):
    for way in WAYS:
        first_starts(parts, where, way)
        clear_while_running(parts, where, way)
    different_programs(parts, where)
    evicted_while_running(parts, where)
    if ROOT:
        system_store(parts, where)
    else:
        skip("the system's store", "needs root and mount namespaces")
    killed_makers(parts, where)
finish()
