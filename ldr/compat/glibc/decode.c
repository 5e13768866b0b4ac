/* decode.c - offsets read out of glibc's smallest functions. See derive.h and facts.c.
 *
 * glibc reaches ld.so's state by one pattern: load the address of _rtld_global_ro from the GOT, then use a field:
 *     mov  0x82fc1(%rip), %rax      the GOT slot of _rtld_global_ro
 *     jmp  *0x360(%rax)             the field: _dl_find_object in 2.36
 * Instructions in between are stepped over by length (a bytewise search meets `jmp *(%rax)` inside `cmp $16, %rdi`). The
 * form depends on the compiler: an unfamiliar function gives no fact, and what is found must agree with other evidence.
 */
#include "walk.h"

#include <elf.h>

/* The NUL-terminated string at vaddr is exactly `text`. */
static int string_is(const struct glibc_image *image, uint64_t vaddr, const char *text)
{
    const uint8_t *p;
    uint64_t len = 0;
    while (text[len])
        len++;
    p = glibc_bytes_at(image, vaddr, len + 1);
    return p && text_is(p, text) && p[len] == 0;
}

struct function {
    const uint8_t *code;
    uint64_t vaddr;
    unsigned len; /* 512 at most: what is looked for stands near the beginning */
};

static int get_function(struct walk *walk, enum glibc_object object, const char *name, struct function *function)
{
    uint64_t size;
    if (!walk_find(walk, object, name, &function->vaddr, &size) || size < 8)
        return 0;
    function->len = size > 512 ? 512 : (unsigned)size;
    function->code = glibc_bytes_at(&walk->images->object[object], function->vaddr, function->len);
    return function->code != NULL;
}

/* Bytes of immediate operand of a one-byte opcode, plus 16 when a ModRM byte follows it, or NO: not decoded. */
enum { MODRM = 16, NO = 255 };

static unsigned one_byte_form(unsigned op, unsigned rex, int narrow)
{
    unsigned word = narrow ? 2 : 4;
    if (op < 0x40)
        return (op & 7) < 4 ? MODRM : (op & 7) == 4 ? 1 : (op & 7) == 5 ? word : NO;
    if (op >= 0x50 && op < 0x60)
        return 0; /* push, pop */
    if (op >= 0x70 && op < 0x80)
        return 1; /* jcc */
    if (op >= 0x84 && op < 0x90)
        return MODRM;
    if (op >= 0x90 && op < 0x9a)
        return 0;
    if (op >= 0xb0 && op < 0xb8)
        return 1;
    if (op >= 0xb8 && op < 0xc0)
        return rex & 8 ? 8 : word; /* mov imm, reg */
    if (op >= 0xd0 && op < 0xd4)
        return MODRM;
    switch (op) {
    case 0x63: case 0xfe: case 0xff: return MODRM;
    case 0x68: case 0xa9: return word;
    case 0xe8: case 0xe9: return 4;
    case 0x69: case 0x81: case 0xc7: return MODRM | word;
    case 0x6a: case 0xa8: case 0xeb: return 1;
    case 0x6b: case 0x80: case 0x83: case 0xc0: case 0xc1: case 0xc6: return MODRM | 1;
    case 0xa4: case 0xa5: case 0xaa: case 0xab: case 0xc3: case 0xc9: case 0xcc: return 0;
    default: return NO;
    }
}

/* The same for opcodes behind 0f: what compilers put between loads and jumps. */
static unsigned two_byte_form(unsigned op)
{
    if (op >= 0x80 && op < 0x90)
        return 4; /* jcc rel32 */
    if (op == 0x05 || op == 0x0b || op == 0xa2)
        return 0; /* syscall, ud2, cpuid */
    if (op == 0x70 || op == 0xba || op == 0xc6 || op == 0xa4 || op == 0xac)
        return MODRM | 1;
    if (op == 0x38 || op == 0x3a || (op >= 0x71 && op < 0x78) || (op >= 0x30 && op < 0x38) || op == 0xa8 || op == 0xa9)
        return NO;
    return MODRM;
}

