#!/usr/bin/env python3
"""make.py GOOD OUT - writes damaged copies of the libraries and the program in GOOD to OUT, and OUT/cases for run.c.

Each case is one defect. Classes (see run.c):
  check   the linker can see the defect, or it harms nothing: never a signal
  bytes   the damaged file is well formed and means something else: a pointer, a function's address or kind, a relocation's value or
          place among writable data, code or data bytes mapped from elsewhere, permissions the code needs. The linker cannot know what
          was meant, so the program may fault in its own code; the linker itself may not.
  code    DT_INIT, DT_FINI, the entry or DT_PLTGOT lead into the file's own code or data at a wrong place, which then runs.
"""
import os
import random
import struct
import sys

GOOD, OUT = sys.argv[1:3]
RANDOM = random.Random(2)             # same files every time
PT = {0: 'null', 1: 'load', 2: 'dynamic', 3: 'interp', 4: 'note', 6: 'phdr', 7: 'tls', 0x6474e550: 'eh', 0x6474e551: 'stack',
      0x6474e552: 'relro', 0x6474e553: 'property'}
PHDR = [('type', 0, 4), ('flags', 4, 4), ('offset', 8, 8), ('vaddr', 16, 8), ('paddr', 24, 8), ('filesz', 32, 8), ('memsz', 40, 8),
        ('align', 48, 8)]
EHDR = [('type', 16, 2), ('machine', 18, 2), ('version', 20, 4), ('entry', 24, 8), ('phoff', 32, 8), ('shoff', 40, 8), ('flags', 48, 4),
        ('ehsize', 52, 2), ('phentsize', 54, 2), ('phnum', 56, 2), ('shentsize', 58, 2), ('shnum', 60, 2), ('shstrndx', 62, 2)]
SYM = [('name', 0, 4), ('info', 4, 1), ('other', 5, 1), ('shndx', 6, 2), ('value', 8, 8), ('size', 16, 8)]
DT = {n: i for i, n in enumerate('null needed pltrelsz pltgot hash strtab symtab rela relasz relaent strsz syment init fini soname rpath '
                                 'symbolic rel relsz relent pltrel debug textrel jmprel bind_now init_array fini_array init_arraysz '
                                 'fini_arraysz runpath flags'.split())}
DT.update(preinit_array=32, preinit_arraysz=33, relrsz=35, relr=36, relrent=37, gnu_hash=0x6ffffef5, versym=0x6ffffff0,
          relacount=0x6ffffff9, flags_1=0x6ffffffb, verdef=0x6ffffffc, verdefnum=0x6ffffffd, verneed=0x6ffffffe, verneednum=0x6fffffff)
DTNAME = {v: k for k, v in DT.items()}
MAX = {1: 0xff, 2: 0xffff, 4: 0xffffffff, 8: 0xffffffffffffffff}
# Well-formed changes of meaning, by what is changed: see the class "bytes".
PHDR_BYTES = {'load': {'offset', 'vaddr', 'flags', 'type', 'filesz', 'memsz'}, 'dynamic': {'vaddr', 'type'}, 'relro': {'vaddr', 'memsz'},
              'tls': {'type', 'vaddr', 'filesz', 'memsz', 'align'}}
DYN_CODE = {'init', 'fini', 'pltgot'}
DYN_BYTES = {'symtab', 'strtab', 'rela', 'relasz', 'jmprel', 'pltrelsz', 'pltrel', 'init_array', 'init_arraysz',
             'fini_array', 'fini_arraysz', 'hash', 'gnu_hash', 'relr', 'relrsz', 'versym', 'rel', 'relsz', 'preinit_array'}


