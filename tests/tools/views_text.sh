#!/usr/bin/env bash
# --columns and --sort: every number of the text table against the JSON of the same processes, sums, orders, refusals.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

pids=""
for _ in 1 2; do
    hold /usr/bin/python3 -c 'import os, ssl, sys; print("ready", os.getpid(), flush=True); sys.stdin.read()'; await; pids="$pids $answer"
done
# shellcheck disable=SC2016
hold "$ldr" run /bin/bash -c 'echo ready $$; while read -r line; do :; done'; await; pids="$pids $answer"
# shellcheck disable=SC2086 # a list of numbers
/usr/bin/python3 - "$ldr" $pids <<'EOF' || echo "not ok text table: the check broke"
import json, os, subprocess, sys

ldr, pids = sys.argv[1], sys.argv[2:]
MEMBERS = {"procs": "processes", "mapped": "pages_mapped", "frames": "frames", "shared": "frames_shared", "copies": "frames_shared_copies",
           "alone": "frames_alone", "private": "pages_private", "reloc": "pages_private_relocation",
           "reloc+write": "pages_private_relocation_and_write", "write": "pages_private_write", "identical": "pages_private_identical",
           "unknown": "pages_private_unknown", "memory": "frames_memory", "avoided": "page_copies_avoided", "again": "pages_mapped_again",
           "swapped": "pages_swapped", "images": "pages_from_images", "sharable": "pages_won_relocated", "twice": "pages_won_duplicates"}
SEGMENTS = ["code", "constants", "RELRO", "data", "other", ".bss", "file", "shared", "heap", "stack", "anonymous", "vDSO"]


def run(*arguments):
    return subprocess.run([ldr, "pages", *arguments, *pids], capture_output=True, text=True)


def check(name, found, expected):
    print(f"ok text table: {name}" if found == expected else f"not ok text table: {name}\n    found:    {str(found)[:900]}\n    expected: {str(expected)[:900]}")


def number(word):
    return int(word.replace(",", "").replace("+", ""))


def table(text):
    """[(object or "", segment, {column: value})] of the lines up to the dashes, and of those below."""
    lines = text.split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("object "))
    seg = lines[start].index("segment")
    parts, rows = [], []
    for line in lines[start + 1:]:
        if line.startswith("-----") or not line:
            parts.append(rows)
            rows = []
            if not line:
                return parts
            continue
        name, rest = line[:seg].strip(), line[seg:]
        segment = next((s for s in [*SEGMENTS, "less: in two lines"] if rest.startswith(s + " ")), "")
        rows.append((name, segment, rest[len(segment):].replace(" %", "%").split()))


names = list(MEMBERS)
for scope in ("elf", "all"):
    doc = json.loads(run("--json", "--scope", scope).stdout)
    done = run("--scope", scope, "--segments", "--top", "0", "--columns", ",".join(names) + ",share")
    objects, sums = table(done.stdout)
    expected = []
    for o in doc["objects"]:
        first = True
        for s in o["segments"]:
            if s["pages_mapped"] + s["pages_swapped"] == 0:
                continue
            share = [f"{s['frames_shared'] * 100 // s['frames']}%"] if s["frames"] else []
            expected.append((os.path.basename(o["path"]) if first else "", s["segment"], [f"{s[MEMBERS[n]]:,}" for n in names] + share))
            first = False
    check(f"every column of every segment, scope {scope}", objects, expected)
    totals = doc["totals"]
    check(f"the total, scope {scope}", sums[-1][2], [f"{totals[MEMBERS[n]]:,}" for n in names] + [f"{totals['frames_shared'] * 100 // totals['frames']}%"])
    objects, _ = table(run("--scope", scope, "--top", "0", "--columns", ",".join(names) + ",share").stdout)
    check(f"every column of every object, scope {scope}", [row for row in objects if row[0]],
          [(os.path.basename(o["path"]), "", [f"{o[MEMBERS[n]]:,}" for n in names] + ([f"{o['frames_shared'] * 100 // o['frames']}%"] if o["frames"] else []))
           for o in doc["objects"]])
    # one column at a time, so that blank cells of the correction cannot be taken for others; objects that share a line too
    bad = []
    for n in names[1:]:
        for more in [], ["--top", "3"], ["--top", "0"]:
            objects, rows = table(run("--scope", scope, "--columns", n, *more).stdout)
            for part in objects, rows[:-1]:
                add = sum(number(words[0]) for _, segment, words in part if words)
                if add != number(rows[-1][2][0]):
                    bad.append((n, more, add, rows[-1][2][0]))
    check(f"the lines add up to the total, objects and sums, in each column, scope {scope}", bad, [])
doc = json.loads(run("--json").stdout)
for key in names:
    found = [name for name, _, _ in table(run("--top", "0", "--sort", key).stdout)[0] if name]
    order = sorted(doc["objects"], key=lambda o: -o[MEMBERS[key]])
    check(f"sorted by {key}", found, [os.path.basename(o["path"]) for o in order])