/* Length of the instruction at `at`; 0 at the end of the function or at one that is not decoded (VEX, x87...). Intel
 * SDM volume 2, chapter 2: prefixes, REX, opcode, ModRM, SIB, displacement, immediate. */
static unsigned instruction_len(const struct function *f, unsigned at)
{
    unsigned i = at, rex = 0, form;
    int narrow = 0;
    while (i < f->len && (f->code[i] == 0x66 || f->code[i] == 0x64 || f->code[i] == 0xf2 || f->code[i] == 0xf3 ||
                          f->code[i] == 0x2e || f->code[i] == 0x3e || f->code[i] == 0xf0))
        narrow |= f->code[i++] == 0x66;
    if (i < f->len && (f->code[i] & 0xf0) == 0x40)
        rex = f->code[i++];
    if (i + 1 >= f->len)
        return i < f->len && one_byte_form(f->code[i], rex, narrow) == 0 ? i + 1 - at : 0;
    if (f->code[i] == 0x0f) {
        form = two_byte_form(f->code[i + 1]);
        i += 2;
    } else if (f->code[i] == 0xf6 || f->code[i] == 0xf7) { /* test has an immediate, not and neg have none */
        form = MODRM | ((f->code[i + 1] >> 3 & 7) > 1 ? 0u : f->code[i] == 0xf6 ? 1u : narrow ? 2u : 4u);
        i += 1;
    } else {
        form = one_byte_form(f->code[i], rex, narrow);
        i += 1;
    }
    if (form == NO)
        return 0;
    if (form & MODRM) {
        unsigned mod, rm;
        if (i >= f->len)
            return 0;
        mod = f->code[i] >> 6;
        rm = f->code[i++] & 7;
        if (mod != 3 && rm == 4) {
            if (i >= f->len)
                return 0;
            if (mod == 0 && (f->code[i] & 7) == 5)
                i += 4;
            i++;
        } else if (mod == 0 && rm == 5) {
            i += 4;
        }
        i += mod == 1 ? 1 : mod == 2 ? 4 : 0;
    }
    i += form & 15;
    return i <= f->len ? i - at : 0;
}

/* `op disp32(%rip), reg` with REX.W at `at`: 1, its register and the address it names. */
static int rip_relative(const struct function *f, unsigned at, uint8_t op, unsigned *reg, uint64_t *target)
{
    const uint8_t *p = f->code + at;
    if (at + 7 > f->len || (p[0] & 0xfb) != 0x48 || p[1] != op || (p[2] & 0xc7) != 0x05)
        return 0;
    *reg = (unsigned)(p[2] >> 3 & 7) | (unsigned)(p[0] & 4) << 1;
    *target = f->vaddr + at + 7 + (uint64_t)(int64_t)(int32_t)u32_of(p + 3);
    return 1;
}

/* First load of the GOT slot. The target must be exact, so a chance hit inside another instruction is out of the
 * question. */
static int got_load(const struct function *f, uint64_t slot, unsigned *after, unsigned *reg)
{
    uint64_t target;
    for (unsigned at = 0; at + 7 <= f->len; at++)
        if (rip_relative(f, at, 0x8b, reg, &target) && target == slot) {
            *after = at + 7;
            return 1;
        }
    return 0;
}

/* A memory operand disp(base) at the ModRM byte `at`: 1 and the displacement. */
static int operand(const struct function *f, unsigned at, unsigned rex, unsigned base, uint32_t *disp)
{
    const uint8_t *p = f->code + at;
    unsigned mod, rm, need;
    if (at >= f->len)
        return 0;
    mod = p[0] >> 6;
    rm = (p[0] & 7u) | (rex & 1) << 3;
    if (rm != base || mod == 3 || (mod == 0 && (rm & 7) == 5))
        return 0;
    need = 1 + ((rm & 7) == 4) + (mod == 1 ? 1 : mod == 2 ? 4 : 0); /* ModRM, SIB, displacement */
    if (at + need > f->len)
        return 0;
    p++;
    if ((rm & 7) == 4 && *p++ != 0x24)
        return 0;
    *disp = mod == 0 ? 0 : mod == 1 ? (uint32_t)(int32_t)(int8_t)p[0] : u32_of(p);
    return 1;
}