class Elf:
    def __init__(self, path):
        self.data = open(path, 'rb').read()
        self.phoff, = struct.unpack_from('<Q', self.data, 32)
        self.phnum, = struct.unpack_from('<H', self.data, 56)
        self.ph = [struct.unpack_from('<IIQQQQQQ', self.data, self.phoff + 56 * i) for i in range(self.phnum)]
        self.dynoff = next(p[2] for p in self.ph if p[0] == 2)
        self.dyn, at = [], self.dynoff
        while True:
            tag, value = struct.unpack_from('<qQ', self.data, at)
            self.dyn.append((tag, value, at))
            at += 16
            if tag == 0:
                break

    def off(self, vaddr):
        """File offset of an address."""
        for p in self.ph:
            if p[0] == 1 and p[3] <= vaddr < p[3] + p[5]:
                return p[2] + vaddr - p[3]
        return None

    def tag(self, name):
        return next((v for t, v, _ in self.dyn if t == DT[name]), None)

    def table(self, name):
        value = self.tag(name)
        return None if value is None else self.off(value)

    def get(self, at, width):
        return int.from_bytes(self.data[at:at + width], 'little')

    def symbols(self):
        """(name, offset) of every dynamic symbol, counted through .dynstr's place right behind .dynsym."""
        symtab, strtab = self.table('symtab'), self.table('strtab')
        for i in range((strtab - symtab) // 24):
            name = self.get(symtab + 24 * i, 4)
            end = self.data.index(b'\0', strtab + name)
            yield self.data[strtab + name:end].decode() or 'null', symtab + 24 * i

    def vacant(self):
        """An address inside the span but in no segment, and one far outside."""
        loads = [p for p in self.ph if p[0] == 1]
        return loads[-1][3] + loads[-1][6] + 0x100000


class Cases:
    def __init__(self, good, kind):
        self.elf, self.kind, self.seen = Elf(good), kind, set()
        self.file = os.path.basename(good)

    def write(self, name, data, cls):
        name = f'{self.kind}-{name}'
        if name in self.seen or data == self.elf.data:
            return
        self.seen.add(name)
        folder = f'{OUT}/{name}'
        os.makedirs(folder, exist_ok=True)
        target = f'{folder}/{"prog" if self.kind == "prog" else "libvictim.so"}'
        with open(target, 'wb') as f:
            f.write(data)
        os.chmod(target, 0o755)
        if self.kind == 'prog':
            LINES.append(f'{name} {cls} start {GOOD}/gnu {target}')
        else:
            LINES.append(f'{name} {cls} start {folder} {GOOD}/prog')
            LINES.append(f'{name} {cls} open {GOOD}/opener {target}')

    def put(self, name, at, width, value, cls='check'):
        data = bytearray(self.elf.data)
        data[at:at + width] = (value & MAX[width]).to_bytes(width, 'little')
        self.write(name, bytes(data), cls)

    def values(self, name, at, width, cls='check', more=()):
        old = self.elf.get(at, width)
        for label, value in [('0', 0), ('1', 1), ('max', MAX[width]), ('random', RANDOM.getrandbits(8 * width)), *more]:
            if value != old:
                self.put(f'{name}-{label}', at, width, value, cls)


def truncations(c):
    e = c.elf
    edges = {0, 1, 4, 15, 16, 17, 63, 64, 65, e.phoff + 56 * e.phnum, len(e.data) - 1}
    for p in e.ph:
        edges |= {p[2], p[2] + 1, p[2] + p[5] - 1, p[2] + p[5]}
    for i in range(e.phnum):
        edges |= {e.phoff + 56 * i, e.phoff + 56 * i + 28}
    for tag in ('hash', 'gnu_hash', 'strtab', 'symtab', 'rela', 'jmprel', 'versym', 'verdef', 'verneed', 'relr', 'init_array'):
        if e.table(tag):
            edges |= {e.table(tag), e.table(tag) + 9}
    for at in sorted(x for x in edges if 0 <= x < len(e.data)):
        c.write(f'cut-{at}', e.data[:at], 'check')
    c.write('zeros', bytes(len(e.data)), 'check')
    c.write('text', b'/* GNU ld script */ GROUP ( libvictim.so.1 )\n', 'check')


def headers(c):
    for i in (0, 3, 4, 5, 6, 7, 8, 9, 15):
        c.values(f'ident-{i}', i, 1)
    for name, at, width in EHDR:
        # The entry is code: wherever it points, the program goes. phnum 1 and a type of another kind change the meaning.
        c.values(f'ehdr-{name}', at, width, 'code' if name == 'entry' else 'bytes' if name in ('phnum', 'type', 'phoff') else 'check')


def segments(c):
    e, count = c.elf, {}
    for i, p in enumerate(e.ph):
        kind = PT.get(p[0], hex(p[0]))
        count[kind] = count.get(kind, 0) + 1
        for name, at, width in PHDR:
            base = e.phoff + 56 * i + at
            old = e.get(base, width)
            more = [('plus-1', old + 1), ('plus-page', old + 4096), ('minus-page', old - 4096), ('huge', 1 << 46), ('plus-8', old + 8)]
            if width == 4:
                more = [(str(v), v) for v in (2, 3, 4, 5, 6, 7)]
            if kind == 'load' and name in ('filesz', 'memsz', 'vaddr'):
                more += [('7', 7), ('past', e.vacant())]
            cls = 'bytes' if name in PHDR_BYTES.get(kind, ()) else 'check'
            c.values(f'{kind}{count[kind]}-{name}', base, width, cls, more)
    # Two segments swapped, all of one type, none at all.
    loads = [e.phoff + 56 * i for i, p in enumerate(e.ph) if p[0] == 1]
    data = bytearray(e.data)
    data[loads[0]:loads[0] + 56], data[loads[1]:loads[1] + 56] = data[loads[1]:loads[1] + 56], data[loads[0]:loads[0] + 56]
    c.write('loads-swapped', bytes(data), 'check')
    for label, kind in (('none', 0), ('all-load', 1), ('all-tls', 7), ('all-relro', 0x6474e552)):
        data = bytearray(e.data)
        for i in range(e.phnum):
            struct.pack_into('<I', data, e.phoff + 56 * i, kind)
        c.write(f'phdrs-{label}', bytes(data), 'check')


def dynamic(c):
    e = c.elf
    for tag, value, at in e.dyn:
        name = DTNAME.get(tag, hex(tag & MAX[8]))
        cls = 'code' if name in DYN_CODE else 'bytes' if name in DYN_BYTES else 'check'
        more = [('plus-1', value + 1), ('plus-8', value + 8), ('minus-8', value - 8), ('double', value * 2), ('hole', e.vacant()),
                ('huge', 1 << 62), ('strsz', e.tag('strsz')), ('half', value // 2 & ~7)]
        c.values(f'dyn-{name}', at + 8, 8, cls, more)
        for label, other in (('null', 0), ('unknown', 0x12345), ('negative', -1), ('needed', 1), ('rela', 7), ('jmprel', 23),
                             ('textrel', 22), ('symbolic', 16), ('init', 12), ('init_array', 25), ('rel', 17), ('relr', 36)):
            if other != tag:
                c.put(f'dyntag-{name}-{label}', at, 8, other, 'bytes')


def symbols(c):
    e = c.elf
    strsz = e.tag('strsz')
    wanted = {'null', 'victim_data', 'victim_sum', 'victim_tls', 'victim_choice', 'snprintf', 'victim_missing', 'victim_add', 'write'}
    for name, at in e.symbols():
        if name not in wanted:
            continue
        for field, off, width in SYM:
            # value, type and section say where and what a definition is; size says how much a copy relocation takes
            cls = 'bytes' if field in ('value', 'info', 'shndx', 'name', 'size', 'other') else 'check'
            more = []
            if field == 'name':
                more = [('strsz', strsz), ('before-end', strsz - 1), ('plus-1', e.get(at, 4) + 1)]
            elif field == 'info':
                more = [(f'type{t}', (e.get(at + 4, 1) & 0xf0) | t) for t in (0, 1, 2, 3, 5, 6, 10, 15)]
                more += [(f'bind{b}', (e.get(at + 4, 1) & 15) | b << 4) for b in (0, 2, 3, 10, 15)]
            elif field == 'other':
                more = [(str(v), v) for v in (2, 3)]
            elif field == 'shndx':
                more = [('abs', 0xfff1), ('common', 0xfff2)]
            elif field == 'value':
                more = [('hole', e.vacant()), ('huge', 1 << 46), ('plus-1', e.get(at + 8, 8) + 1)]
            c.values(f'sym-{name}-{field}', at + off, width, cls, more)


def gnu_hash(c):
    e = c.elf
    at = e.table('gnu_hash')
    if at is None:
        return
    buckets, first, words = (e.get(at + 4 * i, 4) for i in range(3))
    for i, name in enumerate(('buckets', 'first', 'words', 'shift')):
        c.values(f'gnu-{name}', at + 4 * i, 4, 'check', [('31', 31), ('32', 32), ('63', 63), ('64', 64), ('3', 3), ('2', 2)])
    table = at + 16 + 8 * words
    chain = table + 4 * buckets
    for i in range(words):
        c.values(f'gnu-bloom{i}', at + 16 + 8 * i, 8)
    for i in range(buckets):
        c.values(f'gnu-bucket{i}', table + 4 * i, 4, 'check', [('below', max(first - 1, 0)), ('far', 1 << 20)])
    count = len(list(e.symbols())) - first
    for i in range(count):
        c.values(f'gnu-chain{i}', chain + 4 * i, 4)
    for label, change in (('endless', lambda w: w & ~1), ('ended', lambda w: w | 1)):
        data = bytearray(e.data)
        for i in range(count):
            struct.pack_into('<I', data, chain + 4 * i, change(e.get(chain + 4 * i, 4)))
        c.write(f'gnu-chain-{label}', bytes(data), 'check')


def sysv_hash(c):
    e = c.elf
    at = e.table('hash')
    if at is None:
        return
    buckets, chains = e.get(at, 4), e.get(at + 4, 4)
    for i, name in enumerate(('buckets', 'chains')):
        c.values(f'sysv-{name}', at + 4 * i, 4, 'check', [('3', 3), ('plus-1', e.get(at + 4 * i, 4) + 1), ('top', 0x3fffffff)])
    for i in range(min(buckets + chains, 24)):
        c.values(f'sysv-word{i}', at + 8 + 4 * i, 4)
    data = bytearray(e.data)
    for i in range(chains):
        struct.pack_into('<I', data, at + 8 + 4 * (buckets + i), i)
    c.write('sysv-loop-one', bytes(data), 'check')
    for i in range(chains):
        struct.pack_into('<I', data, at + 8 + 4 * (buckets + i), (i + 1) % chains or 1)
    c.write('sysv-loop-all', bytes(data), 'check')


def versions(c):
    e = c.elf
    defs, needs, versym = e.table('verdef'), e.table('verneed'), e.table('versym')
    def fields(prefix, at, table):
        for name, off, width in table:
            more = [('odd', e.get(at + off, width) + 1), ('back', 0x100000000 - 16), ('itself', 0x10)] if width == 4 else [('2', 2)]
            c.values(f'{prefix}-{name}', at + off, width, 'check', more)
    if defs:
        at = defs
        for i in range(4):
            fields(f'verdef{i}', at, [('version', 0, 2), ('flags', 2, 2), ('ndx', 4, 2), ('cnt', 6, 2), ('hash', 8, 4), ('aux', 12, 4),
                                      ('next', 16, 4)])
            aux = at + e.get(at + 12, 4)
            fields(f'verdaux{i}', aux, [('name', 0, 4), ('next', 4, 4)])
            if not e.get(at + 16, 4):
                break
            at += e.get(at + 16, 4)
    if needs:
        fields('verneed', needs, [('version', 0, 2), ('cnt', 2, 2), ('file', 4, 4), ('aux', 8, 4), ('next', 12, 4)])
        aux = needs + e.get(needs + 8, 4)
        fields('vernaux', aux, [('hash', 0, 4), ('flags', 4, 2), ('other', 6, 2), ('name', 8, 4), ('next', 12, 4)])
    if versym:
        for i, (name, _) in enumerate(e.symbols()):
            if name.startswith('victim') or name == 'snprintf':
                c.values(f'versym-{name}', versym + 2 * i, 2, 'check', [('hidden', e.get(versym + 2 * i, 2) | 0x8000), ('2', 2), ('7fff', 0x7fff)])
        for value in (0, 1, 0x7fff, 0xffff):
            data = bytearray(e.data)
            for i in range(len(list(e.symbols()))):
                struct.pack_into('<H', data, versym + 2 * i, value)
            c.write(f'versym-all-{value:x}', bytes(data), 'check')


def relocations(c):
    e = c.elf
    text = next(p for p in e.ph if p[0] == 1 and p[1] & 1)
    writable = [p for p in e.ph if p[0] == 1 and p[1] & 2]
    end = writable[-1][3] + writable[-1][6]
    count = len(list(e.symbols()))
    for tag, size in (('rela', 'relasz'), ('jmprel', 'pltrelsz')):
        at = e.table(tag)
        if at is None:
            continue
        seen = {}
        for i in range(e.tag(size) // 24):
            place, info, addend = struct.unpack_from('<QQq', e.data, at + 24 * i)
            kind = info & MAX[4]
            seen[kind] = seen.get(kind, 0) + 1
            if seen[kind] > 1:
                continue
            name = f'{tag}-type{kind}'
            here = at + 24 * i
            for label, value, cls in (('0', 0, 'check'), ('max', MAX[8], 'check'), ('text', text[3] + 8, 'check'), ('plus-1', place + 1, 'bytes'),
                                      ('before-end', end - 4, 'check'), ('end', end, 'check'), ('hole', e.vacant(), 'check'),
                                      ('wrap', MAX[8] - 3, 'check'), ('dynamic', next(p[3] for p in e.ph if p[0] == 2), 'bytes'),
                                      ('headers', 64, 'check'), ('before', writable[0][3] - 4, 'bytes')):
                c.put(f'{name}-place-{label}', here, 8, value, cls)
            for label, value in (('0', 0), ('null', kind), ('max', 0xffffffff << 32 | kind), ('count', count << 32 | kind), ('1', 1 << 32 | kind),
                                 ('far', 1 << 55 | kind)):
                c.put(f'{name}-symbol-{label}', here + 8, 8, value, 'bytes')
            for other in [*range(0, 44), 250, 255, 1000]:
                if other != kind:
                    c.put(f'{name}-as{other}', here + 8, 4, other, 'bytes')
            for label, value in (('1', 1), ('max', MAX[8]), ('huge', 1 << 62)):
                c.put(f'{name}-addend-{label}', here + 16, 8, value, 'bytes')
    at = e.table('relr')
    if at is not None:
        for i in range(e.tag('relrsz') // 8):
            c.values(f'relr{i}', at + 8 * i, 8, 'bytes', [('bitmap', MAX[8]), ('hole', e.vacant()), ('text', text[3]), ('end', end - 4),
                                                       ('last', end & ~7), ('bits', 3)])


LINES = []
for kind in ('gnu', 'sysv', 'prog'):
    cases = Cases(f'{GOOD}/prog' if kind == 'prog' else f'{GOOD}/{kind}/libvictim.so', kind)
    LINES.append(f'{kind}-undamaged sound start {GOOD}/{"gnu" if kind == "prog" else kind} {GOOD}/prog')
    if kind != 'prog':
        LINES.append(f'{kind}-undamaged sound open {GOOD}/opener {GOOD}/{kind}/libvictim.so')
    steps = [truncations, headers, segments, dynamic, symbols, gnu_hash, versions, relocations]
    if kind == 'sysv':                # the rest says the same as for the first
        steps = [sysv_hash, relocations, dynamic]
    for step in steps:
        step(cases)
with open(f'{OUT}/cases', 'w') as f:
    f.write('\n'.join(LINES) + '\n')
print(f'{len(LINES)} cases')
