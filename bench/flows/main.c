// SPDX-License-Identifier: Apache-2.0
//
// flows: many TCP connections at once between two ends, which may be a guest and a host; each end knows from the seed what every
// connection does and carries.
//
// A connection has a flow number and a generation. Flow n is made by side a if n is even, by b if it is odd, from the port 20000 + n;
// some are made anew from the same port when they have ended, which is the next generation. By chance, seeded, each has: 0 octets to
// --max-size in each direction at once; small or large writes; a slow reader with little room; pauses; an octet of urgent data; one end
// that sends only when the other has ended, or closes early; or an end that resets it somewhere.
//
// Each octet that arrives is compared with what the sender sends by its plan. Records with the lengths and SHA-256 of both directions
// are printed, to compare with the other side's, and failures with the socket's state. Of a connection that is reset only a prefix has to
// arrive. A hang is a connection without progress for --stall seconds. The last line is JSON; status 0 if nothing failed.
#define _GNU_SOURCE
#include "flows.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: flows --side a|b --peer ADDRESS [--peer ADDRESS] [--seed N] [--flows N] [--max-size OCTETS] [--port N]\n"
    "             [--congestion NAME,NAME...] [--abort PERCENT] [--reuse PERCENT] [--pause MS] [--spread MS] [--stall SECONDS] [--limit SECONDS]\n"
    "Side a listens at the port (5000), side b at the next one. Both need the same options but for --side and --peer,\n"
    "and connect at SIGUSR1, which both may get when both have said that they are ready.\n";

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static bool take(struct options *options, const char *name, char *value) {
    if (!strcmp(name, "--side")) options->side = !strcmp(value, "b");
    else if (!strcmp(name, "--seed")) options->seed = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--flows")) options->flows = atoi(value);
    else if (!strcmp(name, "--port")) options->port = atoi(value);
    else if (!strcmp(name, "--max-size")) options->maximum_size = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--pause")) options->pause = atoi(value);
    else if (!strcmp(name, "--spread")) options->spread = atoi(value);
    else if (!strcmp(name, "--abort")) options->abort_percent = atoi(value);
    else if (!strcmp(name, "--reuse")) options->reuse_percent = atoi(value);
    else if (!strcmp(name, "--stall")) options->stall = atof(value);
    else if (!strcmp(name, "--limit")) options->limit = atof(value);
    else if (!strcmp(name, "--peer") && options->peer_count < 2) options->peers[options->peer_count++] = value;
    else if (!strcmp(name, "--congestion")) {
        for (char *word = strtok(value, ","); word && options->congestion_count < 8; word = strtok(NULL, ","))
            options->congestion[options->congestion_count++] = word;
    } else return false;
    return true;
}

static int listening(unsigned port) {
    int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1, no = 0;
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0 || listen(descriptor, 4096) != 0) {
        perror("flows: listening");
        exit(2);
    }
    return descriptor;
}