/* First `mov disp(base), reg` (64-bit), `jmp *disp(base)` or `call *disp(base)` among the instructions from `at` on. */
static int next_use(const struct function *f, unsigned at, unsigned base, uint32_t limit, uint32_t *disp,
                    unsigned *after, unsigned *reg)
{
    unsigned len;
    for (; (len = instruction_len(f, at)) != 0; at += len) {
        const uint8_t *p = f->code + at;
        unsigned rex = (p[0] & 0xf0) == 0x40 ? p[0] : 0, op = rex ? 1 : 0;
        int hit = 0;
        if (len < op + 2)
            continue;
        if ((rex & 8) && p[op] == 0x8b) {
            *reg = (unsigned)(p[op + 1] >> 3 & 7) | (rex & 4) << 1;
            hit = operand(f, at + op + 1, rex, base, disp);
        } else if (p[op] == 0xff && ((p[op + 1] >> 3 & 7) == 4 || (p[op + 1] >> 3 & 7) == 2)) {
            *reg = 0;
            hit = operand(f, at + op + 1, rex, base, disp);
        }
        if (hit) {
            *after = at + len;
            return *disp % 8 == 0 && *disp < limit;
        }
    }
    return 0;
}

/* The GOT slot of libc.so.6 that holds the address of `name`. */
static uint64_t got_slot(const struct glibc_image *image, const char *name)
{
    uint64_t rela, len, symtab, strtab;
    if (!glibc_dynamic_value(image, DT_RELA, &rela) || !glibc_dynamic_value(image, DT_RELASZ, &len) ||
        !glibc_dynamic_value(image, DT_SYMTAB, &symtab) || !glibc_dynamic_value(image, DT_STRTAB, &strtab))
        return 0;
    rela = glibc_vaddr_of(image, rela);
    symtab = glibc_vaddr_of(image, symtab);
    strtab = glibc_vaddr_of(image, strtab);
    for (; len >= sizeof(Elf64_Rela); len -= sizeof(Elf64_Rela), rela += sizeof(Elf64_Rela)) {
        const uint8_t *entry = glibc_bytes_at(image, rela, sizeof(Elf64_Rela));
        const uint8_t *symbol;
        if (!entry)
            return 0;
        if ((uint32_t)u64_of(entry + 8) != R_X86_64_GLOB_DAT)
            continue;
        symbol = glibc_bytes_at(image, symtab + (u64_of(entry + 8) >> 32) * sizeof(Elf64_Sym), sizeof(Elf64_Sym));
        if (symbol && string_is(image, strtab + u32_of(symbol), name))
            return u64_of(entry);
    }
    return 0;
}

/* Functions of libc.so.6 whose first use of _rtld_global_ro is one known field. */
static void single_uses(struct walk *walk, uint64_t slot)
{
    static const struct {
        char function[22]; /* in place: see struct descriptor */
        uint16_t word;
    } uses[] = {
        { "_dl_find_object", GLIBC_WORD(ro_find_object) },
        { "getpagesize", GLIBC_WORD(ro_pagesize) },
        { "_dl_mcount_wrapper", GLIBC_WORD(ro_mcount) },
        { "clock_gettime", GLIBC_WORD(ro_vdso_clock_gettime64) },
        { "clock_getres", GLIBC_WORD(ro_vdso_clock_getres_time64) },
        { "getcpu", GLIBC_WORD(ro_vdso_getcpu) },
        { "getauxval", GLIBC_WORD(ro_auxv) },
    };
    for (unsigned i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        struct function f;
        unsigned at, reg;
        uint32_t disp;
        if (get_function(walk, GLIBC_LIBC, uses[i].function, &f) && got_load(&f, slot, &at, &reg) &&
            next_use(&f, at, reg, (uint32_t)walk->ro_size, &disp, &at, &reg))
            glibc_state(walk, uses[i].word, disp, uses[i].function);
    }
}

