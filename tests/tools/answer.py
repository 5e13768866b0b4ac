"""answer.py FILE - one process for all questions of a script about JSON, for starting python costs more than most answers do. Standard
input has the questions, each of four parts ended by a zero byte: the folder, KIND, PATH, a Python expression. Its value, or what was wrong
with it, is written to FILE, then a line to standard output. What the expression may name, by KIND:

  report   r, the document in PATH; o(NAME), its object whose path ends in NAME; s(NAME, SEGMENT), one of its segments, as
           "mapped frames shared alone private avoided"
  events   events, a list of the JSON lines in PATH; base(PATH), its last part
  stats    get(NAME), the document in NAME.json; part(NAME, END), its object whose path ends in END"""
import os, sys, traceback
import json

answer, parsed = os.path.abspath(sys.argv[1]), {}


def kept(path, parse):
    """Parsed anew where the bytes are not those of the last time."""
    with open(path, "rb") as f:
        data = f.read()
    if parsed.get((path, parse), (None,))[0] != data:
        parsed[path, parse] = data, parse(data.decode())
    return parsed[path, parse][1]


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def only(found, what):
    assert len(found) == 1, f"{len(found)} objects end in {what}"
    return found[0]


def report(path):
    r = kept(path, json.loads)

    def o(name):
        return only([x for x in r["objects"] if x["path"].endswith(name)], name)

    def s(name, segment):
        keys = "pages_mapped", "frames", "frames_shared", "frames_alone", "pages_private", "page_copies_avoided"
        found = [x for x in o(name)["segments"] if x["segment"] == segment]
        return " ".join(str(found[0][k]) for k in keys) if found else "none"
    return {"r": r, "o": o, "s": s}


def events(path):
    return {"events": kept(path, lines), "base": lambda p: p.rsplit("/", 1)[-1] if p else p}


def stats(_):
    def get(name):
        return kept(name + ".json", json.loads)
    return {"get": get, "part": lambda name, end: next(x for x in get(name)["objects"] if x["path"] and x["path"].endswith(end))}


KINDS = {"report": report, "events": events, "stats": stats}
rest = b""
while True:
    while rest.count(b"\0") < 4:
        more = os.read(0, 65536)
        if not more:
            sys.exit()
        rest += more
    *question, rest = rest.split(b"\0", 4)
    folder, kind, path, expression = (os.fsdecode(part) for part in question)
    try:
        os.chdir(folder)
        value = str(eval(expression, KINDS[kind](path))).encode()
    except Exception:
        value = traceback.format_exc().encode(errors="backslashreplace")
    with open(answer, "wb") as f:
        f.write(value)
    os.write(1, b"\n")
