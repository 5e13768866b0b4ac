/* libelf_relocs.c FILE - every relocation of the allocated sections by libelf, one line each: PLACE TYPE ADDEND SYMBOL@VERSION. The oracle
 * for `ldr relocs`, which goes by the dynamic table and never looks at sections. */
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Elf *elf;
static Elf_Data *versym;
static struct { const char *name; } versions[32768];

static void read_versions(Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    int at = 0;
    for (GElf_Word i = 0; i < header->sh_info; i++) {
        if (header->sh_type == SHT_GNU_verneed) {
            GElf_Verneed need;
            if (!gelf_getverneed(data, at, &need))
                return;
            int aux_at = at + (int)need.vn_aux;
            for (int k = 0; k < need.vn_cnt; k++) {
                GElf_Vernaux aux;
                if (!gelf_getvernaux(data, aux_at, &aux))
                    return;
                versions[aux.vna_other & 0x7fff].name = elf_strptr(elf, header->sh_link, aux.vna_name);
                aux_at += (int)aux.vna_next;
            }
            at += (int)need.vn_next;
        } else {
            GElf_Verdef def;
            GElf_Verdaux aux;
            if (!gelf_getverdef(data, at, &def) || !gelf_getverdaux(data, at + (int)def.vd_aux, &aux))
                return;
            if (!(def.vd_flags & VER_FLG_BASE))
                versions[def.vd_ndx & 0x7fff].name = elf_strptr(elf, header->sh_link, aux.vda_name);
            at += (int)def.vd_next;
        }
    }
}

static void print_one(GElf_Addr place, GElf_Xword info, GElf_Sxword addend, const GElf_Shdr *header)
{
    GElf_Sym sym = { 0 };
    GElf_Shdr table;
    size_t number = GELF_R_SYM(info);
    printf("%llx %llu %lld ", (unsigned long long)place, (unsigned long long)GELF_R_TYPE(info), (long long)addend);
    if (number) {
        Elf_Scn *symbols = elf_getscn(elf, header->sh_link);
        gelf_getshdr(symbols, &table);
        gelf_getsym(elf_getdata(symbols, NULL), (int)number, &sym);
        GElf_Versym version = 0;
        if (versym)
            gelf_getversym(versym, (int)number, &version);
        const char *name = versions[version & 0x7fff].name;
        printf("%s%s%s", elf_strptr(elf, table.sh_link, sym.st_name), name ? "@" : "", name ? name : "");
    }
    putchar('\n');
}

/* The word that the file has at an address: where SHT_REL and SHT_RELR keep their addends. */
static long long word_at(GElf_Addr place)
{
    size_t count = 0, len = 0;
    const char *raw = elf_rawfile(elf, &len);
    elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr p;
        long long word;
        gelf_getphdr(elf, (int)i, &p);
        if (p.p_type == PT_LOAD && place >= p.p_vaddr && place + 8 <= p.p_vaddr + p.p_filesz)
            return memcpy(&word, raw + p.p_offset + (place - p.p_vaddr), 8), word;
    }
    return 0;
}

static void print_relr(const Elf_Data *data)
{
    const GElf_Xword *at = data->d_buf;
    GElf_Addr next = 0;
    for (size_t i = 0; i < data->d_size / 8; i++) {
        if (!(at[i] & 1)) {
            printf("%llx 8 %lld \n", (unsigned long long)at[i], word_at(at[i]));
            next = at[i] + 8;
            continue;
        }
        for (int bit = 1; bit < 64; bit++)
            if (at[i] >> bit & 1)
                printf("%llx 8 %lld \n", (unsigned long long)(next + 8ull * (unsigned)(bit - 1)), word_at(next + 8ull * (unsigned)(bit - 1)));
        next += 63 * 8;
    }
}

int main(int argc, char **argv)
{
    elf_version(EV_CURRENT);
    elf = argc == 2 ? elf_begin(open(argv[1], O_RDONLY), ELF_C_READ, NULL) : NULL;
    if (!elf)
        return 2;
    GElf_Shdr header;
    for (Elf_Scn *s = NULL; (s = elf_nextscn(elf, s)) && gelf_getshdr(s, &header);) {
        if (header.sh_type == SHT_GNU_versym)
            versym = elf_getdata(s, NULL);
        if (header.sh_type == SHT_GNU_verneed || header.sh_type == SHT_GNU_verdef)
            read_versions(s, &header);
    }
    for (Elf_Scn *s = NULL; (s = elf_nextscn(elf, s)) && gelf_getshdr(s, &header);) {
        if (!(header.sh_flags & SHF_ALLOC))
            continue;
        Elf_Data *data = elf_getdata(s, NULL);
        if (header.sh_type == SHT_RELA) {
            GElf_Rela r;
            for (int i = 0; gelf_getrela(data, i, &r); i++)
                print_one(r.r_offset, r.r_info, r.r_addend, &header);
        } else if (header.sh_type == SHT_REL) {
            GElf_Rel r;
            for (int i = 0; gelf_getrel(data, i, &r); i++)
                print_one(r.r_offset, r.r_info, word_at(r.r_offset), &header);
        } else if (header.sh_type == 19) {
            print_relr(elf_rawdata(s, NULL));
        }
    }
    return 0;
}
