/* oracle.c FOLDER... - every ELF file below the folders, read by floors 0-1 and by libelf: both must say the same.
 *
 * libelf goes by section headers where it can, our readers by program headers only, so agreement is not the same code twice. A file
 * passes or fails as a whole; every difference is told. Symbolic links are not followed, a file with several names is read once. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../ldr/image/image.h"

#define SAMPLE_SEED 7u

static unsigned passed, failed, differences, looked_up;
static unsigned keep_of_1000 = 1000;  /* sample: files read of a thousand */
static const char *current;

__attribute__((format(printf, 1, 2))) static void differ(const char *form, ...)
{
    va_list args;
    va_start(args, form);
    if (differences++ < 10) {
        printf("not ok %s: ", current);
        vprintf(form, args);
        putchar('\n');
    }
    va_end(args);
}

static void equal(const char *what, u64 ours, u64 theirs)
{
    if (ours != theirs)
        differ("%s: ours %#llx, libelf %#llx", what, (unsigned long long)ours, (unsigned long long)theirs);
}

static void same_text(const char *what, const char *ours, const char *theirs)
{
    if (!ours != !theirs || (ours && strcmp(ours, theirs) != 0))
        differ("%s: ours %s, libelf %s", what, ours ? ours : "none", theirs ? theirs : "none");
}

static void *more(struct arena *arena, size_t need, size_t *got)
{
    size_t len = need > 65536 ? need : 65536;
    char *chunk = malloc(16 + len);
    if (!chunk)
        return NULL;
    *(void **)(void *)chunk = arena->chunks;
    arena->chunks = chunk;
    *got = len;
    return chunk + 16;
}

static void drop(struct arena *arena)
{
    for (void *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = *(void **)chunk;
        free(chunk);
    }
}

static int last_code;
static void take(struct report *report, const struct problem *problem)
{
    (void)report;
    last_code = problem->code;
}
static struct report report = { take };

struct file {
    const u8 *bytes;
    u64 len;
    Elf *elf;
    GElf_Ehdr eh;
    struct image image;
    struct view view;
    struct arena arena;
    Elf_Scn *dynamic, *dynsym, *versym, *verdef, *verneed, *build_id;
    u64 rela, relr;                   /* entries of allocated sections */
};

/* ---- program headers ------------------------------------------------------------------------------------------------- */

static void compare_headers(struct file *f)
{
    size_t count = 0;
    elf_getphdrnum(f->elf, &count);
    equal("e_type", f->image.type, f->eh.e_type);
    equal("e_entry", f->image.entry, f->eh.e_entry);
    equal("program headers", f->image.phnum, count);
    for (size_t i = 0; i < count && i < f->image.phnum; i++) {
        GElf_Phdr p;
        const Elf64_Phdr *o = &f->image.phdr[i];
        gelf_getphdr(f->elf, (int)i, &p);
        if (o->p_type != p.p_type || o->p_flags != p.p_flags || o->p_offset != p.p_offset || o->p_vaddr != p.p_vaddr ||
            o->p_filesz != p.p_filesz || o->p_memsz != p.p_memsz || o->p_align != p.p_align)
            differ("program header %zu differs", i);
        if (p.p_type == PT_TLS && p.p_memsz)
            equal("TLS size", f->image.tls_memsz, p.p_memsz);
        if (p.p_type == PT_GNU_RELRO && p.p_memsz)
            equal("RELRO", f->image.relro_vaddr, p.p_vaddr);
    }
}

static void find_sections(struct file *f)
{
    size_t names = 0;
    elf_getshdrstrndx(f->elf, &names);
    for (Elf_Scn *s = NULL; (s = elf_nextscn(f->elf, s));) {
        GElf_Shdr sh;
        gelf_getshdr(s, &sh);
        const char *name = elf_strptr(f->elf, names, sh.sh_name);
        switch (sh.sh_type) {
        case SHT_DYNAMIC: f->dynamic = s; break;
        case SHT_DYNSYM: f->dynsym = s; break;
        case SHT_GNU_versym: f->versym = s; break;
        case SHT_GNU_verdef: f->verdef = s; break;
        case SHT_GNU_verneed: f->verneed = s; break;
        case SHT_RELA: f->rela += sh.sh_flags & SHF_ALLOC ? sh.sh_size / sizeof(Elf64_Rela) : 0; break;
        case 19: f->relr += sh.sh_size / 8; break;
        case SHT_NOTE: f->build_id = name && strcmp(name, ".note.gnu.build-id") == 0 ? s : f->build_id; break;
        }
    }
}

