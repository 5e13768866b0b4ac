/* digest.c - two independent multilinear hashes: the high 64 bits of  start + sum of word[i] * page[i]  modulo 2^128.
 *
 * Over a random key each is strongly universal (Lemire and Kaser, "Strongly universal string hashing is fast", theorem on multilinear
 * hashing with words of 64 bits in arithmetic of 128): two given pages that differ agree with probability 2^-64.
 */
#include "digest.h"

struct digest digest_make(const struct digest_key *key, const uint64_t *page) {
    struct digest digest;
    for (int h = 0; h < 2; h++) {
        unsigned __int128 sum = key->half[h].start;
        for (int i = 0; i < CAUSE_WORDS; i++)
            sum += key->half[h].word[i] * page[i];
        digest.half[h] = (uint64_t)(sum >> 64);
    }
    return digest;
}
