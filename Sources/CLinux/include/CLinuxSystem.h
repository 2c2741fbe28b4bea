// SPDX-License-Identifier: Apache-2.0
//
// System calls that Swift cannot reach: macros with casts, variadic calls, kernel structures.
// Every function returns a value >= 0 or -errno. No system header is included here: see docs/architecture.md, "Shims".
#ifndef CLINUX_SYSTEM_H
#define CLINUX_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

#include "CLinuxRing.h"

/// The text of an errno value, English, static.
const char *_Nonnull vtcp_error_text(int32_t code);

// Descriptors, epoll and what it watches: polling.c

int32_t vtcp_close(int32_t fd);
int32_t vtcp_set_nonblocking(int32_t fd);
/// 1 if `fd` is an eventfd or another file without a place in a file system, a pipe or a socket; else 0.
int32_t vtcp_is_notifier(int32_t fd);
int64_t vtcp_monotonic_now(void);
/// Unix time in nanoseconds.
int64_t vtcp_wall_now(void);
/// Processor time of this thread, in nanoseconds.
int64_t vtcp_thread_time(void);

typedef struct vtcp_ready_event {
    uint64_t token;
    uint32_t events;
    uint32_t unused;
} vtcp_ready_event;

int32_t vtcp_epoll_create(void);
int32_t vtcp_epoll_add(int32_t epoll, int32_t fd, uint32_t events, uint64_t token);
int32_t vtcp_epoll_modify(int32_t epoll, int32_t fd, uint32_t events, uint64_t token);
int32_t vtcp_epoll_remove(int32_t epoll, int32_t fd);
/// `timeout` in nanoseconds, negative for ever. At most 256 events at a time.
int32_t vtcp_epoll_wait(int32_t epoll, vtcp_ready_event *_Nonnull events, int32_t capacity, int64_t timeout);

int32_t vtcp_eventfd_create(void);
int32_t vtcp_eventfd_signal(int32_t fd);
int32_t vtcp_eventfd_drain(int32_t fd);

/// read(2) and write(2): the bytes moved, or an error; of `vtcp_read`, 0 at the end.
int64_t vtcp_read(int32_t fd, void *_Nonnull buffer, size_t size);
int64_t vtcp_write(int32_t fd, const void *_Nonnull buffer, size_t size);
int32_t vtcp_timerfd_create(void);
/// Once, `after` nanoseconds from now; 0 disarms.
int32_t vtcp_timerfd_arm(int32_t fd, int64_t after);
/// SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2: blocked in this thread and read from the descriptor. SIGPIPE is ignored.
int32_t vtcp_signalfd_create(void);
/// The number of a signal that is waiting; 0: none.
int32_t vtcp_signalfd_next(int32_t fd);

// Unix sockets: socket.c

int32_t vtcp_unix_listen(const char *_Nonnull path, int32_t backlog, int32_t is_private);
int32_t vtcp_unix_connect(const char *_Nonnull path);
/// A socket of datagrams connected to `path`; one that begins with '@' is an abstract name.
int32_t vtcp_unix_connect_datagrams(const char *_Nonnull path);
int32_t vtcp_unix_accept(int32_t listener);
int32_t vtcp_socket_is_listening(int32_t fd);
/// Nothing more will be sent; what comes can be read.
int32_t vtcp_socket_end_sending(int32_t fd);
/// A connected pair of unix sockets of `type` (SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_SEQPACKET 5), for tests.
int32_t vtcp_unix_pair(int32_t type, int32_t *_Nonnull first, int32_t *_Nonnull second);
/// The kernel's limit for one message: SCM_MAX_FD.
#define VTCP_MAXIMUM_DESCRIPTORS 253
/// One recvmsg, never blocking; `truncated` is set when the kernel dropped control data.
int64_t vtcp_unix_receive(int32_t fd, void *_Nonnull bytes, size_t count, int32_t *_Nonnull descriptors,
                          int32_t *_Nonnull descriptor_count, int32_t *_Nonnull truncated);
int64_t vtcp_unix_send(int32_t fd, const void *_Nonnull bytes, size_t count, const int32_t *_Nullable descriptors,
                       int32_t descriptor_count);
/// SO_TYPE of an AF_UNIX socket; -ENOTSOCK, -EAFNOSUPPORT.
int32_t vtcp_unix_type(int32_t fd);

// Memory files: memory.c