/* Each dl* function loads the hook table from _rtld_global_ro and jumps through its own entry. */
static void hooks(struct walk *walk, uint64_t slot)
{
    static const struct {
        char function[22]; /* in place: see struct descriptor */
        uint16_t word;
    } uses[] = {
        { "dlopen", GLIBC_WORD(hook_dlopen) },   { "dlclose", GLIBC_WORD(hook_dlclose) },
        { "dlsym", GLIBC_WORD(hook_dlsym) },     { "dlvsym", GLIBC_WORD(hook_dlvsym) },
        { "dlerror", GLIBC_WORD(hook_dlerror) }, { "dladdr", GLIBC_WORD(hook_dladdr) },
        { "dladdr1", GLIBC_WORD(hook_dladdr1) }, { "dlinfo", GLIBC_WORD(hook_dlinfo) },
        { "dlmopen", GLIBC_WORD(hook_dlmopen) },
    };
    for (unsigned i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        struct function f;
        unsigned at, reg;
        uint32_t disp;
        if (!get_function(walk, GLIBC_LIBC, uses[i].function, &f) || !got_load(&f, slot, &at, &reg) ||
            !next_use(&f, at, reg, (uint32_t)walk->ro_size, &disp, &at, &reg))
            continue;
        STATE(walk, ro_dlfcn_hook, disp, uses[i].function);
        if (next_use(&f, at, reg, 256, &disp, &at, &reg))
            glibc_state(walk, uses[i].word, disp, uses[i].function);
    }
}

/* getauxval compares its argument with a constant and, when equal, returns one field. */
static void auxval_case(struct walk *walk, const struct function *f, unsigned base, uint8_t tag, unsigned word)
{
    for (unsigned at = 0; at + 10 <= f->len; at++) {
        const uint8_t *p = f->code + at;
        unsigned target, after, reg;
        uint32_t disp;
        if (p[0] != 0x48 || p[1] != 0x83 || p[2] != 0xff || p[3] != tag)
            continue;
        if (p[4] == 0x74)
            target = at + 6 + p[5];
        else if (p[4] == 0x0f && p[5] == 0x84)
            target = at + 10 + u32_of(p + 6);
        else
            continue;
        if (target < f->len && next_use(f, target, base, (uint32_t)walk->ro_size, &disp, &after, &reg) &&
            after == target + instruction_len(f, target))
            glibc_state(walk, word, disp, "getauxval");
        return;
    }
}

static void auxiliary_values(struct walk *walk, uint64_t slot)
{
    struct function f;
    unsigned at, reg;
    if (!get_function(walk, GLIBC_LIBC, "getauxval", &f) || !got_load(&f, slot, &at, &reg))
        return;
    auxval_case(walk, &f, reg, AT_HWCAP, GLIBC_WORD(ro_hwcap));
    auxval_case(walk, &f, reg, AT_HWCAP2, GLIBC_WORD(ro_hwcap2));
}

/* _dl_get_tls_static_info stores two fields; the eight words behind them have kept their order since 2.34. */
static void static_tls(struct walk *walk)
{
    static const char source[] = "_dl_get_tls_static_info";
    struct function f;
    uint64_t value[2];
    unsigned seen = 0, reg;
    if (!get_function(walk, GLIBC_LD, source, &f))
        return;
    for (unsigned at = 0; at + 7 <= f.len && seen < 2; at++)
        if (rip_relative(&f, at, 0x8b, &reg, &value[seen]))
            seen++;
    if (seen < 2 || value[0] < walk->ro || value[0] - walk->ro >= walk->ro_size || value[1] != value[0] + 8)
        return;
    value[0] -= walk->ro;
    STATE(walk, ro_tls_static_size, value[0], source);
    STATE(walk, ro_tls_static_align, value[0] + 8, source);
    STATE(walk, ro_init_all_dirs, value[0] + 40, source);
    STATE(walk, ro_sysinfo_dso, value[0] + 48, source);
    STATE(walk, ro_sysinfo_map, value[0] + 56, source);
    STATE(walk, ro_vdso_clock_gettime64, value[0] + 64, source);
    STATE(walk, ro_vdso_gettimeofday, value[0] + 72, source);
    STATE(walk, ro_vdso_time, value[0] + 80, source);
    STATE(walk, ro_vdso_getcpu, value[0] + 88, source);
    STATE(walk, ro_vdso_clock_getres_time64, value[0] + 96, source);
}