/* ---- dynamic section -------------------------------------------------------------------------------------------------- */

static void compare_dynamic(struct file *f)
{
    GElf_Phdr ph = { 0 };
    for (u16 i = 0; i < f->image.phnum; i++)
        if (f->image.phdr[i].p_type == PT_DYNAMIC)
            gelf_getphdr(f->elf, i, &ph);
    Elf_Data *data = elf_getdata_rawchunk(f->elf, (int64_t)ph.p_offset, ph.p_filesz, ELF_T_DYN);
    if (!data) {
        differ("libelf finds no dynamic data");
        return;
    }
    GElf_Shdr sh = { 0 };
    if (f->dynamic)
        gelf_getshdr(f->dynamic, &sh);
    const char *soname = NULL, *rpath = NULL, *runpath = NULL;
    u32 at = 0;
    u64 value;
    int n = 0;
    for (GElf_Dyn d; gelf_getdyn(data, n, &d) && d.d_tag != DT_NULL; n++) {
        if ((u32)n < f->image.dyn_count && (f->image.dyn[n].d_tag != d.d_tag || f->image.dyn[n].d_un.d_val != d.d_un.d_val))
            differ("dynamic entry %d differs", n);
        const char *text = sh.sh_link ? elf_strptr(f->elf, sh.sh_link, d.d_un.d_val) : NULL;
        if (!text)
            continue;
        switch (d.d_tag) {
        case DT_SONAME: soname = text; break;
        case DT_RPATH: rpath = text; break;
        case DT_RUNPATH: runpath = text; break;
        case DT_NEEDED:
            same_text("DT_NEEDED", image_next_dyn(&f->image, &at, DT_NEEDED, &value) ? image_string(&f->image, value) : NULL, text);
            break;
        }
    }
    equal("dynamic entries", f->image.dyn_count, (u64)n);
    if (!sh.sh_link)
        return;
    same_text("DT_SONAME", f->image.soname, soname);
    same_text("DT_RPATH", f->image.rpath, rpath);
    same_text("DT_RUNPATH", f->image.runpath, runpath);
    if (image_next_dyn(&f->image, &at, DT_NEEDED, &value))
        differ("more DT_NEEDED than libelf finds");
}

/* ---- versions --------------------------------------------------------------------------------------------------------- */

static const char *version_name[0x8000];           /* by DT_VERSYM number, from libelf */
static bool version_defined[0x8000];

static void compare_version(struct file *f, u32 number, const char *name, const char *file, u32 hash, bool defined)
{
    version_name[number] = name;
    version_defined[number] = defined;
    const struct version *v = number < f->image.version_count ? &f->image.version[number] : NULL;
    if (!v || !v->name) {
        differ("version %u (%s) is missing", number, name);
        return;
    }
    same_text("version name", v->name, name);
    equal("version is needed", v->needed, file != NULL);
    equal("version hash", v->hash, hash);
    equal("hash of a version's name", sysv_hash_of(name), hash);
}

static void compare_versions(struct file *f)
{
    memset(version_name, 0, sizeof version_name);
    GElf_Shdr sh;
    Elf_Data *data = f->verdef ? elf_getdata(f->verdef, NULL) : NULL;
    if (data && gelf_getshdr(f->verdef, &sh)) {
        GElf_Verdef vd;
        GElf_Verdaux va;
        for (int at = 0; gelf_getverdef(data, at, &vd); at += (int)vd.vd_next) {
            if (!(vd.vd_flags & VER_FLG_BASE) && gelf_getverdaux(data, at + (int)vd.vd_aux, &va))
                compare_version(f, vd.vd_ndx & 0x7fff, elf_strptr(f->elf, sh.sh_link, va.vda_name), NULL, vd.vd_hash, true);
            if (!vd.vd_next)
                break;
        }
    }
    struct version_walk walk = image_version_needs(&f->image);
    struct version_need need;
    data = f->verneed ? elf_getdata(f->verneed, NULL) : NULL;
    if (data && gelf_getshdr(f->verneed, &sh)) {
        GElf_Verneed vn;
        GElf_Vernaux va;
        for (int at = 0; gelf_getverneed(data, at, &vn); at += (int)vn.vn_next) {
            const char *file = elf_strptr(f->elf, sh.sh_link, vn.vn_file);
            for (int aux = at + (int)vn.vn_aux, left = vn.vn_cnt; left && gelf_getvernaux(data, aux, &va); left--, aux += (int)va.vna_next) {
                const char *name = elf_strptr(f->elf, sh.sh_link, va.vna_name);
                compare_version(f, va.vna_other & 0x7fff, name, file, va.vna_hash, false);
                if (!image_next_version_need(&f->image, &f->view, &walk, &need))
                    differ("the walk over needed versions ends before %s", name);
                else
                    same_text("needed version", need.name, name);
            }
            if (!vn.vn_next)
                break;
        }
    }
    if (image_next_version_need(&f->image, &f->view, &walk, &need))
        differ("the walk over needed versions goes on to %s", need.name);
}

