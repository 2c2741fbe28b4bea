// SPDX-License-Identifier: Apache-2.0
//
// The yardstick of the bench: what a small C program does between a vhost-user front-end and one TAP. One thread, epoll,
// split rings, one readv or writev a frame, straight between guest memory and the TAP, no copy of its own. It believes
// what the guest says. Not for use.
//
// usage: back-end --socket-path PATH (--tap NAME | --uplink null)
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <linux/vhost_types.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#define BIT(n) (1ull << (n))
#define PROTOCOL_FEATURES_BIT 30
#define FEATURES                                                                                                      \
    (BIT(32) | BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) |                 \
     BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) |                       \
     BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX) |                  \
     BIT(PROTOCOL_FEATURES_BIT))
#define PROTOCOL_REPLY_ACK BIT(3)
#define RECEIVE 0
#define TRANSMIT 1
#define BUDGET 64
#define LONGEST_FRAME (65536 + 64)
#define LARGE_FRAME 4096
#define MAXIMUM_VECTORS 256

enum { GET_FEATURES = 1, SET_FEATURES, SET_OWNER, RESET_OWNER, SET_MEM_TABLE, SET_VRING_NUM = 8, SET_VRING_ADDR,
       SET_VRING_BASE, GET_VRING_BASE, SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR, GET_PROTOCOL_FEATURES,
       SET_PROTOCOL_FEATURES, SET_VRING_ENABLE = 18 };

struct region { uint64_t guest, size, user, offset; char *base; };
struct queue {
    struct vring ring;
    uint16_t last_available, used, signalled;
    int kick, call;
    bool enabled;
};
struct message {
    struct { uint32_t request, flags, size; } header;
    union { uint64_t number; struct vhost_vring_state state; struct vhost_vring_addr address;
            struct { uint32_t count, padding; uint64_t regions[8][4]; } memory; char bytes[512]; } payload;
    int descriptors[8], descriptor_count;
};

static struct region regions[8];
static int region_count;
static struct queue queues[2];
static uint64_t features, protocol_features;
static int tap = -1, poller, connection = -1;
static bool tap_readable;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

// Addresses

static char *translate(uint64_t address, bool is_user) {
    for (int i = 0; i < region_count; i++) {
        uint64_t start = is_user ? regions[i].user : regions[i].guest;
        if (address - start < regions[i].size) return regions[i].base + (address - start);
    }
    return NULL;
}

// Appends the vectors of one chain; returns the new count.
static int gather(const struct queue *queue, uint16_t head, struct iovec *vectors, int count) {
    const struct vring_desc *table = queue->ring.desc, *descriptor = &table[head];
    if (descriptor->flags & VRING_DESC_F_INDIRECT) {
        table = (const struct vring_desc *)translate(descriptor->addr, false);
        descriptor = table;
    }
    for (;;) {
        if (count < MAXIMUM_VECTORS)
            vectors[count++] = (struct iovec){translate(descriptor->addr, false), descriptor->len};
        if (!(descriptor->flags & VRING_DESC_F_NEXT)) return count;
        descriptor = &table[descriptor->next];
    }
}

// Rings

static uint16_t available(const struct queue *queue) {
    return __atomic_load_n(&queue->ring.avail->idx, __ATOMIC_ACQUIRE) - queue->last_available;
}

static uint16_t head_at(const struct queue *queue, uint16_t ahead) {
    return queue->ring.avail->ring[(uint16_t)(queue->last_available + ahead) & (queue->ring.num - 1)];
}

static void push(struct queue *queue, uint16_t head, uint32_t length) {
    queue->ring.used->ring[queue->used++ & (queue->ring.num - 1)] = (struct vring_used_elem){head, length};
}

