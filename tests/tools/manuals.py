#!/usr/bin/env python3
"""manuals.py BUILD - every manual page against what the program itself says: the options of --help and no others, exit statuses, the words of a
command, the variables that the sources read; man has no complaint; the sections and examples are there; make install brings them."""
import os, re, subprocess, sys, tempfile

build = os.path.realpath(sys.argv[1])
top = os.path.realpath(os.path.dirname(__file__) + "/../..")
ldr, linker = build + "/ldr", build + "/ld-ldr.so"
failed = 0


def check(name, wrong):
    global failed
    print(("not ok " if wrong else "ok ") + name)
    if wrong:
        failed = 1
        print(f"    {wrong}")


def run(*words, **more):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more).stdout.decode()


def plain(text):
    return re.sub(r"\\f.", "", text).replace("\\-", "-").replace('"', "").replace("\\&", "")


def section(page, name):
    match = re.search(rf'^\.SH "?{name}"?\n(.*?)(?=^\.SH |\Z)', page, re.M | re.S)
    return match[1] if match else ""


def told_options(help_text):
    return set(re.findall(r"^ {2,6}(?:-.[,] )?(--[a-z0-9-]+)", help_text, re.M))


def page_options(page):
    tags = re.findall(r"^\.TP.*\n(.*)$", page, re.M)
    return {option for tag in tags for option in re.findall(r"--[a-z0-9-]+", plain(tag))}


COMMON = {"--help", "--usage", "--version"}
commands = [name for name in dict.fromkeys(re.findall(r"^  ldr ([a-z]+) .*\n {8}\S", run(ldr, "--help"), re.M))]
pages = {}
for name in [None, *commands, linker]:
    if name == "help":
        continue
    label = "ldr" if name is None else "ld-ldr.so" if name == linker else f"ldr-{name}"
    path = f"{top}/tools/{label}.{8 if name == linker else 1}"
    if not os.path.exists(path):
        check(f"{label}: has a page", path)
        continue
    page = pages[label] = open(path).read()
    lint = subprocess.run(["man", "--warnings", "-l", path], env=dict(os.environ, LC_ALL="C.UTF-8"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    check(f"{label}: man has no complaint", lint.stderr.decode()[:300])
    missing = [part for part in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES", "SEE ALSO") if not section(page, part)]
    check(f"{label}: its sections", missing)
    examples = re.findall(r"^\$ (.*)$", plain(section(page, "EXAMPLES")), re.M)
    check(f"{label}: examples", not examples)
    if name is None:
        continue
    help_text = run(linker if name == linker else ldr, *([] if name == linker else [name]), "--help")
    options = told_options(help_text)
    if name == "pages":
        options |= told_options(run(ldr, "pages", "diff", "--help"))
    known = options if name == linker else options - COMMON
    check(f"{label}: options of --help that the page has not", sorted(known - page_options(page)))
    check(f"{label}: options of the page that --help has not", sorted(page_options(page) - options))
    if name == linker:
        continue
    used = {option for line in examples for part in re.split(r"[|;&]", line) if f"ldr {name} " in part and name not in ("run", "session", "trace")
            for option in re.findall(r"(?<= )--[a-z-]+", part)}
    check(f"{label}: options in the examples are options", sorted(used - options))
    words = set(re.findall(r"^(?:Usage|  or): +ldr " + name + r" \[OPTION\.\.\.\] \[?([a-z]+)", help_text, re.M))
    check(f"{label}: words of the command", sorted(word for word in words if not re.search(rf"\b{word}\b", page)))
    status = re.search(r"^Exit status: (.*?)\n\n", help_text, re.M | re.S)
    numbers = set(re.findall(r"\b\d+\b", status[1])) if status else {"none told"}
    check(f"{label}: exit statuses", sorted(numbers - set(re.findall(r"\b\d+\b", section(page, "EXIT STATUS")))))
    check(f"{label}: is in the overview", f"ldr\\-{name} (1)" not in pages["ldr"])

variables = set()
for folder in ("tools", "ldr/link"):
    for where, _, names in os.walk(f"{top}/{folder}"):
        for name in names:
            if name.endswith(".c"):
                variables |= set(re.findall(r'(?:getenv|value_of)\((?:entry, )?"((?:LDR?_[A-Z_]+)|NO_COLOR|TMPDIR)"', open(f"{where}/{name}").read()))
text = " ".join(plain(section(page, "ENVIRONMENT")) for page in pages.values())
check(f"{len(variables)} variables that are read stand in a page", sorted(v for v in variables if not re.search(rf"\b{v}\b", text)) if len(variables) > 10 else "none found")

check("ldr help COMMAND", "ldr-tree" not in run(ldr, "help", "tree") and "no page")
check("ldr help", "ldr-session" not in run(ldr, "help") and "no overview")
check("ldr help ld-ldr.so", "LDR_GENUINE_LDSO" not in run(ldr, "help", "ld-ldr.so") and "no page")
check("ldr help without man is --help", run(ldr, "help", "tree", env={"PATH": "/nonexistent"}) != run(ldr, "tree", "--help") and "something else")
check("ldr help of no command", subprocess.run([ldr, "help", "nonsense"], stderr=subprocess.DEVNULL, check=False).returncode != 4 and "another status")
with tempfile.TemporaryDirectory() as folder:
    made = run("make", "-s", "-C", top, "install", f"DESTDIR={folder}", "PREFIX=/usr", env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    names = {f"{folder}/usr/share/man/man{8 if label == 'ld-ldr.so' else 1}/{label}.{8 if label == 'ld-ldr.so' else 1}" for label in pages}
    names |= {f"{folder}/usr/share/" + name for name in ("bash-completion/completions/ldr", "zsh/site-functions/_ldr", "fish/vendor_completions.d/ldr.fish")}
    check("make install brings every page and the completions", sorted(name for name in names if not os.path.exists(name)) or made)
    check("an installed ldr shows its own pages", "ldr-why" not in run(folder + "/usr/bin/ldr", "help", "why") and "no page")
    run("make", "-s", "-C", top, "uninstall", f"DESTDIR={folder}", "PREFIX=/usr", env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    check("make uninstall takes them away", [f"{where}/{name}" for where, _, names in os.walk(folder) for name in names])
sys.exit(failed)
