/* error.h - every way an object can be refused: one code, the words the system's linker uses for it, and the rule broken.
 *
 * LDR_ERRORS(X) lists X(NAME, "text for people", "field judged"). Functions return -LDR_E_NAME; 0 is success.
 * The texts keep glibc's wording where glibc has the same refusal, because scripts and people search for it; the values found
 * and expected are appended by whoever prints (api/message.c, the tools). Negative values never collide with errno: system call
 * failures travel in struct problem.sys_errno beside the code.
 */
#ifndef LDR_ERROR_H
#define LDR_ERROR_H

#define LDR_ERRORS(X) \
    X(SHORT,         "file too short",                                              "file size") \
    X(MAGIC,         "invalid ELF header",                                          "e_ident[EI_MAG]") \
    X(CLASS,         "wrong ELF class",                                             "e_ident[EI_CLASS]") \
    X(DATA,          "ELF file data encoding not little-endian",                    "e_ident[EI_DATA]") \
    X(IDENT_VERSION, "ELF file version ident does not match current one",           "e_ident[EI_VERSION]") \
    X(OSABI,         "ELF file OS ABI invalid",                                     "e_ident[EI_OSABI]") \
    X(ABI_VERSION,   "ELF file ABI version invalid",                                "e_ident[EI_ABIVERSION]") \
    X(FILE_VERSION,  "ELF file version does not match current one",                 "e_version") \
    X(MACHINE,       "ELF file is for another machine",                             "e_machine") \
    X(TYPE,          "only ET_DYN and ET_EXEC can be loaded",                       "e_type") \
    X(PHENTSIZE,     "ELF file's phentsize not the expected size",                  "e_phentsize") \
    X(PHDR_RANGE,    "cannot read file data",                       "e_phoff") \
    X(NO_LOAD,       "object file has no loadable segments",                        "PT_LOAD") \
    X(LOAD_ALIGN,    "ELF load command alignment not page-aligned",                 "p_align") \
    X(LOAD_CONGRUENT,"ELF load command address/offset not page-aligned",            "p_vaddr") \
    X(LOAD_ORDER,    "ELF load commands not ascending or overlapping",              "p_vaddr") \
    X(LOAD_SIZE,     "ELF load command larger in the file than in memory",          "p_filesz") \
    X(LOAD_RANGE,    "file too short",                          "p_offset+p_filesz") \
    X(LOAD_SPAN,     "ELF load commands span more than the address space",          "p_vaddr+p_memsz") \
    X(TLS_ALIGN,     "TLS segment alignment is not a power of two",                 "PT_TLS p_align") \
    X(TLS_RANGE,     "TLS segment lies outside the load commands",                  "PT_TLS p_vaddr") \
    X(RELRO_RANGE,   "RELRO segment lies outside the load commands",                "PT_GNU_RELRO p_vaddr") \
    X(NO_DYNAMIC,    "object file has no dynamic section",                          "PT_DYNAMIC") \
    X(DYN_RANGE,     "dynamic section lies outside the load commands",              "PT_DYNAMIC") \
    X(DYN_UNENDED,   "dynamic section has no DT_NULL",                              "PT_DYNAMIC") \
    X(STRTAB,        "string table missing, outside the load commands or not ended","DT_STRTAB") \
    X(STRING,        "string offset outside the string table",                      "DT_*") \
    X(SYMTAB,        "symbol table missing or outside the load commands",           "DT_SYMTAB") \
    X(SYMENT,        "symbol entry size not the expected size",                     "DT_SYMENT") \
    X(HASH,          "SysV hash table malformed",                                   "DT_HASH") \
    X(GNU_HASH,      "GNU hash table malformed",                                    "DT_GNU_HASH") \
    X(VERSYM,        "symbol version table outside the load commands",              "DT_VERSYM") \
    X(VERDEF,        "version definition table malformed",                          "DT_VERDEF") \
    X(VERNEED,       "version need table malformed",                                "DT_VERNEED") \
    X(RELOC_RANGE,   "relocation table outside the load commands",                  "DT_RELA") \
    X(RELOC_ENT,     "relocation entry size not the expected size",                 "DT_RELAENT") \
    X(RELR_MARKER,   "DT_RELR without GLIBC_ABI_DT_RELR dependency",               "DT_VERNEED") \
    X(ISA_LEVEL,     "CPU ISA level is lower than required",                         "GNU_PROPERTY_X86_ISA_1_NEEDED") \
    X(WRITE_EXEC,    "load command both writable and executable",                   "p_flags") \
    X(ADDRESS_TAKEN, "the addresses of a fixed-address object are in use",          "p_vaddr") \
    X(INIT_RANGE,    "constructors or their array outside the load commands",        "DT_INIT_ARRAY") \
    X(OPEN,          "cannot open shared object file",                              "path") \
    X(OPEN_PROGRAM,  "cannot open program",                                         "path") \
    X(READ,          "cannot read file data",                                       "path") \
    X(STAT,          "cannot stat shared object",                                   "path") \
    X(MAP,           "failed to map segment from shared object",                    "PT_LOAD") \
    X(PROTECT,       "cannot change memory protections",                            "mprotect") \
    X(NO_MEMORY,     "cannot allocate memory",                                      "bytes") \
    X(EXEC_STACK,    "cannot enable executable stack as shared object requires",    "PT_GNU_STACK") \
    X(OPEN_PIE,      "cannot dynamically load position-independent executable",     "DF_1_PIE") \
    X(OPEN_EXEC,     "cannot dynamically load executable",                          "e_type") \
    X(NO_OPEN,       "shared object cannot be dlopen()ed",                          "DF_1_NOOPEN") \
    X(VERSION_MISSING,"version not found",                                          "DT_VERNEED") \
    X(SYMBOL,        "undefined symbol",                                            "symbol") \
    X(RELOC_TYPE,    "unexpected reloc type",                                       "r_info") \
    X(RELOC_PLACE,   "relocation outside the writable segments",                    "r_offset") \
    X(RELOC_SYMBOL,  "relocation names a symbol outside the symbol table",          "r_info") \
    X(RESOLVER,      "resolver of an indirect function outside the object's code",  "st_value") \
    X(RELOC_OVERFLOW,"relocation overflows its field",                              "value") \
    X(RELOC_SIZE,    "copy relocation outside its objects",                         "st_size") \
    X(NOT_COPYABLE,  "error due to GNU_PROPERTY_1_NEEDED_INDIRECT_EXTERN_ACCESS",   "R_X86_64_COPY") \
    X(TEXTREL,       "text relocation without DT_TEXTREL",                          "r_offset") \
    X(STATIC_TLS,    "cannot allocate memory in static TLS block",                  "PT_TLS p_memsz") \
    X(LAYOUT,        "this build of the C library is not known",                    "build-id") \
    X(CACHE,         "start record of the cache does not fit this process",         "PT_TLS") \
    X(DST_SECURE,    "DST not allowed in SUID/SGID programs",                       "$ORIGIN") \
    X(NO_NAMESPACE,  "dlmopen namespaces are not supported yet",                    "nsid") \
    X(INVALID,       "invalid argument",                                            "argument")

enum ldr_error {
    LDR_OK = 0,
#define LDR_E_(name, text, field) LDR_E_##name,
    LDR_ERRORS(LDR_E_)
#undef LDR_E_
    LDR_E_COUNT
};

/* ldr_error_text - the sentence of a code; never NULL. ldr_error_field - the ELF field the code judges. */
const char *ldr_error_text(int code);
const char *ldr_error_field(int code);

#endif