static void publish_and_call(struct queue *queue) {
    uint16_t old = queue->signalled;
    if (queue->used == old) return;
    __atomic_store_n(&queue->ring.used->idx, queue->used, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    queue->signalled = queue->used;
    bool wanted = features & BIT(VIRTIO_RING_F_EVENT_IDX)
                      ? vring_need_event(vring_used_event(&queue->ring), queue->used, old)
                      : !(queue->ring.avail->flags & VRING_AVAIL_F_NO_INTERRUPT);
    if (wanted && queue->call >= 0) eventfd_write(queue->call, 1);
}

static void refuse_kicks(struct queue *queue) {
    if (!(features & BIT(VIRTIO_RING_F_EVENT_IDX))) queue->ring.used->flags = VRING_USED_F_NO_NOTIFY;
}

// True if there are more than `seen` buffers already.
static bool want_kick(struct queue *queue, uint16_t seen) {
    if (features & BIT(VIRTIO_RING_F_EVENT_IDX)) {
        vring_avail_event(&queue->ring) = queue->last_available + seen;
    } else {
        queue->ring.used->flags = 0;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return available(queue) > seen;
}

// The two directions. Each returns whether there may be more to do at once.

static bool transmit(struct queue *queue) {
    struct iovec vectors[MAXIMUM_VECTORS];
    uint16_t count = available(queue);
    if (count > BUDGET) count = BUDGET;
    for (uint16_t i = 0; i < count; i++) {
        uint16_t head = head_at(queue, 0);
        int vector_count = gather(queue, head, vectors, 0);
        // A full TAP drops; nothing else makes writev fail for good frames.
        if (tap >= 0 && writev(tap, vectors, vector_count) < 0 && errno == EINTR) continue;
        queue->last_available++;
        push(queue, head, 0);
    }
    publish_and_call(queue);
    return count == BUDGET;
}

// Buffers for the longest frame are gathered from those that are available, once for all frames of a turn.
static bool receive(struct queue *queue, bool *starved) {
    static struct iovec vectors[MAXIMUM_VECTORS];
    bool merges = features & BIT(VIRTIO_NET_F_MRG_RXBUF);
    int frames = 0;
    *starved = false;
    while (frames < BUDGET && tap_readable) {
        uint16_t heads[MAXIMUM_VECTORS], ready = available(queue), chains = 0;
        int ends[MAXIMUM_VECTORS], vector_count = 0;
        size_t room = 0;
        while (chains < ready && room < LONGEST_FRAME && vector_count < MAXIMUM_VECTORS) {
            int first = vector_count;
            heads[chains] = head_at(queue, chains);
            vector_count = gather(queue, heads[chains], vectors, first);
            for (int i = first; i < vector_count; i++) room += vectors[i].iov_len;
            ends[chains++] = vector_count;
            if (!merges) break;
        }
        if (chains == 0 || (merges && room < LONGEST_FRAME)) {
            *starved = true;
            if (!want_kick(queue, ready)) break;
            refuse_kicks(queue);
            *starved = false;
            continue;
        }
        ssize_t length = readv(tap, vectors, vector_count);
        if (length <= 0) {
            if (length < 0 && errno == EINTR) continue;
            tap_readable = false;
            break;
        }
        struct virtio_net_hdr_mrg_rxbuf *header = vectors[0].iov_base;
        size_t left = (size_t)length;
        uint16_t taken = 0;
        for (int vector = 0; left > 0; taken++) {
            size_t part = 0;
            for (; vector < ends[taken]; vector++) part += vectors[vector].iov_len;
            if (part > left) part = left;
            push(queue, heads[taken], (uint32_t)part);
            left -= part;
        }
        header->num_buffers = taken;
        queue->last_available += taken;
        frames++;
        // Small frames go up together, a large one at once: the guest works on it while the next one is read.
        if (length > LARGE_FRAME) publish_and_call(queue);
    }
    publish_and_call(queue);
    return frames == BUDGET;
}

// vhost-user

static void forget_memory(void) {
    for (int i = 0; i < region_count; i++) munmap(regions[i].base, regions[i].size + regions[i].offset);
    region_count = 0;
}

static void set_memory(const struct message *message) {
    forget_memory();
    for (uint32_t i = 0; i < message->payload.memory.count && (int)i < message->descriptor_count; i++) {
        const uint64_t *entry = message->payload.memory.regions[i];
        struct region region = {entry[0], entry[1], entry[2], entry[3], NULL};
        char *base = mmap(NULL, region.size + region.offset, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                          message->descriptors[i], 0);
        if (base == MAP_FAILED) fail("mmap");
        region.base = base + region.offset;
        regions[region_count++] = region;
        close(message->descriptors[i]);
    }
}

static void set_addresses(struct queue *queue, const struct vhost_vring_addr *address) {
    queue->ring.desc = (struct vring_desc *)translate(address->desc_user_addr, true);
    queue->ring.avail = (struct vring_avail *)translate(address->avail_user_addr, true);
    queue->ring.used = (struct vring_used *)translate(address->used_user_addr, true);
    queue->used = queue->signalled = queue->ring.used->idx;
}

static void replace(int *descriptor, const struct message *message, bool watch, uint64_t token) {
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = message->descriptor_count > 0 ? message->descriptors[0] : -1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = token};
    if (watch && *descriptor >= 0) epoll_ctl(poller, EPOLL_CTL_ADD, *descriptor, &event);
}

static bool reply(struct message *message, uint64_t number) {
    message->header.flags = 1 | 4;
    message->header.size = sizeof number;
    message->payload.number = number;
    struct iovec vectors[2] = {{&message->header, sizeof message->header}, {&message->payload, sizeof number}};
    return writev(connection, vectors, 2) > 0;
}

static bool receive_message(struct message *message) {
    union { struct cmsghdr alignment; char bytes[CMSG_SPACE(sizeof message->descriptors)]; } control;
    struct iovec vector = {&message->header, sizeof message->header};
    struct msghdr header = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    if (recvmsg(connection, &header, MSG_WAITALL | MSG_CMSG_CLOEXEC) != sizeof message->header) return false;
    message->descriptor_count = 0;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    if (rights) {
        message->descriptor_count = (int)((rights->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(message->descriptors, CMSG_DATA(rights), (size_t)message->descriptor_count * sizeof(int));
    }
    uint32_t size = message->header.size;
    if (size > sizeof message->payload) return false;
    return size == 0 || recv(connection, &message->payload, size, MSG_WAITALL) == (ssize_t)size;
}

static bool handle_message(void) {
    struct message message = {0};
    if (!receive_message(&message)) return false;
    bool needs_reply = (message.header.flags & 8) && (protocol_features & PROTOCOL_REPLY_ACK);
    struct vhost_vring_state state = message.payload.state;
    struct queue *queue = &queues[state.index & 1];
    switch (message.header.request) {
    case GET_FEATURES: return reply(&message, FEATURES);
    case GET_PROTOCOL_FEATURES: return reply(&message, PROTOCOL_REPLY_ACK);
    case GET_VRING_BASE:
        queue->enabled = false;
        return reply(&message, (uint64_t)queue->last_available << 32 | state.index);
    case SET_FEATURES: features = message.payload.number; break;
    case SET_PROTOCOL_FEATURES: protocol_features = message.payload.number; break;
    case SET_MEM_TABLE: set_memory(&message); break;
    case SET_VRING_NUM: queue->ring.num = state.num; break;
    case SET_VRING_BASE: queue->last_available = (uint16_t)state.num; break;
    case SET_VRING_ADDR: set_addresses(queue, &message.payload.address); break;
    case SET_VRING_KICK: replace(&queue->kick, &message, true, state.index & 1); break;
    case SET_VRING_CALL: replace(&queue->call, &message, false, 0); break;
    case SET_VRING_ERR: for (int i = 0; i < message.descriptor_count; i++) close(message.descriptors[i]); break;
    case SET_VRING_ENABLE: queue->enabled = state.num; break;
    default: break;
    }
    return !needs_reply || reply(&message, 0);
}

static void set_offloads(void) {
    unsigned offloads = 0;
    if (features & BIT(VIRTIO_NET_F_GUEST_CSUM)) offloads |= TUN_F_CSUM;
    if (features & BIT(VIRTIO_NET_F_GUEST_TSO4)) offloads |= TUN_F_TSO4;
    if (features & BIT(VIRTIO_NET_F_GUEST_TSO6)) offloads |= TUN_F_TSO6;
    if (tap >= 0) (void)ioctl(tap, TUNSETOFFLOAD, offloads);
}

static int open_tap(const char *name) {
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int size = sizeof(struct virtio_net_hdr_mrg_rxbuf), little_endian = 1;
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0) fail(name);
    if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0 || ioctl(fd, TUNSETVNETLE, &little_endian) < 0) fail("TUNSETVNETHDRSZ");
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (ioctl(control, SIOCGIFFLAGS, &request) < 0) fail("SIOCGIFFLAGS");
    request.ifr_flags |= IFF_UP;
    if (ioctl(control, SIOCSIFFLAGS, &request) < 0) fail("SIOCSIFFLAGS");
    close(control);
    return fd;
}

static int listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4) < 0) fail(path);
    return fd;
}

