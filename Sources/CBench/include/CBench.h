// SPDX-License-Identifier: Apache-2.0
//
// System calls of vtcp-bench that the product has no use for. Every function returns a value >= 0 or -errno.
// No system header is included here: see docs/architecture.md, "Shims".
#ifndef CBENCH_H
#define CBENCH_H

#include <stddef.h>
#include <stdint.h>

/// Processor time of this process, user and system. Nanoseconds.
int64_t vtcp_bench_processor_time(void);
/// Ties this thread to one processor, and has it run there as soon as it wants to (SCHED_FIFO).
int32_t vtcp_bench_come_first(int32_t processor);
/// Returns when CLOCK_MONOTONIC is there. Nanoseconds.
int32_t vtcp_bench_sleep_until(int64_t moment);
/// Bytes of the virtio header before each frame of a TAP; little-endian.
int32_t vtcp_bench_tap_header(int32_t tap, int32_t size);
int32_t vtcp_bench_interface_mtu(const char *_Nonnull interface);
/// The beginning of a file: how many bytes there are in `buffer`.
int64_t vtcp_bench_read_file(const char *_Nonnull path, void *_Nonnull buffer, size_t capacity);

// TCP with numeric addresses, IPv4 or IPv6. Blocking, without delay (TCP_NODELAY).

int32_t vtcp_bench_tcp_listen(const char *_Nonnull address, const char *_Nonnull port);
int32_t vtcp_bench_tcp_connect(const char *_Nonnull address, const char *_Nonnull port);
int32_t vtcp_bench_tcp_accept(int32_t listener);
/// All bytes. 0 when the peer has closed.
int64_t vtcp_bench_send(int32_t socket, const void *_Nonnull bytes, size_t count);
/// At least one byte. 0 when the peer has closed.
int64_t vtcp_bench_receive(int32_t socket, void *_Nonnull bytes, size_t capacity);

/// A packet socket that only sends, past the interface's queueing discipline.
int32_t vtcp_bench_packet_socket(const char *_Nonnull interface);
/// Sends `count` frames of `size` bytes, which lie `stride` apart, at most 64: how many were sent.
int32_t vtcp_bench_packet_send(int32_t socket, const void *_Nonnull frames, size_t size, size_t stride, int32_t count);

#endif
