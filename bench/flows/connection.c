// SPDX-License-Identifier: Apache-2.0
//
// One connection at one end, from its making to its end.
#define _GNU_SOURCE
#include "flows.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void connection_prepare(struct world *world, unsigned flow, unsigned generation) {
    struct connection *it = &world->connections[flow * MAXIMUM_GENERATIONS + generation];
    it->flow = flow;
    it->generation = generation;
    it->plan = plan_of(&world->options, flow, generation);
    it->mine = &it->plan.ends[world->options.side];
    it->theirs = &it->plan.ends[!world->options.side];
    it->phase = WAITING;
    it->descriptor = -1;
    it->send_key = stream_key(&world->options, flow, generation, world->options.side);
    it->receive_key = stream_key(&world->options, flow, generation, !world->options.side);
    sha256_begin(&it->sent_hash);
    sha256_begin(&it->received_hash);
    it->connect_at = generation == 0 ? world->begin + it->plan.start / 1e3 : NOT_DUE;
}

// Notes the kernel's counters and prints the record that the other side's is compared with.
static void end(struct world *world, struct connection *it, const char *how) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    char sent[65], received[65];
    if (it->descriptor >= 0) {
        getsockopt(it->descriptor, IPPROTO_TCP, TCP_INFO, &info, &size);
        close(it->descriptor);
        world->totals.open--;
    }
    world->totals.retransmitted += info.tcpi_total_retrans;
    world->totals.duplicates_reported += info.tcpi_dsack_dups;
    world->totals.reordered += info.tcpi_reord_seen;
    it->descriptor = -1;
    it->phase = ENDED;
    world->left--;
    world->progress = world->now;
    sha256_end(&it->sent_hash, sent);
    sha256_end(&it->received_hash, received);
    printf("record %u/%u %s %s %llu %s %llu %s\n", it->flow, it->generation, it->plan.aborted ? "reset" : "whole", how,
           (unsigned long long)it->sent, sent, (unsigned long long)it->received, received);
    // The next one from the same port, if this side makes it.
    if (it->plan.initiator == world->options.side && it->generation + 1 < generations_of(&world->options, it->flow))
        it[1].connect_at = world->now;
}

