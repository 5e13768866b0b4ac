#!/usr/bin/env python3
"""trace.py QUESTION ARGS... - what must be true of `ldr trace`, judged without its code. Prints `ok NAME` or `not ok NAME`.

  bindings SYSTEM LDR PROGRAM...   the bindings of the record are those that the system's linker tells under LD_DEBUG=bindings
  maps JSON MAPS                   segments of the record against /proc/self/maps as the program printed it
  phases JSON WALL_MS              phases follow each other without a gap and add up to the wall time within 5 %
  timed TRIES COMMAND...           run it with LDR_TRACE; leaves the quickest run's record in ./record and prints its milliseconds
  sum LDR COMMAND...               the table at the end of ldr trace's text adds up to the wall time within 5 %
  viewer FILE                      Trace Event format: required members, and events of a thread nest
"""
import json, os, re, subprocess, sys, tempfile, time

failed = 0


def check(name, good, found="", expected=""):
    global failed
    print(("ok " if good else "not ok ") + name)
    if not good:
        failed = 1
        print(f"    found:    {found}\n    expected: {expected}")


def records(path):
    with open(path, errors="surrogateescape") as lines:
        return [json.loads(line) for line in lines]


def linker_or(path):
    return "LINKER" if re.search(r"/ld-(linux-x86-64\.so\.2|ldr\.so)$", path or "") else path


