// SPDX-License-Identifier: Apache-2.0
//
// What a program that starts others and hands them descriptors needs of the kernel. Not in vtcp-nic, which does none of it.
// Every function returns a value >= 0 or -errno. No system header is included here: see docs/architecture.md, "Shims".
#ifndef CHOST_H
#define CHOST_H

#include <stddef.h>
#include <stdint.h>

// Processes: spawn.c

typedef struct vtcp_spawn_request {
    const char *_Nonnull path;
    // Ending with NULL. The environment's entry that begins with LISTEN_PID= gets the child's number: it must have room for ten digits.
    char *_Nullable const *_Nonnull arguments;
    char *_Nullable const *_Nonnull environment;
    // Become 3, 4, ... in the child, which has no others but 0, 1 and 2.
    const int32_t *_Nullable descriptors;
    int32_t descriptor_count;
    // Of a control group's cgroup.procs, open to write; -1: stay in ours.
    int32_t control_group;
    // -1: as we are.
    int64_t user;
    int64_t group;
    // Limits: open files, and octets of private memory (RLIMIT_DATA; 0: none).
    uint64_t file_limit;
    uint64_t memory_limit;
} vtcp_spawn_request;

/// Starts a program in a session of its own, without capabilities, signals as at a login. Returns its number once it runs; the child's error
/// otherwise, with `step` what it was about (a static text).
int32_t vtcp_spawn(const vtcp_spawn_request *_Nonnull request, const char *_Nullable *_Nonnull step);
/// A descriptor that becomes readable when the process ends.
int32_t vtcp_process_open(int32_t process);
int32_t vtcp_process_signal(int32_t descriptor, int32_t signal);
/// 1 and how it ended, if it has: 0...255 an exit status, from 256 on 256 + a signal. 0: it runs. -ECHILD: it is not our child.
int32_t vtcp_process_reap(int32_t descriptor, int32_t *_Nonnull status);

// Sockets: notify.c

/// A listening stream socket at `path`, or a bound datagram socket (`is_datagram`), with this mode, user and group (-1: ours). A socket that nobody
/// answers on is replaced; -EADDRINUSE when somebody does, -ENOTSOCK when there is something else.
int32_t vtcp_host_bind(const char *_Nonnull path, int32_t is_datagram, int32_t backlog, uint32_t mode, int64_t user,
                       int64_t group);
/// Who connected: process, user, group (SO_PEERCRED).
int32_t vtcp_peer_credentials(int32_t fd, int32_t *_Nonnull process, uint32_t *_Nonnull user, uint32_t *_Nonnull group);
/// From now on each message tells who sent it (SO_PASSCRED).
int32_t vtcp_pass_credentials(int32_t fd);
/// One datagram, never blocking; `process` is its sender by the kernel's word, or 0. `truncated`: it was longer, or control data got lost.
#define VTCP_NOTIFY_DESCRIPTORS 253
int64_t vtcp_notify_receive(int32_t fd, void *_Nonnull bytes, size_t count, int32_t *_Nonnull descriptors,
                            int32_t *_Nonnull descriptor_count, int32_t *_Nonnull process, int32_t *_Nonnull truncated);
/// One datagram to the socket at `path`, or with a leading @ to one without a place in the file system.
int32_t vtcp_notify_send(const char *_Nonnull path, const void *_Nonnull bytes, size_t count);

// Files: files.c

/// At most `count` octets of a regular file, not following a link at its end; -EFBIG: it has more.
int64_t vtcp_host_read(const char *_Nonnull path, void *_Nonnull bytes, size_t count);
/// Replaces the file at once, or not at all; `is_durable`: and not before it is on the disk.
int32_t vtcp_host_write(const char *_Nonnull path, const void *_Nonnull bytes, size_t count, uint32_t mode, int64_t user,
                        int64_t group, int32_t is_durable);
/// Opens an existing file to write, for nothing but `vtcp_spawn_request.control_group`.
int32_t vtcp_host_open_write(const char *_Nonnull path);
/// Writes octets into an existing file, as those of control groups are.
int32_t vtcp_host_put(const char *_Nonnull path, const void *_Nonnull bytes, size_t count);
/// Makes the directory if it is not there; -ENOTDIR: something else is.
int32_t vtcp_host_make_directory(const char *_Nonnull path, uint32_t mode, int64_t user, int64_t group);
int32_t vtcp_host_remove(const char *_Nonnull path);
int32_t vtcp_host_remove_directory(const char *_Nonnull path);
/// The names of a directory's entries but those that begin with a dot, each ending with NUL: the octets used; -EFBIG: they are more.
int64_t vtcp_host_list(const char *_Nonnull path, char *_Nonnull names, size_t count);
/// An empty file at `path`, made if need be, open to write: for a lock.
int32_t vtcp_host_lock_file(const char *_Nonnull path);

// This process and its host: host.c

/// Nanoseconds since 1970.
int64_t vtcp_wall_clock(void);
/// Adds the interface to the bridge. `link`: any socket.
int32_t vtcp_bridge_add(int32_t link, const char *_Nonnull bridge, const char *_Nonnull interface);
/// At most that many open files, as far as may be: the limit now.
int64_t vtcp_raise_file_limit(uint64_t wanted);
/// Keeps those of the capabilities in `kept` (a bit for each) that we have, in the permitted, effective and bounding sets, and none in the ambient and
/// inheritable ones. Returns 1 if the bounding set could not be reduced, which takes CAP_SETPCAP.
int32_t vtcp_keep_capabilities(uint64_t kept, uint64_t *_Nonnull have);
/// The path of the program's file: its octets, without NUL.
int64_t vtcp_own_program(void *_Nonnull path, size_t count);
/// Adds the group to our supplementary ones; nothing happens if we are in it.
int32_t vtcp_join_group(uint32_t group);
/// Processor time of this process, in nanoseconds.
int64_t vtcp_process_time(void);

#endif
