// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 as FIPS 180-4 has it, so that the program needs no library in a guest.
#include "flows.h"

#include <stdio.h>
#include <string.h>

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void sha256_begin(struct sha256 *hash) {
    static const uint32_t first[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, first, sizeof first);
    hash->length = 0;
}

static uint32_t right(uint32_t value, int count) { return value >> count | value << (32 - count); }

static void add_block(uint32_t *state, const uint8_t *octets) {
    uint32_t words[64], s[8];
    for (int i = 0; i < 16; i++, octets += 4)
        words[i] = (uint32_t)octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3];
    for (int i = 16; i < 64; i++) {
        uint32_t low = words[i - 15], high = words[i - 2];
        words[i] = words[i - 16] + (right(low, 7) ^ right(low, 18) ^ low >> 3) + words[i - 7] +
                   (right(high, 17) ^ right(high, 19) ^ high >> 10);
    }
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t first = s[7] + (right(s[4], 6) ^ right(s[4], 11) ^ right(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) +
                         constants[i] + words[i];
        uint32_t second = (right(s[0], 2) ^ right(s[0], 13) ^ right(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += first;
        s[0] = first + second;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

void sha256_add(struct sha256 *hash, const void *octets, size_t count) {
    const uint8_t *from = octets;
    size_t used = hash->length % 64;
    hash->length += count;
    while (count > 0) {
        if (used == 0 && count >= 64) {
            add_block(hash->state, from);
            from += 64, count -= 64;
            continue;
        }
        size_t part = count < 64 - used ? count : 64 - used;
        memcpy(hash->block + used, from, part);
        from += part, count -= part, used += part;
        if (used == 64) add_block(hash->state, hash->block), used = 0;
    }
}

void sha256_end(struct sha256 *hash, char text[65]) {
    uint64_t bits = hash->length * 8;
    uint8_t padding[72] = {0x80};
    size_t zeros = (119 - hash->length % 64) % 64;
    for (int i = 0; i < 8; i++) padding[zeros + 1 + i] = bits >> (56 - 8 * i);
    sha256_add(hash, padding, zeros + 9);
    for (int i = 0; i < 8; i++) sprintf(text + 8 * i, "%08x", hash->state[i]);
}