/* ---- symbols ---------------------------------------------------------------------------------------------------------- */

static bool is_findable(const GElf_Sym *sym)
{
    u32 type = GELF_ST_TYPE(sym->st_info), bind = GELF_ST_BIND(sym->st_info), visibility = GELF_ST_VISIBILITY(sym->st_other);
    return sym->st_shndx != SHN_UNDEF && bind != STB_LOCAL && visibility != STV_HIDDEN && visibility != STV_INTERNAL &&
           (type <= STT_FUNC || type == STT_COMMON || type == STT_TLS || type == STT_GNU_IFUNC) &&
           (sym->st_value || sym->st_shndx == SHN_ABS || type == STT_TLS);
}

static void look_up(struct file *f, const char *name, const GElf_Sym *sym, u32 raw)
{
    u32 number = raw & 0x7fff;
    struct version version = { .name = version_name[number], .hidden = true };
    struct symbol_want want = { .name = name };
    if (f->image.versym && number == 0)
        return;                       /* VER_NDX_LOCAL */
    if (version.name) {
        version.hash = sysv_hash_of(version.name);
        want.version = &version;
    }
    want.gnu = gnu_hash_len(name, &want.len);
    looked_up++;
    const Elf64_Sym *found = image_find_symbol(&f->image, &want);
    if (!found)
        differ("symbol %s@%s is not found", name, version.name ? version.name : "");
    else if (found->st_value != sym->st_value || found->st_size != sym->st_size || found->st_info != sym->st_info)
        differ("symbol %s@%s is another one", name, version.name ? version.name : "");
}

static void compare_symbols(struct file *f)
{
    GElf_Shdr sh;
    Elf_Data *data = f->dynsym ? elf_getdata(f->dynsym, NULL) : NULL;
    if (!data || !gelf_getshdr(f->dynsym, &sh))
        return;
    Elf_Data *versym = f->versym ? elf_getdata(f->versym, NULL) : NULL;
    u64 count = sh.sh_size / sizeof(Elf64_Sym), hashed = 0;
    for (u64 i = 1; i < count; i++) {
        GElf_Sym sym;
        GElf_Versym version = 1;
        gelf_getsym(data, (int)i, &sym);
        if (versym)
            gelf_getversym(versym, (int)i, &version);
        const char *name = elf_strptr(f->elf, sh.sh_link, sym.st_name);
        same_text("symbol name", i < f->image.sym_limit ? image_string(&f->image, f->image.symtab[i].st_name) : NULL, name);
        if (sym.st_shndx != SHN_UNDEF && GELF_ST_BIND(sym.st_info) != STB_LOCAL)
            hashed++;
        if (name && *name && is_findable(&sym))
            look_up(f, name, &sym, version);
    }
    u64 ours = image_symbol_count(&f->image);
    if (f->image.sysv.bucket || hashed)
        equal("dynamic symbols", ours, count);
    else if (ours > count)
        differ("dynamic symbols: ours %llu, libelf %llu", (unsigned long long)ours, (unsigned long long)count);
}

static void compare_rest(struct file *f)
{
    if (f->dynamic && f->image.dyn_vaddr) {
        equal("RELA entries", f->image.rela.count + f->image.plt.count, f->rela);
        equal("RELR words", f->image.relr.count, f->relr);
    }
    u32 len = 0;
    const u8 *ours = image_note(&f->image, &f->view, "GNU", NT_GNU_BUILD_ID, &len);
    Elf_Data *data = f->build_id ? elf_getdata(f->build_id, NULL) : NULL;
    if (!data)
        return;
    GElf_Nhdr nh;
    size_t name, desc;
    if (gelf_getnote(data, 0, &nh, &name, &desc) && (!ours || len != nh.n_descsz || memcmp(ours, (char *)data->d_buf + desc, len) != 0))
        differ("build-id differs");
}