def bindings(system, ldr, *command):
    label = os.path.basename(command[0])
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, LD_BIND_NOW="1", LD_DEBUG="bindings", LD_DEBUG_OUTPUT=folder + "/out")
        process = subprocess.Popen([system, *command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        process.wait()
        theirs = set()
        for line in open(f"{folder}/out.{process.pid}", errors="surrogateescape"):
            match = re.search(r"binding file (\S+) \[0\] to (\S+) \[0\]: \w+ symbol `([^']*)'(?: \[(.*)\])?", line)
            if match:
                theirs.add((linker_or(match[1]), linker_or(match[2]), match[3], match[4]))
        env = dict(os.environ, LD_BIND_NOW="1")
        subprocess.run([ldr, "trace", "--json", "-e", "bind,map", "-o", folder + "/json", "--", *command], env=env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, check=False)
        mine = set()
        for event in records(folder + "/json"):
            if event["event"] == "bind" and event["definer"]:
                mine.add((linker_or(event["object"]), linker_or(event["definer"]), event["symbol"], event["version"]))
    # By dlsym, by the linker for itself, or for the vDSO: no relocation.
    asked = {b for b in theirs - mine if b[0] == "LINKER" or "vdso" in b[0] or b[2] in ("malloc", "calloc", "realloc", "free", "__libc_early_init")
             or (b[3] is None and b[0] == b[1])}
    check(f"{label}: {len(mine)} bindings recorded, those of the system's linker", theirs - asked == mine - {b for b in mine if b[0] == "LINKER"} and mine,
          f"only recorded {sorted(mine - theirs, key=str)[:6]}", f"only told {sorted(theirs - mine - asked, key=str)[:6]}")


def maps(trace, proc_maps):
    shown = {}
    for line in open(proc_maps):
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (....) ([0-9a-f]+) \S+ \d+ +(/\S+)", line)
        if match:
            shown[int(match[1], 16)] = (int(match[2], 16), match[3], int(match[4], 16), match[5])
    wrong, count = [], 0
    for event in records(trace):
        if event["event"] != "map" or "vdso" in event["object"] or not event["segments"]:
            continue
        for segment in event["segments"]:
            start = int(segment["start"], 16) & ~0xfff
            count += 1
            line = next((v for k, v in shown.items() if k <= start < v[0]), None)
            # RELRO has become read-only at the front of the data by now.
            if not line or os.path.realpath(line[3]) != os.path.realpath(event["object"]) or \
               (line[1][:3] != segment["permission"] and segment["permission"] != "rw-"):
                wrong.append((event["object"], segment, line))
    check(f"{count} recorded segments lie where /proc/self/maps has them", count >= 8 and not wrong, wrong[:3], "the same address, file and permission")


def phases(trace, wall):
    events = [e for e in records(trace) if e["event"] == "phase"]
    names = [e["phase"] for e in events]
    check("phases in their order", names == ["load", "link", "relocate", "protect", "constructors", "running", "finish"], names)
    gaps = [b["time_ns"] - a["time_ns"] - a["duration_ns"] for a, b in zip(events, events[1:])]
    check("phases leave no gap", all(abs(g) < 10 for g in gaps), gaps, "all 0")
    whole = sum(e["duration_ns"] for e in events) / 1e6
    check("phases add up to the wall time within 5 %", 0.95 * float(wall) <= whole <= float(wall), whole, wall)


def seconds(command, **more):
    begin = time.monotonic()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False, **more)
    return time.monotonic() - begin


# Something else may take the machine between the clock and the process: the quickest of some runs is told, and its record is kept.
def timed(tries, *command):
    best = None
    for _ in range(int(tries)):
        took = seconds(command, env=dict(os.environ, LDR_TRACE="timed"))
        if best is None or took < best:
            best = took
            os.replace("timed", "record")
        if os.path.exists("timed"):
            os.unlink("timed")
    print(best * 1000)


def total(ldr, *command):
    label, best = os.path.basename(command[0]), None
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(12):           # what else the machine does must pass over both runs once
            record, text = folder + "/record", folder + "/text"
            took = seconds([ldr, "trace", "--record", record, "-o", text, "--", *command])
            # What the command does beside waiting for the program: its own start, and reading the record.
            took -= seconds([ldr, "trace", "--read", record, "-o", folder + "/again"])
            os.unlink(record)
            lines = re.findall(r"^ +([0-9.]+) ms +[0-9.]+ %  (.*)$", open(text).read(), re.M)
            wall = sum(float(ms) for ms, what in lines if what == "wall time")
            parts = [float(ms) for ms, what in lines if what != "wall time"]
            found = (abs(wall / (took * 1000) - 1), wall, took * 1000, sum(parts), len(parts))
            best = min(best or found, found)
            if best[0] < 0.05:
                break
    _, wall, outside, whole, count = best
    check(f"{label}: the parts add up to the line of the wall time", count > 5 and abs(whole - wall) <= 0.001 * count, whole, wall)
    check(f"{label}: which is the wall time within 5 %", 0.95 * outside <= wall <= 1.05 * outside, wall, outside)


def viewer(path):
    with open(path) as file:
        trace = json.load(file)
    events = trace["traceEvents"]
    bad = [e for e in events if not {"ph", "name", "pid", "tid"} <= set(e) or e["ph"] not in "XiM" or (e["ph"] == "X" and not {"ts", "dur"} <= set(e))
           or (e["ph"] == "i" and e.get("s") != "t")]
    check(f"{len(events)} events have the members of their kind", len(events) > 20 and not bad, bad[:2])
    check("times are numbers of microseconds", all(isinstance(e["ts"], (int, float)) for e in events if e["ph"] != "M"))
    crossing, stacks = [], {}
    for event in sorted((e for e in events if e["ph"] == "X"), key=lambda e: (e["ts"], -e["dur"])):
        stack = stacks.setdefault((event["pid"], event["tid"]), [])
        while stack and stack[-1]["ts"] + stack[-1]["dur"] <= event["ts"] + 0.0015:
            stack.pop()
        if stack and event["ts"] + event["dur"] > stack[-1]["ts"] + stack[-1]["dur"] + 0.0015:
            crossing.append((stack[-1], event))
        stack.append(event)
    check("events of a thread nest", not crossing, crossing[:2])
    named = [e for e in events if e["ph"] == "M" and e["name"] == "process_name"]
    check("every process has a name", {e["pid"] for e in named} == {e["pid"] for e in events})


{"bindings": bindings, "maps": maps, "phases": phases, "viewer": viewer, "sum": total, "timed": timed}[sys.argv[1]](*sys.argv[2:])
sys.exit(failed)
