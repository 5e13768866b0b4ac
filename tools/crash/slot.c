/* slot.c - a call that led nowhere went through some word: which word of which GOT, which symbol it belongs to, what the linker stored there
 * and what is there now. The linker's own lookup answers (explain/place.h), as for `ldr why --pid`. */
#include "crash.h"
#include "../explain/place.h"
#include "../explain/story.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

static bool is_in_register(const struct user_regs_struct *r, u64 value) {
    const u64 words[] = { r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15 };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i] == value)
            return true;
    return false;
}

/* Behind a call? What looks like a return address may be left over from another one, so a call counts where its operand is the address
 * that was reached; a direct one leads to code that jumped on, through a register that still holds the address or a PLT entry. */
static u64 called_through(struct crash *crash, u64 back) {
    const struct unwound *unwound = &crash->unwound;
    const u64 reached = crash->moment.regs.rip;
    u64 word;
    for (size_t i = 0; i < unwound->call_count; i++) {
        const struct call *call = &unwound->calls[i];
        if (call->memory ? space_word(&crash->space, call->addr, &word) && word == reached : call->addr == reached) {
            crash->slot.site = back;
            return call->memory ? call->addr : 0;
        }
    }
    for (size_t i = 0; i < unwound->call_count; i++) {
        const struct call *call = &unwound->calls[i];
        const struct crash_map *map = space_map(&crash->space, call->addr);
        if (call->direct && map && map->exec) {
            crash->slot.site = is_in_register(&crash->moment.regs, reached) ? back : 0;
            return call->addr;
        }
    }
    return 0;
}

/* Where to ask: an address of the GOT, or of a PLT entry. 0: the call went through no such thing. */
static u64 asked_address(struct crash *crash) {
    const struct space *space = &crash->space;
    u64 back;
    for (size_t i = 0; i < crash->unwound.operand_count; i++)
        if (crash->unwound.operands[i].target && crash->unwound.operands[i].memory && space_object(space, crash->unwound.operands[i].addr)) {
            crash->slot.site = crash->moment.regs.rip;
            return crash->unwound.operands[i].addr;
        }
    const struct crash_map *map = space_map(space, crash->moment.regs.rip);
    if (crash->access != ACCESS_EXECUTES || (map && map->exec) || !space_word(space, crash->moment.regs.rsp, &back))
        return 0;
    return called_through(crash, back);
}

static void tell_story(struct crash_slot *slot, struct session *session, const struct place *place, const struct process_view *process) {
    const char *symbol;
    char *text = place_text(place, &symbol), *now = process_value(process, session, place), *cause = NULL;
    if (symbol) {
        const struct version *version = reference_version(place->object, place->record.symbol);
        struct story story = { 0 };
        why_story_symbol(&story, session, symbol, version ? version->name : NULL);
        why_story_only(&story, place->object, place->record.symbol, reference_classes(place->record.kind));
        const struct story_reference *reference = story.references;
        if (reference) {
            char *why = why_story_cause(&story, reference);
            cause = must_format("  %s%s%s\n  %s\n", reference->result ? "binds to nothing" : "binds to ",
                                reference->result ? "" : node_path(object_node(reference->found.object)), "", why);
            free(why);
            slot->weak = reference->result == REFERENCE_WEAK;
        }
        slot->symbol = must_format("%s", symbol);
    }
    struct judgement judged = process_judge(process, session, place);
    slot->changed = judged.state == WORD_CHANGED;
    slot->word = judged.word;
    slot->stored = judged.stored;
    slot->object = must_format("%s", node_path(object_node(place->object)));
    slot->addr = process->bias[object_node(place->object)->number] + place->record.place;
    slot->story = must_format("%s%s%s", text, cause ? cause : "", now);
    slot->found = true;
    free(text);
    free(cause);
    free(now);
}

/* One try: the start of `root`, as it was; false: the address is in none of its objects. */
static bool find_in(struct crash *crash, const char *root, u64 asked) {
    struct session_options options = { .catalog = crash->space.catalog, .library_path = crash->library_path, .preload = crash->preload,
                                       .environment = process_environment(crash->thread) };
    struct session session;
    struct process_view process;
    struct defect defect;
    u64 vaddr;
    bool located = false;
    if (session_begin(&session, &options, root, &defect) == 0) {
        session_load(&session);
        session_place(&session, true);
        if (process_open(&process, &session, crash->thread)) {
            struct object *object = process_locate(&process, &session, asked, &vaddr);
            struct place place = object ? place_find(object, vaddr) : (struct place){ 0 };
            located = object;
            if (place.found && place.record.kind.class != RELOC_RELATIVE)
                tell_story(&crash->slot, &session, &place, &process);
            process_close(&process);
        }
    }
    session_end(&session);
    return located;
}

void slot_find(struct crash *crash) {
    u64 asked = asked_address(crash);
    const struct crash_object *object = asked ? space_object(&crash->space, asked) : NULL;
    if (!object || !object->file)
        return;
    /* What the program opened while it runs is looked at alone: its own scope is known, not the order in which it came. */
    if (!find_in(crash, crash->program, asked))
        find_in(crash, object->path, asked);
    if (crash->slot.found && !crash->slot.site && crash->slot.word == crash->moment.regs.rip)
        space_word(&crash->space, crash->moment.regs.rsp, &crash->slot.site);
    crash->slot.symbol = crash->slot.symbol ? crash->slot.symbol : must_format("%s", "");
}
