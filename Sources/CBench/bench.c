// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CBench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>

static int32_t close_with_error(int fd) {
    int error = errno;
    close(fd);
    return -error;
}

int64_t vtcp_bench_processor_time(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int32_t vtcp_bench_come_first(int32_t processor) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET((size_t)processor, &only);
    if (sched_setaffinity(0, sizeof only, &only) < 0) return -errno;
    struct sched_param first = {.sched_priority = 1};
    return sched_setscheduler(0, SCHED_FIFO, &first) < 0 ? -errno : 0;
}

int32_t vtcp_bench_sleep_until(int64_t moment) {
    struct timespec until = {.tv_sec = moment / 1000000000, .tv_nsec = moment % 1000000000};
    // It returns the number itself.
    return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

int32_t vtcp_bench_tap_header(int32_t tap, int32_t size) {
    int little_endian = 1;
    if (ioctl(tap, TUNSETVNETHDRSZ, &size) < 0) return -errno;
    return ioctl(tap, TUNSETVNETLE, &little_endian) < 0 ? -errno : 0;
}

int32_t vtcp_bench_interface_mtu(const char *interface) {
    struct ifreq request = {0};
    strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (ioctl(fd, SIOCGIFMTU, &request) < 0) return close_with_error(fd);
    close(fd);
    return request.ifr_mtu;
}

int64_t vtcp_bench_read_file(const char *path, void *buffer, size_t capacity) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t count = read(fd, buffer, capacity);
    if (count < 0) return close_with_error(fd);
    close(fd);
    return count;
}

static int32_t resolve(const char *address, const char *port, struct addrinfo **result) {
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    return getaddrinfo(address, port, &hints, result) == 0 ? 0 : -EINVAL;
}

static int without_delay(int fd) {
    int on = 1;
    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int listen_at(int fd, const struct addrinfo *where) {
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return -1;
    if (bind(fd, where->ai_addr, where->ai_addrlen) < 0) return -1;
    return listen(fd, 4);
}

static int connect_to(int fd, const struct addrinfo *where) {
    return without_delay(fd) < 0 ? -1 : connect(fd, where->ai_addr, where->ai_addrlen);
}

static int32_t tcp_socket(const char *address, const char *port, int (*use)(int, const struct addrinfo *)) {
    struct addrinfo *where;
    int32_t result = resolve(address, port, &where);
    if (result < 0) return result;
    int fd = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        result = -errno;
    } else {
        result = use(fd, where) < 0 ? close_with_error(fd) : fd;
    }
    freeaddrinfo(where);
    return result;
}

int32_t vtcp_bench_tcp_listen(const char *address, const char *port) { return tcp_socket(address, port, listen_at); }

int32_t vtcp_bench_tcp_connect(const char *address, const char *port) { return tcp_socket(address, port, connect_to); }

int32_t vtcp_bench_tcp_accept(int32_t listener) {
    int fd = TEMP_FAILURE_RETRY(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    if (fd < 0) return -errno;
    return without_delay(fd) < 0 ? close_with_error(fd) : fd;
}

int64_t vtcp_bench_send(int32_t socket, const void *bytes, size_t count) {
    for (size_t sent = 0; sent < count;) {
        ssize_t part = TEMP_FAILURE_RETRY(send(socket, (const char *)bytes + sent, count - sent, MSG_NOSIGNAL));
        if (part < 0) return errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
        sent += (size_t)part;
    }
    return (int64_t)count;
}

int64_t vtcp_bench_receive(int32_t socket, void *bytes, size_t capacity) {
    ssize_t count = TEMP_FAILURE_RETRY(recv(socket, bytes, capacity, 0));
    if (count < 0) return errno == ECONNRESET ? 0 : -errno;
    return count;
}

int32_t vtcp_bench_packet_socket(const char *interface) {
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
    if (address.sll_ifindex == 0) return -errno;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int on = 1;
    if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) < 0) return close_with_error(fd);
    return bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? close_with_error(fd) : fd;
}

#define FRAMES_AT_A_TIME 64

int32_t vtcp_bench_packet_send(int32_t socket, const void *frames, size_t size, size_t stride, int32_t count) {
    struct mmsghdr messages[FRAMES_AT_A_TIME];
    struct iovec vectors[FRAMES_AT_A_TIME];
    if (count < 0 || count > FRAMES_AT_A_TIME) return -EINVAL;
    memset(messages, 0, sizeof messages[0] * (size_t)count);
    for (int32_t index = 0; index < count; index++) {
        vectors[index] = (struct iovec){(char *)frames + (size_t)index * stride, size};
        messages[index].msg_hdr.msg_iov = &vectors[index];
        messages[index].msg_hdr.msg_iovlen = 1;
    }
    int sent = TEMP_FAILURE_RETRY(sendmmsg(socket, messages, (unsigned int)count, 0));
    return sent < 0 ? -errno : sent;
}
