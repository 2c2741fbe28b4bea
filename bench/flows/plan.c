// SPDX-License-Identifier: Apache-2.0
//
// What each connection does and carries: a function of the seed, the flow's number and its generation, the same on both sides.
#include "flows.h"

uint64_t mixed(uint64_t value) {
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

uint64_t next_random(struct random *random) { return mixed(random->state += 0x9e3779b97f4a7c15); }

static bool chance(struct random *random, unsigned percent) { return next_random(random) % 100 < percent; }

// From 1 to `maximum`, each power of two as likely as any other.
static uint64_t log_uniform(struct random *random, uint64_t maximum) {
    unsigned bits = 64 - __builtin_clzll(maximum | 1);
    unsigned chosen = next_random(random) % bits;
    uint64_t value = (UINT64_C(1) << chosen) + (next_random(random) & ((UINT64_C(1) << chosen) - 1));
    return value < maximum ? value : maximum;
}

unsigned generations_of(const struct options *options, unsigned flow) {
    struct random random = {mixed(options->seed) ^ mixed(flow + 1)};
    return chance(&random, 100 - options->reuse_percent) ? 1 : 2 + next_random(&random) % (MAXIMUM_GENERATIONS - 1);
}

static struct conduct conduct_of(struct random *random, uint64_t maximum_size) {
    struct conduct conduct = {.write_size = 65536, .read_size = 65536, .urgent = NEVER, .abort_after = NEVER};
    bool small_writes = chance(random, 20);
    if (small_writes) conduct.write_size = log_uniform(random, 300);
    else if (chance(random, 50)) conduct.write_size = log_uniform(random, 65536) + 255;
    uint64_t maximum = small_writes && maximum_size > 500 * conduct.write_size ? 500 * conduct.write_size : maximum_size;
    conduct.size = chance(random, 8) ? 0 : log_uniform(random, maximum);
    conduct.no_delay = chance(random, 50);
    if (!small_writes && chance(random, 25)) conduct.send_buffer = 8192 + log_uniform(random, 262144);
    if (chance(random, 30)) {
        // Zero windows: little room, and standing still.
        conduct.receive_buffer = 8192 + log_uniform(random, 65536);
        conduct.read_pauses = 1 + next_random(random) % 4;
        conduct.read_size = 64 + log_uniform(random, 16384);
    } else if (chance(random, 20)) {
        conduct.read_pauses = 1 + next_random(random) % 2;
    }
    if (chance(random, 25)) conduct.write_pauses = 1 + next_random(random) % 4;
    if (chance(random, 5)) conduct.urgent = next_random(random) % (conduct.size + 1);
    return conduct;
}

static void plan_end(struct random *random, struct plan *plan, bool last) {
    struct conduct *initiator = &plan->ends[plan->initiator], *acceptor = &plan->ends[!plan->initiator];
    if (!last) {
        // The acceptor ends first, so that no TIME-WAIT at the initiator keeps the next generation from the same pair of ports.
        initiator->last_to_end = true;
        return;
    }
    unsigned choice = next_random(random) % 100;
    if (choice < 20) initiator->answers = true;
    else if (choice < 40) acceptor->answers = true;
    else if (choice < 50) initiator->early_close = acceptor->early_close = true;
    else if (choice < 60) acceptor->last_to_end = true;
    else if (choice < 70) initiator->last_to_end = true;
}

struct plan plan_of(const struct options *options, unsigned flow, unsigned generation) {
    struct random random = {mixed(options->seed) ^ mixed(((uint64_t)generation + 1) << 32 | (flow + 1))};
    struct plan plan = {.initiator = flow % 2};
    plan.start = options->spread > 0 ? next_random(&random) % options->spread : 0;
    plan.peer = next_random(&random) % options->peer_count;
    plan.congestion = options->congestion_count > 0 ? next_random(&random) % options->congestion_count : 0;
    for (int side = 0; side < 2; side++) plan.ends[side] = conduct_of(&random, options->maximum_size);
    for (int side = 0; side < 2; side++) {
        // A sender may wait 200 ms for room of a segment (RFC 9293, 3.8.6.2.1): more would only take longer.
        uint64_t room = plan.ends[side].receive_buffer, *size = &plan.ends[!side].size;
        if (room > 0 && *size > 16 * room) *size = 16 * room;
    }
    plan_end(&random, &plan, generation + 1 == generations_of(options, flow));
    plan.aborted = chance(&random, options->abort_percent);
    if (plan.aborted) {
        // An initiator that resets has something from its peer before, so that both count this connection.
        for (int side = 0; side < 2; side++) plan.ends[side].size += plan.ends[side].size == 0;
        struct conduct *aborter = &plan.ends[next_random(&random) % 2];
        aborter->abort_after = 1 + next_random(&random) % (plan.ends[0].size + plan.ends[1].size);
    }
    return plan;
}

uint64_t stream_key(const struct options *options, unsigned flow, unsigned generation, int sender) {
    return mixed(mixed(options->seed + 1) ^ ((uint64_t)sender << 62 | (uint64_t)generation << 32 | flow));
}

void fill(uint8_t *octets, uint64_t key, uint64_t offset, size_t count) {
    while (count > 0) {
        uint64_t word = mixed(key + (offset / 8) * 0x9e3779b97f4a7c15) >> 8 * (offset % 8);
        for (unsigned left = 8 - offset % 8; left > 0 && count > 0; left--, count--, offset++, word >>= 8) *octets++ = word;
    }
}