found = [name for name, _, _ in table(run("--top", "0", "--sort", "name").stdout)[0] if name]
check("sorted by name", found, [os.path.basename(o["path"]) for o in sorted(doc["objects"], key=lambda o: os.fsencode(o["path"]))])
found = [name for name, _, _ in table(run("--top", "2", "--sort", "private").stdout)[0] if name]
order = sorted(doc["objects"], key=lambda o: -o["pages_private"])
check("--top takes the first of the order", found, [os.path.basename(o["path"]) for o in order[:2]] + [f"{len(order) - 2} other objects"])
for arguments, part in ((["--columns", "frames,freckles"], "there is no column 'freckles'"), (["--columns", ""], "there is no column ''"),
                        (["--columns", "frames,procs,frames"], "column 'frames' is there twice"), (["--sort", "beauty"], "there is no column 'beauty'"),
                        (["--sort", "name", "--json"], "of the text")):
    done = run(*arguments)
    check(f"{arguments[1][:30]!r} {arguments[0]}: refused", (done.returncode, part in done.stderr), (2, True))
# a terminal of so many characters: the usual table fits, without the columns that are wanted least
import fcntl, pty, struct, termios


def terminal_text(lines, columns, *arguments):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen([ldr, "pages", *arguments, *pids], stdout=theirs)
    os.close(theirs)
    text = b""
    while True:
        try:
            got = os.read(ours, 65536)
        except OSError: # the other side is closed
            got = b""
        if not got:
            break
        text += got
    process.wait()
    os.close(ours)
    return text.decode().replace("\r", "")


def on_terminal(columns, *arguments):
    lines = terminal_text(24, columns, *arguments).split("\n")
    first = next(i for i, line in enumerate(lines) if line.startswith("object "))
    last = next(i for i, line in enumerate(lines) if line.startswith("total "))
    return lines[first].split(), max(len(line) for line in lines[first:last + 1])


all_titles = "object segment procs mapped frames shared alone private avoided shared".split()
check("a wide terminal: all columns", on_terminal(200)[0], all_titles)
for arguments in [], ["--why"]:
    titles, width = on_terminal(80, *arguments)
    check(f"80 characters {arguments}: fits, and the sums are there", (width <= 80, {"frames", "avoided"} <= set(titles)), (True, True))
