// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "CHost.h"

static int32_t close_with(int fd, int error) {
    close(fd);
    return -error;
}

static int32_t address_of(const char *path, struct sockaddr_un *address, socklen_t *length) {
    size_t count = strlen(path);
    if (count == 0) return -EINVAL;
    if (count >= sizeof address->sun_path) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, count);
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count + 1);
    if (path[0] == '@') {
        address->sun_path[0] = 0;
        *length -= 1;
    }
    return 0;
}

// As vtcp_unix_listen of CLinux does: what nobody answers on is a dead predecessor's.
static int32_t remove_stale(const char *path, int type, const struct sockaddr_un *address, socklen_t length) {
    struct stat status;
    if (lstat(path, &status) < 0) return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode)) return -ENOTSOCK;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int error = connect(fd, (const struct sockaddr *)address, length) < 0 ? errno : 0;
    close(fd);
    if (error != ECONNREFUSED) return error == EACCES || error == EPERM ? -error : -EADDRINUSE;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int32_t vtcp_host_bind(const char *path, int32_t is_datagram, int32_t backlog, uint32_t mode, int64_t user,
                       int64_t group) {
    struct sockaddr_un address;
    socklen_t length;
    int type = is_datagram ? SOCK_DGRAM : SOCK_STREAM;
    int32_t result = address_of(path, &address, &length);
    if (result == 0) result = remove_stale(path, type, &address, length);
    if (result < 0) return result;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    mode_t mask = umask(0177);
    int error = bind(fd, (const struct sockaddr *)&address, length) < 0 ? errno : 0;
    (void)umask(mask);
    if (error) return close_with(fd, error);
    // The path is in a directory that is ours, and what we have just made there. The mode first: once it is another's, it takes CAP_FOWNER.
    if (chmod(path, mode) < 0) error = errno;
    if (!error && (user >= 0 || group >= 0) && lchown(path, (uid_t)user, (gid_t)group) < 0) error = errno;
    if (!error && !is_datagram && listen(fd, backlog) < 0) error = errno;
    if (!error) return fd;
    (void)unlink(path);
    return close_with(fd, error);
}

int32_t vtcp_peer_credentials(int32_t fd, int32_t *process, uint32_t *user, uint32_t *group) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    *process = peer.pid;
    *user = peer.uid;
    *group = peer.gid;
    return 0;
}

int32_t vtcp_pass_credentials(int32_t fd) {
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ? -errno : 0;
}

typedef union control_buffer {
    struct cmsghdr alignment;
    char bytes[CMSG_SPACE(VTCP_NOTIFY_DESCRIPTORS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
} control_buffer;

static void take_descriptors(const struct cmsghdr *header, int32_t *descriptors, int32_t *count) {
    size_t arrived = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t index = 0; index < arrived; index++) {
        int descriptor;
        memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof descriptor);
        if (*count < VTCP_NOTIFY_DESCRIPTORS) {
            descriptors[(*count)++] = descriptor;
        } else {
            close(descriptor);
        }
    }
}

int64_t vtcp_notify_receive(int32_t fd, void *bytes, size_t count, int32_t *descriptors, int32_t *descriptor_count,
                            int32_t *process, int32_t *truncated) {
    control_buffer control;
    struct iovec vector = {bytes, count};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *descriptor_count = 0;
    *process = 0;
    ssize_t received = TEMP_FAILURE_RETRY(recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
    if (received < 0) return -errno;
    *truncated = (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET) continue;
        if (header->cmsg_type == SCM_RIGHTS) take_descriptors(header, descriptors, descriptor_count);
        if (header->cmsg_type == SCM_CREDENTIALS && header->cmsg_len >= CMSG_LEN(sizeof(struct ucred))) {
            struct ucred sender;
            memcpy(&sender, CMSG_DATA(header), sizeof sender);
            *process = sender.pid;
        }
    }
    return received;
}

int32_t vtcp_notify_send(const char *path, const void *bytes, size_t count) {
    struct sockaddr_un address;
    socklen_t length;
    int32_t result = address_of(path, &address, &length);
    if (result < 0) return result;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    ssize_t sent = TEMP_FAILURE_RETRY(
        sendto(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&address, length));
    return close_with(fd, sent < 0 ? errno : 0);
}
