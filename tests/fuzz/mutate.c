/* mutate.c - half of all mutations change one number where ELF keeps numbers: a field of the ELF header, of a program header, of a
 * dynamic entry, or an aligned word anywhere. Random bytes alone rarely leave a file that gets past its first check. */
#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

static u32 next_random(u32 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* A value that a reader may trip over: an edge, a size, an address of the file's own, or the old value slightly off. */
static u64 odd_value(u32 *state, const u8 *data, size_t size, u64 old)
{
    u64 other = 0;
    switch (next_random(state) % 12) {
    case 0: return 0;
    case 1: return 1;
    case 2: return ~0ull;
    case 3: return size;
    case 4: return old + 1;
    case 5: return old - 1;
    case 6: return old ^ 1ull << next_random(state) % 64;
    case 7: return next_random(state) % (size + 1);
    case 8: return 1ull << next_random(state) % 64;
    case 9: return old + (i64)(next_random(state) % 64) * 8 - 256;
    default:
        memcpy(&other, data + next_random(state) % (size / 8) * 8, 8);
        return other;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    u32 state = seed | 1;
    next_random(&state);
    if (size < sizeof(Elf64_Ehdr) || next_random(&state) % 2)
        return LLVMFuzzerMutate(data, size, max);
    u64 at = 0, width = 8;
    Elf64_Ehdr eh;
    memcpy(&eh, data, sizeof eh);
    u64 heads = eh.e_phoff % size, head_len = (u64)eh.e_phnum * sizeof(Elf64_Phdr);
    switch (next_random(&state) % 8) {
    case 0: at = 16 + next_random(&state) % 24 * 2; width = 2; break;
    case 1:
    case 2: at = heads + (head_len ? next_random(&state) % (head_len / 4) * 4 : 0); width = next_random(&state) % 4 ? 8 : 4; break;
    case 3:
    case 4: case 5:
        /* The dynamic table: by its program header's own offset. */
        for (u32 i = 0; i < eh.e_phnum && heads + (i + 1) * sizeof(Elf64_Phdr) <= size; i++) {
            Elf64_Phdr ph;
            memcpy(&ph, data + heads + i * sizeof ph, sizeof ph);
            if (ph.p_type == PT_DYNAMIC && ph.p_offset < size && ph.p_filesz >= 16)
                at = ph.p_offset + next_random(&state) % (ph.p_filesz / 8) * 8;
        }
        break;
    case 6: at = next_random(&state) % (size / 4) * 4; width = 4; break;
    default: at = next_random(&state) % (size / 2) * 2; width = 2; break;
    }
    if (at > size - width)
        at = size - width;
    u64 old = 0;
    memcpy(&old, data + at, width);
    u64 value = odd_value(&state, data, size, old);
    memcpy(data + at, &value, width);
    return size;
}