/// It never gets smaller (sealed), nor larger unless it `grows`.
int32_t vtcp_memfd_create(const char *_Nonnull name, int64_t size, int32_t grows);
/// Which file it is, by the numbers of its file system and of the file in that.
int32_t vtcp_file_identity(int32_t fd, uint64_t *_Nonnull device, uint64_t *_Nonnull number);
int64_t vtcp_file_size(int32_t fd);
/// The file system's block: the huge page size on hugetlbfs, the page size elsewhere.
int64_t vtcp_file_block_size(int32_t fd);
int64_t vtcp_page_size(void);
int32_t vtcp_file_truncate(int32_t fd, int64_t size);
int32_t vtcp_map(int32_t fd, size_t size, uint64_t offset, void *_Nullable *_Nonnull result);
int32_t vtcp_unmap(void *_Nonnull base, size_t size);
int32_t vtcp_exclude_from_core_dump(void *_Nonnull base, size_t size);

/// Front-ends may truncate a file that we have mapped; SIGBUS in a registered range becomes a block of zeroes.
/// `is_own`: the file is not a front-end's; its faults are counted apart.
int32_t vtcp_guard_install(void);
int32_t vtcp_guard_add(void *_Nonnull base, size_t size, size_t block, int32_t is_own);
int32_t vtcp_guard_remove(void *_Nonnull base);
uint64_t vtcp_guard_faults(void);
uint64_t vtcp_guard_own_faults(void);

// Files that processes share by their name: file.c

/// Opens a regular file to read (`writable` 0), or to read and write; follows a link at the end of the path only if `follows_links` is
/// not 0. -ENOTSUP:
/// it is not a regular file.
int32_t vtcp_file_open(const char *_Nonnull path, int32_t writable, int32_t follows_links);
/// A new file of `size` zeroes, for its owner to write and its group to read. `group`: -1, or the group to give it.
int32_t vtcp_file_create(const char *_Nonnull path, int64_t size, int64_t group);
/// Whether its octets are in memory only (tmpfs, ramfs), so that nobody waits for a disk.
int32_t vtcp_file_is_in_memory(int32_t fd);
/// A lock that lasts until all descriptors of this opening are closed, however the process ends. -EAGAIN: somebody has it.
int32_t vtcp_file_claim(int32_t fd);
/// 1 if somebody has it, through another opening.
int32_t vtcp_file_is_claimed(int32_t fd);
/// As `vtcp_map`, for reading only.
int32_t vtcp_map_readable(int32_t fd, size_t size, void *_Nullable *_Nonnull result);

// This process: process.c

int32_t vtcp_no_new_privileges(void);
int32_t vtcp_set_process_name(const char *_Nonnull name);
int32_t vtcp_effective_user(void);
int32_t vtcp_process_identifier(void);
/// Whether the descriptor is open.
int32_t vtcp_descriptor_is_open(int32_t fd);
/// No program that this one runs inherits it.
int32_t vtcp_set_close_on_exec(int32_t fd);
/// The value of an environment variable; null: there is none. It is valid until the next call below.
const char *_Nullable vtcp_environment(const char *_Nonnull name);
void vtcp_forget_environment(const char *_Nonnull name);
/// Removes a socket that we made.
int32_t vtcp_unlink(const char *_Nonnull path);
void vtcp_exit(int32_t status) __attribute__((noreturn));

// TUN/TAP: tun.c

#define VTCP_TAP_MULTI_QUEUE 0x0100
#define VTCP_TAP_VNET_HEADER 0x4000
#define VTCP_TAP_IS_TAP 0x0002
#define VTCP_INTERFACE_NAME_SIZE 16

/// One queue of the TAP `name`, created if there is none; no packet information. `flags`: VTCP_TAP_*.
int32_t vtcp_tap_open(const char *_Nonnull name, int32_t flags);
/// The interface flags of a TUN or TAP descriptor, and its name (16 bytes).
int32_t vtcp_tap_flags(int32_t fd, char *_Nonnull name);
/// A vnet header of 10 bytes, little-endian, no offloads to us.
int32_t vtcp_tap_prepare_header(int32_t fd);
/// `offloads`: TUN_F_*.
int32_t vtcp_tap_set_offloads(int32_t fd, uint32_t offloads);
int32_t vtcp_tap_attach_queue(int32_t fd, int32_t attached);
/// A socket that takes the calls below in this thread's network namespace, and can carry nothing.
int32_t vtcp_link_socket_open(void);
// `link`: such a socket.
int32_t vtcp_interface_up(int32_t link, const char *_Nonnull name);
int32_t vtcp_interface_mtu(int32_t link, const char *_Nonnull name);
int32_t vtcp_interface_set_mtu(int32_t link, const char *_Nonnull name, int32_t mtu);
/// How many frames wait at the interface for whoever reads them (SIOCSIFTXQLEN).
int32_t vtcp_interface_set_queue_length(int32_t link, const char *_Nonnull name, int32_t frames);
int32_t vtcp_interface_index(const char *_Nonnull name);

