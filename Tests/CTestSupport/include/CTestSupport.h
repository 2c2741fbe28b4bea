// SPDX-License-Identifier: Apache-2.0
// What the mock front-end needs of Linux and Swift's Glibc module lacks. Failures are -1 with errno set.
#ifndef C_TEST_SUPPORT_H
#define C_TEST_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

/// A sealable, close-on-exec memfd of `size` bytes.
int test_memfd(const char *name, uint64_t size);
/// A non-blocking, close-on-exec eventfd with count 0.
int test_eventfd(void);
/// A close-on-exec epoll descriptor that watches nothing.
int test_epoll(void);
/// A close-on-exec pipe: `ends[0]` reads, `ends[1]` writes.
/// Gives this thread a table of descriptors of its own, with nothing in it but the standard streams. 0 or -errno.
int test_own_descriptors(void);
int test_pipe(int *ends);

/// One sendmsg, never blocking; the descriptors travel with the first octet.
int64_t test_send_message(int socket, const void *octets, size_t count, const int *descriptors,
                          size_t descriptor_count);
/// One recvmsg, never blocking; received descriptors are close-on-exec. Returns 0 at the end of the stream.
int64_t test_receive_message(int socket, void *octets, size_t count, int *descriptors, size_t capacity,
                             size_t *descriptor_count);

/// Starts a program that the kernel kills with us. Of our descriptors it gets `inherited`, under their own numbers,
/// and `output` and `errors` as 1 and 2. The system calls `refused`, 16 at most, fail in it with EPERM, as in a container
/// that knows better. Returns the process id.
int test_spawn(const char *path, char *const arguments[], const int *inherited, size_t inherited_count, int output,
               int errors, const int *refused, size_t refused_count);
/// The same, but its descriptors get the numbers from 3 on, in their order (sd_listen_fds), and its environment is `environment`.
int test_spawn_named(const char *path, char *const arguments[], char *const environment[], const int *named,
                     size_t named_count, int output, int errors);
/// A socket of datagrams with the abstract name `name`.
int test_abstract_datagrams(const char *name);
/// Another one that is connected to it.
int test_connect_abstract_datagrams(const char *name);
/// Waits at most `milliseconds` for a child: 1 when it has ended (`status` as by waitpid), 0 when it has not.
int test_wait(int process, int milliseconds, int *status);

/// Sets RLIMIT_NOFILE of another process.
int test_limit_descriptors(int process, uint64_t limit);

/// Gives this thread a network namespace of its own, which goes when the thread and what it opened are gone. 0 or -errno.
int test_new_network(void);
/// Keeps this thread, and what it starts, on the processor that it runs on. 0 or -errno.
int test_stay_on_processor(void);

/// Sets IFLA_GSO_IPV4_MAX_SIZE, which not every `ip` knows. 0 or -errno.
int test_take_large_ipv4(const char *interface, uint32_t size);

/// A packet socket that sends to an interface of this thread's network: each message is a virtio_net_hdr of 10 octets and a frame.
int test_packet_sender(const char *interface);
/// A packet socket that gets what an interface of this thread's network receives.
int test_packet_receiver(const char *interface);
/// The next frame that a receiver has, never blocking; a VLAN tag that the kernel took out is in its place again.
int64_t test_packet_receive(int socket, void *octets, size_t capacity);

uint16_t test_load_acquire_16(const void *address);
void test_store_release_16(void *address, uint16_t value);
void test_fence(void);

/// Makes another process do one system call, wherever it sleeps, and go on as if nothing had been. `text`, if there is
/// one, is put into its memory, and its address into argument `text_argument`. Returns 0 with what the call returned, or
/// the number of the signal that ended the process, or TEST_EXITED if it ended itself (it is left to be waited for), or
/// -errno. x86-64 only.
#define TEST_EXITED 256
int test_inject(int process, int64_t number, const int64_t *arguments, const char *text, int text_argument,
                int64_t *result);

#endif
