"""words.py LDR - that two commands say one thing in one word."""
import json
import os
import subprocess
import sys

ldr = os.path.abspath(sys.argv[1])
passed = failed = 0


def judge(name, good, found=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"not ok {name}: {found}")


def ask(*arguments, **more):
    done = subprocess.run([ldr, *arguments], capture_output=True, check=False, env={**os.environ, "LDR_CACHE": "off", **more})
    return done.stdout.decode(errors="replace"), done.stderr


# One rule, one word: what is found before a start and what the start itself tells, of every object.
for program, *arguments in ("/usr/bin/openssl", "version"), ("/usr/bin/bash", "-c", "exit"):
    told = {}
    for line in ask("trace", "--json", program, *arguments)[1].splitlines():
        event = json.loads(line)
        if event["event"] == "map" and event["object"].startswith("/") and event["rule"] not in ("program", "linker"):
            told.setdefault(event["object"], event["rule"])
    objects = [o for o in json.loads(ask("tree", "--json", program)[0])["objects"] if o["path"] in told or "ld-linux" in o["path"]]
    differ = [(o["path"], o["found_by"], told.get(o["path"])) for o in objects if o["path"] in told and told[o["path"]] != o["found_by"]]
    linker = {rule for path, rule in told.items() if "ld-linux" in path} | {o["found_by"] for o in objects if "ld-linux" in o["path"]}
    judge(f"{program}: tree and trace", len(told) > 1 and len(objects) > 1 and not differ, differ or told)
    judge(f"{program}: its linker", linker == {"the program's linker"}, linker)

print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(failed != 0 or not passed)