// Moving frames: tun.c (any descriptor), packet_socket.c

/// One writev or readv.
int64_t vtcp_write_vectors(int32_t fd, const vtcp_io_vector *_Nonnull vectors, int32_t count);
int64_t vtcp_read_vectors(int32_t fd, const vtcp_io_vector *_Nonnull vectors, int32_t count);
/// One sendmsg or recvmsg, never blocking; a datagram longer than the vectors is -EMSGSIZE and lost.
int64_t vtcp_send_vectors(int32_t fd, const vtcp_io_vector *_Nonnull vectors, int32_t count);
int64_t vtcp_receive_vectors(int32_t fd, const vtcp_io_vector *_Nonnull vectors, int32_t count);

int32_t vtcp_packet_socket_open(const char *_Nonnull interface);
/// The most frames of one call below.
#define VTCP_PACKET_BATCH 16
/// What one frame of a batch is: where its vectors are, and what the kernel said of it.
typedef struct vtcp_packet_frame {
    const vtcp_io_vector *_Nullable vectors;
    uint32_t vector_count;
    /// Received: the bytes, header included.
    uint32_t byte_count;
    /// Received: the VLAN tag that the kernel took out: TPID << 16 | TCI; 0 when none.
    uint32_t vlan;
    /// Received: the frame was longer than its vectors.
    uint32_t truncated;
} vtcp_packet_frame;
/// One sendmmsg of at most VTCP_PACKET_BATCH frames: how many were sent.
int32_t vtcp_packet_send(int32_t fd, const vtcp_packet_frame *_Nonnull frames, int32_t count);
/// One recvmmsg of at most VTCP_PACKET_BATCH frames: how many arrived.
int32_t vtcp_packet_receive(int32_t fd, vtcp_packet_frame *_Nonnull frames, int32_t count);

/// A packet socket that sends frames with virtio headers and receives nothing.
int32_t vtcp_packet_sender_open(const char *_Nonnull interface);
/// Gives a sender a ring of `slots` slots, a multiple of 32, of `slot_size` bytes (PACKET_TX_RING, TPACKET_V2), and maps
/// it. A slot: status (4 bytes), length of header and frame (4 bytes), and from VTCP_PACKET_SLOT_HEADER on these.
int32_t vtcp_packet_ring_map(int32_t fd, int32_t slot_size, int32_t slots, void *_Nullable *_Nonnull result);
/// Takes the ring away from a sender that nobody has mapped any more. -EBUSY: frames of it are still on their way.
int32_t vtcp_packet_ring_drop(int32_t fd);
/// The index of the interface that a packet socket is bound to. -ENOTSUP: it is no packet socket.
int32_t vtcp_packet_socket_interface(int32_t fd);
/// Sends the slots from the next one on whose status asks for it, in this call; each that is sent has another status
/// then. A negative result is about the first that was not.
int32_t vtcp_packet_ring_send(int32_t fd);
#define VTCP_PACKET_SLOT_HEADER 32
#define VTCP_PACKET_AVAILABLE 0
#define VTCP_PACKET_SEND_REQUEST 1
#define VTCP_PACKET_WRONG_FORMAT 4

// What an interface can do: rtnetlink.c

typedef struct vtcp_link_limits {
    uint32_t mtu;
    uint32_t gso_max_size;
    uint32_t gso_max_segments;
    uint32_t gso_ipv4_max_size;
    uint32_t tso_max_size;
    uint32_t tso_max_segments;
    uint32_t transmit_checksum;
    uint32_t tso4;
    uint32_t tso6;
} vtcp_link_limits;
int32_t vtcp_read_link_limits(const char *_Nonnull interface, vtcp_link_limits *_Nonnull limits);

/// A socket to ask about interfaces of this thread's network namespace, now and later.
int32_t vtcp_link_query_open(void);
/// What rtnetlink says of the interface of that index: all but the last three members. Does not wait for an answer.
int32_t vtcp_link_query(int32_t fd, int32_t index, vtcp_link_limits *_Nonnull limits);

#endif