enum { CONNECTION = 2, TAP = 3 };

static void watch(int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

// Serves one front-end until it goes.
static void serve(void) {
    bool serving = true, busy = false, starved = false;
    watch(connection, EPOLLIN, CONNECTION);
    while (serving) {
        struct epoll_event events[8];
        int count = epoll_wait(poller, events, 8, busy ? 0 : -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u64 == TAP) tap_readable = true;
            if (events[i].data.u64 != CONNECTION) continue;
            serving = handle_message();
            set_offloads();
        }
        busy = false;
        struct queue *in = &queues[RECEIVE], *out = &queues[TRANSMIT];
        if (out->enabled && out->kick >= 0) {
            refuse_kicks(out);
            busy = transmit(out);
            if (!busy) busy = want_kick(out, 0);
        }
        if (tap >= 0 && in->enabled && in->kick >= 0) {
            if (!starved) refuse_kicks(in);
            busy |= receive(in, &starved);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (queues[i].kick >= 0) close(queues[i].kick);
        if (queues[i].call >= 0) close(queues[i].call);
        queues[i] = (struct queue){.kick = -1, .call = -1};
    }
    forget_memory();
    features = protocol_features = 0;
    close(connection);
}

int main(int argc, char **argv) {
    const char *path = NULL, *name = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--socket-path")) path = argv[i + 1];
        if (!strcmp(argv[i], "--tap")) name = argv[i + 1];
    }
    if (!path) return fprintf(stderr, "usage: back-end --socket-path PATH (--tap NAME | --uplink null)\n"), 2;
    for (int i = 0; i < 2; i++) queues[i].kick = queues[i].call = -1;
    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (name) {
        tap = open_tap(name);
        watch(tap, EPOLLIN | EPOLLET, TAP);
    }
    int listener = listen_at(path);
    while ((connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) serve();
    return 0;
}
