/* check_file.c - one object by itself: what its headers and its dynamic table ask of the linker. */
#include "../ldr.h"
#include "check.h"
#include "relocs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void add(const struct check *check, enum check_rule rule, const struct node *node, const char *subject, char *message, char *evidence,
                char *advice) {
    findings_add(check->findings, rule, rule_severity(rule), check->root, node_path(node), subject, message, evidence, advice);
}

static bool known(const struct check *check, enum check_rule rule, const struct node *node, const char *subject) {
    return findings_known(check->findings, rule, check->root, node_path(node), subject);
}

static void check_segments(const struct check *check, const struct node *node) {
    const struct image *image = &node->object.image;
    for (u32 i = 0; i < image->plan.seg_count; i++) {
        const struct segment *seg = &image->plan.seg[i];
        if ((seg->prot & PF_W) && (seg->prot & PF_X) && !known(check, RULE_WRITE_EXEC, node, "")) {
            struct lines lines = { 0 };
            lines_add(&lines, "PT_LOAD at %#llx, %llu bytes, flags rwx", (unsigned long long)seg->vaddr, (unsigned long long)(seg->mem_end - seg->vaddr));
            add(check, RULE_WRITE_EXEC, node, "", must_format("a segment is both writable and executable; ld-ldr.so refuses it, hardened kernels do too"),
                lines.text, must_format("Link without -N and -z rwx-seg; put generated code into memory of its own."));
        }
    }
    bool has_stack = false;
    for (u16 i = 0; i < image->phnum; i++)
        has_stack |= image->phdr[i].p_type == PT_GNU_STACK;
    if ((image->stack_flags & PF_X) && !known(check, RULE_EXEC_STACK, node, "")) {
        struct lines lines = { 0 };
        lines_add(&lines, has_stack ? "PT_GNU_STACK has flags rwx" : "there is no PT_GNU_STACK, which means executable");
        add(check, RULE_EXEC_STACK, node, "", must_format("asks for an executable stack: every thread's becomes so; glibc 2.41 refuses to open such libraries"), lines.text,
            must_format("Usually one assembly file lacks .section .note.GNU-stack,\"\",@progbits; or link with -z noexecstack."));
    }
}

struct text_places {
    const struct object *object;
    u64 count, first;
};

static bool note_text_place(const struct reloc_record *record, void *arg) {
    struct text_places *places = arg;
    const struct plan *plan = &places->object->image.plan;
    for (u32 i = 0; i < plan->seg_count; i++)
        if (record->kind.class != RELOC_NONE && !(plan->seg[i].prot & PF_W) && record->place >= plan->seg[i].vaddr && record->place < plan->seg[i].mem_end &&
            places->count++ == 0)
            places->first = record->place;
    return true;
}

static void check_text_relocations(const struct check *check, const struct node *node) {
    if (!node->object.image.textrel || known(check, RULE_TEXTREL, node, ""))
        return;
    struct text_places places = { .object = &node->object };
    relocs_each(&node->object, note_text_place, &places);
    struct lines lines = { 0 };
    lines_add(&lines, "DT_TEXTREL; %llu relocations in read-only segments, the first at %#llx", (unsigned long long)places.count, (unsigned long long)places.first);
    add(check, RULE_TEXTREL, node, "", must_format("relocations write into code or constants: those pages are no longer shared between processes"), lines.text,
        must_format("Compile everything that goes into it with -fPIC; ld -z text names the offender."));
}

static void check_hardening(const struct check *check, const struct node *node) {
    const struct image *image = &node->object.image;
    if (!image->dyn_vaddr)
        return;
    bool writable = image->writable_hi > image->writable_lo && relocs_count(&node->object);
    bool lazy_got = image->plt.count && !image->bind_now;
    if (writable && (!image->relro_len || lazy_got) && !known(check, RULE_NO_RELRO, node, ""))
        add(check, RULE_NO_RELRO, node, "",
            image->relro_len ? must_format("only part is protected after relocation: function pointers of the PLT stay writable (lazy binding)")
                             : must_format("nothing is protected after relocation: there is no PT_GNU_RELRO"),
            NULL, must_format("Link with -z relro -z now."));
    if (image->type == ET_EXEC && !known(check, RULE_NO_PIE, node, ""))
        add(check, RULE_NO_PIE, node, "", must_format("is linked to a fixed address: its code and data are where an attacker expects them"), NULL,
            must_format("Compile with -fPIE and link with -pie."));
}

/* ---- directories ------------------------------------------------------------------------------------------------------- */

static bool is_writable_by_others(const struct check *check, const char *dir, mode_t *mode) {
    uid_t owner;
    return catalog_dir_mode(check->session->catalog, dir, mode, &owner) && (*mode & S_IWOTH);
}

