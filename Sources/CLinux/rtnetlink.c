// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "CLinuxSystem.h"

// Linux 6.3; older headers lack the name.
#define LINK_GSO_IPV4_MAX_SIZE 63
#define LINK_TSO_MAX_SIZE 59
#define LINK_TSO_MAX_SEGMENTS 60

#define ANSWER_SIZE 32768

static void add_attribute(struct nlmsghdr *message, unsigned short type, const void *value, size_t size) {
    struct rtattr *attribute = (struct rtattr *)((char *)message + NLMSG_ALIGN(message->nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(size);
    memcpy(RTA_DATA(attribute), value, size);
    message->nlmsg_len = NLMSG_ALIGN(message->nlmsg_len) + (uint32_t)RTA_SPACE(size);
}

static uint32_t *limit_of_attribute(vtcp_link_limits *limits, unsigned short type) {
    switch (type) {
        case IFLA_MTU: return &limits->mtu;
        case IFLA_GSO_MAX_SIZE: return &limits->gso_max_size;
        case IFLA_GSO_MAX_SEGS: return &limits->gso_max_segments;
        case LINK_GSO_IPV4_MAX_SIZE: return &limits->gso_ipv4_max_size;
        case LINK_TSO_MAX_SIZE: return &limits->tso_max_size;
        case LINK_TSO_MAX_SEGMENTS: return &limits->tso_max_segments;
        default: return NULL;
    }
}

static int32_t read_answer(const struct nlmsghdr *answer, size_t size, vtcp_link_limits *limits) {
    if (!NLMSG_OK(answer, size)) return -EBADMSG;
    if (answer->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *error = NLMSG_DATA(answer);
        return answer->nlmsg_len >= NLMSG_LENGTH(sizeof *error) && error->error < 0 ? error->error : -EBADMSG;
    }
    if (answer->nlmsg_type != RTM_NEWLINK || answer->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
        return -EBADMSG;
    const struct ifinfomsg *link = NLMSG_DATA(answer);
    int left = (int)IFLA_PAYLOAD(answer);
    for (const struct rtattr *attribute = IFLA_RTA(link); RTA_OK(attribute, left);
         attribute = RTA_NEXT(attribute, left)) {
        uint32_t *limit = limit_of_attribute(limits, attribute->rta_type);
        if (limit && RTA_PAYLOAD(attribute) >= sizeof *limit) memcpy(limit, RTA_DATA(attribute), sizeof *limit);
    }
    return 0;
}

// An answer that came too late, to a question before, is not this one's.
#define MAXIMUM_STALE_ANSWERS 4

static atomic_uint sequence;

// Of an interface by name or, without one, by index. By messages, since a confined program has no other calls.
static int32_t ask_rtnetlink(int fd, const char *interface, int index, vtcp_link_limits *limits) {
    union {
        struct nlmsghdr header;
        char bytes[256];
    } question;
    union {
        struct nlmsghdr header;
        char bytes[ANSWER_SIZE];
    } answer;
    memset(&question, 0, sizeof question);
    question.header.nlmsg_type = RTM_GETLINK;
    question.header.nlmsg_flags = NLM_F_REQUEST;
    question.header.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
    question.header.nlmsg_seq = atomic_fetch_add(&sequence, 1) + 1;
    ((struct ifinfomsg *)NLMSG_DATA(&question.header))->ifi_index = index;
    uint32_t mask = RTEXT_FILTER_SKIP_STATS;
    if (interface) add_attribute(&question.header, IFLA_IFNAME, interface, strlen(interface) + 1);
    add_attribute(&question.header, IFLA_EXT_MASK, &mask, sizeof mask);
    struct iovec asked = {.iov_base = &question, .iov_len = question.header.nlmsg_len};
    struct iovec room = {.iov_base = &answer, .iov_len = sizeof answer};
    struct msghdr message = {.msg_iov = &asked, .msg_iovlen = 1};
    if (TEMP_FAILURE_RETRY(sendmsg(fd, &message, 0)) < 0) return -errno;
    message.msg_iov = &room;
    for (int tries = 0; tries <= MAXIMUM_STALE_ANSWERS; tries++) {
        ssize_t size = TEMP_FAILURE_RETRY(recvmsg(fd, &message, MSG_TRUNC));
        if (size < 0) return -errno;
        if ((size_t)size > sizeof answer) return -EMSGSIZE;
        if ((size_t)size >= sizeof answer.header && answer.header.nlmsg_seq != question.header.nlmsg_seq) continue;
        return read_answer(&answer.header, (size_t)size, limits);
    }
    return -EAGAIN;
}

#define MAXIMUM_FEATURES 256

static int ethtool(int fd, const char *interface, void *command) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
    request.ifr_data = command;
    return ioctl(fd, SIOCETHTOOL, &request);
}

// The features' numbers differ between kernels; their names do not.
static int32_t read_features(int fd, const char *interface, vtcp_link_limits *limits) {
    union {
        struct ethtool_sset_info information;
        char bytes[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
    } set = {.information = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_FEATURES}};
    union {
        struct ethtool_gstrings strings;
        char bytes[sizeof(struct ethtool_gstrings) + MAXIMUM_FEATURES * ETH_GSTRING_LEN];
    } names = {.strings = {.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES}};
    union {
        struct ethtool_gfeatures features;
        char bytes[sizeof(struct ethtool_gfeatures) +
                   MAXIMUM_FEATURES / 32 * sizeof(struct ethtool_get_features_block)];
    } values = {.features = {.cmd = ETHTOOL_GFEATURES}};

    if (ethtool(fd, interface, &set) < 0) return -errno;
    uint32_t count;
    memcpy(&count, set.bytes + sizeof set.information, sizeof count);
    if (count > MAXIMUM_FEATURES) return -EOVERFLOW;
    names.strings.len = count;
    if (ethtool(fd, interface, &names) < 0) return -errno;
    values.features.size = (count + 31) / 32;
    if (ethtool(fd, interface, &values) < 0) return -errno;

    bool checksum4 = false, checksum6 = false, generic = false;
    for (uint32_t index = 0; index < count; index++) {
        const char *name = names.bytes + sizeof names.strings + index * ETH_GSTRING_LEN;
        struct ethtool_get_features_block block;
        memcpy(&block, values.bytes + sizeof values.features + index / 32 * sizeof block, sizeof block);
        if (!(block.active >> index % 32 & 1)) continue;
        if (strncmp(name, "tx-checksum-ip-generic", ETH_GSTRING_LEN) == 0) generic = true;
        if (strncmp(name, "tx-checksum-ipv4", ETH_GSTRING_LEN) == 0) checksum4 = true;
        if (strncmp(name, "tx-checksum-ipv6", ETH_GSTRING_LEN) == 0) checksum6 = true;
        if (strncmp(name, "tx-tcp-segmentation", ETH_GSTRING_LEN) == 0) limits->tso4 = 1;
        if (strncmp(name, "tx-tcp6-segmentation", ETH_GSTRING_LEN) == 0) limits->tso6 = 1;
    }
    limits->transmit_checksum = generic || (checksum4 && checksum6);
    return 0;
}

int32_t vtcp_read_link_limits(const char *interface, vtcp_link_limits *limits) {
    size_t length = strlen(interface);
    if (length == 0 || length >= IFNAMSIZ) return -EINVAL;
    memset(limits, 0, sizeof *limits);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return -errno;
    int32_t result = ask_rtnetlink(fd, interface, 0, limits);
    // A device without ethtool has no abilities; that is an answer too.
    if (result == 0) (void)read_features(fd, interface, limits);
    close(fd);
    return result;
}

int32_t vtcp_link_query_open(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    return fd < 0 ? -errno : fd;
}

int32_t vtcp_link_query(int32_t fd, int32_t index, vtcp_link_limits *limits) {
    if (index <= 0) return -ENODEV;
    memset(limits, 0, sizeof *limits);
    return ask_rtnetlink(fd, NULL, index, limits);
}
