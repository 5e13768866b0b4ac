/* slot.c - a call that led nowhere went through some word: which word of which GOT, which symbol it belongs to, what the linker stored there
 * and what is there now. The linker's own lookup answers (explain/place.h), as for `ldr why --pid`. */
#include "crash.h"
#include "../explain/place.h"
#include "../explain/story.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

static u64 distance(const u8 *bytes) {
    return (u64)(i64)(int)((u32)bytes[0] | (u32)bytes[1] << 8 | (u32)bytes[2] << 16 | (u32)bytes[3] << 24);
}

/* The call that ends at `back`: *target its direct target, or *word the place it is read from; false: through a register, or none. */
static bool read_call(const struct space *space, u64 back, u64 *target, u64 *word) {
    u8 bytes[6];
    *target = *word = 0;
    if (space_read(space, back - sizeof bytes, bytes, sizeof bytes) != sizeof bytes)
        return false;
    if (bytes[0] == 0xff && bytes[1] == 0x15) {
        *word = back + distance(bytes + 2);
        return true;
    }
    const struct crash_map *map = space_map(space, back + distance(bytes + 2));
    if (bytes[1] == 0xe8 && map && map->exec) {
        *target = back + distance(bytes + 2);
        return true;
    }
    return false;
}

/* Where to ask: an address of the GOT, or of a PLT entry. 0: the call went through no such thing. */
static u64 asked_address(struct crash *crash) {
    const struct space *space = &crash->space;
    u64 target, word, back;
    for (size_t i = 0; i < crash->unwound.operand_count; i++)
        if (crash->unwound.operands[i].target && crash->unwound.operands[i].memory && space_object(space, crash->unwound.operands[i].addr)) {
            crash->slot.site = crash->moment.regs.rip;
            return crash->unwound.operands[i].addr;
        }
    const struct crash_map *map = space_map(space, crash->moment.regs.rip);
    if (crash->access != ACCESS_EXECUTES || (map && map->exec) || !space_word(space, crash->moment.regs.rsp, &back) ||
        !read_call(space, back, &target, &word))
        return 0;
    crash->slot.site = back;
    return word ? word : target;
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
    crash->slot.symbol = crash->slot.symbol ? crash->slot.symbol : must_format("%s", "");
}
