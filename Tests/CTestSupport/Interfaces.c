// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CTestSupport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/// IFLA_GSO_IPV4_MAX_SIZE, which older headers lack.
#define GSO_IPV4_MAX_SIZE 63
#define TAG_LENGTH 4
#define ADDRESSES_LENGTH 12

int test_new_network(void) { return unshare(CLONE_NEWNET) < 0 ? -errno : 0; }

int test_stay_on_processor(void) {
    cpu_set_t processors;
    int current = sched_getcpu();
    if (current < 0) return -errno;
    CPU_ZERO(&processors);
    CPU_SET(current, &processors);
    return sched_setaffinity(0, sizeof processors, &processors) < 0 ? -errno : 0;
}

int test_take_large_ipv4(const char *interface, uint32_t size) {
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
        struct rtattr attribute;
        uint32_t size;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_SETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        .link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(interface)},
        .attribute = {.rta_len = RTA_LENGTH(sizeof size), .rta_type = GSO_IPV4_MAX_SIZE},
        .size = size,
    };
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t rest[sizeof request];
    } answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return -errno;
    int result = -EIO;
    if (send(fd, &request, sizeof request, 0) < 0) {
        result = -errno;
    } else if (recv(fd, &answer, sizeof answer, 0) >= (ssize_t)NLMSG_LENGTH(sizeof(int)) &&
               answer.header.nlmsg_type == NLMSG_ERROR) {
        result = answer.error.error;
    }
    close(fd);
    return result;
}

static int open_bound(const char *interface, uint16_t protocol) {
    int one = 1, size = 64 << 20;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};
    address.sll_ifindex = (int)if_nametoindex(interface);
    // A sender is bound to no protocol: nothing comes to it.
    int option = protocol ? PACKET_AUXDATA : PACKET_VNET_HDR;
    if (setsockopt(fd, SOL_PACKET, option, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_SOCKET, protocol ? SO_RCVBUFFORCE : SO_SNDBUFFORCE, &size, sizeof size) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int test_packet_sender(const char *interface) { return open_bound(interface, 0); }

int test_packet_receiver(const char *interface) { return open_bound(interface, ETH_P_ALL); }

int64_t test_packet_receive(int socket, void *octets, size_t capacity) {
    union {
        struct cmsghdr header;
        uint8_t bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control;
    uint8_t *frame = octets;
    if (capacity < ADDRESSES_LENGTH + TAG_LENGTH) {
        errno = EINVAL;
        return -1;
    }
    struct iovec vector = {.iov_base = frame, .iov_len = capacity - TAG_LENGTH};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t count = recvmsg(socket, &message, MSG_DONTWAIT);
    if (count < ADDRESSES_LENGTH) return count;
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each)) {
        struct tpacket_auxdata auxiliary;
        if (each->cmsg_level != SOL_PACKET || each->cmsg_type != PACKET_AUXDATA) continue;
        memcpy(&auxiliary, CMSG_DATA(each), sizeof auxiliary);
        if (!(auxiliary.tp_status & TP_STATUS_VLAN_VALID)) continue;
        uint16_t type = auxiliary.tp_status & TP_STATUS_VLAN_TPID_VALID ? auxiliary.tp_vlan_tpid : ETH_P_8021Q;
        uint16_t tag[2] = {htons(type), htons(auxiliary.tp_vlan_tci)};
        memmove(frame + ADDRESSES_LENGTH + TAG_LENGTH, frame + ADDRESSES_LENGTH, (size_t)count - ADDRESSES_LENGTH);
        memcpy(frame + ADDRESSES_LENGTH, tag, TAG_LENGTH);
        return count + TAG_LENGTH;
    }
    return count;
}
