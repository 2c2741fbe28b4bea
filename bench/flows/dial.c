// SPDX-License-Identifier: Apache-2.0
//
// How a connection comes to be at one end: connected or accepted, with the settings of its plan.
#define _GNU_SOURCE
#include "flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY 0.05

static void set(int descriptor, int level, int name, int value) { setsockopt(descriptor, level, name, &value, sizeof value); }

static void opened(struct world *world, struct connection *it, int descriptor) {
    it->descriptor = descriptor;
    it->progress = world->now;
    world->totals.open++;
    if (it->mine->no_delay) set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    if (it->mine->receive_buffer) set(descriptor, SOL_SOCKET, SO_RCVBUF, it->mine->receive_buffer);
    if (it->mine->send_buffer) set(descriptor, SOL_SOCKET, SO_SNDBUF, it->mine->send_buffer);
    if (it->theirs->urgent != NEVER) set(descriptor, SOL_SOCKET, SO_OOBINLINE, 1);
    if (it->plan.aborted) {
        // A reset can get lost, and a side that only waits would never learn of it.
        set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
        set(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 2);
        set(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 1);
        set(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 15);
    }
    if (world->options.congestion_count > 0) {
        const char *name = world->options.congestion[it->plan.congestion];
        if (setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, name, strlen(name)) != 0) world->totals.congestion_refused++;
    }
    struct epoll_event event = {.data.ptr = it};
    it->interest = 0;
    epoll_ctl(world->poll, EPOLL_CTL_ADD, descriptor, &event);
}

static socklen_t peer_address(const struct world *world, const struct connection *it, struct sockaddr_storage *address) {
    const char *text = world->options.peers[it->plan.peer];
    unsigned port = world->options.port + !world->options.side;
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return sizeof *four;
    }
    inet_pton(AF_INET6, text, &six->sin6_addr);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    return sizeof *six;
}

void connection_again(struct world *world, struct connection *it) {
    // No connection of which connect() says that it failed was ever accepted: to make it again changes no count.
    world->totals.connect_errors++;
    if (it->descriptor >= 0) close(it->descriptor), world->totals.open--;
    it->descriptor = -1;
    it->phase = WAITING;
    it->connect_at = world->now + RETRY;
    if (world->now - it->progress > world->options.stall) connection_fail(world, it, "can't connect", errno);
}

void connection_connect(struct world *world, struct connection *it) {
    struct sockaddr_storage address, source = {0};
    socklen_t size = peer_address(world, it, &address);
    if (it->progress == 0) it->progress = world->now;
    double since = it->progress;
    int descriptor = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    source.ss_family = address.ss_family;
    // The port is in the same place in both families.
    ((struct sockaddr_in *)&source)->sin_port = htons(FIRST_SOURCE_PORT + it->flow);
    opened(world, it, descriptor);
    it->progress = since;
    it->phase = CONNECTING;
    if (bind(descriptor, (struct sockaddr *)&source, size) != 0) return connection_again(world, it);
    if (connect(descriptor, (struct sockaddr *)&address, size) != 0 && errno != EINPROGRESS) return connection_again(world, it);
    connection_watch(world, it);
}

void connection_accepted(struct world *world, struct connection *it, int descriptor) {
    opened(world, it, descriptor);
    it->phase = OPEN;
    connection_watch(world, it);
}