static void accept_all(struct world *world) {
    struct sockaddr_in6 from;
    socklen_t size = sizeof from;
    int descriptor;
    while ((descriptor = accept4(world->listener, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        unsigned flow = ntohs(from.sin6_port) - FIRST_SOURCE_PORT;
        bool known = flow < world->options.flows && flow % 2 != (unsigned)world->options.side;
        if (!known || world->accepted[flow] >= generations_of(&world->options, flow)) {
            printf("failure a connection that nobody made, from port %u\n", ntohs(from.sin6_port));
            world->totals.failures++;
            close(descriptor);
            continue;
        }
        connection_accepted(world, &world->connections[flow * MAXIMUM_GENERATIONS + world->accepted[flow]++], descriptor);
    }
}

static void prepare(struct world *world) {
    const struct options *options = &world->options;
    world->connections = calloc(options->flows * MAXIMUM_GENERATIONS, sizeof *world->connections);
    world->accepted = calloc(options->flows, sizeof *world->accepted);
    for (unsigned i = 0; i < options->flows * MAXIMUM_GENERATIONS; i++) world->connections[i].phase = ENDED;
    for (unsigned flow = 0; flow < options->flows; flow++)
        for (unsigned i = 0; i < generations_of(options, flow); i++, world->left++) connection_prepare(world, flow, i);
    world->totals.connections = world->left;
}

static void report(const struct world *world) {
    const struct totals *t = &world->totals;
    printf("{\"side\": \"%c\", \"seed\": %llu, \"flows\": %u, \"connections\": %u, \"complete\": %u, \"aborted\": %u, \"reset\": %u, "
           "\"failures\": %u, \"hangs\": %u, \"never_came\": %u, \"connect_errors\": %u, \"congestion_refused\": %u, \"sent\": %llu, "
           "\"received\": %llu, \"retransmitted\": %llu, \"duplicates_reported\": %llu, \"reordered\": %llu, \"seconds\": %.3f}\n",
           world->options.side ? 'b' : 'a', (unsigned long long)world->options.seed, world->options.flows, t->connections, t->complete,
           t->aborted, t->reset, t->failures, t->hangs, world->left, t->connect_errors, t->congestion_refused,
           (unsigned long long)t->sent, (unsigned long long)t->received, (unsigned long long)t->retransmitted,
           (unsigned long long)t->duplicates_reported, (unsigned long long)t->reordered, world->now - world->begin);
}

static void run(struct world *world) {
    struct epoll_event events[256], listener = {.events = EPOLLIN};
    double due = 0;
    epoll_ctl(world->poll, EPOLL_CTL_ADD, world->listener, &listener);
    while (world->left > 0) {
        double wait = due - world->now;
        int count = epoll_wait(world->poll, events, 256, wait < 0 ? 0 : wait > 0.1 ? 100 : (int)(wait * 1000) + 1);
        world->now = seconds();
        for (int i = 0; i < count; i++) {
            struct connection *it = events[i].data.ptr;
            if (it == NULL) accept_all(world);
            else if (it->phase != ENDED) connection_event(world, it, events[i].events);
        }
        // Pauses are told to the millisecond; to look at all connections more often would only cost.
        if (world->now >= due || count == 0) {
            due = world->now + 0.1;
            for (unsigned i = 0; i < world->options.flows * MAXIMUM_GENERATIONS; i++) {
                double at = connection_time(world, &world->connections[i]);
                if (at < due) due = at;
            }
        }
        if (due < world->now + 0.001) due = world->now + 0.001;
        if (count > 0 && due > world->now + 0.002) due = world->now + 0.002;
        if (world->now - world->begin > world->options.limit) break;
        // The other side is gone, or its connections don't come.
        if (world->totals.open == 0 && world->now - world->progress > world->options.stall + 1) break;
    }
    for (unsigned i = 0; i < world->options.flows * MAXIMUM_GENERATIONS; i++)
        if (world->connections[i].phase == CONNECTING || world->connections[i].phase == OPEN) {
            world->totals.hangs++;
            connection_fail(world, &world->connections[i], "not ended within the limit", 0);
        }
}

int main(int count, char **words) {
    static struct world world = {
        .options = {.seed = 1, .flows = 100, .port = 5000, .maximum_size = 4 << 20, .pause = 300, .spread = 500, .abort_percent = 15,
                    .reuse_percent = 25, .stall = 20, .limit = 120}};
    for (int i = 1; i < count; i += 2)
        if (i + 1 == count || !take(&world.options, words[i], words[i + 1])) return fputs(usage, stderr), 2;
    if (world.options.peer_count == 0 || world.options.flows > 20000) return fputs(usage, stderr), 2;
    struct rlimit many = {1 << 16, 1 << 16};
    setrlimit(RLIMIT_NOFILE, &many);
    signal(SIGPIPE, SIG_IGN);
    sigset_t start;
    sigemptyset(&start);
    sigaddset(&start, SIGUSR1);
    sigprocmask(SIG_BLOCK, &start, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    world.poll = epoll_create1(EPOLL_CLOEXEC);
    world.listener = listening(world.options.port + world.options.side);
    prepare(&world);
    printf("ready\n");
    // The other side listens as well when this comes: a refusal would be a reset that no connection explains.
    int number;
    sigwait(&start, &number);
    world.begin = world.now = world.progress = seconds();
    run(&world);
    report(&world);
    return world.totals.failures > 0 || world.left > 0;
}