/* ---- files ------------------------------------------------------------------------------------------------------------ */

static int read_ours(struct file *f)
{
    int err = image_check_header(f->bytes, f->len, current, &report);
    const Elf64_Ehdr *eh = (const void *)f->bytes;
    if (err)
        return err;
    if (eh->e_phoff + (u64)eh->e_phnum * sizeof(Elf64_Phdr) > f->len)
        return -LDR_E_PHDR_RANGE;
    f->image.path = current;
    f->image.type = eh->e_type;
    f->image.entry = eh->e_entry;
    f->arena.more = more;
    err = image_read_phdrs(&f->image, (const void *)(f->bytes + eh->e_phoff), eh->e_phnum, f->len, &f->arena, &report);
    f->view = (struct view){ f->bytes, &f->image.plan, VIEW_FILE };
    if (!err)
        err = image_read_dynamic(&f->image, &f->view, &report);
    return err ? err : image_read_versions(&f->image, &f->view, &f->arena, &report);
}

/* Whether the file is one that we are meant to refuse, and refused for that reason. */
static bool refused_rightly(const struct file *f, int err)
{
    if (f->bytes[EI_CLASS] != ELFCLASS64)
        return err == -LDR_E_CLASS;
    if (f->eh.e_machine != EM_X86_64)
        return err == -LDR_E_MACHINE;
    if (f->eh.e_type != ET_DYN && f->eh.e_type != ET_EXEC)
        return err == -LDR_E_TYPE;
    return false;
}

static void compare(struct file *f)
{
    f->elf = elf_memory((char *)f->bytes, f->len);
    if (!f->elf || !gelf_getehdr(f->elf, &f->eh)) {
        differ("libelf cannot read it: %s", elf_errmsg(-1));
        return;
    }
    int err = read_ours(f);
    if (err) {
        if (!refused_rightly(f, err))
            differ("refused: %s (%s)", ldr_error_text(-err), ldr_error_field(-err));
        return;
    }
    find_sections(f);
    compare_headers(f);
    if (f->image.dyn_vaddr) {
        compare_dynamic(f);
        compare_versions(f);
        compare_symbols(f);
    }
    compare_rest(f);
}

static struct { dev_t dev; ino_t ino; } *seen;
static unsigned seen_count, seen_room;

static bool seen_before(const struct stat *st)
{
    for (unsigned i = 0; st->st_nlink > 1 && i < seen_count; i++)
        if (seen[i].ino == st->st_ino && seen[i].dev == st->st_dev)
            return true;
    if (st->st_nlink > 1) {
        if (seen_count == seen_room && !(seen = realloc(seen, (seen_room = seen_room * 2 + 64) * sizeof *seen)))
            exit(2);
        seen[seen_count].dev = st->st_dev;
        seen[seen_count++].ino = st->st_ino;
    }
    return false;
}

static int visit(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)ftw;
    if (kind != FTW_F || !S_ISREG(st->st_mode) || st->st_size < (off_t)sizeof(Elf64_Ehdr) || seen_before(st))
        return 0;
    if (keep_of_1000 < 1000 && (unsigned)rand() % 1000 >= keep_of_1000)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char magic[SELFMAG];
    if (fd < 0 || pread(fd, magic, SELFMAG, 0) != SELFMAG || memcmp(magic, ELFMAG, SELFMAG) != 0) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    struct file f = { .len = (u64)st->st_size };
    /* Writable but private: libelf may convert in place. */
    void *bytes = mmap(NULL, f.len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return 0;
    f.bytes = bytes;
    current = path;
    differences = 0;
    compare(&f);
    if (differences)
        failed++;
    else
        passed++;
    elf_end(f.elf);
    drop(&f.arena);
    munmap(bytes, f.len);
    return 0;
}

int main(int argc, char **argv)
{
    elf_version(EV_CURRENT);
    const char *sample = getenv("SAMPLE_OF_1000");
    if (sample && *sample)
        keep_of_1000 = (unsigned)atoi(sample);
    srand(SAMPLE_SEED);
    for (int i = 1; i < argc; i++)
        nftw(argv[i], visit, 32, FTW_PHYS);
    printf("%u defined symbols looked up by name and version\n", looked_up);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed != 0 || !passed;
}
