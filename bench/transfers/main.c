// SPDX-License-Identifier: Apache-2.0
//
// Transfers of one size on one persistent connection, and how long each takes; without libraries, so that it runs in guests too.
//
//   transfers listen|connect ADDRESS PORT send|receive SIZE COUNT REST SEED
//
// Each transfer begins REST milliseconds and a time of chance after the one before. Both ends print moments of their own clocks in seconds:
//
//   clock OFFSET         listen only: what the other end's clock is ahead of ours
//   sent START KNOWN     the sender's call of the socket, and when its kernel knew that everything had arrived
//   arrived END          the receiver's application had everything
//   end DIGEST OCTETS RETRANSMITTED      SHA-256 of all that was sent or has arrived; segments that this end's kernel has sent again
#define _GNU_SOURCE
#include "../flows/flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAXIMUM_SIZE (16 << 20)
#define PROBES 40
// The time of chance is at most this, in seconds: a turn of all who share a processor.
#define CHANCE 0.09
// Who sleeps for longer than it wanted, by more than this, was not running when its time came.
#define LATE 0.004
#define POLL 0.0002

static uint8_t octets[MAXIMUM_SIZE];

static void fail(const char *what) {
    fprintf(stderr, "transfers: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static void sleep_for(double seconds) {
    struct timespec time = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

static void send_all(int connection, const void *from, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = send(connection, (const char *)from + done, size - done, MSG_NOSIGNAL);
        if (count <= 0) fail("send");
        done += count;
    }
}

static void receive_all(int connection, void *into, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = recv(connection, (char *)into + done, size - done, 0);
        if (count < 0) fail("receive");
        if (count == 0) errno = ECONNRESET, fail("receive");
        done += count;
    }
}

static int opened(int listens, const char *address, const char *port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1) errno = EINVAL, fail(address);
    int on = 1, connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connection < 0) fail("socket");
    if (listens) {
        setsockopt(connection, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(connection, (struct sockaddr *)&name, sizeof name) != 0 || listen(connection, 1) != 0) fail("listen");
        int listener = connection;
        printf("listening\n");
        if ((connection = accept(listener, NULL, NULL)) < 0) fail("accept");
        close(listener);
    } else if (connect(connection, (struct sockaddr *)&name, sizeof name) != 0) {
        fail("connect");
    }
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // The same on all machines; it is in every kernel.
    if (setsockopt(connection, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) != 0) fail("cubic");
    return connection;
}

// Cristian's algorithm: the answer to the quickest question was given in the middle of its round trip.
static void compare_clocks(int connection, int asks) {
    double quickest = 1e9, offset = 0;
    for (int i = 0; i < PROBES; i++) {
        double there, before = now();
        if (asks) {
            send_all(connection, &before, sizeof before);
            receive_all(connection, &there, sizeof there);
            double after = now();
            if (after - before < quickest) quickest = after - before, offset = there - (before + after) / 2;
        } else {
            receive_all(connection, &before, sizeof before);
            there = now();
            send_all(connection, &there, sizeof there);
        }
    }
    if (asks) printf("clock %.6f\n", offset);
}

// An application begins at any moment at which it runs: not with the first one of a turn, in which all end that wait for a turn.
static void rest(double seconds, struct random *random) {
    for (double wait = seconds;; wait = 0) {
        wait += CHANCE * (next_random(random) >> 11) * 0x1p-53;
        double end = now() + wait;
        sleep_for(wait);
        if (now() < end + LATE) return;
    }
}

static void send_one(int connection, size_t size) {
    int unacknowledged = 1;
    double start = now();
    send_all(connection, octets, size);
    while (ioctl(connection, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0) sleep_for(POLL);
    printf("sent %.6f %.6f\n", start, now());
}

int main(int count, char **words) {
    if (count != 9) {
        fprintf(stderr, "usage: transfers listen|connect ADDRESS PORT send|receive SIZE COUNT REST SEED\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    int listens = strcmp(words[1], "listen") == 0, sends = strcmp(words[4], "send") == 0;
    size_t size = strtoul(words[5], NULL, 10);
    unsigned transfers = atoi(words[6]);
    double pause = atoi(words[7]) / 1e3;
    struct random random = {strtoull(words[8], NULL, 10)};
    uint64_t key = next_random(&random);
    if (size == 0 || size > MAXIMUM_SIZE) errno = EINVAL, fail("SIZE");

    int connection = opened(listens, words[2], words[3]);
    compare_clocks(connection, listens);
    struct sha256 hash;
    sha256_begin(&hash);
    for (unsigned i = 0; i < transfers; i++) {
        // The receiver's word that it has done with the transfer, so that there are never two of them under way.
        char done = '!';
        if (sends) {
            fill(octets, key, (uint64_t)i * size, size);
            sha256_add(&hash, octets, size);
            rest(pause, &random);
            send_one(connection, size);
            receive_all(connection, &done, 1);
        } else {
            receive_all(connection, octets, size);
            printf("arrived %.6f\n", now());
            sha256_add(&hash, octets, size);
            send_all(connection, &done, 1);
        }
    }
    struct tcp_info info = {0};
    socklen_t room = sizeof info;
    getsockopt(connection, IPPROTO_TCP, TCP_INFO, &info, &room);
    char digest[65];
    sha256_end(&hash, digest);
    printf("end %s %llu %u\n", digest, (unsigned long long)transfers * size, info.tcpi_total_retrans);
    close(connection);
    return 0;
}
