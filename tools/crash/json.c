/* json.c - the report for programs. Schema version 1; ldr-crash-report(7) tells its members. Addresses are numbers. */
#include "crash.h"
#include "../json.h"
#include "../ldr.h"

#include <json-c/json.h>
#include <stdlib.h>

static void put_text(struct json_object *to, const char *key, const char *value) {
    char *text = value && *value ? text_utf8(value) : NULL;
    json_object_object_add(to, key, text ? json_object_new_string(text) : NULL);
    free(text);
}

static void put_number(struct json_object *to, const char *key, u64 value) { json_object_object_add(to, key, json_object_new_uint64(value)); }

static struct json_object *spot_json(const struct spot *spot) {
    struct json_object *json = json_object_new_object();
    char rights[4] = "---";
    put_number(json, "address", spot->addr);
    put_text(json, "page", page_class_name(spot->class));
    if (spot->map) {
        rights[0] = spot->map->read ? 'r' : '-';
        rights[1] = spot->map->write ? 'w' : '-';
        rights[2] = spot->map->exec ? 'x' : '-';
    }
    put_text(json, "permission", spot->map ? rights : NULL);
    put_text(json, "mapping", spot->map ? spot->map->path : NULL);
    put_text(json, "object", spot->object ? spot->object->path : spot->unloaded ? spot->unloaded->path : NULL);
    if (spot->object || spot->unloaded)
        put_number(json, "vaddr", spot->vaddr);
    put_text(json, "section", spot->section);
    put_text(json, "symbol", spot->symbol);
    put_text(json, "source", spot->source);
    return json;
}

static struct json_object *frames_json(const struct unwound *unwound) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < unwound->frame_count; i++) {
        const struct frame *frame = &unwound->frames[i];
        struct json_object *json = json_object_new_object();
        put_number(json, "pc", frame->pc);
        put_number(json, "sp", frame->sp);
        put_text(json, "object", frame->object ? frame->object->path : NULL);
        if (frame->object)
            put_number(json, "vaddr", frame->pc - frame->object->bias);
        put_text(json, "function", frame->function);
        put_text(json, "file", frame->file);
        if (frame->line)
            put_number(json, "line", frame->line);
        json_object_object_add(json, "interrupted", json_object_new_boolean(i && frame->exact));
        json_object_array_add(list, json);
    }
    return list;
}

static struct json_object *notes_json(const struct crash *crash) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < crash->note_count; i++)
        json_object_array_add(list, json_name(crash->notes[i]));
    return list;
}

static struct json_object *registers_json(const struct user_regs_struct *r) {
    struct json_object *json = json_object_new_object();
#define REGISTER(name) put_number(json, #name, r->name)
    REGISTER(rax), REGISTER(rbx), REGISTER(rcx), REGISTER(rdx), REGISTER(rsi), REGISTER(rdi), REGISTER(rbp), REGISTER(rsp);
    REGISTER(r8), REGISTER(r9), REGISTER(r10), REGISTER(r11), REGISTER(r12), REGISTER(r13), REGISTER(r14), REGISTER(r15);
    REGISTER(rip), REGISTER(eflags), REGISTER(fs_base), REGISTER(gs_base);
#undef REGISTER
    return json;
}

static struct json_object *slot_json(const struct crash_slot *slot) {
    struct json_object *json = json_object_new_object();
    put_number(json, "address", slot->addr);
    put_text(json, "object", slot->object);
    put_text(json, "symbol", slot->symbol);
    put_number(json, "word", slot->word);
    put_number(json, "stored", slot->stored);
    json_object_object_add(json, "overwritten", json_object_new_boolean(slot->changed));
    json_object_object_add(json, "weak_undefined", json_object_new_boolean(slot->weak));
    put_text(json, "story", slot->story);
    return json;
}

void crash_json(const struct crash *crash, FILE *out) {
    static const char *const kinds[] = { "unknown", "read", "write", "execute" };
    struct json_object *root = json_object_new_object(), *instruction = spot_json(&crash->instruction);
    char bytes[INSTRUCTION_MAX * 2 + 1] = "";
    for (u32 i = 0; i < crash->unwound.byte_count; i++)
        snprintf(bytes + 2 * i, 3, "%02x", crash->unwound.bytes[i]);
    put_number(root, "schema_version", 1);
    put_text(root, "program", crash->program);
    put_number(root, "pid", (u64)crash->pid);
    put_number(root, "thread", (u64)crash->thread);
    put_text(root, "thread_name", crash->thread_name);
    put_text(root, "signal", crash_signal(crash->moment.info.si_signo));
    put_text(root, "code", crash_code(&crash->moment.info));
    put_text(root, "kind", crash->kind);
    put_text(root, "cause", crash->cause);
    put_text(root, "advice", crash->advice);
    put_text(root, "message", crash->message);
    json_object_object_add(root, "raised_again", json_object_new_boolean(crash->raised_again));
    put_text(root, "access", crash->has_addr ? kinds[crash->access] : NULL);
    json_object_object_add(root, "fault", crash->has_addr ? spot_json(&crash->at) : NULL);
    put_text(instruction, "bytes", bytes);
    put_number(instruction, "length", crash->unwound.len);
    put_text(instruction, "text", crash->unwound.text);
    json_object_object_add(root, "instruction", instruction);
    json_object_object_add(root, "slot", crash->slot.found ? slot_json(&crash->slot) : NULL);
    json_object_object_add(root, "backtrace", frames_json(&crash->unwound));
    put_text(root, "backtrace_end", crash->unwound.problem);
    json_object_object_add(root, "notes", notes_json(crash));
    json_object_object_add(root, "registers", registers_json(&crash->moment.regs));
    fprintf(out, "%s\n", json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
}