/* ld.so's getter is one lea; libc's leaf getter bounds its argument, shifts it by the entry size and adds the offset
 * of features[]. */
static void cpu_features(struct walk *walk, uint64_t slot)
{
    static const char source[] = "__x86_get_cpuid_feature_leaf";
    struct function f;
    uint64_t target;
    uint32_t start = GLIBC_ABSENT;
    unsigned after, reg;
    if (get_function(walk, GLIBC_LD, "_dl_x86_get_cpu_features", &f))
        for (unsigned at = 0; at + 7 <= f.len && start == GLIBC_ABSENT; at++)
            if (rip_relative(&f, at, 0x8d, &reg, &target) && target >= walk->ro && target - walk->ro < walk->ro_size)
                start = (uint32_t)(target - walk->ro);
    if (start == GLIBC_ABSENT)
        return;
    STATE(walk, ro_cpu_features, start, "_dl_x86_get_cpu_features");
    if (!slot || !get_function(walk, GLIBC_LIBC, source, &f) || !got_load(&f, slot, &after, &reg))
        return;
    for (unsigned at = 0, len; (len = instruction_len(&f, at)) != 0; at += len) {
        const uint8_t *p = f.code + at;
        if (len == 3 && p[0] == 0x83 && p[1] == 0xff) /* cmp $last, %edi */
            STATE(walk, cf_features_count, p[2] + 1u, source);
        if (len == 4 && p[0] == 0x48 && p[1] == 0xc1 && p[2] == 0xe7 && p[3] < 16) /* shl $n, %rdi */
            STATE(walk, cf_features_stride, 1u << p[3], source);
        if (len == 8 && p[0] == 0x48 && p[1] == 0x8d && p[2] == 0x84 && u32_of(p + 4) < walk->ro_size)
            STATE(walk, cf_features, u32_of(p + 4) - start, source); /* lea disp(a,b), %rax */
    }
}

/* sched_getcpu reads cpu_id, the second word of the rseq area, where the area is a part of struct pthread. */
static void rseq_area(struct walk *walk)
{
    struct function f;
    if (!get_function(walk, GLIBC_LIBC, "sched_getcpu", &f))
        return;
    for (unsigned at = 0, len; (len = instruction_len(&f, at)) != 0; at += len) {
        const uint8_t *p = f.code + at;
        if (len == 8 && p[0] == 0x64 && p[1] == 0x8b && (p[2] & 0xc7) == 0x04 && p[3] == 0x25 && u32_of(p + 4) > 704) {
            STATE(walk, pd_rseq_area, u32_of(p + 4) - 4, "sched_getcpu");
            return;
        }
    }
}

void glibc_code_facts(struct walk *walk)
{
    uint64_t slot = got_slot(&walk->images->object[GLIBC_LIBC], "_rtld_global_ro");
    static_tls(walk);
    cpu_features(walk, slot);
    rseq_area(walk);
    if (slot) {
        single_uses(walk, slot);
        hooks(walk, slot);
        auxiliary_values(walk, slot);
    }
}

void glibc_image_version(const struct glibc_images *images, char version[8])
{
    struct glibc_mismatch unused;
    struct walk walk = { images, NULL, NULL, &unused, 0, 0, 0, 0, 0 };
    struct function f;
    const uint8_t *text = NULL;
    uint64_t target;
    unsigned i, reg;
    if (get_function(&walk, GLIBC_LIBC, "gnu_get_libc_version", &f))
        for (i = 0; i + 7 <= f.len && !text; i++)
            if (rip_relative(&f, i, 0x8d, &reg, &target))
                text = glibc_bytes_at(&images->object[GLIBC_LIBC], target, 8);
    for (i = 0; i < 8; i++)
        version[i] = 0;
    for (i = 0; text && i < 7 && ((text[i] >= '0' && text[i] <= '9') || text[i] == '.'); i++)
        version[i] = (char)text[i];
}