check("a terminal, columns chosen: as they are", on_terminal(40, "--columns", "frames,alone,share")[0], "object segment frames alone shared".split())
# one screen: as many objects as fit, none left out where there is room, the rest in one line
def screen_lines(text, columns):
    return sum(max(1, -(-len(line.replace("\033[1m", "").replace("\033[0m", "")) // columns)) for line in text.split("\n")[:-1])


everything = screen_lines(terminal_text(200, 120), 120)
for height in 24, 30, everything, everything + 1:
    for arguments in [], ["--why"], ["--segments"], ["--columns", "frames,private"]:
        text = terminal_text(height, 120, *arguments)
        used, others = screen_lines(text, 120), "other objects" in text
        listed = sum(1 for name, _, _ in table(text)[0] if name and "other objects" not in name)
        # the prompt has the last line; with --segments a few lines stay free where the next object has more of them
        check(f"{height} lines {arguments}: fits, or has the fewest objects", used <= height - 1 or (listed, others) == (4, True), True)
        check(f"{height} lines {arguments}: the screen is used", not others or used >= height - (5 if arguments == ["--segments"] else 1), True)
        check(f"{height} lines {arguments}: what is left out is said", f"listed: {listed} of {len(doc['objects'])} objects; --top 0 lists all" in text, others)
# narrow screens, where the table itself is wider: names are shortened, columns left out, and what wraps takes lines
long_names = {os.path.basename(o["path"]) for o in doc["objects"] if len(os.path.basename(o["path"])) > 32}
for height, columns in (24, 80), (30, 60), (40, 80), (40, 60):
    for arguments in ([], ["--why"]) if columns >= 80 else ([],):
        text = terminal_text(height, columns, *arguments)
        used = screen_lines(text, columns)
        listed = sum(1 for name, _, _ in table(text)[0] if name and "other objects" not in name)
        check(f"{height} lines of {columns} {arguments}: fits, or has the fewest objects", used <= height - 1 or (listed, height < 40) == (4, True), True)
        check(f"{height} lines of {columns} {arguments}: no line of the table wraps", max(len(line) for line in text.split("\n\n")[1].split("\n")) <= columns, True)
text = terminal_text(60, 60)
shown = [name for name, _, _ in table(text)[0] if "..." in name]
check("a long name without its middle", (len(long_names) > 0, [any(full.startswith(name.split("...")[0]) and full.endswith(name.split("...")[1]) for full in long_names) for name in shown]),
      (True, [True] * len(shown)))
check("a wide table of chosen columns: what wraps takes lines", screen_lines(terminal_text(44, 60, "--columns", "mapped,frames,shared,alone,private,avoided"), 60) <= 43, True)
check("all objects where they fit, with the prompt's line", "other objects" in terminal_text(everything + 1, 120), False)
check("a line less: not all of them", "other objects" in terminal_text(everything, 120), True)
# a report that was kept: the text that the processes themselves have, but for the time above and who was chosen in the headline
def kept(text, *arguments):
    done = subprocess.run([ldr, "pages", "--from", "-", *arguments], input=text, capture_output=True, text=True)
    return done.stdout.split("\n", 1), done.stderr, done.returncode


def cached(text):
    """The text without what is in the page cache, which others on the machine change, and that number."""
    line = next((line for line in text.split("\n") if line.startswith("page cache: ")), "")
    return text.replace(line, ""), number(line.split()[2]) if line else 0


for scope in "elf", "all":
    document = run("--json", "--scope", scope).stdout
    for arguments in ["--why"], ["--why", "--segments"], ["--sharing", "--columns", "procs,private,reloc,write,images", "--sort", "reloc"], ["--why", "--top", "2"]:
        live = run("--scope", scope, *arguments)
        (when, text), said, status = kept(document, *arguments)
        check(f"kept, scope {scope} {arguments}: the live text", cached(text)[0], cached(live.stdout.replace(" chosen processes", " processes", 1))[0])
        if scope == "all":
            check(f"kept, {arguments}: the page cache of then", cached(text)[1], sum(o.get("pages_cached_unmapped", 0) for o in json.loads(document)["objects"]))
        check(f"kept, scope {scope} {arguments}: time, messages, status", (when, said, status), (json.loads(document)["time"], live.stderr, live.returncode))
    live, (_, text), = run("--scope", scope).stdout.split("\n"), kept(document)[0]
    check(f"kept, scope {scope}: the same table, and causes too", [line for line in text.split("\n") if line not in live and not line.startswith(("private ", "could be won", "page cache"))],
          [live[0].replace(" chosen", "")])
limited = json.loads(run("--json").stdout)
limited.update(exact=False, unreadable=2, memory_unreadable=1, missing=3, unopened=1, left_out=[{"pid": 7, "why": "unreadable"}, {"pid": 8, "why": "unreadable"}, {"pid": 9, "why": "unopened"}])
(_, text), said, status = kept(json.dumps(limited))
check("kept, with limits: said, and the status", (status, "not complete (see below)" in text, [line.split(": ")[1][:33] for line in said.split("\n")[:-1]]),
      (3, True, ["2 processes (7, 8) left out", "1 process (9) left out", "1 process whose memory may not be", "3 that had been named were not th"]))

# A report of as many files as a large machine has, some of them there twice: in seconds of the processor that grow as the report does. Each
# name is looked for among all, each set of files too.
one = {k: v for k, v in limited["objects"][0].items() if type(v) is not list}
paths = [f"/{'ab'[i & 1]}/{i // 2 if i < 9000 else i}/{'same' if i % 3 else i}" for i in range(18000)] + ["/twice"] * 3000
many = dict(limited, objects=[{**one, "path": path, "inode": i, "segments": []} for i, path in enumerate(paths)])
many["savings"] = {"if_duplicates_one": {"pages": 9, "sets": [{"pages": 9, "files": [{"path": o["path"], "device": o["device"], "inode": o["inode"]} for o in many["objects"]]}]}}
many["totals"] = {**many["totals"], "pages_won_duplicates": 9}
done = subprocess.run(["bash", "-c", 'ulimit -t 12; exec "$@"', "-", ldr, "pages", "--from", "-", "--top", "0"], input=json.dumps(many), capture_output=True, text=True)
lines = done.stdout.split("\n")
check("21,000 files: a report in seconds", done.returncode, 3)
last = {}
for path in set(paths):
    last.setdefault(path.rsplit("/", 1)[1], set()).add(path)
names = [(path if len(last[path.rsplit("/", 1)[1]]) > 1 else path.rsplit("/", 1)[1]) + (f" ({one['device']}:{i})" if path == "/twice" else "") for i, path in enumerate(paths)]
check("21,000 files: each by a name of its own", sorted(line.split("  ")[0] for line in lines[4:4 + len(paths)]), sorted(names))
check("no terminal: as on a screen of 40 lines", screen_lines(run("--segments").stdout, 120) <= 40, True)
check("no terminal: what does not fit is left out", "other objects" in run("--segments").stdout, True)
check("a number of objects asked for: they are there", sum(1 for name, _, _ in table(terminal_text(24, 120, "--top", "0"))[0] if name), len(doc["objects"]))
EOF
release || echo "not ok a held program ended with status $?"