static const char *state(struct connection *it, char *text, size_t room) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (it->descriptor < 0 || getsockopt(it->descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return "no socket";
    snprintf(text, room,
             "state %u, retransmits %u, backoff %u, rto %u us, unacked %u, not sent %u, probes %u, window %u",
             info.tcpi_state, info.tcpi_retransmits, info.tcpi_backoff, info.tcpi_rto, info.tcpi_unacked, info.tcpi_notsent_bytes,
             info.tcpi_probes, info.tcpi_snd_wnd);
    return text;
}

void connection_fail(struct world *world, struct connection *it, const char *what, int error) {
    char text[256];
    printf("failure flow %u/%u: %s%s%s; at %.3f s, sent %llu of %llu, received %llu of %llu, %s%s; %s\n", it->flow, it->generation,
           what, error ? ": " : "", error ? strerror(error) : "", world->now - world->begin, (unsigned long long)it->sent,
           (unsigned long long)it->mine->size, (unsigned long long)it->received, (unsigned long long)it->theirs->size,
           it->finished_sending ? "FIN sent, " : "", it->peer_finished ? "FIN received" : "no FIN received",
           state(it, text, sizeof text));
    world->totals.failures++;
    end(world, it, "failed");
}

static void fail_or_reset(struct world *world, struct connection *it, int error) {
    bool expected = it->plan.aborted && it->mine->abort_after == NEVER && (error == ECONNRESET || error == EPIPE);
    if (!expected) return connection_fail(world, it, "an error", error);
    world->totals.reset++;
    end(world, it, "reset");
}

void connection_watch(struct world *world, struct connection *it) {
    bool may_send = !it->mine->answers || it->peer_finished;
    uint32_t interest = 0;
    if (!it->peer_finished && it->read_at <= world->now) interest |= EPOLLIN;
    if (it->phase == CONNECTING || (it->sent < it->mine->size && may_send && it->write_at <= world->now)) interest |= EPOLLOUT;
    if (interest == it->interest) return;
    it->interest = interest;
    struct epoll_event event = {.events = interest, .data.ptr = it};
    epoll_ctl(world->poll, EPOLL_CTL_MOD, it->descriptor, &event);
}

static void progressed(struct world *world, struct connection *it) { it->progress = world->progress = world->now; }

// Whether so many pauses of `count` lie before this octet of a stream of `size`; and how far the next one is.
static bool pause_due(unsigned count, unsigned taken, uint64_t size, uint64_t position, uint64_t *room) {
    if (taken >= count) return false;
    uint64_t at = size * taken / count;
    if (position >= at) return true;
    if (*room > at - position) *room = at - position;
    return false;
}

static double pause_end(struct world *world, struct connection *it, unsigned number) {
    struct random random = {it->send_key ^ it->received ^ number};
    return world->now + (world->options.pause ? next_random(&random) % world->options.pause : 0) / 1e3;
}

static bool abort_due(struct world *world, struct connection *it) {
    bool counted = it->plan.initiator != world->options.side || it->received > 0;
    if (!counted || it->sent + it->received < it->mine->abort_after) return false;
    struct linger now = {.l_onoff = 1};
    setsockopt(it->descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    world->totals.aborted++;
    end(world, it, "aborted");
    return true;
}

static void receive(struct world *world, struct connection *it) {
    static uint8_t octets[65536], expected[65536];
    uint64_t room = it->mine->read_size;
    if (pause_due(it->mine->read_pauses, it->reads_paused, it->theirs->size, it->received, &room)) {
        it->read_at = pause_end(world, it, it->reads_paused++);
        return;
    }
    ssize_t count = recv(it->descriptor, octets, room, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) return fail_or_reset(world, it, errno);
    progressed(world, it);
    if (count == 0) {
        it->peer_finished = true;
        if (it->received < it->theirs->size) connection_fail(world, it, "the stream ended early", 0);
        return;
    }
    if (it->received + count > it->theirs->size) return connection_fail(world, it, "more octets than were sent", 0);
    fill(expected, it->receive_key, it->received, count);
    sha256_add(&it->received_hash, octets, count);
    if (memcmp(octets, expected, count) != 0) {
        uint64_t at = it->received;
        for (ssize_t i = 0; octets[i] == expected[i]; i++) at++;
        char what[64];
        snprintf(what, sizeof what, "octet %llu is wrong", (unsigned long long)at);
        return connection_fail(world, it, what, 0);
    }
    it->received += count;
    world->totals.received += count;
    abort_due(world, it);
}

static void transmit(struct world *world, struct connection *it) {
    static uint8_t octets[65536];
    uint64_t room = it->mine->write_size < sizeof octets ? it->mine->write_size : sizeof octets;
    uint64_t left = it->mine->size - it->sent;
    if (pause_due(it->mine->write_pauses, it->writes_paused, it->mine->size, it->sent, &room)) {
        it->write_at = pause_end(world, it, it->writes_paused++);
        return;
    }
    if (room > left) room = left;
    int flags = MSG_NOSIGNAL;
    if (it->mine->urgent == it->sent) room = 1, flags |= MSG_OOB;
    else if (it->mine->urgent > it->sent && room > it->mine->urgent - it->sent) room = it->mine->urgent - it->sent;
    fill(octets, it->send_key, it->sent, room);
    ssize_t count = send(it->descriptor, octets, room, flags);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) return fail_or_reset(world, it, errno);
    progressed(world, it);
    sha256_add(&it->sent_hash, octets, count);
    it->sent += count;
    world->totals.sent += count;
    abort_due(world, it);
}

// The FIN, when its time has come, and the end.
static void finish(struct world *world, struct connection *it) {
    const struct conduct *mine = it->mine;
    bool all_sent = it->sent == mine->size && (it->peer_finished || !(mine->answers || mine->last_to_end));
    bool all = all_sent && it->received == it->theirs->size;
    if (mine->early_close && !it->peer_finished) {
        if (!all) return;
        world->totals.complete++;
        return end(world, it, "complete");
    }
    if (all_sent && !it->finished_sending) {
        if (shutdown(it->descriptor, SHUT_WR) != 0) return fail_or_reset(world, it, errno == ENOTCONN ? ECONNRESET : errno);
        it->finished_sending = true;
        progressed(world, it);
    }
    if (!it->finished_sending || !it->peer_finished) return;
    world->totals.complete++;
    end(world, it, "complete");
}

void connection_event(struct world *world, struct connection *it, uint32_t events) {
    if (it->phase == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(it->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
        // A reset of one that was made for a moment; in answer to a SYN, a reset is ECONNREFUSED.
        bool made = error == ECONNRESET || error == EPIPE;
        if (error != 0 && !made) {
            errno = error;
            return connection_again(world, it);
        }
        if (!made && !(events & EPOLLOUT)) return;
        it->phase = OPEN;
        progressed(world, it);
        if (made) return fail_or_reset(world, it, error);
    }
    if (events & (EPOLLERR | EPOLLHUP)) it->read_at = 0;
    if (it->phase == OPEN && events & (EPOLLIN | EPOLLERR | EPOLLHUP) && !it->peer_finished) receive(world, it);
    bool may_send = it->phase == OPEN && (!it->mine->answers || it->peer_finished);
    if (may_send && it->sent < it->mine->size && events & EPOLLOUT) transmit(world, it);
    if (it->phase == OPEN) finish(world, it);
    if (it->phase == OPEN) connection_watch(world, it);
}

double connection_time(struct world *world, struct connection *it) {
    if (it->phase == ENDED) return NOT_DUE;
    if (it->phase == WAITING) {
        if (it->plan.initiator != world->options.side) return NOT_DUE;
        if (it->connect_at > world->now) return it->connect_at;
        connection_connect(world, it);
        return world->now + 0.05;
    }
    if (world->now - it->progress > world->options.stall) {
        world->totals.hangs++;
        connection_fail(world, it, it->phase == CONNECTING ? "hangs, connecting" : "hangs", 0);
        return NOT_DUE;
    }
    if (it->phase == OPEN) {
        finish(world, it);
        if (it->phase == ENDED) return NOT_DUE;
        connection_watch(world, it);
    }
    double due = it->progress + world->options.stall;
    if (it->read_at > world->now && it->read_at < due) due = it->read_at;
    if (it->write_at > world->now && it->write_at < due) due = it->write_at;
    return due;
}
