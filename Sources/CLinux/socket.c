// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "CLinuxSystem.h"

static int32_t close_with_error(int fd, int error) {
    close(fd);
    return -error;
}

static int32_t unix_address(const char *path, struct sockaddr_un *address) {
    size_t length = strlen(path);
    if (length == 0) return -EINVAL;
    if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    return 0;
}

static int stream_socket(void) { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

int32_t vtcp_unix_connect(const char *path) {
    struct sockaddr_un address;
    int32_t valid = unix_address(path, &address);
    if (valid < 0) return valid;
    int fd = stream_socket();
    if (fd < 0) return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) return close_with_error(fd, errno);
    return fd;
}

int32_t vtcp_unix_connect_datagrams(const char *path) {
    struct sockaddr_un address;
    int32_t valid = unix_address(path, &address);
    if (valid < 0) return valid;
    socklen_t length = sizeof address;
    if (path[0] == '@') {
        // An abstract name is as long as the address says, and has no zero at its end.
        address.sun_path[0] = 0;
        length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    if (connect(fd, (const struct sockaddr *)&address, length) < 0) return close_with_error(fd, errno);
    return fd;
}

// A socket that nobody listens on any more is a dead predecessor's and may go; everything else is somebody's.
static int32_t remove_stale_socket(const char *path) {
    struct stat status;
    if (lstat(path, &status) < 0) return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode)) return -ENOTSOCK;
    int fd = vtcp_unix_connect(path);
    if (fd >= 0) return close_with_error(fd, EADDRINUSE);
    if (fd != -ECONNREFUSED) return fd == -EACCES || fd == -EPERM ? fd : -EADDRINUSE;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int32_t vtcp_unix_listen(const char *path, int32_t backlog, int32_t is_private) {
    struct sockaddr_un address;
    int32_t valid = unix_address(path, &address);
    if (valid < 0) return valid;
    int32_t removed = remove_stale_socket(path);
    if (removed < 0) return removed;
    int fd = stream_socket();
    if (fd < 0) return -errno;
    // Not changed afterwards: somebody could have connected.
    mode_t mask = umask(0);
    (void)umask(is_private ? 0177 : mask);
    int error = bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
    (void)umask(mask);
    if (error != 0) return close_with_error(fd, error);
    if (listen(fd, backlog) < 0) return close_with_error(fd, errno);
    return fd;
}

int32_t vtcp_unix_accept(int32_t listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static int32_t integer_option(int32_t fd, int option) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -errno : value;
}

int32_t vtcp_socket_is_listening(int32_t fd) { return integer_option(fd, SO_ACCEPTCONN); }

int32_t vtcp_socket_end_sending(int32_t fd) { return shutdown(fd, SHUT_WR) < 0 ? -errno : 0; }

int32_t vtcp_unix_type(int32_t fd) {
    int32_t domain = integer_option(fd, SO_DOMAIN);
    if (domain < 0) return domain;
    return domain == AF_UNIX ? integer_option(fd, SO_TYPE) : -EAFNOSUPPORT;
}

int32_t vtcp_unix_pair(int32_t type, int32_t *first, int32_t *second) {
    int pair[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) return -errno;
    *first = pair[0];
    *second = pair[1];
    return 0;
}

typedef union control_buffer {
    struct cmsghdr alignment;
    char bytes[CMSG_SPACE(VTCP_MAXIMUM_DESCRIPTORS * sizeof(int))];
} control_buffer;

int64_t vtcp_unix_receive(int32_t fd, void *bytes, size_t count, int32_t *descriptors, int32_t *descriptor_count,
                          int32_t *truncated) {
    control_buffer control;
    struct iovec vector = {bytes, count};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *descriptor_count = 0;
    *truncated = 0;
    ssize_t received = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (received < 0) return -errno;
    *truncated = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t arrived = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < arrived; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof descriptor);
            if (*descriptor_count < VTCP_MAXIMUM_DESCRIPTORS) {
                descriptors[(*descriptor_count)++] = descriptor;
            } else {
                close(descriptor);
            }
        }
    }
    return received;
}

int64_t vtcp_unix_send(int32_t fd, const void *bytes, size_t count, const int32_t *descriptors,
                       int32_t descriptor_count) {
    control_buffer control;
    struct iovec vector = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (descriptor_count < 0 || descriptor_count > VTCP_MAXIMUM_DESCRIPTORS) return -EINVAL;
    if (descriptor_count > 0) {
        size_t size = (size_t)descriptor_count * sizeof(int);
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), descriptors, size);
    }
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
}
