// SPDX-License-Identifier: Apache-2.0
//
// What a guest does to its network card in the bench; without libraries, so that it runs in guests.
//
//   load send ADDRESS PORT
//   load ask ADDRESS PORT SECONDS PAUSE
//   load clock ADDRESS PORT
//
// `send` sends as much as goes, for ever, by writes of 4 MiB. Each write ends with what does not fill a packet, and the kernel sends that on its
// own if all before it has left: so the writes are large beside the largest packets, 512 KiB.
//
// `ask` sends one octet, waits for the answer, `vtcp-bench round-trip --server`'s, rests PAUSE milliseconds, and so on. It has its processor as
// soon as it wants it, whatever else the guest does: how long its scheduler lets somebody wait is not what is asked. At the end it prints a line for
// each question: when it was asked and how long it waited, in nanoseconds of this machine's monotonic clock.
//
// `clock` asks somebody for his clock, eight octets for one, and prints by how many nanoseconds ours is ahead: by the quickest of its questions.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define MAXIMUM (1 << 20)
// The connection's first ones are not like the others.
#define WARM_UP 50

#define WRITE (4 << 20)

static int64_t asked_at[MAXIMUM], waited[MAXIMUM];
static char octets[WRITE];

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int connected(const char *address, const char *port) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(port))};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    const struct sockaddr *name = (struct sockaddr *)&six;
    socklen_t size = sizeof six;
    int one = 1;
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1) {
        name = (struct sockaddr *)&four;
        size = sizeof four;
    } else if (inet_pton(AF_INET6, address, &six.sin6_addr) != 1) {
        errno = EINVAL, fail(address);
    }
    int connection = socket(name->sa_family, SOCK_STREAM, 0);
    if (connection < 0 || connect(connection, name, size) != 0) fail("connect");
    if (setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) fail("TCP_NODELAY");
    return connection;
}

static int64_t ask(int connection) {
    char octet = '?';
    int64_t start = now();
    if (send(connection, &octet, 1, MSG_NOSIGNAL) != 1) fail("send");
    if (recv(connection, &octet, 1, 0) != 1) fail("recv");
    return now() - start;
}

static void send_all(int connection) {
    for (;;) {
        if (send(connection, octets, sizeof octets, MSG_NOSIGNAL) <= 0) fail("send");
    }
}

static void ask_all(int connection, double seconds, double pause) {
    struct timespec rest = {(time_t)pause, (long)((pause - (time_t)pause) * 1e9)};
    size_t asked = 0;
    struct sched_param first = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) fail("SCHED_FIFO");
    for (int i = 0; i < WARM_UP; i++) ask(connection);
    int64_t end = now() + (int64_t)(seconds * 1e9);
    for (; asked < MAXIMUM && (asked == 0 || now() < end); asked++) {
        asked_at[asked] = now();
        waited[asked] = ask(connection);
        if (pause > 0) nanosleep(&rest, NULL);
    }
    for (size_t i = 0; i < asked; i++) printf("%lld %lld\n", (long long)asked_at[i], (long long)waited[i]);
}

static void compare_clocks(int connection) {
    int64_t best = INT64_MAX, ahead = 0;
    for (int i = 0; i < WARM_UP; i++) {
        char octet = '?';
        int64_t theirs, start = now();
        if (send(connection, &octet, 1, MSG_NOSIGNAL) != 1) fail("send");
        if (recv(connection, &theirs, sizeof theirs, MSG_WAITALL) != sizeof theirs) fail("recv");
        int64_t took = now() - start;
        if (took >= best) continue;
        best = took;
        ahead = start + took / 2 - theirs;
    }
    printf("%lld\n", (long long)ahead);
}

int main(int count, char **words) {
    if (count == 4 && strcmp(words[1], "send") == 0) send_all(connected(words[2], words[3]));
    if (count == 6 && strcmp(words[1], "ask") == 0) {
        ask_all(connected(words[2], words[3]), atof(words[4]), atof(words[5]) * 1e-3);
        return 0;
    }
    if (count == 4 && strcmp(words[1], "clock") == 0) {
        compare_clocks(connected(words[2], words[3]));
        return 0;
    }
    fputs("usage: load send ADDRESS PORT | load ask ADDRESS PORT SECONDS PAUSE | load clock ADDRESS PORT\n", stderr);
    return 2;
}
