// SPDX-License-Identifier: Apache-2.0
//
// A load of many TCP connections between two ends, each of which knows from the seed alone what every connection will do and
// carry, and so can tell by itself that what it got is what was sent. See main.c.
#ifndef FLOWS_H
#define FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAXIMUM_GENERATIONS 3
#define FIRST_SOURCE_PORT 20000
#define NEVER UINT64_MAX
#define NOT_DUE 1e18

struct options {
    int side;              // 0: a, 1: b
    uint64_t seed;
    unsigned flows, port;
    const char *peers[2];  // IPv4 and IPv6, or one of them
    unsigned peer_count;
    uint64_t maximum_size;
    unsigned pause, spread, abort_percent, reuse_percent;  // the first two in milliseconds
    double stall, limit;                    // seconds
    char *congestion[8];
    unsigned congestion_count;
};

// Random numbers: splitmix64 (public domain).
struct random { uint64_t state; };
uint64_t mixed(uint64_t value);
uint64_t next_random(struct random *random);

// What one end of a connection does.
struct conduct {
    uint64_t size;          // octets that it sends
    uint32_t write_size;    // at most so many at once
    uint32_t read_size;
    uint32_t receive_buffer, send_buffer;  // 0: the kernel's choice
    bool no_delay;
    bool answers;           // sends nothing before it has everything, as after a half-close
    bool last_to_end;       // sends its FIN only when it has the peer's
    bool early_close;       // closes when it has sent and received all, without waiting for the FIN
    unsigned read_pauses, write_pauses;
    uint64_t urgent;        // the octet that is urgent data
    uint64_t abort_after;   // octets sent and received before it resets the connection
};

struct plan {
    int initiator;          // the side that connects
    unsigned start;         // milliseconds
    unsigned peer;          // which of the initiator's addresses of its peer
    unsigned congestion;
    bool aborted;
    struct conduct ends[2];
};

unsigned generations_of(const struct options *options, unsigned flow);
struct plan plan_of(const struct options *options, unsigned flow, unsigned generation);
uint64_t stream_key(const struct options *options, unsigned flow, unsigned generation, int sender);
void fill(uint8_t *octets, uint64_t key, uint64_t offset, size_t count);

// FIPS 180-4.
struct sha256 { uint32_t state[8]; uint64_t length; uint8_t block[64]; };
void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *octets, size_t count);
void sha256_end(struct sha256 *hash, char text[65]);

enum phase { WAITING, CONNECTING, OPEN, ENDED };

struct connection {
    unsigned flow, generation;
    struct plan plan;
    const struct conduct *mine, *theirs;
    enum phase phase;
    int descriptor;
    uint32_t interest;
    uint64_t sent, received, send_key, receive_key;
    struct sha256 sent_hash, received_hash;
    bool finished_sending, peer_finished;
    unsigned reads_paused, writes_paused;
    double connect_at, read_at, write_at, progress;
};

struct totals {
    unsigned connections, complete, aborted, reset, hangs, failures, congestion_refused, connect_errors, open;
    uint64_t sent, received, retransmitted, duplicates_reported, reordered;
};

struct world {
    struct options options;
    struct totals totals;
    int poll, listener;
    double now, begin, progress;
    struct connection *connections;  // flows * MAXIMUM_GENERATIONS
    unsigned *accepted;              // of each flow
    unsigned left;                   // connections that have not ended
};

void connection_prepare(struct world *world, unsigned flow, unsigned generation);
void connection_connect(struct world *world, struct connection *connection);
// After a connect() that failed.
void connection_again(struct world *world, struct connection *connection);
void connection_accepted(struct world *world, struct connection *connection, int descriptor);
// Tells the poll what it waits for.
void connection_watch(struct world *world, struct connection *connection);
void connection_event(struct world *world, struct connection *connection, uint32_t events);
// What is due without an event: the end of a pause, a connection to make, a hang. Returns when to ask again.
double connection_time(struct world *world, struct connection *connection);
void connection_fail(struct world *world, struct connection *connection, const char *what, int error);

#endif
