// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "CLinuxSystem.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

_Static_assert(TPACKET2_HDRLEN - sizeof(struct sockaddr_ll) == VTCP_PACKET_SLOT_HEADER, "slots are the kernel's");
_Static_assert(offsetof(struct tpacket2_hdr, tp_status) == 0 && offsetof(struct tpacket2_hdr, tp_len) == 4,
               "slots are the kernel's");
_Static_assert(TP_STATUS_AVAILABLE == VTCP_PACKET_AVAILABLE && TP_STATUS_SEND_REQUEST == VTCP_PACKET_SEND_REQUEST &&
                   TP_STATUS_WRONG_FORMAT == VTCP_PACKET_WRONG_FORMAT,
               "slots are the kernel's");

// Room for some dozens of frames of 64 KiB each way; the defaults hold three.
#define RECEIVE_BUFFER_SIZE (4 << 20)
#define SEND_BUFFER_SIZE (1 << 20)

static int switch_on(int fd, int option) {
    int on = 1;
    return setsockopt(fd, SOL_PACKET, option, &on, sizeof on);
}

static void set_buffer_size(int fd, int forced, int option, int size) {
    if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size) < 0)
        (void)setsockopt(fd, SOL_SOCKET, option, &size, sizeof size);
}

static int prepare(int fd, int interface) {
    struct packet_mreq membership = {.mr_ifindex = interface, .mr_type = PACKET_MR_PROMISC};
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = interface};
    set_buffer_size(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER_SIZE);
    set_buffer_size(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER_SIZE);
    if (switch_on(fd, PACKET_VNET_HDR) < 0) return -errno;
    // Without it we would receive what we send.
    if (switch_on(fd, PACKET_IGNORE_OUTGOING) < 0) return -errno;
    if (switch_on(fd, PACKET_AUXDATA) < 0) return -errno;
    if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) < 0) return -errno;
    return bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

int32_t vtcp_packet_socket_open(const char *interface) {
    unsigned int index = if_nametoindex(interface);
    if (index == 0) return -errno;
    // Protocol 0: nothing arrives before it is bound to its interface.
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int result = prepare(fd, (int)index);
    if (result == 0) return fd;
    close(fd);
    return result;
}

static int prepare_sender(int fd, int interface) {
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = interface};
    set_buffer_size(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER_SIZE);
    if (switch_on(fd, PACKET_VNET_HDR) < 0) return -errno;
    return bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

int32_t vtcp_packet_sender_open(const char *interface) {
    unsigned int index = if_nametoindex(interface);
    if (index == 0) return -errno;
    // Protocol 0 for good: nothing arrives.
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int result = prepare_sender(fd, (int)index);
    if (result == 0) return fd;
    close(fd);
    return result;
}

int32_t vtcp_packet_ring_map(int32_t fd, int32_t slot_size, int32_t slots, void **result) {
    int version = TPACKET_V2;
    // Blocks of 32 slots.
    struct tpacket_req request = {.tp_block_size = 32u * (unsigned)slot_size,
                                  .tp_block_nr = (unsigned)slots / 32u,
                                  .tp_frame_size = (unsigned)slot_size,
                                  .tp_frame_nr = (unsigned)slots};
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0) return -errno;
    if (setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &request, sizeof request) < 0) return -errno;
    size_t size = (size_t)slot_size * (size_t)slots;
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (base == MAP_FAILED) return -errno;
    *result = base;
    return 0;
}

int32_t vtcp_packet_ring_drop(int32_t fd) {
    int version = TPACKET_V2;
    struct tpacket_req none = {0};
    // The version can't change while there is a ring, and is the same.
    (void)setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version);
    return setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &none, sizeof none) < 0 ? -errno : 0;
}

int32_t vtcp_packet_socket_interface(int32_t fd) {
    struct sockaddr_ll address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return -errno;
    return address.sll_family == AF_PACKET ? address.sll_ifindex : -ENOTSUP;
}

int32_t vtcp_packet_ring_send(int32_t fd) {
    struct msghdr nothing = {0};
    ssize_t result = TEMP_FAILURE_RETRY(sendmsg(fd, &nothing, MSG_DONTWAIT | MSG_NOSIGNAL));
    return result < 0 ? -errno : 0;
}

int32_t vtcp_packet_send(int32_t fd, const vtcp_packet_frame *frames, int32_t count) {
    struct mmsghdr messages[VTCP_PACKET_BATCH];
    if (count < 0 || count > VTCP_PACKET_BATCH) return -EINVAL;
    memset(messages, 0, sizeof messages[0] * (size_t)count);
    for (int32_t index = 0; index < count; index++) {
        messages[index].msg_hdr.msg_iov = (struct iovec *)frames[index].vectors;
        messages[index].msg_hdr.msg_iovlen = frames[index].vector_count;
    }
    int sent = TEMP_FAILURE_RETRY(sendmmsg(fd, messages, (unsigned int)count, MSG_DONTWAIT | MSG_NOSIGNAL));
    return sent < 0 ? -errno : sent;
}

typedef union auxiliary_buffer {
    struct cmsghdr alignment;
    char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
} auxiliary_buffer;

static uint32_t vlan_tag(struct msghdr *message) {
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        struct tpacket_auxdata data;
        if (header->cmsg_level != SOL_PACKET || header->cmsg_type != PACKET_AUXDATA) continue;
        if (header->cmsg_len < CMSG_LEN(sizeof data)) continue;
        memcpy(&data, CMSG_DATA(header), sizeof data);
        if (!(data.tp_status & TP_STATUS_VLAN_VALID)) return 0;
        uint32_t protocol = data.tp_status & TP_STATUS_VLAN_TPID_VALID ? data.tp_vlan_tpid : ETH_P_8021Q;
        return protocol << 16 | data.tp_vlan_tci;
    }
    return 0;
}

int32_t vtcp_packet_receive(int32_t fd, vtcp_packet_frame *frames, int32_t count) {
    struct mmsghdr messages[VTCP_PACKET_BATCH];
    auxiliary_buffer auxiliary[VTCP_PACKET_BATCH];
    if (count < 0 || count > VTCP_PACKET_BATCH) return -EINVAL;
    memset(messages, 0, sizeof messages[0] * (size_t)count);
    for (int32_t index = 0; index < count; index++) {
        messages[index].msg_hdr.msg_iov = (struct iovec *)frames[index].vectors;
        messages[index].msg_hdr.msg_iovlen = frames[index].vector_count;
        messages[index].msg_hdr.msg_control = &auxiliary[index];
        messages[index].msg_hdr.msg_controllen = sizeof auxiliary[index];
    }
    int received = TEMP_FAILURE_RETRY(recvmmsg(fd, messages, (unsigned int)count, MSG_DONTWAIT, NULL));
    if (received < 0) return -errno;
    for (int index = 0; index < received; index++) {
        frames[index].byte_count = messages[index].msg_len;
        frames[index].vlan = vlan_tag(&messages[index].msg_hdr);
        frames[index].truncated = (messages[index].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    }
    return received;
}
