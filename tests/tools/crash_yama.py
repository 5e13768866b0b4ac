#!/usr/bin/env python3
"""crash_yama.py COMMAND... - runs it where the kernel answers as under Yama scope 1 with a tracer that is no ancestor: PTRACE_SEIZE is refused unless
the process has named a tracer (PR_SET_PTRACER) and not taken that back. A filter of system calls asks us. Status: the command's; 77: no such filter."""
import ctypes, fcntl, os, select, struct, sys

PTRACE, PRCTL, SECCOMP = 101, 157, 317
SEIZE, SET_PTRACER, NO_NEW_PRIVS = 0x4206, 0x59616d61, 38
ALLOW, ASK = 0x7fff0000, 0x7fc00000
RECEIVE, SEND = 0xC0502100, 0xC0182101
libc = ctypes.CDLL(None, use_errno=True)


def load(offset): return struct.pack("HBBI", 0x20, 0, 0, offset)
def unless_equal(value, skip): return struct.pack("HBBI", 0x15, 0, skip, value)
def give(value): return struct.pack("HBBI", 0x06, 0, 0, value)


# the system call's number is at 0, the low half of its first argument at 16
rules = [load(0), unless_equal(PTRACE, 3), load(16), unless_equal(SEIZE, 1), give(ASK),
         load(0), unless_equal(PRCTL, 3), load(16), unless_equal(SET_PTRACER, 1), give(ASK), give(ALLOW)]
code = ctypes.create_string_buffer(b"".join(rules))
program = struct.pack("HxxxxxxQ", len(rules), ctypes.addressof(code))
libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
listener = libc.syscall(SECCOMP, 1, 8, program)      # a filter for what follows, and a descriptor that is asked
if listener < 0:
    print(f"no filter with a listener: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
    sys.exit(77)
os.set_inheritable(listener, False)
child = os.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
named = False
while True:
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        break
    if not select.select([listener], [], [], 0.05)[0]:
        continue
    call = bytearray(80)
    try:
        fcntl.ioctl(listener, RECEIVE, call)
        number, = struct.unpack_from("i", call, 16)
        first, second = struct.unpack_from("QQ", call, 32)
        refused = number == PTRACE and not named
        if number == PRCTL:
            named = second != 0
        fcntl.ioctl(listener, SEND, struct.pack("QqiI", struct.unpack_from("Q", call)[0], 0, -1 if refused else 0, 0 if refused else 1))
    except OSError:
        pass                          # whoever asked has died
sys.exit(os.waitstatus_to_exitcode(status) & 0xff)