static void check_directory(const struct check *check, const struct node *node, const char *tag, const char *element, size_t len) {
    struct search *search = (struct search *)&check->session->search;
    char dir[4096], word[256];
    struct text text = text_on(dir, sizeof dir);
    mode_t mode = 0;
    snprintf(word, sizeof word, "%.*s", (int)len, element);
    bool expanded = search_expand(search, element, len, &node->object, &text);
    bool same = expanded && strcmp(dir, word) == 0;
    if (expanded && dir[0] != '/') {
        if (!known(check, RULE_RUNPATH_RELATIVE, node, word))
            add(check, RULE_RUNPATH_RELATIVE, node, word,
                len ? must_format("%s has the relative directory '%s': what is loaded depends on where the program is started", tag, word)
                    : must_format("%s has an empty element, which means the current directory: what is loaded depends on where the program is started", tag),
                NULL, must_format("Use $ORIGIN, or an absolute path; drop stray colons."));
    } else if (expanded && is_writable_by_others(check, dir, &mode)) {
        if (!known(check, RULE_RUNPATH_WRITABLE, node, word)) {
            struct lines lines = { 0 };
            lines_add(&lines, "%s has mode %04o", dir, (unsigned)mode & 07777);
            findings_add(check->findings, RULE_RUNPATH_WRITABLE, check->session->config.secure ? SEVERITY_ERROR : SEVERITY_WARNING, check->root, node_path(node),
                         word, must_format("%s leads to %s, where anyone can put a library for it to load", tag, dir), lines.text,
                         must_format("Remove it from the %s (chrpath, patchelf, or link anew without -rpath).", tag));
        }
    } else if (expanded && !catalog_is_dir(check->session->catalog, dir) && !known(check, RULE_RUNPATH_MISSING, node, word)) {
        add(check, RULE_RUNPATH_MISSING, node, word, must_format("%s has %s%s%s%s, which does not exist: every library is looked for there in vain", tag, word,
                                                                 same ? "" : " (", same ? "" : dir, same ? "" : ")"),
            NULL, must_format("Remove it: it often is the build directory."));
    }
}

static void check_search_path(const struct check *check, const struct node *node) {
    const struct image *image = &node->object.image;
    const char *list = image->runpath ? image->runpath : image->rpath;
    for (const char *at = list; at && *list;) {
        size_t len = strcspn(at, ":");
        check_directory(check, node, image->runpath ? "RUNPATH" : "RPATH", at, len);
        if (!at[len])
            break;
        at += len + 1;
    }
}

/* ---- libraries that will be opened late --------------------------------------------------------------------------------- */

static bool note_static_tls(const struct reloc_record *record, void *arg) {
    *(u64 *)arg += record->kind.class == RELOC_TLS_TPOFF;
    return true;
}

enum { OPTIONAL_STATIC_TLS = 512 };   /* glibc.rtld.optional_static_tls, what is kept for late libraries by default */

static void check_static_tls(const struct check *check, const struct node *node) {
    const struct image *image = &node->object.image;
    u64 places = 0;
    if (!check->is_library || node != check->session->program || !image->tls_memsz || known(check, RULE_STATIC_TLS, node, ""))
        return;
    relocs_each(&node->object, note_static_tls, &places);
    if (!places && !(image->flags & DF_STATIC_TLS))
        return;
    struct lines lines = { 0 };
    lines_add(&lines, "PT_TLS has %llu bytes; %llu R_X86_64_TPOFF64 relocations%s", (unsigned long long)image->tls_memsz, (unsigned long long)places,
              image->flags & DF_STATIC_TLS ? "; DF_STATIC_TLS" : "");
    lines_add(&lines, "glibc keeps %d bytes for all such libraries together (glibc.rtld.optional_static_tls)", OPTIONAL_STATIC_TLS);
    findings_add(check->findings, RULE_STATIC_TLS, image->tls_memsz > OPTIONAL_STATIC_TLS ? SEVERITY_WARNING : SEVERITY_NOTE, check->root, node_path(node), "",
                 image->tls_memsz > OPTIONAL_STATIC_TLS
                     ? must_format("dlopen of it can fail with \"cannot allocate memory in static TLS block\": it takes %llu bytes of static thread storage",
                                   (unsigned long long)image->tls_memsz)
                     : must_format("takes %llu bytes of the static thread storage kept for libraries opened late", (unsigned long long)image->tls_memsz),
                 lines.text, must_format("Compile it without -ftls-model=initial-exec, or link programs with it, or preload it, or raise the tunable."));
}

enum { STATIC_TLS_TOLD = 1024 };

/* What the objects loaded at start take of every thread's block. */
static void check_tls_of_start(const struct check *check) {
    const struct session *session = check->session;
    struct lines lines = { 0 };
    u64 total = 0;
    for (const struct object *object = session->first; object; object = object->next) {
        total += object->image.tls_memsz;
        if (object->image.tls_memsz)
            lines_add(&lines, "%s: %llu bytes", node_path(object_node(object)), (unsigned long long)object->image.tls_memsz);
    }
    if (check->is_library || total < STATIC_TLS_TOLD) {
        free(lines.text);
        return;
    }
    findings_add(check->findings, RULE_THREAD_STORAGE, SEVERITY_NOTE, check->root, check->root, "",
                 must_format("each thread begins with %llu bytes of thread storage of the objects loaded at start", (unsigned long long)total), lines.text,
                 must_format("Small stacks must leave room for it: it is taken from the stack's memory."));
}

static void check_cpu_level(const struct check *check, const struct node *node) {
    struct search *search = (struct search *)&check->session->search;
    if (object_runs_on(&node->object, search->cpu_level, search) || known(check, RULE_CPU_LEVEL, node, ""))
        return;
    struct lines lines = { 0 };
    lines_add(&lines, "GNU_PROPERTY_X86_ISA_1_NEEDED is %#x, this CPU is x86-64-v%u", image_property(&node->object.image, &node->object.view, PROPERTY_X86_ISA_1_NEEDED),
              search->cpu_level(search));
    add(check, RULE_CPU_LEVEL, node, "", must_format("needs a newer CPU than this one: the linker refuses it"), lines.text,
        must_format("Install the build for x86-64 without -march, or put this one into glibc-hwcaps."));
}

void check_file(const struct check *check, const struct node *node) {
    if (node->object.is_missing)
        return;
    check_segments(check, node);
    check_text_relocations(check, node);
    check_hardening(check, node);
    check_search_path(check, node);
    check_static_tls(check, node);
    if (node == check->session->program)
        check_tls_of_start(check);
    check_cpu_level(check, node);
}
