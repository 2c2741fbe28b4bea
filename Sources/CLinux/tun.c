// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "CLinuxSystem.h"

_Static_assert(VTCP_TAP_MULTI_QUEUE == IFF_MULTI_QUEUE, "flags are the kernel's");
_Static_assert(VTCP_TAP_VNET_HEADER == IFF_VNET_HDR, "flags are the kernel's");
_Static_assert(VTCP_TAP_IS_TAP == IFF_TAP, "flags are the kernel's");
_Static_assert(VTCP_INTERFACE_NAME_SIZE == IFNAMSIZ, "names are the kernel's");
_Static_assert(sizeof(vtcp_io_vector) == sizeof(struct iovec), "vectors are the kernel's");

static int32_t name_request(const char *name, struct ifreq *request) {
    size_t length = strlen(name);
    if (length == 0 || length >= IFNAMSIZ) return -EINVAL;
    memset(request, 0, sizeof *request);
    memcpy(request->ifr_name, name, length);
    return 0;
}

int32_t vtcp_tap_open(const char *name, int32_t flags) {
    struct ifreq request;
    int32_t valid = name_request(name, &request);
    if (valid < 0) return valid;
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return -errno;
    request.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags);
    if (ioctl(fd, TUNSETIFF, &request) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int32_t vtcp_tap_flags(int32_t fd, char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (ioctl(fd, TUNGETIFF, &request) < 0) return -errno;
    memcpy(name, request.ifr_name, IFNAMSIZ);
    return (unsigned short)request.ifr_flags;
}

int32_t vtcp_tap_prepare_header(int32_t fd) {
    int size = 10;
    int little_endian = 1;
    if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0) return -errno;
    if (ioctl(fd, TUNSETVNETLE, &little_endian) < 0) return -errno;
    return vtcp_tap_set_offloads(fd, 0);
}

int32_t vtcp_tap_set_offloads(int32_t fd, uint32_t offloads) {
    return ioctl(fd, TUNSETOFFLOAD, (unsigned long)offloads) < 0 ? -errno : 0;
}

int32_t vtcp_tap_attach_queue(int32_t fd, int32_t attached) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_flags = attached ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE;
    return ioctl(fd, TUNSETQUEUE, &request) < 0 ? -errno : 0;
}

// The calls about interfaces are there on any socket; one of this family can reach no network.
int32_t vtcp_link_socket_open(void) {
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int32_t interface_call(int fd, unsigned long call, struct ifreq *request) {
    return ioctl(fd, call, request) < 0 ? -errno : 0;
}

int32_t vtcp_interface_up(int32_t link, const char *name) {
    struct ifreq request;
    int32_t result = name_request(name, &request);
    if (result == 0) result = interface_call(link, SIOCGIFFLAGS, &request);
    // Needs a privilege, and so is not asked for when there is nothing to change.
    if (result < 0 || (request.ifr_flags & IFF_UP)) return result;
    request.ifr_flags |= IFF_UP;
    return interface_call(link, SIOCSIFFLAGS, &request);
}

int32_t vtcp_interface_mtu(int32_t link, const char *name) {
    struct ifreq request;
    int32_t result = name_request(name, &request);
    if (result == 0) result = interface_call(link, SIOCGIFMTU, &request);
    return result < 0 ? result : request.ifr_mtu;
}

int32_t vtcp_interface_set_mtu(int32_t link, const char *name, int32_t mtu) {
    struct ifreq request;
    int32_t result = name_request(name, &request);
    if (result == 0) result = interface_call(link, SIOCGIFMTU, &request);
    if (result < 0 || request.ifr_mtu == mtu) return result;
    request.ifr_mtu = mtu;
    return interface_call(link, SIOCSIFMTU, &request);
}

int32_t vtcp_interface_set_queue_length(int32_t link, const char *name, int32_t frames) {
    struct ifreq request;
    int32_t result = name_request(name, &request);
    request.ifr_qlen = frames;
    return result < 0 ? result : interface_call(link, SIOCSIFTXQLEN, &request);
}

int32_t vtcp_interface_index(const char *name) {
    unsigned int index = if_nametoindex(name);
    return index == 0 ? -errno : (int32_t)index;
}

int64_t vtcp_write_vectors(int32_t fd, const vtcp_io_vector *vectors, int32_t count) {
    // One range costs the kernel less to take as such.
    ssize_t result = TEMP_FAILURE_RETRY(count == 1 ? write(fd, vectors->base, vectors->length)
                                                   : writev(fd, (const struct iovec *)vectors, count));
    return result < 0 ? -errno : result;
}

int64_t vtcp_read_vectors(int32_t fd, const vtcp_io_vector *vectors, int32_t count) {
    ssize_t result = TEMP_FAILURE_RETRY(count == 1 ? read(fd, vectors->base, vectors->length)
                                                   : readv(fd, (const struct iovec *)vectors, count));
    return result < 0 ? -errno : result;
}

int64_t vtcp_send_vectors(int32_t fd, const vtcp_io_vector *vectors, int32_t count) {
    struct msghdr message = {.msg_iov = (struct iovec *)vectors, .msg_iovlen = (size_t)count};
    ssize_t result = TEMP_FAILURE_RETRY(sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
    return result < 0 ? -errno : result;
}

int64_t vtcp_receive_vectors(int32_t fd, const vtcp_io_vector *vectors, int32_t count) {
    struct msghdr message = {.msg_iov = (struct iovec *)vectors, .msg_iovlen = (size_t)count};
    ssize_t result = TEMP_FAILURE_RETRY(recvmsg(fd, &message, MSG_DONTWAIT));
    if (result < 0) return -errno;
    return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : result;
}
