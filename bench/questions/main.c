// SPDX-License-Identifier: Apache-2.0
//
// Questions of one octet over one connection, one after the other, and how long each answer takes; without libraries, so that it runs in
// guests too. The other end is `vtcp-bench round-trip --server`, which answers with what it was sent.
//
//   questions ADDRESS PORT SECONDS PAUSE
//
// PAUSE milliseconds lie between an answer and the next question. At the end one line, in microseconds of this machine's clock:
//
//   {"count":1000,"p50_us":210.5,"p99_us":900.1,"max_us":1200.0}
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define MAXIMUM (1 << 20)
// The connection's first ones are not like the others.
#define WARM_UP 50

static double times[MAXIMUM];

static void fail(const char *what) {
    fprintf(stderr, "questions: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
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

static double ask(int connection) {
    char octet = '?';
    double start = now();
    if (send(connection, &octet, 1, MSG_NOSIGNAL) != 1) fail("send");
    if (recv(connection, &octet, 1, 0) != 1) fail("recv");
    return now() - start;
}

static int ascending(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

int main(int count, char **words) {
    if (count != 5) {
        fputs("usage: questions ADDRESS PORT SECONDS PAUSE\n", stderr);
        return 2;
    }
    int connection = connected(words[1], words[2]);
    double pause = atof(words[4]) * 1e-3;
    struct timespec rest = {(time_t)pause, (long)((pause - (time_t)pause) * 1e9)};
    size_t asked = 0;
    for (int i = 0; i < WARM_UP; i++) ask(connection);
    for (double end = now() + atof(words[3]); asked < MAXIMUM && (asked == 0 || now() < end); asked++) {
        times[asked] = ask(connection);
        if (pause > 0) nanosleep(&rest, NULL);
    }
    qsort(times, asked, sizeof *times, ascending);
    printf("{\"count\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n", asked, 1e6 * times[asked / 2],
           1e6 * times[asked * 99 / 100], 1e6 * times[asked - 1]);
    return 0;
}
