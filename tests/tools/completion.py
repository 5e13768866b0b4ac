#!/usr/bin/env python3
"""completion.py LDR SCRIPTS - completes command lines in real shells (bash with and without its completion package, zsh, fish), as a person
would with the tab key, and compares what comes with the --help of every command."""
import os, pty, re, select, shutil, subprocess, sys, tempfile, time

ldr, scripts = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
failed = 0


def check(name, good, found="", expected=""):
    global failed
    print(("ok " if good else "not ok ") + name)
    if not good:
        failed = 1
        print(f"    found:    {found}\n    expected: {expected}")


def run(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout.decode()


class Terminal:
    """A shell at a terminal in which ^X puts all completions into the line."""

    def __init__(self, words, begin, home):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(home)
            os.execve(words[0], words, {"HOME": home, "PATH": f"{home}/bin:/usr/bin:/bin", "TERM": "dumb", "PS1": "> ", "LC_ALL": "C.UTF-8", "ZDOTDIR": home})
        for line in begin:
            os.write(self.fd, line.encode() + b"\n")
        self.until("begin-is-done", "echo begin-is-'done'\n")

    def until(self, mark, send):
        os.write(self.fd, send.encode())
        text, end = "", time.monotonic() + 30
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.5)[0]:
                try:
                    text += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    break
                if re.search(r"^" + mark, text.replace("\r", "\n"), re.M):
                    return text
        return text

    def complete(self, line, wait):
        """The whole line, with the last word's completions in its place."""
        # The key comes alone: shells look whether more is typed already.
        os.write(self.fd, line.encode())
        time.sleep(wait / 3)
        os.write(self.fd, b"\x18")
        time.sleep(wait)
        os.write(self.fd, b"\x01said \x05\n")              # home, a command in front of the line, end
        self.until("said-it", "echo said-'it'\n")
        try:
            with open(self.home_out) as out:
                return out.read().split("\n")[:-1]
        except OSError:
            return []

    def close(self):
        os.write(self.fd, b"\x15exit\n")
        time.sleep(0.1)
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def bash(home, begin):
    return Terminal(["/bin/bash", "--norc", "--noprofile", "-i"], begin + ["said() { printf '%s\\n' \"$@\" >out; }", "bind '\"\\C-x\": insert-completions'",
                                                                        "bind 'set completion-query-items 0'"], home)


def zsh(home):
    return Terminal(["/bin/zsh", "-f", "-i"], [f"fpath=({home}/zsh $fpath)", "autoload -Uz compinit", "compinit -u", "bindkey -e", "unsetopt zle_bracketed_paste 2>/dev/null",
                                             "said() { print -rl -- \"$@\" >out }", "zle -C all-matches complete-word _generic", "bindkey '^x' all-matches",
                                             "zstyle ':completion:all-matches:*' insert yes", "zstyle ':completion:all-matches::::' completer _all_matches _complete"], home)


def options_of(*command):
    help_text = run(ldr, *command, "--help")
    return set(re.findall(r"^ {2,6}(?:-.[,] )?(--[a-z0-9-]+)", help_text, re.M))


def commands():
    return re.findall(r"^  ldr ([a-z]+) .*\n {8}\S", run(ldr, "--help"), re.M)


def judge(shell, complete):
    """complete(line, wait) gives the words that the shell would put in the place of the last one."""
    def same(what, line, expected, plain):
        for wait in (0.15, 0.6, 2.5):                      # the machine may be busy
            got = sorted({plain(word) for word in complete(line, wait)})
            if got == sorted(expected):
                break
        check(f"{shell}: {what}", got == sorted(expected) and got, got, sorted(expected))

    names = set(commands())
    same("the commands of --help", "ldr ", names, str)
    for command in [[name] for name in names] + [["pages", "diff"]]:
        line = f"ldr {' '.join(command)} --"
        same(f"{line}: the options of its --help", line, options_of(*command), lambda word: word.rstrip("="))
    for line, expected in (("ldr check --fail-on=", ["error", "warning", "note", "never"]), ("ldr check --level w", ["warning"]), ("ldr pages --scope=", ["elf", "all"]),
                           ("ldr cache w", ["warm"]), ("ldr trace -e constructor,k", ["constructor,keep"]), ("ldr help ld", ["ld-ldr.so"]),
                           ("ldr why ./somepro", ["./someprogram"]), ("ldr tree --sysroot=some", ["somedir"]), ("ldr run --stats-json some", ["somedir", "someprogram"]),
                           ("ldr check -p ./x some", ["somedir", "someprogram"]), ("ldr pages --user=roo", ["root"])):
        same(line, line, expected, lambda word: word.rsplit("=", 1)[-1].rstrip("/"))


with tempfile.TemporaryDirectory() as home:
    os.makedirs(home + "/bin")
    os.makedirs(home + "/zsh")
    os.makedirs(home + "/somedir")
    os.symlink(ldr, home + "/bin/ldr")
    shutil.copy(scripts + "/_ldr", home + "/zsh/_ldr")
    shutil.copy("/usr/bin/true", home + "/someprogram")
    Terminal.home_out = home + "/out"

    def in_terminal(terminal):
        def complete(line, wait):
            if os.path.exists(home + "/out"):
                os.unlink(home + "/out")
            words = terminal.complete(line, wait)
            return words[len(line.split()) - (not line.endswith(" ")):]
        return complete

    package = "/usr/share/bash-completion/bash_completion"
    for name, begin in (("bash", [f". {scripts}/ldr.bash"]), ("bash with its package", [f". {package}", f". {scripts}/ldr.bash"])):
        if name != "bash" and not os.path.exists(package):
            print(f"skip {name}: bash-completion is not installed")
            continue
        terminal = bash(home, begin)
        judge(name, in_terminal(terminal))
        terminal.close()
    if os.path.exists("/bin/zsh"):
        terminal = zsh(home)
        judge("zsh", in_terminal(terminal))
        terminal.close()
    else:
        print("skip zsh: not installed")
    if shutil.which("fish"):
        env = {"HOME": home, "PATH": f"{home}/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

        def by_fish(line, _):
            out = subprocess.run(["fish", "-N", "-c", f"source {scripts}/ldr.fish; complete -C {line!r}"], env=env, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 check=False).stdout.decode()
            return [word.split("\t")[0] for word in out.split("\n") if word]
        judge("fish", by_fish)
    else:
        print("skip fish: not installed")
sys.exit(failed)
