/* matrix.c - frames that each two owners share, from the tree of owner sets.
 *
 * All frames in the subtree below a node have the owners on the path to it. So for each node, its last owner shares the frames
 * of the subtree with every owner on the path: one addition per node and ancestor, however many frames there are.
 */
#include "pages.h"
#include "../ldr.h"

#include <stdlib.h>

uint64_t *share_matrix(const struct tally *tally, size_t owner_count, const uint32_t *owners, size_t count) {
    const struct owner_sets *sets = &tally->frames.sets;
    uint64_t *matrix = must_alloc(count * count, sizeof *matrix);
    uint64_t *below = must_alloc(sets->count, sizeof *below); /* frames of each set and of those that contain it as path */
    uint32_t *place = must_alloc(owner_count, sizeof *place); /* in OWNERS, + 1; 0: not asked for */
    for (size_t i = 0; i < count; i++)
        place[owners[i]] = (uint32_t)i + 1;
    for (size_t i = 0; i < tally->frames.leaf_count * FRAME_LEAF; i++)
        below[tally->frames.frames[i].set] += tally->frames.frames[i].set != 0;
    /* children come after their parents */
    for (uint32_t node = sets->count; node-- > 1; ) {
        below[sets->list[node].parent] += below[node];
        uint32_t last = place[sets->list[node].owner];
        if (!last)
            continue;
        for (uint32_t at = sets->list[node].parent; at; at = sets->list[at].parent) {
            uint32_t other = place[sets->list[at].owner];
            if (!other)
                continue;
            matrix[(last - 1) * count + other - 1] += below[node];
            matrix[(other - 1) * count + last - 1] += below[node];
        }
    }
    for (size_t i = 0; i < count; i++)
        matrix[i * count + i] = tally->owners[owners[i]].frames;
    free(place);
    free(below);
    return matrix;
}
